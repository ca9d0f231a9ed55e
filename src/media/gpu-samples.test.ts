import { expect, test } from "bun:test";
import { type GpuFigures, GpuSamples, SAMPLES_MAX } from "./gpu-samples.ts";

const figures: GpuFigures = {
  ...{ encoderPercent: 1, decoderPercent: 0, gpuPercent: null },
  ...{ memoryUsedBytes: 150_754_820_096, memoryTotalBytes: 150_754_820_096 },
  ...{ temperatureCelsius: 40, powerWatts: 27.4, sessionCount: null, averageFps: 0 },
};

test("the ring keeps the newest samples in order, null apart from nought", () => {
  const samples = new GpuSamples("GPU-aa");
  expect(samples.latest()).toBeNull();
  const total = SAMPLES_MAX + 5;
  for (let number = 0; number < total; number += 1) {
    samples.push(number * 2, 1000 + number, { ...figures, encoderPercent: number % 100 });
  }
  const all = samples.since(0);
  expect(all.length).toBe(SAMPLES_MAX);
  expect(all.map(({ atMs }) => atMs)).toEqual(
    Array.from({ length: SAMPLES_MAX }, (_, position) => (position + 5) * 2),
  );
  expect(samples.latest()).toEqual(all.at(-1) ?? null);
  expect(samples.latest()).toEqual({
    ...figures,
    ...{ uuid: "GPU-aa", atMs: (total - 1) * 2, encoderPercent: (total - 1) % 100 },
    takenAt: new Date(1000 + total - 1).toISOString(),
  });
  expect(samples.since((total - 3) * 2).length).toBe(3);
});
