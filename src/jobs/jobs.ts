/**
 * Jobs as the API, the page and the command line see them: ask, look, cancel, retry. Checks what is
 * asked, hands it to the queue, and tells the feed after the commit.
 */
import type { Database } from "bun:sqlite";
import type { Library } from "../assets/library.ts";
import type { Clock } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { newId } from "../identity.ts";
import type { Log } from "../log.ts";
import type { MediaInfo } from "../media/media.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import type { Operation, Plan, PlanContext } from "../operations/operation.ts";
import { assert, Refusal } from "../trouble.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { Feed } from "./feed.ts";
import type { Job } from "./job.ts";
import { jobInputs } from "./job-inputs.ts";
import type { LiveProgress } from "./live.ts";
import {
  type Predicted,
  predictPlan,
  type StepPrediction,
  type Surroundings,
} from "./prediction.ts";
import { Presets } from "./presets.ts";
import type { Queue } from "./queue.ts";
import { findJob, type JobFilter, type JobPage, jobsAhead, listJobs } from "./rows.ts";

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
}

export interface Estimate extends Predicted {
  operation: string;
  /** What would be done, in order. */
  steps: StepPrediction[];
  notes: string[];
  device: string;
  deviceReason: string;
  /** Jobs of all users that would go before it or run now: waiting for them is not in the time. */
  queuedAhead: number;
}

interface PlannedRequest {
  plan: Plan;
  /** Of the inputs, by position. */
  media: MediaInfo[];
  params: Record<string, unknown>;
  title: string;
  operation: Operation;
}

export interface JobsParts {
  database: Database;
  clock: Clock;
  log: Log;
  library: Library;
  queue: Queue;
  feed: Feed;
  live: LiveProgress;
  /** What this box's ffmpeg can do; refuses (503) while it is not known. */
  planContext(): PlanContext;
  /** What estimates go by. */
  surroundings: Surroundings;
  /** Effects after a commit: a free worker looks for work; a running job is stopped. */
  onQueued(): void;
  onCancelled(jobId: string): void;
}

export class Jobs {
  /** Named parameters that requests may refer to. */
  readonly presets: Presets;
  private readonly parts: JobsParts;

  constructor(parts: JobsParts) {
    this.parts = parts;
    this.presets = new Presets(parts.database, parts.clock);
  }

  /**
   * Accepts a job: after it returns the job survives a power cut.
   * @throws Refusal 404 `unknown_operation`, `no_such_preset` or `not_found`, 422 `invalid_params` or
   * `unsuitable_input`, 409 `idempotency_mismatch`
   */
  submit(
    ownerId: string,
    request: JobRequest,
    idempotencyKey: string | null,
  ): { job: Job; created: boolean } {
    const idempotency =
      idempotencyKey === null ? null : { key: idempotencyKey, sha256: fingerprint(request) };
    const earlier = idempotency === null ? null : this.earlier(ownerId, idempotency);
    if (earlier !== null) return { job: earlier, created: false };
    const { plan, params, title, operation } = this.planRequest(ownerId, request);
    const id = newId("job");
    transaction(this.parts.database, () => {
      this.parts.queue.insert({
        id,
        ownerId,
        operation: operation.name,
        title,
        params,
        inputIds: request.inputs,
        labels: request.labels ?? {},
        priority: request.priority ?? 0,
        notes: plan.notes,
        steps: plan.steps,
        idempotency,
      });
    });
    const job = this.tell(ownerId, id);
    this.parts.onQueued();
    return { job, created: true };
  }

  private earlier(ownerId: string, idempotency: { key: string; sha256: string }): Job | null {
    const row = this.parts.database
      .query<{ id: string; idempotency_sha256: string }, [string, string]>(
        "SELECT id, idempotency_sha256 FROM job WHERE owner_id = ?1 AND idempotency_key = ?2",
      )
      .get(ownerId, idempotency.key);
    if (row === null) return null;
    if (row.idempotency_sha256 !== idempotency.sha256) {
      throw new Refusal(
        409,
        "idempotency_mismatch",
        "This Idempotency-Key was used for a different job. Send the same request, or take a new key.",
      );
    }
    return this.get(ownerId, row.id);
  }

  private planRequest(ownerId: string, request: JobRequest): PlannedRequest {
    const { preset } = request;
    const wanted =
      preset === undefined
        ? { operation: request.operation ?? "", params: request.params }
        : this.presets.applied(ownerId, { ...request, preset });
    const operation = findOperation(wanted.operation);
    const params = parseParams(operation, wanted.params);
    const inputs = request.inputs.map((id) => this.parts.library.get(ownerId, id));
    const { inputs: planInputs, texts } = jobInputs(inputs, this.parts.library);
    const plan = planFor(operation, params, planInputs, this.parts.planContext(), texts);
    const title = `${operation.title}: ${inputs[0]?.name ?? "nothing"}`;
    const media = planInputs.map((input) => input.media);
    return { plan, media, params: params as Record<string, unknown>, title, operation };
  }

  /** What the job would do; starts nothing. @throws as `submit` */
  estimate(ownerId: string, request: JobRequest): Estimate {
    const { plan, operation, media } = this.planRequest(ownerId, request);
    const { steps, total } = predictPlan(plan, media, this.parts.surroundings);
    const [first] = steps;
    assert(first !== undefined, "a plan has a step");
    const { device, deviceReason } = first;
    const queuedAhead = jobsAhead(this.parts.database, request.priority ?? 0);
    const { name } = operation;
    return {
      operation: name,
      steps,
      notes: plan.notes,
      device,
      deviceReason,
      ...total,
      queuedAhead,
    };
  }

  /** @throws Refusal 404 `not_found`, also for another user's job */
  get(ownerId: string, id: string): Job {
    const job = findJob(this.parts.database, ownerId, id);
    if (job === null) throw new Refusal(404, "not_found", "There is no such job.");
    return this.parts.live.addTo(job);
  }

  list(filter: JobFilter): JobPage {
    const page = listJobs(this.parts.database, filter);
    return { ...page, items: page.items.map((job) => this.parts.live.addTo(job)) };
  }

  /** @throws Refusal 409 `wrong_state` when it has ended already */
  cancel(ownerId: string, id: string): Job {
    const before = this.get(ownerId, id);
    const from = this.parts.queue.cancel(ownerId, id);
    if (from === null) throw wrongState(before, "cancelled");
    if (from === "running") this.parts.onCancelled(id);
    return this.tell(ownerId, id);
  }

  /** @throws Refusal 409 `wrong_state`, 409 `input_missing` when an input was deleted since */
  retry(ownerId: string, id: string): Job {
    const before = this.get(ownerId, id);
    const missing = before.inputs.some(
      (input) => this.parts.library.records.find(ownerId, input) === null,
    );
    if (missing) {
      throw new Refusal(
        409,
        "input_missing",
        "The file that this job reads was deleted. Upload it again and start a new job.",
      );
    }
    if (!this.parts.queue.retry(ownerId, id)) throw wrongState(before, "retried");
    const job = this.tell(ownerId, id);
    this.parts.onQueued();
    return job;
  }

  /** @throws Refusal 409 `wrong_state` unless it waits in the queue */
  setPriority(ownerId: string, id: string, priority: number): Job {
    const before = this.get(ownerId, id);
    if (!this.parts.queue.setPriority(ownerId, id, priority)) {
      throw wrongState(before, "given another priority");
    }
    return this.tell(ownerId, id);
  }

  /** After the commit of a transition: one line in the log, and the feed. */
  tell(ownerId: string, id: string): Job {
    const job = this.show(ownerId, id);
    const { operation, state, device, error } = job;
    this.parts.log.info({ job: id, operation, state, device, failure: error?.code }, "job");
    return job;
  }

  /** Tells the feed that something about the job changed: a step, its device. */
  show(ownerId: string, id: string): Job {
    const job = this.get(ownerId, id);
    this.parts.feed.publish(ownerId, { type: "job", job });
    return job;
  }
}

function wrongState(job: Job, verb: string): Refusal {
  return new Refusal(409, "wrong_state", `The job is ${job.state} and cannot be ${verb}.`);
}

/** The same request has the same fingerprint whatever the order of its keys. */
function fingerprint(request: JobRequest): string {
  return new Bun.CryptoHasher("sha256").update(canonicalJson(request)).digest("hex");
}
