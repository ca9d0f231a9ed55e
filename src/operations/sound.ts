/** Decisions about sound that operations share: channels, bit rate, sample rate. Pure. */
import type { AudioCodec, AudioEncode } from "../media/description.ts";
import type { AudioStream } from "../media/media.ts";

/** More channels than this have no layout that all encoders know. */
export const maxChannels = 8;

const channelLimit: Record<AudioCodec, number> = {
  aac: maxChannels,
  opus: maxChannels,
  mp3: 2,
  flac: maxChannels,
  pcm_s16le: maxChannels,
  pcm_s24le: maxChannels,
};

type LossyCodec = "aac" | "opus" | "mp3";

/** Codecs that keep every sample as it is, and have no bit rate to choose. */
export function isLossless(codec: AudioCodec): codec is Exclude<AudioCodec, LossyCodec> {
  return codec === "flac" || codec === "pcm_s16le" || codec === "pcm_s24le";
}

/** Bits per second per channel, mono and more: transparent for most ears, as common presets have it. */
const bitRatePerChannel: Record<LossyCodec, { mono: number; more: number }> = {
  aac: { mono: 96_000, more: 80_000 },
  opus: { mono: 80_000, more: 64_000 },
  mp3: { mono: 112_000, more: 96_000 },
};

/** What the encoders refuse to go beyond, per channel; MP3 counts the whole. */
const bitRateLimit: Record<LossyCodec, (channels: number) => number> = {
  aac: (channels) => channels * 288_000,
  opus: (channels) => channels * 256_000,
  mp3: () => 320_000,
};

/** Rates that AAC and MP3 both know. */
const commonRates = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

export interface AudioWish {
  codec: AudioCodec;
  bitRate?: number | undefined;
  channels?: number | undefined;
  /** Samples per second; absent: the track's, or the nearest that the codec knows. */
  sampleRate?: number | undefined;
  /** For FLAC; absent: 16. */
  bitDepth?: 16 | 24 | undefined;
}

/** How a track is encoded: never more channels than it has, never more bits than the encoder takes. */
export function encodeTrack(track: AudioStream, wish: AudioWish): AudioEncode {
  const { codec, bitDepth } = wish;
  const channels = Math.min(wish.channels ?? maxChannels, track.channels, channelLimit[codec]);
  return {
    kind: "encode",
    source: { input: 0, stream: track.index },
    codec,
    bitRate: isLossless(codec) ? null : bitRateFor(codec, channels, wish.bitRate),
    channels,
    sampleRate: wish.sampleRate ?? sampleRateFor(codec, track.sampleRate),
    ...(codec === "flac" && bitDepth !== undefined ? { bitDepth } : {}),
    language: track.language,
    title: track.title,
  };
}

function bitRateFor(codec: LossyCodec, channels: number, wanted: number | undefined): number {
  const { mono, more } = bitRatePerChannel[codec];
  const usual = channels === 1 ? mono : channels * more;
  return Math.min(wanted ?? usual, bitRateLimit[codec](channels));
}

/** Opus works at 48 kHz; others keep a rate that they know, and everything else becomes 48 kHz. */
function sampleRateFor(codec: AudioCodec, sourceRate: number): number {
  if (isLossless(codec)) return sourceRate;
  return codec !== "opus" && commonRates.includes(sourceRate) ? sourceRate : 48_000;
}
