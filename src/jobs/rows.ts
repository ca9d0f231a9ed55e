/** From rows to jobs: what a reader sees. The queue's writes are in `queue.ts`. */
import type { Database, SQLQueryBindings } from "bun:sqlite";
import type { Proof } from "../runners/runner.ts";
import type { FailureReport } from "../trouble.ts";
import type { Job, JobAttempt, JobState } from "./job.ts";
import { stepsOf } from "./step-rows.ts";

export interface JobRow {
  id: string;
  owner_id: string;
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
  error: string | null;
  idempotency_sha256: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
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

export interface JobFilter {
  ownerId: string;
  limit: number;
  after: string | null;
  /** Any of these; empty for all. */
  states: readonly JobState[];
  /** Only jobs that read or made this asset. */
  assetId: string | null;
}

export interface JobPage {
  items: Job[];
  next: string | null;
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

/** Jobs that run, or that a new one of this priority would find before it; everybody's. */
export function jobsAhead(database: Database, priority: number): number {
  const row = database
    .query<{ ahead: number }, [number]>(
      `SELECT (SELECT count(*) FROM job WHERE state = 'running')
         + (SELECT count(*) FROM job WHERE state IN ('queued', 'waiting') AND priority >= ?1) AS ahead`,
    )
    .get(priority);
  return row?.ahead ?? 0;
}

export function listJobs(database: Database, filter: JobFilter): JobPage {
  const conditions = ["owner_id = ?1"];
  const values: SQLQueryBindings[] = [filter.ownerId];
  const add = (condition: string, value: SQLQueryBindings) => {
    values.push(value);
    conditions.push(condition.replaceAll("?", `?${values.length}`));
  };
  if (filter.after !== null) add("id < ?", filter.after);
  if (filter.states.length > 0) {
    add("state IN (SELECT value FROM json_each(?))", JSON.stringify(filter.states));
  }
  if (filter.assetId !== null) {
    add(
      "(id IN (SELECT job_id FROM job_input WHERE asset_id = ?) OR id = (SELECT job_id FROM asset WHERE id = ?))",
      filter.assetId,
    );
  }
  values.push(filter.limit + 1);
  const rows = database
    .query<JobRow, SQLQueryBindings[]>(
      `SELECT * FROM job WHERE ${conditions.join(" AND ")} ORDER BY id DESC LIMIT ?${values.length}`,
    )
    .all(...values);
  const items = rows.slice(0, filter.limit).map((row) => toJob(database, row));
  return { items, next: rows.length > filter.limit ? (items.at(-1)?.id ?? null) : null };
}

export function toJob(database: Database, row: JobRow): Job {
  const attempts = attemptsOf(database, row.id);
  return {
    id: row.id,
    ownerId: row.owner_id,
    operation: row.operation,
    title: row.title,
    state: row.state,
    params: JSON.parse(row.params) as Record<string, unknown>,
    inputs: idsOf(
      database,
      "SELECT asset_id AS id FROM job_input WHERE job_id = ?1 ORDER BY position",
      row.id,
    ),
    outputs: idsOf(
      database,
      "SELECT id FROM asset WHERE job_id = ?1 AND state = 'ready' ORDER BY role <> 'main', id",
      row.id,
    ),
    progressPercent: row.progress_percent,
    speed: null,
    etaSeconds: null,
    priority: row.priority,
    attempt: attempts.filter(({ outcome }) => outcome !== "interrupted").length,
    device: row.device,
    deviceReason: row.device_reason,
    error: row.error === null ? null : (JSON.parse(row.error) as FailureReport),
    notes: JSON.parse(row.notes) as string[],
    labels: JSON.parse(row.labels) as Record<string, string>,
    verify: row.verify,
    steps: stepsOf(database, row.id),
    attempts,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

function idsOf(database: Database, sql: string, jobId: string): string[] {
  return database
    .query<{ id: string }, [string]>(sql)
    .all(jobId)
    .map(({ id }) => id);
}

function attemptsOf(database: Database, jobId: string): JobAttempt[] {
  return database
    .query<AttemptRow, [string]>("SELECT * FROM attempt WHERE job_id = ?1 ORDER BY fence")
    .all(jobId)
    .map((row) => ({
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
