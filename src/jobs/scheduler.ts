/**
 * Which job starts next, and where: looks through those that wait, in their order, takes a place for each
 * that has one, and notes on the others why they wait. Carrying them out is the worker's.
 */
import type { Log } from "../log.ts";
import type { Step } from "../operations/operation.ts";
import type { Dispatch, Place, Wait } from "../runners/dispatch.ts";
import { wantsGpu } from "../runners/places.ts";
import { Refusal } from "../trouble.ts";
import type { Jobs } from "./jobs.ts";
import type { Preparation, Prepared } from "./preparation.ts";
import type { Candidate, Claim, Queue } from "./queue.ts";
import type { StepRows } from "./step-rows.ts";
import { isPlace, Turns, type Wanted } from "./turns.ts";

/** A place that was taken for a step. */
export interface FirstPlace {
  step: string;
  place: Place;
}

export interface SchedulerParts {
  queue: Queue;
  stepRows: StepRows;
  jobs: Jobs;
  dispatch: Dispatch;
  preparation: Preparation;
  log: Log;
  /** Whether a run of this job has not ended to its last. */
  isRunning(jobId: string): boolean;
  /** Carries a claimed job out; `first` is null when all its steps are done and it has only to be published. */
  begin(claim: Claim, prepared: Prepared, first: FirstPlace | null): void;
  /** Ends a claimed job that cannot be planned any more. */
  refuse(claim: Claim, trouble: unknown): void;
}

/** Jobs that are looked at in one round: enough to find work for an idle device behind a full one. */
const CANDIDATES_MAX = 256;

/** Of those, the ones whose reason to wait is kept up to date on the page. */
const REASONS_MAX = 50;

/** A job that was cancelled and retried while its ffmpeg was being ended. */
const winding: Wait = { kind: "busy", sentence: "Its last run is just being ended." };

export class Scheduler {
  private readonly parts: SchedulerParts;
  private readonly turns = new Turns();
  /** Jobs of which finished steps are kept, as the round that runs found it. */
  private withResults: ReadonlySet<string> = new Set();
  private started = false;
  private stopping = false;
  private waking = false;

  constructor(parts: SchedulerParts) {
    this.parts = parts;
    parts.dispatch.onFree(() => this.wake());
  }

  start(): void {
    this.started = true;
    this.wake();
  }

  stop(): void {
    this.stopping = true;
  }

  /** Starts the jobs for which there is a place, and notes on the others why they wait. */
  wake(): void {
    // What is released in a round wakes us again: the round that runs sees it.
    if (this.waking || !this.started || this.stopping) return;
    this.waking = true;
    try {
      this.withResults = this.parts.stepRows.jobsWithResults();
      const candidates = this.parts.queue.candidates(CANDIDATES_MAX);
      const waiting = this.turns.round(
        candidates,
        (job) => this.wantedOf(job),
        (job) => this.tryStart(job),
      );
      for (const { job, wait } of waiting.slice(0, REASONS_MAX)) this.noteWait(job, wait);
    } catch (cause) {
      this.parts.log.error({ err: cause }, "the queue cannot be read or written; trying again");
    } finally {
      this.waking = false;
    }
  }

  private wantedOf(job: Candidate): Wanted {
    const { prepared } = this.prepare(job);
    const next = prepared === null ? null : this.nextStep(job, prepared);
    return next !== null && wantsGpu(next.work) ? "gpu" : "cpu";
  }

  /** The first step that has to run; null when all are done already. */
  private nextStep({ jobId }: Candidate, { plan, fingerprints }: Prepared): Step | null {
    if (!this.withResults.has(jobId)) return plan.steps[0] ?? null;
    const kept = this.parts.stepRows.kept(jobId);
    const stands = ({ name }: Step) => kept.get(name)?.fingerprint === fingerprints.get(name);
    return plan.steps.find((step) => !stands(step)) ?? null;
  }

  private prepare(job: Candidate): { prepared: Prepared | null; trouble: unknown } {
    try {
      return { prepared: this.parts.preparation.prepare(job), trouble: null };
    } catch (trouble) {
      return { prepared: null, trouble };
    }
  }

  /** True when it was started, or ended because it cannot be. */
  private tryStart(job: Candidate): Wait | true {
    if (this.parts.isRunning(job.jobId)) return winding;
    const { prepared, trouble } = this.prepare(job);
    if (prepared === null) return this.refuse(job, trouble);
    const next = this.nextStep(job, prepared);
    if (next === null) return this.claim(job, prepared, null);
    const found = this.parts.dispatch.place(next.work);
    return isPlace(found) ? this.claim(job, prepared, { step: next.name, place: found }) : found;
  }

  private claim(job: Candidate, prepared: Prepared, first: FirstPlace | null): true {
    const { queue, dispatch } = this.parts;
    const claim = queue.claim(first?.place.device ?? { id: "cpu" }, job.jobId);
    if (claim !== null) this.parts.begin(claim, prepared, first);
    else if (first !== null) dispatch.release(first.place);
    return true;
  }

  /** A job that cannot be planned any more fails with the reason; without an ffmpeg it waits. */
  private refuse(job: Candidate, trouble: unknown): Wait | true {
    if (trouble instanceof Refusal && trouble.status === 503) {
      return { kind: "busy", sentence: trouble.message };
    }
    const claim = this.parts.queue.claim({ id: "cpu" }, job.jobId);
    if (claim !== null) this.parts.refuse(claim, trouble);
    return true;
  }

  private noteWait(job: Candidate, wait: Wait): void {
    const held = wait.kind === "absent";
    if (job.held === held && job.reason === wait.sentence) return;
    const { queue, jobs } = this.parts;
    const noted = held
      ? queue.hold(job.jobId, wait.sentence)
      : queue.unhold(job.jobId, wait.sentence);
    if (noted) jobs.show(job.ownerId, job.jobId);
  }
}
