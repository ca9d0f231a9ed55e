/**
 * One scale of quality for all encoders. 0–100 means about the same to the eye whatever the codec: the
 * table was made by measuring SSIM (`bench/quality.ts`; figures and method in `docs/quality.md`).
 */
import { assert } from "../trouble.ts";
import type { Speed } from "./description.ts";

/** Encoders whose constant-quality number the scale maps to: CRF on the CPU, CQ of NVENC. */
export type CpuEncoder = "libx264" | "libx265" | "libsvtav1" | "libaom-av1" | "libvpx-vp9";
export type NvencEncoder = "h264_nvenc" | "hevc_nvenc" | "av1_nvenc";
export type RatedEncoder = CpuEncoder | NvencEncoder;

/** What `quality` means when nobody says: fine for the web, no difference seen at normal distance. */
export const defaultQuality = 65;

/** The scale's anchors; between them the number is a straight line. */
export const qualityAnchors = [0, 25, 50, 65, 80, 100] as const;

/**
 * CRF or CQ at each anchor, per encoder at speed `balanced`. Falls from left to right: a test holds it.
 * NVENC's rows are derived, not measured: `docs/quality.md` says from what.
 */
export const crfAtAnchors: Record<RatedEncoder, readonly number[]> = {
  libx264: [42, 34, 27, 22.5, 18.5, 12],
  libx265: [43.5, 35, 28, 23.5, 19, 11.5],
  libsvtav1: [63, 57, 41, 28, 17, 5],
  "libaom-av1": [63, 56, 43, 32, 19, 6],
  "libvpx-vp9": [58, 45, 33, 25, 17, 8],
  h264_nvenc: [42, 34, 27, 22.5, 18.5, 12],
  hevc_nvenc: [43.5, 35, 28, 23.5, 19, 11.5],
  av1_nvenc: [63, 56, 43, 32, 19, 6],
};

/** Encoders that take fractions of a CRF step; the others want whole numbers. */
const fractional = new Set<RatedEncoder>(["libx264", "libx265", "h264_nvenc", "hevc_nvenc"]);

/**
 * The encoder's CRF or CQ for a quality of 0–100. Lower is better, so this falls as quality rises.
 * Halves for H.264 and HEVC, whole numbers for the others.
 */
export function crfFor(encoder: RatedEncoder, quality: number): number {
  assert(quality >= 0 && quality <= 100, `quality ${quality} is 0–100`);
  const crf = interpolate(crfAtAnchors[encoder], quality);
  return fractional.has(encoder) ? Math.round(crf * 2) / 2 : Math.round(crf);
}

/** The encoder's preset per speed, in its own words: names or numbers. */
export const presetFor: Record<RatedEncoder, Record<Speed, string>> = {
  libx264: { fast: "veryfast", balanced: "medium", best: "slow" },
  libx265: { fast: "superfast", balanced: "fast", best: "slow" },
  libsvtav1: { fast: "10", balanced: "8", best: "5" },
  // cpu-used
  "libaom-av1": { fast: "8", balanced: "6", best: "4" },
  "libvpx-vp9": { fast: "5", balanced: "3", best: "1" },
  // NVIDIA's for files, where nobody waits for the next picture; p1–p4 are for streams.
  h264_nvenc: { fast: "p5", balanced: "p6", best: "p7" },
  hevc_nvenc: { fast: "p5", balanced: "p6", best: "p7" },
  av1_nvenc: { fast: "p5", balanced: "p6", best: "p7" },
};

/** libwebp's quality is 0–100 already; PNG has none. */
export function jpegScale(quality: number): number {
  assert(quality >= 0 && quality <= 100, `quality ${quality} is 0–100`);
  // mjpeg's qscale runs from 2 (best) to 31 (worst).
  return Math.round(31 - (quality * 29) / 100);
}

function interpolate(values: readonly number[], quality: number): number {
  const right = Math.max(
    1,
    qualityAnchors.findIndex((anchor) => anchor >= quality),
  );
  const [x0, x1] = [qualityAnchors[right - 1], qualityAnchors[right]];
  const [y0, y1] = [values[right - 1], values[right]];
  assert(x0 !== undefined && x1 !== undefined, "anchors enclose the quality");
  assert(y0 !== undefined && y1 !== undefined, "each anchor has a value");
  return y0 + ((y1 - y0) * (quality - x0)) / (x1 - x0);
}
