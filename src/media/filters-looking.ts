/**
 * What only looks and listens: filters that find something out and note it for a reading, and those that hold
 * two pictures against each other. Times in seconds, levels in dB of full scale.
 */
import { assert } from "../trouble.ts";
import { decimal, type NativeFilter, nameOf, native } from "./filter-syntax.ts";

/** Notes are lines of ffmpeg's own log, so that they outlive a change of the format and need no room on the disk. */
export interface NoteFilter {
  filter: "note";
  /** By which a reading knows it: letters and digits. */
  name: string;
  /**
   * `frames`: the time of every frame, and what filters before it found; `findings`: only frames in which
   * something was found. A key of ffmpeg's (`ssim.All`): its value, for frames that have it.
   */
  of: "frames" | "findings" | { key: string; above?: number };
}

export type LookingFilter =
  | NoteFilter
  /** What was found so far, and what the file itself says of its frames, is not noted. */
  | { filter: "forget" }
  /** Marks where the picture becomes black and where it does no more: so many of its pixels below that level. */
  | { filter: "find-black"; sharePercent: number; levelPercent: number }
  /** Marks where the picture stands still for so long, apart from noise. */
  | { filter: "find-frozen"; seconds: number; noiseDb: number }
  /** Marks the share of pixels outside of the levels of video (`signalstats.BRNG`). */
  | { filter: "find-levels" }
  /** ffmpeg says at its end how many frames are of two fields. */
  | { filter: "find-fields" }
  /** Of two sources of one size and format: how alike they are, marked on the first, which comes out. */
  | { filter: "ssim" }
  | { filter: "psnr" }
  /** The first is held against the second; the scores of every so many frames go into a CSV of the step. */
  | { filter: "vmaf"; file: string; model: VmafModel; everyFrames: number }
  /** On a clock of microseconds. */
  | { filter: "clock" }
  /**
   * The first frame is so much before zero, and the others follow; on a clock of microseconds. With `keepStart`
   * the first is so much before its own time.
   */
  | { filter: "align"; aheadSeconds: number; keepStart?: true }
  /** One frame after the other, a second apart, whatever their times were. */
  | { filter: "count"; aheadSeconds: number }
  /** Of two sources of one size and format: how much they differ, many times as bright. */
  | { filter: "difference"; factor: number }
  /** Of so many sources of one height and format, the next to the right of the one before. */
  | { filter: "beside"; count: number }
  /** A few pixels of it: what is left of a picture that was looked at. */
  | { filter: "corner" };

export type ListeningFilter =
  | NoteFilter
  | { filter: "forget" }
  | { filter: "clock" }
  /** Marks for each channel where it is silent for so long. */
  | { filter: "find-silence"; seconds: number; noiseDb: number }
  /** Marks the highest sample, and how long samples stay at it (`astats.Overall.Peak_level`, `.Flat_factor`). */
  | { filter: "find-peaks" }
  /** Of stereo: marks where the channels are the same upside down for so long. */
  | { filter: "find-phase"; seconds: number }
  /** One channel of it, coarse: what is left of a sound that was listened to. */
  | { filter: "remnant" };

/** Netflix's models, all of them in libvmaf 2 and later. */
export type VmafModel = "hd" | "4k" | "phone" | "no-enhancement";

const vmafModels: Record<VmafModel, string> = {
  hd: "version=vmaf_v0.6.1",
  "4k": "version=vmaf_4k_v0.6.1:name=vmaf",
  phone: "version=vmaf_v0.6.1:enable_transform=true:name=vmaf",
  "no-enhancement": "version=vmaf_v0.6.1neg:name=vmaf",
};

/** libvmaf has one thread unless told; more than these gain nothing. */
const vmafThreads = 8;

const picturesOnly = [
  ...["find-black", "find-frozen", "find-levels", "find-fields", "ssim", "psnr", "vmaf"],
  ...["align", "count", "difference", "beside", "corner"],
];
const soundsOnly = ["find-silence", "find-peaks", "find-phase", "remnant"];
const both = ["note", "forget", "clock"];

export function isLooking(filter: { filter: string }): filter is LookingFilter {
  return [...picturesOnly, ...both].includes(filter.filter);
}

export function isListening(filter: { filter: string }): filter is ListeningFilter {
  return [...soundsOnly, ...both].includes(filter.filter);
}

/** One filter in ffmpeg's words. */
export function nativeLooking(filter: LookingFilter): NativeFilter[] {
  switch (filter.filter) {
    case "note":
    case "forget":
    case "clock":
      return nativeForBoth(filter, "");
    case "find-black":
      return [
        native("blackdetect", {
          d: 0,
          pic_th: filter.sharePercent / 100,
          pix_th: filter.levelPercent / 100,
        }),
      ];
    case "find-frozen":
      return [native("freezedetect", { n: `${decimal(filter.noiseDb)}dB`, d: filter.seconds })];
    case "find-levels":
      return [native("signalstats", { stat: "brng" })];
    case "find-fields":
      return [native("idet")];
    case "corner":
      // Cropping copies nothing.
      return [native("crop", { w: 16, h: 16, x: 0, y: 0 })];
    default:
      return comparing(filter);
  }
}

type Comparing = Extract<
  LookingFilter,
  { filter: "ssim" | "psnr" | "vmaf" | "align" | "count" | "difference" | "beside" }
>;

function comparing(filter: Comparing): NativeFilter[] {
  switch (filter.filter) {
    case "ssim":
    case "psnr":
      return [native(filter.filter)];
    case "vmaf":
      return [
        native("libvmaf", {
          model: vmafModels[filter.model],
          log_fmt: "csv",
          log_path: plain(filter.file),
          n_subsample: filter.everyFrames,
          n_threads: vmafThreads,
        }),
      ];
    case "align": {
      const start = filter.keepStart ? "" : "-STARTPTS";
      const expr = `PTS${start}-${decimal(filter.aheadSeconds * 1e6)}`;
      return [native("setpts", { expr })];
    }
    case "count":
      return [native("setpts", { expr: `N*1000000-${decimal(filter.aheadSeconds * 1e6)}` })];
    case "difference":
      return [
        native("blend", { all_mode: "difference" }),
        native("colorlevels", brighter(filter.factor)),
      ];
    case "beside":
      return [native("hstack", { inputs: filter.count })];
  }
}

function brighter(factor: number): Record<string, number> {
  return { rimax: 1 / factor, gimax: 1 / factor, bimax: 1 / factor };
}

/** The lowest that every encoder of samples takes. */
const remnantRate = 8000;

/** The same for sound. */
export function nativeListening(filter: ListeningFilter): NativeFilter[] {
  switch (filter.filter) {
    case "find-silence": {
      const { noiseDb, seconds } = filter;
      return [native("silencedetect", { n: `${decimal(noiseDb)}dB`, d: seconds, mono: 1 })];
    }
    case "find-peaks":
      // As players hear it: what decodes to more than full scale is cut off.
      return [
        native("aformat", { sample_fmts: "s16" }),
        native("astats", {
          metadata: 1,
          reset: 1,
          measure_perchannel: "none",
          measure_overall: "Peak_level+Flat_factor",
        }),
      ];
    case "find-phase":
      return [native("aphasemeter", { video: 0, phasing: 1, duration: filter.seconds })];
    case "remnant":
      // Both convert, where `aformat` would have all filters before it work on that.
      return [
        native("pan", { args: "mono|c0=c0" }),
        native("aresample", { sample_rate: remnantRate }),
      ];
    default:
      return nativeForBoth(filter, "a");
  }
}

type ForBoth = NoteFilter | { filter: "forget" } | { filter: "clock" };

/** @param kind what ffmpeg puts before the names of its filters for sound */
function nativeForBoth(filter: ForBoth, kind: "" | "a"): NativeFilter[] {
  if (filter.filter === "forget") return [native(`${kind}metadata`, { mode: "delete" })];
  if (filter.filter === "clock") return [native(`${kind}settb`, { expr: "1/1000000" })];
  const { of } = filter;
  const print = (options: Record<string, string | number> = {}) =>
    native(nameOf(`${kind}metadata`, filter), { mode: "print", ...options });
  // Only frames that carry something are printed, so each gets something to carry.
  const mark = native(`${kind}metadata`, { mode: "add", key: "seen", value: 1 });
  if (of === "frames") return [mark, print()];
  if (of === "findings") return [print()];
  assert(/^[\w.]+$/.test(of.key), `${of.key} is a key of ffmpeg's`);
  const above = of.above === undefined ? {} : { function: "greater", value: decimal(of.above) };
  return [print({ key: `lavfi.${of.key}`, ...above })];
}

function plain(file: string): string {
  assert(/^[a-z0-9][a-z0-9-]*\.[a-z0-9]+$/.test(file), `${file} is a name of ours`);
  return file;
}
