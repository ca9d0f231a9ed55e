/** Frame rates of a ladder, and the times at which all of its rungs have keyframes. Pure. */
import type { VideoStream } from "../media/media.ts";
import { rateNumber } from "./picture.ts";

/** Frames per second: `over` / `under`. */
export interface Rational {
  over: number;
  under: number;
}

export interface LadderTiming {
  /** Of the source, made constant where it is not. */
  rate: Rational;
  /**
   * Of each rung, in the order of the limits: it keeps every so-many-th frame of the source. Halves of
   * halves of the fastest rung, so that frames of slower rungs are frames of all faster ones.
   */
  divisors: number[];
  /** What no rung needs is dropped before anything is scaled: every so-many-th frame is left. */
  commonDivisor: number;
  /** Frames of the source between keyframes: a whole number of frames of every rung. */
  keyframeFrames: number;
  /** Keyframes of a segment. */
  keyframesOfSegment: number;
  keyframeSeconds: number;
  segmentSeconds: number;
  /** Of which frames of all rungs last a whole number: players map times anew where rungs differ in it. */
  ticksPerSecond: number;
}

/** Rates that films have; a source as close to one as rounding brings it is of that rate. */
const usualRates: Rational[] = [
  ...[
    { over: 24_000, under: 1001 },
    { over: 24, under: 1 },
    { over: 25, under: 1 },
  ],
  ...[
    { over: 30_000, under: 1001 },
    { over: 30, under: 1 },
    { over: 50, under: 1 },
  ],
  ...[
    { over: 60_000, under: 1001 },
    { over: 60, under: 1 },
  ],
];

/** Rates a thousandth apart are different ones: 30 and 29.97. */
const roundingShare = 0.0004;

/** An average of a variable rate is taken for a usual one within two hundredths. */
const averageShare = 0.02;

/** Where a file does not say its rate. */
const assumedRate: Rational = { over: 25, under: 1 };

/** Numerators and denominators up to this are said as they are; containers invent larger ones. */
const plainNumber = 1_000_000;

/** As fine as MP4 usually is. */
const leastTicks = 10_000;

/** Players seek to keyframes and show them alone: about one in so many seconds (Apple asks for two). */
const keyframeSecondsAbout = 2;

/** Streams have one rate. A variable one becomes the usual rate that is nearest, else 30 or 60. */
export function sourceRate(video: VideoStream): Rational {
  const value = rateNumber(video.frameRate);
  if (value === null) return assumedRate;
  const near = (share: number) =>
    usualRates
      .toSorted((a, b) => distance(a, value) - distance(b, value))
      .find((rate) => distance(rate, value) <= value * share);
  if (video.variableFrameRate) {
    return near(averageShare) ?? { over: value <= 30 ? 30 : 60, under: 1 };
  }
  const usual = near(roundingShare);
  if (usual !== undefined) return usual;
  const [over = 0, under = 1] = (video.frameRate ?? "").split("/").map(Number);
  if (Math.max(over, under) <= plainNumber) return { over, under };
  return { over: Math.round(value * 1000), under: 1000 };
}

function distance(rate: Rational, value: number): number {
  return Math.abs(numberOfRate(rate) - value);
}

export function numberOfRate({ over, under }: Rational): number {
  return over / under;
}

/** "30000/1001", "25" */
export function textOfRate({ over, under }: Rational, divisor = 1): string {
  const common = greatestDivisor(over, under * divisor);
  const below = (under * divisor) / common;
  return below === 1 ? String(over / common) : `${over / common}/${below}`;
}

/** Rates a hair above a limit are within it: 59.94 and 60, 30.003 and 30. */
const limitShare = 1.001;

/** @param limits frames per second that each rung has at most */
export function timingOf(
  video: VideoStream,
  limits: readonly number[],
  wishedSeconds: number,
): LadderTiming {
  const rate = sourceRate(video);
  const perSecond = numberOfRate(rate);
  const least = limits.map((limit) => Math.max(1, Math.ceil(perSecond / (limit * limitShare))));
  const common = Math.min(...least);
  const divisors = least.map((divisor) => common * 2 ** Math.ceil(Math.log2(divisor / common)));
  const unit = Math.max(...divisors);
  const keyframesOfSegment = Math.max(1, Math.round(wishedSeconds / keyframeSecondsAbout));
  const wishedFrames = (wishedSeconds / keyframesOfSegment) * perSecond;
  const keyframeFrames = unit * Math.max(1, Math.round(wishedFrames / unit));
  const keyframeSeconds = (keyframeFrames * rate.under) / rate.over;
  return {
    ...{ rate, divisors, keyframeFrames, keyframesOfSegment, keyframeSeconds },
    commonDivisor: common,
    segmentSeconds: (keyframeFrames * keyframesOfSegment * rate.under) / rate.over,
    ticksPerSecond: rate.over * Math.max(1, Math.ceil(leastTicks / rate.over)),
  };
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
