/**
 * What becomes of a film whose picture was worked on: codec, colours, bit depth, tracks and container, for
 * operations that always encode the picture. Pure.
 */
import { z } from "zod";
import type {
  AudioEncode,
  ColorTags,
  InputRef,
  OutputDescription,
  RenderDescription,
  StreamCopy,
  VideoCodec,
  VideoEncode,
} from "../media/description.ts";
import type { FilterChain, SoundChain, VideoFilter } from "../media/graph.ts";
import type { HdrMetadata, MediaInfo, VideoStream } from "../media/media.ts";
import { defaultQuality } from "../media/quality.ts";
import { Refusal } from "../trouble.ts";
import { codecTitle, containers, subtitlesExpected } from "./containers.ts";
import { filmLasting } from "./lasting.ts";
import { outputName } from "./naming.ts";
import type { PlanContext, PlanInput, Step } from "./operation.ts";
import {
  bt709,
  type Frame,
  gopFramesOf,
  inputPicture,
  keptColor,
  rateNumber,
  toSdr,
} from "./picture.ts";
import { fewerBits, refuseBareDolbyVision, requireTonemap } from "./transcode-picture.ts";
import { transcodeSchema } from "./transcode-schema.ts";
import { decideSound, decideSubtitles } from "./transcode-sound.ts";

/** Parameters that these operations share. */
export const filmFields = {
  container: z
    .enum(["mp4", "mkv", "webm", "mov"])
    .default("mp4")
    .meta({
      title: "Container",
      labels: { mp4: "MP4", mkv: "Matroska (MKV)", webm: "WebM", mov: "QuickTime (MOV)" },
      description: "MP4 plays everywhere; Matroska holds everything; WebM is for VP9 and AV1.",
    }),
  codec: z
    .enum(["auto", "h264", "hevc", "av1", "vp9"])
    .default("auto")
    .meta({
      title: "Video codec",
      labels: {
        auto: "Automatic",
        h264: "H.264",
        hevc: "HEVC (H.265)",
        av1: "AV1",
        vp9: "VP9",
      },
      description:
        "auto is H.264 in MP4, MOV and Matroska and VP9 in WebM. H.264 makes HDR and ten bits SDR in eight; the others keep them.",
    }),
  quality: z.int().min(0).max(100).default(defaultQuality).meta({
    title: "Quality",
    description:
      "The same scale for every codec: 65 is fine for the web, 80 hard to tell from the source.",
  }),
  effort: z
    .enum(["fast", "balanced", "best"])
    .default("balanced")
    .meta({
      advanced: true,
      title: "Encoding speed",
      labels: { fast: "Fast", balanced: "Balanced", best: "Best" },
      description: "best takes several times as long as balanced and makes smaller files.",
    }),
  audio: z
    .enum(["keep", "none"])
    .default("keep")
    .meta({
      title: "Sound",
      labels: { keep: "Keep", none: "No sound" },
      description:
        "keep copies the tracks that the container takes as they are, and encodes the others.",
    }),
};

const filmSchema = z.strictObject(filmFields);
export type FilmParams = z.output<typeof filmSchema>;

/** How the picture is stored, before anything is known of its size. */
export interface FilmLook {
  codec: VideoCodec;
  pixelFormat: string;
  color: ColorTags;
  hdrMetadata: HdrMetadata | null;
  /** HDR to SDR; empty where nothing is to do. */
  tonemap: VideoFilter[];
  notes: string[];
}

/**
 * @param eightBits for work that ffmpeg does in eight bits alone
 * @throws Refusal 422 `unsuitable_input` for what cannot be encoded so
 */
export function filmLook(
  params: FilmParams,
  video: VideoStream,
  context: PlanContext,
  { eightBits }: { eightBits: boolean },
): FilmLook {
  refuseBareDolbyVision(video);
  const codec = codecOf(params);
  const deep = video.bitDepth > 8 && codec !== "h264" && !eightBits;
  const tonemap = video.hdr !== null && !deep;
  if (tonemap) requireTonemap(context);
  return {
    codec,
    pixelFormat: deep ? "yuv420p10le" : "yuv420p",
    color: tonemap ? bt709 : keptColor(video),
    hdrMetadata: tonemap ? null : (video.hdrMetadata ?? null),
    tonemap: tonemap ? [toSdr(video)] : [],
    notes: lookNotes(video, { codec, tonemap, deep, eightBits }),
  };
}

function codecOf({ codec, container }: FilmParams): VideoCodec {
  const facts = containers[container];
  if (codec === "auto") return facts.video;
  if (facts.holdsVideo === null || facts.holdsVideo.includes(codec)) return codec;
  throw new Refusal(
    422,
    "unsuitable_input",
    `${facts.title} cannot hold ${codecTitle(codec)} video. Set codec to auto, or choose another container.`,
  );
}

function lookNotes(
  video: VideoStream,
  {
    codec,
    tonemap,
    deep,
    eightBits,
  }: { codec: VideoCodec; tonemap: boolean; deep: boolean; eightBits: boolean },
): string[] {
  const notes: string[] = [];
  if (tonemap) {
    notes.push(
      eightBits
        ? "The source is HDR, and what was asked for works in 8 bits: the picture is tone-mapped to SDR."
        : `The source is HDR and ${codecTitle(codec)} in 8 bits is not: the picture is tone-mapped to SDR. Choose HEVC, AV1 or VP9 to keep HDR.`,
    );
  } else if (eightBits && video.bitDepth > 8) {
    notes.push(`What was asked for works in 8 bits: the source's ${video.bitDepth} become 8.`);
  } else if (!deep && video.bitDepth > 8) {
    notes.push(fewerBits(codec));
  }
  if (video.alpha) {
    notes.push("The source has transparency, which is lost: what lies under it is shown.");
  }
  return notes;
}

/** The last filters of every picture: as the encoder takes it. */
export function finish({ pixelFormat, color }: FilmLook): VideoFilter[] {
  return [
    { filter: "format", pixelFormats: [pixelFormat] },
    { filter: "setsar", ratio: "1" },
    { filter: "tag", color },
  ];
}

export interface FilmTracks {
  audio: (AudioEncode | StreamCopy)[];
  audioCodecs: string[];
  subtitles: StreamCopy[];
  /** What makes the tracks that are no streams of the source. */
  sound: SoundChain[];
  notes: string[];
}

/** Tracks of a film whose times stay what they are. @throws Refusal 422 `unsuitable_input` */
export function keptTracks({ container, audio }: FilmParams, media: MediaInfo): FilmTracks {
  const like = transcodeSchema.parse({
    container,
    audio: { codec: audio === "none" ? "none" : "auto" },
  });
  const sound = decideSound(like, media);
  const subtitles = decideSubtitles(like, media);
  return {
    audio: sound.tracks,
    audioCodecs: sound.codecs,
    subtitles: subtitles.tracks,
    sound: [],
    notes: [...sound.notes, ...subtitles.notes],
  };
}

export interface Film {
  params: FilmParams;
  input: PlanInput;
  video: VideoStream;
  look: FilmLook;
  tracks: FilmTracks;
  frame: Frame;
  /** Pad of the graph that is encoded. */
  pad: string;
  graph: FilterChain[];
  /** Files of earlier steps that filters read. */
  reads: InputRef[];
  /** A constant rate that the graph makes; null where frames keep their times. */
  constantRate: number | null;
  /** Null when unknown. */
  seconds: number | null;
  /** Chapters go with the source's times; titles and dates stay in any case. */
  keepChapters: boolean;
  step: { name: string; title: string; needs: string[]; suffix: string };
}

/** How far a probed duration may be off before a source counts as growing without end. */
const slackSeconds = 5;
/** For sources that do not say how long they are: a day of media. */
const unknownLimitSeconds = 86_400;

/** The step that makes the film. */
export function filmStep(film: Film): Step {
  const { params, input, look, tracks, frame, step, seconds } = film;
  const facts = containers[params.container];
  const file = `output.${facts.ending}`;
  const output: OutputDescription = {
    file,
    container: params.container,
    video: encodeOf(film),
    audio: tracks.audio,
    subtitles: tracks.subtitles,
    metadataFrom: 0,
    ...(film.keepChapters ? {} : { dropChapters: true }),
    limitSeconds: seconds === null ? unknownLimitSeconds : seconds * 1.01 + slackSeconds,
  };
  const description: RenderDescription = {
    inputs: [{ from: { asset: 0 }, picture: inputPicture(film.video) }],
    graph: film.graph,
    ...(tracks.sound.length === 0 ? {} : { sound: tracks.sound }),
    outputs: [output],
    ...(film.reads.length === 0 ? {} : { reads: film.reads }),
    expectedSeconds: seconds,
  };
  return {
    ...{ name: step.name, title: step.title, needs: step.needs },
    work: { kind: "render", description },
    outputs: [
      {
        file,
        name: outputName(input.name, step.suffix, facts.ending),
        role: "main",
        mimeType: facts.mimeType,
        expectation: {
          file,
          kind: "video",
          durationSeconds: seconds,
          // Where its times are others, the graph makes it as long as it should be.
          ...(seconds === input.media.durationSeconds ? filmLasting(input.media, tracks) : {}),
          video: { codec: look.codec, ...frame },
          audioTracks: tracks.audio.length,
          audioCodecs: tracks.audioCodecs,
          subtitles: subtitlesExpected(params.container, tracks.subtitles.length),
        },
      },
    ],
  };
}

function encodeOf({ params, video, look, frame, pad, constantRate }: Film): VideoEncode {
  return {
    kind: "encode",
    source: { pad },
    codec: look.codec,
    rate: { quality: params.quality },
    speed: params.effort,
    pixelFormat: look.pixelFormat,
    gopFrames: gopFramesOf(constantRate ?? rateNumber(video.frameRate)),
    color: look.color,
    ...frame,
    variableFrameRate: video.variableFrameRate && constantRate === null,
    hdrMetadata: look.hdrMetadata,
  };
}

/**
 * The moving picture of the source.
 * @throws Refusal 422 `unsuitable_input` for sound alone and for stills
 */
export function movingPicture(media: MediaInfo, title: string): VideoStream {
  if (media.video !== null && media.kind === "video") return media.video;
  const what = media.video === null ? "sound alone" : "a still picture";
  throw new Refusal(
    422,
    "unsuitable_input",
    `The source is ${what}, and ${title} works on moving pictures. Choose a video.`,
  );
}
