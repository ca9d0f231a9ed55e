/** The graphs of `measure`: two pictures brought together, held against each other, shown side by side. */
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { VideoStream } from "../media/media.ts";
import { aheadSeconds } from "../media/readings/comparison.ts";
import { type Frame, isFullRange, isRgb } from "./picture.ts";

export interface ComparisonFormat {
  /** In ffmpeg's words. */
  format: string;
  bitDepth: number;
}

/** The reference's colour resolution, and ten bits where one of the two has more than eight. */
export function comparisonFormat(reference: VideoStream, second: VideoStream): ComparisonFormat {
  const deep = Math.max(reference.bitDepth, second.bitDepth) > 8;
  const { pixelFormat } = reference;
  const full = isRgb(pixelFormat) || pixelFormat.includes("444");
  const chroma = full ? "444" : pixelFormat.includes("422") ? "422" : "420";
  return { format: `yuv${chroma}p${deep ? "10le" : ""}`, bitDepth: deep ? 10 : 8 };
}

/** Size of the frames that filters get: coded pixels, turned upright. */
export function seenFrame({ width, height, rotation }: VideoStream): Frame {
  return rotation === 90 || rotation === 270 ? { width: height, height: width } : { width, height };
}

/**
 * Chains to the pad `compared`, and to `scored` with VMAF. The reference is the first source of SSIM and
 * PSNR, so theirs are its frames and times; both are the same either way. For VMAF, which is not, the second
 * is laid over the reference: that gives it the same frames at the same times.
 */
export function comparisonGraph(
  reference: VideoStream,
  second: VideoStream,
  { format, bitDepth, vmaf }: ComparisonFormat & { vmaf: boolean },
): FilterChain[] {
  const levels = alikeLevels(reference, second);
  const toFormat: VideoFilter = { filter: "format", pixelFormats: [format] };
  const copies = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${name}_${index + 1}`);
  const references = vmaf ? copies("reference", 3) : ["reference_1"];
  const seconds = copies("second", vmaf ? 3 : 2);
  const split = (count: number): VideoFilter[] => (count > 1 ? [{ filter: "split", count }] : []);
  const scoring: FilterChain[] = [
    {
      from: [{ pad: "reference_2" }, { pad: "second_3" }],
      filters: [{ filter: "overlay", x: 0, y: 0, bitDepth: bitDepth > 8 ? 10 : 8 }, toFormat],
      to: "aligned",
    },
    {
      from: [{ pad: "aligned" }, { pad: "reference_3" }],
      filters: [{ filter: "vmaf", file: "vmaf.json" }],
      to: "scored",
    },
  ];
  return [
    {
      from: { input: 0, stream: reference.index },
      filters: [
        ...levelled(reference, seenFrame(reference), levels),
        ...[toFormat, { filter: "setsar" as const, ratio: "1" }],
        ...[{ filter: "clock" as const }, { filter: "note" as const, file: "reference.txt" }],
        ...[{ filter: "align" as const, aheadSeconds: 0 }, ...split(references.length)],
      ],
      to: references,
    },
    {
      from: { input: 1, stream: second.index },
      filters: [
        ...levelled(second, seenFrame(reference), levels),
        ...[toFormat, { filter: "setsar" as const, ratio: "1" }],
        ...[{ filter: "clock" as const }, { filter: "note" as const, file: "second.txt" }],
        ...[{ filter: "align" as const, aheadSeconds }, ...split(seconds.length)],
      ],
      to: seconds,
    },
    {
      from: [{ pad: "reference_1" }, { pad: "second_1" }],
      filters: [{ filter: "ssim" }],
      to: "likened",
    },
    {
      from: [{ pad: "likened" }, { pad: "second_2" }],
      filters: [{ filter: "psnr" }, { filter: "note", file: "frames.txt" }],
      to: "compared",
    },
    ...(vmaf ? scoring : []),
  ];
}

/** Levels of both, where they would differ or are none of YUV's. */
function alikeLevels(reference: VideoStream, second: VideoStream) {
  const rgb = isRgb(reference.pixelFormat) || isRgb(second.pixelFormat);
  const differ = isFullRange(reference) !== isFullRange(second);
  return {
    ...(differ || rgb ? { range: "tv" as const } : {}),
    ...(rgb ? { matrix: "bt709" } : {}),
  };
}

function levelled(
  video: VideoStream,
  frame: Frame,
  levels: ReturnType<typeof alikeLevels>,
): VideoFilter[] {
  const seen = seenFrame(video);
  const same = seen.width === frame.width && seen.height === frame.height;
  if (same && Object.keys(levels).length === 0) return [];
  return [{ filter: "scale", ...frame, ...levels, kernel: "bicubic" }];
}

/** Each of the two at most; beyond it pictures are heavy and screens are too small. */
const widestPixels = 1920;

/** Both at the size of the reference, in the format's own levels, to the pad `beside`. */
export function worstGraph(
  reference: VideoStream,
  second: VideoStream,
  codec: "png" | "jpeg",
): { graph: FilterChain[]; frame: Frame } {
  const seen = seenFrame(reference);
  const factor = Math.min(1, widestPixels / seen.width);
  const even = (pixels: number) => Math.max(2, Math.round((pixels * factor) / 2) * 2);
  const frame = { width: even(seen.width), height: even(seen.height) };
  const chain = (input: number, video: VideoStream): FilterChain => ({
    from: { input, stream: video.index },
    filters: [
      { filter: "scale", ...frame, kernel: "bicubic" },
      { filter: "setsar", ratio: "1" },
      { filter: "still", codec },
    ],
    to: input === 0 ? "left" : "right",
  });
  return {
    graph: [
      ...[chain(0, reference), chain(1, second)],
      {
        from: [{ pad: "left" }, { pad: "right" }],
        filters: [{ filter: "beside" }],
        to: "beside",
      },
    ],
    frame: { width: frame.width * 2, height: frame.height },
  };
}
