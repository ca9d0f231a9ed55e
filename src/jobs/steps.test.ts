import { beforeEach, describe, expect, test } from "bun:test";
import { media as mediaOf } from "../../tests/operations/specimen.ts";
import { ManualClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import type { StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import type { Progress } from "../media/progress.ts";
import type { Plan, Step } from "../operations/operation.ts";
import { noGpus, openBox } from "../runners/box.ts";
import type { Dispatch } from "../runners/dispatch.ts";
import type { AttemptOutcome, AttemptRequest, ProvenOutput, Runner } from "../runners/runner.ts";
import { Failure } from "../trouble.ts";
import { ShownSteps } from "./step-book.ts";
import { type Drain, runSteps, STEPS_AT_ONCE_MAX, type StepsOutcome } from "./steps.ts";

const config = await loadConfig({ file: null, environment: {}, flags: {} });
const toolchain: Toolchain = {
  ...{ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe", version: "7.1", hwaccels: new Set() },
  ...{ encoders: new Set(["libvpx-vp9"]), decoders: new Set(["h264"]), filters: new Set() },
  release: { major: 7, minor: 1 },
};
const { report } = new Failure("stalled", "It stalled.", { hint: "" });

/** Runs end when the test says so, or when they are aborted. */
class ScriptedRunner implements Runner {
  readonly name = "scripted";
  readonly open = new Map<
    string,
    { request: AttemptRequest; end(outcome: AttemptOutcome): void }
  >();
  readonly begun: string[] = [];

  run(request: AttemptRequest): Promise<AttemptOutcome> {
    const { step, signal } = request;
    this.begun.push(step);
    return new Promise((resolve) => {
      const end = (outcome: AttemptOutcome) => {
        this.open.delete(step);
        resolve(outcome);
      };
      signal.addEventListener("abort", () => end({ kind: "aborted" }));
      this.open.set(step, { request, end });
    });
  }

  end(step: string, outcome?: AttemptOutcome): void {
    const run = this.open.get(step);
    if (run === undefined) throw new Error(`${step} does not run`);
    run.end(outcome ?? done(run.request.expectations.map(({ file }) => output(file))));
  }
}

function output(file: string): ProvenOutput {
  return { file, path: `/${file}`, sizeBytes: 1, media: mediaOf({}), checks: [] };
}

function done(outputs: ProvenOutput[]): AttemptOutcome {
  return { kind: "done", outputs, deviceReason: "", encoder: null, proof: null };
}

/** An encode, which takes a slot of the CPU. */
const work: StepWork = {
  kind: "render",
  description: {
    inputs: [{ from: { asset: 0 } }],
    graph: [],
    outputs: [
      {
        ...{ file: "output.webm", container: "webm", audio: [], subtitles: [] },
        ...{ metadataFrom: null, limitSeconds: null },
        video: {
          ...{ kind: "encode", source: { input: 0, stream: 0 }, codec: "vp9" },
          ...{ rate: { quality: 65 }, speed: "balanced", pixelFormat: "yuv420p", gopFrames: 100 },
          color: { primaries: null, transfer: null, space: null, range: null },
          ...{ width: 320, height: 180 },
        },
      },
    ],
    expectedSeconds: 10,
  },
};

function step(name: string, needs: string[] = [], more: Partial<Step> = {}): Step {
  return { name, title: `Do ${name}`, needs, work, makes: [], outputs: [], ...more };
}

const published: Step["outputs"] = [
  {
    ...{ file: "out.mp4", name: "out.mp4", role: "main", mimeType: "video/mp4" },
    expectation: {
      ...{ file: "out.mp4", kind: "video", durationSeconds: null, video: null },
      ...{ audioTracks: 0, audioCodecs: [] },
    },
  },
];

/** survey → chunk-1 … chunk-n, and audio beside them → join, which is published. */
function chunked(count: number): Plan {
  const chunks = Array.from({ length: count }, (_, index) =>
    step(`chunk-${index + 1}`, ["survey"]),
  );
  const joined = ["audio", ...chunks.map(({ name }) => name)];
  const steps = [step("survey"), step("audio"), ...chunks];
  return { steps: [...steps, step("join", joined, { outputs: published })], notes: [] };
}

/** Remembers what it was told; steps in `kept` are done already. */
class Book extends ShownSteps {
  readonly log: string[] = [];
  readonly asked: string[] = [];
  readonly kept = new Set<string>();

  constructor() {
    super(
      ({ name, state }) => this.log.push(`${name} ${state}`),
      () => {},
    );
  }

  override reuse({ name, outputs }: Step): Promise<ProvenOutput[] | null> {
    this.asked.push(name);
    return Promise.resolve(this.kept.has(name) ? outputs.map(({ file }) => output(file)) : null);
  }
}

let runner: ScriptedRunner;
let book: Book;
let abort: AbortController;
let progress: Progress[];

beforeEach(() => {
  runner = new ScriptedRunner();
  book = new Book();
  abort = new AbortController();
  progress = [];
});

function box(cpuSlots: number): Dispatch {
  return openBox({
    config: { ...config, jobs: { ...config.jobs, cpuSlots } },
    clock: new ManualClock(),
    ...{ runner, toolchain: () => toolchain, gpus: noGpus },
  }).dispatch;
}

function begin(plan: Plan, dispatch: Dispatch, drain?: Drain): Promise<StepsOutcome> {
  return runSteps({
    ...{ plan, dispatch, first: null, assetPaths: [], jobFolder: "/", verify: "quick", book },
    ...(drain === undefined ? {} : { drain }),
    signal: abort.signal,
    onProgress: (each) => progress.push(each),
  });
}

/** Until these steps run, and no others. */
async function running(...names: string[]): Promise<void> {
  const deadline = performance.now() + 5_000;
  const wanted = names.toSorted().join(" ");
  for (;;) {
    const found = [...runner.open.keys()].toSorted().join(" ");
    if (found === wanted) return;
    if (performance.now() > deadline) throw new Error(`runs: ${found}; wanted: ${wanted}`);
    await Bun.sleep(1);
  }
}

const slots = { tight: 1, wide: 64 };

describe("steps of a plan", () => {
  test("run side by side as soon as what they need is done, and where there is a place", async () => {
    const outcome = begin(chunked(3), box(slots.wide));
    await running("survey", "audio");
    runner.end("survey");
    await running("audio", "chunk-1", "chunk-2", "chunk-3");
    for (const name of ["chunk-2", "audio", "chunk-1"]) runner.end(name);
    await running("chunk-3");
    runner.end("chunk-3");
    await running("join");
    runner.end("join");
    expect(await outcome).toMatchObject({
      kind: "done",
      finished: [{ declared: { role: "main" }, proven: { file: "out.mp4" } }],
    });
  });

  test("never ask for more places at once than the limit", async () => {
    const outcome = begin(chunked(STEPS_AT_ONCE_MAX + 8), box(slots.wide));
    await running("survey", "audio");
    for (const name of ["survey", "audio"]) runner.end(name);
    const first = Array.from({ length: STEPS_AT_ONCE_MAX }, (_, index) => `chunk-${index + 1}`);
    await running(...first);
    runner.end("chunk-5");
    await running(...first.filter((name) => name !== "chunk-5"), `chunk-${STEPS_AT_ONCE_MAX + 1}`);
    abort.abort();
    expect(await outcome).toEqual({ kind: "aborted" });
  });

  test("when one fails, the others end at once and are not called failed", async () => {
    const outcome = begin(chunked(3), box(slots.wide));
    await running("survey", "audio");
    runner.end("survey");
    await running("audio", "chunk-1", "chunk-2", "chunk-3");
    runner.end("chunk-2", { kind: "failed", report, fault: null });
    expect(await outcome).toEqual({ kind: "failed", report });
    expect(runner.open.size).toBe(0);
    expect(book.log.slice(-4).toSorted()).toEqual([
      ...["audio pending", "chunk-1 pending", "chunk-2 failed", "chunk-3 pending"],
    ]);
    expect(runner.begun).not.toContain("join");
  });

  test("of one that is done nothing is run and nothing that it needed is asked for", async () => {
    book.kept.add("join");
    expect(await begin(chunked(3), box(slots.tight))).toMatchObject({ kind: "done" });
    expect([runner.begun, book.asked]).toEqual([[], ["join"]]);
  });

  test("what is done is kept, what is missing runs, and progress begins where it was", async () => {
    for (const name of ["survey", "audio", "chunk-1", "chunk-2"]) book.kept.add(name);
    const outcome = begin(chunked(3), box(slots.tight));
    await running("chunk-3");
    // Four of six steps of the same weight.
    expect(progress[0]?.percent).toBeGreaterThan(100 / 6 - 1);
    runner.end("chunk-3");
    await running("join");
    runner.end("join");
    expect((await outcome).kind).toBe("done");
    expect(runner.begun).toEqual(["chunk-3", "join"]);
  });

  test("a drain lets those run out that will end in time, and begins none", async () => {
    const stop = new AbortController();
    const drain = { signal: stop.signal, seconds: 5 };
    const outcome = begin(chunked(2), box(slots.wide), drain);
    await running("survey", "audio");
    runner.end("survey");
    await running("audio", "chunk-1", "chunk-2");
    const told = (etaSeconds: number) => ({ ...nothing, percent: 50, etaSeconds });
    runner.open.get("chunk-1")?.request.onProgress(told(2));
    runner.open.get("chunk-2")?.request.onProgress(told(60));
    stop.abort();
    await running("audio", "chunk-1");
    runner.end("chunk-1");
    runner.end("audio");
    expect(await outcome).toEqual({ kind: "aborted" });
    expect(book.log).toContain("chunk-1 done");
    expect(runner.begun).not.toContain("join");
  });

  test("when the book cannot be written, all steps end before it is told", async () => {
    book.begin = () => {
      throw new Error("disk full");
    };
    const dispatch = box(slots.tight);
    await expect(begin(chunked(2), dispatch)).rejects.toThrow("disk full");
    expect(runner.open.size).toBe(0);
    expect(dispatch.place(work)).toHaveProperty("reservation");
  });
});

const nothing: Progress = {
  ...{ percent: null, frame: null, fps: null, outputSeconds: null, speed: null },
  ...{ etaSeconds: null, sizeBytes: null },
};

describe("a place that was taken for a step", () => {
  test("is used by it", async () => {
    const dispatch = box(slots.tight);
    const place = dispatch.place(work);
    if (!("reservation" in place)) throw new Error("a place is free");
    const plan = { steps: [step("only", [], { outputs: published })], notes: [] };
    const outcome = runSteps({
      ...{ plan, dispatch, first: { step: "only", place }, assetPaths: [], jobFolder: "/" },
      ...{ verify: "quick", book, signal: abort.signal, onProgress: () => {} },
    });
    await running("only");
    runner.end("only");
    expect((await outcome).kind).toBe("done");
    expect(dispatch.place(work)).toHaveProperty("reservation");
  });

  test("is given back to one that it needs and that has to run after all", async () => {
    const dispatch = box(slots.tight);
    const place = dispatch.place(work);
    if (!("reservation" in place)) throw new Error("a place is free");
    const outcome = runSteps({
      ...{ plan: chunked(1), dispatch, first: { step: "join", place }, assetPaths: [] },
      ...{ jobFolder: "/", verify: "quick", book, signal: abort.signal, onProgress: () => {} },
    });
    for (const name of ["audio", "survey", "chunk-1", "join"]) {
      await running(name);
      runner.end(name);
    }
    expect((await outcome).kind).toBe("done");
  });
});
