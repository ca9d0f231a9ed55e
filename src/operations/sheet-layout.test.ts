import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { everything, media, video } from "../../tests/operations/specimen.ts";
import { Refusal } from "../trouble.ts";
import { findOperation, parseParams, planFor } from "./index.ts";
import { factsLine, headerFile, layoutSheet } from "./sheet-layout.ts";

const usual = { columns: 4, rows: 4, width: 1600, gap: 8, header: "none" as const };

describe("the layout", () => {
  test("shares the width among pictures and gaps", () => {
    const { tile, sheet, headerPixels } = layoutSheet(video(), usual);
    expect(tile).toEqual({ width: 390, height: 220 });
    expect(sheet).toEqual({ width: 1600, height: 920 });
    expect(headerPixels).toBe(0);
    expect(layoutSheet(video(), { ...usual, header: "facts" }).sheet.height).toBeGreaterThan(980);
  });

  test("is never larger than browsers take, and its pictures never too small to see", () => {
    fc.assert(
      fc.property(
        fc.record({
          width: fc.integer({ min: 2, max: 8192 }),
          height: fc.integer({ min: 2, max: 8192 }),
        }),
        fc.record({
          columns: fc.integer({ min: 1, max: 20 }),
          rows: fc.integer({ min: 1, max: 20 }),
          width: fc.integer({ min: 320, max: 8192 }),
          gap: fc.integer({ min: 0, max: 100 }),
          header: fc.constantFrom("none", "title", "facts"),
        }),
        (size, wish) => {
          let layout: ReturnType<typeof layoutSheet>;
          try {
            layout = layoutSheet(video(size), wish);
          } catch (trouble) {
            expect(trouble).toBeInstanceOf(Refusal);
            return;
          }
          const { sheet, tile } = layout;
          expect(sheet.width).toBeLessThanOrEqual(wish.width);
          expect(sheet.width * sheet.height).toBeLessThanOrEqual(16_777_216);
          expect(tile.width).toBeGreaterThanOrEqual(64);
        },
      ),
    );
  });

  test("refuses what nobody could see, and says what would do", () => {
    const crowded = { ...usual, columns: 20, width: 640 };
    expect(() => layoutSheet(video(), crowded)).toThrow("Set sheet.width to 1448 or more");
    const tall = { ...usual, rows: 20, width: 8192 };
    expect(() => layoutSheet(video(), tall)).toThrow("Take a smaller sheet.width");
  });
});

test("the facts are said in a person's words", () => {
  const film = media({ durationSeconds: 5530.2, video: video({ frameRate: "30000/1001" }) });
  expect(factsLine(film, film.video ?? video(), 5530.2)).toBe(
    "1:32:10 · 1920×1080 · 29.97 fps · H.264 · AAC",
  );
});

test("the header is two lines of text and no tag of the title's, readable on any colour", () => {
  const wish = { ...usual, header: "facts" as const, background: "#f0f0f0" };
  const layout = layoutSheet(video(), wish);
  const text = headerFile(wish, layout, { title: "a{\\b1}\nb", facts: "1:00" });
  const lines = text.split("\n").filter((line) => line.startsWith("Dialogue:"));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toEndWith("}a\\{\\\u2060b1\\} b");
  expect(text).toContain("&H00161210");
  expect(
    headerFile({ ...wish, background: "#101010" }, layout, { title: "a", facts: "" }),
  ).toContain("&H00FFFFFF");
});

describe("what is asked for", () => {
  const thumbnails = findOperation("thumbnails");
  const plan = (params: unknown, source = media()) =>
    planFor(
      thumbnails,
      parseParams(thumbnails, params),
      [{ name: "a.mov", media: source }],
      everything,
    );

  test("comes without a poster unless one is asked for", () => {
    const names = (params: unknown) => plan(params).steps.map(({ name }) => name);
    expect(names({})).toEqual(["poster"]);
    expect(names({ count: 3 })).toEqual(["stills"]);
    expect(names({ sheet: {} })).toEqual(["sheet"]);
    expect(names({ sheet: { header: "title" }, poster: {} })).toEqual([
      ...["poster", "sheet-text", "sheet"],
    ]);
  });

  test("all together are the roles of one job, stills numbered so that they sort", () => {
    const { steps } = plan({ poster: {}, count: 10, sheet: {}, sprite: {} });
    const outputs = steps.flatMap((step) => step.outputs);
    expect([...new Set(outputs.map(({ role }) => role))]).toEqual([
      ...["poster", "still", "sheet", "sprite", "sprite-index"],
    ]);
    const stills = outputs.filter(({ role }) => role === "still").map(({ name }) => name);
    expect([stills[0], stills[9]]).toEqual(["a still 01.jpg", "a still 10.jpg"]);
    expect(plan({ count: 1 }).steps[0]?.outputs[0]?.name).toBe("a still.jpg");
  });

  test("is refused of a still and of what has no length, with what needs it", () => {
    const still = media({ kind: "image", durationSeconds: null, container: "png" });
    expect(() => plan({ count: 3 }, still)).toThrow("a number of stills needs a video");
    expect(() => plan({ sheet: {} }, media({ durationSeconds: null }))).toThrow(
      "does not say how long it is, which a contact sheet needs",
    );
  });

  test("a title without a header is refused with the field", () => {
    expect(() => plan({ sheet: { title: "x" } })).toThrow("sheet.title stands in the header");
  });
});
