import { expect, test } from "bun:test";
import type { Wait } from "../runners/dispatch.ts";
import { Turns } from "./turns.ts";
import type { Candidate } from "./waiting.ts";

const busy: Wait = { kind: "busy", sentence: "All places are taken." };
const absent: Wait = { kind: "absent", sentence: "No GPU can do it." };

/** Jobs whose name begins with c want the CPU. */
function job(jobId: string): Candidate {
  const request = { jobId, ownerId: "us_1", operation: "transcode", params: {}, inputIds: [] };
  const need = jobId.startsWith("c") ? "cpu" : "gpu";
  return {
    ...request,
    need,
    priority: 0,
    verify: null,
    anew: false,
    onlyOn: null,
    held: null,
    reason: null,
    spaceBytes: null,
  };
}

function play(turns: Turns, names: string[], outcomes: Record<string, Wait>) {
  const started: string[] = [];
  let looked = 0;
  const { waiting, full } = turns.round(
    (closed) =>
      names
        .map(job)
        .values()
        .filter(({ need }) => !closed.has(need)),
    new Set(),
    ({ jobId }) => {
      looked += 1;
      const wait = outcomes[jobId];
      if (wait !== undefined) return wait;
      started.push(jobId);
      return true;
    },
  );
  return { started, waiting, full, looked };
}

const round = (...values: Parameters<typeof play>) => play(...values).started;

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

test("thousands that wait for one kind of place keep nobody from another, and are not all looked at", () => {
  const gpu = Array.from({ length: 5000 }, (_, index) => `g${index}`);
  const outcomes = Object.fromEntries(gpu.map((name) => [name, busy]));
  const { started, looked, full } = play(new Turns(), [...gpu, "c1"], outcomes);
  expect(started).toEqual(["c1"]);
  expect(looked).toBeLessThan(50);
  expect([...full]).toEqual(["gpu"]);
});

test("those that wait are told with their reasons", () => {
  const { waiting } = play(new Turns(), ["g1", "g2"], { g1: busy, g2: absent });
  expect(waiting.map(({ job: { jobId }, wait }) => [jobId, wait.kind])).toEqual([
    ["g1", "busy"],
    ["g2", "absent"],
  ]);
});
