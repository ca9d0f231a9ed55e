/** `measure` with the real ffmpeg, held against ffmpeg's own figures; the worst frames by what is seen in them. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type MeasureReport, measureReportShape } from "../../src/media/reports/measure.ts";
import { pixelAt, Rehearsal, sine, x264 } from "./rehearsal.ts";
import { frames, type Made, work } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const scene = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=3"];
const lossless = [...x264, "-qp", "0"];
const reference = stage.make("reference.mp4", ...scene, ...lossless);

async function measure(second: string, params: Record<string, unknown> = {}, first = reference) {
  const made = await work(stage.folder, "measure", params, [first, second]);
  return { ...made, report: reportOf(made) };
}

function reportOf({ paths: [json = ""] }: Made): MeasureReport {
  return measureReportShape.parse(JSON.parse(readFileSync(json, "utf8")));
}

/** What ffmpeg says at its end of the two as they are. */
function ownFigures(first: string, second: string) {
  const say = (filter: string) => {
    const argv = [
      "-nostdin",
      "-hide_banner",
      "-i",
      first,
      "-i",
      second,
      "-lavfi",
      `[0][1]${filter}`,
    ];
    return Bun.spawnSync(["ffmpeg", ...argv, "-f", "null", "-"]).stderr.toString();
  };
  return {
    ssim: Number(/SSIM .*All:([\d.]+)/.exec(say("ssim"))?.[1]),
    psnrDb: Number(/PSNR .*average:([\d.]+)/.exec(say("psnr"))?.[1]),
  };
}

describe("the figures are ffmpeg's own", () => {
  const encodes: Record<string, string[]> = {
    "coarse.mp4": [...x264, "-crf", "40", "-bf", "2"],
    // Its clock has milliseconds: frames must not meet their neighbours for it.
    "coarse.mkv": [...x264, "-crf", "35", "-bf", "2"],
    "coarse.webm": [
      "-c:v",
      "libvpx",
      "-b:v",
      "100k",
      "-deadline",
      "realtime",
      "-auto-alt-ref",
      "0",
    ],
  };
  for (const [name, encode] of Object.entries(encodes)) {
    test(name, async () => {
      const second = stage.make(name, "-i", reference, ...encode);
      const { report } = await measure(second, { worstFrames: 0 });
      // Matroska's times are rounded, so ffmpeg itself is told to go by the number of the frame.
      const plain = name.endsWith(".mp4")
        ? second
        : stage.make(`${name}.mp4`, "-i", second, "-vf", "setpts=N/25/TB", ...lossless);
      const own = ownFigures(reference, plain);
      expect(report.frames).toBe(75);
      expect(report.ssim).toBeCloseTo(own.ssim, 5);
      expect(report.psnrDb ?? 0).toBeCloseTo(own.psnrDb, 3);
      expect(report.series.ssim).toHaveLength(75);
      expect(report.comparedSeconds).toBeCloseTo(3, 2);
      expect(report.worst).toEqual([]);
    });
  }

  test("of a copy nothing differs", async () => {
    const { report, checks } = await measure(reference, { worstFrames: 1 });
    expect([report.ssim, report.psnrDb, report.remarks.length]).toEqual([1, null, 1]);
    expect(checks.join()).toContain("nothing differs");
  });

  test("with ten bits, at their own peak", async () => {
    const deep = [
      "-vf",
      "format=yuv420p10le",
      "-c:v",
      "libx265",
      "-preset",
      "ultrafast",
      "-crf",
      "35",
    ];
    const second = stage.make("deep.mp4", "-i", reference, ...deep, "-x265-params", "log-level=0");
    const { report } = await measure(second, { worstFrames: 0 });
    const first = stage.make(
      "ten.mkv",
      "-i",
      reference,
      "-vf",
      "format=yuv420p10le",
      "-c:v",
      "ffv1",
    );
    const own = ownFigures(first, second);
    expect(report.ssim).toBeCloseTo(own.ssim, 4);
    expect(report.psnrDb ?? 0).toBeCloseTo(own.psnrDb, 2);
  });
});

describe("what differs is brought together, and said", () => {
  test("another size, by a bicubic scaler", async () => {
    const small = stage.make("small.mp4", "-i", reference, "-vf", "scale=80:60", ...lossless);
    const { report } = await measure(small, { worstFrames: 0 });
    const up = "scale=160:120:flags=bicubic+accurate_rnd+full_chroma_int";
    const scaled = stage.make("scaled.mp4", "-i", small, "-vf", up, ...lossless);
    expect(report.ssim).toBeCloseTo(ownFigures(reference, scaled).ssim, 4);
    expect(report.remarks[0]).toBe(
      "The second is scaled from 80×60 to the reference's 160×120 (bicubic).",
    );
  });

  test("another length and rate: each frame meets what is shown at its time", async () => {
    const every = ["-vf", "select=not(mod(n\\,2))", "-fps_mode", "vfr"];
    const half = stage.make("half.mp4", "-i", reference, ...every, "-t", "2", ...lossless);
    const { report } = await measure(half, { worstFrames: 0 });
    expect(report.frames).toBe(50);
    expect(report.remarks.join(" ")).toContain("their common part is compared");
    expect(report.remarks.join(" ")).toContain("The frame rates differ");
    // Every other frame is the same one.
    expect(report.series.ssim.filter((ssim) => ssim > 0.9999).length).toBeGreaterThanOrEqual(24);
  });
});

test("the worst frames are where the damage is, the reference on the left", async () => {
  const boxes = [
    "drawbox=c=red:t=fill:enable='eq(n,20)'",
    "drawbox=c=blue:t=fill:enable='eq(n,55)'",
  ];
  const second = stage.make(
    "damaged.mkv",
    ...["-i", reference, ...sine(3), "-vf", boxes.join(","), ...x264, "-crf", "10", "-c:a", "aac"],
  );
  const { report, paths, media } = await measure(second, { worstFrames: 2 });
  expect(report.worst.map(({ seconds }) => Math.round(seconds * 25)).toSorted()).toEqual([20, 55]);
  expect(media.slice(2).map((found) => found?.video?.width)).toEqual([320, 320]);
  const seen = paths.slice(2).map((path) => pixelAt(path, 240, 60).map((level) => level > 128));
  const red = [true, false, false];
  const blue = [false, false, true];
  const order = report.worst.map(({ seconds }) => (seconds < 1 ? red : blue));
  expect(seen).toEqual(order);
  for (const [at, path] of paths.slice(2).entries()) {
    expect(likest(path)).toBe(Math.round((report.worst[at]?.seconds ?? 0) * 25));
  }
});

/** Number of the reference's frame that the left half of a picture shows. */
function likest(path: string): number {
  const left = `${path}.left.png`;
  Bun.spawnSync([
    "ffmpeg",
    "-v",
    "error",
    "-f",
    "png_pipe",
    "-i",
    path,
    "-vf",
    "crop=160:120:0:0",
    left,
  ]);
  const [shown = new Uint8Array()] = frames(left, "rgb24");
  const errors = frames(reference, "rgb24").map((frame) =>
    frame.reduce((sum, level, at) => sum + Math.abs(level - (shown[at] ?? 0)), 0),
  );
  return errors.indexOf(Math.min(...errors));
}

test("a sound alone is refused, with what to give", async () => {
  const sound = stage.make("sound.flac", ...sine(1));
  expect(measure(sound)).rejects.toThrow("The second file is no moving picture");
});
