import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  nextQuality,
  onLine,
  type TargetMetric,
  type TargetTry,
  triesMax,
} from "./target-search.ts";

/** Asks until it is settled, of a film with such scores. */
function searched(metric: TargetMetric, score: number, of: (quality: number) => number) {
  const tries: TargetTry[] = [];
  for (;;) {
    const next = nextQuality(tries, { metric, score });
    if (next.kind !== "try") return { next, tries };
    tries.push({ quality: next.quality, score: of(next.quality) });
  }
}

/** SSIM that rises in decibels from one value to another. */
const rising = (from: number, to: number, bend: number) => (quality: number) =>
  1 - 10 ** (-(from + (to - from) * (quality / 100) ** bend) / 10);

describe("the search for a score", () => {
  test("finds the lowest quality that reaches it, or one a hair above, in a few tries", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 5, max: 14, noNaN: true }),
        fc.double({ min: 15, max: 40, noNaN: true }),
        fc.double({ min: 0.55, max: 1.8, noNaN: true }),
        fc.double({ min: 0.6, max: 0.9999, noNaN: true }),
        (from, to, bend, score) => {
          const scores = rising(from, to, bend);
          const { next, tries } = searched("ssim", score, scores);
          expect(tries.length).toBeLessThanOrEqual(triesMax);
          expect(new Set(tries.map(({ quality }) => quality)).size).toBe(tries.length);
          if (next.kind === "unreachable") {
            expect(scores(100)).toBeLessThan(score);
            return;
          }
          if (next.kind !== "found") throw new Error("settled");
          expect(scores(next.quality)).toBeGreaterThanOrEqual(score);
          const surplus = onLine("ssim", scores(next.quality)) - onLine("ssim", score);
          // One step of the scale can be 2.5 dB here, near its beginning: the lowest that reaches it may be so far above.
          const isLowest = next.quality === 0 || scores(next.quality - 1) < score;
          if (!isLowest) expect(surplus).toBeLessThan(1.5);
        },
      ),
    );
  });

  test("takes three or four tries of a film as they are", () => {
    for (const [metric, score, scores] of [
      ["ssim", 0.98, rising(8.7, 23.9, 0.9)],
      ["psnr", 40, (quality: number) => 28 + 0.17 * quality],
      ["vmaf", 93, (quality: number) => 100 * (1 - Math.exp(-quality / 22))],
    ] as const) {
      const { next, tries } = searched(metric, score, scores);
      expect(next.kind).toBe("found");
      expect(tries.length).toBeLessThanOrEqual(5);
    }
  });

  test("says when nothing reaches it, with what came nearest", () => {
    const { next } = searched("vmaf", 99, (quality) => 80 + quality / 10);
    expect(next).toEqual({ kind: "unreachable", best: { quality: 100, score: 90 } });
  });

  test("ends at the lowest quality of what always is good enough", () => {
    expect(searched("ssim", 0.9, () => 1).next).toEqual({ kind: "found", quality: 0 });
  });

  test("ends with scores that waver", () => {
    let turn = 0;
    const { next, tries } = searched(
      "psnr",
      40,
      (quality) => 39 + quality / 60 + (turn++ % 2) * 0.3,
    );
    expect(tries.length).toBeLessThanOrEqual(triesMax);
    expect(next.kind).not.toBe("try");
  });
});
