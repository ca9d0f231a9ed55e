/** When a step's place is others': before it ends where what is left of it needs none. */
import { expect, test } from "bun:test";
import { ManualClock } from "../clock.ts";
import type { RenderDescription, StepWork } from "../media/description.ts";
import type { Device } from "../media/devices.ts";
import { Dispatch } from "./dispatch.ts";
import type { AttemptOutcome, AttemptRequest } from "./runner.ts";
import { Slots } from "./slots.ts";

const description: RenderDescription = {
  ...{ inputs: [{ from: { asset: 0 } }], graph: [], outputs: [], expectedSeconds: 10 },
};
const chunk: StepWork = {
  ...{ kind: "chunk", description, number: 0, of: 2 },
  seams: { step: "seams", file: "seams.json" },
};
const cpu: Device = { id: "cpu", kind: "cpu", title: "CPU", slots: 1 };

/** A step that has made its outputs, and ends when it is told to. */
async function rendered(work: StepWork) {
  const end = Promise.withResolvers<AttemptOutcome>();
  const begun = Promise.withResolvers<AttemptRequest>();
  const runner = {
    name: "held",
    run(request: AttemptRequest) {
      begun.resolve(request);
      return end.promise;
    },
  };
  const slots = new Slots({
    clock: new ManualClock(),
    limits: {
      ...{ cpuSlots: 1, cores: 2, jobsPerGpu: 1, memoryReserveBytes: 0, yieldToOthers: false },
    },
    useOf: () => null,
  });
  const gpus = {
    ...{ devices: () => [], undecided: () => null, whyNone: () => "", suspend: () => {} },
    ...{ memoryFreeBytes: () => null, onChange: () => () => {} },
  };
  const toolchain = () => ({
    ...{ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe", version: "7.1" },
    release: { major: 7, minor: 1 },
    ...{ encoders: new Set(["libx264"]), decoders: new Set(["h264"]) },
    ...{ filters: new Set<string>(), hwaccels: new Set<string>() },
  });
  const dispatch = new Dispatch({ runner, slots, gpus, cpu, toolchain, whenNone: "cpu" });
  const ended = dispatch.carryOut(
    {
      ...{ work, assetPaths: [], jobFolder: "/", step: "part-1", expectations: [] },
      ...{ verify: "quick", signal: new AbortController().signal, onProgress: () => {} },
    },
    null,
    { onPlaced: () => {}, onWait: () => {}, onFault: () => {} },
  );
  const request = await begun.promise;
  expect(slots.use(cpu).jobs).toBe(1);
  request.onRendered?.();
  const jobs = slots.use(cpu).jobs;
  // As the runner does at the end of every step.
  request.onRendered?.();
  end.resolve({ kind: "done", outputs: [], deviceReason: "", encoder: null, proof: null });
  await ended;
  expect(slots.use(cpu).jobs).toBe(0);
  return jobs;
}

test("of the CPU when a chunk is encoded, although its packets are still looked at", async () => {
  expect(await rendered(chunk)).toBe(0);
});

test("of the CPU not while it proves what it made itself", async () => {
  expect(await rendered({ kind: "render", description })).toBe(1);
});
