/**
 * Trying out: what an operation makes of ten seconds of a file, before the whole of it is asked for. Those seconds are
 * cut out, and the operation works on them in the way of every job (planned, placed, rendered, fenced, proven), on the
 * device where the job would run, but without a row in the queue and without an asset: what comes of it lies in a
 * folder for a while and is thrown away. See `docs/decisions/0012-trying-out.md`.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Library } from "../assets/library.ts";
import type { Clock } from "../clock.ts";
import { newId } from "../identity.ts";
import type { Log } from "../log.ts";
import type { MediaInfo } from "../media/media.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import type { Operation, PlanContext, PlanInput, Span } from "../operations/operation.ts";
import { spanAround } from "../operations/part.ts";
import type { Dispatch } from "../runners/dispatch.ts";
import type { Storage } from "../storage/storage.ts";
import { assert, Failure, type FailureReport, Refusal } from "../trouble.ts";
import { holdInputs } from "./held-inputs.ts";
import type { JobStep } from "./job.ts";
import { jobInputs } from "./job-inputs.ts";
import { ShownSteps } from "./step-book.ts";
import { type Finished, runSteps, type StepsOutcome } from "./steps.ts";
import type { JobRequest } from "./submission.ts";

/** Whoever has tried something looks at it at once; a tab that was forgotten keeps nothing for long. */
const KEPT_MS = 15 * 60_000;

/** Ten seconds that are not done by then will not be before anybody has lost patience. */
const LIMIT_MS = 10 * 60_000;

/** Of all people together: each takes places of jobs. */
const AT_ONCE_MAX = 4;

export interface TrialFile {
  name: string;
  /** Absolute. */
  path: string;
  sizeBytes: number;
  mimeType: string;
  media: MediaInfo | null;
}

/** How a trial stands. */
export interface Trial {
  id: string;
  ownerId: string;
  operation: { name: string; title: string };
  /** The file of which a part is tried, and which part, in seconds of the file. */
  assetId: string;
  span: Span;
  state: "running" | "done" | "failed" | "ended";
  progressPercent: number;
  /** What it waits for; null while it runs. */
  waitReason: string | null;
  /** The part of the source, and what was made of it; empty before. */
  part: TrialFile | null;
  made: TrialFile[];
  /** Where its picture was encoded, in a sentence; null where nothing was said. */
  deviceReason: string | null;
  /** Of the making alone; null before the end. */
  tookSeconds: number | null;
  error: FailureReport | null;
}

export interface TrialsParts {
  library: Pick<Library, "get" | "captionsOf">;
  storage: Pick<Storage, "hold">;
  dispatch: Dispatch;
  planContext(): PlanContext;
  /** Absolute; emptied at the start and at the end. */
  folder: string;
  clock: Clock;
  log: Log;
}

interface Kept {
  trial: Trial;
  abort: AbortController;
  done: Promise<void>;
  /** Throws it away. */
  timer: Timer | null;
}

export class Trials {
  private readonly parts: TrialsParts;
  private readonly kept = new Map<string, Kept>();

  constructor(parts: TrialsParts) {
    this.parts = parts;
  }

  /** What a server before this one left. */
  async open(): Promise<void> {
    await rm(this.parts.folder, { recursive: true, force: true });
  }

  /**
   * Begins one; that of before of the same person is thrown away.
   * @param atSeconds where in the file; null: around its middle
   * @throws Refusal as `Jobs.submit`, 422 `cannot_be_tried` where parts of a file say nothing, 429 `too_many_trials`
   */
  async start(ownerId: string, request: JobRequest, atSeconds: number | null): Promise<Trial> {
    const prepared = this.prepare(ownerId, request, atSeconds);
    await Promise.all(this.of(ownerId).map(({ trial }) => this.end(ownerId, trial.id)));
    const running = [...this.kept.values()].filter(({ trial }) => trial.state === "running");
    if (running.length >= AT_ONCE_MAX) {
      const sentence = "Others are trying something out at the moment. Try again in a minute.";
      throw new Refusal(429, "too_many_trials", sentence, { headers: { "retry-after": "30" } });
    }
    const { operation, span, assetId } = prepared;
    const trial: Trial = {
      ...{ id: newId("trial"), ownerId, assetId, span, state: "running", progressPercent: 0 },
      operation: { name: operation.name, title: operation.title },
      ...{ waitReason: null, part: null, made: [], deviceReason: null },
      ...{ tookSeconds: null, error: null },
    };
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), LIMIT_MS);
    const done = this.carryOut(trial, prepared, abort.signal).finally(() => {
      clearTimeout(limit);
      const kept = this.kept.get(trial.id);
      if (kept === undefined) return;
      kept.timer = setTimeout(() => void this.end(ownerId, trial.id), KEPT_MS);
      kept.timer.unref();
    });
    this.kept.set(trial.id, { trial, abort, done, timer: null });
    return trial;
  }

  /** Null for another's, and for one that was thrown away. */
  find(ownerId: string, id: string): Trial | null {
    const kept = this.kept.get(id);
    return kept?.trial.ownerId === ownerId ? kept.trial : null;
  }

  /** Throws it away, and what it made; nothing happens where there is none. */
  async end(ownerId: string, id: string): Promise<void> {
    const kept = this.kept.get(id);
    if (kept === undefined || kept.trial.ownerId !== ownerId) return;
    this.kept.delete(id);
    if (kept.timer !== null) clearTimeout(kept.timer);
    kept.abort.abort();
    await kept.done;
    await rm(this.folderOf(id), { recursive: true, force: true });
  }

  /** Ends all; resolves when every ffmpeg of theirs is gone. */
  async close(): Promise<void> {
    const all = [...this.kept.values()];
    await Promise.all(all.map(({ trial }) => this.end(trial.ownerId, trial.id)));
    await rm(this.parts.folder, { recursive: true, force: true });
  }

  private of(ownerId: string): Kept[] {
    return [...this.kept.values()].filter(({ trial }) => trial.ownerId === ownerId);
  }

  private folderOf(id: string): string {
    return join(this.parts.folder, id);
  }

  /** All that can be refused before anything runs: the whole is planned too, for what is wrong with it is wrong. */
  private prepare(ownerId: string, request: JobRequest, atSeconds: number | null): Prepared {
    const { library, planContext } = this.parts;
    const operation = findOperation(request.operation ?? "");
    const params = parseParams(operation, request.params) as Record<string, unknown>;
    const assets = request.inputs.map((id) => library.get(ownerId, id));
    const { inputs, texts } = jobInputs(assets, library);
    const whole = planFor(operation, params, inputs, planContext(), texts);
    assert(whole.steps.length > 0, "a plan has a step");
    const [first] = inputs;
    const media = assets.filter((asset) => asset.media !== null);
    const assetId = media[0]?.id;
    assert(first !== undefined && assetId !== undefined, "what was planned has an input");
    const { durationSeconds, kind } = first.media;
    const span = spanAround(atSeconds, params, durationSeconds);
    const own =
      kind === "image"
        ? null
        : (operation.part?.(params, span, { durationSeconds, texts }) ?? null);
    if (own === null) {
      const sentence = `${operation.title} with these choices cannot be tried on ten seconds. Start it, and look at the result.`;
      throw new Refusal(422, "cannot_be_tried", sentence);
    }
    return {
      ...{ operation, inputs, span, assetId, mediaIds: media.map(({ id }) => id) },
      params: own as Record<string, unknown>,
    };
  }

  /** Never rejects. */
  private async carryOut(trial: Trial, prepared: Prepared, signal: AbortSignal): Promise<void> {
    try {
      await this.makeBoth(trial, prepared, signal);
      trial.state = signal.aborted ? "ended" : "done";
    } catch (cause) {
      if (signal.aborted) {
        trial.state = "ended";
        return;
      }
      trial.error = this.reportOf(cause);
      trial.state = "failed";
    }
  }

  private reportOf(cause: unknown): FailureReport {
    if (cause instanceof Failure) return cause.report;
    if (cause instanceof Refusal) {
      return new Failure("input_missing", cause.message, { hint: "" }).report;
    }
    this.parts.log.error({ err: cause }, "a trial ended by an error of ours");
    return new Failure("internal", "Kinomill made an error while it tried this.", { hint: "" })
      .report;
  }

  private async makeBoth(trial: Trial, prepared: Prepared, signal: AbortSignal): Promise<void> {
    const { operation, params, inputs, mediaIds, span } = prepared;
    const [first, ...others] = inputs;
    assert(first !== undefined, "what was prepared has an input");
    const held = await holdInputs(this.parts.storage, mediaIds, signal);
    try {
      const cut = cutting(first, span);
      const part = await this.run(trial, cut.operation, cut.params, {
        ...{ inputs: [first], paths: held.paths.slice(0, 1), name: "part", signal },
        share: [0, PART_SHARE],
      });
      const [source] = part;
      if (source?.media == null || signal.aborted) return;
      trial.part = source;
      const begun = performance.now();
      trial.made = await this.run(trial, operation, params, {
        inputs: [{ name: first.name, media: source.media }, ...others],
        paths: [source.path, ...held.paths.slice(1)],
        ...{ name: "made", signal, share: [PART_SHARE, 1] },
      });
      trial.tookSeconds = (performance.now() - begun) / 1000;
    } finally {
      held.release();
    }
  }

  /** The files that came of it, the main one first. @throws Failure of a step, Refusal of the plan */
  private async run(
    trial: Trial,
    operation: Operation,
    params: Record<string, unknown>,
    { inputs, paths, name, signal, share }: RunRequest,
  ): Promise<TrialFile[]> {
    const { chunks: _whole, ...context } = this.parts.planContext();
    const plan = planFor(operation, parseParams(operation, params), inputs, context);
    const jobFolder = join(this.folderOf(trial.id), name);
    await mkdir(jobFolder, { recursive: true, mode: 0o700 });
    const outcome = await runSteps({
      ...{ plan, dispatch: this.parts.dispatch, first: null, assetPaths: paths, jobFolder, signal },
      verify: "quick",
      book: new ShownSteps(
        (step) => follow(trial, step),
        () => undefined,
      ),
      onProgress: ({ percent }) => {
        const [from, to] = share;
        if (percent !== null) trial.progressPercent = (from + ((to - from) * percent) / 100) * 100;
      },
    });
    return filesOf(outcome);
  }
}

/** Cutting takes a fifth of the time: mostly it copies. */
const PART_SHARE = 0.2;

interface Prepared {
  operation: Operation;
  /** For the part alone. */
  params: Record<string, unknown>;
  inputs: PlanInput[];
  mediaIds: string[];
  span: Span;
  assetId: string;
}

interface RunRequest {
  inputs: PlanInput[];
  paths: string[];
  name: "part" | "made";
  signal: AbortSignal;
  /** From where to where the progress of the whole goes meanwhile, 0 to 1. */
  share: [from: number, to: number];
}

/** What MP4 holds as it is, and browsers play most. */
const inMp4 = new Set(["h264", "hevc", "av1", "vp9", "mpeg4"]);

/** As the source is where it can be copied; else so good that what is tried decides how it looks. */
function cutting({ media }: PlanInput, { from, to }: Span) {
  const codec = media.video?.codec ?? "";
  const params = {
    ranges: [{ from, to }],
    ...{ cut: "fast", effort: "fast", quality: 95 },
    container: inMp4.has(codec) ? "mp4" : "mkv",
  };
  return { operation: findOperation("clip"), params };
}

function follow(trial: Trial, { state, deviceReason }: JobStep): void {
  trial.waitReason = state === "pending" ? deviceReason : null;
  if (state === "done" && deviceReason !== null) trial.deviceReason = deviceReason;
}

function filesOf(outcome: StepsOutcome): TrialFile[] {
  if (outcome.kind === "aborted") return [];
  if (outcome.kind === "failed")
    throw new Failure(outcome.report.code, outcome.report.message, outcome.report);
  const main = ({ declared }: Finished) => (declared.role === "main" ? 0 : 1);
  return outcome.finished
    .toSorted((a, b) => main(a) - main(b))
    .map(({ declared, proven }) => ({
      name: declared.name,
      path: proven.path,
      sizeBytes: proven.sizeBytes,
      mimeType: declared.mimeType,
      media: proven.media,
    }));
}
