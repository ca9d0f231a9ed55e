/** From fault to the next place, with a runner that fails as the test says. */
import { beforeEach, describe, expect, test } from "bun:test";
import { ManualClock } from "../clock.ts";
import type { RenderDescription, StepWork } from "../media/description.ts";
import type { Device, Toolchain } from "../media/devices.ts";
import type { GpuFault, Reaction } from "../media/gpu-fault.ts";
import { nothingAvoided } from "../media/placement.ts";
import { Dispatch, type DispatchEvents, type StepRun } from "./dispatch.ts";
import type { GpuPool } from "./gpu-pool.ts";
import { onCpuByWish } from "./places.ts";
import type { AttemptOutcome, AttemptRequest, Runner } from "./runner.ts";
import { type SlotLimits, Slots } from "./slots.ts";

const toolchain: Toolchain = {
  ...{ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe", version: "7.1" },
  release: { major: 7, minor: 1 },
  encoders: new Set(["libx264", "h264_nvenc", "libvpx-vp9"]),
  decoders: new Set(["h264"]),
  filters: new Set(["scale_cuda", "hwupload_cuda"]),
  hwaccels: new Set(["cuda"]),
};

function work(codec: "h264" | "vp9" = "h264"): StepWork {
  const description: RenderDescription = {
    inputs: [
      {
        from: { asset: 0 },
        picture: {
          ...{ codec: "h264", pixelFormat: "yuv420p", bitDepth: 8, width: 1920, height: 1080 },
          ...{ rotation: 0, interlaced: false },
        },
      },
    ],
    graph: [
      {
        from: { input: 0, stream: 0 },
        filters: [
          { filter: "scale", width: 1280, height: 720 },
          { filter: "format", pixelFormats: ["yuv420p"] },
        ],
        to: "picture",
      },
    ],
    outputs: [
      {
        ...{ file: "output.mp4", container: "mp4", audio: [], subtitles: [] },
        ...{ metadataFrom: null, limitSeconds: null },
        video: {
          ...{ kind: "encode", source: { pad: "picture" }, codec, rate: { quality: 65 } },
          ...{ speed: "balanced", pixelFormat: "yuv420p", gopFrames: 100 },
          color: { primaries: null, transfer: null, space: null, range: null },
          ...{ width: 1280, height: 720 },
        },
      },
    ],
    expectedSeconds: 10,
  };
  return { kind: "render", description };
}

const cpu: Device = { id: "cpu", kind: "cpu", title: "CPU", slots: 1 };

function l4(number: number, encodes = true): Device {
  const decode = { work: "decode", codec: "h264", bitDepth: 8 } as const;
  const encode = { work: "encode", codec: "h264", bitDepth: 8 } as const;
  return {
    ...{ id: `gpu:${number}`, kind: "gpu", title: `L4 ${number}`, slots: 3 },
    traits: {
      ...{ uuid: `GPU-${number}`, computeCapability: "8.9", memoryTotalBytes: 24e9 },
      skills: encodes ? [encode, decode] : [decode],
    },
  };
}

class Pool implements GpuPool {
  all: Device[] = [];
  looking: string | null = null;
  readonly suspended: string[] = [];
  private readonly listeners = new Set<() => void>();

  devices = () => this.all.filter(({ traits }) => !this.suspended.includes(traits?.uuid ?? ""));
  undecided = () => this.looking;
  whyNone = () => (this.devices().length > 0 ? "" : "This machine has no NVIDIA GPU.");
  suspend = (uuid: string) => {
    this.suspended.push(uuid);
  };
  memoryFreeBytes = () => null;
  onChange = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  change(): void {
    for (const listener of this.listeners) listener();
  }
}

/** Fails by its list, one entry for each run, then succeeds. */
class FailingRunner implements Runner {
  readonly name = "failing";
  readonly requests: AttemptRequest[] = [];
  faults: (GpuFault | "not the GPU")[] = [];

  async run(request: AttemptRequest): Promise<AttemptOutcome> {
    this.requests.push(request);
    const next = this.faults.shift();
    if (next === undefined) {
      return { kind: "done", outputs: [], deviceReason: "Encoded", encoder: "x", proof: null };
    }
    const report = {
      ...{ code: "encoder_failed" as const, message: "exit code 1", hint: "" },
      ...{ retryable: true, log: "the log" },
    };
    return { kind: "failed", report, fault: next === "not the GPU" ? null : next };
  }

  get devices(): string[] {
    return this.requests.map(({ device }) => device.id);
  }
}

function fault(reaction: Reaction, more: Partial<GpuFault> = {}): GpuFault {
  const words = { name: "test", sentence: "It broke.", remedy: null };
  return { ...words, reaction, shortage: null, avoid: nothingAvoided, ...more };
}

const decoderFault = fault("cpu-decode", { avoid: { decode: true, filters: false } });

let pool: Pool;
let runner: FailingRunner;
let told: string[];
const abort = new AbortController();

const events: DispatchEvents = {
  onPlaced: ({ device }) => told.push(`at ${device.id}`),
  onWait: (sentence) => told.push(`waits: ${sentence}`),
  onFault: (_device, { message }) => told.push(`fault: ${message}`),
};

function newDispatch(limits: Partial<SlotLimits> = {}, whenNone: "cpu" | "wait" = "cpu"): Dispatch {
  const slots = new Slots({
    clock: new ManualClock(),
    limits: {
      ...{ cpuSlots: 1, cores: 4, jobsPerGpu: 3, memoryReserveBytes: 0, yieldToOthers: false },
      ...limits,
    },
    useOf: () => null,
  });
  const parts = { runner, slots, gpus: pool, cpu, toolchain: () => toolchain, whenNone };
  return new Dispatch({ ...parts, busyDelayMs: () => 1 });
}

function step(wanted = work(), signal = abort.signal): StepRun {
  return {
    ...{ work: wanted, assetPaths: [], jobFolder: "/", step: "transcode", expectations: [] },
    ...{ verify: "quick" as const, signal, onProgress: () => {} },
  };
}

async function reason(dispatch: Dispatch, wanted?: StepWork): Promise<string> {
  const outcome = await dispatch.carryOut(step(wanted), null, events);
  return outcome.kind === "done" ? outcome.deviceReason : outcome.kind;
}

beforeEach(() => {
  pool = new Pool();
  pool.all = [l4(0), l4(1)];
  runner = new FailingRunner();
  told = [];
});

describe("a place", () => {
  test("is on the GPUs in turn, so that they fill evenly", () => {
    const dispatch = newDispatch();
    const ids = Array.from({ length: 6 }, () => {
      const found = dispatch.place(work());
      return "reservation" in found ? found.device.id : found.sentence;
    });
    expect(ids).toEqual(["gpu:0", "gpu:1", "gpu:0", "gpu:1", "gpu:0", "gpu:1"]);
    expect(dispatch.place(work())).toMatchObject({ kind: "busy" });
  });

  test("for what no GPU encodes is on the CPU while the GPUs are full", () => {
    const dispatch = newDispatch({ jobsPerGpu: 1 });
    dispatch.place(work());
    dispatch.place(work());
    expect(dispatch.place(work())).toMatchObject({ kind: "busy" });
    pool.all = [];
    expect(dispatch.place(work("vp9"))).toMatchObject({ device: { id: "cpu" }, why: "" });
  });

  test("waits for a GPU that is still being tried, and not for one that only decodes", () => {
    pool.all = [l4(0, false)];
    pool.looking = "Still looking.";
    const dispatch = newDispatch();
    expect(dispatch.place(work())).toEqual({ kind: "busy", sentence: "Still looking." });
    pool.looking = null;
    expect(dispatch.place(work())).toMatchObject({ device: { id: "gpu:0" } });
  });

  test("without a GPU is the CPU, or none when the settings say to wait", () => {
    pool.all = [];
    expect(newDispatch().place(work())).toMatchObject({
      device: { id: "cpu" },
      why: "This machine has no NVIDIA GPU.",
    });
    expect(newDispatch({}, "wait").place(work())).toEqual({
      kind: "absent",
      sentence: "No GPU can encode it. This machine has no NVIDIA GPU.",
    });
    expect(newDispatch({}, "wait").place(work(), onCpuByWish)).toHaveProperty("why");
  });

  test("is not given while the box is closed", () => {
    const dispatch = newDispatch();
    dispatch.close("Paused.");
    expect(dispatch.place(work())).toEqual({ kind: "busy", sentence: "Paused." });
    dispatch.close(null);
    expect(dispatch.place(work())).toMatchObject({ device: { id: "gpu:0" } });
  });
});

describe("after a fault", () => {
  test("of a GPU's encoder another GPU does it, and the broken one is out of service", async () => {
    runner.faults = [fault("device-out")];
    expect(await reason(newDispatch())).toBe("Encoded. L4 0: It broke.");
    expect(runner.devices).toEqual(["gpu:0", "gpu:1"]);
    expect(pool.suspended).toEqual(["GPU-0"]);
    expect(told).toEqual(["at gpu:0", "fault: L4 0: It broke.", "at gpu:1"]);
  });

  test("of every GPU the CPU does it, and says what happened", async () => {
    runner.faults = [fault("device-out"), fault("other-gpu")];
    expect(await reason(newDispatch())).toBe("Encoded. L4 0: It broke. L4 1: It broke.");
    expect(runner.devices).toEqual(["gpu:0", "gpu:1", "cpu"]);
    expect(pool.suspended).toEqual(["GPU-0"]);
  });

  test("the next job tries the GPU again", async () => {
    runner.faults = [fault("other-gpu"), fault("other-gpu")];
    const dispatch = newDispatch();
    await reason(dispatch);
    await reason(dispatch);
    expect(runner.devices).toEqual(["gpu:0", "gpu:1", "cpu", "gpu:0"]);
  });

  test("of the decoder the same GPU goes on with the CPU's, and when that fails too another one", async () => {
    runner.faults = [decoderFault, decoderFault];
    await reason(newDispatch());
    expect(runner.requests.map(({ device, avoided }) => [device.id, avoided?.decode])).toEqual([
      ["gpu:0", false],
      ["gpu:0", true],
      ["gpu:1", true],
    ]);
  });

  test("that no GPU can mend the CPU does it", async () => {
    runner.faults = [fault("cpu")];
    await reason(newDispatch());
    expect(runner.devices).toEqual(["gpu:0", "cpu"]);
    expect(pool.suspended).toEqual([]);
    await newDispatch().carryOut({ ...step(), onlyOn: "cpu" }, null, events);
    expect(runner.devices.slice(2)).toEqual(["cpu"]);
  });

  test("for want of sessions it is asked again, and the CPU helps when that never ends", async () => {
    const busy = fault("later", { shortage: "sessions" });
    pool.all = [l4(0)];
    runner.faults = [busy, busy];
    await reason(newDispatch());
    expect(runner.devices).toEqual(["gpu:0", "gpu:0", "gpu:0"]);
    expect(told).toContain("waits: L4 0 is busy: It broke. It is asked again soon.");
    runner = new FailingRunner();
    runner.faults = Array.from({ length: 20 }, () => busy);
    runner.faults[6] = "not the GPU";
    await reason(newDispatch());
    expect(runner.devices).toEqual([...Array(6).fill("gpu:0"), "cpu"]);
  });

  test("that is not the GPU's the step fails at once", async () => {
    runner.faults = ["not the GPU"];
    expect(await reason(newDispatch())).toBe("failed");
    expect(runner.devices).toEqual(["gpu:0"]);
  });

  test("the place is free again, whatever happened", async () => {
    const dispatch = newDispatch({ jobsPerGpu: 1 });
    runner.faults = [fault("device-out"), fault("other-gpu"), "not the GPU"];
    await reason(dispatch);
    pool.suspended.length = 0;
    expect(dispatch.place(work())).toMatchObject({ device: { id: "gpu:0" } });
    expect(dispatch.place(work())).toMatchObject({ device: { id: "gpu:1" } });
    expect(dispatch.place(work("vp9"))).toMatchObject({ device: { id: "cpu" } });
  });
});

describe("whose turn it is", () => {
  /** Runs that last until they are let go; each frees its place. */
  class Lasting implements Runner {
    readonly name = "lasting";
    readonly steps: string[] = [];
    private readonly ends: (() => void)[] = [];

    async run({ step }: AttemptRequest): Promise<AttemptOutcome> {
      this.steps.push(step);
      await new Promise<void>((resolve) => this.ends.push(resolve));
      return { kind: "done", outputs: [], deviceReason: "", encoder: null, proof: null };
    }

    async letGo(): Promise<void> {
      this.ends.shift()?.();
      await Bun.sleep(2);
    }
  }

  test("further steps of a long job and jobs that have not begun get every other place", async () => {
    const lasting = new Lasting();
    runner = lasting as unknown as FailingRunner;
    pool.all = [];
    const dispatch = newDispatch({ cpuSlots: 2 });
    const long = {};
    const queue = ["new-1", "new-2", "new-3"];
    const run = (name: string, job: object) =>
      void dispatch.carryOut({ ...step(work("vp9")), step: name }, null, events, job);
    dispatch.onFree(() => {
      const found = dispatch.place(work("vp9"));
      const name = queue[0];
      if (!("reservation" in found)) return;
      if (name === undefined) return dispatch.release(found);
      queue.shift();
      const placed = { ...step(work("vp9")), step: name };
      void dispatch.carryOut(placed, found, events, {});
    });
    const chunks = ["c1", "c2", "c3", "c4", "c5", "c6"];
    for (const name of chunks) run(name, long);
    await Bun.sleep(2);
    for (let times = 0; times < 9; times += 1) await lasting.letGo();
    expect(lasting.steps).toEqual(["c1", "c2", "new-1", "c3", "new-2", "c4", "new-3", "c5", "c6"]);
  });

  test("a job that holds nothing comes before further steps of another", async () => {
    const lasting = new Lasting();
    runner = lasting as unknown as FailingRunner;
    pool.all = [];
    const dispatch = newDispatch();
    const [long, small] = [{}, {}];
    const run = (name: string, job: object) =>
      void dispatch.carryOut({ ...step(work("vp9")), step: name }, null, events, job);
    run("long-1", long);
    run("long-2", long);
    run("small-2", small);
    for (let times = 0; times < 3; times += 1) await lasting.letGo();
    expect(lasting.steps).toEqual(["long-1", "long-2", "small-2"]);
  });
});

describe("a step that waits inside a job", () => {
  test("comes before jobs that have not begun, also between two steps of one job", async () => {
    pool.all = [];
    const dispatch = newDispatch();
    const order: string[] = [];
    dispatch.onFree(() => {
      const found = dispatch.place(work("vp9"));
      if ("reservation" in found) order.push("another job");
    });
    await reason(dispatch, work("vp9"));
    order.push("first step");
    await reason(dispatch, work("vp9"));
    order.push("second step");
    await Bun.sleep(5);
    expect(order).toEqual(["first step", "second step", "another job"]);
  });

  test("goes on when a place is free", async () => {
    const dispatch = newDispatch();
    pool.all = [];
    const other = dispatch.place(work("vp9"));
    const running = reason(dispatch);
    expect(told).toEqual(["waits: The one slot of the CPU is at work."]);
    if ("reservation" in other) dispatch.release(other);
    expect(await running).toBe("Encoded. This machine has no NVIDIA GPU.");
  });

  test("goes on when a GPU comes", async () => {
    pool.all = [];
    const dispatch = newDispatch({}, "wait");
    const running = reason(dispatch);
    pool.all = [l4(7)];
    pool.change();
    await running;
    expect(runner.devices).toEqual(["gpu:7"]);
  });

  test("ends when it is aborted", async () => {
    pool.all = [];
    const stop = new AbortController();
    const outcome = newDispatch({}, "wait").carryOut(step(work(), stop.signal), null, events);
    stop.abort();
    expect(await outcome).toEqual({ kind: "aborted" });
  });
});
