/** The samples of a span as a series that a graph can draw. Pure. */
import { type MachineFigures, type MachineSample, machineFigureNames } from "./machine-samples.ts";

/** Of the others the mean says how busy it was; of these the peak says whether something was wrong. */
const peaks = new Set<keyof MachineFigures>([
  ...(["loopLagMs", "waitingJobs", "oldestWaitingSeconds", "memoryUsedBytes"] as const),
]);

/**
 * At most so many points, each for an equal part of the span; parts without a sample give none.
 * @param samples not older than `spanMs`, the oldest first
 * @param pointsMax at least 2
 */
export function thinnedMachine(
  samples: readonly MachineSample[],
  spanMs: number,
  pointsMax: number,
): readonly MachineSample[] {
  if (samples.length <= pointsMax) return samples;
  const partMs = spanMs / (pointsMax - 1);
  const parts = Map.groupBy(samples, ({ atMs }) => Math.floor(atMs / partMs));
  return Array.from(parts.values(), together).slice(-pointsMax);
}

function together(part: MachineSample[]): MachineSample {
  const newest = part.at(-1);
  if (newest === undefined) throw new Error("invariant broken: a part has a sample");
  const figures = machineFigureNames.map((name) => [name, figureOf(part, name)]);
  return { ...newest, ...Object.fromEntries(figures) };
}

function figureOf(part: MachineSample[], name: keyof MachineFigures): number | null {
  const values = part.map((sample) => sample[name]).filter((value) => value !== null);
  if (values.length === 0) return null;
  if (peaks.has(name)) return Math.max(...values);
  return Math.round((values.reduce((sum, value) => sum + value, 0) / values.length) * 10) / 10;
}
