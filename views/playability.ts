/**
 * What a browser must be able to play, from what the probe found: the types to ask it for, and whether there is anything
 * to ask at all. Codec strings as in RFC 6381 and the documents of each codec; levels are those of the largest common
 * use, for browsers look at the profile and at what they can decode.
 */
import type { Asset } from "../src/assets/asset.ts";
import type { AudioStream, MediaInfo, VideoStream } from "../src/media/media.ts";
import { codecTitle, containerTitle } from "./media-words.ts";

export interface Playability {
  /** `yes`: every current browser; `ask`: some; `no`: none. */
  plays: "yes" | "ask" | "no";
  /** What to ask for; the browser must say yes to each. */
  types: string[];
  /** What stands in the way, for a sentence: "ProRes", "AVI files". */
  because: string;
  /** The same for the sound alone. */
  sound: string;
}

/** Moving pictures that browsers show as pictures: in a `<video>` they would stay dark. */
const pictureContainers = new Set(["gif", "webp", "apng", "avif"]);

export function isPicture({ kind, media }: Asset): boolean {
  return kind === "image" || pictureContainers.has(media?.container ?? "");
}

/** Containers that a browser may open, with their types; Matroska is the one WebM is made of. */
const containerTypes: Record<string, { video: string; audio: string }> = {
  mp4: { video: "video/mp4", audio: "audio/mp4" },
  mov: { video: "video/mp4", audio: "audio/mp4" },
  webm: { video: "video/webm", audio: "audio/webm" },
  mkv: { video: "video/x-matroska", audio: "audio/x-matroska" },
  ogg: { video: "video/ogg", audio: "audio/ogg" },
  mp3: { video: "audio/mpeg", audio: "audio/mpeg" },
  aac: { video: "audio/aac", audio: "audio/aac" },
  wav: { video: "audio/wav", audio: "audio/wav" },
  flac: { video: "audio/flac", audio: "audio/flac" },
};

const everywhere = {
  containers: new Set(["mp4", "mov", "webm", "mp3", "aac", "wav", "flac"]),
  video: new Set(["h264", "vp8", "vp9", "av1"]),
  audio: new Set(["aac", "mp3", "opus", "vorbis", "flac"]),
};

/** H.264 (ITU-T H.264, annex A): profile, constraints, level 4.0. */
const avcProfiles: Record<string, string> = {
  "Constrained Baseline": "42E028",
  Baseline: "42E028",
  Main: "4D4028",
  High: "640028",
  "High 10": "6E0028",
  "High 4:2:2": "7A0028",
  "High 4:4:4 Predictive": "F40028",
};

function videoCodec({ codec, profile, bitDepth, pixelFormat }: VideoStream): string | null {
  const depth = bitDepth > 8 ? "10" : "08";
  switch (codec) {
    case "h264":
      return `avc1.${avcProfiles[profile ?? "High"] ?? "640028"}`;
    case "hevc":
      if (!pixelFormat.startsWith("yuv420p")) return "hvc1.4.10.L153.B0";
      return bitDepth > 8 ? "hvc1.2.4.L153.B0" : "hvc1.1.6.L153.B0";
    case "av1":
      return `av01.0.13M.${depth}`;
    case "vp9":
      return `vp09.${bitDepth > 8 ? "02" : "00"}.41.${depth}`;
    case "vp8":
      return "vp8";
    case "theora":
      return "theora";
    default:
      return null;
  }
}

const audioCodecs: Record<string, string> = {
  aac: "mp4a.40.2",
  mp3: "mp4a.6B",
  opus: "opus",
  vorbis: "vorbis",
  flac: "flac",
  ac3: "ac-3",
  eac3: "ec-3",
  alac: "alac",
};

/** Whether an 8-bit 4:2:0 picture in a codec that every browser has. */
function isCommon({ codec, bitDepth, pixelFormat }: VideoStream): boolean {
  return everywhere.video.has(codec) && bitDepth === 8 && /^yuvj?420p$/.test(pixelFormat);
}

/** PCM lies in WAV, and Chromium and Safari read it from MOV too, whatever they say when asked. */
function isHeard({ codec }: AudioStream): boolean {
  return everywhere.audio.has(codec) || codec.startsWith("pcm_");
}

export function playabilityOf(media: MediaInfo): Playability {
  const { container, video, audio } = media;
  const track = audio[0] ?? null;
  const soundTitle = track === null ? "" : codecTitle(track.codec);
  const sound = soundTitle;
  const kinds = containerTypes[container];
  if (kinds === undefined) {
    return { plays: "no", types: [], because: containerTitle(container), sound };
  }
  const shown = video === null ? null : videoCodec(video);
  if (video !== null && shown === null) {
    return { plays: "no", types: [], because: codecTitle(video.codec), sound };
  }
  const pictureTitle = video === null ? null : pictureWords(video);
  const common =
    everywhere.containers.has(container) &&
    (video === null || isCommon(video)) &&
    (track === null || isHeard(track));
  const because = common ? containerTitle(container) : whatIsRare(media, pictureTitle, soundTitle);
  const spoken = track === null ? null : audioCodecs[track.codec];
  if (track !== null && spoken === undefined && !isHeard(track)) {
    return { plays: "no", types: [], because, sound };
  }
  if (common) return { plays: "yes", types: [], because, sound };
  const type = video === null ? kinds.audio : kinds.video;
  const types = [shown, spoken ?? null]
    .filter((codec) => codec !== null)
    .map((codec) => `${type}; codecs="${codec}"`);
  return { plays: "ask", types, because, sound };
}

function whatIsRare({ container, video, audio }: MediaInfo, picture: string | null, sound: string) {
  if (!everywhere.containers.has(container)) return containerTitle(container);
  if (video !== null && !isCommon(video)) return picture ?? "";
  return audio[0] !== undefined && !isHeard(audio[0]) ? sound : containerTitle(container);
}

/** "HEVC", "10-bit H.264", "4:2:2 H.264". */
function pictureWords(video: VideoStream): string {
  const title = codecTitle(video.codec);
  if (!everywhere.video.has(video.codec)) return title;
  if (video.bitDepth > 8) return `${video.bitDepth}-bit ${title}`;
  if (/422/.test(video.pixelFormat)) return `4:2:2 ${title}`;
  return /444/.test(video.pixelFormat) ? `4:4:4 ${title}` : title;
}
