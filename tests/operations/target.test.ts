/** `transcode` with a score to reach: what it finds, what it foretells, and what the result really has. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { findOperation, parseParams, planFor } from "../../src/operations/index.ts";
import { toolchain } from "../support/toolchain.ts";
import { picture, Rehearsal, sine, x264 } from "./rehearsal.ts";
import { everything, media as specimen } from "./specimen.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(90_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

/** Mean of ffmpeg's own filter over the whole films. */
function measured(metric: "ssim" | "psnr", reference: string, second: string): number {
  const argv = ["-i", reference, "-i", second, "-lavfi", metric, "-f", "null", "-"];
  const text = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv]).stderr.toString();
  return Number(/(?:All|average):([\d.]+)/.exec(text)?.[1]);
}

const numbers = (text: string) => [...text.matchAll(/\d+(?:\.\d+)?/g)].map(Number);
const decibels = (ssim: number) => -10 * Math.log10(1 - ssim);

describe("a score to reach", () => {
  for (const [what, seconds, metric, score] of [
    ["on samples of a film", 24, "ssim", 0.96],
    ["on all of a short one, from a time on", 3, "psnr", 36],
  ] as const) {
    test(`is looked for ${what}, and the result has it`, async () => {
      const source = stage.make(
        `film-${seconds}.mp4`,
        ...[...picture("128x72", seconds), ...sine(seconds), ...x264, "-qp", "4", "-c:a", "aac"],
      );
      const params = { video: { target: { metric, score } }, speed: "fast" };
      const { paths, checks } = await work(stage.folder, "transcode", params, [source]);
      const found = checks.find((check) => /^Quality \d+ reaches/.test(check)) ?? "";
      const [quality = -1, onSamples = 0] = numbers(found);
      const expected = checks.find((check) => check.startsWith("Expected of the whole")) ?? "";
      const [expectedMegabytes = 0] = numbers(expected);
      const tries = checks.filter((check) => check.startsWith("Try "));
      expect(tries.length).toBeLessThanOrEqual(7);
      expect(quality).toBeGreaterThan(0);
      // What was told of the result is what ffmpeg says of the whole.
      const told = checks.find((check) => check.startsWith("The result has")) ?? "";
      const [reached = 0, frames = 0] = numbers(told);
      const whole = measured(metric, source, paths[0] ?? "");
      const db = (value: number) => (metric === "ssim" ? decibels(value) : value);
      expect(onSamples).toBeGreaterThanOrEqual(score);
      expect(Math.abs(db(reached) - db(onSamples))).toBeLessThan(0.5);
      expect(Math.abs(db(whole) - db(reached))).toBeLessThan(0.6);
      expect(db(whole) - db(score)).toBeLessThan(1.2);
      expect(frames).toBe(seconds > 20 ? 300 : 75);
      const unit = expected.includes(" kB") ? 1e3 : 1e6;
      const size = Bun.file(paths[0] ?? "").size;
      expect((expectedMegabytes * unit) / size).toBeGreaterThan(0.6);
      expect((expectedMegabytes * unit) / size).toBeLessThan(1.6);
    });
  }

  test("that no quality reaches ends the job before the film is encoded", async () => {
    const noise = [
      "-f",
      "lavfi",
      "-i",
      "nullsrc=size=96x64:rate=25:duration=1,geq=random(1)*255:128:128",
    ];
    const source = stage.make("noise.mkv", ...noise, ...x264, "-qp", "0");
    const params = { video: { target: { metric: "psnr", score: 70 } }, speed: "fast" };
    const job = work(stage.folder, "transcode", params, [source]);
    expect(job).rejects.toThrow(/PSNR 70.00 dB cannot be reached: at the highest quality/);
    await job.catch(() => {});
  });
});

describe("the plan", () => {
  const transcode = findOperation("transcode");
  const ssim = { metric: "ssim", score: 0.98 };
  const plan = (params: object, source = specimen(), context: typeof everything = everything) =>
    planFor(transcode, parseParams(transcode, params), [{ name: "a.mov", media: source }], context);

  test("looks, encodes what was found, and measures", () => {
    const { steps } = plan({ video: { target: ssim }, from: 10, to: 40 });
    expect(steps.map(({ name, needs }) => [name, needs])).toEqual([
      ["target", []],
      ["transcode", ["target"]],
      ["score", ["transcode"]],
    ]);
    const [search] = steps;
    if (search?.work.kind !== "target") throw new Error("it looks");
    const starts = search.work.description.inputs.map(({ seekSeconds }) => seekSeconds);
    expect(starts).toEqual([12.25, 19.75, 27.25, 34.75]);
    expect(search.work).toMatchObject({ sampleSeconds: 12, wholeSeconds: 30 });
  });

  test("has nothing to look for in a sound", () => {
    const sound = specimen({ kind: "audio", video: null });
    expect(plan({ video: { target: ssim } }, sound).steps.map(({ name }) => name)).toEqual([
      "transcode",
    ]);
  });

  for (const [params, words] of [
    [
      { video: { target: { metric: "vmaf", score: 93 } } },
      "video.target.metric is vmaf, and the installed FFmpeg",
    ],
    [
      { video: { target: { metric: "ssim", score: 98 } } },
      "video.target.score is 98: must be a number from 0.5",
    ],
    [{ video: { target: ssim, quality: 50 } }, "video.quality cannot stand beside target"],
    [{ video: { target: ssim, bitRate: 500_000 } }, "video.bitRate cannot stand beside target"],
    [{ video: { target: ssim, codec: "copy" } }, "video.target cannot stand beside codec copy"],
    [{ video: { target: ssim }, maxBytes: 100_000 }, "video.target beside maxBytes has no place"],
  ] as const) {
    test(`refuses ${JSON.stringify(params)}`, () => expect(() => plan(params)).toThrow(words));
  }

  test("takes VMAF where ffmpeg has it", () => {
    const able = { ...everything, filters: new Set([...everything.filters, "libvmaf"]) };
    const wish = { video: { target: { metric: "vmaf", score: 93 } } };
    const [search] = plan(wish, specimen(), able).steps;
    if (search?.work.kind !== "target") throw new Error("it looks");
    const chain = search.work.compare.graph.at(-1);
    expect(chain?.filters).toEqual([
      { filter: "vmaf", file: "vmaf-1.csv", model: "hd", everyFrames: 1 },
    ]);
    expect(toolchain.filters.size).toBeGreaterThan(0);
  });

  test("cannot take samples where the film does not say how long it is", () => {
    expect(() => plan({ video: { target: ssim } }, specimen({ durationSeconds: null }))).toThrow(
      "no samples can be taken for video.target",
    );
  });
});
