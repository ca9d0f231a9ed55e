/** The encodes of a ladder: one decode and all of its streams in one run, each an MP4 of its own. Pure. */
import type {
  InputDescription,
  OutputDescription,
  RenderDescription,
  VideoEncode,
} from "../media/description.ts";
import type { Expectation } from "../media/expectation.ts";
import type { VideoFilter } from "../media/graph.ts";
import type { VideoStream } from "../media/media.ts";
import { codecTitle } from "./containers.ts";
import { ladderGraph, rungPad } from "./ladder-graph.ts";
import { textOfRate } from "./ladder-rate.ts";
import type { Rungs } from "./ladder-rungs.ts";
import type { LadderParams } from "./ladder-schema.ts";
import type { LadderSounds } from "./ladder-sound.ts";
import type { PlanContext, Step } from "./operation.ts";
import { bt709, hdrCurve, inputPicture, keptColor } from "./picture.ts";
import { refuseBareDolbyVision, requireTonemap } from "./transcode-picture.ts";

/** The step that encodes; packaging reads its files. */
export const encodeStepName = "encode";

/** The picture of a ladder; absent for sound alone. */
export interface LadderPicture extends Rungs {
  video: VideoStream;
  look: LadderLook;
}

export interface LadderLook {
  pixelFormat: string;
  color: VideoEncode["color"];
  hdrMetadata: VideoEncode["hdrMetadata"];
  tonemap: VideoFilter[];
  notes: string[];
}

/** @throws Refusal 422 `unsuitable_input` for HDR that cannot be made what was asked for */
export function ladderLook(
  { codec, hdr }: LadderParams,
  video: VideoStream,
  context: PlanContext,
): LadderLook {
  refuseBareDolbyVision(video);
  const toSdr = video.hdr !== null && (hdr === "sdr" || codec === "h264");
  if (toSdr) requireTonemap(context);
  const deep = video.bitDepth > 8 && codec !== "h264" && !toSdr;
  return {
    pixelFormat: deep ? "yuv420p10le" : "yuv420p",
    color: toSdr ? bt709 : keptColor(video),
    hdrMetadata: toSdr ? null : (video.hdrMetadata ?? null),
    tonemap: toSdr ? [{ filter: "tonemap", from: hdrCurve(video) ?? "hdr10" }] : [],
    notes: lookNotes({ codec, hdr }, video, toSdr),
  };
}

function lookNotes(
  { codec, hdr }: Pick<LadderParams, "codec" | "hdr">,
  video: VideoStream,
  toSdr: boolean,
): string[] {
  const notes: string[] = [];
  if (toSdr && hdr === "keep") {
    notes.push(
      `The source is HDR and ${codecTitle(codec)} in 8 bits is not: the picture is tone-mapped to SDR. Choose HEVC or AV1 to keep HDR.`,
    );
  }
  if (!toSdr && video.hdr === "dolby-vision") {
    notes.push("Dolby Vision's own layer is not carried over: the HDR10 or HLG base stays.");
  }
  if (!toSdr && video.hdr === "hdr10plus") {
    notes.push("HDR10+ metadata per scene is not carried over: plain HDR10 stays.");
  }
  if (video.alpha) {
    notes.push("The source has transparency, which is lost: what lies under it is shown.");
  }
  return notes;
}

export interface LadderStreams {
  picture: LadderPicture | null;
  sounds: LadderSounds;
  /** Of the source; null when unknown. */
  seconds: number | null;
}

/** The input as it is decoded. */
export function ladderInput(video: VideoStream | null): InputDescription {
  return { from: { asset: 0 }, ...(video === null ? {} : { picture: inputPicture(video) }) };
}

export function rungFile(index: number): string {
  return `rung-${index + 1}.mp4`;
}

export function soundFile(index: number): string {
  return `sound-${index + 1}.mp4`;
}

export function encodeStep(params: LadderParams, streams: LadderStreams): Step {
  const { picture, sounds } = streams;
  const expected = [...rungExpectations(params, streams), ...soundExpectations(streams)];
  const made = expected.map((about, index) => {
    const rungs = streams.picture?.rungs.length ?? 0;
    return { ...about, file: index < rungs ? rungFile(index) : soundFile(index - rungs) };
  });
  // What is published is proven anyway, unless nothing can decode it then.
  const locked = params.encryption !== "none";
  return {
    name: encodeStepName,
    ...titlesOf(params, streams),
    needs: sounds.steps.map(({ name }) => name),
    work: {
      kind: "render",
      description: {
        inputs: [ladderInput(picture?.video ?? null)],
        graph: picture === null ? [] : graphOf(params, picture),
        ...(sounds.chains.length > 0 ? { sound: sounds.chains } : {}),
        outputs: [...rungOutputs(params, streams), ...soundOutputs(streams)],
        expectedSeconds: streams.seconds,
      } satisfies RenderDescription,
    },
    makes: made.map(({ file }) => file),
    ...(locked ? { proves: made } : { provesOfGpu: made }),
    outputs: [],
  };
}

function titlesOf(
  { codec }: LadderParams,
  { picture, sounds }: LadderStreams,
): Pick<Step, "title" | "pictureTitle"> {
  const count = sounds.sounds.length;
  const sound = count === 1 ? "the sound" : `${count} sounds`;
  if (picture === null) return { title: `Encode ${sound}` };
  const [first, ...more] = picture.rungs;
  const last = more.at(-1);
  const rungs =
    last === undefined
      ? `one rung of ${codecTitle(codec)}, ${first?.label}`
      : `${picture.rungs.length} rungs of ${codecTitle(codec)}, ${first?.label} to ${last.label}`;
  const pictureTitle = `Encode ${rungs}`;
  return { title: `${pictureTitle}${count === 0 ? "" : `, and ${sound}`}`, pictureTitle };
}

function graphOf({ deinterlace }: LadderParams, { video, look, ...rungs }: LadderPicture) {
  const frames = deinterlace === "on" ? "all" : "flagged";
  const combed = deinterlace === "on" || (deinterlace === "auto" && video.interlaced);
  return ladderGraph(rungs, video.index, {
    prepare: combed ? [{ filter: "deinterlace", frames }] : [],
    finish: [
      ...look.tonemap,
      { filter: "format", pixelFormats: [look.pixelFormat] },
      { filter: "setsar", ratio: "1" },
      { filter: "tag", color: look.color },
    ],
  });
}

/** How far a probed duration may be off before a source counts as growing without end. */
const slackSeconds = 5;
/** For sources that do not say how long they are: a day of media. */
const unknownLimitSeconds = 86_400;

function outputOf(
  file: string,
  seconds: number | null,
): Omit<OutputDescription, "video" | "audio"> {
  return {
    ...{ file, container: "mp4", subtitles: [], metadataFrom: null },
    limitSeconds: seconds === null ? unknownLimitSeconds : seconds * 1.01 + slackSeconds,
    isIntermediate: true,
  };
}

function rungOutputs(
  params: LadderParams,
  { picture, seconds }: LadderStreams,
): OutputDescription[] {
  if (picture === null) return [];
  const { rungs, timing, look } = picture;
  return rungs.map((rung, index) => ({
    ...outputOf(rungFile(index), seconds),
    ticksPerSecond: timing.ticksPerSecond,
    audio: [],
    video: {
      kind: "encode",
      source: { pad: rungPad(index) },
      codec: params.codec,
      rate: rung.rate,
      speed: params.speed,
      pixelFormat: look.pixelFormat,
      gopFrames: timing.keyframeFrames / rung.divisor,
      forcedKeyframes: {
        everySeconds: timing.keyframeSeconds,
        segmentSeconds: timing.segmentSeconds,
      },
      color: look.color,
      ...rung.frame,
      hdrMetadata: look.hdrMetadata ?? null,
    },
  }));
}

function soundOutputs({ sounds, seconds }: LadderStreams): OutputDescription[] {
  return sounds.sounds.map(({ encode }, index) => ({
    ...outputOf(soundFile(index), seconds),
    video: null,
    audio: [encode],
  }));
}

/** What each rung must be, encoded or packaged. Tracks of a file need not be as long as the whole. */
export function rungExpectations(
  { codec }: LadderParams,
  { picture, seconds }: LadderStreams,
): Omit<Expectation, "file">[] {
  if (picture === null) return [];
  return picture.rungs.map(({ frame }) => ({
    ...{ kind: "video", durationSeconds: seconds, lastsLikeStreams: [picture.video.index] },
    ...{ video: { codec, ...frame }, audioTracks: 0, audioCodecs: [] },
  }));
}

/** The same for each sound. */
export function soundExpectations({ sounds, seconds }: LadderStreams): Omit<Expectation, "file">[] {
  return sounds.sounds.map(({ stream }) => ({
    ...{ kind: "audio", durationSeconds: seconds, lastsLikeStreams: [stream] },
    ...{ video: null, audioTracks: 1, audioCodecs: ["aac"] },
  }));
}

/** "30000/1001" of a rung. */
export function rungRate({ rungs, timing }: Rungs, index: number): string {
  return textOfRate(timing.rate, rungs[index]?.divisor ?? 1);
}
