/**
 * Looking for the lowest quality that reaches a score: which to try next, from what was tried. Scores rise with
 * quality, almost as straight lines once SSIM is in decibels. Pure.
 */
import { assert } from "../trouble.ts";
import { defaultQuality } from "./quality.ts";

export const targetMetrics = ["ssim", "psnr", "vmaf"] as const;
export type TargetMetric = (typeof targetMetrics)[number];

export interface ScoreTarget {
  metric: TargetMetric;
  /** SSIM as 0–1, PSNR in dB, VMAF as 0–100. */
  score: number;
}

export interface TargetTry {
  /** 0–100, a whole number. */
  quality: number;
  score: number;
}

/** Doubling what is known with each, seven find one of a hundred. */
export const triesMax = 7;

/** What a step of quality changes, before it was seen: from the tables of `docs/quality.md`; VMAF by its kin. */
const usualSlope: Record<TargetMetric, number> = { ssim: 0.14, psnr: 0.16, vmaf: 0.6 };

/** So little above the score is as good as reached: a step or two of the scale. */
const closeEnough: Record<TargetMetric, number> = { ssim: 0.15, psnr: 0.15, vmaf: 0.5 };

/** Pictures that are the same have an SSIM of 1, which is no number of decibels. */
const sameDb = 100;

/** As a straight line: SSIM in decibels, the others as they are. */
export function onLine(metric: TargetMetric, score: number): number {
  if (metric !== "ssim") return Math.min(score, sameDb);
  return score >= 1 ? sameDb : Math.min(sameDb, -10 * Math.log10(1 - score));
}

export type NextQuality =
  | { kind: "try"; quality: number }
  /** The lowest that is known to reach it. */
  | { kind: "found"; quality: number }
  /** Not even the highest does. */
  | { kind: "unreachable"; best: TargetTry };

/** @param tries in the order in which they were made */
export function nextQuality(tries: readonly TargetTry[], target: ScoreTarget): NextQuality {
  const wanted = onLine(target.metric, target.score);
  const points = tries
    .map(({ quality, score }) => ({ quality, over: onLine(target.metric, score) - wanted }))
    .toSorted((a, b) => a.quality - b.quality);
  const failing = points.filter(({ over }) => over < 0).at(-1) ?? null;
  // Scores may waver by a hair: what passes below a failing one counts for nothing.
  const passing =
    points.find(({ quality, over }) => over >= 0 && quality > (failing?.quality ?? -1)) ?? null;
  if (passing !== null && isSettled(passing, failing, tries.length, target.metric)) {
    return { kind: "found", quality: passing.quality };
  }
  const best = tries.toSorted((a, b) => b.score - a.score)[0];
  if (passing === null && best !== undefined && failing?.quality === highest) {
    return { kind: "unreachable", best };
  }
  // The last try is for the highest where nothing passed yet: then it is known.
  if (passing === null && tries.length === triesMax - 1) return { kind: "try", quality: highest };
  assert(tries.length < triesMax, "a search for a score ends");
  return {
    kind: "try",
    quality: between(failing, passing, usualSlope[target.metric], tries.length),
  };
}

const lowest = 0;
const highest = 100;

interface Point {
  quality: number;
  /** How far above the target, on the line; below 0 it is missed. */
  over: number;
}

function isSettled(
  passing: Point,
  failing: Point | null,
  count: number,
  metric: TargetMetric,
): boolean {
  return (
    count >= triesMax ||
    passing.over <= closeEnough[metric] ||
    passing.quality === lowest ||
    (failing !== null && passing.quality - failing.quality <= 1)
  );
}

/** Tries after which a straight line would have found it. */
const halvesAfter = 4;

/** Where the line meets the target: between two points, or so far from one as is usual. */
function between(
  failing: Point | null,
  passing: Point | null,
  slope: number,
  count: number,
): number {
  if (failing !== null && passing !== null) {
    const line = -failing.over / (passing.over - failing.over);
    // Of a curve that is bent the line leaves one end where it is: halving moves both.
    const share = count < halvesAfter ? line : (line + 0.5) / 2;
    const at = failing.quality + share * (passing.quality - failing.quality);
    return Math.min(passing.quality - 1, Math.max(failing.quality + 1, Math.ceil(at)));
  }
  const known = failing ?? passing;
  if (known === null) return defaultQuality;
  const away = -known.over / slope;
  // Half as far again, so that the target comes to lie between.
  const step = Math.sign(away) * Math.max(4, Math.abs(away) * 1.25);
  return Math.min(highest, Math.max(lowest, Math.round(known.quality + step)));
}

/** "SSIM 0.9812", "PSNR 41.23 dB", "VMAF 93.4" */
export function scoreWords(metric: TargetMetric, score: number): string {
  switch (metric) {
    case "ssim":
      return `SSIM ${score.toFixed(4)}`;
    case "psnr":
      return score >= sameDb ? "PSNR of the same pictures" : `PSNR ${score.toFixed(2)} dB`;
    case "vmaf":
      return `VMAF ${score.toFixed(1)}`;
  }
}
