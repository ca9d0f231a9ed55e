import { expect, test } from "bun:test";
import type { HistoryEntry } from "../src/jobs/event-log.ts";
import type { Job } from "../src/jobs/job.ts";
import { entries } from "../tests/preview-samples.ts";
import { jobTimeline } from "./job-timeline.ts";
import { timelineOf } from "./timeline.ts";

const start = Date.parse("2026-01-01T00:00:00.000Z");
const at = (seconds: number) => new Date(start + seconds * 1000).toISOString();

function jobOf(change: Partial<Job>): Job {
  const [like] = entries;
  if (like === undefined) throw new Error("there are samples");
  const none = { steps: [], attempts: [], startedAt: null, finishedAt: null };
  return { ...like.job, ...none, createdAt: at(0), ...change };
}

const entry = (seconds: number, what: string, state: Job["state"]): HistoryEntry => ({
  ...{ at: at(seconds), what, state, who: "", sentence: `${what} it` },
});

/** Of the job's own lane: what it did from when to when, in seconds. */
function barsOf(job: Job, history: HistoryEntry[], nowSeconds: number) {
  const [own] = timelineOf(job, history, start + nowSeconds * 1000).lanes;
  return own?.bars.map(({ kind, fromMs, toMs, device }) => [
    ...[kind, (fromMs - start) / 1000, (toMs - start) / 1000, device],
  ]);
}

const onCpu = {
  fence: 1,
  outcome: "running",
  device: "cpu",
  error: null,
  finishedAt: null,
} as const;

test("a job waits, runs, stands still, fails over to another device, and is done", () => {
  const attempts = [
    { ...onCpu, device: "gpu:0", startedAt: at(10) },
    { ...onCpu, fence: 2, startedAt: at(40) },
  ];
  const job = jobOf({ state: "succeeded", attempts, startedAt: at(10), finishedAt: at(60) });
  const history = [
    entry(0, "submit", "queued"),
    entry(3, "priority", "queued"),
    entry(10, "claim", "running"),
    entry(20, "pause", "running"),
    entry(25, "labels", "running"),
    entry(30, "resume", "running"),
    entry(40, "try elsewhere", "running"),
    entry(60, "succeed", "succeeded"),
    entry(90, "labels", "succeeded"),
  ];
  expect(barsOf(job, history, 1000)).toEqual([
    ["waited", 0, 10, null],
    ["ran", 10, 20, "gpu:0"],
    ["paused", 20, 30, "gpu:0"],
    ["failed", 30, 40, "gpu:0"],
    ["ran", 40, 60, "cpu"],
  ]);
});

test("a retry long after leaves a gap, and what has not ended ends now", () => {
  const attempts = [{ ...onCpu, startedAt: at(1) }];
  const job = jobOf({ state: "running", attempts, startedAt: at(86_402) });
  const history = [
    entry(0, "submit", "queued"),
    entry(1, "claim", "running"),
    entry(5, "fail", "failed"),
    entry(86_400, "retry", "queued"),
    entry(86_402, "claim", "running"),
  ];
  expect(barsOf(job, history, 86_410)).toEqual([
    ["waited", 0, 1, null],
    ["failed", 1, 5, "cpu"],
    ["waited", 86_400, 86_402, null],
    ["running", 86_402, 86_410, "cpu"],
  ]);
  const line = timelineOf(job, history, start + 86_410_000);
  expect(line.shortened).toBe(true);
  // The 12 seconds of work take most of the width, though the day between was 7,200 times as long.
  const share = (from: number, to: number) =>
    line.placeOf(start + to * 1000) - line.placeOf(start + from * 1000);
  expect(share(1, 5) + share(86_402, 86_410)).toBeGreaterThan(0.6);
  expect([line.placeOf(start), line.placeOf(line.toMs)]).toEqual([0, 1]);
});

test("a job whose history is gone still has a line, and one that waits is one bar", () => {
  const ended = jobOf({ state: "failed", startedAt: at(4), finishedAt: at(9) });
  expect(barsOf(ended, [], 100)?.map(([kind]) => kind)).toEqual(["waited", "failed"]);
  expect(barsOf(jobOf({ state: "queued" }), [entry(0, "submit", "queued")], 7)).toEqual([
    ["waited", 0, 7, null],
  ]);
});

test("parts stand on the lane of their device, beside each other where they overlap", () => {
  const [like] = jobOf({ steps: entries[0]?.job.steps ?? [] }).steps;
  if (like === undefined) throw new Error("the sample has a step");
  const part = (number: number, device: string, from: number, to: number | null) => ({
    ...{ ...like, name: `a-part-${number}`, title: `Encode: part ${number} of 4`, device },
    ...{ state: to === null ? ("running" as const) : ("done" as const), startedAt: at(from) },
    finishedAt: to === null ? null : at(to),
  });
  const steps = [
    { ...like, name: "a-seams", title: "Look", startedAt: at(1), finishedAt: at(2) },
    ...[part(1, "gpu:0", 2, 10), part(2, "gpu:1", 2, 9), part(3, "gpu:0", 5, 12)],
    part(4, "gpu:0", 12, null),
    { ...like, name: "a", title: "Join", startedAt: null },
  ];
  const line = timelineOf(jobOf({ state: "running", steps }), [], start + 20_000);
  expect(
    line.lanes
      .slice(1)
      .map(({ title, device, bars }) => [title, device, bars.map(({ part }) => part)]),
  ).toEqual([
    ["Look", null, [null]],
    ["Encode", "gpu:0", [1, 4]],
    ["Encode", "gpu:0", [3]],
    ["Encode", "gpu:1", [2]],
  ]);
  expect(line.lanes[2]?.bars.at(-1)).toMatchObject({ kind: "running", toMs: start + 20_000 });
});

test("the drawing is for eyes, the table says the same, and both have an end", () => {
  const [like] = entries[0]?.job.steps ?? [];
  if (like === undefined) throw new Error("the sample has a step");
  const steps = Array.from({ length: 300 }, (_, number) => ({
    ...{ ...like, name: `step-${number}`, title: `Step ${number} <b>`, state: "done" as const },
    ...{ startedAt: at(number), finishedAt: at(number + 1) },
  }));
  const job = jobOf({ state: "succeeded", steps, startedAt: at(0), finishedAt: at(305) });
  const markup = jobTimeline(job, [], start).toString();
  expect(markup.match(/class="lane"/g)?.length).toBe(24);
  expect(markup.match(/<tr id=|<tr>/g)?.length).toBe(201);
  expect(markup).toContain("278 more rows stand in the table.");
  expect(markup).toContain("The first 200 of them are shown.");
  expect(markup).not.toContain("<b>");
  for (const [, width] of markup.matchAll(/<rect class="bar ran" [^>]*width="([^"]+)"/g)) {
    expect(Number(width)).toBeGreaterThanOrEqual(3);
  }
});
