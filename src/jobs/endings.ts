/** How a running job ends or goes back: one statement each, with the state and the fence in its WHERE. */
import { joined } from "../database/transaction.ts";
import { assert, type FailureReport } from "../trouble.ts";
import { entryWhere } from "./event-log.ts";
import type { JobAttempt } from "./job.ts";
import { type Ledger, type Moved, nobody } from "./ledger.ts";

/** A running job as whoever moves it must name it. */
export interface Running {
  jobId: string;
  fence: number;
}

/** Where a job goes that ran and did not end. */
export interface Next {
  /** The move's name. */
  what: string;
  sentence: string;
  /** What it waits for then; absent: its turn. */
  waitsFor?: "retry" | "space";
  dueUs?: number;
  notBefore?: string;
  spaceBytes?: number;
  /** Whether the server died with it. */
  died?: boolean;
}

const endEntry = entryWhere("state = 'running' AND fence = ?7");

/**
 * running → succeeded or failed, and its entry; false when it is not ours any more. Call it inside a transaction.
 * @param what the move's name in the log
 */
export function finish(
  ledger: Ledger,
  { jobId, fence }: Running,
  state: "succeeded" | "failed",
  error: FailureReport | null,
  what: "succeed" | "fail" | "recover",
): boolean {
  const entry = { jobId, what, state, who: nobody, sentence: error?.message ?? "" };
  if (!ledger.log.appendWhere(endEntry, entry, fence)) return false;
  const moved = ledger.database
    .query(
      `UPDATE job SET state = ?3, error = ?4, finished_at = ?5, paused_at = NULL,
         progress_percent = iif(?3 = 'succeeded', 100, progress_percent), last_event = last_insert_rowid()
       WHERE id = ?1 AND state = 'running' AND fence = ?2`,
    )
    .run(jobId, fence, state, jsonOrNull(error), ledger.now()).changes;
  assert(moved === 1, "a job ends under the condition that its entry was written under");
  return true;
}

/**
 * running → queued or waiting; a job that a person paused while it ran waits for that person then. False when
 * it is not ours any more.
 */
export function putBack(ledger: Ledger, running: Running, ended: Ended, next: Next): boolean {
  return joined(ledger.database, (): boolean => {
    if (!setAside(ledger, running, ended)) return false;
    const waitsFor = next.waitsFor ?? null;
    const values: PutBackValues = [
      ...([running.jobId, running.fence, waitsFor] as const),
      ...([waitsFor === null ? null : next.sentence, next.dueUs ?? null] as const),
      ...([next.notBefore ?? null, next.spaceBytes ?? null] as const),
      ...([ended.outcome === "failed" ? 1 : 0, next.died === true ? 1 : 0] as const),
    ];
    const moved = ledger.database
      .query<Moved, PutBackValues>(
        `UPDATE job SET started_at = NULL, device = NULL, progress_percent = 0,
           state = iif(paused_at IS NOT NULL OR ?3 = 'space', 'waiting', 'queued'),
           wait_for = iif(paused_at IS NOT NULL, 'person', ?3),
           device_reason = ?4, due_us = ?5, not_before = coalesce(?6, not_before),
           space_bytes = coalesce(?7, space_bytes), failures = failures + ?8, deaths = deaths + ?9
         WHERE id = ?1 AND state = 'running' AND fence = ?2
         RETURNING id, owner_id, state`,
      )
      .get(...values);
    assert(
      moved !== null,
      "a job goes back under the condition that its attempt was set aside under",
    );
    ledger.write(moved, next.what, nobody, next.sentence);
    return true;
  });
}

type PutBackValues = [
  ...[jobId: string, fence: number, waitsFor: string | null, reason: string | null],
  ...[dueUs: number | null, notBefore: string | null, spaceBytes: number | null],
  ...[failures: number, deaths: number],
];

/** How an attempt ended that did not succeed. */
export interface Ended {
  outcome: Exclude<JobAttempt["outcome"], "running" | "succeeded">;
  error: FailureReport | null;
}

/**
 * Gives the attempt that runs a row of its own, before the job's row tells of something else. False when it is not
 * ours any more.
 */
export function setAside(
  ledger: Ledger,
  { jobId, fence }: Running,
  { outcome, error }: Ended,
): boolean {
  const kept = ledger.database.query(
    `INSERT OR REPLACE INTO attempt (job_id, fence, device, outcome, error, started_at, finished_at, device_reason, proof, notes)
     SELECT id, fence, device, ?3, ?4, coalesce(attempt_started_at, started_at), ?5, device_reason, attempt_proof,
       coalesce(attempt_notes, '[]')
     FROM job WHERE id = ?1 AND state = 'running' AND fence = ?2`,
  );
  return kept.run(jobId, fence, outcome, jsonOrNull(error), ledger.now()).changes === 1;
}

export function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
