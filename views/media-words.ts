/** What ffprobe's words mean to a person. */
import type { AssetKind } from "../src/assets/asset.ts";
import type { HdrKind, VideoStream } from "../src/media/media.ts";
import type { IconName } from "./icons.ts";
import { texts } from "./texts/texts.ts";

const words = texts.media;
const codecs: Record<string, string> = words.codecs;

/** "hevc" → "HEVC"; PCM in all its kinds → "PCM"; an unknown codec keeps its name. */
export function codecTitle(codec: string): string {
  return codecs[codec] ?? (codec.startsWith("pcm_") ? "PCM" : codec.toUpperCase());
}

/** A choice of a form, by the word of the API: "h264" → "H.264", "copy" → "Copy", "mp4" → "MP4". */
export function choiceTitle(word: string): string {
  if (Object.hasOwn(codecs, word)) return codecTitle(word);
  if (/^(?:mp4|mkv|mov|avi|sdr|hls|jpeg|vtt|srt|ass|json|csv)$/.test(word))
    return word.toUpperCase();
  if (word === "webm") return "WebM";
  return word.charAt(0).toUpperCase() + word.slice(1).replaceAll("-", " ");
}

const hdrKinds: Record<HdrKind, string> = {
  hdr10: "HDR10",
  hdr10plus: "HDR10+",
  hlg: "HLG",
  "dolby-vision": "Dolby Vision",
};

export function hdrTitle(kind: HdrKind): string {
  return hdrKinds[kind];
}

const containers: Record<string, string> = words.containers;

export function containerTitle(container: string): string {
  return containers[container] ?? container.toUpperCase();
}

/** Field heights at which a resolution carries that name; above, the count of pixels alone speaks. */
const resolutionNames = [
  { lines: 4320, name: "8K" },
  { lines: 2160, name: "4K" },
  { lines: 1440, name: "1440p" },
  { lines: 1080, name: "1080p" },
  { lines: 720, name: "720p" },
  { lines: 480, name: "480p" },
] as const;

/** 1920 × 1080 → "1080p", also upright and cropped to a wide screen; else "640 × 360". */
export function resolutionTitle(video: VideoStream): string {
  const long = Math.max(video.displayWidth, video.displayHeight);
  const short = Math.min(video.displayWidth, video.displayHeight);
  const found = resolutionNames.find(
    ({ lines }) => short === lines || (long === (lines * 16) / 9 && short <= lines),
  );
  return found?.name ?? `${video.displayWidth} × ${video.displayHeight}`;
}

const layouts: Record<number, string> = words.layouts;

/** 2 → "stereo", 6 → "5.1", 3 → "3 channels". */
export function channelsTitle(channels: number): string {
  return layouts[channels] ?? words.channels(channels);
}

const languageNames = new Intl.DisplayNames([texts.language], {
  type: "language",
  fallback: "code",
});

/** "eng" → "English"; a code that nobody knows stays as it is. */
export function languageTitle(code: string): string {
  try {
    return languageNames.of(code) ?? code;
  } catch {
    return code;
  }
}

/** The drawing that stands for a kind of asset. */
export function kindIcon(kind: AssetKind): IconName {
  if (kind === "data") return "key";
  return kind === "text" ? "file" : kind;
}
