/**
 * What can be done to sound, and how ffmpeg does it: always on the CPU. Times in seconds, levels in dB,
 * loudness in LUFS (EBU R 128).
 */
import { assert, unreachable } from "../trouble.ts";
import { decimal, type NativeFilter, native } from "./filter-syntax.ts";
import { isLevelFilter, type LevelFilter, nativeLevel } from "./filters-level.ts";
import { isListening, type ListeningFilter, nativeListening } from "./filters-looking.ts";
import { trim } from "./filters-picture.ts";

export type AudioFilter =
  /** What is heard from `startSeconds` until before `endSeconds`, to the sample; the start becomes time zero. */
  | { filter: "trim"; startSeconds?: number; endSeconds?: number }
  /** Out of nothing: the first filter of a chain without a source. */
  | { filter: "silence"; seconds: number; channels: number; sampleRate: number }
  /** So much silence before it. */
  | { filter: "delay"; seconds: number }
  | { filter: "volume"; gainDb: number }
  /** 0.1 (ten times as long) to 10 times as fast; the pitch stays. `finely`, slow motion is `rubberband`'s work. */
  | { filter: "tempo"; factor: number; finely?: boolean }
  /** From, or to, silence: linear in amplitude. */
  | { filter: "fade"; direction: "in" | "out"; startSeconds: number; seconds: number }
  /** Of one source so many that are the same: the last filter of a chain. */
  | { filter: "split"; count: number }
  /**
   * The sum of as many sources as there are weights (1: as it was), as long as the first, the longest or the
   * shortest of them. Nothing is turned down for it: what passes full scale is clipped by the encoder.
   */
  | { filter: "mix"; weights: number[]; duration: "first" | "longest" | "shortest" }
  /** Of two sources, the last `seconds` of the first blended into the second, at equal power. */
  | { filter: "crossfade"; seconds: number }
  /** Of `count` sources one after the other, to the sample. All have one rate and layout. */
  | { filter: "concat"; count: number }
  /** Silence behind it until it is so long; longer ones stay as they are. */
  | { filter: "pad"; toSeconds: number }
  /** So many channels in the standard layout, and samples per second: mixed and resampled. */
  | { filter: "layout"; channels: number; sampleRate: number }
  /** Fills holes with silence and cuts overlaps from 30 ms up, and starts at zero. */
  | { filter: "resample" }
  /** Of two sources, the first, turned down while the second is heard. The second is not in the result. */
  | ({ filter: "duck" } & Ducking)
  | ListeningFilter
  | LevelFilter;

export interface Ducking {
  /** Level of the second source from which on the first is turned down: −60 to 0 dB of full scale. */
  thresholdDb: number;
  /** How much: 1 (not at all) to 20. */
  ratio: number;
  attackMs: number;
  releaseMs: number;
}

/** How many sources a filter takes. */
export function soundsTaken(filter: AudioFilter): number {
  switch (filter.filter) {
    case "silence":
      return 0;
    case "mix":
      return filter.weights.length;
    case "crossfade":
    case "duck":
      return 2;
    case "concat":
      return filter.count;
    default:
      return 1;
  }
}

/** How many pads a filter makes. */
export function soundsMade(filter: AudioFilter): number {
  return filter.filter === "split" ? filter.count : 1;
}

/** One filter in ffmpeg's words. */
export function nativeSound(filter: AudioFilter): NativeFilter[] {
  if (isLevelFilter(filter)) return nativeLevel(filter);
  if (isListening(filter)) return nativeListening(filter);
  switch (filter.filter) {
    case "trim":
      return trim("a", filter);
    case "delay":
      return filter.seconds === 0
        ? []
        : [native("adelay", { delays: filter.seconds * 1000, all: 1 })];
    case "silence":
      return silence(filter);
    case "volume":
      return [native("volume", { volume: `${decimal(filter.gainDb)}dB` })];
    case "tempo":
      return tempo(filter);
    case "fade": {
      const { direction: type, startSeconds: start_time, seconds: duration } = filter;
      return [native("afade", { type, start_time, duration, curve: "tri" })];
    }
    case "split":
      return [native("asplit", { outputs: filter.count })];
    case "mix":
      return [mix(filter)];
    case "crossfade":
      return [native("acrossfade", { duration: filter.seconds, curve1: "qsin", curve2: "qsin" })];
    case "concat":
      return [native("concat", { n: filter.count, v: 0, a: 1 })];
    case "pad":
      return [native("apad", { whole_dur: filter.toSeconds })];
    case "layout":
      return [soundFormat(filter.channels, filter.sampleRate)];
    case "resample":
      return [resample];
    case "duck":
      return [duck(filter)];
    default:
      return unreachable(filter);
  }
}

/**
 * Fills holes and cuts overlaps in the sound's timestamps from 30 ms up, so that it stays within the
 * promised 40 ms of the picture, and starts it at zero.
 */
export const resample = native("aresample", { async: 1, min_hard_comp: 0.03, first_pts: 0 });

/**
 * Layouts that the encoders take, by number of channels; "5.1(side)" from AC-3 and DTS is none of
 * them for Opus. Opus orders its channels as Vorbis does (RFC 7845, 5.1.1.2).
 */
export const layoutOf: Record<number, string> = {
  1: "mono",
  2: "stereo",
  3: "3.0",
  4: "quad",
  5: "5.0",
  6: "5.1",
  7: "6.1",
  8: "7.1",
};

function silence(filter: Extract<AudioFilter, { filter: "silence" }>): NativeFilter[] {
  const { seconds, channels, sampleRate } = filter;
  const layout = layoutOf[channels];
  assert(layout !== undefined, `${channels} channels have a layout`);
  return [
    native("anullsrc", { channel_layout: layout, sample_rate: sampleRate }),
    native("atrim", { end: seconds }),
  ];
}

/** The standard layout of so many channels, and a rate. */
export function soundFormat(channels: number, sampleRate: number): NativeFilter {
  const layout = layoutOf[channels];
  assert(layout !== undefined, `${channels} channels have a layout`);
  return native("aformat", { sample_rates: sampleRate, channel_layouts: layout });
}

/** Within these factors `atempo` overlaps pieces and leaves none out; further ones are done in steps. */
const tempoStep = 2;

/**
 * What is stretched begins too early, by half of a window for each time that it becomes longer: the windows
 * reach back before an onset. Milliseconds; measured with beeps at 0.25 and 0.5 of the speed, where `atempo`
 * was 35–58 and 90–160 ms early and `rubberband` 16 and 46.
 */
const earlyMs = { atempo: 25, rubberband: 12 };

function tempo({ factor, finely }: Extract<AudioFilter, { filter: "tempo" }>): NativeFilter[] {
  assert(factor >= 0.1 && factor <= 10, `${factor} is a tempo`);
  const longer = Math.max(0, 1 / factor - 1);
  // Faster, its short windows make tones tremble.
  const by = finely && factor < 1 ? "rubberband" : "atempo";
  const late = Math.round(longer * earlyMs[by]);
  return [
    ...(by === "rubberband" ? rubberband(factor) : atempo(factor)),
    ...(late === 0 ? [] : [native("adelay", { delays: late, all: 1 })]),
  ];
}

/**
 * What rubberband holds back at the end, at most (35 ms on ffmpeg 5.1 at 0.1–0.8 of the speed): silence pushes
 * it out, or the last third of a second would be missing at a tenth of the speed.
 */
const heldBackSeconds = 0.04;

/** Short windows keep onsets where they are; together, channels keep their picture in space. */
function rubberband(tempo: number): NativeFilter[] {
  return [
    native("apad", { pad_dur: heldBackSeconds }),
    native("rubberband", { tempo, window: "short", channels: "together" }),
  ];
}

function atempo(factor: number): NativeFilter[] {
  const steps = Math.max(1, Math.ceil(Math.abs(Math.log2(factor)) / Math.log2(tempoStep) - 1e-9));
  const each = factor ** (1 / steps);
  return Array.from({ length: steps }, () => native("atempo", { tempo: each }));
}

function mix({ weights, duration }: Extract<AudioFilter, { filter: "mix" }>): NativeFilter {
  return native("amix", {
    inputs: weights.length,
    duration,
    weights: weights.map(decimal).join(" "),
    dropout_transition: 0,
    normalize: 0,
  });
}

function duck({ thresholdDb, ratio, attackMs, releaseMs }: Ducking): NativeFilter {
  return native("sidechaincompress", {
    threshold: 10 ** (thresholdDb / 20),
    ratio,
    attack: attackMs,
    release: releaseMs,
  });
}
