/** Small files that want much memory or time. Each limit is held against a run without it. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { matroska } from "../../tests/support/matroska.ts";
import { gifBomb, pngBomb } from "../../tests/support/pictures.ts";
import { Refusal } from "../trouble.ts";
import { runFfmpeg, runFfprobe } from "./ffmpeg.ts";
import { probe } from "./probe.ts";
import { maxPixels, maxStreams, safeInputFlags } from "./safety.ts";

/** Machines that test are busy. */
setDefaultTimeout(120_000);

const root = mkdtempSync(join(tmpdir(), "bombs-test-"));
afterAll(() => rmSync(root, { recursive: true }));
const job = join(root, "job");
mkdirSync(job);

function plant(name: string, body: string | Uint8Array): string {
  const path = join(root, name);
  writeFileSync(path, body);
  return path;
}

const ffmpeg = "/usr/bin/ffmpeg";
const ffprobe = "/usr/bin/ffprobe";

function newRun(argv: string[], path: string, wallLimitSeconds: number) {
  return {
    argv,
    cwd: job,
    readPaths: [path],
    writePaths: [job],
    wallLimitSeconds,
    stallSeconds: 30,
    niceness: 0,
    expectedSeconds: null,
  };
}

/**
 * Largest resident memory in bytes that a command took. A small process of its own starts it: the
 * kernel counts the starter's memory in, and this one has grown with the tests before.
 */
async function peakBytes(command: string[]): Promise<number> {
  const measure = `
    const child = Bun.spawn(process.argv.slice(1), { stdio: ["ignore", "ignore", "ignore"] });
    await child.exited;
    console.log(child.resourceUsage().maxRSS);`;
  const starter = Bun.spawn([process.execPath, "-e", measure, ...command], { timeout: 60_000 });
  return Number(await new Response(starter.stdout).text());
}

const refusalOf = async (path: string) => {
  const trouble = await probe(path, { ffprobePath: "ffprobe" }).catch((cause) => cause);
  expect(trouble).toBeInstanceOf(Refusal);
  return (trouble as Refusal).message;
};

/** An ffprobe that has nothing to do takes about 50 MB. */
const guardedBytes = 150_000_000;

describe("a small picture of", () => {
  const bombs: [string, Uint8Array][] = [
    // The most that ffmpeg itself takes.
    ["16,000 pixels a side", pngBomb(16_000, 24, 0.003)],
    ["60,000 pixels a side", pngBomb(60_000, 4)],
    ["65,535 pixels a side, as GIF", gifBomb()],
  ];
  test.each(bombs)("%s is refused in the memory of a small one", async (what, body) => {
    expect(body.length).toBeLessThan(2_000_000);
    const path = plant(what.replaceAll(/[^a-z0-9]/g, ""), body);
    expect(await refusalOf(path)).toContain(`more than ${maxPixels} pixels`);
    const guarded = [ffprobe, "-v", "quiet", ...safeInputFlags(), "-i", path];
    expect(await peakBytes(guarded)).toBeLessThan(guardedBytes);
  });

  test("16,000 pixels a side takes much memory without the limit", async () => {
    const path = plant("control.png", pngBomb(16_000, 24, 0.003));
    expect(await peakBytes([ffprobe, "-v", "quiet", "-i", path])).toBeGreaterThan(700_000_000);
  });
});

test("two frames ten hours apart do not become two million", async () => {
  const picture = await Bun.file(await jpeg()).bytes();
  const packets = [0, 36_000_000].map((timeMs) => ({ track: 0, timeMs, data: picture }));
  const tracks = [{ kind: "video" as const, codec: "V_MJPEG", frameMs: 40 }];
  const path = plant("gap.mkv", matroska({ tracks, packets }));
  const rate = ["-i", path, "-r", "60", "-fps_mode", "cfr", "-c:v", "mpeg4", "out.mkv"];
  const started = performance.now();
  const outcome = await runFfmpeg({ tool: ffmpeg, ...newRun(rate, path, 2) });
  expect(["time_limit", "stalled"]).toContain(outcome.kind);
  expect(performance.now() - started).toBeLessThan(10_000);
});

async function jpeg(): Promise<string> {
  const path = join(job, "picture.jpeg");
  const argv = ["-f", "lavfi", "-i", "color=s=64x48", "-frames:v", "1", "-update", "1", path];
  const done = await runFfmpeg({ tool: ffmpeg, ...newRun(argv, job, 20) });
  expect(done).toMatchObject({ kind: "exited", code: 0 });
  return path;
}

test("a file of hundreds of tracks is refused in little memory", async () => {
  const count = 900;
  const tracks = Array.from({ length: count }, () => ({
    kind: "audio" as const,
    codec: "A_PCM/INT/LIT",
  }));
  const sound = { track: 0, timeMs: 0, data: new Uint8Array(160) };
  const path = plant("tracks.mkv", matroska({ tracks, packets: [sound] }));
  const show = ["-show_entries", "stream=index", "-of", "csv=p=0"];
  // The control: the fence alone lets it through.
  const control = await runFfprobe({ tool: ffprobe, ...newRun([...show, "-i", path], path, 30) });
  expect(control.stdout.trim().split("\n")).toHaveLength(count);
  expect(await refusalOf(path)).toContain(`more than ${maxStreams} tracks`);
  const guarded = [ffprobe, "-v", "quiet", ...safeInputFlags(), "-i", path];
  expect(await peakBytes(guarded)).toBeLessThan(guardedBytes);
});

test("subtitles that take minutes to draw end at the limit of time", async () => {
  const line = `Dialogue: 0,0:00:00.00,0:00:09.00,Default,{\\blur90\\be50\\bord20\\fs90\\t(\\frz360)}${"W".repeat(9)}`;
  const head =
    "[Script Info]\nPlayResX: 1920\nPlayResY: 1080\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,20\n[Events]\nFormat: Layer, Start, End, Style, Text\n";
  const path = plant("slow.ass", head + `${line}\n`.repeat(300));
  const picture = ["-f", "lavfi", "-i", "color=s=1920x1080:r=5:d=2"];
  const argv = [...picture, "-vf", `subtitles=filename=${path}`, "-f", "null", "-"];
  const started = performance.now();
  const run = newRun(argv, path, 2);
  const outcome = await runFfmpeg({ tool: ffmpeg, ...run, memoryBytes: 1024 ** 3 });
  expect(outcome.kind).toBe("time_limit");
  expect(performance.now() - started).toBeLessThan(10_000);
});
