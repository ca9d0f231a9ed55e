/**
 * What work costs the processor: CPU time per million pixels and per second of sound. Measured once with
 * `bench/work-costs.ts` on one machine (`docs/estimates.md`): the first guess, which what a box learns of
 * itself corrects. Pure data.
 */
import type { AnimationFormat, AudioCodec, Speed } from "./description.ts";
import type { PictureEncoder } from "./encoders.ts";
import type { VideoFilter } from "./filters-picture.ts";
import type { NvencEncoder } from "./quality.ts";

/** CPU milliseconds per megapixel that is encoded, at the default quality. */
export const encodeCost: Record<PictureEncoder, Record<Speed, number>> = {
  libx264: { fast: 19, balanced: 54, best: 72 },
  libx265: { fast: 39, balanced: 67, best: 176 },
  libsvtav1: { fast: 61, balanced: 91, best: 419 },
  "libaom-av1": { fast: 423, balanced: 441, best: 814 },
  "libvpx-vp9": { fast: 96, balanced: 112, best: 164 },
  prores_ks: { fast: 99, balanced: 99, best: 99 },
};

/**
 * Milliseconds of the clock per megapixel of NVENC: NVIDIA's table of the Video Codec SDK for Ada, p5–p7, at
 * 1080p, and half as much again for what stands around it. Not measured by us.
 */
export const nvencCost: Record<NvencEncoder, Record<Speed, number>> = {
  h264_nvenc: { fast: 1.5, balanced: 2, best: 2.8 },
  hevc_nvenc: { fast: 1.6, balanced: 2.2, best: 3.2 },
  av1_nvenc: { fast: 1.4, balanced: 1.9, best: 2.8 },
};

/** Of NVDEC, likewise. */
export const nvdecCost = 0.6;

/** CPU milliseconds per megapixel that is decoded, by codec. */
export const decodeCosts: Readonly<Record<string, number>> = {
  h264: 5,
  hevc: 5.9,
  av1: 4,
  vp9: 2.6,
  prores: 8.7,
};
/** Of a codec that was not measured. */
export const usualDecodeCost = 6;

/** CPU milliseconds per megapixel of the larger of what goes in and what comes out. Absent: next to nothing. */
export const filterCosts: Partial<Record<VideoFilter["filter"], number>> = {
  scale: 1.8,
  deinterlace: 3.4,
  pad: 0.2,
  fps: 0.2,
  tonemap: 16,
  blur: 3.8,
  denoise: 5,
  "denoise-patches": 286,
  sharpen: 9.8,
  "detect-shakes": 9.4,
  stabilise: 31,
  interpolate: 412,
  overlay: 7.7,
  subtitles: 5,
  timecode: 2,
  crossfade: 6.6,
  keyColor: 59,
  despill: 7.3,
  palette: 30,
  usePalette: 240,
  opacity: 1.6,
  fade: 1.1,
  still: 2.2,
};

/** CPU milliseconds per megapixel of single pictures and of animations. */
export const imageCosts: Record<"jpeg" | "png" | "webp" | AnimationFormat, number> = {
  jpeg: 2.6,
  png: 60,
  webp: 100,
  gif: 15,
  apng: 60,
  avif: 300,
};

/** CPU milliseconds per second of sound in two channels. */
export const soundEncodeCost: Record<AudioCodec, number> = {
  aac: 11.5,
  opus: 7,
  mp3: 7.3,
  flac: 1.3,
  pcm_s16le: 0.2,
  pcm_s24le: 0.2,
};
export const soundDecodeCost = 0.9;
/** Of measuring a loudness, or limiting to one. */
export const loudnessCost = 5;
