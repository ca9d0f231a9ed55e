/** H.264 as broadcast has it: most keyframes are not the beginning of anything, and cannot be decoded alone. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { secondOf } from "./clock-source.ts";
import { pixelAt, Rehearsal, x264 } from "./rehearsal.ts";
import { type Made, work } from "./workshop.ts";

setDefaultTimeout(120_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

/** The grey clock, a keyframe every five seconds, or one in all. */
function clock(groups: "open" | "closed" | "endless"): string {
  const distance = groups === "endless" ? "9999" : "125";
  return stage.make(
    `${groups}.mp4`,
    ...["-f", "lavfi", "-i", "nullsrc=size=64x36:rate=25:duration=100"],
    ...["-vf", "format=yuv420p,geq=lum='16+2*floor(T)':cb=128:cr=128"],
    ...[...x264, "-g", distance, "-keyint_min", distance, "-sc_threshold", "0", "-bf", "3"],
    ...["-x264-params", `open-gop=${groups === "open" ? 1 : 0}`],
  );
}

const told = /Decoded every frame of the source: it has too few keyframes/;

/** The five tiles of a sprite as the seconds that they show. */
function secondsOf({ paths }: Made): number[] {
  return [0, 1, 2, 3, 4].map((tile) => secondOf(pixelAt(paths[0] ?? "", tile * 32 + 16, 9)));
}

test("a sprite shows each time also of a film with open groups, or with one keyframe in all", async () => {
  const sprite = { every: 20, width: 32, columns: 5 };
  for (const groups of ["open", "closed", "endless"] as const) {
    const made = await work(stage.folder, "thumbnails", { sprite }, [clock(groups)]);
    for (const [tile, second] of secondsOf(made).entries()) {
      expect(second).toBeGreaterThanOrEqual(tile * 20 - 1.2);
      expect(second).toBeLessThanOrEqual(tile * 20 + 21.2);
    }
    expect(made.checks.some((check) => told.test(check))).toBe(groups !== "closed");
  }
});

test("a poster is chosen among what there is, without a second run", async () => {
  const poster = { at: "best", width: 64 };
  const made = await work(stage.folder, "thumbnails", { poster }, [clock("open")]);
  expect(made.checks.some((check) => told.test(check))).toBe(false);
  expect(made.media[0]?.video?.width).toBe(64);
});
