/**
 * What is done about the level of a sound: measured, drawn, brought to a loudness, made the sign for a
 * ducking. Times in seconds, levels in dB.
 */
import { assert, unreachable } from "../trouble.ts";
import { decimal, type NativeFilter, nameOf, native } from "./filter-syntax.ts";
import {
  type LoudnessMeasure,
  type LoudnessWish,
  type MeasureRef,
  settledGain,
} from "./loudness.ts";

export type LevelFilter =
  /** Changes nothing; ffmpeg says the loudness at its end, for the reading `meter`. */
  | { filter: "meter"; name?: string }
  /**
   * Brought to a loudness by one gain. Where peaks would pass the ceiling a limiter holds them; what was
   * tried first says how much louder it must be for that. What comes out has `sampleRate`.
   */
  | ({ filter: "normalise" } & Normalising)
  /** The first `maxSeconds` again and again, without end; they are held in memory. */
  | { filter: "repeat"; maxSeconds: number; sampleRate: number }
  /** Full scale while the sound is louder than the threshold, silence otherwise: what a `duck` goes by. */
  | { filter: "presence"; thresholdDb: number }
  /** Changes nothing; the least and the greatest of every so many samples go into a text. */
  | ({ filter: "peaks" } & PeakText)
  /** A picture of the sound, one column for each so many samples of its only channel. */
  | ({ filter: "draw" } & Drawing);

export interface Normalising extends LoudnessWish {
  sampleRate: number;
  /** Measures, or where runners find them. */
  source: LoudnessMeasure | MeasureRef;
  /** What came out with the first gain; absent: it was not tried. */
  tried?: LoudnessMeasure | MeasureRef;
}

export interface PeakText {
  samples: number;
  /** In the step's folder, for the reading `peaks`. */
  file: string;
}

export interface Drawing {
  samples: number;
  /** Pixels. */
  width: number;
  height: number;
  /** `#rrggbb`. The background is transparent. */
  color: string;
}

export function isLevelFilter(filter: { filter: string }): filter is LevelFilter {
  return ["meter", "normalise", "repeat", "presence", "peaks", "draw"].includes(filter.filter);
}

/** One filter in ffmpeg's words. */
export function nativeLevel(filter: LevelFilter): NativeFilter[] {
  switch (filter.filter) {
    case "meter":
      return [native(nameOf("ebur128", filter), { peak: "true", framelog: "verbose" })];
    case "normalise":
      return normalise(filter);
    case "repeat": {
      const size = Math.ceil(filter.maxSeconds * filter.sampleRate);
      return [native("aloop", { loop: -1, size })];
    }
    case "presence":
      return presence(filter.thresholdDb);
    case "peaks":
      return peaks(filter);
    case "draw":
      return draw(filter);
    default:
      return unreachable(filter);
  }
}

/** Peaks between samples count too: the limiter sees four and more times as many. */
const limiterRate = 192_000;

/** Going back to the sample rate moves peaks by a little; the limiter stays below the ceiling by that. */
const limiterMarginDb = 0.15;

function normalise({ sampleRate, ...wish }: Normalising): NativeFilter[] {
  const { source, tried } = wish;
  assert(!("step" in source) && !(tried && "step" in tried), "the loudness was looked up");
  const { gainDb, limited } = settledGain(wish, source, tried);
  const volume = native("volume", { volume: `${decimal(gainDb)}dB`, precision: "float" });
  if (!limited) return [volume];
  return [
    volume,
    native("aresample", { osr: limiterRate }),
    native("alimiter", {
      limit: 10 ** ((wish.truePeakDbtp - limiterMarginDb) / 20),
      attack: 5,
      release: 50,
      level: "false",
      // Without it two equal peaks at the ends of its buffer are divided by nothing, and all becomes noise.
      asc: "true",
      // Without it everything comes later by the attack.
      latency: "true",
    }),
    native("aresample", { osr: sampleRate }),
  ];
}

/**
 * A compressor with two states: what is above the threshold comes out at full scale, all else far below.
 * Turned up and cut off by 16 bits it is as good as a square wave, whose level is the same for every voice.
 */
function presence(thresholdDb: number): NativeFilter[] {
  const at = decimal(thresholdDb);
  const below = decimal(thresholdDb - 1);
  return [
    native("aformat", { channel_layouts: "mono" }),
    native("compand", {
      attacks: 0.005,
      decays: 0.08,
      points: `-90/-90|${below}/-90|${at}/0|0/0`,
    }),
    native("volume", { volume: "24dB", precision: "float" }),
    native("aformat", { sample_fmts: "s16" }),
  ];
}

const plainFile = /^[a-z0-9][a-z0-9-]*\.[a-z0-9]+$/;

/** Frames of so many samples, and the least and greatest of each. */
function inFrames(samples: number): NativeFilter[] {
  assert(Number.isInteger(samples) && samples > 0, `${samples} samples make a frame`);
  return [
    native("aformat", { sample_fmts: "s16" }),
    native("asetnsamples", { n: samples, p: 0 }),
    native("astats", {
      metadata: 1,
      reset: 1,
      measure_perchannel: "Min_level+Max_level",
      measure_overall: "none",
    }),
  ];
}

function peaks({ samples, file }: PeakText): NativeFilter[] {
  assert(plainFile.test(file), `file name ${file} is plain`);
  return [...inFrames(samples), native("ametadata", { mode: "print", file })];
}

const plainColor = /^#[0-9a-f]{6}$/i;

/** A bar up to the greatest sample, and what is below the least wiped out again. */
function draw({ samples, width, height, color }: Drawing): NativeFilter[] {
  assert(plainColor.test(color), `${JSON.stringify(color)} is a colour`);
  const [red, green, blue] = [color.slice(1, 3), color.slice(3, 5), color.slice(5, 7)];
  return [
    // More frames than columns would be drawn half as wide.
    native("atrim", { end_sample: samples * width }),
    ...inFrames(samples),
    native("adrawgraph", {
      m1: "lavfi.astats.1.Max_level",
      // Its words for a colour begin with the last channel.
      fg1: `0xff${blue}${green}${red}`,
      m2: "lavfi.astats.1.Min_level",
      fg2: "0x00000000",
      bg: "#00000000",
      min: -32_768,
      max: 32_768,
      mode: "bar",
      slide: "picture",
      size: `${width}x${height}`,
    }),
  ];
}
