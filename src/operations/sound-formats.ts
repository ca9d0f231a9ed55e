/** Files of sound alone: which codec lies in which container under which name. */
import type { AudioCodec, OutputContainer } from "../media/description.ts";
import type { AudioStream } from "../media/media.ts";

export type SoundFormat = "aac" | "mp3" | "opus" | "flac" | "wav";

export interface SoundFormatFacts {
  title: string;
  container: OutputContainer;
  ending: string;
  mimeType: string;
}

export const soundFormats: Record<SoundFormat, SoundFormatFacts> = {
  aac: { title: "AAC (M4A)", container: "mp4", ending: "m4a", mimeType: "audio/mp4" },
  mp3: { title: "MP3", container: "mp3", ending: "mp3", mimeType: "audio/mpeg" },
  opus: { title: "Opus", container: "ogg", ending: "opus", mimeType: "audio/ogg" },
  flac: { title: "FLAC", container: "flac", ending: "flac", mimeType: "audio/flac" },
  wav: { title: "WAV", container: "wav", ending: "wav", mimeType: "audio/wav" },
};

/** The codec of a format for a track: WAV keeps the bits that the track may have. */
export function codecOf(format: SoundFormat, track: AudioStream): AudioCodec {
  if (format !== "wav") return format;
  return depthOf(track) === 24 ? "pcm_s24le" : "pcm_s16le";
}

/** Bits per sample that keep all of a track; the decoders of lossy codecs have no more than 16 to tell. */
export function depthOf({ codec }: AudioStream): 16 | 24 {
  const deep = /^(pcm_(s24|s32|f32|f64|bluray|dvd)|flac$|alac$|truehd$|mlp$|wavpack$|tta$)/;
  return deep.test(codec) ? 24 : 16;
}

/** The format that a track is in already, or the nearest that keeps as much of it. */
export function formatLike({ codec }: AudioStream): SoundFormat {
  if (codec === "mp3" || codec === "opus" || codec === "flac") return codec;
  if (codec.startsWith("pcm_")) return "wav";
  return ["alac", "truehd", "mlp", "wavpack", "tta"].includes(codec) ? "flac" : "aac";
}

/** Rates that a codec's encoder takes; null for all. */
export function ratesOf(codec: AudioCodec): readonly number[] | null {
  switch (codec) {
    case "opus":
      return [8_000, 12_000, 16_000, 24_000, 48_000];
    case "mp3":
      return [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
    default:
      return null;
  }
}
