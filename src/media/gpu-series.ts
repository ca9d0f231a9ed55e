/** The samples of a span as a series that a graph can draw. Pure. */
import type { GpuSample } from "./gpu-samples.ts";

/** Figures whose peak says whether something fitted; of the others the mean says how busy it was. */
const peaks = new Set<keyof GpuSample>(["memoryUsedBytes", "sessionCount"]);

/**
 * At most so many points, each for an equal part of the span. Parts without a sample give none. The
 * parts lie fast on the clock, so that a graph that moves does not jitter.
 * @param samples not older than `spanMs`, the oldest first
 * @param pointsMax at least 2
 */
export function thinned(
  samples: readonly GpuSample[],
  spanMs: number,
  pointsMax: number,
): readonly GpuSample[] {
  if (samples.length <= pointsMax) return samples;
  // One part less than there are points: the span begins and ends inside of one.
  const partMs = spanMs / (pointsMax - 1);
  const parts = Map.groupBy(samples, ({ atMs }) => Math.floor(atMs / partMs));
  // Rounding may put the edge of the span into a part of its own.
  return Array.from(parts.values(), together).slice(-pointsMax);
}

function together(part: GpuSample[]): GpuSample {
  const newest = part.at(-1);
  if (newest === undefined) throw new Error("invariant broken: a part has a sample");
  const figures = Object.entries(newest).map(([name, last]) => {
    if (name === "atMs" || name === "uuid" || name === "takenAt") return [name, last];
    return [name, figureOf(part, name as keyof GpuSample)];
  });
  return Object.fromEntries(figures) as GpuSample;
}

function figureOf(part: GpuSample[], name: keyof GpuSample): number | null {
  const values = part.map((sample) => sample[name]).filter((value) => typeof value === "number");
  if (values.length === 0) return null;
  if (peaks.has(name)) return Math.max(...values);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.round(mean * 10) / 10;
}
