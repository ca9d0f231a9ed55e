/**
 * Jobs that wait until others have succeeded. When one ends, those that waited for it move in the same
 * transaction; when it fails or is cancelled they end too, and so do those behind them.
 */
import type { FailureReport } from "../trouble.ts";
import { type Ledger, type Moved, nobody } from "./ledger.ts";

/** A job that ended, as those that waited for it name it. */
type Predecessor = Pick<Waited, "id" | "title">;

/** waiting → queued for those that waited for this one alone. */
export function predecessorSucceeded(ledger: Ledger, id: string): void {
  if (!isWaitedFor(ledger, id)) return;
  const rows = ledger.database
    .query<{ id: string }, [string]>(
      `UPDATE job SET predecessors_left = predecessors_left - 1
       WHERE id IN (SELECT job_id FROM job_after WHERE after_id = ?1)
         AND state = 'waiting' AND wait_for = 'jobs' RETURNING id`,
    )
    .all(id);
  for (const row of rows) ledger.settle(row.id, "precede", nobody);
}

/** waiting → failed for all that waited for this one, and for those that waited for them. */
export function predecessorFailed(ledger: Ledger, id: string): void {
  endDependents(ledger, id, "failed");
}

/** waiting → cancelled for all that waited for this one, and for those that waited for them. */
export function predecessorCancelled(ledger: Ledger, id: string): void {
  endDependents(ledger, id, "cancelled");
}

/** Most jobs have nobody behind them, and a look costs a quarter of an update. */
function isWaitedFor({ database }: Ledger, id: string): boolean {
  return database.query("SELECT 1 FROM job_after WHERE after_id = ?1 LIMIT 1").get(id) !== null;
}

/** Level by level: each job ends once, so this ends when no job waits for one of them. */
function endDependents(ledger: Ledger, id: string, state: "failed" | "cancelled"): void {
  if (!isWaitedFor(ledger, id)) return;
  let ended: Predecessor[] = ledger.database
    .query<Predecessor, [string]>("SELECT id, title FROM job WHERE id = ?1")
    .all(id);
  while (ended.length > 0) {
    ended = ended.flatMap((predecessor) => {
      const sentence = `“${predecessor.title}” ${state === "failed" ? "failed" : "was cancelled"}, and this job waited for it.`;
      const error = state === "failed" ? JSON.stringify(reportOf(sentence)) : null;
      const rows = ledger.database
        .query<Predecessor & Moved, [string, string, string | null, string]>(
          `UPDATE job SET state = ?2, wait_for = NULL, error = ?3, finished_at = ?4, paused_at = NULL,
             device_reason = NULL
           WHERE id IN (SELECT job_id FROM job_after WHERE after_id = ?1)
             AND state = 'waiting' AND wait_for = 'jobs'
           RETURNING id, owner_id, state, title`,
        )
        .all(predecessor.id, state, error, ledger.now());
      for (const row of rows) ledger.write(row, "precede", nobody, sentence);
      return rows;
    });
  }
}

function reportOf(message: string): FailureReport {
  return {
    code: "predecessor_failed",
    message,
    hint: "Retry the job before it first, then this one.",
    retryable: false,
    log: "",
  };
}

/** One of the jobs that a job is to wait for. */
export interface Waited {
  id: string;
  title: string;
  state: string;
}

/** The predecessors of a job, in the order of asking. */
export function predecessorsOf(ledger: Pick<Ledger, "database">, jobId: string): Waited[] {
  return ledger.database
    .query<Waited, [string]>(
      `SELECT id, title, state FROM job_after JOIN job ON job.id = after_id
       WHERE job_id = ?1 ORDER BY seq`,
    )
    .all(jobId);
}

/**
 * The way by which `jobId` would wait for itself if it waited for `afterId` too: ids from `jobId` to `jobId`;
 * null when there is none.
 */
export function cycleThrough(
  ledger: Pick<Ledger, "database">,
  jobId: string,
  afterId: string,
): string[] | null {
  const cameFrom = new Map<string, string>([[afterId, jobId]]);
  const next = ledger.database.query<{ after_id: string }, [string]>(
    "SELECT after_id FROM job_after WHERE job_id = ?1",
  );
  // Each job is looked at once.
  for (const here of cameFrom.keys()) {
    if (here === jobId) return wayTo(jobId, cameFrom);
    for (const { after_id } of next.all(here)) {
      if (!cameFrom.has(after_id)) cameFrom.set(after_id, here);
    }
  }
  return null;
}

function wayTo(jobId: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [jobId];
  for (let here = cameFrom.get(jobId); here !== undefined && here !== jobId; ) {
    way.unshift(here);
    here = cameFrom.get(here);
  }
  return [jobId, ...way];
}
