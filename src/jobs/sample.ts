/**
 * The sample of the first start: a film made on the spot is encoded on a GPU, where there is one, and on the CPU, so
 * that people see what their box does. It goes the way of every job, but without a queue, and is no asset unless
 * somebody keeps it.
 */
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../log.ts";
import type { Toolchain } from "../media/devices.ts";
import type { LocalConfig } from "../runners/described-run.ts";
import type { Dispatch } from "../runners/dispatch.ts";
import { Failure, type FailureReport, Refusal } from "../trouble.ts";
import type { JobStep, OnlyDevice } from "./job.ts";
import { type Extent, prepareTrial, type Trial } from "./self-test.ts";
import { ShownSteps } from "./step-book.ts";
import { runSteps } from "./steps.ts";

/** One encoding of the film. */
export interface SampleRun {
  state: "running" | "done" | "failed";
  progressPercent: number;
  /** "cpu", "gpu:0"; null while it waits for a place. */
  device: string | null;
  /** What it waits for; null while it runs. */
  waitReason: string | null;
  /** What ran where, in a sentence; null before. */
  sentence: string | null;
  /** From the place on the device to the proven film; null before the end. */
  seconds: number | null;
  /** Pictures per second of work. */
  framesPerSecond: number | null;
  /** Seconds of film per second of work. */
  realtimeFactor: number | null;
  error: FailureReport | null;
}

export interface SampleState {
  state: "none" | "running" | "done" | "failed";
  /** Of the film; null before it is there. */
  film: { width: number; height: number; seconds: number } | null;
  runs: SampleRun[];
  /** Why no film could be made. */
  error: FailureReport | null;
}

export interface SampleParts {
  config: LocalConfig;
  toolchain(): Toolchain;
  dispatch: Dispatch;
  /** Absolute; emptied at the start and at the end. */
  folder: string;
  log: Log;
}

/** Long enough to see a difference, short enough for the first minute. */
const extent: Extent = { clipSeconds: 3, speed: "balanced" };
const FRAMES_PER_SECOND = 30;

/** It is looked at while it runs and right after; a page that stays open keeps the figures, not the film. */
const KEPT_MS = 30 * 60_000;
/** A box on which three seconds of film take longer is in trouble. */
const LIMIT_MS = 5 * 60_000;

const nothing: SampleState = { state: "none", film: null, runs: [], error: null };

/** One at a time on a box: everybody who looks sees the same. */
export class Sample {
  private readonly parts: SampleParts;
  private shown: SampleState = nothing;
  private made: string | null = null;
  private abort = new AbortController();
  private work: Promise<void> | null = null;
  private timer: Timer | null = null;

  constructor(parts: SampleParts) {
    this.parts = parts;
  }

  /** What a server before this one left. */
  async open(): Promise<void> {
    await rm(this.parts.folder, { recursive: true, force: true });
  }

  state(): SampleState {
    return this.shown;
  }

  /** Begins one unless it runs. @throws Refusal 503 while there is no ffmpeg */
  start(): SampleState {
    if (this.work !== null) return this.shown;
    const toolchain = this.parts.toolchain();
    this.shown = { ...nothing, state: "running", runs: [] };
    this.abort = new AbortController();
    const limit = setTimeout(() => this.abort.abort(), LIMIT_MS);
    this.work = this.carryOut(toolchain, this.shown).finally(() => {
      clearTimeout(limit);
      this.work = null;
      this.timer = setTimeout(() => void this.clear(), KEPT_MS);
      this.timer.unref();
    });
    return this.shown;
  }

  /** The encoded film, to be kept. @throws Refusal 404 where there is none (any more) */
  async film(): Promise<{ path: string; sizeBytes: number }> {
    const path = this.made;
    const found = path === null ? null : await stat(path).catch(() => null);
    if (path === null || found === null) {
      throw new Refusal(404, "not_found", "The sample is not there any more. Run it again.");
    }
    return { path, sizeBytes: found.size };
  }

  /** Ends it and throws it away; the figures stay. */
  async clear(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.abort.abort();
    await this.work;
    this.made = null;
    await rm(this.parts.folder, { recursive: true, force: true });
  }

  /** Never rejects. */
  private async carryOut(toolchain: Toolchain, shown: SampleState): Promise<void> {
    const { config, folder } = this.parts;
    const { signal } = this.abort;
    try {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const film = await prepareTrial({ config, toolchain, folder, signal }, extent);
      const { video } = film.media;
      const { width = 0, height = 0 } = video ?? {};
      shown.film = { width, height, seconds: film.clipSeconds };
      await this.encode(shown, film, null);
      // Where the box chose the CPU by itself there is nothing to compare it with.
      const [first] = shown.runs;
      if (first?.device !== "cpu") await this.encode(shown, film, "cpu");
      const worked = shown.runs.some(({ state }) => state === "done");
      shown.state = worked ? "done" : "failed";
    } catch (cause) {
      shown.error = this.reportOf(cause);
      shown.state = "failed";
    }
  }

  private async encode(shown: SampleState, film: Trial, onlyOn: OnlyDevice | null): Promise<void> {
    const run: SampleRun = {
      ...{ state: "running", progressPercent: 0, device: null, waitReason: null, sentence: null },
      ...{ seconds: null, framesPerSecond: null, realtimeFactor: null, error: null },
    };
    shown.runs.push(run);
    const jobFolder = join(this.parts.folder, `run-${shown.runs.length}`);
    await mkdir(jobFolder, { recursive: true, mode: 0o700 });
    const clock = { begunMs: performance.now() };
    const outcome = await runSteps({
      plan: { steps: [film.step], notes: [] },
      ...{ dispatch: this.parts.dispatch, first: null, assetPaths: [film.path], jobFolder },
      ...{ verify: "quick", onlyOn, signal: this.abort.signal },
      book: new ShownSteps(
        (step) => follow(run, step, film.clipSeconds, clock),
        () => undefined,
      ),
      onProgress: ({ percent }) => {
        if (percent !== null) run.progressPercent = percent;
      },
    });
    if (outcome.kind === "done") {
      run.state = "done";
      run.progressPercent = 100;
      this.made ??= outcome.finished[0]?.proven.path ?? null;
      return;
    }
    run.state = "failed";
    run.error =
      outcome.kind === "failed"
        ? outcome.report
        : new Failure("internal", "It took too long, or was stopped.").report;
  }

  private reportOf(cause: unknown): FailureReport {
    if (cause instanceof Failure) return cause.report;
    this.parts.log.error({ err: cause }, "the sample ended by an error of ours");
    return new Failure("internal", "Kinomill made an error with the sample.", {
      hint: "The log says more. Upload a video and try it with that.",
    }).report;
  }
}

function follow(
  run: SampleRun,
  { state, device, deviceReason, proof }: JobStep,
  clipSeconds: number,
  clock: { begunMs: number },
): void {
  run.waitReason = state === "pending" ? deviceReason : null;
  if (state === "running") {
    run.device = device;
    clock.begunMs = performance.now();
  }
  if (state !== "done") return;
  const seconds = Math.max(0.001, (performance.now() - clock.begunMs) / 1000);
  run.seconds = seconds;
  run.realtimeFactor = clipSeconds / seconds;
  run.framesPerSecond = run.realtimeFactor * FRAMES_PER_SECOND;
  run.sentence = proof?.sentence ?? deviceReason;
}
