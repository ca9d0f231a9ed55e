/**
 * What only looks and listens: filters that find something out and note it in a text of the step, and
 * those that hold two pictures against each other. Times in seconds, levels in dB of full scale.
 */
import { assert, unreachable } from "../trouble.ts";
import { decimal, type NativeFilter, native } from "./filter-syntax.ts";

export type LookingFilter =
  /** Changes nothing; the time of every frame, and what filters before it found, go into a text of the step. */
  | { filter: "note"; file: string }
  /** Marks where the picture becomes (almost) black and where it does no more. */
  | { filter: "find-black" }
  /** Marks where the picture stands still for so long, apart from noise. */
  | { filter: "find-frozen"; seconds: number; noiseDb: number }
  /** ffmpeg says at its end how many frames are of two fields. */
  | { filter: "find-fields" }
  /** Of two sources of one size and format: how alike they are, marked on the first, which comes out. */
  | { filter: "ssim" }
  | { filter: "psnr" }
  /** The first is held against the second; the scores go into a JSON of the step. */
  | { filter: "vmaf"; file: string }
  /** On a clock of microseconds. */
  | { filter: "clock" }
  /**
   * The first frame is so much before zero, and the others follow; on a clock of microseconds. With `keepStart`
   * the first is so much before its own time.
   */
  | { filter: "align"; aheadSeconds: number; keepStart?: true }
  /** Of two sources of one height and format, the second to the right of the first. */
  | { filter: "beside" };

export type ListeningFilter =
  | { filter: "note"; file: string }
  /** Marks where all channels are silent for so long. */
  | { filter: "find-silence"; seconds: number; noiseDb: number };

const looking = [
  ...["note", "find-black", "find-frozen", "find-fields"],
  ...["ssim", "psnr", "vmaf", "clock", "align", "beside"],
];

export function isLooking(filter: { filter: string }): filter is LookingFilter {
  return looking.includes(filter.filter);
}

export function isListening(filter: { filter: string }): filter is ListeningFilter {
  return filter.filter === "note" || filter.filter === "find-silence";
}

/** One filter in ffmpeg's words. */
export function nativeLooking(filter: LookingFilter): NativeFilter[] {
  switch (filter.filter) {
    case "note":
      return note("", filter.file);
    case "find-black":
      return [native("blackdetect", { d: 0 })];
    case "find-frozen":
      return [native("freezedetect", { n: `${decimal(filter.noiseDb)}dB`, d: filter.seconds })];
    case "find-fields":
      return [native("idet")];
    case "ssim":
    case "psnr":
      return [native(filter.filter)];
    case "vmaf":
      return [native("libvmaf", { log_fmt: "json", log_path: plain(filter.file) })];
    case "clock":
      return [native("settb", { expr: "1/1000000" })];
    case "align": {
      const start = filter.keepStart ? "" : "-STARTPTS";
      const expr = `PTS${start}-${decimal(filter.aheadSeconds * 1e6)}`;
      return [native("setpts", { expr })];
    }
    case "beside":
      return [native("hstack", { inputs: 2 })];
    default:
      return unreachable(filter);
  }
}

/** The same for sound. */
export function nativeListening(filter: ListeningFilter): NativeFilter[] {
  if (filter.filter === "note") return note("a", filter.file);
  return [native("silencedetect", { n: `${decimal(filter.noiseDb)}dB`, d: filter.seconds })];
}

/** Only frames that carry something are printed, so each gets something to carry. */
function note(kind: "" | "a", file: string): NativeFilter[] {
  return [
    native(`${kind}metadata`, { mode: "add", key: "seen", value: 1 }),
    native(`${kind}metadata`, { mode: "print", file: plain(file) }),
  ];
}

function plain(file: string): string {
  assert(/^[a-z0-9][a-z0-9-]*\.[a-z0-9]+$/.test(file), `${file} is a name of ours`);
  return file;
}
