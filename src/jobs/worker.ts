/**
 * The worker: as many jobs at a time as the device has slots. Claims, plans, runs each step through the
 * runner, publishes. It decides nothing about media and writes no SQL.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Asset } from "../assets/asset.ts";
import type { Library } from "../assets/library.ts";
import { databaseRefusal } from "../database/transaction.ts";
import type { Log } from "../log.ts";
import type { Device } from "../media/devices.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import type { Plan, PlanContext } from "../operations/operation.ts";
import type { Runner } from "../runners/runner.ts";
import { assert, Failure, type FailureReport, Refusal } from "../trouble.ts";
import type { Feed } from "./feed.ts";
import type { Jobs } from "./jobs.ts";
import type { LiveProgress } from "./live.ts";
import { type PublicationParts, publish } from "./publication.ts";
import type { Claim, Queue } from "./queue.ts";
import { type Finished, runSteps, type StepsOutcome } from "./steps.ts";

export interface WorkerParts extends PublicationParts {
  queue: Queue;
  jobs: Jobs;
  feed: Feed;
  live: LiveProgress;
  library: Library;
  runner: Runner;
  device: Device;
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

export class Worker {
  private readonly parts: WorkerParts;
  private readonly running = new Map<string, { abort: AbortController; done: Promise<void> }>();
  private started = false;
  private stopping = false;
  private tick: Timer | null = null;

  constructor(parts: WorkerParts) {
    this.parts = parts;
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

  /** Looks after lost jobs and free slots; the tick calls it. */
  heal(): void {
    try {
      this.requeueLost();
      this.wake();
    } catch (cause) {
      this.parts.log.error({ err: cause }, "the queue cannot be read or written; trying again");
    }
  }

  /** Starts to work. */
  start(): void {
    this.started = true;
    this.tick = setInterval(() => this.heal(), HEAL_TICK_MS);
    this.wake();
  }

  /** Fills the free slots with queued jobs. */
  wake(): void {
    while (this.started && !this.stopping && this.running.size < this.parts.device.slots) {
      const claim = this.parts.queue.claim(this.parts.device);
      if (claim === null) return;
      const abort = new AbortController();
      const done = this.carryOut(claim, abort.signal)
        .catch((cause: unknown) => this.parts.log.error({ err: cause, job: claim.jobId }, "worker"))
        .finally(() => {
          this.running.delete(claim.jobId);
          this.wake();
        });
      this.running.set(claim.jobId, { abort, done });
    }
  }

  /** Jobs that run now. */
  get busySlots(): number {
    return this.running.size;
  }

  /** Ends the ffmpeg of a job that was cancelled. */
  abort(jobId: string): void {
    this.running.get(jobId)?.abort.abort();
  }

  /** Ends all work and puts it back into the queue; resolves when every ffmpeg is gone. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.tick !== null) clearInterval(this.tick);
    const all = [...this.running.values()];
    for (const { abort } of all) abort.abort();
    await Promise.all(all.map(({ done }) => done));
  }

  private async carryOut(claim: Claim, signal: AbortSignal): Promise<void> {
    const { jobs, live, queue } = this.parts;
    const folder = join(this.parts.workFolder, `${claim.jobId}-${claim.fence}`);
    jobs.tell(claim.ownerId, claim.jobId);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const outcome = await this.runPlan(claim, folder, signal);
      if (outcome.kind === "failed") queue.fail(claim, outcome.report);
      else if (outcome.kind === "aborted") queue.release(claim);
      else await this.publishAll(claim, outcome.finished);
    } catch (cause) {
      queue.fail(claim, this.report(cause, claim));
    } finally {
      live.clear(claim.jobId);
      await rm(folder, { recursive: true, force: true });
      jobs.tell(claim.ownerId, claim.jobId);
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

  private runPlan(claim: Claim, jobFolder: string, signal: AbortSignal): Promise<StepsOutcome> {
    const { plan, assetPaths } = this.planClaim(claim);
    const { runner, device, verify, queue, jobs, live, feed } = this.parts;
    return runSteps({
      plan,
      runner,
      device,
      assetPaths,
      jobFolder,
      verify,
      signal,
      onStep: (steps, changed) => {
        queue.noteSteps(claim, steps, changed.deviceReason);
        jobs.show(claim.ownerId, claim.jobId);
      },
      onProgress: (progress) => {
        live.set(claim.jobId, progress);
        feed.publish(claim.ownerId, { type: "progress", jobId: claim.jobId, progress });
      },
    });
  }

  private planClaim(claim: Claim): { plan: Plan; assetPaths: string[] } {
    const operation = findOperation(claim.operation);
    const params = parseParams(operation, claim.params);
    const inputs = claim.inputIds.map((id) => this.parts.library.get(claim.ownerId, id));
    const planInputs = inputs.map(({ name, media }) => {
      assert(media !== null, "a job's input was media when the job was accepted");
      return { name, media };
    });
    const assetPaths = inputs.map(({ id }) => {
      const path = this.parts.storage.localPath(id);
      assert(path !== null, "this storage has local files");
      return path;
    });
    return { plan: planFor(operation, params, planInputs, this.parts.planContext()), assetPaths };
  }
}
