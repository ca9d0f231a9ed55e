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
const transcode = findOperation("transcode");
const params = parseParams(transcode, { video: { maxHeight: 720 } });

/** What an hour takes on a box of so many cores. */
function secondsOn(cores: number, chunkSeconds: number): number {
  const limits = { cpuSlots: Math.ceil(cores / 4), cores, jobsPerGpu: 1 };
  const slots = new Slots({
    clock: systemClock,
    limits: { ...limits, memoryReserveBytes: 0, yieldToOthers: false },
    useOf: () => null,
  });
  const chunks = { seconds: chunkSeconds, cores };
  const inputs = [{ name: "match.mov", media: hour }];
  const plan = planFor(transcode, params, inputs, { ...everything, chunks });
  const { total } = predictPlan(plan, [hour], {
    ...{ cores, verify: "quick", figures: noFigures },
    preview: (work) => ({
      ...{ device: cpuDevice(cores), reason: "", placement: allOnCpu },
      atOnce: slots.cpuAtOnce(needOf(work, allOnCpu)),
    }),
  });
  return total.predictedSeconds;
}

test("an encode in chunks is expected to take about as long as in one piece, however many cores there are", () => {
  for (const cores of [2, 4, 8, 16]) {
    const ratio = secondsOn(cores, 45) / secondsOn(cores, 0);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.15);
  }
});
