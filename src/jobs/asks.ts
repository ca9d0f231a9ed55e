/**
 * What persons ask of the queue: a new job, cancel, retry, pause, another place in the order. As in `queue.ts` each
 * move is one function that names the old state; "no row" is an outcome.
 */
import { transaction } from "../database/transaction.ts";
import { setAside } from "./endings.ts";
import type { JobState, Need, OnlyDevice } from "./job.ts";
import type { Ledger, Moved } from "./ledger.ts";
import { askedUsOf, rankOf } from "./order.ts";
import { predecessorCancelled, predecessorsOf } from "./predecessors.ts";
import { indexAgain } from "./search-index.ts";
import { standingOf } from "./standing.ts";
import { type PlannedStep, StepRows } from "./step-rows.ts";

/** Who asks: whose jobs they are, and the name that the log has for them. */
export interface Asker {
  id: string;
  name: string;
  /** Label of the token where a program asks. */
  token?: string | undefined;
}

export interface NewJob {
  id: string;
  operation: string;
  title: string;
  params: Record<string, unknown>;
  inputIds: readonly string[];
  labels: Record<string, string>;
  priority: number;
  need: Need;
  notes: readonly string[];
  steps: readonly PlannedStep[];
  /** How its outputs are proven; null: as the setting says. */
  verify: "quick" | "full" | null;
  /** It is worked out, whatever was made before. */
  anew: boolean;
  /** Days after which what it makes goes into the bin; absent or null: as the settings say. */
  expireDays?: number | null;
  /** Ids of jobs that must have succeeded before; they exist and none of them ended otherwise. */
  after: readonly string[];
  /** ISO 8601 UTC; null for at once. */
  notBefore: string | null;
  idempotency: { key: string; sha256: string } | null;
  /** Id of the call that asked for several at once; null for one alone. */
  batch: string | null;
}

/** "ann", or "ann (token ci)" where a program asked with a token of hers. */
export function whoOf({ name, token }: Asker): string {
  return token === undefined ? name : `${name} (token ${token})`;
}

export class Asks {
  private readonly ledger: Ledger;
  private readonly steps: StepRows;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
    this.steps = new StepRows(ledger.database, ledger.clock);
  }

  /** Records a new job as queued, or as waiting for those before it. Call it inside the caller's transaction. */
  insert(asker: Asker, job: NewJob): void {
    const { database, queueClock } = this.ledger;
    const left = this.unfinished(job.after);
    const standing = standingOf(
      {
        predecessorsLeft: left.length,
        predecessorTitle: left[0]?.title ?? null,
        pausedBy: null,
        notBefore: job.notBefore,
      },
      this.ledger.now(),
    );
    const who = whoOf(asker);
    this.ledger.log.appendFirst({
      ...{ ownerId: asker.id, jobId: job.id, what: "submit", state: standing.state, who },
      sentence: standing.reason ?? "",
    });
    const { lastInsertRowid } = database
      .query(
        `INSERT INTO job (id, owner_id, operation, title, state, params, labels, priority, notes, verify,
           idempotency_key, idempotency_sha256, created_at, rank, need, wait_for, device_reason,
           not_before, predecessors_left, batch, anew, expire_days, asker, last_event, filed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
           ?23, last_insert_rowid(), 0)`,
      )
      .run(
        ...[job.id, asker.id, job.operation, job.title, standing.state],
        ...[JSON.stringify(job.params), JSON.stringify(job.labels), job.priority],
        ...[JSON.stringify(job.notes), job.verify],
        ...[job.idempotency?.key ?? null, job.idempotency?.sha256 ?? null, this.ledger.now()],
        ...[rankOf(queueClock.nextUs(), job.priority), job.need],
        ...[
          standing.waitsFor,
          standing.reason,
          job.notBefore,
          left.length,
          job.batch,
          job.anew ? 1 : 0,
          job.expireDays ?? null,
          who,
        ],
      );
    this.insertRelations(asker.id, job, Number(lastInsertRowid));
  }

  private insertRelations(ownerId: string, job: NewJob, seq: number): void {
    const { database } = this.ledger;
    const input = database.query(
      "INSERT INTO job_input (job_id, position, asset_id) VALUES (?1, ?2, ?3)",
    );
    for (const [position, assetId] of job.inputIds.entries()) input.run(job.id, position, assetId);
    const after = database.query("INSERT INTO job_after (job_id, after_id) VALUES (?1, ?2)");
    for (const id of job.after) after.run(job.id, id);
    this.writeLabels(ownerId, seq, job.labels);
    this.steps.insert(job.id, job.steps);
  }

  private unfinished(ids: readonly string[]): { title: string }[] {
    if (ids.length === 0) return [];
    return this.ledger.database
      .query<{ title: string }, [string]>(
        `SELECT title FROM job WHERE id IN (SELECT value FROM json_each(?1)) AND state <> 'succeeded'
         ORDER BY seq`,
      )
      .all(JSON.stringify(ids));
  }

  private writeLabels(ownerId: string, seq: number, labels: Record<string, string>): void {
    const insert = this.ledger.database.query(
      "INSERT INTO job_label (owner_id, name, value, seq) VALUES (?1, ?2, ?3, ?4)",
    );
    for (const [name, value] of Object.entries(labels)) insert.run(ownerId, name, value, seq);
  }

  /**
   * queued, waiting or running → cancelled, and with it the jobs that waited for it. Returns the state before,
   * or null when it was none of them.
   */
  cancel(asker: Asker, jobId: string): JobState | null {
    const { database } = this.ledger;
    return transaction(database, (): JobState | null => {
      const before = database
        .query<{ state: JobState; fence: number }, [string, string]>(
          `SELECT state, fence FROM job WHERE id = ?1 AND owner_id = ?2
             AND state IN ('queued', 'waiting', 'running')`,
        )
        .get(jobId, asker.id);
      if (before === null) return null;
      if (before.state === "running") {
        const running = { jobId, fence: before.fence };
        setAside(this.ledger, running, { outcome: "cancelled", error: null });
      }
      const moved = database
        .query<Moved, [string, string, string]>(
          `UPDATE job SET state = 'cancelled', wait_for = NULL, paused_at = NULL, finished_at = ?3,
             device_reason = iif(state = 'running', device_reason, NULL)
           WHERE id = ?1 AND state = ?2 RETURNING id, owner_id, state`,
        )
        .get(jobId, before.state, this.ledger.now());
      if (moved === null) return null;
      this.ledger.write(moved, "cancel", whoOf(asker), `It was ${before.state}.`);
      predecessorCancelled(this.ledger, jobId);
      return before.state;
    });
  }

  /**
   * failed or cancelled → queued, or waiting for those before it, at a new place in the order. False when it was
   * in another state. Jobs before it that ended otherwise than well are the caller's to refuse.
   * @param onlyOn the device that this run is to have; null: wherever it fits
   */
  retry(asker: Asker, jobId: string, onlyOn: OnlyDevice | null = null): boolean {
    const { database, queueClock } = this.ledger;
    return transaction(database, (): boolean => {
      const left = predecessorsOf(this.ledger, jobId).filter(({ state }) => state !== "succeeded");
      const askedUs = queueClock.nextUs();
      const moved = database
        .query<{ priority: number }, [string, string, number, string, OnlyDevice | null]>(
          `UPDATE job SET state = ?4, own_need = iif(?5 IS NULL, NULL, coalesce(own_need, need)),
             need = coalesce(?5, own_need, need), wait_for = iif(?3 > 0, 'jobs', NULL), predecessors_left = ?3,
             error = NULL, started_at = NULL, finished_at = NULL, device = NULL, device_reason = NULL,
             progress_percent = 0, failures = 0, deaths = 0
           WHERE id = ?1 AND owner_id = ?2 AND state IN ('failed', 'cancelled') RETURNING priority`,
        )
        .get(jobId, asker.id, left.length, left.length > 0 ? "waiting" : "queued", onlyOn);
      if (moved === null) return false;
      database
        .query("UPDATE job SET rank = ?2 WHERE id = ?1")
        .run(jobId, rankOf(askedUs, moved.priority));
      const wish = onlyOn === null ? "" : "On the CPU alone.";
      this.ledger.settle(jobId, "retry", whoOf(asker), wish);
      return true;
    });
  }

  /** Moves a job that does not run yet before or behind others. False when it is not one. */
  setPriority(asker: Asker, jobId: string, priority: number): boolean {
    const { database } = this.ledger;
    return transaction(database, (): boolean => {
      const before = database
        .query<{ rank: number; priority: number }, [string]>(
          "SELECT rank, priority FROM job WHERE id = ?1",
        )
        .get(jobId);
      if (before === null) return false;
      const moved = database
        .query<Moved, [string, string, number, number]>(
          `UPDATE job SET priority = ?3, rank = ?4
           WHERE id = ?1 AND owner_id = ?2 AND state IN ('queued', 'waiting')
           RETURNING id, owner_id, state`,
        )
        .get(jobId, asker.id, priority, rankOf(askedUsOf(before.rank, before.priority), priority));
      if (moved === null) return false;
      const sentence = `From ${before.priority} to ${priority}.`;
      this.ledger.write(moved, "priority", whoOf(asker), sentence);
      return true;
    });
  }

  /**
   * queued → waiting for the person; a running one stays running and is stopped by whoever runs it. Returns the
   * state before; null when it has ended or is paused already.
   */
  pause(asker: Asker, jobId: string): JobState | null {
    return this.setPaused(asker, jobId, this.ledger.now());
  }

  /** Undoes `pause`. Returns the state before; null when it is not paused. */
  resume(asker: Asker, jobId: string): JobState | null {
    return this.setPaused(asker, jobId, null);
  }

  private setPaused(asker: Asker, jobId: string, pausedAt: string | null): JobState | null {
    const { database } = this.ledger;
    return transaction(database, (): JobState | null => {
      const what = pausedAt === null ? "resume" : "pause";
      const moved = database
        .query<Moved, [string, string, string | null]>(
          `UPDATE job SET paused_at = ?3
           WHERE id = ?1 AND owner_id = ?2 AND state IN ('queued', 'waiting', 'running')
             AND (paused_at IS NULL) = (?3 IS NOT NULL)
           RETURNING id, owner_id, state`,
        )
        .get(jobId, asker.id, pausedAt);
      if (moved === null) return null;
      if (moved.state === "running") this.ledger.write(moved, what, whoOf(asker));
      else this.ledger.settle(jobId, what, whoOf(asker));
      return moved.state;
    });
  }

  /** Not before another time (ISO 8601 UTC), or at once (null). False when it runs or has ended. */
  setNotBefore(asker: Asker, jobId: string, notBefore: string | null): boolean {
    const { database } = this.ledger;
    return transaction(database, (): boolean => {
      const changed = database
        .query(
          `UPDATE job SET not_before = ?3
           WHERE id = ?1 AND owner_id = ?2 AND state IN ('queued', 'waiting')`,
        )
        .run(jobId, asker.id, notBefore).changes;
      if (changed === 1) this.ledger.settle(jobId, "not before", whoOf(asker));
      return changed === 1;
    });
  }

  /** Waits for these jobs instead of those before; they exist, and none ended otherwise than well. */
  setAfter(asker: Asker, jobId: string, after: readonly string[]): boolean {
    const { database } = this.ledger;
    return transaction(database, (): boolean => {
      const changed = database
        .query(
          `UPDATE job SET predecessors_left = ?3
           WHERE id = ?1 AND owner_id = ?2 AND state IN ('queued', 'waiting')`,
        )
        .run(jobId, asker.id, this.unfinished(after).length).changes;
      if (changed !== 1) return false;
      database.query("DELETE FROM job_after WHERE job_id = ?1").run(jobId);
      const insert = database.query("INSERT INTO job_after (job_id, after_id) VALUES (?1, ?2)");
      for (const id of after) insert.run(jobId, id);
      this.ledger.settle(jobId, "after", whoOf(asker));
      return true;
    });
  }

  /** Other labels, in whatever state the job is. */
  setLabels(asker: Asker, jobId: string, labels: Record<string, string>): boolean {
    const { database } = this.ledger;
    return transaction(database, (): boolean => {
      const moved = database
        .query<Moved & { seq: number }, [string, string, string]>(
          `UPDATE job SET labels = ?3 WHERE id = ?1 AND owner_id = ?2
           RETURNING id, owner_id, state, seq`,
        )
        .get(jobId, asker.id, JSON.stringify(labels));
      if (moved === null) return false;
      database.query("DELETE FROM job_label WHERE seq = ?1").run(moved.seq);
      this.writeLabels(asker.id, moved.seq, labels);
      indexAgain(database, moved.seq);
      this.ledger.write(moved, "labels", whoOf(asker));
      return true;
    });
  }
}
