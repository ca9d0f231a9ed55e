import { describe, expect, test } from "bun:test";
import { everything, media, video } from "../../tests/operations/specimen.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import { onCpu } from "./expected-work.ts";
import type { MediaInfo } from "./media.ts";
import {
  type Figure,
  type FigureMeasure,
  type Figures,
  guessOf,
  kindsOf,
  learned,
  noFigures,
  type PlacedWork,
  predictBytes,
  predictSeconds,
} from "./work-figures.ts";

function placed(params: unknown, source: MediaInfo = media(), device = "cpu"): PlacedWork {
  const transcode = findOperation("transcode");
  const inputs = [{ name: "match.mov", media: source }];
  const [step] = planFor(transcode, parseParams(transcode, params), inputs, everything).steps;
  if (step === undefined) throw new Error("a plan has a step");
  return { work: step.work, media: [source], place: onCpu(2), device };
}

/** A box that remembers in memory, as the database does. */
class Box {
  readonly rows = new Map<string, Figure>();
  readonly figures: Figures = (measure, kind) => this.rows.get(`${measure}: ${kind}`) ?? null;

  note(work: PlacedWork, measure: FigureMeasure, actual: number): void {
    for (const kind of kindsOf(work, measure)) {
      const before = this.figures(measure, kind);
      this.rows.set(`${measure}: ${kind}`, learned(before, actual, guessOf(work, measure)));
    }
  }
}

const source = media({ durationSeconds: 600, bitRate: 5_000_000 });
const small = placed({ video: { maxHeight: 720 } }, source);

test("what was never seen has a wide range and says so", () => {
  const { likely, low, high, learnedFrom } = predictSeconds(small, noFigures);
  expect(learnedFrom).toBe(0);
  expect(likely).toBe(guessOf(small, "seconds"));
  expect(high / low).toBeGreaterThan(4);
});

describe("after a few finished jobs of a kind", () => {
  const cases: [what: string, factor: number][] = [
    ["a box three times as fast as guessed", 1 / 3],
    ["a box as guessed", 1],
    ["a box five times as slow", 5],
  ];
  const noise = [0.93, 1.08, 1.02];
  for (const [what, factor] of cases) {
    test(`the next is told within a quarter: ${what}`, () => {
      const box = new Box();
      const truth = guessOf(small, "seconds") * factor;
      for (const each of noise) box.note(small, "seconds", truth * each);
      const next = predictSeconds(small, box.figures);
      expect(Math.abs(next.likely / truth - 1)).toBeLessThan(0.25);
      expect(next.learnedFrom).toBe(3);
      expect(next.low).toBeLessThan(truth);
      expect(next.high).toBeGreaterThan(truth);
      expect(next.high / next.low).toBeLessThan(3);
    });
  }

  test("another length of the same work is told too", () => {
    const box = new Box();
    for (const each of noise) box.note(small, "seconds", guessOf(small, "seconds") * 2 * each);
    const longer = placed({ video: { maxHeight: 720 } }, { ...source, durationSeconds: 1800 });
    const { likely } = predictSeconds(longer, box.figures);
    expect(likely / (guessOf(longer, "seconds") * 2)).toBeCloseTo(1, 0);
  });

  test("bytes of the same content are told within a fifth", () => {
    const box = new Box();
    const truth = guessOf(small, "bytes") * 2.4;
    for (const each of [0.97, 1.04, 1]) box.note(small, "bytes", truth * each);
    const { likely } = predictBytes(small, box.figures);
    expect(Math.abs(likely / truth - 1)).toBeLessThan(0.2);
  });

  test("other content moves the guess less than the same does", () => {
    const box = new Box();
    for (const each of noise) box.note(small, "bytes", guessOf(small, "bytes") * 3 * each);
    const calm = placed({ video: { maxHeight: 720 } }, { ...source, bitRate: 300_000 });
    const told = predictBytes(calm, box.figures);
    expect(told.learnedFrom).toBe(0);
    const same = predictBytes(small, box.figures);
    expect(told.high / told.low).toBeGreaterThan(same.high / same.low);
  });

  test("a kind nearby is told of with less certainty", () => {
    const box = new Box();
    for (const each of noise) box.note(small, "seconds", guessOf(small, "seconds") * each);
    const known = predictSeconds(small, box.figures);
    const best = predictSeconds(
      placed({ video: { maxHeight: 720 }, speed: "best" }, source),
      box.figures,
    );
    expect(best.learnedFrom).toBe(0);
    expect(best.high / best.low).toBeGreaterThan(known.high / known.low);
  });
});

test("many steps make the range narrow, and a box that changed is believed again", () => {
  const box = new Box();
  const guess = guessOf(small, "seconds");
  for (let job = 0; job < 60; job += 1) box.note(small, "seconds", guess * (job % 2 ? 0.97 : 1.03));
  const before = predictSeconds(small, box.figures);
  expect(before.high / before.low).toBeLessThan(1.5);
  for (let job = 0; job < 60; job += 1) box.note(small, "seconds", guess * 2);
  expect(predictSeconds(small, box.figures).likely / guess).toBeGreaterThan(1.8);
});

test("one step that hung does not spoil what was learned", () => {
  const box = new Box();
  const guess = guessOf(small, "seconds");
  for (let job = 0; job < 20; job += 1) box.note(small, "seconds", guess);
  box.note(small, "seconds", guess * 1e6);
  expect(predictSeconds(small, box.figures).likely / guess).toBeLessThan(1.3);
});

describe("kinds", () => {
  test("tell devices, speeds, sizes and heavy filters apart", () => {
    const narrowest = (work: PlacedWork) => kindsOf(work, "seconds").at(-1);
    const kinds = [
      small,
      placed({ video: { maxHeight: 720 } }, source, "NVIDIA L4"),
      placed({ video: { maxHeight: 360 } }, source),
      placed({ video: { maxHeight: 720 }, speed: "fast" }, source),
      placed({ video: { maxHeight: 720, codec: "hevc" } }, source),
      placed({ video: { maxHeight: 720 }, deinterlace: "on" }, source),
      placed({}, source),
    ].map(narrowest);
    expect(new Set(kinds).size).toBe(kinds.length);
  });

  test("hold nothing of users and files", () => {
    const [kind = ""] = kindsOf(small, "seconds").slice(-1);
    expect(kind).toBe("cpu · libx264 · render balanced 8 bits cpu+cpu · up to 720 plain · long");
    const [bytes = ""] = kindsOf(small, "bytes").slice(-1);
    expect(bytes).toMatch(/^libx264 · quality 70 · up to 720 content -?\d+$/);
  });

  test("are the same for a source of another name, and of nearly the same rate", () => {
    const other = placed({ video: { maxHeight: 720 } }, { ...source, bitRate: 5_100_000 });
    expect(kindsOf(other, "bytes")).toEqual(kindsOf(small, "bytes"));
  });
});

describe("bytes of a first guess", () => {
  const bytesOf = (params: unknown, from: MediaInfo = source) =>
    guessOf(placed(params, from), "bytes");

  test("follow a bit rate that was asked for", () => {
    const wish = { video: { bitRate: 2_000_000 }, audio: { codec: "none" } };
    expect(bytesOf(wish)).toBeCloseTo((600 * 2_000_000 * 1.01) / 8, -3);
  });

  test("are told with certainty where they are given, and not where content decides", () => {
    const spread = (params: unknown) => {
      const { low, high } = predictBytes(placed(params, source), noFigures);
      return high / low;
    };
    expect(spread({})).toBeLessThan(1.3);
    expect(spread({ video: { bitRate: 2_000_000 } })).toBeLessThan(1.3);
    expect(spread({ video: { quality: 50 } })).toBeGreaterThan(4);
  });

  test("are those of the streams that are copied", () => {
    expect(bytesOf({}) / ((600 * 5_000_000) / 8)).toBeCloseTo(1, 1);
  });

  test("grow with quality and with size, and fall with better codecs", () => {
    const of = (about: object) => bytesOf({ video: { maxHeight: 720, ...about } });
    expect(of({ quality: 80 })).toBeGreaterThan(of({ quality: 50 }));
    expect(of({ maxHeight: 1080, quality: 65 })).toBeGreaterThan(of({ quality: 65 }));
    expect(of({ codec: "hevc" })).toBeLessThan(of({ codec: "h264" }));
  });

  test("stay near a source with few bits, whatever the quality of the usual one", () => {
    const screen = media({
      durationSeconds: 600,
      bitRate: 300_000,
      video: video({ bitRate: 250_000 }),
    });
    expect(bytesOf({ video: { quality: 65 }, audio: { codec: "none" } }, screen)).toBeLessThan(
      (2 * 600 * 250_000) / 8,
    );
  });
});
