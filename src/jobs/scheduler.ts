/**
 * Which job starts next, and where: looks through those that wait, in their order, takes a place for each
 * that has one, and notes on the others why they wait. Carrying them out is the worker's.
 */
import type { Log } from "../log.ts";
import type { Dispatch, Place, Wait } from "../runners/dispatch.ts";
import { wantsGpu } from "../runners/places.ts";
import { assert, Refusal } from "../trouble.ts";
import type { Jobs } from "./jobs.ts";
import type { Preparation, Prepared } from "./preparation.ts";
import type { Candidate, Claim, Queue } from "./queue.ts";
import { isPlace, Turns, type Wanted } from "./turns.ts";

export interface SchedulerParts {
  queue: Queue;
  jobs: Jobs;
  dispatch: Dispatch;
  preparation: Preparation;
  log: Log;
  /** Carries a claimed job out at a place that was taken for its first step. */
  begin(claim: Claim, prepared: Prepared, place: Place): void;
  /** Ends a claimed job that cannot be planned any more. */
  refuse(claim: Claim, trouble: unknown): void;
}

/** Jobs that are looked at in one round: enough to find work for an idle device behind a full one. */
const CANDIDATES_MAX = 256;

/** Of those, the ones whose reason to wait is kept up to date on the page. */
const REASONS_MAX = 50;

export class Scheduler {
  private readonly parts: SchedulerParts;
  private readonly turns = new Turns();
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
    const first = this.prepare(job).prepared?.plan.steps[0];
    return first !== undefined && wantsGpu(first.work) ? "gpu" : "cpu";
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
    const { prepared, trouble } = this.prepare(job);
    if (prepared === null) return this.refuse(job, trouble);
    const first = prepared.plan.steps[0];
    assert(first !== undefined, "a plan has a step");
    const found = this.parts.dispatch.place(first.work);
    if (!isPlace(found)) return found;
    const claim = this.parts.queue.claim(found.device, job.jobId);
    if (claim === null) this.parts.dispatch.release(found);
    else this.parts.begin(claim, prepared, found);
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
