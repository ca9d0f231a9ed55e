/**
 * The worker: carries out the jobs that the scheduler starts. Runs each step through the dispatch,
 * publishes. It decides nothing about media and writes no SQL.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Asset } from "../assets/asset.ts";
import type { Library } from "../assets/library.ts";
import { databaseRefusal } from "../database/transaction.ts";
import type { Log } from "../log.ts";
import type { Device } from "../media/devices.ts";
import type { GpuFault } from "../media/gpu-fault.ts";
import type { PlanContext } from "../operations/operation.ts";
import type { Dispatch, Place } from "../runners/dispatch.ts";
import { Failure, type FailureReport, Refusal } from "../trouble.ts";
import type { Feed } from "./feed.ts";
import type { Jobs } from "./jobs.ts";
import type { LiveProgress } from "./live.ts";
import { Preparation, type Prepared } from "./preparation.ts";
import { type PublicationParts, publish } from "./publication.ts";
import type { Claim, Queue } from "./queue.ts";
import { Scheduler } from "./scheduler.ts";
import { type Finished, runSteps, type StepsOutcome } from "./steps.ts";

export interface WorkerParts extends PublicationParts {
  queue: Queue;
  jobs: Jobs;
  feed: Feed;
  live: LiveProgress;
  library: Library;
  dispatch: Dispatch;
  log: Log;
  /** What this box's ffmpeg can do; refuses (503) while it is not known. */
  planContext(): PlanContext;
  /** Folder for work in progress; each claim has its own inside and it is gone when the claim ends. */
  workFolder: string;
  verify: "quick" | "full";
  /** Called for each new asset after the commit. */
  onPublished(asset: Asset): void;
}

/** A queued job is found at once by `wake`; this tick heals what a full disk kept from being recorded. */
const HEAL_TICK_MS = 30_000;

interface Running {
  abort: AbortController;
  done: Promise<void>;
}

export class Worker {
  private readonly parts: WorkerParts;
  private readonly preparation: Preparation;
  private readonly scheduler: Scheduler;
  private readonly running = new Map<string, Running>();
  private tick: Timer | null = null;

  constructor(parts: WorkerParts) {
    this.parts = parts;
    this.preparation = new Preparation(parts);
    this.scheduler = new Scheduler({
      ...parts,
      preparation: this.preparation,
      begin: (claim, prepared, place) => this.begin(claim, prepared, place),
      refuse: (claim, trouble) => this.refuse(claim, trouble),
    });
  }

  /** Puts back what a crash left running and clears its files. Call it before anything can claim. */
  async recover(): Promise<void> {
    await rm(this.parts.workFolder, { recursive: true, force: true });
    await mkdir(this.parts.workFolder, { recursive: true, mode: 0o700 });
    this.requeueLost();
  }

  /** Running rows without a run of ours: a crash left them, or their end could not be written. */
  private requeueLost(): void {
    const returned = this.parts.queue.recover([...this.running.keys()]);
    if (returned > 0) this.parts.log.warn({ jobs: returned }, "interrupted jobs are queued again");
  }

  /** Looks after lost jobs and free places; the tick calls it. */
  heal(): void {
    try {
      this.requeueLost();
    } catch (cause) {
      this.parts.log.error({ err: cause }, "the queue cannot be written; trying again");
    }
    this.wake();
  }

  /** Starts to work. */
  start(): void {
    this.tick = setInterval(() => this.heal(), HEAL_TICK_MS);
    this.scheduler.start();
  }

  /** Looks for work. */
  wake(): void {
    this.scheduler.wake();
  }

  /** Jobs that run now. */
  get busySlots(): number {
    return this.running.size;
  }

  /** Ends the ffmpeg of a job that was cancelled. */
  abort(jobId: string): void {
    this.running.get(jobId)?.abort.abort();
    this.preparation.forget(jobId);
  }

  /** Ends all work and puts it back into the queue; resolves when every ffmpeg is gone. */
  async stop(): Promise<void> {
    this.scheduler.stop();
    if (this.tick !== null) clearInterval(this.tick);
    const all = [...this.running.values()];
    for (const { abort } of all) abort.abort();
    await Promise.all(all.map(({ done }) => done));
  }

  private refuse(claim: Claim, trouble: unknown): void {
    this.parts.queue.fail(claim, this.report(trouble, claim));
    this.parts.jobs.tell(claim.ownerId, claim.jobId);
  }

  private begin(claim: Claim, prepared: Prepared, place: Place): void {
    const abort = new AbortController();
    const done = this.carryOut(claim, { prepared, place }, abort.signal)
      .catch((cause: unknown) => this.parts.log.error({ err: cause, job: claim.jobId }, "worker"))
      .finally(() => {
        this.running.delete(claim.jobId);
        this.preparation.forget(claim.jobId);
        this.wake();
      });
    this.running.set(claim.jobId, { abort, done });
  }

  private async carryOut(
    first: Claim,
    work: { prepared: Prepared; place: Place },
    signal: AbortSignal,
  ): Promise<void> {
    const { jobs, live, queue, workFolder } = this.parts;
    // A fault of a device moves the job to the next attempt, which has a claim of its own.
    const held = { claim: first };
    const folder = join(workFolder, `${first.jobId}-${first.fence}`);
    jobs.tell(first.ownerId, first.jobId);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const outcome = await this.runPlan(held, work, folder, signal);
      if (outcome.kind === "failed") queue.fail(held.claim, outcome.report);
      else if (outcome.kind === "aborted") queue.release(held.claim);
      else await this.publishAll(held.claim, outcome.finished);
    } catch (cause) {
      queue.fail(held.claim, this.report(cause, held.claim));
    } finally {
      live.clear(first.jobId);
      await rm(folder, { recursive: true, force: true });
      jobs.tell(first.ownerId, first.jobId);
    }
  }

  private async publishAll(claim: Claim, finished: readonly Finished[]): Promise<void> {
    const assets = await publish(this.parts, claim, finished);
    for (const asset of assets ?? []) this.parts.onPublished(asset);
  }

  private report(cause: unknown, claim: Claim): FailureReport {
    if (cause instanceof Failure) return cause.report;
    const refusal = cause instanceof Refusal ? cause : databaseRefusal(cause);
    if (refusal !== null) {
      const code = refusal.status === 507 ? "disk_full" : "input_missing";
      return new Failure(code, refusal.message, { hint: "Put it right and retry the job." }).report;
    }
    this.parts.log.error({ err: cause, job: claim.jobId }, "job ended by an error of ours");
    return new Failure("internal", "Kinomill made an error while it ran this job.", {
      hint: "Retry the job. If it fails again, send the log of the server with the job's id.",
      retryable: true,
    }).report;
  }

  private runPlan(
    held: { claim: Claim },
    { prepared, place }: { prepared: Prepared; place: Place },
    jobFolder: string,
    signal: AbortSignal,
  ): Promise<StepsOutcome> {
    const { dispatch, verify, queue, jobs, live, feed } = this.parts;
    const { ownerId, jobId } = held.claim;
    return runSteps({
      ...prepared,
      dispatch,
      firstPlace: place,
      jobFolder,
      verify,
      signal,
      onStep: (steps, changed) => {
        queue.noteSteps(held.claim, steps, changed);
        jobs.show(ownerId, jobId);
      },
      onFault: (device, report, fault) => {
        this.logFault(jobId, device, fault);
        // Void when it was cancelled meanwhile: what runs on is aborted, and its end changes nothing.
        held.claim = queue.tryElsewhere(held.claim, report, device) ?? held.claim;
        jobs.tell(ownerId, jobId);
      },
      onProgress: (progress) => {
        live.set(jobId, progress);
        feed.publish(ownerId, { type: "progress", jobId, progress });
      },
    });
  }

  private logFault(jobId: string, device: Device, fault: GpuFault): void {
    const { name, reaction } = fault;
    this.parts.log.warn({ job: jobId, device: device.id, fault: name, reaction }, fault.sentence);
  }
}
