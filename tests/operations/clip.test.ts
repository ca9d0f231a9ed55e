/** What `clip` makes, by the numbers that stand in the frames and by the samples of the sound. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpeg, ffprobe } from "../clips.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import { emulatedGpu } from "./emulated.ts";
import { numberedFilm, numbers, numbersIn } from "./numbered.ts";
import { frameTimes } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(120_000);

const root = mkdtempSync(join(tmpdir(), "clip-test-"));
afterAll(() => rmSync(root, { recursive: true }));

const twoSeconds = ["-g", "50", "-keyint_min", "50", "-sc_threshold", "0"];
const h264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "16", ...twoSeconds, "-c:a", "aac"];

const made = new Map<string, string>();
function film(name: string, count: number, argv: readonly string[], rate = "25"): string {
  const known = made.get(name);
  if (known !== undefined) return known;
  const path = numberedFilm(join(root, name), { count, rate, argv });
  made.set(name, path);
  return path;
}

/** Twenty seconds, a keyframe every two, B-frames. */
const plain = () => film("match.mp4", 500, [...h264, "-bf", "2"]);

async function clips(params: Record<string, unknown>, source: string) {
  const { paths, ...rest } = await work(root, "clip", params, [source]);
  const [first = ""] = paths;
  return { ...rest, paths, first };
}

/** Distances between frames in milliseconds, each different one once. */
function distances(path: string): number[] {
  const times = frameTimes(path);
  const found = times
    .slice(1)
    .map((time, index) => Math.round((time - (times[index] ?? 0)) * 1e4) / 10);
  return [...new Set(found)].toSorted((a, b) => a - b);
}

/** Seconds of the sound as it decodes, and its sign changes: 880 a second in a tone of 440 Hz. */
function tone(path: string): { seconds: number; crossings: number } {
  const argv = ["-v", "error", "-i", path, "-ac", "1", "-ar", "48000", "-f", "s16le", "-"];
  const bytes = Bun.spawnSync(["ffmpeg", ...argv]).stdout;
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 2));
  let crossings = 0;
  let side = 0;
  for (const sample of samples) {
    // What is quiet is on neither side: the noise of a codec at its edges.
    const next = Math.abs(sample) < 400 ? side : Math.sign(sample);
    if (next !== side) crossings += 1;
    side = next;
  }
  return { seconds: samples.length / 48_000, crossings };
}

/** What a decoder complains about, from beginning to end. */
function complaints(path: string): string {
  const argv = ["-v", "warning", "-i", path, "-f", "null", "-"];
  return Bun.spawnSync(["ffmpeg", ...argv]).stderr.toString();
}

/** SSIM of each frame of a clip against the source from a frame on. */
function similarities(path: string, source: string, from: number): number[] {
  const stats = join(root, `ssim-${Math.random()}.txt`);
  const graph = `[1:v]trim=start_frame=${from},setpts=PTS-STARTPTS[s];[0:v][s]ssim=f=${stats}:shortest=1`;
  const argv = [
    "-v",
    "error",
    "-i",
    path,
    "-i",
    source,
    "-filter_complex",
    graph,
    "-f",
    "null",
    "-",
  ];
  const done = Bun.spawnSync(["ffmpeg", ...argv]);
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
  const text = Bun.spawnSync(["cat", stats]).stdout.toString();
  return [...text.matchAll(/All:([\d.]+)/g)].map((match) => Number(match[1]));
}

describe("an exact clip", () => {
  const cases: [name: string, from: number, to: number, first: number, end: number][] = [
    ["at frames", 2, 3, 50, 75],
    ["between frames", 1.01, 1.99, 26, 50],
    ["just behind a frame", 4.001, 4.999, 101, 125],
    ["just before a frame", 3.999, 5.001, 100, 126],
    ["from the beginning", 0, 0.5, 0, 13],
    ["to the end and a little past it", 19, 20.5, 475, 500],
    ["of one frame", 7, 7.04, 175, 176],
  ];
  test("has exactly the frames whose time lies in its range, and as much sound", async () => {
    const ranges = cases.map(([name, from, to]) => ({ from, to, name }));
    const { paths } = await clips({ ranges, effort: "fast" }, plain());
    for (const [index, [name, from, to, first, end]] of cases.entries()) {
      const path = paths[index] ?? "";
      expect([name, numbersIn(path)]).toEqual([name, numbers(first, end)]);
      const { seconds, crossings } = tone(path);
      expect(Math.abs(seconds - (Math.min(to, 20) - from))).toBeLessThan(0.03);
      expect(Math.abs(crossings - Math.min(seconds, to - from) * 880)).toBeLessThan(40);
    }
  });

  test("keeps to the frames of other rates and containers, and of times that begin before zero", async () => {
    const ntsc = film("ntsc.mkv", 120, [...h264, "-bf", "2"], "30000/1001");
    const late = film("late.ts", 100, [...h264, "-bf", "2", "-output_ts_offset", "10"]);
    for (const source of [ntsc, late]) {
      const all = frameTimes(source);
      const [start = 0] = all;
      const audible = Number(ffprobe(source).format["start_time"]);
      expect(start - audible).toBeLessThan(0.05);
      const wanted = numbers(0, all.length).filter((number) => {
        const time = (all[number] ?? 0) - audible;
        return time >= 1.01 && time < 2.99;
      });
      const { first } = await clips({ ranges: [{ from: 1.01, to: 2.99 }], effort: "fast" }, source);
      expect(numbersIn(first)).toEqual(wanted);
    }
  });

  test("is encoded by NVENC where there is one", async () => {
    using box = gpuBox({ gpus: "twoL4" });
    using _inside = await enterBox(box);
    const source = plain();
    const device = emulatedGpu(box.uuid(0));
    const params = { ranges: [{ from: 1, to: 2 }] };
    const { encoders, paths } = await work(root, "clip", params, [source], device);
    expect(encoders[0]).toBe("h264_nvenc");
    expect(frameTimes(paths[0] ?? "")).toHaveLength(25);
  });
});

describe("joined clips", () => {
  test("out of a transport stream begin where they should", async () => {
    const late = film("late.ts", 100, [...h264, "-bf", "2", "-output_ts_offset", "10"]);
    const ranges = [
      { from: 2.5, to: 3 },
      { from: 1, to: 1.5 },
    ];
    const { first } = await clips({ ranges, join: true, effort: "fast" }, late);
    // Sound begins 21 ms before the picture there, and the file with it.
    expect(numbersIn(first)).toEqual([...numbers(62, 75), ...numbers(25, 37)]);
    expect(distances(first)).toEqual([40]);
  });

  test("stand in their order, without a hole, and sound begins and ends with its picture", async () => {
    const ranges = [
      { from: 10.01, to: 10.99 },
      { from: 2, to: 3.5 },
      { from: 3, to: 4 },
    ];
    const { first, media } = await clips({ ranges, join: true, effort: "fast" }, plain());
    expect(numbersIn(first)).toEqual([
      ...numbers(251, 275),
      ...numbers(50, 88),
      ...numbers(75, 100),
    ]);
    expect(distances(first)).toEqual([40]);
    expect(media[0]?.durationSeconds).toBeCloseTo(87 / 25, 1);
    expect(Math.abs(tone(first).seconds - 87 / 25)).toBeLessThan(0.03);
    expect(complaints(first)).toBe("");
  });
});

/** The tone is there from the beginning, the picture 0.4 s later. */
describe("of a film whose picture begins after its sound", () => {
  const late = () => {
    const path = join(root, "late-picture.mkv");
    const size = "testsrc2=s=64x48:r=25:d=3";
    ffmpeg(
      ...["-itsoffset", "0.4", "-f", "lavfi", "-i", size, "-f", "lavfi", "-i", "sine=d=3.4"],
      ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", path],
    );
    return path;
  };

  test("a clip keeps the sound before it, and of joined ones the picture before stays", async () => {
    const source = late();
    const first = await clips(
      { ranges: [{ from: 0, to: 2 }], cut: "fast", effort: "fast" },
      source,
    );
    expect(frameTimes(first.first)[0]).toBeCloseTo(0.4, 1);
    expect(tone(first.first).crossings).toBeCloseTo(2 * 880, -2);
    const ranges = [
      { from: 1, to: 2 },
      { from: 0, to: 1 },
    ];
    const joined = await clips({ ranges, join: true, effort: "fast" }, source);
    const times = frameTimes(joined.first);
    const hole = times.findIndex((time, index) => (times[index + 1] ?? 0) - time > 0.1);
    expect(times[hole + 1]).toBeCloseTo(1.4, 1);
    expect(times.at(-1)).toBeCloseTo(1.96, 1);
    expect(tone(joined.first).crossings).toBeCloseTo(2 * 880, -2);
  });
});

describe("a fast clip", () => {
  test("copies nearly all of its packets, and has no glitch at its cuts", async () => {
    const source = film("long.mp4", 1500, [...h264, "-bf", "2"]);
    const { first, encoders } = await clips(
      { ranges: [{ from: 23.4, to: 33.4 }], cut: "fast" },
      source,
    );
    expect(numbersIn(first)).toEqual(numbers(585, 835));
    expect(encoders[0]).toBe("libx264");
    expect(distances(first)).toEqual([40]);
    expect(complaints(first)).toBe("");
    expect(copiedShare(first, source)).toBeGreaterThan(0.9);
    const similar = similarities(first, source, 585);
    expect(similar).toHaveLength(250);
    expect(Math.min(...similar)).toBeGreaterThan(0.98);
    const { seconds } = tone(first);
    expect(Math.abs(seconds - 10)).toBeLessThan(0.03);
  });

  test("says how much it copied, and is exact to the frame wherever it is cut", async () => {
    const source = plain();
    const ranges = [
      { from: 4, to: 8 },
      { from: 5.01, to: 9.99 },
      { from: 1.9, to: 3.05 },
      { from: 0, to: 20 },
    ];
    const { paths } = await clips({ ranges, cut: "fast" }, source);
    const wanted = [numbers(100, 200), numbers(126, 250), numbers(48, 77), numbers(0, 500)];
    expect(paths.slice(0, 4).map(numbersIn)).toEqual(wanted);
    expect(paths.slice(0, 4).map(complaints)).toEqual(["", "", "", ""]);
    expect(paths.slice(0, 4).map(distances)).toEqual([[40], [40], [40], [40]]);
  });

  test("joins ranges, HEVC too, in Matroska and MP4", async () => {
    const closed = [
      "-x265-params",
      "log-level=error:open-gop=0:keyint=50:min-keyint=50:scenecut=0",
    ];
    const hevc = [
      "-c:v",
      "libx265",
      "-preset",
      "ultrafast",
      ...closed,
      "-tag:v",
      "hvc1",
      "-c:a",
      "aac",
    ];
    const ranges = [
      { from: 1.5, to: 5 },
      { from: 6.3, to: 9 },
    ];
    for (const [source, container] of [
      [plain(), "mkv"],
      [film("hevc.mp4", 250, hevc), "mp4"],
    ] as const) {
      const { first } = await clips({ ranges, cut: "fast", join: true, container }, source);
      expect(numbersIn(first)).toEqual([...numbers(38, 125), ...numbers(158, 225)]);
      expect(complaints(first)).toBe("");
      expect(copiedShare(first, source)).toBeGreaterThan(0.5);
    }
  });

  test("keeps the times of sources whose clock is another than the encoder's", async () => {
    // Matroska counts milliseconds, phones 600 a second.
    const matroska = film("thousand.mkv", 250, [...h264, "-bf", "2"]);
    const phone = film("phone.mov", 250, [...h264, "-bf", "2", "-video_track_timescale", "600"]);
    const uneven = join(root, "uneven.mp4");
    const drop = [
      "-vf",
      "select='mod(n,5)-3'",
      "-fps_mode",
      "vfr",
      "-video_track_timescale",
      "90000",
    ];
    const made = Bun.spawnSync(["ffmpeg", "-v", "error", "-i", matroska, ...drop, ...h264, uneven]);
    expect(made.exitCode).toBe(0);
    const ranges = [
      { from: 1.5, to: 5 },
      { from: 6.3, to: 9 },
    ];
    for (const source of [matroska, phone, uneven]) {
      const { first } = await clips({ ranges, cut: "fast", join: true }, source);
      const start = Number(ffprobe(source).format["start_time"]);
      const times = frameTimes(source);
      const all = numbersIn(source).map((number, index) => ({
        number,
        time: (times[index] ?? 0) - start,
      }));
      const wanted = ranges.flatMap(({ from, to }) =>
        all.filter(({ time }) => time >= from && time < to),
      );
      expect(numbersIn(first)).toEqual(wanted.map(({ number }) => number));
      const lasts = (wanted.at(-1)?.time ?? 0) - (ranges[1]?.from ?? 0);
      expect(Math.abs((frameTimes(first).at(-1) ?? 0) - 3.5 - lasts)).toBeLessThan(0.045);
      expect(copiedShare(first, source)).toBeGreaterThan(0.4);
    }
  });

  test("encodes all of it where no keyframe stands alone", async () => {
    const open = ["-x264-params", "open-gop=1", "-bf", "3", "-b_strategy", "0"];
    const source = film("open.mp4", 200, [...h264, ...open]);
    const { first } = await clips({ ranges: [{ from: 1.01, to: 6.5 }], cut: "fast" }, source);
    expect(numbersIn(first)).toEqual(numbers(26, 163));
    expect(complaints(first)).toBe("");
  });

  test("says why it copies nothing of a codec that cannot be cut so", async () => {
    const vp9 = [
      "-c:v",
      "libvpx-vp9",
      "-deadline",
      "realtime",
      "-cpu-used",
      "8",
      "-c:a",
      "libopus",
    ];
    const source = film("film.webm", 75, vp9);
    const params = { ranges: [{ from: 1, to: 2 }], cut: "fast", effort: "fast" };
    const { first, plan } = await clips(params, source);
    expect(plan.notes[0]).toContain("VP9 cannot be cut so");
    expect(numbersIn(first)).toEqual(numbers(25, 50));
  });
});

/** Share of a clip's pictures whose coded bytes stand in the source too. */
function copiedShare(path: string, source: string): number {
  const slices = (of: string) => {
    const [stream] = ffprobe(of).streams;
    const codec = String(stream?.["codec_name"]);
    const drop = codec === "h264" ? "remove_types=6-9" : "remove_types=32-40";
    const bitstream = `${codec}_mp4toannexb,filter_units=${drop}`;
    const argv = ["-v", "error", "-i", of, "-map", "0:v", "-c", "copy", "-bsf:v", bitstream];
    const text = Bun.spawnSync(["ffmpeg", ...argv, "-f", "framemd5", "-"]).stdout.toString();
    return text
      .split("\n")
      .flatMap((line) => (line.startsWith("#") ? [] : (line.split(",")[5] ?? [])));
  };
  const known = new Set(slices(source));
  const found = slices(path);
  return found.filter((hash) => known.has(hash)).length / found.length;
}
