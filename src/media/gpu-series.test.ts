import { expect, test } from "bun:test";
import fc from "fast-check";
import type { GpuSample } from "./gpu-samples.ts";
import { thinned } from "./gpu-series.ts";

function sample(atMs: number, change: Partial<GpuSample> = {}): GpuSample {
  return {
    ...{ uuid: "GPU-aa", takenAt: new Date(atMs).toISOString(), atMs },
    ...{ encoderPercent: 0, decoderPercent: null, gpuPercent: 0, memoryUsedBytes: 0 },
    ...{ memoryTotalBytes: 8, temperatureCelsius: 40, powerWatts: 20, sessionCount: 0 },
    ...{ averageFps: 0, ...change },
  };
}

test("few samples stay as they are", () => {
  const samples = [sample(0), sample(2000)];
  expect(thinned(samples, 60_000, 2)).toBe(samples);
});

test("a point is the mean of its part, and the peak of what must fit", () => {
  const samples = [0, 1, 2, 3].map((number) =>
    sample(number * 2000, {
      encoderPercent: [10, 21, 90, 90][number] ?? null,
      temperatureCelsius: number === 1 ? null : 40,
      memoryUsedBytes: [1, 5, 3, 2][number] ?? null,
      sessionCount: [0, 0, 3, 1][number] ?? null,
    }),
  );
  expect(thinned(samples, 4000, 2)).toEqual([
    sample(2000, { encoderPercent: 15.5, memoryUsedBytes: 5 }),
    sample(6000, { encoderPercent: 90, memoryUsedBytes: 3, sessionCount: 3 }),
  ]);
});

test("nor one more where rounding puts the edge of the span into a part of its own", () => {
  // 500 ÷ (100 ÷ 3) is a little less than 15.
  const samples = [500, 510, 540, 570, 600].map((atMs) => sample(atMs));
  expect(thinned(samples, 100, 4).map(({ atMs }) => atMs)).toEqual([510, 540, 570, 600]);
});

test("never more points than asked for, in order, the newest among them", () => {
  const moments = fc.uniqueArray(fc.integer({ min: 0, max: 3_600_000 }), { minLength: 1 });
  fc.assert(
    fc.property(moments, fc.integer({ min: 2, max: 40 }), fc.nat(1e9), (atMs, most, start) => {
      const samples = atMs.toSorted((a, b) => a - b).map((at) => sample(start + at));
      const points = thinned(samples, 3_600_000, most);
      expect(points.length).toBeLessThanOrEqual(most);
      expect(points.at(-1)?.atMs).toBe(samples.at(-1)?.atMs ?? -1);
      expect(points).toEqual(points.toSorted((a, b) => a.atMs - b.atMs));
    }),
  );
});
