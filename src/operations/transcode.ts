/** `transcode`: one file in, one file out, in another codec, size or container; a copy where that is enough. */

import type { InputDescription, OutputDescription } from "../media/description.ts";
import type { SoundChain } from "../media/graph.ts";
import type { MediaInfo } from "../media/media.ts";
import { assert, Refusal } from "../trouble.ts";
import { codecTitle, containers, subtitlesExpected } from "./containers.ts";
import { filmLasting } from "./lasting.ts";
import { outputName } from "./naming.ts";
import { defineOperation, type Plan, type PlanContext, type PlanInput } from "./operation.ts";
import { shareOfBytes, withoutSpan } from "./part.ts";
import { inputPicture, rateNumber } from "./picture.ts";
import { planTries } from "./plan-tries.ts";
import { prerollBefore } from "./preroll.ts";
import { fitTries } from "./transcode-fit.ts";
import { decidePicture, type PictureDecision } from "./transcode-picture.ts";
import { type TranscodeParams, transcodeSchema } from "./transcode-schema.ts";
import {
  decideSound,
  decideSubtitles,
  levelTracks,
  type SoundDecision,
  type SubtitleDecision,
} from "./transcode-sound.ts";
import { planTarget } from "./transcode-target.ts";

export const transcode = defineOperation({
  name: "transcode",
  title: "Transcode",
  description:
    "Makes another file of a video or a sound: another codec, size, quality or container. Streams that conform already are copied without loss, unless a quality or a bit rate is asked for.",
  schema: transcodeSchema,
  example: { container: "mp4", video: { codec: "h264", quality: 65, maxHeight: 720 } },
  inputs: { min: 1, max: 1, kinds: ["video", "audio"] },
  family: "convert",
  replaces,
  part: (params, span, whole) => {
    const maxBytes = shareOfBytes(params, span, whole);
    return { ...withoutSpan(params), ...(maxBytes === undefined ? {} : { maxBytes }) };
  },
  plan,
});

/** Codecs of archives; H.264 and VP9 are what goes out while the source stays. */
const archiveCodecs = new Set<TranscodeParams["video"]["codec"]>(["hevc", "av1", "copy"]);

/** All of the source, as large as it was, in a codec that is kept. */
function replaces({ video, audio, from, to, maxBytes }: TranscodeParams): boolean {
  const whole = from === undefined && to === undefined && audio.codec !== "none";
  const asLarge = video.maxHeight === undefined && video.maxWidth === undefined;
  return whole && asLarge && maxBytes === undefined && archiveCodecs.has(video.codec);
}

function plan(params: TranscodeParams, inputs: PlanInput[], context: PlanContext): Plan {
  const [input] = inputs;
  assert(input !== undefined, "transcode has one input");
  refuseStill(input.media);
  const { maxBytes } = params;
  const { target } = params.video;
  if (maxBytes !== undefined) return planFitting(params, maxBytes, input, context);
  const once = planOnce(params, input, context);
  if (target === undefined) return once;
  const { media } = input;
  return planTarget(once, target, { media, piece: cutOf(params, media) }, context);
}

/** A copy that is small enough is what fits best; a byte rate that was probed is the file's own. */
const copyShare = 0.98;

function planFitting(
  params: TranscodeParams,
  maxBytes: number,
  input: PlanInput,
  context: PlanContext,
): Plan {
  const { bitRate } = input.media;
  const { seconds, trimmed } = cutOf(params, input.media);
  const asItIs = planOnce(params, input, context);
  const bytes = bitRate === null || seconds === null ? null : (bitRate * seconds) / 8;
  const small = bytes !== null && bytes < maxBytes * copyShare;
  const ways =
    small && !trimmed && copiesPicture(asItIs)
      ? [{ title: "copied as it is", plan: asItIs }]
      : fitTries(params, input.media, seconds).map(({ title, params: asked }) => ({
          ...{ title, plan: planOnce(asked, input, context) },
        }));
  return planTries(ways, maxBytes, input.name);
}

function copiesPicture({ steps }: Plan): boolean {
  const work = steps.at(-1)?.work;
  const video = work?.kind === "render" ? work.description.outputs[0]?.video : null;
  return video?.kind === "copy";
}

function planOnce(params: TranscodeParams, input: PlanInput, context: PlanContext): Plan {
  const cut = cutOf(params, input.media);
  const picture = decidePicture(params, input.media, context);
  const decided = decideSound(params, input.media);
  const source = inputOf(input.media, picture, cut);
  // Sound begins where it is told to in any container.
  const { prerollSeconds: _, ...forSound } = source;
  const { sound, chains, steps } = levelTracks(params, decided, {
    inputs: [forSound],
    seconds: cut.seconds,
  });
  // Subtitles of a source without picture are lyrics; a file of sound alone has no place to show them.
  const subtitles =
    picture.stream === null ? { tracks: [], notes: [] } : decideSubtitles(params, input.media);
  refuseEmpty(picture, sound, input.media);
  const parts = { source, picture, sound, chains, subtitles, cut };
  const step = stepOf(params, input, parts);
  step.needs = steps.map(({ name }) => name);
  return { steps: [...steps, step], notes: notesOf(parts) };
}

interface Parts {
  source: InputDescription;
  picture: PictureDecision;
  sound: SoundDecision;
  /** What the sound goes through besides; empty: nothing. */
  chains: SoundChain[];
  subtitles: SubtitleDecision;
  cut: Cut;
}

function stepOf(params: TranscodeParams, input: PlanInput, parts: Parts): Plan["steps"][number] {
  const { source, picture, sound, chains, cut } = parts;
  const facts = containers[params.container];
  const silentOnly = picture.stream === null;
  const ending = silentOnly ? facts.audioEnding : facts.ending;
  const file = `output.${ending}`;
  return {
    name: "transcode",
    title: titleOf(parts),
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: [source],
        graph: picture.graph,
        ...(chains.length > 0 ? { sound: chains } : {}),
        outputs: [outputOf(params, file, { ...parts, media: input.media })],
        expectedSeconds: cut.seconds,
      },
    },
    outputs: [
      {
        file,
        name: outputName(input.name, suffixOf(picture), ending),
        role: "main",
        mimeType: silentOnly ? facts.audioMimeType : facts.mimeType,
        expectation: {
          file,
          kind: silentOnly ? "audio" : "video",
          durationSeconds: cut.seconds,
          ...filmLasting(
            input.media,
            {
              soundAlone: silentOnly,
              audio: sound.tracks,
              subtitles: parts.subtitles.tracks,
            },
            cut.trimmed ? cut.from : undefined,
          ),
          video: picture.expected,
          audioTracks: sound.tracks.length,
          audioCodecs: sound.codecs,
          subtitles: subtitlesExpected(params.container, parts.subtitles.tracks.length),
        },
      },
    ],
  };
}

function inputOf(media: MediaInfo, picture: PictureDecision, cut: Cut): InputDescription {
  const { video } = media;
  const prerollSeconds = prerollBefore(cut.from, media);
  const decodes = picture.stream?.kind === "encode" && video !== null;
  return {
    from: { asset: 0 },
    ...(cut.from > 0 ? { seekSeconds: cut.from } : {}),
    ...(decodes && prerollSeconds > 0 ? { prerollSeconds } : {}),
    ...(cut.trimmed && cut.seconds !== null ? { durationSeconds: cut.seconds } : {}),
    ...(decodes ? { picture: inputPicture(video) } : {}),
  };
}

function outputOf(
  params: TranscodeParams,
  file: string,
  parts: Parts & { media: MediaInfo },
): OutputDescription {
  const { video } = parts.media;
  const rate = params.video.frameRate ?? rateNumber(video?.frameRate ?? null);
  return {
    file,
    container: params.container,
    video: parts.picture.stream,
    audio: parts.sound.tracks,
    subtitles: parts.subtitles.tracks,
    metadataFrom: params.metadata === "keep" ? 0 : null,
    limitSeconds: limitOf(parts.cut, rate),
  };
}

/** How far a probed duration may be off before a source counts as growing without end. */
const slackSeconds = 5;
/** For sources that do not say how long they are: a day of media. */
const unknownLimitSeconds = 86_400;

/**
 * Frames of a cut are moved onto the beats of their rate by half a frame at most, the last one onto its end: what
 * is read ends exactly. No more than that, for a chapter that begins so late would be kept.
 */
const cutSlackFrames = 0.5;
/** Where the rate is not known or varies. */
const usualRate = 25;

/** A whole source may run a little over what its header says. */
function limitOf(cut: Cut, rate: number | null): number {
  if (cut.seconds === null) return unknownLimitSeconds;
  if (!cut.trimmed) return cut.seconds * 1.01 + slackSeconds;
  return cut.seconds + cutSlackFrames / (rate ?? usualRate);
}

/** The piece of a source that is worked on. */
export interface Cut {
  from: number;
  /** Length of the output; null when the source does not say its own. */
  seconds: number | null;
  trimmed: boolean;
}

/** Shorter cuts may fall between two frames. */
const minCutSeconds = 0.1;
/** People round up the end that a player shows them. */
const endToleranceSeconds = 1;

/** @throws Refusal 422 `unsuitable_input` when the times lie outside of the source. */
export function cutOf(params: Pick<TranscodeParams, "from" | "to">, media: MediaInfo): Cut {
  const { durationSeconds: whole } = media;
  const from = params.from ?? 0;
  const trimmed = params.from !== undefined || params.to !== undefined;
  const end = whole === null ? (params.to ?? null) : Math.min(params.to ?? whole, whole);
  const tooLate = (name: string, value: number) =>
    new Refusal(
      422,
      "unsuitable_input",
      `The source ends at ${whole} s, and ${name} is ${value} s. Choose a time before the end.`,
    );
  if (whole !== null && from > 0 && from >= whole) throw tooLate("from", from);
  if (whole !== null && params.to !== undefined && params.to > whole + endToleranceSeconds) {
    throw tooLate("to", params.to);
  }
  const seconds = end === null ? null : end - from;
  if (trimmed && seconds !== null && seconds < minCutSeconds) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `Between from and to lie ${seconds.toFixed(3)} s, too little for a video: take at least ${minCutSeconds} s.`,
    );
  }
  return { from, seconds, trimmed };
}

function refuseStill(media: MediaInfo): void {
  if (media.kind !== "image") return;
  throw new Refusal(
    422,
    "unsuitable_input",
    "The source is a still picture, and transcode works on video and sound. Use thumbnails to make a smaller picture or another format of it.",
  );
}

function refuseEmpty(picture: PictureDecision, sound: SoundDecision, media: MediaInfo): void {
  if (picture.stream !== null || sound.tracks.length > 0) return;
  const lacking =
    media.audio.length === 0 ? "The source has no sound" : "The source has no picture";
  throw new Refusal(
    422,
    "unsuitable_input",
    `${lacking}, and the rest was switched off with codec none: nothing would be left.`,
  );
}

function suffixOf({ stream, expected }: PictureDecision): string {
  return stream?.kind === "encode" && expected !== null ? `${expected.height}p` : "";
}

function titleOf({ picture, sound }: Parts): string {
  const { stream, expected } = picture;
  if (stream?.kind === "encode" && expected !== null) {
    return `Encode ${codecTitle(stream.codec)} at ${expected.width}×${expected.height}`;
  }
  return sound.tracks.some(({ kind }) => kind === "encode")
    ? "Encode the sound"
    : "Copy the streams";
}

function notesOf({ picture, sound, subtitles }: Parts): string[] {
  const notes = [...picture.notes, ...sound.notes, ...subtitles.notes];
  const copiesPicture = picture.stream?.kind === "copy";
  const copiesSound = sound.tracks.length > 0 && sound.tracks.every(({ kind }) => kind === "copy");
  if (copiesPicture && (copiesSound || sound.tracks.length === 0)) {
    return ["The source already conforms: streams are copied, not re-encoded.", ...notes];
  }
  if (copiesPicture)
    return ["The picture already conforms: it is copied, not re-encoded.", ...notes];
  if (copiesSound) return ["The sound already conforms: it is copied, not re-encoded.", ...notes];
  return notes;
}
