/** From rows to jobs: what a reader sees. The queue's writes are in `queue.ts`. */
import type { Database } from "bun:sqlite";
import type { Proof } from "../runners/runner.ts";
import type { FailureReport } from "../trouble.ts";
import { inLine, jobsIn } from "./by-state.ts";
import type { Job, JobAttempt, JobState, Need, WaitsFor } from "./job.ts";
import type { Predicted } from "./prediction.ts";
import { stepsOf } from "./step-rows.ts";

export interface JobRow {
  id: string;
  owner_id: string;
  asker: string;
  operation: string;
  title: string;
  state: JobState;
  params: string;
  labels: string;
  priority: number;
  fence: number;
  progress_percent: number;
  device: string | null;
  device_reason: string | null;
  notes: string;
  verify: "quick" | "full" | null;
  anew: 0 | 1;
  error: string | null;
  idempotency_sha256: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  seq: number;
  rank: number;
  need: Need;
  own_need: Need | null;
  wait_for: WaitsFor | null;
  not_before: string | null;
  paused_at: string | null;
  predecessors_left: number;
  failures: number;
  space_bytes: number | null;
  batch: string | null;
  predicted: string | null;
  attempt_proof: string | null;
  attempt_notes: string | null;
  attempt_started_at: string | null;
}

interface AttemptRow {
  fence: number;
  device: string;
  outcome: JobAttempt["outcome"];
  device_reason: string | null;
  proof: string | null;
  error: string | null;
  notes: string;
  started_at: string;
  finished_at: string | null;
}

export function findJob(database: Database, ownerId: string, id: string): Job | null {
  const row = database
    .query<JobRow, [string, string]>("SELECT * FROM job WHERE id = ?1 AND owner_id = ?2")
    .get(id, ownerId);
  return row === null ? null : toJob(database, row);
}

/** How a job stands, whoever's it is; null when there is none. */
export function endOf(
  database: Database,
  id: string,
): { state: JobState; finishedAt: string | null } | null {
  return database
    .query<{ state: JobState; finishedAt: string | null }, [string]>(
      "SELECT state, finished_at AS finishedAt FROM job WHERE id = ?1",
    )
    .get(id);
}

/** As much of a job as the log tells of it. */
export interface LogLine {
  operation: string;
  state: JobState;
  device: string | null;
  /** Code of what it failed of; absent when it did not. */
  failure?: string;
  finishedAt: string | null;
}

export function logLineOf(database: Database, id: string): LogLine | null {
  const row = database
    .query<LogLine & { failure: string | null }, [string]>(
      `SELECT operation, state, device, error ->> 'code' AS failure, finished_at AS finishedAt
       FROM job WHERE id = ?1`,
    )
    .get(id);
  if (row === null) return null;
  const { failure, ...line } = row;
  return failure === null ? line : { ...line, failure };
}

/** Jobs that run, or that wait for their turn with this priority or a higher one; everybody's. */
export function jobsAhead(database: Database, priority: number): number {
  const row = database
    .query<{ ahead: number }, [number]>(
      `SELECT (SELECT count(*) FROM ${jobsIn(["running"], "seq")})
         + (SELECT count(*) FROM job INDEXED BY job_line
            WHERE ${inLine} AND priority >= ?1) AS ahead`,
    )
    .get(priority);
  return row?.ahead ?? 0;
}

/** Who asked for these jobs, by id: a person's name, with the token's where a program asked. */
export function askersOf(database: Database, jobIds: readonly string[]): Map<string, string> {
  const rows = database
    .query<{ id: string; asker: string }, [string]>(
      "SELECT id, asker FROM job WHERE id IN (SELECT value FROM json_each(?1)) AND asker <> ''",
    )
    .all(JSON.stringify(jobIds));
  return new Map(rows.map(({ id, asker }) => [id, asker]));
}

export function toJob(database: Database, row: JobRow): Job {
  const attempts = attemptsOf(database, row);
  return {
    id: row.id,
    ownerId: row.owner_id,
    operation: row.operation,
    title: row.title,
    state: row.state,
    params: JSON.parse(row.params) as Record<string, unknown>,
    inputs: idsOf(
      database,
      "SELECT asset_id AS id FROM job_input WHERE job_id = (+?1) ORDER BY position",
      row.id,
    ),
    outputs: idsOf(
      database,
      "SELECT id FROM asset WHERE job_id = (+?1) AND state = 'ready' ORDER BY role <> 'main', id",
      row.id,
    ),
    progressPercent: row.progress_percent,
    speed: null,
    etaSeconds: null,
    priority: row.priority,
    attempt: attempts.filter(({ outcome }) => outcome !== "interrupted").length,
    device: row.device,
    deviceReason: row.device_reason,
    onlyOn: row.own_need === null ? null : "cpu",
    error: row.error === null ? null : (JSON.parse(row.error) as FailureReport),
    notes: JSON.parse(row.notes) as string[],
    labels: JSON.parse(row.labels) as Record<string, string>,
    verify: row.verify,
    steps: stepsOf(database, row.id),
    attempts,
    waitsFor: row.wait_for,
    waitReason: row.state === "queued" || row.state === "waiting" ? row.device_reason : null,
    after: idsOf(
      database,
      "SELECT after_id AS id FROM job_after JOIN job ON job.id = after_id WHERE job_id = (+?1) ORDER BY seq",
      row.id,
    ),
    notBefore: row.not_before,
    pausedAt: row.paused_at,
    batch: row.batch,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    predicted: row.predicted === null ? null : (JSON.parse(row.predicted) as Predicted),
  };
}

function idsOf(database: Database, sql: string, jobId: string): string[] {
  return database
    .query<{ id: string }, [string]>(sql)
    .all(jobId)
    .map(({ id }) => id);
}

/** Those that ended otherwise than well have rows of their own; one that runs or ended well stands in that of its job. */
function attemptsOf(database: Database, job: JobRow): JobAttempt[] {
  const rows = database
    .query<AttemptRow, [string]>("SELECT * FROM attempt WHERE job_id = (+?1) ORDER BY fence")
    .all(job.id);
  const { state } = job;
  const inJob = state === "running" || state === "succeeded";
  const aside = !inJob || rows.at(-1)?.fence === job.fence;
  return (aside ? rows : [...rows, lastAttempt(job, state)]).map((row) => ({
    fence: row.fence,
    device: row.device,
    outcome: row.outcome,
    deviceReason: row.device_reason,
    proof: row.proof === null ? null : (JSON.parse(row.proof) as Proof),
    error: row.error === null ? null : (JSON.parse(row.error) as FailureReport),
    notes: JSON.parse(row.notes) as string[],
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }));
}

function lastAttempt(job: JobRow, outcome: "running" | "succeeded"): AttemptRow {
  return {
    fence: job.fence,
    device: job.device ?? "",
    outcome,
    device_reason: job.device_reason,
    proof: job.attempt_proof,
    error: null,
    notes: job.attempt_notes ?? "[]",
    started_at: job.attempt_started_at ?? job.started_at ?? "",
    finished_at: job.finished_at,
  };
}
