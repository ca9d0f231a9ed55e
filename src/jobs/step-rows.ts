/**
 * The steps of jobs as rows. Each transition is one UPDATE that names the old state and, for a step that runs, the
 * fence in its WHERE: who comes late or twice changes nothing. A step also moves when its job does, by the trigger
 * `step_ends_with_job` or `step_returns_with_job`. Nothing else writes the `step` table.
 */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { unhurried } from "../database/transaction.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Proof } from "../runners/runner.ts";
import type { JobStep, StepState } from "./job.ts";

/** What a plan says of a step before it runs. */
export interface PlannedStep {
  name: string;
  title: string;
  needs: readonly string[];
}

/** A file that a finished step left, as it was when the step was done. */
export interface StepFile {
  /** Its name inside the step's folder. */
  file: string;
  sizeBytes: number;
  sha256: string;
  /** What it is, for an output; null for text and for what later steps alone read. */
  media: MediaInfo | null;
}

/** What is kept of a finished step. */
export interface KeptStep {
  fingerprint: string;
  files: StepFile[];
  checks: string[];
}

/** The right to end one attempt at a step: valid until somebody else moved it. */
export interface StepTicket {
  jobId: string;
  step: string;
  fence: number;
}

/** A job that runs, as whoever moves its steps must name it. */
export interface RunningJob {
  jobId: string;
  fence: number;
}

export interface StepBeginning {
  device: string;
  deviceReason: string | null;
}

export interface StepResult extends KeptStep {
  deviceReason: string;
  encoder: string | null;
  proof: Proof | null;
}

interface StepRow {
  name: string;
  position: number;
  title: string;
  needs: string;
  state: StepState;
  fence: number;
  device: string | null;
  device_reason: string | null;
  encoder: string | null;
  proof: string | null;
  checks: string;
  fingerprint: string | null;
  result: string | null;
  started_at: string | null;
  finished_at: string | null;
}

export class StepRows {
  private readonly database: Database;
  private readonly clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  private now(): string {
    return isoTime(this.clock.nowMs());
  }

  /** Records the steps of a new job. Call it inside the caller's transaction. */
  insert(jobId: string, steps: readonly PlannedStep[]): void {
    const insert = this.database.query(
      `INSERT INTO step (job_id, name, position, title, needs, state)
       VALUES (?1, ?2, ?3, ?4, ?5, 'pending')`,
    );
    for (const [position, { name, title, needs }] of steps.entries()) {
      insert.run(jobId, name, position, title, JSON.stringify(needs));
    }
  }

  /** What is kept of a job's finished steps, by name. */
  kept(jobId: string): Map<string, KeptStep> {
    const rows = this.database
      .query<{ name: string; fingerprint: string; result: string; checks: string }, [string]>(
        `SELECT name, fingerprint, result, checks FROM step
         WHERE job_id = (+?1) AND result IS NOT NULL ORDER BY position`,
      )
      .all(jobId);
    return new Map(
      rows.map(({ name, fingerprint, result, checks }) => [
        name,
        {
          fingerprint,
          files: JSON.parse(result) as StepFile[],
          checks: JSON.parse(checks) as string[],
        },
      ]),
    );
  }

  /** Jobs of which something is kept. */
  jobsWithResults(): Set<string> {
    const rows = this.database
      .query<{ job_id: string }, []>("SELECT DISTINCT job_id FROM step WHERE result IS NOT NULL")
      .all();
    return new Set(rows.map(({ job_id }) => job_id));
  }

  /**
   * Brings the rows of a running job to its plan, which another Kinomill may have made differently: steps whose
   * name is in both stay as they are. False when the job is not ours any more.
   */
  lay(job: RunningJob, plan: readonly PlannedStep[]): boolean {
    // Mostly there is nothing to write: the plan is the one that the job was asked for with.
    if (!this.isOurs(job)) return false;
    if (this.areLaid(job.jobId, plan)) return true;
    return unhurried(this.database, (): boolean => {
      if (!this.isOurs(job)) return false;
      this.layAnew(job.jobId, plan);
      return true;
    });
  }

  private areLaid(jobId: string, plan: readonly PlannedStep[]): boolean {
    const rows = rowsOf(this.database, jobId);
    return (
      rows.length === plan.length &&
      plan.every(({ name, title, needs }, position) => {
        const row = rows[position];
        return row?.name === name && row.title === title && row.needs === JSON.stringify(needs);
      })
    );
  }

  private layAnew(jobId: string, plan: readonly PlannedStep[]): void {
    const names = JSON.stringify(plan.map(({ name }) => name));
    this.database
      .query("DELETE FROM step WHERE job_id = ?1 AND name NOT IN (SELECT value FROM json_each(?2))")
      .run(jobId, names);
    const lay = this.database.query(
      `INSERT INTO step (job_id, name, position, title, needs, state)
       VALUES (?1, ?2, ?3, ?4, ?5, 'pending')
       ON CONFLICT (job_id, name) DO UPDATE
         SET position = excluded.position, title = excluded.title, needs = excluded.needs`,
    );
    for (const [position, { name, title, needs }] of plan.entries()) {
      lay.run(jobId, name, position, title, JSON.stringify(needs));
    }
  }

  private isOurs({ jobId, fence }: RunningJob): boolean {
    const found = this.database
      .query<{ ours: number }, [string, number]>(
        "SELECT 1 AS ours FROM job WHERE id = ?1 AND state = 'running' AND fence = ?2",
      )
      .get(jobId, fence);
    return found !== null;
  }

  /** pending → running, while its job is ours. Null when either is not so. */
  begin(job: RunningJob, step: string, { device, deviceReason }: StepBeginning): StepTicket | null {
    const row = this.database
      .query<{ fence: number }, [string, string, number, string, string | null, string]>(
        `UPDATE step SET state = 'running', fence = fence + 1, device = ?4, device_reason = ?5,
           encoder = NULL, proof = NULL, checks = '[]', started_at = ?6
         WHERE job_id = ?1 AND name = ?2 AND state = 'pending'
           AND EXISTS (SELECT 1 FROM job WHERE id = ?1 AND state = 'running' AND fence = ?3)
         RETURNING fence`,
      )
      .get(job.jobId, step, job.fence, device, deviceReason, this.now());
    return row === null ? null : { jobId: job.jobId, step, fence: row.fence };
  }

  /** Why a pending step does not run yet. */
  noteWait(jobId: string, step: string, reason: string): void {
    this.database
      .query(
        "UPDATE step SET device_reason = ?3 WHERE job_id = ?1 AND name = ?2 AND state = 'pending'",
      )
      .run(jobId, step, reason);
  }

  /** running → done. False: the ticket is void, and nothing changed. */
  finish({ jobId, step, fence }: StepTicket, result: StepResult): boolean {
    const { deviceReason, encoder, proof, checks, fingerprint, files } = result;
    return (
      this.database
        .query(
          `UPDATE step SET state = 'done', device_reason = ?4, encoder = ?5, proof = ?6, checks = ?7,
             fingerprint = ?8, result = ?9, finished_at = ?10
           WHERE job_id = ?1 AND name = ?2 AND state = 'running' AND fence = ?3`,
        )
        .run(
          ...[jobId, step, fence, deviceReason, encoder],
          proof === null ? null : JSON.stringify(proof),
          ...[JSON.stringify(checks), fingerprint, JSON.stringify(files), this.now()],
        ).changes === 1
    );
  }

  /** running → failed. False: the ticket is void. */
  fail({ jobId, step, fence }: StepTicket): boolean {
    return (
      this.database
        .query(
          `UPDATE step SET state = 'failed', finished_at = ?4
           WHERE job_id = ?1 AND name = ?2 AND state = 'running' AND fence = ?3`,
        )
        .run(jobId, step, fence, this.now()).changes === 1
    );
  }

  /** running → pending: it was stopped, or its device failed and another is tried. False: void. */
  stop({ jobId, step, fence }: StepTicket): boolean {
    return (
      this.database
        .query(
          `UPDATE step SET state = 'pending', started_at = NULL
           WHERE job_id = ?1 AND name = ?2 AND state = 'running' AND fence = ?3`,
        )
        .run(jobId, step, fence).changes === 1
    );
  }

  /** done → pending: what is kept of it cannot be used. False when it was not done or the job is not ours. */
  renew(job: RunningJob, step: string): boolean {
    return (
      this.database
        .query(
          `UPDATE step SET state = 'pending', device = NULL, device_reason = NULL, encoder = NULL,
             proof = NULL, checks = '[]', fingerprint = NULL, result = NULL, started_at = NULL,
             finished_at = NULL
           WHERE job_id = ?1 AND name = ?2 AND state = 'done'
             AND EXISTS (SELECT 1 FROM job WHERE id = ?1 AND state = 'running' AND fence = ?3)`,
        )
        .run(job.jobId, step, job.fence).changes === 1
    );
  }

  /** The files of a job that does not run are about to go: nothing is kept of it any more. */
  forgetResults(jobId: string): void {
    this.database
      .query(
        `UPDATE step SET result = NULL WHERE job_id = ?1 AND result IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM job WHERE id = ?1 AND state = 'running')`,
      )
      .run(jobId);
  }
}

function rowsOf(database: Database, jobId: string): StepRow[] {
  return database
    .query<StepRow, [string]>("SELECT * FROM step WHERE job_id = (+?1) ORDER BY position")
    .all(jobId);
}

/** The steps of a job as a reader sees them, in the order of the plan. */
export function stepsOf(database: Database, jobId: string): JobStep[] {
  return rowsOf(database, jobId).map((row) => ({
    name: row.name,
    title: row.title,
    state: row.state,
    needs: JSON.parse(row.needs) as string[],
    attempts: row.fence,
    device: row.device,
    deviceReason: row.device_reason,
    encoder: row.encoder,
    proof: row.proof === null ? null : (JSON.parse(row.proof) as Proof),
    checks: JSON.parse(row.checks) as string[],
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }));
}
