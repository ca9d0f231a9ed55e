import { describe, expect, test } from "bun:test";
import { elapsedSeconds, type TimedStep } from "./plan-time.ts";

const step = (name: string, seconds: number, more: Partial<TimedStep> = {}): TimedStep => ({
  ...{ name, seconds, needs: [], place: "cpu", atOnce: 1 },
  ...more,
});

describe("the time of a plan", () => {
  test("is the sum where each fills its place", () => {
    expect(elapsedSeconds([step("a", 3), step("b", 4)])).toBe(7);
    expect(elapsedSeconds([])).toBe(0);
  });

  test("is the longest way where they run side by side", () => {
    const parts = [1, 2, 3, 4, 5].map((number) =>
      step(`part-${number}`, 10, { needs: ["seams"], atOnce: 2 }),
    );
    const join = step("join", 2, { needs: parts.map(({ name }) => name), atOnce: 2 });
    // Three rounds of two.
    expect(elapsedSeconds([step("seams", 1, { atOnce: 2 }), ...parts, join])).toBe(33);
    const onFour = parts.map((part) => ({ ...part, place: "gpu", atOnce: 4 }));
    const sound = step("sound", 15, { atOnce: 2 });
    expect(elapsedSeconds([step("seams", 1, { atOnce: 2 }), sound, ...onFour, join])).toBe(23);
  });

  test("waits for room behind what is wide, and for needs before it", () => {
    const wide = step("wide", 5);
    const narrow = step("narrow", 1, { atOnce: 4 });
    expect(elapsedSeconds([wide, narrow])).toBe(6);
    expect(elapsedSeconds([narrow, { ...wide, place: "gpu" }])).toBe(5);
    expect(elapsedSeconds([step("late", 1, { needs: ["first"] }), step("first", 2)])).toBe(3);
  });

  test("goes on where a need is never met", () => {
    expect(elapsedSeconds([step("a", 2), step("b", 3, { needs: ["nobody"] })])).toBe(2);
  });

  test("of thousands of steps is known at once", () => {
    const many = Array.from({ length: 400 }, (_, index) => step(`${index}`, 1, { atOnce: 3 }));
    expect(elapsedSeconds(many)).toBe(134);
  });
});
