import { expect, test } from "bun:test";
import type { Wait } from "../runners/dispatch.ts";
import type { Candidate } from "./queue.ts";
import { Turns, type Wanted } from "./turns.ts";

const busy: Wait = { kind: "busy", sentence: "All places are taken." };
const absent: Wait = { kind: "absent", sentence: "No GPU can do it." };

function job(jobId: string): Candidate {
  const request = { jobId, ownerId: "us_1", operation: "transcode", params: {}, inputIds: [] };
  return { ...request, verify: null, held: false, reason: null };
}

/** Jobs whose name begins with c want the CPU. */
const wantedOf = ({ jobId }: Candidate): Wanted => (jobId.startsWith("c") ? "cpu" : "gpu");

function round(turns: Turns, names: string[], outcomes: Record<string, Wait>): string[] {
  const started: string[] = [];
  turns.round(names.map(job), wantedOf, ({ jobId }) => {
    const wait = outcomes[jobId];
    if (wait !== undefined) return wait;
    started.push(jobId);
    return true;
  });
  return started;
}

test("who finds no place is passed by whoever does, in the order of the queue", () => {
  const turns = new Turns();
  expect(round(turns, ["g1", "c1", "g2"], { g1: busy })).toEqual(["c1", "g2"]);
});

test("a job that was passed often enough is passed no more by those that want the same", () => {
  const turns = new Turns();
  const passing = Array.from({ length: 40 }, (_, index) => `g${index}`);
  const started = passing.flatMap((name) => round(turns, ["ladder", name], { ladder: busy }));
  expect(started).toEqual(passing.slice(0, 16));
  expect(round(turns, ["ladder", "c1"], { ladder: busy })).toEqual(["c1"]);
  expect(round(turns, ["ladder", "g99"], {})).toEqual(["ladder", "g99"]);
});

test("a job that no device of the box can do keeps nobody waiting", () => {
  const turns = new Turns();
  const passing = Array.from({ length: 40 }, (_, index) => `g${index}`);
  const started = passing.flatMap((name) => round(turns, ["odd", name], { odd: absent }));
  expect(started).toEqual(passing);
});

test("those that wait are told with their reasons", () => {
  const waiting = new Turns().round([job("g1"), job("g2")], wantedOf, ({ jobId }) =>
    jobId === "g1" ? busy : absent,
  );
  expect(waiting.map(({ job: { jobId }, wait }) => [jobId, wait.kind])).toEqual([
    ["g1", "busy"],
    ["g2", "absent"],
  ]);
});
