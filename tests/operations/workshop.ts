/** Carries out operations as jobs do: through the local runner, behind the fence, every output proven. */
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { captionText } from "../../src/media/captions/file.ts";
import { cpuDevice, type Device } from "../../src/media/devices.ts";
import type { MediaInfo } from "../../src/media/media.ts";
import type { ChunkWish } from "../../src/operations/chunking.ts";
import { findOperation, parseParams, planFor } from "../../src/operations/index.ts";
import type { Plan } from "../../src/operations/operation.ts";
import { LocalRunner } from "../../src/runners/local.ts";
import type { AttemptOutcome } from "../../src/runners/runner.ts";
import { toolchain } from "../support/toolchain.ts";
import { mediaOf } from "./known-media.ts";
import { rawSize } from "./rehearsal.ts";

const flags = { "storage.reserveBytes": 0, "ffmpeg.niceness": 0 };
const config = await loadConfig({ file: null, environment: {}, flags });
const runner = new LocalRunner({ toolchain, config });

export interface Made {
  plan: Plan;
  /** Of the job: each step has a folder in it. */
  folder: string;
  /** Paths of what would be published, in order. */
  paths: string[];
  media: (MediaInfo | null)[];
  encoders: (string | null)[];
  /** What was proven of the outputs, as sentences. */
  checks: string[];
}

/** Of one step: VP9 over a minute of film, on a machine that is busy with other tests. */
const STEP_LIMIT_MS = 600_000;

let jobs = 0;

/**
 * One job in a folder.
 * @throws Error with what the job would say when it fails
 */
export async function work(
  folder: string,
  name: string,
  params: unknown,
  sources: readonly string[],
  device: Device | ((step: string) => Device) = cpuDevice(1),
  chunks?: ChunkWish,
): Promise<Made> {
  const operation = findOperation(name);
  const texts = sources.flatMap((path) => {
    const found = captionText(path);
    return found === null ? [] : [{ name: basename(path), text: found.text, path }];
  });
  const films = sources.filter((path) => !texts.some((text) => text.path === path));
  const inputs = await Promise.all(
    films.map(async (path) => ({ name: basename(path), media: await mediaOf(path) })),
  );
  const context = { ...toolchain, ...(chunks === undefined ? {} : { chunks }) };
  const plan = planFor(operation, parseParams(operation, params), inputs, context, texts);
  const jobFolder = join(folder, `job-${++jobs}`);
  mkdirSync(jobFolder);
  const made: Made = {
    plan,
    folder: jobFolder,
    ...{ paths: [], media: [], encoders: [], checks: [] },
  };
  for (const step of plan.steps) {
    const outcome: AttemptOutcome = await runner.run({
      device: typeof device === "function" ? device(step.name) : device,
      ...{ work: step.work, jobFolder, step: step.name, assetPaths: films },
      expectations: [...step.outputs.map(({ expectation }) => expectation), ...(step.proves ?? [])],
      expectationsOfGpu: step.provesOfGpu ?? [],
      ...{ verify: "full", signal: AbortSignal.timeout(STEP_LIMIT_MS), onProgress: () => {} },
    });
    if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
    made.encoders.push(outcome.encoder);
    const declared = outcome.outputs.slice(0, step.outputs.length);
    made.paths.push(...declared.map(({ path }) => path));
    made.media.push(...declared.map(({ media }) => media));
    made.checks.push(...outcome.outputs.flatMap(({ checks }) => checks), ...(outcome.checks ?? []));
  }
  return made;
}

/** All frames of a video in grey or colour, one after the other. */
export function frames(path: string, pixels: "gray" | "rgb24" = "gray"): Uint8Array[] {
  const argv = [
    "-hide_banner",
    "-nostats",
    "-i",
    path,
    "-map",
    "0:v:0",
    "-fps_mode",
    "passthrough",
  ];
  const raw = ["-f", "rawvideo", "-pix_fmt", pixels, "-"];
  const done = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv, ...raw]);
  const { width, height } = rawSize(done.stderr.toString());
  const size = width * height * (pixels === "gray" ? 1 : 3);
  const count = Math.floor(done.stdout.length / size);
  return Array.from({ length: count }, (_, index) =>
    done.stdout.subarray(index * size, (index + 1) * size),
  );
}

export type Box = readonly [x: number, y: number, width: number, height: number];

/** Mean of each channel within a box of a frame. */
export function mean(frame: Uint8Array, frameWidth: number, box: Box, channels = 1): number[] {
  const [left, top, width, height] = box;
  const sums = Array.from({ length: channels }, () => 0);
  for (let y = top; y < top + height; y += 1) {
    for (let x = left; x < left + width; x += 1) {
      for (let channel = 0; channel < channels; channel += 1) {
        const value = frame[(y * frameWidth + x) * channels + channel] ?? 0;
        sums[channel] = (sums[channel] ?? 0) + value;
      }
    }
  }
  return sums.map((sum) => sum / (width * height));
}
