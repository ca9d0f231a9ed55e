/** ffprobe's JSON → MediaInfo. Pure; `probe.ts` does the reading of files. */
import type { AudioStream, Chapter, MediaInfo, SubtitleStream, VideoStream } from "./media.ts";
import {
  alphaOf,
  bitDepthOf,
  colorOf,
  frameRateOf,
  hdrMetadataOf,
  hdrOf,
  isInterlaced,
  languageOf,
  numberOf,
  type RawProbe,
  type RawSideData,
  type RawStream,
  ratioOf,
  rotationOf,
  tagOf,
} from "./probe-facts.ts";

/** What the JSON of the streams does not say and `probe.ts` finds out. */
export interface ProbeExtras {
  /** Document type of a Matroska file, "matroska" or "webm"; null when it is another kind of file. */
  docType: string | null;
  /** Side data of the first frames of the main video. */
  frameSideData: RawSideData[];
  /** Seconds as measured by reading all packets; null when nobody measured. */
  measuredSeconds: number | null;
  /** True when the times of the first frames show a variable rate. */
  unevenFrames: boolean;
}

export const noExtras: ProbeExtras = {
  docType: null,
  frameSideData: [],
  measuredSeconds: null,
  unevenFrames: false,
};

/** Chapters that are kept; a long audiobook has some hundred. */
const chaptersLimit = 1000;

const stillFormats: Record<string, string> = {
  png_pipe: "png",
  jpeg_pipe: "jpeg",
  webp_pipe: "webp",
};

/** MediaInfo, or null when there is no picture and no sound in it. */
export function parseProbe(json: RawProbe, extras: ProbeExtras = noExtras): MediaInfo | null {
  const streams = json.streams ?? [];
  const main = mainVideo(streams);
  const audio = streams.filter(isAudio).map(readAudio);
  if (main === null && audio.length === 0) return null;
  const container = containerOf(json, extras.docType);
  const kind = main === null ? "audio" : isStill(json, main, container) ? "image" : "video";
  const said = numberOf(json.format?.duration);
  const durationSeconds = kind === "image" ? null : (extras.measuredSeconds ?? said);
  return {
    container,
    kind,
    durationSeconds: durationSeconds !== null && durationSeconds > 0 ? durationSeconds : null,
    bitRate: kind === "image" ? null : bitRateOf(json, durationSeconds),
    video:
      main === null
        ? null
        : {
            ...readVideo(main, kind === "image", extras),
            ...alphaBeside(streams, container),
            ...(kind === "video" ? startOf(main, json) : {}),
          },
    audio,
    subtitles: streams.filter(({ codec_type }) => codec_type === "subtitle").map(readSubtitle),
    chapters: readChapters(json),
  };
}

function startOf(stream: RawStream, { format }: RawProbe): { startsAtSeconds?: number } {
  const later = (numberOf(stream.start_time) ?? 0) - (numberOf(format?.start_time) ?? 0);
  return later > 0 ? { startsAtSeconds: Math.round(later * 1e6) / 1e6 } : {};
}

/** AVIF keeps its transparency as a second, grey picture. */
function alphaBeside(streams: RawStream[], container: string): { alpha?: true } {
  const grey = streams.some(({ pix_fmt }) => /^gray/.test(pix_fmt ?? ""));
  return container === "avif" && grey && streams.length > 1 ? { alpha: true } : {};
}

/** The moving picture that a player shows: the default one, else the first; a cover does not count. */
export function mainVideo(streams: RawStream[]): RawStream | null {
  const all = streams.filter(
    ({ codec_type, disposition }) => codec_type === "video" && disposition?.["attached_pic"] !== 1,
  );
  // An animated AVIF holds its first picture once more, as a still, which from 7.1 on comes first.
  const moving = all.filter(
    (stream) => !(stream.nb_frames === "1" && stream.duration === undefined),
  );
  const pictures = moving.length > 0 ? moving : all;
  return pictures.find(({ disposition }) => disposition?.["default"] === 1) ?? pictures[0] ?? null;
}

/** An audio stream without rate or channels is one that ffmpeg could not make out. */
function isAudio({ codec_type, channels, sample_rate }: RawStream): boolean {
  return codec_type === "audio" && (channels ?? 0) > 0 && (numberOf(sample_rate) ?? 0) > 0;
}

/** One word for the container; ffprobe gives a family. */
export function containerOf(json: RawProbe, docType: string | null): string {
  const family = json.format?.format_name ?? "";
  const first = family.split(",")[0] ?? "";
  if (first === "mov") return quickTimeKind(tagOf(json.format?.tags, "major_brand"));
  if (first === "matroska") return docType === "webm" ? "webm" : "mkv";
  if (first === "mpeg") return "mpegps";
  return stillFormats[first] ?? first;
}

/** Files older than brands are QuickTime's own. */
function quickTimeKind(brand: string | null): string {
  if (brand === null || /^qt/.test(brand)) return "mov";
  if (/^M4[AB]/.test(brand)) return "m4a";
  if (/^3g/.test(brand)) return "3gp";
  return /^avi[fs]/.test(brand) ? "avif" : "mp4";
}

function isStill(json: RawProbe, main: RawStream, container: string): boolean {
  if ((json.format?.format_name ?? "") in stillFormats) return true;
  if (!["gif", "apng", "avif"].includes(container)) return false;
  return (numberOf(main.nb_frames) ?? numberOf(main.nb_read_packets) ?? 1) <= 1;
}

function bitRateOf(json: RawProbe, durationSeconds: number | null): number | null {
  const sizeBytes = numberOf(json.format?.size);
  if (durationSeconds !== null && durationSeconds > 0 && sizeBytes !== null) {
    return Math.round((sizeBytes * 8) / durationSeconds);
  }
  return numberOf(json.format?.bit_rate);
}

function readVideo(stream: RawStream, still: boolean, extras: ProbeExtras): VideoStream {
  const frames = extras.frameSideData;
  const width = stream.width ?? 0;
  const height = stream.height ?? 0;
  const aspect = ratioOf(stream.sample_aspect_ratio) ?? 1;
  const rotation = rotationOf(stream);
  const shown = { width: Math.max(1, Math.round(width * aspect)), height };
  const turned = rotation === 90 || rotation === 270;
  const { rate, variable } = frameRateOf(stream, extras.unevenFrames);
  const range = stream.color_range;
  return {
    codec: stream.codec_name ?? "unknown",
    profile: colorOf(stream.profile),
    width,
    height,
    displayWidth: turned ? shown.height : shown.width,
    displayHeight: turned ? shown.width : shown.height,
    frameRate: still ? null : rate,
    variableFrameRate: !still && variable,
    pixelFormat: stream.pix_fmt ?? "unknown",
    bitDepth: bitDepthOf(stream),
    rotation,
    hdr: hdrOf(stream, frames),
    hdrMetadata: hdrMetadataOf(stream, frames),
    colorPrimaries: colorOf(stream.color_primaries),
    colorTransfer: colorOf(stream.color_transfer),
    colorSpace: colorOf(stream.color_space),
    colorRange: range === "tv" || range === "pc" ? range : null,
    sampleAspectRatio:
      ratioOf(stream.sample_aspect_ratio) === null ? "1:1" : (stream.sample_aspect_ratio ?? "1:1"),
    interlaced: isInterlaced(stream),
    alpha: alphaOf(stream),
    bitRate: numberOf(stream.bit_rate) ?? numberOf(stream.tags?.["BPS"]),
    index: stream.index ?? 0,
  };
}

function readAudio(stream: RawStream): AudioStream {
  return {
    codec: stream.codec_name ?? "unknown",
    profile: colorOf(stream.profile),
    channels: stream.channels ?? 0,
    channelLayout: colorOf(stream.channel_layout),
    sampleRate: numberOf(stream.sample_rate) ?? 0,
    language: languageOf(stream.tags),
    title: tagOf(stream.tags, "title"),
    bitRate: numberOf(stream.bit_rate) ?? numberOf(stream.tags?.["BPS"]),
    default: stream.disposition?.["default"] === 1,
    index: stream.index ?? 0,
  };
}

function readSubtitle(stream: RawStream): SubtitleStream {
  return {
    codec: stream.codec_name ?? "unknown",
    language: languageOf(stream.tags),
    title: tagOf(stream.tags, "title"),
    default: stream.disposition?.["default"] === 1,
    forced: stream.disposition?.["forced"] === 1,
    index: stream.index ?? 0,
  };
}

function readChapters(json: RawProbe): Chapter[] {
  return (json.chapters ?? [])
    .map(({ start_time, end_time, tags }) => ({
      startSeconds: numberOf(start_time) ?? 0,
      endSeconds: numberOf(end_time) ?? 0,
      title: tagOf(tags, "title"),
    }))
    .filter(({ startSeconds, endSeconds }) => startSeconds >= 0 && endSeconds >= startSeconds)
    .slice(0, chaptersLimit);
}
