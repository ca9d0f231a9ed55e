/**
 * What operations share that draw into the picture of their first input and keep all else: always encoded,
 * in 8 bits and SDR, so that what is drawn has the colours that it says. Pure.
 */
import type { OutputDescription } from "../media/description.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { containers } from "./containers.ts";
import { filmLasting } from "./lasting.ts";
import { outputName } from "./naming.ts";
import type { PlanContext, StepOutput } from "./operation.ts";
import { decidePicture, type PictureDecision } from "./transcode-picture.ts";
import { type TranscodeParams, transcodeSchema } from "./transcode-schema.ts";
import { decideSound, type SoundDecision } from "./transcode-sound.ts";

export interface BurnWish {
  container: TranscodeParams["container"];
  codec: "auto" | "h264" | "hevc" | "av1" | "vp9";
  quality: number;
  speed: TranscodeParams["speed"];
  /** A constant rate; absent: the source's. */
  frameRate?: number | undefined;
}

export interface Burn {
  picture: PictureDecision;
  sound: SoundDecision;
  /** Of the output. */
  frame: { width: number; height: number };
  notes: string[];
}

/** The source's moving picture. @throws Refusal 422 `unsuitable_input` when there is none */
export function movingPicture(media: MediaInfo, verb: string): VideoStream {
  if (media.video !== null && media.kind === "video") return media.video;
  const what = media.kind === "image" ? "a still picture" : "sound alone";
  throw new Refusal(422, "unsuitable_input", `The first input is ${what}, and ${verb} a video.`);
}

/** @throws Refusal 422 `unsuitable_input` when the container cannot hold what was asked for */
export function decideBurn(wish: BurnWish, media: MediaInfo, context: PlanContext): Burn {
  const { container, codec, quality, speed, frameRate } = wish;
  const video = { codec, quality, pixelFormat: "yuv420p", ...(frameRate ? { frameRate } : {}) };
  const params = transcodeSchema.parse({ container, speed, video, hdr: "sdr" });
  const picture = decidePicture(params, media, context);
  const sound = decideSound(params, media);
  const { width, height } = picture.expected ?? { width: 2, height: 2 };
  const hdr = media.video?.hdr ? ["The source is HDR; the result is SDR."] : [];
  const deep =
    media.video !== null && media.video.hdr === null && media.video.bitDepth > 8
      ? ["The source has more than 8 bits per colour; the result has 8."]
      : [];
  return {
    ...{ picture, sound, frame: { width, height } },
    notes: [...picture.notes, ...sound.notes, ...hdr, ...deep],
  };
}

/** What the video's colours are tagged with. */
export function matrixOf({ picture: { stream } }: Pick<Burn, "picture">): string {
  return (stream?.kind === "encode" ? stream.color.space : null) ?? "bt709";
}

/** How far a probed duration may be off before a source counts as growing without end. */
const slackSeconds = 5;
/** For sources that do not say how long they are: a day of media. */
const unknownLimitSeconds = 86_400;

export function burntOutput(
  wish: BurnWish,
  media: MediaInfo,
  { picture, sound }: Pick<Burn, "picture" | "sound">,
): OutputDescription {
  const { durationSeconds: whole } = media;
  return {
    file: `output.${containers[wish.container].ending}`,
    container: wish.container,
    video: picture.stream,
    audio: sound.tracks,
    subtitles: [],
    metadataFrom: 0,
    limitSeconds: whole === null ? unknownLimitSeconds : whole * 1.01 + slackSeconds,
  };
}

/** What is published of it. */
export function burntResult(
  wish: BurnWish,
  input: { name: string; media: MediaInfo },
  { picture, sound }: Pick<Burn, "picture" | "sound">,
  suffix: string,
): StepOutput {
  const facts = containers[wish.container];
  const file = `output.${facts.ending}`;
  return {
    file,
    name: outputName(input.name, suffix, facts.ending),
    role: "main",
    mimeType: facts.mimeType,
    expectation: {
      file,
      kind: "video",
      durationSeconds: input.media.durationSeconds,
      ...filmLasting(input.media, { audio: sound.tracks, subtitles: [] }),
      video: picture.expected,
      audioTracks: sound.tracks.length,
      audioCodecs: sound.codecs,
      subtitles: { least: 0, most: 0 },
    },
  };
}
