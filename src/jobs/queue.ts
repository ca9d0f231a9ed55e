/**
 * WHEN: the queue as an SQL state machine. Each transition is one function whose UPDATE names the old
 * state (and, for a running job, the fence) in its WHERE; "no row" is an outcome that the caller
 * handles. Readers are in `rows.ts`; nothing else writes the `job` and `attempt` tables.
 */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import type { FailureReport } from "../trouble.ts";
import type { JobAttempt, JobStep } from "./job.ts";
import type { JobRow } from "./rows.ts";

/** The right to move one running job: valid until somebody else moved it. */
export interface Claim {
  jobId: string;
  ownerId: string;
  operation: string;
  params: Record<string, unknown>;
  inputIds: string[];
  fence: number;
}

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
  steps: readonly JobStep[];
  idempotency: { key: string; sha256: string } | null;
}

export class Queue {
  private readonly database: Database;
  private readonly clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  private now(): string {
    return isoTime(this.clock.nowMs());
  }

  /** Records a new job as queued, with its inputs. Call it inside the caller's transaction. */
  insert(job: NewJob): void {
    this.database
      .query(
        `INSERT INTO job (id, owner_id, operation, title, state, params, labels, priority, notes, steps,
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
        JSON.stringify(job.steps),
        job.idempotency?.key ?? null,
        job.idempotency?.sha256 ?? null,
        this.now(),
      );
    const input = this.database.query(
      "INSERT INTO job_input (job_id, position, asset_id) VALUES (?1, ?2, ?3)",
    );
    for (const [position, assetId] of job.inputIds.entries()) input.run(job.id, position, assetId);
  }

  /** queued → running: the most urgent, oldest job, or null when none waits. */
  claim(device: { id: string }): Claim | null {
    return transaction(this.database, (): Claim | null => {
      const row = this.database
        .query<JobRow, [string, string]>(
          `UPDATE job SET state = 'running', fence = fence + 1, started_at = ?1, device = ?2,
               progress_percent = 0
             WHERE id = (SELECT id FROM job WHERE state = 'queued' ORDER BY priority DESC, id LIMIT 1)
               AND state = 'queued'
             RETURNING *`,
        )
        .get(this.now(), device.id);
      if (row === null) return null;
      this.database
        .query(
          `INSERT INTO attempt (job_id, fence, device, outcome, started_at)
             VALUES (?1, ?2, ?3, 'running', ?4)`,
        )
        .run(row.id, row.fence, device.id, this.now());
      return {
        jobId: row.id,
        ownerId: row.owner_id,
        operation: row.operation,
        params: JSON.parse(row.params) as Record<string, unknown>,
        inputIds: this.inputIds(row.id),
        fence: row.fence,
      };
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

  /** What a running job tells of itself. False when the claim is no longer valid. */
  noteSteps(claim: Claim, steps: readonly JobStep[], deviceReason: string | null): boolean {
    return (
      this.database
        .query(
          `UPDATE job SET steps = ?3, device_reason = coalesce(?4, device_reason)
           WHERE id = ?1 AND state = 'running' AND fence = ?2`,
        )
        .run(claim.jobId, claim.fence, JSON.stringify(steps), deviceReason).changes === 1
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

  /** queued or running → cancelled. Returns the state before, or null when it was neither. */
  cancel(ownerId: string, jobId: string): "queued" | "running" | null {
    return transaction(this.database, (): "queued" | "running" | null => {
      for (const from of ["queued", "running"] as const) {
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

  /** Moves a queued job before or behind others. False when it is not queued. */
  setPriority(ownerId: string, jobId: string, priority: number): boolean {
    return (
      this.database
        .query("UPDATE job SET priority = ?3 WHERE id = ?1 AND owner_id = ?2 AND state = 'queued'")
        .run(jobId, ownerId, priority).changes === 1
    );
  }
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
