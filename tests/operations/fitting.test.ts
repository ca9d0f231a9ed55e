/** `transcode` with a size at most: the file is no larger, whole, and no worse than it must be. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { findOperation } from "../../src/operations/index.ts";
import { builtInPresets } from "../../src/operations/presets.ts";
import { Rehearsal, sine, x264 } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const sound = ["-c:a", "aac"];
/** Noise, which no encoder makes small, and a still colour, which takes next to nothing. */
const noisy = stage.make(
  "noisy.mkv",
  ...["-f", "lavfi", "-i", "nullsrc=size=320x180:rate=25:duration=4,geq=random(1)*255:128:128"],
  ...[...sine(4), ...x264, "-qp", "20", ...sound],
);
const still = stage.make(
  "still.mkv",
  ...["-f", "lavfi", "-i", "color=0x305080:size=320x180:rate=25:duration=4", ...sine(4)],
  ...["-c:v", "mpeg4", "-q:v", "2", ...sound],
);
const email = builtInPresets.find(({ id }) => id === "ps_email")?.params;
const sizeOf = (path: string | undefined) => Bun.file(path ?? "").size;

test("the hardest picture fits, by the tries that it takes, and is decoded to its end", async () => {
  const maxBytes = 150_000;
  expect(sizeOf(noisy)).toBeGreaterThan(10 * maxBytes);
  const made = await work(stage.folder, "transcode", { ...email, maxBytes, speed: "fast" }, [
    noisy,
  ]);
  expect(sizeOf(made.paths[0])).toBeLessThanOrEqual(maxBytes);
  expect(sizeOf(made.paths[0])).toBeGreaterThan(maxBytes / 3);
  expect(made.media[0]?.durationSeconds).toBeCloseTo(4, 0);
  const tries = made.checks.filter((check) => check.startsWith("Try "));
  expect(tries.at(-1)).toEndWith("which fits");
});

test("what is easy is kept at its quality, far below the size", async () => {
  const made = await work(stage.folder, "transcode", { ...email, speed: "fast" }, [still]);
  expect(sizeOf(made.paths[0])).toBeLessThan(200_000);
  expect(made.checks.some((check) => /^Try 1: .*quality 65.*fits$/.test(check))).toBe(true);
  // A second time there is nothing left to make smaller.
  const again = await work(stage.folder, "transcode", email, made.paths);
  expect(again.plan.notes[0]).toStartWith("The source already conforms");
});

test("the preset is the one of its name", () => {
  const { schema } = findOperation("transcode");
  expect(schema.parse(email)).toMatchObject({ maxBytes: 25_000_000, container: "mp4" });
});
