import { expect, test } from "bun:test";
import { findOperation } from "./index.ts";
import { spokenParams } from "./spoken-params.ts";

test("parameters are said in the words of the form, and what is usual is not said", () => {
  const said = spokenParams(findOperation("transcode"), {
    container: "mkv",
    speed: "balanced",
    video: { codec: "hevc", quality: 80, maxHeight: 720 },
    from: 1.5,
  });
  expect(said).toEqual([
    "Container: Matroska (MKV)",
    "Video codec: HEVC (H.265)",
    "Quality: 80",
    "Height at most: 720 px",
    "From: 1.5 s",
  ]);
});

test("rows of lists, unknown names and long lists keep to their limits", () => {
  const ranges = Array.from({ length: 9 }, (_, at) => ({ from: at, to: at + 1 }));
  const said = spokenParams(findOperation("clip"), { ranges, novel: "x".repeat(90) });
  expect(said[0]).toMatch(/^From: 0/);
  expect(said.at(-1)).toMatch(/^and \d+ more$/);
  expect(said.length).toBe(13);
  expect(spokenParams(findOperation("clip"), { novel: "x".repeat(90) })).toEqual([
    `novel: ${"x".repeat(60)}…`,
  ]);
});
