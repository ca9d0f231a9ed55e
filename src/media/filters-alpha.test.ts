import { describe, expect, test } from "bun:test";
import { nativeAlpha, yuvOf } from "./filters-alpha.ts";

describe("a colour in YUV", () => {
  // Figures of ITU-R BT.601 and BT.709 for 8 bits in limited range.
  const cases: [color: string, matrix: string, yuv: [number, number, number]][] = [
    ["#000000", "bt709", [16, 128, 128]],
    ["#ffffff", "smpte170m", [235, 128, 128]],
    ["#00ff00", "smpte170m", [145, 54, 34]],
    ["#00ff00", "bt709", [173, 42, 26]],
    ["#0000FF", "bt470bg", [41, 240, 110]],
  ];
  for (const [color, matrix, yuv] of cases) {
    test(`${color} by ${matrix}`, () => {
      const { y, u, v } = yuvOf(color, matrix);
      expect([y, u, v]).toEqual(yuv);
    });
  }
});

test("nothing but a colour becomes part of a filter", () => {
  for (const color of ["green", "#00ff00:alpha", "0x00ff00", "#00ff0g", ""]) {
    const key = { color, matrix: "bt709", similarity: 0.1, blend: 0 };
    expect(() => nativeAlpha({ filter: "keyColor", ...key })).toThrow("is a colour");
  }
});
