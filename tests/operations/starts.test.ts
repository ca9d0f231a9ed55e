/** Where a piece begins: in containers without an index, and behind an edit list. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { numberedFilm, numbers, numbersIn } from "./numbered.ts";
import { Rehearsal, run } from "./rehearsal.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const film = (name: string, argv: string[]) =>
  numberedFilm(join(stage.folder, name), { count: 300, argv });
/** A keyframe every four seconds: seeks of ffmpeg alone end up to so much too late. */
const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "100", "-bf", "2", "-c:a", "aac"];
const mpeg2 = ["-c:v", "mpeg2video", "-g", "100", "-b:v", "2M", "-c:a", "mp2"];
const sources = [
  film("broadcast.ts", [...h264, "-output_ts_offset", "1000"]),
  film("dvd.mpg", mpeg2),
  film("plain.mp4", h264),
];
const quick = { video: { quality: 60 }, speed: "fast" };

describe.each(sources.map((path) => [path.split("/").at(-1), path] as const))("%s", (_, path) => {
  for (const [from, to] of [
    [0.4, 1],
    [7, 8.6],
  ] as const) {
    test(`from ${from} to ${to} s has exactly those frames`, async () => {
      const made = await stage.transcode({ ...quick, from, to }, path);
      expect(numbersIn(made.path)).toEqual(numbers(Math.round(from * 25), Math.round(to * 25)));
    });
  }

  test("a poster is the frame of its time", async () => {
    const { outputs } = await stage.perform(
      "thumbnails",
      { poster: { at: 7, width: 256 }, format: "png" },
      path,
    );
    expect(numbersIn(outputs[0]?.path ?? "")).toEqual([175]);
  });

  test("an animation begins with its time", async () => {
    const wish = { format: "apng", frameRate: 25, width: 256, from: 3, to: 3.4 };
    const { outputs } = await stage.perform("animate", wish, path);
    const seen = numbersIn(outputs[0]?.path ?? "");
    // Frames that lie between its beats are moved by half a beat.
    expect(seen[0]).toBe(75);
    expect(seen).toHaveLength(10);
    expect([83, 84]).toContain(seen.at(-1) ?? 0);
  });
});

test("what an edit list hides is not missed in a copy", async () => {
  const cut = join(stage.folder, "cut.mp4");
  run(["-ss", "1.1", "-t", "4", "-i", sources.at(-1) ?? "", "-c", "copy", cut]);
  const made = await stage.transcode({}, cut);
  const seen = numbersIn(made.path);
  expect(seen).toEqual(numbersIn(cut));
});
