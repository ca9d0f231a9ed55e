/**
 * WHEN: the queue as an SQL state machine. Each transition is one function whose UPDATE names the old
 * state (and, for a running job, the fence) in its WHERE; "no row" is an outcome that the caller
 * handles. Readers are in `rows.ts`; nothing else writes the `job` and `attempt` tables. Steps are in `step-rows.ts`.
 */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import type { FailureReport } from "../trouble.ts";
import type { JobAttempt, JobStep } from "./job.ts";
import type { JobRow } from "./rows.ts";
import { type PlannedStep, StepRows } from "./step-rows.ts";

/** The right to move one running job: valid until somebody else moved it. */
export interface Claim {
  jobId: string;
  ownerId: string;
  operation: string;
  params: Record<string, unknown>;
  inputIds: string[];
  /** How its outputs are proven; null: as the setting says. */
  verify: "quick" | "full" | null;
  fence: number;
}

/** A job that may be claimed. */
export interface Candidate extends Omit<Claim, "fence"> {
  /** Whether it waits for a device that the box does not have. */
  held: boolean;
  /** Why it does not run, as it was noted last. */
  reason: string | null;
}

/** Where a job's work runs now, as one of its steps has it. */
export type StepPlace = Pick<JobStep, "device" | "deviceReason" | "proof">;

const cancellableStates = ["queued", "waiting", "running"] as const;
type CancellableState = (typeof cancellableStates)[number];

export interface NewJob {
  id: string;
  ownerId: string;
  operation: string;
  title: string;
  params: Record<string, unknown>;
  inputIds: readonly string[];
  labels: Record<string, string>;
  priority: number;
  notes: readonly string[];
  steps: readonly PlannedStep[];
  /** How its outputs are proven; absent: as the setting says. */
  verify?: "quick" | "full";
  idempotency: { key: string; sha256: string } | null;
}

export class Queue {
  private readonly database: Database;
  private readonly clock: Clock;
  private readonly steps: StepRows;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
    this.steps = new StepRows(database, clock);
  }

  private now(): string {
    return isoTime(this.clock.nowMs());
  }

  /** Records a new job as queued, with its inputs. Call it inside the caller's transaction. */
  insert(job: NewJob): void {
    this.database
      .query(
        `INSERT INTO job (id, owner_id, operation, title, state, params, labels, priority, notes, verify,
           idempotency_key, idempotency_sha256, created_at)
         VALUES (?1, ?2, ?3, ?4, 'queued', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`,
      )
      .run(
        job.id,
        job.ownerId,
        job.operation,
        job.title,
        JSON.stringify(job.params),
        JSON.stringify(job.labels),
        job.priority,
        JSON.stringify(job.notes),
        job.verify ?? null,
        job.idempotency?.key ?? null,
        job.idempotency?.sha256 ?? null,
        this.now(),
      );
    const input = this.database.query(
      "INSERT INTO job_input (job_id, position, asset_id) VALUES (?1, ?2, ?3)",
    );
    for (const [position, assetId] of job.inputIds.entries()) input.run(job.id, position, assetId);
    this.steps.insert(job.id, job.steps);
  }

  /** Jobs that may be claimed, the most urgent first, then the oldest. */
  candidates(limit: number): Candidate[] {
    return this.database
      .query<JobRow, [number]>(
        `SELECT * FROM job WHERE state IN ('queued', 'waiting')
         ORDER BY priority DESC, id LIMIT ?1`,
      )
      .all(limit)
      .map((row) => ({
        ...this.request(row),
        held: row.state === "waiting",
        reason: row.device_reason,
      }));
  }

  /** queued or waiting → running: this job, or the first of all. Null when there is none to take. */
  claim(device: { id: string }, jobId: string | null = null): Claim | null {
    return transaction(this.database, (): Claim | null => {
      const row = this.database
        .query<JobRow, [string, string, string | null]>(
          `UPDATE job SET state = 'running', fence = fence + 1, started_at = ?1, device = ?2,
               device_reason = NULL, progress_percent = 0
             WHERE id = coalesce(?3, (SELECT id FROM job WHERE state IN ('queued', 'waiting')
                                      ORDER BY priority DESC, id LIMIT 1))
               AND state IN ('queued', 'waiting')
             RETURNING *`,
        )
        .get(this.now(), device.id, jobId);
      if (row === null) return null;
      this.beginAttempt(row.id, row.fence, device.id);
      return { ...this.request(row), fence: row.fence };
    });
  }

  private request(row: JobRow): Omit<Claim, "fence"> {
    return {
      jobId: row.id,
      ownerId: row.owner_id,
      operation: row.operation,
      params: JSON.parse(row.params) as Record<string, unknown>,
      inputIds: this.inputIds(row.id),
      verify: row.verify,
    };
  }

  private beginAttempt(jobId: string, fence: number, deviceId: string): void {
    this.database
      .query(
        `INSERT INTO attempt (job_id, fence, device, outcome, started_at)
           VALUES (?1, ?2, ?3, 'running', ?4)`,
      )
      .run(jobId, fence, deviceId, this.now());
  }

  /** queued → waiting: no device of the box can do it now. Also changes the reason of one that waits. */
  hold(jobId: string, reason: string): boolean {
    return this.park(jobId, "waiting", reason);
  }

  /** waiting → queued: a device can do it, but none is free. Also changes the reason of a queued one. */
  unhold(jobId: string, reason: string): boolean {
    return this.park(jobId, "queued", reason);
  }

  private park(jobId: string, state: "queued" | "waiting", reason: string): boolean {
    return (
      this.database
        .query(
          `UPDATE job SET state = ?2, device_reason = ?3
           WHERE id = ?1 AND state IN ('queued', 'waiting')`,
        )
        .run(jobId, state, reason).changes === 1
    );
  }

  /**
   * running → running: the attempt ended by a fault of its device, and the next one begins on another.
   * Null when the claim is void.
   */
  tryElsewhere(claim: Claim, error: FailureReport, device: { id: string }): Claim | null {
    return transaction(this.database, (): Claim | null => {
      const row = this.database
        .query<{ fence: number }, [string, number, string]>(
          `UPDATE job SET fence = fence + 1, device = ?3, device_reason = NULL, progress_percent = 0
             WHERE id = ?1 AND state = 'running' AND fence = ?2 RETURNING fence`,
        )
        .get(claim.jobId, claim.fence, device.id);
      if (row === null) return null;
      this.endAttempt(claim.jobId, claim.fence, "failed", error);
      this.beginAttempt(claim.jobId, row.fence, device.id);
      return { ...claim, fence: row.fence };
    });
  }

  private inputIds(jobId: string): string[] {
    return this.database
      .query<{ asset_id: string }, [string]>(
        "SELECT asset_id FROM job_input WHERE job_id = ?1 ORDER BY position",
      )
      .all(jobId)
      .map(({ asset_id }) => asset_id);
  }

  /** Where a running job runs now, and what really ran there. False when the claim is no longer valid. */
  noteRun(claim: Claim, { device, deviceReason, proof = null }: StepPlace): boolean {
    return transaction(this.database, (): boolean => {
      const noted = this.database
        .query(
          `UPDATE job SET device = coalesce(?3, device), device_reason = coalesce(?4, device_reason)
           WHERE id = ?1 AND state = 'running' AND fence = ?2`,
        )
        .run(claim.jobId, claim.fence, device, deviceReason).changes;
      if (noted !== 1) return false;
      this.database
        .query(
          `UPDATE attempt SET device = coalesce(?3, device),
             device_reason = coalesce(?4, device_reason), proof = coalesce(?5, proof)
           WHERE job_id = ?1 AND fence = ?2 AND outcome = 'running'`,
        )
        .run(claim.jobId, claim.fence, device, deviceReason, jsonOrNull(proof));
      return true;
    });
  }

  /** What is to be told of a running attempt besides. False when the claim is no longer valid. */
  noteAttempt(claim: Claim, notes: readonly string[]): boolean {
    return (
      this.database
        .query(
          `UPDATE attempt SET notes = ?3
           WHERE job_id = ?1 AND fence = ?2 AND outcome = 'running'`,
        )
        .run(claim.jobId, claim.fence, JSON.stringify(notes)).changes === 1
    );
  }

  /** running → succeeded. `record` writes the outputs in the same transaction. False: the claim is void. */
  succeed(claim: Claim, record: () => void): boolean {
    return this.finish(claim, "succeeded", null, record);
  }

  /** running → failed. */
  fail(claim: Claim, error: FailureReport): boolean {
    return this.finish(claim, "failed", error, () => {});
  }

  private finish(
    claim: Claim,
    state: "succeeded" | "failed",
    error: FailureReport | null,
    record: () => void,
  ): boolean {
    return transaction(this.database, (): boolean => {
      const moved = this.database
        .query(
          `UPDATE job SET state = ?3, error = ?4, finished_at = ?5,
               progress_percent = CASE ?3 WHEN 'succeeded' THEN 100 ELSE progress_percent END
             WHERE id = ?1 AND state = 'running' AND fence = ?2`,
        )
        .run(claim.jobId, claim.fence, state, jsonOrNull(error), this.now()).changes;
      if (moved !== 1) return false;
      this.endAttempt(claim.jobId, claim.fence, state, error);
      record();
      return true;
    });
  }

  private endAttempt(
    jobId: string,
    fence: number,
    outcome: JobAttempt["outcome"],
    error: FailureReport | null,
  ): void {
    this.database
      .query(
        `UPDATE attempt SET outcome = ?3, error = ?4, finished_at = ?5
         WHERE job_id = ?1 AND fence = ?2 AND outcome = 'running'`,
      )
      .run(jobId, fence, outcome, jsonOrNull(error), this.now());
  }

  /** running → queued, for a shutdown: interrupted is not failed. */
  release(claim: Claim): boolean {
    return transaction(this.database, (): boolean => {
      const moved = this.database
        .query(
          `UPDATE job SET state = 'queued', started_at = NULL, device = NULL, progress_percent = 0
             WHERE id = ?1 AND state = 'running' AND fence = ?2`,
        )
        .run(claim.jobId, claim.fence).changes;
      if (moved === 1) this.endAttempt(claim.jobId, claim.fence, "interrupted", null);
      return moved === 1;
    });
  }

  /** running → queued for all but those that do run: rows that a crash left. Returns how many. */
  recover(runningIds: readonly string[] = []): number {
    const except = JSON.stringify(runningIds);
    return transaction(this.database, (): number => {
      this.database
        .query(
          `UPDATE attempt SET outcome = 'interrupted', finished_at = ?1 WHERE outcome = 'running'
               AND job_id NOT IN (SELECT value FROM json_each(?2))`,
        )
        .run(this.now(), except);
      return this.database
        .query(
          `UPDATE job SET state = 'queued', started_at = NULL, device = NULL, progress_percent = 0
             WHERE state = 'running' AND id NOT IN (SELECT value FROM json_each(?1))`,
        )
        .run(except).changes;
    });
  }

  /** queued, waiting or running → cancelled. Returns the state before, or null when it was none of them. */
  cancel(ownerId: string, jobId: string): CancellableState | null {
    return transaction(this.database, (): CancellableState | null => {
      for (const from of cancellableStates) {
        const row = this.database
          .query<{ fence: number }, [string, string, string, string]>(
            `UPDATE job SET state = 'cancelled', finished_at = ?4
               WHERE id = ?1 AND owner_id = ?2 AND state = ?3 RETURNING fence`,
          )
          .get(jobId, ownerId, from, this.now());
        if (row === null) continue;
        this.endAttempt(jobId, row.fence, "cancelled", null);
        return from;
      }
      return null;
    });
  }

  /** failed or cancelled → queued, asked for by a person. False when it was in another state. */
  retry(ownerId: string, jobId: string): boolean {
    return (
      this.database
        .query(
          `UPDATE job SET state = 'queued', error = NULL, started_at = NULL, finished_at = NULL,
             device = NULL, device_reason = NULL, progress_percent = 0
           WHERE id = ?1 AND owner_id = ?2 AND state IN ('failed', 'cancelled')`,
        )
        .run(jobId, ownerId).changes === 1
    );
  }

  /** Moves a job that does not run yet before or behind others. False when it is not one. */
  setPriority(ownerId: string, jobId: string, priority: number): boolean {
    return (
      this.database
        .query(
          `UPDATE job SET priority = ?3
           WHERE id = ?1 AND owner_id = ?2 AND state IN ('queued', 'waiting')`,
        )
        .run(jobId, ownerId, priority).changes === 1
    );
  }
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
