/** One claimed job from its first step to its publication, and what becomes of its files. */
import type { Asset } from "../assets/asset.ts";
import { databaseRefusal } from "../database/transaction.ts";
import type { Log } from "../log.ts";
import type { Rest } from "../media/pause.ts";
import type { Dispatch } from "../runners/dispatch.ts";
import { diskFailure } from "../runners/explain.ts";
import { Failure, type FailureCode, type FailureReport, Refusal } from "../trouble.ts";
import type { Feed } from "./feed.ts";
import { areNear, type HeldInputs, holdInputs } from "./held-inputs.ts";
import { type HeldClaim, JobBook, type JobBookParts } from "./job-book.ts";
import type { LiveProgress } from "./live.ts";
import type { Prepared } from "./preparation.ts";
import { type PublicationParts, publish, publishAgain } from "./publication.ts";
import type { Claim } from "./queue.ts";
import type { Repeat } from "./repeats.ts";
import type { Start } from "./scheduler.ts";
import { type Drain, runSteps, type StepsOutcome } from "./steps.ts";

export interface JobRunParts extends PublicationParts, JobBookParts {
  feed: Feed;
  live: LiveProgress;
  dispatch: Dispatch;
  /** Called for each new asset after the commit. */
  onPublished(asset: Asset): void;
}

export interface JobRunRequest extends Start {
  /** Aborted when it was cancelled, or the server stops. */
  signal: AbortSignal;
  /** The switch by which the job is paused. */
  rest: Rest;
  drain: Drain;
}

/** Carries a claimed job out; its end stands in the database afterwards, unless that cannot be written. */
export async function runJob(parts: JobRunParts, request: JobRunRequest): Promise<void> {
  const { jobs, live, queue } = parts;
  const { jobId } = request.claim;
  const held: HeldClaim = { claim: request.claim };
  jobs.announce(jobId);
  try {
    if (request.repeat !== null && (await takeOver(parts, request, request.repeat))) return;
    const outcome = await carryOut(parts, held, request);
    if (outcome.kind === "failed") {
      await queue.commits.run(() => queue.fail(held.claim, outcome.report));
    } else if (outcome.kind === "aborted") {
      await queue.commits.run(() => queue.release(held.claim));
    } else {
      const { repeatKey } = request.prepared;
      const assets = await publish(parts, held.claim, outcome.finished, repeatKey);
      for (const asset of assets ?? []) parts.onPublished(asset);
    }
  } catch (cause) {
    const report = reportOf(parts, cause, held.claim);
    await queue.commits.run(() => queue.fail(held.claim, report));
  } finally {
    live.clear(jobId);
    await tidy(parts, jobId);
    jobs.announce(jobId);
  }
}

/** Ends a job with copies of what the same job made before; false when one of those is gone meanwhile. */
async function takeOver(
  parts: JobRunParts,
  { claim, prepared }: JobRunRequest,
  repeat: Repeat,
): Promise<boolean> {
  const deviceReason = `Nothing had to run: job ${repeat.jobId} did the same on the same bytes, and its proven outputs were taken.`;
  // No step of it runs.
  if (!parts.stepRows.lay(claim, [])) return true;
  parts.queue.noteRun(claim, { device: null, deviceReason });
  const assets = await publishAgain(parts, claim, repeat, prepared.repeatKey);
  if (assets === "gone") return false;
  for (const asset of assets ?? []) parts.onPublished(asset);
  return true;
}

async function carryOut(
  parts: JobRunParts,
  held: HeldClaim,
  request: JobRunRequest,
): Promise<StepsOutcome> {
  const { dispatch, folders, stepRows, storage } = parts;
  const { prepared, signal } = request;
  let unused = request.first;
  const giveBack = () => {
    if (unused !== null) dispatch.release(unused.place);
    unused = null;
  };
  let inputs: HeldInputs | null = null;
  try {
    const jobFolder = folders.open(held.claim.jobId);
    if (!stepRows.lay(held.claim, prepared.plan.steps)) return { kind: "aborted" };
    // Others may have the place while bytes come from afar.
    if (!areNear(storage, prepared.mediaIds)) giveBack();
    inputs = await holdInputs(storage, prepared.mediaIds, signal);
    const first = unused;
    unused = null;
    return await work(parts, held, { ...request, first }, { jobFolder, assetPaths: inputs.paths });
  } catch (cause) {
    if (signal.aborted) return { kind: "aborted" };
    throw cause;
  } finally {
    giveBack();
    inputs?.release();
  }
}

async function work(
  parts: JobRunParts,
  held: HeldClaim,
  { prepared, first, signal, rest, drain }: JobRunRequest,
  files: { jobFolder: string; assetPaths: string[] },
): Promise<StepsOutcome> {
  const { dispatch, live, feed } = parts;
  const { ownerId, jobId } = held.claim;
  // Once what runs has begun: it does not wait for what is thought of it.
  let expected: { weights: ReadonlyMap<string, number> | null } | null = null;
  const weights = () => {
    expected ??= { weights: noteExpected(parts, held, prepared) };
    return expected.weights;
  };
  const soon = setImmediate(weights);
  const book = new JobBook(parts, held, prepared);
  try {
    return await runSteps({
      ...prepared,
      onlyOn: held.claim.onlyOn,
      ...{ dispatch, first, ...files, signal, rest, drain, book, weights },
      onProgress: (progress) => {
        live.set(jobId, progress);
        feed.progress(ownerId, jobId, progress);
      },
    });
  } finally {
    clearImmediate(soon);
  }
}

/**
 * Until ffmpeg tells how fast it goes, what is left is what was expected of the whole. Seconds for each step by name,
 * by which progress weighs them; null when they could not be estimated.
 */
function noteExpected(
  parts: JobRunParts,
  { claim }: HeldClaim,
  prepared: Prepared,
): ReadonlyMap<string, number> | null {
  try {
    const { steps, total } = parts.experience.predict(prepared, claim.onlyOn);
    parts.queue.notePrediction(claim, total);
    parts.live.expect(claim.jobId, total.predictedSeconds);
    parts.feed.changed(claim.ownerId, claim.jobId);
    return new Map(steps.map(({ name, predictedSeconds }) => [name, predictedSeconds]));
  } catch (cause) {
    parts.log.warn({ err: cause, job: claim.jobId }, "a job could not be estimated");
    return null;
  }
}

/** What ended well or was cancelled needs its files no more; of the rest the finished steps keep theirs. */
async function tidy({ folders, stepRows, log }: JobRunParts, jobId: string): Promise<void> {
  try {
    const kept = new Set(stepRows.kept(jobId).keys());
    if (kept.size === 0) await folders.clear(jobId);
    else await folders.clearUnfinished(jobId, () => kept);
  } catch (cause) {
    log.warn(
      { err: cause, job: jobId },
      "files of a job could not be removed; the next sweep tries",
    );
  }
}

/** What a job failed of that something else than a step ended. */
export function reportOf({ log }: { log: Log }, cause: unknown, claim: Claim): FailureReport {
  const failure = cause instanceof Failure ? cause : diskFailure(cause);
  if (failure !== null) return failure.report;
  const refusal = cause instanceof Refusal ? cause : databaseRefusal(cause);
  if (refusal !== null) {
    return new Failure(codeOf(refusal), refusal.message, {
      hint: "Put it right and retry the job.",
      retryable: refusal.code === "storage_unreachable",
    }).report;
  }
  log.error({ err: cause, job: claim.jobId }, "job ended by an error of ours");
  return new Failure("internal", "Kinomill made an error while it ran this job.", {
    hint: "Retry the job. If it fails again, send the log of the server with the job's id.",
    retryable: true,
  }).report;
}

function codeOf({ status, code }: Refusal): FailureCode {
  if (code === "storage_unreachable" || code === "quota_exceeded") return code;
  return status === 507 ? "disk_full" : "input_missing";
}
