/** `ladder`: one video as a ladder of streams for HLS, DASH or both, and the playlists that players open. */
import type { MediaInfo } from "../media/media.ts";
import { assert, Refusal } from "../trouble.ts";
import {
  encodeStep,
  type LadderPicture,
  type LadderStreams,
  ladderInput,
  ladderLook,
} from "./ladder-encode.ts";
import { ladderStem, packageStep } from "./ladder-files.ts";
import { numberOfRate } from "./ladder-rate.ts";
import { rungsOf } from "./ladder-rungs.ts";
import { type LadderParams, ladderSchema } from "./ladder-schema.ts";
import { ladderSounds } from "./ladder-sound.ts";
import { ladderThumbnails } from "./ladder-thumbnails.ts";
import { defineOperation, type Plan, type PlanContext, type PlanInput } from "./operation.ts";

export const ladder = defineOperation({
  name: "ladder",
  title: "Streaming ladder",
  description:
    "Makes a video ready for streaming: the same picture in several sizes and each sound once, cut into segments that players switch between, with the playlists of HLS, the manifest of DASH, or both. Copy the files to any web server, or play them from here.",
  schema: ladderSchema,
  example: { format: "both", segmentSeconds: 4 },
  inputs: { min: 1, max: 1, kinds: ["video", "audio"] },
  family: "convert",
  plan,
});

function plan(params: LadderParams, inputs: PlanInput[], context: PlanContext): Plan {
  const [input] = inputs;
  assert(input !== undefined, "a ladder has one input");
  const { media, name } = input;
  const picture = pictureOf(params, media, context);
  const sounds = ladderSounds(params, media, {
    inputs: [ladderInput(picture?.video ?? null)],
    seconds: media.durationSeconds,
  });
  refuseEmpty(picture, sounds.sounds.length);
  const streams: LadderStreams = { picture, sounds, seconds: media.durationSeconds };
  const everySeconds = picture?.timing.segmentSeconds ?? params.segmentSeconds;
  refuseCountless(media, everySeconds);
  const stem = ladderStem(name);
  const thumbnails = ladderThumbnails(params, input, { stem, context });
  const files = { stem, streams, everySeconds, thumbnails: thumbnails.sheets };
  return {
    steps: [
      ...[...sounds.steps, encodeStep(params, streams), packageStep(params, files)],
      ...thumbnails.steps,
    ],
    notes: [...notesOf(params, media, streams), ...thumbnails.notes],
  };
}

function pictureOf(
  params: LadderParams,
  { video, kind }: MediaInfo,
  context: PlanContext,
): LadderPicture | null {
  if (kind === "image") {
    throw new Refusal(
      422,
      "unsuitable_input",
      "The source is a still picture, and a ladder is made of video or sound. Choose a video.",
    );
  }
  if (video === null) {
    if (params.rungs === "auto") return null;
    const message = "are sizes of a picture, and the source has none";
    throw new Refusal(422, "unsuitable_input", `rungs ${message}. Set rungs to auto.`, {
      errors: [{ path: "rungs", message }],
    });
  }
  return { video, ...rungsOf(params, video), look: ladderLook(params, video, context) };
}

function refuseEmpty(picture: LadderPicture | null, sounds: number): void {
  if (picture !== null || sounds > 0) return;
  throw new Refusal(
    422,
    "unsuitable_input",
    "The source has no picture, and its sound was left out with audio.tracks none: nothing would be left.",
  );
}

/** An index counts segments in 16 bits. */
const maxSegments = 65_535;

function refuseCountless({ durationSeconds }: MediaInfo, everySeconds: number): void {
  const count = Math.ceil((durationSeconds ?? 0) / everySeconds);
  if (count <= maxSegments) return;
  const message = `makes ${count} segments, and a file has ${maxSegments} at most`;
  throw new Refusal(422, "unsuitable_input", `segmentSeconds ${message}. Take longer ones.`, {
    errors: [{ path: "segmentSeconds", message }],
  });
}

function notesOf(params: LadderParams, media: MediaInfo, streams: LadderStreams): string[] {
  const { picture, sounds } = streams;
  const notes: string[] = [];
  if (picture !== null) {
    const { rungs, timing, video, look } = picture;
    if (params.rungs === "auto") {
      const sizes = rungs.map(({ label, frame }) => `${label} (${frame.width}×${frame.height})`);
      notes.push(`Rungs: ${sizes.join(", ")}.`);
    }
    if (video.variableFrameRate) {
      notes.push(
        `The source's frames come at uneven times: they are brought to an even ${shortNumber(numberOfRate(timing.rate))} per second first.`,
      );
    }
    notes.push(...look.notes);
  } else notes.push("The source has no picture: the ladder is sound alone.");
  if (picture !== null && media.audio.length === 0) notes.push("The source has no sound.");
  const subtitles = media.subtitles.length;
  if (subtitles > 0) {
    notes.push(
      `${subtitles === 1 ? "1 subtitle track is" : `${subtitles} subtitle tracks are`} left out: make WebVTT of them with captions.`,
    );
  }
  if (params.encryption !== "none") {
    notes.push(
      params.keyUri === undefined
        ? "Whoever can fetch the key file can watch: on another server, keep it where only those who may can read it."
        : "Put the key file where keyUri says, and keep it from everybody else.",
    );
  }
  return [...notes, ...sounds.notes];
}

function shortNumber(value: number): string {
  return String(Number(value.toFixed(3)));
}
