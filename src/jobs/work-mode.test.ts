import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { type WorkState, WorkSwitch, whyNothingStarts, workModes } from "./work-mode.ts";

let folder: string;
let database: Database;
const clock = new ManualClock();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-work-mode-"));
  database = openDatabase(folder);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

test("the switch tells who follows it, at once and at each change, and outlives a restart", () => {
  const work = new WorkSwitch(database, clock);
  const seen: WorkState[] = [];
  work.follow((state) => seen.push(state));
  work.set("paused");
  clock.advance(1000);
  work.set("paused");
  const since = "2026-01-01T00:00:00.000Z";
  expect(seen).toEqual([
    { mode: "running", since: null },
    { mode: "paused", since },
  ]);
  expect(new WorkSwitch(database, clock).state()).toEqual({ mode: "paused", since });
});

test("who no longer follows is told nothing more, and the others are", () => {
  const work = new WorkSwitch(database, clock);
  const seen: string[] = [];
  const unfollow = work.follow(({ mode }) => seen.push(`first ${mode}`));
  work.follow(({ mode }) => seen.push(`second ${mode}`));
  unfollow();
  work.set("draining");
  expect(seen).toEqual(["first running", "second running", "second draining"]);
});

test("the database takes exactly the modes of the list", () => {
  const work = new WorkSwitch(database, clock);
  for (const mode of workModes) expect(work.set(mode).mode).toBe(mode);
  expect(() => work.set("asleep" as never)).toThrow("CHECK");
});

test("only a box that works has nothing to say to jobs that wait", () => {
  expect(workModes.filter((mode) => whyNothingStarts(mode) === null)).toEqual(["running"]);
});
