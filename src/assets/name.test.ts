import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cleanName, NAME_BYTES_MAX, splitName } from "./name.ts";

describe("a name that was given", () => {
  test.each([
    ["match.mov", "match.mov"],
    ["../../etc/passwd", "passwd"],
    ["C:\\Users\\me\\clip one.mp4", "clip one.mp4"],
    ["a\nb\r\tc.mp4", "a b c.mp4"],
    ["  ", "unnamed"],
    ["", "unnamed"],
    ["..", "unnamed"],
    ["folder/", "folder"],
    [`"quotes' & <b>.mp4`, `"quotes' & <b>.mp4`],
    ["gpj.\u202egnp.exe", "gpj. gnp.exe"],
    ["na\u0308me.mp4", "n\u00e4me.mp4"],
  ])("%j becomes %j", (given, wanted) => {
    expect(cleanName(given)).toBe(wanted);
  });

  test("of 300 bytes is cut at a character and keeps its ending", () => {
    const name = cleanName(`${"ü".repeat(150)}.webm`);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(NAME_BYTES_MAX);
    expect(name).toBe(`${"ü".repeat(125)}.webm`);
  });

  test("whatever it is, the result is a clean name and cleaning again changes nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (given) => {
        const name = cleanName(given);
        expect(name.length).toBeGreaterThan(0);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(NAME_BYTES_MAX);
        expect(name).not.toMatch(/[\p{Cc}/\\]/u);
        expect(name.isWellFormed()).toBe(true);
        expect(cleanName(name)).toBe(name);
      }),
      { numRuns: 200 },
    );
  });
});

test("a name splits into stem and ending only where the ending is one", () => {
  expect(splitName("match.final.mov")).toEqual({ stem: "match.final", ending: ".mov" });
  expect(splitName(".hidden")).toEqual({ stem: ".hidden", ending: "" });
  expect(splitName("no. 7 of many")).toEqual({ stem: "no. 7 of many", ending: "" });
});
