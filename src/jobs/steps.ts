/**
 * Runs the steps of a plan: each as soon as what it needs is done and there is a place for it, so that one job can
 * use the whole box. The worker and the command line's `run` share it.
 */
import type { Rest } from "../media/pause.ts";
import type { Progress } from "../media/progress.ts";
import type { Plan, Step, StepOutput } from "../operations/operation.ts";
import type { Dispatch, DispatchEvents, Place, StepRun } from "../runners/dispatch.ts";
import type { ProvenOutput } from "../runners/runner.ts";
import { assert, type FailureReport } from "../trouble.ts";
import { Turnstile } from "../turnstile.ts";
import type { OnlyDevice } from "./job.ts";
import type { FirstPlace } from "./scheduler.ts";
import type { StepBook } from "./step-book.ts";
import { WholeProgress } from "./step-progress.ts";

/** An output that the plan declared and the runner proved, now or in an earlier run. */
export interface Finished {
  declared: StepOutput;
  proven: ProvenOutput;
}

export type StepsOutcome =
  | { kind: "done"; finished: Finished[] }
  | { kind: "aborted" }
  | { kind: "failed"; report: FailureReport };

/** The end of the server, announced. */
export interface Drain {
  signal: AbortSignal;
  /** Valid once the signal is aborted. */
  seconds: number;
}

export interface StepsRequest {
  plan: Plan;
  dispatch: Dispatch;
  /** A place that was taken for one of the steps already; null: each takes its own. */
  first: FirstPlace | null;
  /** Absolute paths of the input files by position. */
  assetPaths: string[];
  /** Absolute folder for this work; it exists. */
  jobFolder: string;
  verify: "quick" | "full";
  /** The device that a person wants; absent or null: wherever each step fits. */
  onlyOn?: OnlyDevice | null;
  /** Ends all steps. */
  signal: AbortSignal;
  /** The switch by which the job is paused; absent: it cannot be. */
  rest?: Rest;
  /** When its signal is aborted no further step begins, and those that will not end within its seconds are ended. */
  drain?: Drain;
  book: StepBook;
  /** Seconds that each step is expected to take, by name; absent or null: by their descriptions. Asked for once. */
  weights?: () => ReadonlyMap<string, number> | null;
  /** Progress of the whole plan. */
  onProgress(progress: Progress): void;
}

/**
 * Steps of one job that run or ask for a place at once: a box with eight GPUs has 24 places and those of its
 * processor. Each that asks looks again whenever a place is free, so that more would cost without a use.
 */
export const STEPS_AT_ONCE_MAX = 32;

/** Earlier results that are looked at at once: they are read whole, and one thread hashes them all. */
const REUSES_AT_ONCE_MAX = 2;

/** Each ffmpeg tells its progress twice a second; all of a job together are passed on about as often. */
const PROGRESS_EVERY_MS = 450;

/** Never rejects for what a step does; rejects, with all steps ended, when the book or the runner does. */
export function runSteps(request: StepsRequest): Promise<StepsOutcome> {
  return new Run(request).outcome();
}

/** A step that runs, or asks for a place. */
interface Active {
  step: Step;
  abort: AbortController;
  placed: boolean;
}

class Run {
  private readonly request: StepsRequest;
  private readonly steps: ReadonlyMap<string, Step>;
  /** Whether each step that was asked for came to be done. */
  private readonly settled = new Map<string, Promise<boolean>>();
  private readonly finished = new Map<string, Finished[]>();
  private readonly active = new Set<Active>();
  private readonly running = new Turnstile(STEPS_AT_ONCE_MAX);
  private readonly reusing = new Turnstile(REUSES_AT_ONCE_MAX);
  private readonly progress: WholeProgress;
  private toldAtMs = Number.NEGATIVE_INFINITY;
  /** Ends all steps when one failed. */
  private readonly halt = new AbortController();
  private first: FirstPlace | null;
  private failure: FailureReport | null = null;
  private trouble: { cause: unknown } | null = null;

  constructor(request: StepsRequest) {
    this.request = request;
    this.steps = new Map(request.plan.steps.map((step) => [step.name, step]));
    this.progress = new WholeProgress(request.plan.steps, request.weights ?? (() => null));
    this.first = request.first;
  }

  async outcome(): Promise<StepsOutcome> {
    const { plan, drain } = this.request;
    const letRunOut = () => this.letRunOut();
    drain?.signal.addEventListener("abort", letRunOut, { once: true });
    // From the ends back: what only a step needs that is done already is not looked at again.
    const needed = new Set(plan.steps.flatMap(({ needs }) => needs));
    const ends = plan.steps.filter(({ name, outputs }) => outputs.length > 0 || !needed.has(name));
    const done = await Promise.all(ends.map(({ name }) => this.settle(name)));
    drain?.signal.removeEventListener("abort", letRunOut);
    this.giveBackFirst();
    if (this.trouble !== null) throw this.trouble.cause;
    if (this.failure !== null) return { kind: "failed", report: this.failure };
    if (!done.every(Boolean)) return { kind: "aborted" };
    return {
      kind: "done",
      finished: plan.steps.flatMap(({ name }) => this.finished.get(name) ?? []),
    };
  }

  private get ended(): boolean {
    const { signal, drain } = this.request;
    return signal.aborted || this.halt.signal.aborted || drain?.signal.aborted === true;
  }

  /** Brings a step about, and what it needs before; false when it did not come to be done. Never rejects. */
  private settle(name: string): Promise<boolean> {
    const known = this.settled.get(name);
    if (known !== undefined) return known;
    const settled = this.bringAbout(this.stepOf(name)).catch((cause: unknown) => {
      this.trouble ??= { cause };
      this.halt.abort();
      return false;
    });
    this.settled.set(name, settled);
    return settled;
  }

  private stepOf(name: string): Step {
    const step = this.steps.get(name);
    assert(step !== undefined, `the plan has a step ${name}`);
    return step;
  }

  private async bringAbout(step: Step): Promise<boolean> {
    const kept = await this.reusing.through(async () =>
      this.ended ? null : await this.request.book.reuse(step),
    );
    if (kept !== null) return this.noteDone(step, kept);
    const needs = await Promise.all(step.needs.map((need) => this.settle(need)));
    if (!needs.every(Boolean)) return false;
    return await this.running.through(() => this.carryOut(step));
  }

  private noteDone(step: Step, outputs: readonly ProvenOutput[]): true {
    this.finished.set(step.name, pairOutputs(step, outputs));
    this.progress.done(step.name);
    this.tellProgress();
    return true;
  }

  private async carryOut(step: Step): Promise<boolean> {
    if (this.ended) return false;
    const { dispatch, book } = this.request;
    const active = { step, abort: new AbortController(), placed: false };
    this.active.add(active);
    try {
      const place = this.firstPlaceFor(step);
      const outcome = await dispatch.carryOut(
        this.runOf(active),
        place,
        this.eventsOf(active),
        this,
      );
      if (outcome.kind === "done") {
        const outputs = await book.finish(step, outcome);
        if (outputs !== null) return this.noteDone(step, outputs);
        // Cancelled meanwhile, or claimed by another.
        this.halt.abort();
        return false;
      }
      this.progress.reset(step.name);
      if (outcome.kind === "aborted") book.stop(step);
      else {
        this.failure ??= outcome.report;
        this.halt.abort();
        book.fail(step);
      }
      return false;
    } finally {
      this.active.delete(active);
    }
  }

  private runOf({ step, abort }: Active): StepRun {
    const { assetPaths, jobFolder, verify, onlyOn = null, signal, rest } = this.request;
    const { name, work, outputs, proves = [], provesOfGpu: expectationsOfGpu = [] } = step;
    const declared = outputs.map(({ expectation }) => expectation);
    return {
      ...{ work, assetPaths, jobFolder, step: name, verify, onlyOn },
      ...{ expectations: [...declared, ...proves], expectationsOfGpu },
      signal: AbortSignal.any([signal, this.halt.signal, abort.signal]),
      rest,
      onProgress: (progress) => {
        this.progress.see(name, progress, performance.now());
        this.tellProgress();
      },
    };
  }

  private eventsOf(active: Active): DispatchEvents {
    const { book } = this.request;
    const { step } = active;
    return {
      onPlaced: (place) => {
        active.placed = true;
        if (!book.begin(step, place)) this.halt.abort();
      },
      onWait: (sentence) => {
        // While others run, that this one waits is no news.
        if (![...this.active].some(({ placed }) => placed)) book.wait(step, sentence);
      },
      onFault: (device, report, fault) => {
        active.placed = false;
        this.progress.reset(step.name);
        book.fault(step, device, report, fault);
      },
    };
  }

  /** The place that was taken for this step. One for a later step is given back, for this one may need it. */
  private firstPlaceFor(step: Step): Place | null {
    const { first } = this;
    if (first === null) return null;
    if (first.step !== step.name) {
      if (this.dependsOn(first.step, step.name)) this.giveBackFirst();
      return null;
    }
    this.first = null;
    return first.place;
  }

  private giveBackFirst(): void {
    if (this.first !== null) this.request.dispatch.release(this.first.place);
    this.first = null;
  }

  private dependsOn(name: string, other: string): boolean {
    return this.stepOf(name).needs.some((need) => need === other || this.dependsOn(need, other));
  }

  private letRunOut(): void {
    const limit = this.request.drain?.seconds ?? 0;
    for (const { step, abort, placed } of this.active) {
      // Who says nothing of its end may be proving its output: it gets the time that there is.
      const late = (this.progress.etaOf(step.name) ?? 0) > limit;
      if (!placed || late) abort.abort();
    }
  }

  private tellProgress(): void {
    const nowMs = performance.now();
    if (nowMs < this.toldAtMs + PROGRESS_EVERY_MS) return;
    this.toldAtMs = nowMs;
    this.request.onProgress(this.progress.whole(nowMs));
  }
}

function pairOutputs(step: Step, outputs: readonly ProvenOutput[]): Finished[] {
  return step.outputs.map((declared) => {
    const proven = outputs.find(({ file }) => file === declared.file);
    assert(proven !== undefined, `the runner proved ${declared.file}`);
    return { declared, proven };
  });
}
