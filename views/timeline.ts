/**
 * The time line of a job, from what is recorded of it: when it waited, ran and stood still, and each step, the parts of
 * a long encode on the device that did them. Pure.
 */
import type { HistoryEntry } from "../src/jobs/event-log.ts";
import type { Job, JobStep } from "../src/jobs/job.ts";

export const barKinds = [
  "waited",
  "running",
  "ran",
  "published",
  "failed",
  "paused",
  "stopped",
] as const;
export type BarKind = (typeof barKinds)[number];

export interface Bar {
  kind: BarKind;
  fromMs: number;
  toMs: number;
  /** What it is, where the lane does not say it: the number of a part. */
  part: number | null;
  /** Id of the device; null where it had none. */
  device: string | null;
  /** Why it ended as it did, or what it waited for. */
  sentence: string;
}

/** Bars that stand in one row. */
export interface Lane {
  /** Of the step; null for the job itself. */
  title: string | null;
  /** Of parts: the device on which those of this lane ran. */
  device: string | null;
  bars: Bar[];
}

export interface Timeline {
  fromMs: number;
  toMs: number;
  lanes: Lane[];
  /** Whether long waits are drawn shorter than they were. */
  shortened: boolean;
  /** Where a moment stands, 0 to 1. */
  placeOf(atMs: number): number;
}

const partName = /^(.+-part)-(\d+)$/;
const partTitle = /: part \d+ of \d+$/;

/** @param nowMs where what has not ended ends for now */
export function timelineOf(job: Job, history: readonly HistoryEntry[], nowMs: number): Timeline {
  const fromMs = Date.parse(job.createdAt);
  const endMs = job.finishedAt === null ? nowMs : Date.parse(job.finishedAt);
  const toMs = Math.max(endMs, fromMs + 1);
  const own = jobBars(job, history, { fromMs, toMs });
  const lanes = [{ title: null, device: null, bars: own }, ...stepLanes(job, toMs)];
  return { fromMs, toMs, lanes, ...scaleOf(own, { fromMs, toMs }) };
}

interface Span {
  fromMs: number;
  toMs: number;
}

/** Entries of the history that move nothing. */
const still: ReadonlySet<string> = new Set(["labels", "priority", "after", "not before"]);

/** What a job does behind each move of its history. */
function kindAfter({ what, state }: HistoryEntry): BarKind | "ended" {
  if (what === "pause") return "paused";
  if (state === "running") return "running";
  return state === "queued" || state === "waiting" ? "waited" : "ended";
}

/** From move to move; what came to nothing is called by how it ended. */
function jobBars(job: Job, history: readonly HistoryEntry[], whole: Span): Bar[] {
  const bars: Bar[] = [];
  let open: { kind: BarKind; fromMs: number; sentence: string } = {
    ...{ kind: "waited", fromMs: whole.fromMs, sentence: "" },
  };
  let ended = false;
  let device: string | null = null;
  const close = (toMs: number, kind: BarKind) => {
    if (!ended && toMs > open.fromMs) {
      const place = kind === "waited" ? null : device;
      bars.push({
        kind,
        fromMs: open.fromMs,
        toMs,
        part: null,
        device: place,
        sentence: open.sentence,
      });
    }
  };
  const moves = history.filter(({ what }) => !still.has(what));
  for (const entry of moves.length > 0 ? moves : madeUp(job)) {
    const atMs = Math.min(Math.max(Date.parse(entry.at), open.fromMs), whole.toMs);
    const next = kindAfter(entry);
    if (next === open.kind && entry.what !== "try elsewhere" && !ended) continue;
    close(atMs, endedAs(open.kind, entry));
    if (entry.what === "claim" || entry.what === "try elsewhere") device = deviceAt(job, atMs);
    ended = next === "ended";
    open = { kind: ended ? "waited" : (next as BarKind), fromMs: atMs, sentence: entry.sentence };
  }
  close(whole.toMs, open.kind);
  return bars;
}

/** Of a job whose history is not kept any more. */
function madeUp({ startedAt, finishedAt, state }: Job): HistoryEntry[] {
  const entry = (at: string, what: string, then: HistoryEntry["state"]) => ({
    ...{ at, what, state: then, who: "", sentence: "" },
  });
  const end = { succeeded: "succeed", failed: "fail", cancelled: "cancel" } as const;
  return [
    ...(startedAt === null ? [] : [entry(startedAt, "claim", "running")]),
    ...(finishedAt === null || !(state in end)
      ? []
      : [entry(finishedAt, end[state as keyof typeof end], state)]),
  ];
}

function endedAs(kind: BarKind, { what, state }: HistoryEntry): BarKind {
  if (kind !== "running") return kind;
  if (what === "fail" || what === "postpone" || what === "make room") return "failed";
  if (what === "try elsewhere") return "failed";
  if (what === "release" || what === "recover" || what === "cancel") return "stopped";
  return state === "failed" ? "failed" : "ran";
}

/** The device of the attempt that began then. */
function deviceAt({ attempts }: Job, atMs: number): string | null {
  const begun = attempts.findLast(({ startedAt }) => Date.parse(startedAt) <= atMs + 1000);
  return begun?.device ?? null;
}

/** A lane for each step; of parts one for each place that was at work on them at the same time. */
function stepLanes(job: Job, toMs: number): Lane[] {
  const begun = job.steps.filter(({ startedAt }) => startedAt !== null && startedAt !== undefined);
  const groups = Map.groupBy(begun, ({ name }) => partName.exec(name)?.[1] ?? ` ${name}`);
  const lanes = [...groups.values()].flatMap((steps) => lanesOf(steps, toMs));
  const last = begun.reduce(
    (latest, { finishedAt }) => Math.max(latest, Date.parse(finishedAt ?? "") || 0),
    0,
  );
  const published = job.state === "succeeded" && last > 0 && toMs > last;
  if (!published) return lanes;
  const bar: Bar = { ...plain, kind: "published", fromMs: last, toMs };
  return [...lanes, { title: "", device: null, bars: [bar] }];
}

const plain = { part: null, device: null, sentence: "" };

function lanesOf(steps: readonly JobStep[], toMs: number): Lane[] {
  const title = steps[0]?.title.replace(partTitle, "") ?? "";
  const bars = steps.map((step) => stepBar(step, toMs)).toSorted((a, b) => a.fromMs - b.fromMs);
  const [only] = bars;
  if (steps.length === 1 && only?.part === null) return [{ title, device: null, bars }];
  return [...Map.groupBy(bars, ({ device }) => device)].flatMap(([device, own]) =>
    sideBySide(own).map((row) => ({ title, device, bars: row })),
  );
}

function stepBar(step: JobStep, toMs: number): Bar {
  const fromMs = Date.parse(step.startedAt ?? "");
  const part = partName.exec(step.name)?.[2];
  const endMs = step.finishedAt ? Date.parse(step.finishedAt) : toMs;
  const kinds = { pending: "stopped", running: "running", done: "ran", failed: "failed" } as const;
  return {
    ...{ kind: kinds[step.state], fromMs, toMs: Math.max(endMs, fromMs) },
    part: part === undefined ? null : Number(part),
    device: step.device,
    sentence: step.proof?.sentence ?? step.deviceReason ?? "",
  };
}

/** Bars that overlap go into rows of their own, each into the first in which it fits. */
function sideBySide(bars: readonly Bar[]): Bar[][] {
  const rows: Bar[][] = [];
  for (const bar of bars) {
    const row = rows.find((each) => (each.at(-1)?.toMs ?? 0) <= bar.fromMs);
    if (row === undefined) rows.push([bar]);
    else row.push(bar);
  }
  return rows;
}

/** When it did not work: it waited, stood still, or had ended before somebody tried it again. */
function idleSpans(bars: readonly Bar[], { fromMs, toMs }: Span): Span[] {
  const idle: Span[] = [];
  let atMs = fromMs;
  for (const bar of bars) {
    if (bar.kind === "waited" || bar.kind === "paused") continue;
    if (bar.fromMs > atMs) idle.push({ fromMs: atMs, toMs: bar.fromMs });
    atMs = Math.max(atMs, bar.toMs);
  }
  if (toMs > atMs) idle.push({ fromMs: atMs, toMs });
  return idle;
}

/** What waiting may take of the width, beside what was worked. */
const WAIT_SHARE_MAX = 0.25;

/** A job that waited for hours and ran for seconds: each wait is drawn as a quarter of the work at most. */
function scaleOf(bars: readonly Bar[], { fromMs, toMs }: Span) {
  const waits = idleSpans(bars, { fromMs, toMs });
  const waited = waits.reduce((sum, bar) => sum + bar.toMs - bar.fromMs, 0);
  const worked = toMs - fromMs - waited;
  const most = worked > 0 ? worked * WAIT_SHARE_MAX : Number.POSITIVE_INFINITY;
  const cut = (bar: Span) => Math.max(0, bar.toMs - bar.fromMs - most);
  const shortened = waits.some((bar) => cut(bar) > 0);
  const drawn = toMs - fromMs - waits.reduce((sum, bar) => sum + cut(bar), 0);
  const placeOf = (atMs: number): number => {
    const lost = waits.reduce((sum, bar) => {
      const length = bar.toMs - bar.fromMs;
      const share = length <= 0 ? 0 : Math.min(1, Math.max(0, (atMs - bar.fromMs) / length));
      return sum + cut(bar) * share;
    }, 0);
    return Math.min(1, Math.max(0, (atMs - fromMs - lost) / drawn));
  };
  return { shortened, placeOf };
}
