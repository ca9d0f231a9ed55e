import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { video } from "../../tests/operations/specimen.ts";
import { Refusal } from "../trouble.ts";
import { layoutSprite, spriteIndex } from "./sprite.ts";

describe("the layout", () => {
  test("of a minute every 10 s is one row of six", () => {
    const layout = layoutSprite(video(), 60, { every: 10, width: 160, columns: 10 });
    expect(layout).toMatchObject({
      count: 6,
      tile: { width: 160, height: 90 },
      columns: 6,
      rows: 1,
      sheet: { width: 960, height: 90 },
      sheets: [6],
      rate: "1000/10000",
    });
  });

  test("takes about a hundred pictures when nobody says how often", () => {
    for (const [seconds, every, count] of [
      [7200, 72, 100],
      [90, 1, 90],
      [1000.5, 11, 91],
      [0.4, 1, 1],
      // Sound that outlasts the picture by a packet makes no picture of its own.
      [2.023, 1, 2],
    ] as const) {
      const layout = layoutSprite(video(), seconds, { width: 160, columns: 10 });
      expect([layout.every, layout.count]).toEqual([every, count]);
    }
  });

  test("stays within what formats and browsers take, whatever is asked for", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 8192 }),
        fc.integer({ min: 2, max: 8192 }),
        fc.double({ min: 0.04, max: 90_000, noNaN: true }),
        fc.double({ min: 0.5, max: 3600, noNaN: true }),
        fc.integer({ min: 32, max: 640 }),
        fc.integer({ min: 1, max: 20 }),
        (width, height, seconds, every, tile, columns) => {
          let layout: ReturnType<typeof layoutSprite>;
          try {
            layout = layoutSprite(video({ width, height }), seconds, {
              every,
              width: tile,
              columns,
            });
          } catch (trouble) {
            expect(trouble).toBeInstanceOf(Refusal);
            return;
          }
          expect(layout.sheet.width).toBeLessThanOrEqual(16_383);
          expect(layout.sheet.height).toBeLessThanOrEqual(16_383);
          expect(layout.sheet.width * layout.sheet.height).toBeLessThanOrEqual(16_777_216);
          expect(layout.sheets.reduce((sum, tiles) => sum + tiles, 0)).toBe(layout.count);
          expect(layout.count * layout.every).toBeGreaterThanOrEqual(seconds - 0.1);
          expect((layout.count - 1) * layout.every).toBeLessThan(seconds);
        },
      ),
    );
  });

  test("refuses thousands of pictures, and says what would do", () => {
    const wish = { every: 0.5, width: 160, columns: 10 };
    expect(() => layoutSprite(video(), 7200, wish)).toThrow("Set sprite.every to 5 s or more");
  });

  test("trusts keyframes alone only where each slot surely has one", () => {
    const only = (about: Parameters<typeof video>[0], every: number) =>
      layoutSprite(video(about), 600, { every, width: 160, columns: 10 }).keyframesOnly;
    expect(only({}, 19)).toBe(false);
    expect(only({}, 20)).toBe(true);
    expect(only({ variableFrameRate: true }, 20)).toBe(false);
    expect(only({ frameRate: "10/1" }, 20)).toBe(false);
    expect(only({ keyframeSeconds: 2 }, 4)).toBe(true);
    expect(only({ keyframeSeconds: 60 }, 100)).toBe(false);
  });
});

test("the index names sheet, tile and time of every picture", () => {
  const layout = layoutSprite(video(), 3700.25, { every: 1000, width: 160, columns: 2 });
  expect(spriteIndex(layout, 3700.25, ["a film's sheet.jpg"])).toBe(`WEBVTT

00:00:00.000 --> 00:16:40.000
a%20film's%20sheet.jpg#xywh=0,0,160,90

00:16:40.000 --> 00:33:20.000
a%20film's%20sheet.jpg#xywh=160,0,160,90

00:33:20.000 --> 00:50:00.000
a%20film's%20sheet.jpg#xywh=0,90,160,90

00:50:00.000 --> 01:01:40.250
a%20film's%20sheet.jpg#xywh=160,90,160,90
`);
});
