/** What `concat` makes, by its flashes and beeps: clap boards at known times in files of odd lengths. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "../../src/trouble.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import { emulatedGpu } from "./emulated.ts";
import { frameTimes, pixelAt, run } from "./rehearsal.ts";
import { frames, work } from "./workshop.ts";

setDefaultTimeout(180_000);

const root = mkdtempSync(join(tmpdir(), "concat-test-"));
afterAll(() => rmSync(root, { recursive: true }));

interface Board {
  size?: string;
  rate?: string;
  /** Of the picture; sound lasts as long unless `sound` says how much longer. */
  count: number;
  /** Frame that is white while it beeps. */
  flash: number;
  sound?: number | null;
  channels?: number;
  sampleRate?: number;
  color?: string;
  argv?: readonly string[];
}

const fast = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"];

/** A film of one colour with one white frame, and a beep that begins with it. */
function board(name: string, about: Board): string {
  const { size = "160x96", rate = "25", count, flash, sound = 0 } = about;
  const { channels = 1, sampleRate = 48_000, color = "black", argv = fast } = about;
  const [top = 25, bottom = 1] = rate.split("/").map(Number);
  const at = (frame: number) => (frame * bottom) / top;
  const path = join(root, name);
  const white = `color=${color}:s=${size}:r=${rate}:d=${at(count)},drawbox=t=fill:c=white:enable='eq(n,${flash})'`;
  const beep = `gte(t,${at(flash)})*lt(t,${at(flash + 1)})*0.8*sin(2*PI*2000*t)`;
  const all = Array.from({ length: channels }, () => `'${beep}'`).join("|");
  const tone = `aevalsrc=${all}:s=${sampleRate}:d=${at(count) + (sound ?? 0)}`;
  const audio = sound === null ? [] : ["-f", "lavfi", "-i", tone];
  run(["-f", "lavfi", "-i", white, ...audio, ...argv, path]);
  return path;
}

/** Times at which flashes begin, in seconds. */
function flashes(path: string): number[] {
  const times = frameTimes(path);
  const bright = frames(path).map((frame) => (frame[Math.floor(frame.length / 2) + 80] ?? 0) > 190);
  return times.filter((_, index) => bright[index] && !bright[index - 1]);
}

/** Times at which beeps begin, in seconds: louder than a fifth after 50 ms of less. */
function beeps(path: string): number[] {
  const argv = ["-v", "error", "-i", path, "-af", "aresample=async=1:first_pts=0", "-ac", "1"];
  const bytes = Bun.spawnSync(["ffmpeg", ...argv, "-ar", "48000", "-f", "s16le", "-"]).stdout;
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 2));
  const found: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const [at, sample] of samples.entries()) {
    if (Math.abs(sample) < 6_500) continue;
    if (at - last > 2_400) found.push(at / 48_000);
    last = at;
  }
  return found;
}

async function joined(sources: readonly string[], params: Record<string, unknown> = {}) {
  const made = await work(root, "concat", { effort: "fast", ...params }, sources);
  const [path = ""] = made.paths;
  const [media] = made.media;
  return { ...made, path, media };
}

describe("cuts", () => {
  test("fifty joins of odd lengths leave flash and beep together", async () => {
    // Sound that ends a little after its picture, long after it, and before it.
    const longer = [0.013, 0.32, -0.017, 0];
    const boards = [23, 31, 17, 29].map((count, index) =>
      board(`odd-${count}.mp4`, { count, flash: 7 + index, sound: longer[index] ?? 0 }),
    );
    const sources = Array.from({ length: 50 }, (_, index) => boards[index % 4] ?? "");
    const { path, media } = await joined(sources);
    const seen = flashes(path);
    const heard = beeps(path);
    expect(seen).toHaveLength(50);
    expect(heard).toHaveLength(50);
    const apart = seen.map((time, index) => Math.abs(time - (heard[index] ?? 0)));
    expect(Math.max(...apart)).toBeLessThan(0.005);
    const lengths = [23, 31 + 8, 17, 29];
    const frameCount = sources.reduce((sum, _, index) => sum + (lengths[index % 4] ?? 0), 0);
    expect(frameTimes(path)).toHaveLength(frameCount);
    expect(media?.durationSeconds).toBeCloseTo(frameCount / 25, 1);
  });

  test("sizes, rates, codecs and sounds come together, and what has no sound is silent", async () => {
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
    const sources = [
      board("first.mp4", { count: 30, flash: 10, channels: 2, color: "0x202020" }),
      board("tall.webm", { size: "90x160", rate: "30", count: 36, flash: 12, argv: vp9 }),
      board("mute.mp4", { size: "320x180", count: 25, flash: 5, sound: null }),
      board("low.mkv", { size: "64x48", rate: "10", count: 12, flash: 4, sampleRate: 22_050 }),
      board("film.mov", { rate: "24000/1001", count: 40, flash: 20, sampleRate: 44_100 }),
    ];
    const { path, media } = await joined(sources);
    expect(media?.video).toMatchObject({ width: 160, height: 96, frameRate: "25/1" });
    expect(media?.video?.sampleAspectRatio).toBe("1:1");
    expect(media?.audio).toMatchObject([{ channels: 2, sampleRate: 48_000, codec: "aac" }]);
    const starts = [0, 1.2, 2.4, 3.4, 4.6];
    const own = [0.4, 0.4, 0.2, 0.4, 20 * (1001 / 24_000)];
    const wanted = starts.map((start, index) => start + (own[index] ?? 0));
    const seen = flashes(path);
    expect(seen).toHaveLength(5);
    for (const [index, time] of seen.entries()) {
      // Other rates are brought to the beats of this one: half a frame.
      expect(Math.abs(time - (wanted[index] ?? 0))).toBeLessThan(0.0201);
    }
    const heard = beeps(path);
    expect(heard).toHaveLength(4);
    for (const [index, time] of wanted.toSpliced(2, 1).entries()) {
      // Matroska and WebM begin with what their sound's encoder adds: both come later by that much.
      expect((heard[index] ?? 0) - time).toBeGreaterThan(-0.005);
      expect((heard[index] ?? 0) - time).toBeLessThan(0.03);
    }
    // The tall one has bars beside it, and they are black.
    expect(pixelAt(path, 4, 48, 1.6).every((value) => value < 12)).toBeTrue();
    expect(pixelAt(path, 80, 48, 1.6).every((value) => value > 200)).toBeTrue();
  });

  test("the largest gives size, rate and channels when asked", async () => {
    const sources = [
      board("small.mp4", { count: 20, flash: 3 }),
      board("large.mp4", { size: "320x180", rate: "50", count: 40, flash: 9, channels: 2 }),
    ];
    const { media } = await joined(sources, { match: "largest" });
    expect(media?.video).toMatchObject({ width: 320, height: 180, frameRate: "50/1" });
    expect(media?.audio).toMatchObject([{ channels: 2 }]);
  });

  test("colours stay what they are between BT.601 and BT.709", async () => {
    const tagged = (space: string) => [
      ...["-vf", `scale=out_color_matrix=${space}:out_range=tv,format=yuv420p`],
      ...[...fast, "-colorspace", space === "bt601" ? "smpte170m" : "bt709"],
    ];
    const red = { count: 25, flash: 24, color: "0xc83c28" };
    const sources = ["bt709", "bt601"].map((space) =>
      board(`${space}.mp4`, { ...red, argv: tagged(space) }),
    );
    const { path } = await joined(sources);
    const [one, two] = [pixelAt(path, 80, 48, 0.4), pixelAt(path, 80, 48, 1.4)];
    for (const channel of [0, 1, 2]) {
      expect(Math.abs((one[channel] ?? 0) - (two[channel] ?? 99))).toBeLessThan(6);
    }
  });

  test("sounds alone are joined too", async () => {
    const sound = (name: string, seconds: number) => {
      const path = join(root, name);
      run(["-f", "lavfi", "-i", `sine=frequency=440:d=${seconds}`, path]);
      return path;
    };
    const { media } = await joined([sound("a.wav", 1.234), sound("b.mp3", 0.7)]);
    expect(media?.kind).toBe("audio");
    expect(Math.abs((media?.durationSeconds ?? 0) - 1.95)).toBeLessThan(0.08);
  });

  test("NVENC encodes where there is one", async () => {
    using box = gpuBox({ gpus: "twoL4" });
    using _inside = await enterBox(box);
    const large = { size: "320x180", count: 25, flash: 3 };
    const sources = [board("one.mp4", large), board("two.mp4", large)];
    const made = await work(root, "concat", {}, sources, emulatedGpu(box.uuid(0)));
    expect(made.encoders).toEqual(["h264_nvenc"]);
    expect(frameTimes(made.paths[0] ?? "")).toHaveLength(50);
  });
});

describe("crossfades", () => {
  test("make the result shorter by their lengths, and leave flash and beep together", async () => {
    const sources = [40, 55, 47, 60].map((count) =>
      board(`fade-${count}.mp4`, { count, flash: 20, channels: 2 }),
    );
    const { path, media } = await joined(sources, { transition: "crossfade", seconds: 0.4 });
    const count = 40 + 55 + 47 + 60 - 3 * 10;
    expect(frameTimes(path)).toHaveLength(count);
    expect(Math.abs((media?.durationSeconds ?? 0) - count / 25)).toBeLessThan(0.03);
    const wanted = [20, 30 + 20, 30 + 45 + 20, 30 + 45 + 37 + 20].map((frame) => frame / 25);
    const seen = flashes(path);
    const heard = beeps(path);
    expect([seen.length, heard.length]).toEqual([4, 4]);
    for (const [index, time] of wanted.entries()) {
      expect(Math.abs((seen[index] ?? 0) - time)).toBeLessThan(0.001);
      expect(Math.abs((heard[index] ?? 0) - time)).toBeLessThan(0.005);
    }
  });

  test("blend the pictures, with silence where one has no sound", async () => {
    const black = board("black.mp4", { count: 50, flash: 10 });
    const grey = board("grey.mp4", { count: 50, flash: 40, color: "0xa0a0a0", sound: null });
    const { path, plan } = await joined([black, grey], { transition: "crossfade" });
    expect(frameTimes(path)).toHaveLength(75);
    const [before, middle, after] = [0.9, 1.5, 2.1].map((time) => pixelAt(path, 80, 48, time)[0]);
    expect(before).toBeLessThan(10);
    expect(Math.abs((middle ?? 0) - 80)).toBeLessThan(12);
    expect(Math.abs((after ?? 0) - 160)).toBeLessThan(6);
    expect(beeps(path)).toHaveLength(1);
    expect(plan.notes).toContain("1 input is without sound: silence stands there.");
  });

  test("longer than what they join are refused by name", async () => {
    const short = board("short.mp4", { count: 30, flash: 3 });
    const asked = joined([short, short, short], { transition: "crossfade", seconds: 0.8 });
    const trouble = await asked.catch((caught: unknown) => caught);
    if (!(trouble instanceof Refusal)) throw trouble;
    expect([trouble.status, trouble.errors[0]?.path]).toEqual([422, "seconds"]);
  });
});
