/** What an operation makes of a part of a file is what it would make of the whole there. */
import { describe, expect, test } from "bun:test";
import { findOperation, operations, parseParams } from "./index.ts";
import type { Span } from "./operation.ts";
import { keyframesWithin, movedInto, spanAround } from "./part.ts";

const span: Span = { from: 20, to: 30 };
const whole = { durationSeconds: 60, texts: [] };

function part(name: string, params: unknown): unknown {
  const operation = findOperation(name);
  const own = operation.part?.(parseParams(operation, params), span, whole) ?? null;
  if (own !== null) parseParams(operation, own);
  return own;
}

describe("the part", () => {
  test("lies around the time, or around the middle, within the file", () => {
    expect(spanAround(null, {}, 60)).toEqual({ from: 25, to: 35 });
    expect(spanAround(1, {}, 60)).toEqual({ from: 0, to: 10 });
    expect(spanAround(59, {}, 60)).toEqual({ from: 50, to: 60 });
    expect(spanAround(null, {}, 4)).toEqual({ from: 0, to: 4 });
    expect(spanAround(null, {}, null)).toEqual({ from: 0, to: 10 });
    expect(spanAround(40, {}, null)).toEqual({ from: 35, to: 45 });
  });

  test("lies within what is taken of the file", () => {
    expect(spanAround(null, { from: 40, to: 60 }, 100)).toEqual({ from: 45, to: 55 });
    expect(spanAround(0, { from: 40, to: 43 }, 100)).toEqual({ from: 40, to: 43 });
  });
});

describe("things that last", () => {
  test("are moved, cut at the ends, and left out beyond them", () => {
    const item = (from: number, to?: number) => movedInto({ from, to }, span);
    expect(item(0, 19)).toBeNull();
    expect(item(30, 31)).toBeNull();
    expect(item(10, 25)).toEqual({ from: 0, to: 5 });
    expect(item(22, 50)).toEqual({ from: 2, to: 10 });
    expect(movedInto({ from: 5 }, span)).toEqual({ from: 0 });
  });

  test("keyframes begin where the movement stands by then", () => {
    const path = [
      { time: 0, x: 0, ease: "linear" as const },
      { time: 40, x: 1, ease: "linear" as const },
    ];
    expect(keyframesWithin(path, span, ["x"])).toEqual([
      { time: 0, x: 0.5, ease: "linear" },
      { time: 20, x: 1, ease: "linear" },
    ]);
    expect(keyframesWithin(path.slice(0, 1), span, ["x"])).toEqual([
      { ...path[0], time: 0 } as never,
    ]);
  });
});

describe("the parameters for it", () => {
  test("of a file that is cut and may have a size are without the cut, and of the part's size", () => {
    expect(part("transcode", { from: 10, to: 50, maxBytes: 4_000_000 })).toMatchObject({
      maxBytes: 1_000_000,
    });
    expect(part("transcode", { from: 10, to: 50 })).not.toHaveProperty("from");
  });

  test("of things laid over it are those that are seen there, or nothing", () => {
    const text = { kind: "text", text: "Goal", from: 22, to: 24 };
    const late = { kind: "text", text: "End", from: 55 };
    expect(part("overlay", { items: [text, late] })).toMatchObject({
      items: [{ text: "Goal", from: 2, to: 4 }],
    });
    expect(part("overlay", { items: [late] })).toBeNull();
  });

  test("of captions are those that are heard there", () => {
    const text =
      "1\n00:00:21,000 --> 00:00:23,500\nHello\n\n2\n00:00:50,000 --> 00:00:51,000\nBye\n";
    const own = part("captions", { action: "burn", text }) as { text: string };
    expect(own.text).toContain("00:00:01,000 --> 00:00:03,500");
    expect(own.text).not.toContain("Bye");
    expect(part("captions", { action: "embed", text })).toBeNull();
    expect(part("captions", { action: "burn" })).toBeNull();
  });

  test("of a second sound begin where it is by then", () => {
    expect(part("audio", { do: "replace", replace: { offset: 5 } })).toMatchObject({
      replace: { offset: -15 },
    });
    expect(part("audio", { do: "waveform" })).toBeNull();
  });

  for (const operation of operations) {
    if (operation.part === undefined) continue;
    test(`of ${operation.name}'s example are right`, () => {
      expect(() => part(operation.name, operation.example)).not.toThrow();
    });
  }
});
