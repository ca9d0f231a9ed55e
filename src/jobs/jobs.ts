/**
 * Jobs as the API, the page and the command line see them: ask, look, cancel, retry, pause. Checks what is
 * asked, hands it to the queue, and tells the feed after the commit.
 */
import type { Database } from "bun:sqlite";
import type { Library } from "../assets/library.ts";
import type { Clock } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import type { Log } from "../log.ts";
import type { MediaInfo } from "../media/media.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import type { Operation, Plan, PlanContext } from "../operations/operation.ts";
import { type ProvingMode, provingFor } from "../operations/proving.ts";
import { assert, Refusal } from "../trouble.ts";
import type { Asker } from "./asks.ts";
import {
  type BulkOutcome,
  changeEach,
  type Selection,
  type Survey,
  selectedIds,
  surveyOf,
} from "./bulk.ts";
import { canonicalJson } from "./canonical-json.ts";
import { type Census, censusOf } from "./census.ts";
import { applyChange, type JobChange } from "./change.ts";
import type { HistoryEntry } from "./event-log.ts";
import type { Feed } from "./feed.ts";
import { type JobFilter, type JobPage, listJobs } from "./finding.ts";
import { type BulkVerb, bulkVerbs, type Job, type JobState, type OnlyDevice } from "./job.ts";
import { jobInputs } from "./job-inputs.ts";
import { type PlaceInLine, placesInLine } from "./line.ts";
import type { LiveProgress } from "./live.ts";
import {
  type Predicted,
  predictPlan,
  type StepPrediction,
  type Surroundings,
} from "./prediction.ts";
import type { PlanMade } from "./preparation.ts";
import { Presets } from "./presets.ts";
import type { Queue } from "./queue.ts";
import { askersOf, findJob, jobsAhead, logLineOf } from "./rows.ts";
import {
  type BulkRequest,
  type IdempotencyKey,
  type JobRequest,
  Submission,
  type Submitted,
} from "./submission.ts";
import { wrongState } from "./wrong-state.ts";

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

export interface Outlook {
  /** By job, of those that wait for their turn alone. */
  places: ReadonlyMap<string, PlaceInLine>;
  /** By job: "ann (token ci)". */
  askers: ReadonlyMap<string, string>;
}

interface PlannedRequest {
  plan: Plan;
  /** Of the inputs, by position. */
  media: MediaInfo[];
  params: Record<string, unknown>;
  title: string;
  operation: Operation;
  verify: "quick" | "full";
  expireDays: number | null;
  context: PlanContext;
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
  surroundings: Omit<Surroundings, "verify">;
  /** How outputs are proven where nobody says it. */
  verify: ProvingMode;
  /** Effects after a commit: a free worker looks for work; a running job is stopped. */
  onQueued(): void;
  /** Before the commit: it may not come. */
  onPlanned(jobId: string, made: PlanMade): void;
  onCancelled(jobId: string): void;
  /** A running job is to stand still, or to go on. */
  onPaused(jobId: string, paused: boolean): void;
  /** Jobs of one person that may wait at the same time. */
  queuedPerUserMax: number;
}

export class Jobs {
  /** Named parameters that requests may refer to. */
  readonly presets: Presets;
  readonly submission: Submission;
  private readonly parts: JobsParts;

  constructor(parts: JobsParts) {
    this.parts = parts;
    this.presets = new Presets(parts.database, parts.clock);
    this.submission = new Submission({
      ...parts,
      // Said again, because spreading would keep what it is now.
      get queuedPerUserMax() {
        return parts.queuedPerUserMax;
      },
      plan: (ownerId, request) => this.planRequest(ownerId, request),
    });
    parts.queue.commits.onCommitted(() => parts.feed.tell());
  }

  /**
   * Accepts a job: after it resolves the job survives a power cut.
   * @throws Refusal 404 `unknown_operation`, `no_such_preset` or `not_found`, 422 `invalid_params` or
   * `unsuitable_input`, 409 `idempotency_mismatch` or `predecessor_ended`, 429 `too_many_jobs`
   */
  async submit(
    asker: Asker,
    request: JobRequest,
    idempotencyKey: string | null,
  ): Promise<{ job: Job; created: boolean }> {
    const key = keyOf(idempotencyKey, request);
    const submitted = this.submission.submit(asker, [request], key, false);
    // Looked for in the same turn, so that a free device takes it with the same commit.
    this.parts.onQueued();
    const { ids, created } = await submitted;
    const [id] = ids;
    assert(id !== undefined, "one job for one request");
    const job = created ? this.tell(asker.id, id) : this.get(asker.id, id);
    return { job, created };
  }

  /** Accepts many jobs in one transaction, or none of them. @throws as `submit`, with the place of the faulty one */
  async submitMany(
    asker: Asker,
    requests: readonly BulkRequest[],
    idempotencyKey: string | null,
  ): Promise<Submitted & { batch: string }> {
    const key = keyOf(idempotencyKey, requests);
    const pending = this.submission.submit(asker, requests, key, true);
    this.parts.onQueued();
    const submitted = await pending;
    const [batch] = submitted.ids;
    assert(batch !== undefined, "a call for many has at least one job");
    const { operation, state } = this.get(asker.id, batch);
    this.parts.log.info({ job: batch, operation, state, jobs: submitted.ids.length }, "jobs");
    return { ...submitted, batch };
  }

  private planRequest(ownerId: string, request: JobRequest): PlannedRequest {
    const { preset } = request;
    const wanted =
      preset === undefined
        ? { operation: request.operation ?? "", params: request.params, expireDays: null }
        : this.presets.applied(ownerId, { ...request, preset });
    const operation = findOperation(wanted.operation);
    const params = parseParams(operation, wanted.params);
    const inputs = request.inputs.map((id) => this.parts.library.get(ownerId, id));
    const { inputs: planInputs, texts } = jobInputs(inputs, this.parts.library);
    const context = this.parts.planContext();
    const plan = planFor(operation, params, planInputs, context, texts);
    const title = `${operation.title}: ${inputs[0]?.name ?? "nothing"}`;
    const media = planInputs.map((input) => input.media);
    const verify = request.verify ?? provingFor(operation, params, this.parts.verify);
    const expireDays = request.expireDays ?? wanted.expireDays;
    const asked = { params: params as Record<string, unknown>, operation, verify, expireDays };
    return { plan, context, media, title, ...asked };
  }

  /** What the job would do; starts nothing. @throws as `submit` */
  estimate(ownerId: string, request: JobRequest): Estimate {
    const { plan, operation, media, verify } = this.planRequest(ownerId, request);
    const { steps, total } = predictPlan(plan, media, { ...this.parts.surroundings, verify });
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

  /** How many of this person are in each state. */
  census(ownerId: string): Census {
    return censusOf(this.parts.database, ownerId);
  }

  /** What a list tells of jobs besides what they are: where in the line they stand, and who asked for them. */
  outlook(jobIds: readonly string[]): Outlook {
    return {
      places: placesInLine(this.parts.database, jobIds),
      askers: askersOf(this.parts.database, jobIds),
    };
  }

  /** What a change of these jobs would be about; changes nothing. */
  survey(ownerId: string, verb: BulkVerb, selection: Selection): Survey {
    return surveyOf(this.parts.database, ownerId, selection, bulkVerbs[verb]);
  }

  /** What happened to it, the oldest first. @throws Refusal 404 `not_found` */
  history(ownerId: string, id: string): HistoryEntry[] {
    this.get(ownerId, id);
    return this.parts.queue.ledger.log.historyOf(id);
  }

  /** @throws Refusal 409 `wrong_state` when it has ended already */
  cancel(asker: Asker, id: string): Job {
    const before = this.get(asker.id, id);
    const from = this.parts.queue.asks.cancel(asker, id);
    if (from === null) throw wrongState("cancel", before);
    if (from === "running") this.parts.onCancelled(id);
    return this.tell(asker.id, id);
  }

  /**
   * @param onlyOn the device that it is to run on; null: wherever it fits
   * @throws Refusal 409 `wrong_state`, 409 `input_missing` when an input was deleted since, 409 `predecessor_ended`,
   * 429 `too_many_jobs`
   */
  retry(asker: Asker, id: string, onlyOn: OnlyDevice | null = null): Job {
    const before = this.get(asker.id, id);
    this.refuseRetry(before);
    this.submission.refuseTooMany(asker.id, 1);
    if (!this.parts.queue.asks.retry(asker, id, onlyOn)) throw wrongState("retry", before);
    const job = this.tell(asker.id, id);
    this.parts.onQueued();
    return job;
  }

  private refuseRetry(before: Job): void {
    if (before.state !== "failed" && before.state !== "cancelled")
      throw wrongState("retry", before);
    const { ownerId } = before;
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
    this.submission.refuseUselessAfter(ownerId, before.after);
  }

  /** Queued: it does not start. Running: it stands still, and keeps its memory. @throws Refusal 409 `wrong_state` */
  pause(asker: Asker, id: string): Job {
    const before = this.get(asker.id, id);
    const from = this.parts.queue.asks.pause(asker, id);
    if (from === null) throw wrongState("pause", before);
    if (from === "running") this.parts.onPaused(id, true);
    return this.tell(asker.id, id);
  }

  /** @throws Refusal 409 `wrong_state` when it is not paused */
  resume(asker: Asker, id: string): Job {
    const before = this.get(asker.id, id);
    const from = this.parts.queue.asks.resume(asker, id);
    if (from === null) throw wrongState("resume", before);
    if (from === "running") this.parts.onPaused(id, false);
    else this.parts.onQueued();
    return this.tell(asker.id, id);
  }

  /**
   * Changes what may still change: labels always, the rest while it does not run.
   * @throws Refusal 409 `wrong_state` or `predecessor_ended`, 422 `invalid` or `cycle`; nothing is changed then
   */
  change(asker: Asker, id: string, change: JobChange): Job {
    const before = this.get(asker.id, id);
    transaction(this.parts.database, () => {
      if (!applyChange(this.parts.queue, this.submission, { asker, id }, change)) {
        throw wrongState("change", before);
      }
    });
    this.parts.onQueued();
    return this.tell(asker.id, id);
  }

  /** Cancels these jobs in one transaction, as many as one call may. */
  cancelMany(asker: Asker, selection: Selection): BulkOutcome {
    const running: string[] = [];
    const outcome = this.changeMany(asker, selection, bulkVerbs.cancel, (id) => {
      const from = this.parts.queue.asks.cancel(asker, id);
      if (from === null) throw wrongState("cancel", this.get(asker.id, id));
      if (from === "running") running.push(id);
    });
    for (const id of running) this.parts.onCancelled(id);
    return outcome;
  }

  /** Retries these jobs in one transaction, as many as one call may. */
  retryMany(asker: Asker, selection: Selection, onlyOn: OnlyDevice | null = null): BulkOutcome {
    const outcome = this.changeMany(
      asker,
      selection,
      bulkVerbs.retry,
      (id) => {
        const before = this.get(asker.id, id);
        this.refuseRetry(before);
        if (!this.parts.queue.asks.retry(asker, id, onlyOn)) throw wrongState("retry", before);
      },
      (count) => this.submission.refuseTooMany(asker.id, count),
    );
    this.parts.onQueued();
    return outcome;
  }

  private changeMany(
    asker: Asker,
    selection: Selection,
    states: readonly JobState[],
    change: (id: string) => void,
    check: (count: number) => void = () => {},
  ): BulkOutcome {
    const { database, feed } = this.parts;
    const outcome = transaction(database, () => {
      const { ids, more } = selectedIds(database, asker.id, selection, states);
      check(ids.length);
      return { ...changeEach(ids, change), more };
    });
    feed.tell();
    return outcome;
  }

  /** After the commit of a transition: one line in the log, and the feed. The job as it is now. */
  tell(ownerId: string, id: string): Job {
    this.announce(id);
    return this.get(ownerId, id);
  }

  /** The same for whoever does not look at the job: its steps and attempts are not read. */
  announce(id: string): void {
    const line = logLineOf(this.parts.database, id);
    if (line === null) return;
    const { finishedAt, ...told } = line;
    if (finishedAt !== null) this.parts.feed.ended(id);
    this.parts.feed.tell();
    this.parts.log.info({ job: id, ...told }, "job");
  }

  /** Tells the feed that something about the job changed that is no move: a step, its device. */
  show(ownerId: string, id: string): void {
    this.parts.feed.changed(ownerId, id);
  }
}

function keyOf(key: string | null, request: unknown): IdempotencyKey | null {
  return key === null ? null : { key, sha256: fingerprint(request) };
}

/** The same request has the same fingerprint whatever the order of its keys. */
function fingerprint(request: unknown): string {
  return new Bun.CryptoHasher("sha256").update(canonicalJson(request)).digest("hex");
}
