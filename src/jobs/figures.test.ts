import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { everything, media, video } from "../../tests/operations/specimen.ts";
import { ManualClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { onCpu } from "../media/expected-work.ts";
import { guessOf, type PlacedWork, predictBytes, predictSeconds } from "../media/work-figures.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import { openFigures, WorkFigures } from "./figures.ts";

let folder: string;
let database: Database;
const clock = new ManualClock();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "figures-"));
  database = openDatabase(folder);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const source = media({ bitRate: 4_000_000, video: video({ width: 640, height: 360 }) });

function placed(params: unknown = { video: { quality: 60 } }, device = "cpu"): PlacedWork {
  const transcode = findOperation("transcode");
  const inputs = [{ name: "holiday of Ann.mov", media: source }];
  const [step] = planFor(transcode, parseParams(transcode, params), inputs, everything).steps;
  if (step === undefined) throw new Error("a plan has a step");
  return { work: step.work, media: [source], place: onCpu(2), device };
}

const work = placed();
const truth = { seconds: guessOf(work, "seconds") * 3, bytes: guessOf(work, "bytes") / 2 };

test("what was noted is predicted, also by the next server on the data", () => {
  const figures = new WorkFigures(database, clock);
  for (let job = 0; job < 4; job += 1) figures.note(work, truth);
  database.close();
  database = openDatabase(folder);
  const { lookup } = new WorkFigures(database, clock);
  const seconds = predictSeconds(work, lookup);
  expect(seconds.learnedFrom).toBe(4);
  expect(seconds.likely / truth.seconds).toBeCloseTo(1, 1);
  expect(predictBytes(work, lookup).likely / truth.bytes).toBeCloseTo(1, 1);
});

test("two that note at once lose nothing", () => {
  const other = openDatabase(folder);
  const [one, two] = [new WorkFigures(database, clock), new WorkFigures(other, clock)];
  for (let job = 0; job < 10; job += 1) {
    one.note(work, truth);
    two.note(work, truth);
  }
  expect(predictSeconds(work, one.lookup).learnedFrom).toBe(20);
  other.close();
});

test("a step that tells nothing teaches nothing", () => {
  const figures = new WorkFigures(database, clock);
  figures.note(work, { seconds: null, bytes: 0 });
  expect(predictSeconds(work, figures.lookup).learnedFrom).toBe(0);
  expect(predictBytes(work, figures.lookup).learnedFrom).toBe(0);
});

test("the table is bounded: what was not met for longest goes", () => {
  const figures = new WorkFigures(database, clock, 40);
  for (let model = 0; model < 30; model += 1) {
    clock.advance(1000);
    figures.note(placed(undefined, `GPU model ${model}`), truth);
  }
  const rows = database.query<{ kind: string }, []>("SELECT kind FROM work_figure").all();
  expect(rows.length).toBe(40);
  expect(predictSeconds(placed(undefined, "GPU model 29"), figures.lookup).learnedFrom).toBe(1);
  expect(predictSeconds(placed(undefined, "GPU model 0"), figures.lookup).learnedFrom).toBe(0);
});

test("figures hold no names", () => {
  new WorkFigures(database, clock).note(work, truth);
  const text = JSON.stringify(database.query("SELECT * FROM work_figure").all());
  expect(text).not.toContain("Ann");
  expect(text).not.toContain("holiday");
});

test("the command line reads them beside a server, and does without where there are none", () => {
  new WorkFigures(database, clock).note(work, truth);
  using beside = openFigures(folder);
  expect(predictSeconds(work, beside.lookup).learnedFrom).toBe(1);
  using nowhere = openFigures(join(folder, "nowhere"));
  expect(predictSeconds(work, nowhere.lookup).learnedFrom).toBe(0);
});
