/**
 * Loudness as numbers (EBU R 128): what was measured, and the gain that follows from it. LUFS, dBTP and LU.
 */
import type { InputRef } from "./description.ts";

/** What a meter found in a sound. */
export interface LoudnessMeasure {
  integratedLufs: number;
  truePeakDbtp: number;
  rangeLu: number;
}

/** The JSON file in which an earlier step kept a `LoudnessMeasure`; runners put the measure in its place. */
export type MeasureRef = Extract<InputRef, { step: string }>;

export interface LoudnessWish {
  /** Integrated: −36 to −5. */
  targetLufs: number;
  /** True peak at most: −9 to 0. */
  truePeakDbtp: number;
}

/** A gain in dB, and whether peaks pass the ceiling with it. */
export interface LoudnessGain {
  gainDb: number;
  limited: boolean;
}

/** Nothing of it is above the meter's absolute gate (BS.1770): silence, or noise that stays noise. */
const silenceLufs = -70;

/** A limiter that must hold more than this takes the life out of a sound; the target is missed instead. */
const maxLimitingDb = 24;

/** Below this share a dB of gain makes hardly anything louder, and the guess would run away. */
const leastSlope = 0.3;

/** The one gain that brings a sound to the target, as long as its peaks allow it. */
export function firstGain(wish: LoudnessWish, source: LoudnessMeasure): LoudnessGain {
  if (source.integratedLufs <= silenceLufs) return { gainDb: 0, limited: false };
  const free = wish.truePeakDbtp - source.truePeakDbtp;
  const wanted = wish.targetLufs - source.integratedLufs;
  return { gainDb: Math.min(wanted, free + maxLimitingDb), limited: wanted > free };
}

/**
 * The gain after a try with the first one. A limiter makes a sound less loud; what is missing is added,
 * more of it the less each dB has brought so far.
 * @param tried what came out with `firstGain`; absent when nothing was tried
 */
export function settledGain(
  wish: LoudnessWish,
  source: LoudnessMeasure,
  tried?: LoudnessMeasure,
): LoudnessGain {
  const first = firstGain(wish, source);
  if (!first.limited || tried === undefined) return first;
  const free = wish.truePeakDbtp - source.truePeakDbtp;
  const limitedBy = first.gainDb - free;
  const missing = wish.targetLufs - tried.integratedLufs;
  const brought = tried.integratedLufs - (source.integratedLufs + free);
  const slope = Math.min(1, Math.max(leastSlope, brought / limitedBy));
  const gainDb = Math.min(first.gainDb + missing / slope, free + maxLimitingDb);
  return { gainDb, limited: gainDb > free };
}

/** What a gain alone makes of a sound: known without a look at it. */
export function withGain(source: LoudnessMeasure, gainDb: number): LoudnessMeasure {
  return {
    integratedLufs: source.integratedLufs + gainDb,
    truePeakDbtp: source.truePeakDbtp + gainDb,
    rangeLu: source.rangeLu,
  };
}
