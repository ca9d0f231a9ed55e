/**
 * The worker: has the jobs that the scheduler starts carried out, and ends them all when the server stops. It
 * decides nothing about media and writes no SQL.
 */
import type { Clock } from "../clock.ts";
import { Rest } from "../media/pause.ts";
import { endBackOffs } from "./alarm.ts";
import { type JobRunParts, reportOf, runJob } from "./job-run.ts";
import { type PlanMade, Preparation, type PreparationParts } from "./preparation.ts";
import type { Claim } from "./queue.ts";
import type { Room } from "./room.ts";
import { Scheduler, type Start } from "./scheduler.ts";
import type { Drain } from "./steps.ts";
import { Sweeper } from "./sweeper.ts";

export type WorkerParts = JobRunParts & PreparationParts & { room: Room; clock: Clock };

/** A queued job is found at once by `wake`; this tick heals what a full disk kept from being recorded. */
const HEAL_TICK_MS = 30_000;

/** How soon it is tried again when the end of a job could not be written: work goes on when the disk does. */
const HEAL_SOON_MS = 2_000;

interface Running {
  abort: AbortController;
  rest: Rest;
  done: Promise<void>;
}

export class Worker {
  private readonly parts: WorkerParts;
  private readonly preparation: Preparation;
  private readonly scheduler: Scheduler;
  private readonly sweeper: Sweeper;
  private readonly running = new Map<string, Running>();
  private readonly draining = new AbortController();
  private readonly drain: Drain = { signal: this.draining.signal, seconds: 0 };
  private tick: Timer | null = null;
  /** Set while the end of a job is not written. */
  private soon: Timer | null = null;
  private stopping = false;
  private makingRoom = false;

  constructor(parts: WorkerParts) {
    this.parts = parts;
    this.preparation = new Preparation(parts);
    const isRunning = (jobId: string) => this.isRunning(jobId);
    this.sweeper = new Sweeper({ ...parts, isRunning });
    this.scheduler = new Scheduler({
      ...parts,
      preparation: this.preparation,
      isRunning,
      // Later: the round that asks is a transaction.
      wantRoom: () => setImmediate(() => void this.wantRoom()),
      begin: (start) => this.begin(start),
      refuse: (claim, trouble) => this.refuse(claim, trouble),
    });
  }

  /** Puts back what a crash left running; its finished steps are kept. Call it before anything can claim. */
  async recover(): Promise<void> {
    await this.parts.folders.prepare();
    this.requeueLost(true);
    endBackOffs(this.parts.queue.ledger);
  }

  /** Running rows without a run of ours: a crash left them, or their end could not be written. */
  private requeueLost(died: boolean): void {
    const returned = this.parts.queue.recover([...this.running.keys()], died);
    if (returned > 0) this.parts.log.warn({ jobs: returned }, "interrupted jobs are queued again");
  }

  /** Looks after lost jobs and free places; the tick calls it. */
  heal(): void {
    try {
      this.requeueLost(false);
      this.parts.jobs.submission.sweepKeys();
    } catch (cause) {
      this.parts.log.error({ err: cause }, "the queue cannot be written; trying again");
      this.healSoon();
    }
    this.scheduler.lookAtAll();
  }

  private healSoon(): void {
    if (this.stopping) return;
    this.soon ??= setTimeout(() => {
      this.soon = null;
      this.heal();
    }, HEAL_SOON_MS);
  }

  /** Starts to work. */
  start(): void {
    this.tick = setInterval(() => this.heal(), HEAL_TICK_MS);
    this.scheduler.start();
    this.sweeper.start();
  }

  /** Looks for work. */
  wake(): void {
    this.scheduler.wake();
  }

  /** The plan of a job that was just asked for; it may begin at once. */
  planned(jobId: string, made: PlanMade): void {
    this.preparation.offer(jobId, made);
  }

  /** Jobs that run now. */
  get busySlots(): number {
    return this.running.size;
  }

  /** Whether a job has a run here that has not ended to its last. */
  isRunning(jobId: string): boolean {
    return this.running.has(jobId);
  }

  /** Ends the ffmpeg of a job that was cancelled. */
  abort(jobId: string): void {
    this.running.get(jobId)?.abort.abort();
    this.preparation.forget(jobId);
  }

  /**
   * Ends all work and puts it back into the queue; resolves when every ffmpeg is gone. Steps that will be done
   * within the seconds get that time, and none begins.
   */
  async stop(drainSeconds = 0): Promise<void> {
    this.stopping = true;
    this.scheduler.stop();
    this.sweeper.stop();
    if (this.tick !== null) clearInterval(this.tick);
    if (this.soon !== null) clearTimeout(this.soon);
    this.drain.seconds = drainSeconds;
    this.draining.abort();
    const all = [...this.running.values()];
    // What a person paused will not end by itself.
    for (const { abort, rest } of all) if (rest.paused) abort.abort();
    const limit = setTimeout(() => {
      for (const { abort } of all) abort.abort();
    }, drainSeconds * 1000);
    await Promise.all(all.map(({ done }) => done));
    clearTimeout(limit);
  }

  /** A running job is to stand still, or to go on. */
  pause(jobId: string, paused: boolean): void {
    this.parts.experience.interrupt();
    this.running.get(jobId)?.rest.set(paused);
  }

  /** A job found no room: one failed job after another gives up what it keeps for a retry. */
  private async wantRoom(): Promise<void> {
    if (this.makingRoom) return;
    this.makingRoom = true;
    try {
      if (await this.sweeper.clearOldest()) this.scheduler.lookAtAll();
    } catch (cause) {
      this.parts.log.warn({ err: cause }, "what failed jobs keep could not be cleared");
    } finally {
      this.makingRoom = false;
    }
  }

  private refuse(claim: Claim, trouble: unknown): void {
    this.parts.queue.fail(claim, reportOf(this.parts, trouble, claim));
    this.parts.jobs.announce(claim.jobId);
  }

  private begin(start: Start): void {
    const { claim } = start;
    const abort = new AbortController();
    const rest = new Rest();
    const run = { ...start, signal: abort.signal, rest, drain: this.drain };
    const done = runJob(this.parts, run)
      .catch((cause: unknown) => {
        this.parts.log.error({ err: cause, job: claim.jobId }, "the end of a job is not written");
        this.healSoon();
      })
      .finally(() => {
        this.running.delete(claim.jobId);
        this.preparation.forget(claim.jobId);
        this.parts.room.giveBack(claim.jobId);
        this.scheduler.lookAtAll();
      });
    this.running.set(claim.jobId, { abort, rest, done });
  }
}
