/** `kinomill selftest`: every device of this box makes a film and proves it; how quickly stands beside it. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isoTime, systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { lockDataFolder } from "../database/lock.ts";
import { isCurrent, openDatabase, openToRead } from "../database/open.ts";
import type { SelfTestReport } from "../http/parts.ts";
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
import { keepReport } from "./self-test-file.ts";
import { configOf } from "./settings.ts";
import { toolchainOf } from "./tools.ts";

interface SelfTestOptions extends CommonOptions {
  quick?: boolean;
  json?: boolean;
}

/** A device that takes longer is given up; the others have their say. */
const QUICK_LIMIT_MS = 60_000;
const WHOLE_LIMIT_MS = 300_000;

/** Past its limit ffmpeg is killed. Stuck inside the driver it lives on; then nobody waits for it. */
const KILL_GRACE_MS = 8_000;

/** For what was printed to be read. */
const LAST_WORDS_MS = 2_000;

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
  const { signal } = interrupt;
  try {
    return await testAll({ config, toolchain, folder, signal }, config, options);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    await rm(folder, { recursive: true, force: true });
  }
}

async function testAll(
  parts: SelfTestParts,
  config: Config,
  options: SelfTestOptions,
): Promise<number> {
  const quick = options.quick === true;
  const { devices, idle } = await devicesOf(config, parts.toolchain);
  const trial = await prepareTrial(parts, quick ? quickExtent : fullExtent);
  const tried = quick
    ? await allAtOnce(parts, trial, devices)
    : await inTurn(parts, trial, devices);
  if (tried === null) return exitCodes.interrupted;
  const kept = quick ? "A quick test keeps no figures." : keepFigures(config, parts, trial, tried);
  const ok = tried.every((each) => each.ok);
  // A child that hangs inside the driver would keep this process waiting for ever.
  if (!ok) setTimeout(() => process.exit(exitCodes.failed), LAST_WORDS_MS).unref();
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

/** One session on each. Null when it was interrupted. */
async function allAtOnce(
  parts: SelfTestParts,
  trial: Trial,
  devices: readonly Device[],
): Promise<Tried[] | null> {
  const tried = await Promise.all(
    devices.map((device) => timed(parts, trial, device, QUICK_LIMIT_MS)),
  );
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
    const alone = await timed(parts, trial, device, WHOLE_LIMIT_MS);
    const more = alone?.ok === true && device.slots > 1;
    const full = more ? await timed(parts, trial, device, WHOLE_LIMIT_MS, device.slots) : alone;
    if (alone === null || full === null) return null;
    all.push({ ...full, seconds: alone.seconds });
  }
  return all;
}

/** Null when it was interrupted; what takes too long has failed. */
async function timed(
  parts: SelfTestParts,
  trial: Trial,
  device: Device,
  limitMs: number,
  sessions = 1,
): Promise<Tried | null> {
  const begunMs = performance.now();
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(limitMs)]);
  const patience = Promise.withResolvers<null>();
  const timer = setTimeout(() => patience.resolve(null), limitMs + KILL_GRACE_MS);
  const trying = tryDevice({ ...parts, signal }, trial, device, sessions);
  const done = await Promise.race([trying, patience.promise]);
  clearTimeout(timer);
  if (done === null && parts.signal.aborted) return null;
  const seconds = (performance.now() - begunMs) / 1000;
  return { ...(done ?? tooLate(sessions, limitMs)), device, seconds };
}

function tooLate(sessions: number, limitMs: number): DeviceTrial {
  const nothing = { framesPerSecond: null, realtimeFactor: null, encoder: null, decoder: null };
  return {
    ...{ ok: false, sessions, ...nothing },
    sentence: `It did not end within ${limitMs / 1000} s.`,
    remedy: "See what hangs or is busy: nvidia-smi; top; sudo dmesg | tail -50",
  };
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

/** For the System page. */
function reportOf(tried: readonly Tried[]): SelfTestReport {
  return {
    at: isoTime(systemClock.nowMs()),
    problem: null,
    devices: tried.map(({ device: { id, title }, ok, decoder: _, seconds: __, ...rest }) => ({
      ...{ id, title, result: ok ? "ok" : "failed", ...rest },
    })),
  };
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
      keepReport(data, reportOf(tried));
    } finally {
      lock.release();
    }
    return "The times were kept for estimates.";
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    return "No figures were kept: a server works in the data folder and learns from its own jobs.";
  }
}
