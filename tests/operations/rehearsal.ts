/** Carries out a plan with the real ffmpeg and proves every output against its expectation. */
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InputRef } from "../../src/media/description.ts";
import { cpuDevice } from "../../src/media/devices.ts";
import type { MediaInfo } from "../../src/media/media.ts";
import { renderArgv } from "../../src/media/render.ts";
import { verifyOutput } from "../../src/media/verify.ts";
import { findOperation, parseParams, planFor } from "../../src/operations/index.ts";
import type { Plan, StepOutput } from "../../src/operations/operation.ts";
import { fileKey } from "../support/file-key.ts";
import { toolchain } from "../support/toolchain.ts";
import { mediaOf } from "./known-media.ts";

export interface Performed {
  plan: Plan;
  outputs: { declared: StepOutput; path: string; media: MediaInfo | null }[];
  argvs: string[][];
  stderr: string;
}

/** A folder of its own for one test file; `close` removes it. */
export class Rehearsal {
  readonly folder = mkdtempSync(join(tmpdir(), "rehearsal-"));
  private runs = 0;

  /** Makes a source with ffmpeg's own generators; returns its path. */
  make(name: string, ...argv: string[]): string {
    const path = join(this.folder, name);
    run([...argv, path]);
    return path;
  }

  async perform(name: string, params: unknown, source: string): Promise<Performed> {
    const operation = findOperation(name);
    const media = await mediaOf(source);
    const input = { name: source.split("/").at(-1) ?? "source", media };
    const plan = planFor(operation, parseParams(operation, params), [input], toolchain);
    const jobFolder = join(this.folder, `job-${++this.runs}`);
    const performed: Performed = { plan, outputs: [], argvs: [], stderr: "" };
    for (const step of plan.steps) {
      const outputFolder = join(jobFolder, step.name);
      await mkdir(outputFolder, { recursive: true });
      if (step.work.kind === "write") {
        await Bun.write(join(outputFolder, step.work.file), step.work.text);
      } else if (step.work.kind !== "render") {
        throw new Error(`a step that does ${step.work.kind} is rehearsed through the runner`);
      } else {
        const resolve = (ref: InputRef) =>
          "asset" in ref ? source : join(jobFolder, ref.step, ref.file);
        const target = { device: cpuDevice(1), toolchain };
        const { argv } = renderArgv(step.work.description, target, { resolve, outputFolder });
        performed.argvs.push(argv);
        performed.stderr += run(argv);
      }
      for (const declared of step.outputs) {
        performed.outputs.push(await prove(join(outputFolder, declared.file), declared));
      }
    }
    return performed;
  }

  /** The one output, with its media. */
  async transcode(params: unknown, source: string) {
    const { plan, outputs, argvs, stderr } = await this.perform("transcode", params, source);
    const [output] = outputs;
    if (output?.media === undefined || output.media === null) throw new Error("no output");
    return { plan, stderr, argv: argvs[0] ?? [], ...output, media: output.media };
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function prove(path: string, declared: StepOutput) {
  const verified = await verifyOutput(path, declared.expectation, "full", {
    toolchain,
    signal: AbortSignal.timeout(60_000),
    niceness: 0,
    stallSeconds: 30,
    wallLimitSeconds: 60,
  });
  if (verified.kind !== "proven") throw new Error(`${declared.file}: ${JSON.stringify(verified)}`);
  return { declared, path, media: verified.media };
}

/** Runs ffmpeg, which must succeed; returns its warnings. */
export function run(argv: string[], input?: Uint8Array): string {
  const command = ["ffmpeg", "-nostdin", "-hide_banner", "-v", "warning", "-y", ...argv];
  const done = Bun.spawnSync(command, {
    stdio: [input ?? "ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  const stderr = done.stderr.toString();
  if (done.exitCode !== 0) throw new Error(`ffmpeg ${argv.join(" ")}:\n${stderr}`);
  return stderr;
}

/** Hash and frame count of each stream's packets as they are: equal when a stream was copied. */
export function packetHashes(path: string, stream: string): string {
  const argv = ["-v", "error", "-i", path, "-map", stream, "-c", "copy", "-f", "streamhash", "-"];
  return Bun.spawnSync(["ffmpeg", ...argv])
    .stdout.toString()
    .trim();
}

/** Times of the frames of the picture, in seconds from the first stream's start. */
export function frameTimes(path: string): number[] {
  const entries = ["-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0"];
  const text = Bun.spawnSync(["ffprobe", "-v", "error", ...entries, path]).stdout.toString();
  const times = text.split("\n").map((line) => Number.parseFloat(line));
  return times.filter(Number.isFinite).toSorted((a, b) => a - b);
}

/** Red, green and blue of one pixel of the frame at a time. */
export function pixelAt(path: string, x: number, y: number, seconds = 0): [number, number, number] {
  const { width, height, rgb } = frameAt(path, seconds);
  if (x >= width || y >= height) return [-1, -1, -1];
  const [red = -1, green = -1, blue = -1] = rgb.subarray((y * width + x) * 3);
  return [red, green, blue];
}

interface Still {
  width: number;
  height: number;
  rgb: Uint8Array;
}

/** The frame that was looked at last: tests ask for one of its pixels after the other. */
const last: { key: string; still: Still } = {
  key: "",
  still: { width: 0, height: 0, rgb: new Uint8Array() },
};

function frameAt(path: string, seconds: number): Still {
  const key = `${fileKey(path)}:${seconds}`;
  if (key === last.key) return last.still;
  const argv = [
    "-hide_banner",
    "-nostats",
    "-ss",
    String(seconds),
    "-i",
    path,
    "-vf",
    "format=rgb24",
  ];
  const raw = ["-frames:v", "1", "-f", "rawvideo", "-"];
  const done = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv, ...raw]);
  const still = { ...rawSize(done.stderr.toString()), rgb: done.stdout };
  Object.assign(last, { key, still });
  return still;
}

/** Of the pictures that ffmpeg wrote, as it says itself: that saves asking ffprobe. */
export function rawSize(stderr: string): { width: number; height: number } {
  const said = /^Output #0[\s\S]*?, (\d+)x(\d+)/m.exec(stderr);
  const [width = 0, height = 0] = (said?.slice(1) ?? []).map(Number);
  return { width, height };
}

/** Inputs and encoders for sources: a moving picture, a tone, a quick H.264. */
export const picture = (size: string, seconds = 1, rate = "25") => [
  ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
];
export const sine = (seconds = 1) => [
  ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
];
export const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
