/**
 * What can be done to a picture, and how the CPU does it. No text from a user or from a file ever becomes
 * part of a filter: those that show text read it from a file. Times in seconds, sizes in pixels.
 */
import { assert } from "../trouble.ts";
import type { ColorTags } from "./description.ts";
import { decimal, type NativeFilter, nameOf, native, within } from "./filter-syntax.ts";
import { type AlphaFilter, fade, namedColor, nativeAlpha, opacity } from "./filters-alpha.ts";
import { isLooking, type LookingFilter, nativeLooking } from "./filters-looking.ts";
import { nativeRefining, type RefiningFilter } from "./filters-refining.ts";
import { nativeTiming, type TimingFilter } from "./filters-timing.ts";
import { type Tonemapping, taggedAs, tonemap } from "./filters-tonemap.ts";
import { stamp, type TimecodeLook, timecode } from "./timecode-filter.ts";

export type ColorMatrix = "bt709" | "bt601" | "smpte240m" | "fcc" | "bt2020";

/** A filter by what it does. A new one is one line here and one case in `optionsOf`. */
export type VideoFilter =
  | {
      filter: "scale";
      width: number;
      height: number;
      /** Matrix of the result, as colour tags name it, where the source is RGB or the matrix shall change. */
      matrix?: string;
      /** Range of the result: the source's when absent. */
      range?: "tv" | "pc";
      /** What VMAF and its like are measured with; absent: Lanczos. */
      kernel?: "bicubic" | "bilinear" | "lanczos" | "neighbor";
      /** By which a `steer` before it finds it. */
      name?: string;
    }
  | { filter: "format"; pixelFormats: string[] }
  /** A constant rate: "25", "30000/1001", "1/10". Slot n shows the last frame before its middle. */
  | { filter: "fps"; rate: string; startSeconds?: number; fillsLast?: true }
  | { filter: "setsar"; ratio: string }
  /** `flagged` touches only frames that say they are interlaced. */
  | { filter: "deinterlace"; frames?: "all" | "flagged" }
  /** `x` and `y` become even where the colours are coarser than the pixels, unless `exact`. */
  | {
      filter: "crop";
      width: number;
      height: number;
      x: number;
      y: number;
      exact?: boolean;
      /** By which a `steer` before it finds it. */
      name?: string;
    }
  | { filter: "pad"; width: number; height: number; x: number; y: number; color: string }
  /** Pictures side by side, `gap` pixels between and around them. */
  | { filter: "tile"; columns: number; rows: number; gap?: number; color?: string }
  | Tonemapping
  /** The pixel format and levels of a still picture: JPEG's full range, WebP's limited, PNG's RGB. */
  | { filter: "still"; codec: "jpeg" | "webp" | "png" }
  /** Of 8-bit YUV: from one matrix to another, at the same size. */
  | { filter: "matrix"; from: ColorMatrix; to: ColorMatrix }
  /** Writes colour tags on the frames; changes no pixel. */
  | { filter: "tag"; color: ColorTags }
  /** The most representative of the next so many frames. Holds them all in memory. */
  | { filter: "representative"; frames: number }
  /** Exactly so many frames: the last is repeated when there are too few. */
  | { filter: "exactly"; frames: number }
  /**
   * Of two sources, the second on the first, its top left corner at `x`, `y` pixels of the first (negative:
   * partly outside). Alpha of the second counts, straight. It is as long as the first; when the second ends
   * before, its last picture stays, or with `hide` is seen no more. Ten bits stay ten bits only when asked for.
   * With `during` it is seen from one time of the first until before another, to the frame.
   */
  | {
      filter: "overlay";
      x: number;
      y: number;
      atEnd?: "stay" | "hide";
      bitDepth?: 8 | 10;
      during?: { fromSeconds: number; toSeconds: number | null };
    }
  /** So much later. */
  | { filter: "delay"; seconds: number }
  /** What an ASS file of ours says, in the size of the picture; the description `reads` it. */
  | { filter: "subtitles"; from: { step: string; file: string } }
  /** A running timecode, burnt in. */
  | ({ filter: "timecode" } & TimecodeLook)
  /** The time of each picture in its corner, or so much later. For pictures of this size. */
  | { filter: "stamp"; frame: { width: number; height: number }; laterSeconds: number }
  /** Of one source so many that are the same: the last filter of a chain. */
  | { filter: "split"; count: number }
  /** What is shown from `startSeconds` until before `endSeconds`; the start becomes time zero. */
  | { filter: "trim"; startSeconds?: number; endSeconds?: number }
  /** Twice as fast with 2, half as fast with 0.5. No frame is left out or made: `fps` does that. */
  | { filter: "speed"; factor: number }
  /**
   * Of two sources, the second blended in over `seconds`, from `offsetSeconds` of the first on. Both have one
   * size, pixel format and constant rate. It is as long as `offsetSeconds` and the second.
   */
  | { filter: "crossfade"; seconds: number; offsetSeconds: number }
  /** Of `count` sources one after the other. All have one size, pixel format and aspect. */
  | { filter: "concat"; count: number }
  /** A Gaussian blur; `sigma` in pixels. */
  | { filter: "blur"; sigma: number }
  /** From, or to, a colour or transparency (`alpha`; the source must have alpha then). */
  | { filter: "fade"; direction: "in" | "out"; startSeconds: number; seconds: number; to: string }
  /** 0 is invisible, 1 as it was; the result has alpha, in YUV. */
  | { filter: "opacity"; factor: number }
  /** The first picture again and again, at a constant rate, for so long: what makes a film of a still. */
  | { filter: "loop"; rate: string; seconds: number }
  | AlphaFilter
  | LookingFilter
  | RefiningFilter
  | TimingFilter;

type CombiningFilter =
  | TimingFilter
  | AlphaFilter
  | RefiningFilter
  | Extract<
      VideoFilter,
      {
        filter:
          | "overlay"
          | "split"
          | "trim"
          | "speed"
          | "crossfade"
          | "concat"
          | "blur"
          | "fade"
          | "opacity"
          | "delay"
          | "subtitles"
          | "timecode"
          | "stamp"
          | "loop";
      }
    >;

/** How many sources a filter takes. */
export function sourcesTaken(filter: VideoFilter): number {
  switch (filter.filter) {
    case "overlay":
    case "crossfade":
    case "usePalette":
    case "ssim":
    case "psnr":
    case "vmaf":
    case "difference":
      return 2;
    case "beside":
    case "concat":
      return filter.count;
    default:
      return 1;
  }
}

/** How many pads a filter makes. */
export function padsMade(filter: VideoFilter): number {
  return filter.filter === "split" ? filter.count : 1;
}

/** One filter as the CPU does it. */
export function nativePicture(filter: VideoFilter): NativeFilter[] {
  if (isLooking(filter)) return nativeLooking(filter);
  switch (filter.filter) {
    case "scale":
      return [scale(filter)];
    case "format":
      return [native("format", { pix_fmts: filter.pixelFormats.join("|") })];
    case "fps":
      return [fps(filter)];
    case "setsar":
      return [native("setsar", { sar: filter.ratio })];
    case "deinterlace": {
      // One frame per frame: doubling the rate would be a choice about motion that nobody asked for.
      const deint = filter.frames === "flagged" ? "interlaced" : "all";
      return [native("bwdif", { mode: "send_frame", parity: "auto", deint })];
    }
    case "crop": {
      const { width: w, height: h, x, y, exact } = filter;
      return [native(nameOf("crop", filter), { w, h, x, y, exact: exact ? 1 : undefined })];
    }
    case "pad": {
      const { width: w, height: h, x, y, color } = filter;
      return [native("pad", { w, h, x, y, color })];
    }
    case "tile":
      return [tile(filter)];
    case "tonemap":
      return tonemap(filter);
    case "matrix":
      return [native("colormatrix", { src: filter.from, dst: filter.to })];
    case "tag":
      return taggedAs(filter.color);
    case "still":
      return still(filter.codec);
    case "representative":
      return [native("thumbnail", { n: filter.frames })];
    case "exactly":
      return [
        native("tpad", { stop: filter.frames, stop_mode: "clone" }),
        native("trim", { end_frame: filter.frames }),
      ];
    default:
      return combined(filter);
  }
}

/** What works on several pictures, or on times. */
function combined(filter: CombiningFilter): NativeFilter[] {
  switch (filter.filter) {
    case "overlay":
      return [overlay(filter)];
    case "split":
      return [native("split", { outputs: filter.count })];
    case "trim":
      return trim("", filter);
    case "speed":
      assert(filter.factor > 0, "a speed is more than nothing");
      return [native("setpts", { expr: `round(PTS/${decimal(filter.factor)})` })];
    case "crossfade": {
      const { seconds: duration, offsetSeconds: offset } = filter;
      return [native("xfade", { transition: "fade", duration, offset })];
    }
    case "concat":
      return [native("concat", { n: filter.count, v: 1, a: 0 })];
    case "blur":
      return [native("gblur", { sigma: filter.sigma })];
    case "fade":
      return [fade(filter)];
    case "opacity":
      return opacity(filter.factor);
    case "delay":
      return [native("setpts", { expr: `PTS+round(${decimal(filter.seconds)}/TB)` })];
    case "ticks":
    case "window":
      return nativeTiming(filter);
    case "subtitles":
      return [native("ass", { filename: earlierFile(filter.from), shaping: "complex" })];
    case "timecode":
      return [timecode(filter)];
    case "stamp":
      return [stamp(filter.frame, filter.laterSeconds)];
    case "loop":
      return [
        native("fps", { fps: filter.rate, start_time: 0 }),
        native("tpad", { stop: -1, stop_mode: "clone" }),
        native("trim", { end: filter.seconds }),
      ];
    case "keyColor":
    case "despill":
    case "alphaOnly":
    case "palette":
    case "usePalette":
      return nativeAlpha(filter);
    default:
      return nativeRefining(filter);
  }
}

/** A last slot that the source does not fill gets its picture too, where slots are counted from a start. */
function fps(filter: Extract<VideoFilter, { filter: "fps" }>): NativeFilter {
  const { rate, startSeconds, fillsLast = startSeconds !== undefined } = filter;
  const eof_action = fillsLast ? "pass" : undefined;
  return native("fps", { fps: rate, start_time: startSeconds, eof_action });
}

/** Lanczos keeps detail when shrinking; the other two give the same bits on every CPU. */
const flags = "lanczos+accurate_rnd+full_chroma_int";

/** What the scaler calls otherwise. From 7.1 on it refuses the names of tags, before it took them for BT.601. */
const scalerMatrices: Record<string, string> = {
  bt470bg: "bt470",
  bt2020nc: "bt2020",
  bt2020c: "bt2020",
};

function scale(filter: Extract<VideoFilter, { filter: "scale" }>): NativeFilter {
  return native(nameOf("scale", filter), {
    w: filter.width,
    h: filter.height,
    flags: filter.kernel === undefined ? flags : flags.replace("lanczos", filter.kernel),
    out_color_matrix: scalerMatrices[filter.matrix ?? ""] ?? filter.matrix,
    out_range: filter.range,
  });
}

/**
 * JPEG and WebP decoders read BT.601 whatever a file says, so the matrix is converted too. Older
 * ffmpegs take full-range JPEG only under the name `yuvj420p`, newer ones only by its range: of the two
 * the encoder's own is chosen.
 */
function still(codec: "jpeg" | "webp" | "png"): NativeFilter[] {
  if (codec === "png") return [native("format", { pix_fmts: "rgb24" })];
  const jpeg = codec === "jpeg";
  const levels = { out_color_matrix: "bt601", out_range: jpeg ? "pc" : "tv" };
  const pixels = jpeg ? "yuvj420p|yuv420p" : "yuv420p";
  return [native("scale", { flags, ...levels }), native("format", { pix_fmts: pixels })];
}

function overlay(filter: Extract<VideoFilter, { filter: "overlay" }>): NativeFilter {
  const { x, y, atEnd = "stay", bitDepth = 8, during } = filter;
  return native("overlay", {
    x,
    y,
    eof_action: atEnd === "stay" ? "repeat" : "pass",
    format: bitDepth === 8 ? "yuv420" : "yuv420p10",
    enable: during === undefined ? undefined : within(during.fromSeconds, during.toSeconds),
  });
}

const plainName = /^[a-z0-9][a-z0-9-]*(\.[a-z0-9]+)?$/;

/** A file of an earlier step, as ffmpeg sees it from the folder of its own. */
export function earlierFile({ step, file }: { step: string; file: string }): string {
  assert(plainName.test(step) && plainName.test(file), `${step}/${file} are names of ours`);
  return `../${step}/${file}`;
}

/**
 * The piece of a picture, or with `a` of a sound. Times count from the asked start, not from what happens
 * to come first after it: that keeps sound and picture together. Rounded, for ffmpeg cuts ticks off.
 */
export function trim(
  kind: "" | "a",
  { startSeconds, endSeconds }: { startSeconds?: number; endSeconds?: number },
): NativeFilter[] {
  const piece = native(`${kind}trim`, { start: startSeconds, end: endSeconds });
  if (!startSeconds) return [piece];
  return [piece, native(`${kind}setpts`, { expr: `round(PTS-${decimal(startSeconds)}/TB)` })];
}

function tile(filter: Extract<VideoFilter, { filter: "tile" }>): NativeFilter {
  const { columns, rows, gap, color } = filter;
  assert(color === undefined || namedColor.test(color), `${color} is a colour`);
  const layout = `${columns}x${rows}`;
  return native("tile", { layout, padding: gap, margin: gap, color });
}
