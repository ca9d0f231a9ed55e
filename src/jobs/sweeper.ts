/**
 * Clears the folders of jobs that need them no more: of those that ended or are not known at once, of those that
 * failed after a day, for a retry takes up what was done.
 */
import type { Database } from "bun:sqlite";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { endOf } from "./rows.ts";
import type { StepRows } from "./step-rows.ts";
import type { WorkFolders } from "./work-folders.ts";

/** A person who looks once a day finds what a failed job had done; longer would fill the disk with what nobody wants. */
export const KEPT_AFTER_FAILURE_MS = 24 * 3600 * 1000;

/** What ended is cleared when it ends: a sweep looks for what a crash left, and for what is a day old. */
const SWEEP_EVERY_MS = 10 * 60 * 1000;

export interface SweeperParts {
  database: Database;
  stepRows: StepRows;
  folders: WorkFolders;
  clock: Clock;
  log: Log;
  /** Whether a job has a run that has not ended to its last: its folder is left alone. */
  isRunning(jobId: string): boolean;
}

export class Sweeper {
  private readonly parts: SweeperParts;
  private tick: Timer | null = null;
  private sweeping = false;

  constructor(parts: SweeperParts) {
    this.parts = parts;
  }

  /** Sweeps now, and then every now and then. */
  start(): void {
    this.tick = setInterval(() => void this.sweep(), SWEEP_EVERY_MS);
    void this.sweep();
  }

  stop(): void {
    if (this.tick !== null) clearInterval(this.tick);
    this.tick = null;
  }

  /** One folder after another, so that it takes little of the disk at a time. Never rejects. */
  async sweep(): Promise<void> {
    if (this.sweeping) return;
    this.sweeping = true;
    try {
      for (const jobId of await this.parts.folders.sweepStrays()) await this.sweepJob(jobId);
    } catch (cause) {
      this.parts.log.warn({ err: cause }, "work folders could not be swept; the next sweep tries");
    } finally {
      this.sweeping = false;
    }
  }

  private async sweepJob(jobId: string): Promise<void> {
    const { database, stepRows, folders, clock } = this.parts;
    if (this.parts.isRunning(jobId)) return;
    const job = endOf(database, jobId);
    const failed = job?.state === "failed";
    const old = failed && clock.nowMs() - Date.parse(job.finishedAt ?? "") > KEPT_AFTER_FAILURE_MS;
    const waits = job?.state === "queued" || job?.state === "waiting";
    if ((failed && !old) || waits) {
      await folders.clearUnfinished(jobId, () => {
        if (this.parts.isRunning(jobId)) return null;
        return new Set(stepRows.kept(jobId).keys());
      });
    } else await this.forget(jobId);
  }

  /** The rows say it first: what they say is there is there. */
  private forget(jobId: string): Promise<void> {
    this.parts.stepRows.forgetResults(jobId);
    return this.parts.folders.clear(jobId);
  }

  /** Gives up what the job that failed first keeps for a retry. False when no job keeps anything for one. */
  async clearOldest(): Promise<boolean> {
    const { database, stepRows, isRunning } = this.parts;
    const failed = [...stepRows.jobsWithResults()]
      .filter((jobId) => !isRunning(jobId))
      .map((jobId) => ({ jobId, job: endOf(database, jobId) }))
      .filter(({ job }) => job?.state === "failed")
      .toSorted((a, b) => ((a.job?.finishedAt ?? "") < (b.job?.finishedAt ?? "") ? -1 : 1));
    const [oldest] = failed;
    if (oldest === undefined) return false;
    await this.forget(oldest.jobId);
    return true;
  }
}
