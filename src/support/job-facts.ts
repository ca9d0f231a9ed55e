/** What the database tells of jobs to somebody who looks for a fault: numbers, and how the newest failures went. */
import type { Database } from "bun:sqlite";

/** The newest tell what is wrong now. */
const FAILURES_MAX = 50;

/** Of an answer of ffmpeg's: the last lines say why. */
const LOG_LINES_MAX = 40;

/** Names that are looked for: of the failed jobs' files and of the newest. */
const NAMES_MAX = 300;

interface FailureRow {
  id: string;
  operation: string;
  title: string;
  params: string;
  labels: string;
  device: string | null;
  error: string;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

interface Attempt {
  fence: number;
  device: string;
  outcome: string;
  error: string | null;
  started_at: string;
  finished_at: string | null;
}

/** Numbers without names. */
export function jobStatistics(database: Database): unknown {
  const byState = database.query(
    `SELECT operation, state, device, count(*) AS jobs, min(created_at) AS first, max(created_at) AS newest
     FROM job GROUP BY operation, state, device ORDER BY operation, state, device`,
  );
  const codes = database.query(
    `SELECT operation, json_extract(error, '$.code') AS code, count(*) AS jobs FROM job
     WHERE state = 'failed' GROUP BY 1, 2 ORDER BY jobs DESC`,
  );
  return { byState: byState.all(), failuresByCode: codes.all() };
}

/** @param withNames titles, parameters and all of what ffmpeg said as well */
export function failures(database: Database, withNames: boolean): unknown[] {
  const rows = database
    .query<FailureRow, [number]>(
      `SELECT id, operation, title, params, labels, device, error, created_at, started_at, finished_at
       FROM job WHERE state = 'failed' ORDER BY finished_at DESC LIMIT ?1`,
    )
    .all(FAILURES_MAX);
  const attempts = database.query<Attempt, [string]>(
    "SELECT fence, device, outcome, error, started_at, finished_at FROM attempt WHERE job_id = ?1 ORDER BY fence",
  );
  return rows.map(({ title, params, labels, error, ...row }) => ({
    ...row,
    ...(withNames ? { title, params: JSON.parse(params), labels: JSON.parse(labels) } : {}),
    error: errorFacts(error, withNames),
    attempts: attempts.all(row.id).map((attempt) => ({
      ...attempt,
      error: attempt.error === null ? null : errorFacts(attempt.error, withNames),
    })),
  }));
}

function errorFacts(json: string, withNames: boolean): unknown {
  const { log, ...error } = JSON.parse(json) as { log?: unknown };
  if (typeof log !== "string") return error;
  const lines = log.split("\n").filter((line) => withNames || isOfLibrary(line));
  return { ...error, log: lines.slice(-LOG_LINES_MAX) };
}

/** "[h264 @ 0x55…] error while decoding": not the titles and tags that ffmpeg prints of a file. */
function isOfLibrary(line: string): boolean {
  return /^\[[a-z0-9_#:./-]+ @ 0x[0-9a-f]+\]/i.test(line);
}

/** Names of files and people that may stand in an error or a line of the log. */
export function knownNames(database: Database): string[] {
  const names = database.query<{ name: string }, [number]>(
    `SELECT name FROM user
     UNION SELECT title FROM (SELECT title FROM job WHERE state = 'failed' ORDER BY finished_at DESC LIMIT 50)
     UNION SELECT name FROM (SELECT name FROM asset ORDER BY id DESC LIMIT ?1)`,
  );
  return names
    .all(NAMES_MAX)
    .map(({ name }) => name)
    .sort((one, other) => other.length - one.length);
}

/** Rows of each table: which one is unusually large. */
export function tableSizes(database: Database): Record<string, number> {
  const tables = database.query<{ name: string }, []>(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  );
  return Object.fromEntries(
    tables.all().map(({ name }) => {
      const quoted = `"${name.replaceAll('"', '""')}"`;
      const row = database.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${quoted}`).get();
      return [name, row?.n ?? 0];
    }),
  );
}

/** What the box learned of its own speed. */
export function workFigures(database: Database): unknown[] {
  const sql =
    "SELECT measure, kind, count, round(exp(mean), 3) AS times_as_guessed FROM work_figure ORDER BY count DESC LIMIT 200";
  return database.query(sql).all();
}
