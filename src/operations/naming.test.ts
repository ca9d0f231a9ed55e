import { expect, test } from "bun:test";
import fc from "fast-check";
import { outputName } from "./naming.ts";

const cases: [input: string, suffix: string, ending: string, name: string][] = [
  ["match.mov", "720p", "mp4", "match 720p.mp4"],
  ["match.final.mov", "720p", "mp4", "match.final 720p.mp4"],
  ["match.mp4", "", "mp4", "match copy.mp4"],
  ["match.mov", "", "mp4", "match.mp4"],
  ["match 720p.mp4", "720p", "mp4", "match 720p 720p.mp4"],
  ["no ending", "", "mp4", "no ending.mp4"],
  [".mp4", "poster", "jpg", ".mp4 poster.jpg"],
  ["v1.2 of the film", "", "mp4", "v1.2 of the film.mp4"],
  ["../../etc/passwd", "", "mp4", ".._.._etc_passwd.mp4"],
  ["a\nb\u0000.mov", "", "mp4", "a_b_.mp4"],
  ["a\u0085\u009fb.mov", "", "mp4", "a__b.mp4"],
  ["видео 👨‍👩‍👧.mov", "1080p", "webm", "видео 👨‍👩‍👧 1080p.webm"],
];
for (const [input, suffix, ending, name] of cases) {
  test(`${JSON.stringify(input)} becomes ${JSON.stringify(name)}`, () => {
    expect(outputName(input, suffix, ending)).toBe(name);
  });
}

test("a long name is cut between characters, and keeps suffix and ending", () => {
  const name = outputName(`${"👨‍👩‍👧".repeat(60)}.mov`, "720p", "mp4");
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
  expect(Buffer.byteLength(name)).toBeGreaterThan(230);
  expect(name).toMatch(/^(👨‍👩‍👧)+ 720p\.mp4$/u);
});

test("any name gives a legal one that is not the input's", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (input) => {
      const name = outputName(input, "", "mp4");
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      expect(name).not.toMatch(/[\p{Cc}/\\]/u);
      expect(name.isWellFormed()).toBe(true);
      expect(name).not.toBe(input);
      expect(name.endsWith(".mp4")).toBe(true);
    }),
  );
});
