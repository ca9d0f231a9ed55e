import { expect, test } from "bun:test";
import { operations, parseParams } from "./index.ts";
import { builtInPresets } from "./presets.ts";
import { provingFor } from "./proving.ts";
import { transcode } from "./transcode.ts";

const proving = (params: object) => provingFor(transcode, parseParams(transcode, params), "auto");

test("what can stand in the place of its source is proven to the last frame, the rest in three places", () => {
  expect(proving({ video: { codec: "hevc" } })).toBe("full");
  expect(proving({ container: "mkv", video: { codec: "copy" } })).toBe("full");
  expect(proving({ video: { codec: "h264" } })).toBe("quick");
  expect(proving({ video: { codec: "hevc" }, from: 10 })).toBe("quick");
  expect(proving({ video: { codec: "hevc", maxHeight: 720 } })).toBe("quick");
  expect(proving({ video: { codec: "av1" }, audio: { codec: "none" } })).toBe("quick");
});

test("of the presets that come with Kinomill those for archives are", () => {
  const full = builtInPresets.filter(({ operation: name, params }) => {
    const operation = operations.find((each) => each.name === name);
    return (
      operation !== undefined &&
      provingFor(operation, parseParams(operation, params), "auto") === "full"
    );
  });
  expect(full.map(({ id }) => id)).toEqual(["ps_archive-hevc", "ps_archive-av1"]);
});

test("the setting can ask for one of the two always", () => {
  const params = parseParams(transcode, { video: { codec: "hevc" } });
  expect(provingFor(transcode, params, "quick")).toBe("quick");
  expect(provingFor(transcode, parseParams(transcode, {}), "full")).toBe("full");
});
