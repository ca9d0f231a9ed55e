/**
 * From a request to a job in the queue: one, or many in one transaction. All is checked again where it is
 * written, for what another asker did in the same turn.
 */
import type { Database } from "bun:sqlite";
import type { Library } from "../assets/library.ts";
import { newId } from "../identity.ts";
import type { Plan, PlanContext } from "../operations/operation.ts";
import { wantsGpu } from "../runners/places.ts";
import { type FieldFault, Refusal } from "../trouble.ts";
import { arrange } from "./arrangement.ts";
import type { Asker, NewJob } from "./asks.ts";
import { jobsIn } from "./by-state.ts";
import { askedUsOf } from "./order.ts";
import type { PlanMade } from "./preparation.ts";
import type { Queue } from "./queue.ts";

/** What is asked for, as `POST /jobs` has it, its form already checked. */
export interface JobRequest {
  /** May be left out where a preset says it. */
  operation?: string | undefined;
  /** Id or name of a preset, over which `params` lie. */
  preset?: string | undefined;
  inputs: readonly string[];
  params: unknown;
  priority?: number | undefined;
  labels?: Record<string, string> | undefined;
  /** Ids of jobs that must have succeeded before; in a call for many also `#ref` of others of the call. */
  after?: readonly string[] | undefined;
  /** ISO 8601; not before this time. */
  notBefore?: string | null | undefined;
  /** How its outputs are proven; absent: as the setting and the operation say. */
  verify?: "quick" | "full" | undefined;
  /** False: it is worked out, whatever the same job made before. */
  reuse?: boolean | undefined;
  /** Days after which what it makes goes into the bin; 0: never; absent or null: as the preset and the settings say. */
  expireDays?: number | null | undefined;
}

/** One of many: it can have a name by which the others of the call refer to it. */
export interface BulkRequest extends JobRequest {
  ref?: string | undefined;
}

/** What the operation makes of a request. */
export interface Planned {
  plan: Plan;
  params: Record<string, unknown>;
  title: string;
  operation: { name: string };
  /** How its outputs will be proven. */
  verify: "quick" | "full";
  expireDays: number | null;
  /** What could be done as it was planned. */
  context: PlanContext;
}

export interface Submitted {
  ids: string[];
  /** False when an earlier call with the same key had made them. */
  created: boolean;
}

export interface SubmissionParts {
  database: Database;
  queue: Queue;
  library: Pick<Library, "get" | "allowances">;
  plan(ownerId: string, request: JobRequest): Planned;
  /** A job that is asked for alone, and may begin at once. */
  onPlanned(jobId: string, made: PlanMade): void;
  /** Jobs of one person that may wait at the same time. */
  queuedPerUserMax: number;
}

/** How long a call can be repeated with the same key. */
export const KEY_HOURS = 24;
const KEY_US = KEY_HOURS * 3_600_000_000;

/** Keys that one sweep forgets: a millisecond or two. */
const SWEPT_MAX = 500;

/** Seconds after which a queue that was full is worth another try. */
const RETRY_AFTER_SECONDS = 30;

/** Jobs that one job can wait for: a pipeline's joins take a handful. */
export const AFTER_MAX = 64;

/** A key as it is kept: with what was asked, so that another request with the same key is refused. */
export interface IdempotencyKey {
  key: string;
  sha256: string;
}

export class Submission {
  private readonly parts: SubmissionParts;

  constructor(parts: SubmissionParts) {
    this.parts = parts;
  }

  /** Resolves after the commit: then the jobs survive a power cut. All of them are accepted, or none. */
  submit(
    asker: Asker,
    requests: readonly BulkRequest[],
    key: IdempotencyKey | null,
    many: boolean,
  ) {
    const planned = this.parts.queue.commits.run((): Submitted => {
      const earlier = key === null ? null : this.earlier(asker.id, key);
      if (earlier !== null) return { ids: earlier, created: false };
      this.refuseTooMany(asker.id, requests.length);
      this.parts.library.allowances.refuseBeyond(asker.id, 0);
      return { ids: this.insertAll(asker, requests, key, many), created: true };
    });
    return planned;
  }

  private insertAll(
    asker: Asker,
    requests: readonly BulkRequest[],
    key: IdempotencyKey | null,
    many: boolean,
  ): string[] {
    const ids = requests.map(() => newId("job"));
    const [batch] = many ? ids : [];
    const after = arrange(requests, ids);
    for (const index of after.order) {
      const request = requests[index];
      const id = ids[index];
      if (request === undefined || id === undefined) continue;
      const path = many ? `jobs.${index}.` : "";
      within(path, () => {
        const planned = this.parts.plan(asker.id, request);
        if (!many) this.parts.onPlanned(id, planned);
        const job = this.describe(request, planned);
        const predecessors = after.of[index] ?? [];
        this.refuseUselessAfter(asker.id, predecessors);
        this.parts.queue.asks.insert(asker, {
          ...job,
          id,
          after: predecessors,
          batch: batch ?? null,
          idempotency: index === 0 ? key : null,
        });
      });
    }
    return ids;
  }

  private describe(
    request: JobRequest,
    { plan, params, title, operation, verify, expireDays }: Planned,
  ): Omit<NewJob, "id" | "after" | "batch" | "idempotency"> {
    const [first] = plan.steps;
    return {
      operation: operation.name,
      title,
      params,
      inputIds: request.inputs,
      labels: request.labels ?? {},
      priority: request.priority ?? 0,
      need: first !== undefined && wantsGpu(first.work) ? "gpu" : "cpu",
      notes: plan.notes,
      steps: plan.steps,
      verify,
      anew: request.reuse === false,
      expireDays,
      notBefore: utcTime(request.notBefore ?? null),
    };
  }

  /**
   * @throws Refusal 422 `invalid` for a job that there is not, 409 `predecessor_ended` for one that ended
   * otherwise than well
   */
  refuseUselessAfter(ownerId: string, ids: readonly string[]): void {
    for (const [index, id] of ids.entries()) {
      const row = this.parts.database
        .query<{ state: string; title: string }, [string, string]>(
          "SELECT state, title FROM job WHERE id = ?1 AND owner_id = ?2",
        )
        .get(id, ownerId);
      if (row === null) throw invalidField(`after.${index}`, `there is no job ${id}`);
      if (row.state !== "failed" && row.state !== "cancelled") continue;
      throw new Refusal(
        409,
        "predecessor_ended",
        `The job ${id} (${row.title}) is ${row.state}, so a job that waits for it would never start. Retry that one first.`,
        { errors: [{ path: `after.${index}`, message: `is ${row.state}` }] },
      );
    }
  }

  private earlier(ownerId: string, { key, sha256 }: IdempotencyKey): string[] | null {
    const { database, queue } = this.parts;
    const row = database
      .query<KeyedRow, [string, string]>(
        `SELECT id, idempotency_sha256 AS sha256, batch, rank, priority FROM job
         WHERE owner_id = ?1 AND idempotency_key = ?2`,
      )
      .get(ownerId, key);
    if (row === null) return null;
    const ageUs = queue.ledger.queueClock.nowUs() - askedUsOf(row.rank, row.priority);
    if (ageUs > KEY_US) {
      forgetKey(database, row.id);
      return null;
    }
    if (row.sha256 !== sha256) {
      throw new Refusal(
        409,
        "idempotency_mismatch",
        "This Idempotency-Key was used for a different job. Send the same request, or take a new key.",
      );
    }
    return row.batch === null ? [row.id] : idsOfBatch(database, row.batch);
  }

  /** @throws Refusal 429 `too_many_jobs` */
  refuseTooMany(ownerId: string, wanted: number): void {
    const { database, queuedPerUserMax: max } = this.parts;
    const waiting =
      database
        .query<{ count: number }, [string]>(
          `SELECT count(*) AS count FROM ${jobsIn(["queued", "waiting"], "seq", "owner_id = ?1")}`,
        )
        .get(ownerId)?.count ?? 0;
    if (waiting + wanted <= max) return;
    throw new Refusal(
      429,
      "too_many_jobs",
      `You have ${waiting} jobs waiting and ask for ${wanted} more; at most ${max} may wait at the same time (jobs.queuedPerUser). Let some of them run or cancel some, then send this again.`,
      { headers: { "retry-after": String(RETRY_AFTER_SECONDS) } },
    );
  }

  /** Forgets keys that are older than a day, the oldest first. */
  sweepKeys(): number {
    const { database, queue } = this.parts;
    return database
      .query(
        `UPDATE job SET idempotency_key = NULL, idempotency_sha256 = NULL
         WHERE seq IN (SELECT seq FROM job WHERE idempotency_key IS NOT NULL ORDER BY seq LIMIT ?1)
           AND rank + priority * 600000000 < ?2`,
      )
      .run(SWEPT_MAX, queue.ledger.queueClock.nowUs() - KEY_US).changes;
  }
}

interface KeyedRow {
  id: string;
  sha256: string;
  batch: string | null;
  rank: number;
  priority: number;
}

function forgetKey(database: Database, jobId: string): void {
  database
    .query("UPDATE job SET idempotency_key = NULL, idempotency_sha256 = NULL WHERE id = ?1")
    .run(jobId);
}

/** The jobs of one call, in its order. */
function idsOfBatch(database: Database, batch: string): string[] {
  return database
    .query<{ id: string }, [string]>("SELECT id FROM job WHERE batch = ?1 ORDER BY id")
    .all(batch)
    .map(({ id }) => id);
}

/** Puts the place of a job in the call before the fields that its refusal names. */
function within(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (path === "" || !(cause instanceof Refusal)) throw cause;
    const { status, code, message, headers } = cause;
    const own: FieldFault[] = cause.errors.length > 0 ? cause.errors : [{ path: "", message }];
    const errors = own.map((fault) => ({
      ...fault,
      path: `${path}${fault.path}`.replace(/\.$/, ""),
    }));
    const where = `Job ${path.split(".")[1]} of the call (counted from 0), and with it all of them: `;
    throw new Refusal(status, code, where + message, { errors, headers });
  }
}

export function invalidField(path: string, message: string): Refusal {
  const sentence = `The request has a fault: ${path} ${message}.`;
  return new Refusal(422, "invalid", sentence, { errors: [{ path, message }] });
}

/** Whatever offset it was given with. */
export function utcTime(iso: string | null): string | null {
  return iso === null ? null : new Date(iso).toISOString();
}
