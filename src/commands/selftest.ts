/** `kinomill selftest`: every device of this box makes a film and proves it; how quickly stands beside it. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { lockDataFolder } from "../database/lock.ts";
import { isCurrent, openDatabase, openToRead } from "../database/open.ts";
import { WorkFigures } from "../jobs/figures.ts";
import {
  type DeviceTrial,
  fullExtent,
  placedWork,
  prepareTrial,
  quickExtent,
  type SelfTestParts,
  type Trial,
  tryDevice,
} from "../jobs/self-test.ts";
import { cpuDevice, type Device, type Toolchain } from "../media/devices.ts";
import { gpuSkills } from "../media/gpu-skill.ts";
import { Gpus } from "../media/gpus.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";
import { toolchainOf } from "./tools.ts";

interface SelfTestOptions extends CommonOptions {
  quick?: boolean;
  json?: boolean;
}

/** A device that hangs is given up; the others have their say. */
const WHOLE_LIMIT_MS = 600_000;
const QUICK_LIMIT_MS = 60_000;

/** A device with what it did; `seconds` is how long one session alone took, proof and all. */
export type Tried = DeviceTrial & { device: Device; seconds: number };

/** Answers with 1 when a device that is in service failed. */
export async function selftest(options: SelfTestOptions): Promise<number> {
  const config = await configOf(options);
  // Here the person decides about the disk, and a minute of film fits everywhere.
  config.storage.reserveBytes = 0;
  const toolchain = await toolchainOf(config);
  const folder = await mkdtemp(join(tmpdir(), "kinomill-selftest-"));
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  const late = AbortSignal.timeout(options.quick ? QUICK_LIMIT_MS : WHOLE_LIMIT_MS);
  const signal = AbortSignal.any([interrupt.signal, late]);
  try {
    return await testAll({ config, toolchain, folder, signal }, config, options, interrupt.signal);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    await rm(folder, { recursive: true, force: true });
  }
}

async function testAll(
  parts: SelfTestParts,
  config: Config,
  options: SelfTestOptions,
  interrupted: AbortSignal,
): Promise<number> {
  const quick = options.quick === true;
  const { devices, idle } = await devicesOf(config, parts.toolchain);
  const trial = await prepareTrial(parts, quick ? quickExtent : fullExtent);
  const tried = quick
    ? await allAtOnce(parts, trial, devices)
    : await inTurn(parts, trial, devices);
  if (interrupted.aborted) return exitCodes.interrupted;
  if (tried === null) {
    const sentence = "A device did not end in time. See which hangs: kinomill doctor";
    throw new Refusal(504, "selftest_late", sentence);
  }
  const kept = quick ? "A quick test keeps no figures." : keepFigures(config, parts, trial, tried);
  const ok = tried.every((each) => each.ok);
  if (options.json) {
    const told = tried.map(({ device: { id, title }, seconds: _, ...rest }) => ({
      ...{ id, title, ...rest },
      hoursPerDay1080p: hoursPerDay(rest.realtimeFactor),
    }));
    console.log(
      JSON.stringify({ ok, quick, devices: told, notTested: idle, figures: kept }, null, 2),
    );
  } else {
    for (const each of tried) console.log(lineOf(each));
    for (const { id, sentence } of idle) console.log(`--    ${id.padEnd(8)}${sentence}`);
    if (!quick) console.log(kept);
  }
  return ok ? exitCodes.done : exitCodes.failed;
}

/** The CPU and the GPUs that take jobs; of the others why they do not. */
async function devicesOf(config: Config, toolchain: Toolchain) {
  const skills = gpuSkills.filter(({ codec, bitDepth }) => codec === "h264" && bitDepth === 8);
  const { leaveAlone, maxJobs } = config.gpu;
  const gpus = new Gpus({ leaveAlone, maxJobs, skills });
  await gpus.open(toolchain);
  const found = gpus.devices();
  const idle = gpus
    .state()
    .gpus.filter(({ inService }) => !inService)
    .map(({ id, title, sentence }) => ({ id, sentence: `${title}: ${sentence}` }));
  await gpus.close();
  return { devices: [cpuDevice(config.jobs.cpuSlots), ...found], idle };
}

/** One session on each. Null when it was ended. */
async function allAtOnce(
  parts: SelfTestParts,
  trial: Trial,
  devices: readonly Device[],
): Promise<Tried[] | null> {
  const tried = await Promise.all(devices.map((device) => timed(parts, trial, device)));
  return tried.some((each) => each === null) ? null : tried.filter((each) => each !== null);
}

/** Each alone, first one session and then as many as it takes jobs. */
async function inTurn(
  parts: SelfTestParts,
  trial: Trial,
  devices: readonly Device[],
): Promise<Tried[] | null> {
  const all: Tried[] = [];
  for (const device of devices) {
    const alone = await timed(parts, trial, device);
    if (alone === null) return null;
    const full =
      alone.ok && device.slots > 1 ? await tryDevice(parts, trial, device, device.slots) : alone;
    if (full === null) return null;
    all.push({ ...alone, ...full });
  }
  return all;
}

async function timed(parts: SelfTestParts, trial: Trial, device: Device): Promise<Tried | null> {
  const begunMs = performance.now();
  const done = await tryDevice(parts, trial, device);
  return done === null ? null : { ...done, device, seconds: (performance.now() - begunMs) / 1000 };
}

/**
 * "ok    gpu:0   NVIDIA L4: 412 fps in 3 sessions, 13.7 × real time, 329 hours of 1080p a day (h264_nvenc)."
 */
function lineOf(tried: Tried): string {
  const { device, ok, sessions, framesPerSecond, realtimeFactor, encoder, sentence, remedy } =
    tried;
  const head = `${ok ? "ok  " : "BAD "}  ${device.id.padEnd(8)}${device.title}: `;
  if (!ok || framesPerSecond === null) return `${head}${sentence} ${remedy ?? ""}`.trim();
  const together = sessions === 1 ? "in one session" : `in ${sessions} sessions`;
  const hours = Math.round(hoursPerDay(realtimeFactor) ?? 0);
  return `${head}${Math.round(framesPerSecond)} fps ${together}, ${(realtimeFactor ?? 0).toFixed(1)} × real time, ${hours} hours of 1080p a day (${encoder}).`;
}

function hoursPerDay(realtimeFactor: number | null): number | null {
  return realtimeFactor === null ? null : Math.round(realtimeFactor * 24 * 10) / 10;
}

/** Tells the estimates of the data folder, where no server is at it, and in one sentence whether it did. */
export function keepFigures(
  config: Config,
  { toolchain }: SelfTestParts,
  trial: Trial,
  tried: readonly Tried[],
): string {
  const { data } = config;
  if (!existsSync(data)) return "No figures were kept: there is no data folder yet.";
  // A database of before is brought up to date by the server that is upgraded, after its backup.
  using reader = openToRead(data);
  if (reader === null || !isCurrent(reader)) {
    return "No figures were kept: the data folder has no database of this version.";
  }
  try {
    const lock = lockDataFolder(data, "kinomill selftest");
    try {
      using database = openDatabase(data);
      const figures = new WorkFigures(database, systemClock);
      for (const { ok, device, seconds } of tried) {
        const placed = placedWork(trial, device, toolchain);
        if (ok) figures.note(placed, { seconds, bytes: null });
      }
    } finally {
      lock.release();
    }
    return "The times were kept for estimates.";
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    return "No figures were kept: a server works in the data folder and learns from its own jobs.";
  }
}
