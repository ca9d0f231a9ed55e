import { expect, test } from "bun:test";
import { everything, media } from "../../tests/operations/specimen.ts";
import { systemClock } from "../clock.ts";
import { cpuDevice } from "../media/devices.ts";
import type { Placement } from "../media/placement.ts";
import { noFigures } from "../media/work-figures.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import { needOf } from "../runners/need.ts";
import { Slots } from "../runners/slots.ts";
import { predictPlan } from "./prediction.ts";

const allOnCpu: Placement = { decode: "cpu", filters: "cpu", encode: "cpu", because: "" };
const hour = media({ durationSeconds: 3600 });

/** What an hour takes and makes on a box of so many cores. */
function predicted(name: string, wish: unknown, cores: number, chunkSeconds: number) {
  const operation = findOperation(name);
  const limits = { cpuSlots: Math.ceil(cores / 4), cores, jobsPerGpu: 1 };
  const slots = new Slots({
    clock: systemClock,
    limits: { ...limits, memoryReserveBytes: 0, yieldToOthers: false },
    useOf: () => null,
  });
  const chunks = { seconds: chunkSeconds, cores };
  const inputs = [{ name: "match.mov", media: hour }];
  const params = parseParams(operation, wish);
  const plan = planFor(operation, params, inputs, { ...everything, chunks });
  return predictPlan(plan, [hour], {
    ...{ cores, verify: "quick", figures: noFigures },
    preview: (work) => ({
      ...{ device: cpuDevice(cores), reason: "", placement: allOnCpu },
      atOnce: slots.cpuAtOnce(needOf(work, allOnCpu)),
    }),
  });
}

function secondsOn(cores: number, chunkSeconds: number): number {
  const wish = { video: { maxHeight: 720 } };
  return predicted("transcode", wish, cores, chunkSeconds).total.predictedSeconds;
}

test("an encode in chunks is expected to take about as long as in one piece, however many cores there are", () => {
  for (const cores of [2, 4, 8, 16]) {
    const ratio = secondsOn(cores, 45) / secondsOn(cores, 0);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.15);
  }
});

test("a ladder is expected to be as large as its rungs and sounds together, in chunks or not", () => {
  const params = { format: "hls", quality: 65 };
  const bytes = [0, 45].map((chunkSeconds) => {
    const { total } = predicted("ladder", params, 4, chunkSeconds);
    return total.predictedBytes;
  });
  const top = predicted("transcode", { video: { codec: "h264", quality: 65 } }, 4, 0).total;
  for (const each of bytes) {
    expect(each / top.predictedBytes).toBeGreaterThan(1.2);
    expect(each / top.predictedBytes).toBeLessThan(3);
  }
  expect((bytes[1] ?? 0) / (bytes[0] ?? 1)).toBeCloseTo(1, 1);
});

test("the size of an encode by quality is as uncertain in chunks as in one piece", () => {
  const wish = { video: { codec: "h264", maxHeight: 720, quality: 65 } };
  const [whole, chunked] = [0, 45].map((chunkSeconds) => {
    const { total } = predicted("transcode", wish, 4, chunkSeconds);
    return total.predictedBytesRange.high / total.predictedBytesRange.low;
  });
  expect((chunked ?? 0) / (whole ?? 1)).toBeCloseTo(1, 1);
  expect(whole).toBeGreaterThan(3);
});

test("the sound of an encode in chunks is counted too", () => {
  const params = {
    video: { codec: "h264", maxHeight: 720, quality: 40 },
    audio: { codec: "aac", bitRate: 320_000 },
  };
  const [whole, chunked] = [0, 45].map(
    (chunkSeconds) => predicted("transcode", params, 4, chunkSeconds).total.predictedBytes,
  );
  expect((chunked ?? 0) / (whole ?? 1)).toBeCloseTo(1, 1);
});
