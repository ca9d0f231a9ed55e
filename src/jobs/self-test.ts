/**
 * A trial of one device: the same film is decoded, encoded and proven to its last frame there, in the way of
 * every job (planned, placed, rendered, fenced, verified), but without a queue. What a device does wrong is told
 * and not done elsewhere.
 */
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { descriptionOf } from "../media/description.ts";
import type { Device, Toolchain } from "../media/devices.ts";
import { runFfmpeg } from "../media/ffmpeg.ts";
import type { MediaInfo } from "../media/media.ts";
import { type Placement, placeOn } from "../media/placement.ts";
import { probe } from "../media/probe.ts";
import { plainLog } from "../media/stderr.ts";
import type { PlacedWork } from "../media/work-figures.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import type { Step } from "../operations/operation.ts";
import type { LocalConfig } from "../runners/described-run.ts";
import { LocalRunner } from "../runners/local.ts";
import type { AttemptOutcome } from "../runners/runner.ts";
import { assert, Failure } from "../trouble.ts";
import { modelOf, placeOf } from "./prediction.ts";

export interface SelfTestParts {
  config: LocalConfig;
  toolchain: Toolchain;
  /** Absolute; everything is written in here. */
  folder: string;
  signal: AbortSignal;
}

/** How much is tried. */
export interface Extent {
  clipSeconds: number;
  speed: "fast" | "balanced";
}

/** Enough to show that a device works: the whole command stays below five seconds. */
export const quickExtent: Extent = { clipSeconds: 0.5, speed: "fast" };
/** Long enough that the start of ffmpeg does not decide what is measured. */
export const fullExtent: Extent = { clipSeconds: 5, speed: "balanced" };

const FRAMES_PER_SECOND = 30;

/** The whole film is made in a moment; only a machine in trouble takes longer. */
const CLIP_LIMIT_SECONDS = 60;

/** The film that is tried, and what is to be made of it. */
export interface Trial {
  path: string;
  media: MediaInfo;
  step: Step;
  clipSeconds: number;
}

/** What one device did. */
export interface DeviceTrial {
  /** Whether all of it came out as it should. */
  ok: boolean;
  /** How many ran side by side. */
  sessions: number;
  /** Of all of them together; null when it failed. */
  framesPerSecond: number | null;
  /** Seconds of film per second of work, of all of them together. */
  realtimeFactor: number | null;
  /** Who did it, in ffmpeg's words. */
  encoder: string | null;
  decoder: string | null;
  /** What was done, or what went wrong, and what to do; for a person. */
  sentence: string;
  remedy: string | null;
}

/** The film: 1080p with movement in every part of the picture. @throws Failure when ffmpeg cannot make it */
export async function prepareTrial(parts: SelfTestParts, extent: Extent): Promise<Trial> {
  const { toolchain, folder, signal } = parts;
  const { clipSeconds, speed } = extent;
  const path = join(folder, "film.mp4");
  const outcome = await runFfmpeg({
    tool: toolchain.ffmpegPath,
    argv: [
      ...["-f", "lavfi", "-i", `testsrc2=s=1920x1080:r=${FRAMES_PER_SECOND}:d=${clipSeconds}`],
      ...["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-pix_fmt", "yuv420p", path],
    ],
    ...{ cwd: folder, readPaths: [], writePaths: [folder], signal, niceness: 0 },
    wallLimitSeconds: CLIP_LIMIT_SECONDS,
    stallSeconds: CLIP_LIMIT_SECONDS * 2,
    expectedSeconds: clipSeconds,
  });
  if (outcome.kind !== "exited" || outcome.code !== 0) {
    const log = "stderr" in outcome ? plainLog(outcome.stderr, []) : "";
    const hint = "See what is missing: kinomill doctor";
    throw new Failure("encoder_failed", "ffmpeg cannot make the film to try.", { hint, log });
  }
  const media = await probe(path, { ffprobePath: toolchain.ffprobePath, signal });
  const operation = findOperation("transcode");
  // A quality that is asked for: what conforms would be copied otherwise.
  const params = parseParams(operation, { video: { codec: "h264", quality: 60 }, speed });
  const plan = planFor(operation, params, [{ name: "film.mp4", media }], toolchain);
  const [step] = plan.steps;
  assert(step !== undefined && plan.steps.length === 1, "a film of seconds is encoded in one step");
  return { path, media, step, clipSeconds };
}

/** Runs the trial on a device, so many times side by side. Null when it was aborted. */
export async function tryDevice(
  parts: SelfTestParts,
  trial: Trial,
  device: Device,
  sessions = 1,
): Promise<DeviceTrial | null> {
  const begunMs = performance.now();
  let renderedMs = begunMs;
  const onRendered = () => {
    renderedMs = performance.now();
  };
  const numbers = Array.from({ length: sessions }, (_, number) => number);
  const outcomes = await Promise.all(
    numbers.map((number) => attempt(parts, trial, device, { number, onRendered })),
  );
  if (parts.signal.aborted || outcomes.some(({ kind }) => kind === "aborted")) return null;
  const failed = outcomes.find((outcome) => outcome.kind === "failed");
  if (failed !== undefined) return failedTrial(failed, sessions);
  const [first] = outcomes;
  assert(first?.kind === "done", "a device has at least one session");
  const seconds = Math.max(0.001, (renderedMs - begunMs) / 1000);
  const realtimeFactor = (trial.clipSeconds * sessions) / seconds;
  return {
    ok: true,
    sessions,
    framesPerSecond: realtimeFactor * FRAMES_PER_SECOND,
    realtimeFactor,
    encoder: first.proof?.encoder ?? null,
    decoder: first.proof?.decoder ?? null,
    sentence: [first.deviceReason, ...(first.outputs[0]?.checks ?? [])].join(". "),
    remedy: null,
  };
}

function failedTrial(
  { report, fault }: Extract<AttemptOutcome, { kind: "failed" }>,
  sessions: number,
): DeviceTrial {
  const sentence = fault === null ? report.message : `${report.message} ${fault.sentence}`;
  const remedy = fault?.remedy ?? (report.hint === "" ? null : report.hint);
  const nothing = { framesPerSecond: null, realtimeFactor: null, encoder: null, decoder: null };
  return { ok: false, sessions, ...nothing, sentence, remedy };
}

async function attempt(
  { config, toolchain, folder, signal }: SelfTestParts,
  { path, step }: Trial,
  device: Device,
  { number, onRendered }: { number: number; onRendered(): void },
): Promise<AttemptOutcome> {
  const jobFolder = join(folder, `${device.id.replace(":", "-")}-${number}`);
  await mkdir(jobFolder, { recursive: true });
  const { name, work, outputs, proves = [], provesOfGpu: expectationsOfGpu = [] } = step;
  return await new LocalRunner({ toolchain, config }).run({
    ...{ device, work, assetPaths: [path], jobFolder, step: name },
    expectations: [...outputs.map(({ expectation }) => expectation), ...proves],
    ...{ expectationsOfGpu, verify: "full", signal, onRendered },
    onProgress: () => {},
  });
}

/** What the figures of the box know it by: the trial as a step that was done there. */
export function placedWork(
  { step, media }: Trial,
  device: Device,
  toolchain: Toolchain,
): PlacedWork {
  const description = descriptionOf(step.work);
  assert(description !== null, "an encode has a description");
  const placement: Placement = placeOn(description, { device, toolchain });
  const place = placeOf(placement, { cores: availableParallelism(), verify: "full" });
  return { work: step.work, media: [media], place, device: modelOf(device) };
}
