/** What the box says of itself: `GET /system`, `/health/ready` and `kinomill doctor` share these words. */
import type { BackupKeeper } from "../backup/keeper.ts";
import { type Clock, isoTime, within } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/open.ts";
import type { Finding } from "../doctor/finding.ts";
import { findingsOf } from "../doctor/findings.ts";
import { REQUEST_MAX_BYTES } from "../http/body.ts";
import type { DeviceReport, PartHealth, SystemReport } from "../http/parts.ts";
import { abilitiesOf } from "../media/devices.ts";
import type { FenceLayers } from "../media/fence.ts";
import { knownFenceLayers, standingLayers } from "../media/fence-layers.ts";
import { type GpuReport, type GpuState, waitingForFfmpeg } from "../media/gpu.ts";
import type { ToolboxState } from "../media/toolbox.ts";
import { product } from "../product.ts";
import { Failure } from "../trouble.ts";
import { diskReports } from "./disks.ts";
import { secretState } from "./vault.ts";
import { versionsReport } from "./versions.ts";
import type { WorkParts } from "./work.ts";

type Shown = Pick<
  WorkParts,
  | "toolbox"
  | "gpus"
  | "storage"
  | "primary"
  | "bucketWatch"
  | "device"
  | "slots"
  | "library"
  | "database"
  | "worker"
  | "workSwitch"
> & {
  config: Config;
};

export async function systemReport(
  parts: Shown & { clock: Clock; startedAtMs: number },
): Promise<SystemReport> {
  const { config, clock, startedAtMs, toolbox, storage, library } = parts;
  return {
    version: product.version,
    commit: product.commit,
    startedAt: isoTime(startedAtMs),
    uptimeSeconds: Math.floor((clock.nowMs() - startedAtMs) / 1000),
    devices: deviceReports(parts),
    gpus: gpusReport(parts),
    ffmpeg: ffmpegReport(toolbox.state),
    storage: {
      kind: storage.kind,
      freeBytes: await storage.freeBytes(),
      ...usageOf(library.records, clock),
      ...storageState(await storageHealth(parts)),
      cache: cacheReport(parts),
    },
    disks: await diskReports(config),
    versions: versionsReport(),
    sandbox: sandboxReport(knownFenceLayers()),
    work: workReport(parts),
    findings: await findingsReport(parts),
    limits: {
      uploadMaxBytes: config.uploads.maxBytes,
      requestMaxBytes: REQUEST_MAX_BYTES,
      cpuSlots: config.jobs.cpuSlots,
    },
  };
}

/** Whether there are GPUs, and what is wrong with all of them together. */
export function gpusReport(parts: Pick<Shown, "gpus" | "toolbox">): SystemReport["gpus"] {
  const { kind, sentence, remedy } = gpuState(parts);
  return { state: kind, sentence, remedy };
}

type Usage = ReturnType<Shown["library"]["records"]["usage"]>;

const usages = new WeakMap<object, { usage: Usage; untilMs: number }>();

/** The sum of all assets reads all of them, 30 ms for 100,000: it is kept a hundred times as long as it took. */
function usageOf(records: Shown["library"]["records"], clock: Clock): Usage {
  const nowMs = clock.monotonicMs();
  const known = usages.get(records);
  if (known !== undefined && nowMs < known.untilMs) return known.usage;
  const begunMs = performance.now();
  const usage = records.usage();
  const tookMs = Math.floor(performance.now() - begunMs);
  usages.set(records, { usage, untilMs: nowMs + 100 * tookMs });
  return usage;
}

/** What the doctor finds, as far as a server looks. */
export async function findingsReport(
  parts: Shown & { clock: Clock; startedAtMs: number },
): Promise<Finding[]> {
  const { config, clock, startedAtMs, toolbox } = parts;
  return await findingsOf({
    ...{ config, clock, asker: "server", sinceMs: startedAtMs },
    toolchain: knownToolchain(toolbox.state),
    gpus: gpuState(parts),
    bucket: parts.bucketWatch?.aspects ?? null,
    secrets: secretState(config, parts.database),
  });
}

function knownToolchain(state: ToolboxState) {
  if (state.kind === "ready") return state.toolchain;
  if (state.kind === "detecting") return null;
  const { code, message, ...rest } = state.report;
  return new Failure(code, message, rest);
}

/** The switch, and what runs. */
export function workReport({ workSwitch, worker }: Pick<Shown, "workSwitch" | "worker">) {
  return { ...workSwitch.state(), running: worker.busySlots };
}

/** The CPU and every GPU; cheap enough to ask for every other second. */
export function deviceReports(
  parts: Pick<Shown, "gpus" | "toolbox" | "device" | "slots" | "config">,
) {
  const { device, slots, config } = parts;
  const { gpus } = gpuState(parts);
  const helped = gpus.some(({ inService }) => inService);
  const cpu: DeviceReport = {
    ...device,
    busy: slots.use(device).jobs,
    reason: helped ? "Does what no GPU takes: pictures, sound, copies, VP9." : "Does all jobs.",
  };
  const slotsOf = (gpu: GpuReport) => (gpu.inService ? config.gpu.maxJobs : 0);
  return [cpu, ...gpus.map((gpu) => gpuDevice(gpu, slotsOf(gpu), slots.use(gpu).jobs))];
}

/** GPUs are tried with ffmpeg: without one there is nothing to wait for. */
function gpuState({ gpus, toolbox }: Pick<Shown, "gpus" | "toolbox">): GpuState {
  return toolbox.state.kind === "missing" ? waitingForFfmpeg : gpus.state();
}

function gpuDevice(report: GpuReport, slots: number, busy: number): DeviceReport {
  const { id, title, sentence, ...gpu } = report;
  return { id, kind: "gpu", title, slots, busy, reason: sentence, gpu };
}

function ffmpegReport(state: ToolboxState): SystemReport["ffmpeg"] {
  if (state.kind !== "ready") {
    const problem =
      state.kind === "missing"
        ? `${state.report.message} ${state.report.hint}`.trim()
        : "Kinomill is still looking at it.";
    return { version: null, problem, encoders: [], filters: [], hwaccels: [], abilities: [] };
  }
  const { toolchain } = state;
  return {
    version: toolchain.version,
    problem: null,
    encoders: [...toolchain.encoders].sort(),
    filters: [...toolchain.filters].sort(),
    hwaccels: [...toolchain.hwaccels].sort(),
    abilities: abilitiesOf(toolchain),
  };
}

function sandboxReport(layers: FenceLayers): SystemReport["sandbox"] {
  const missing = layers.reason === "" ? [] : [layers.reason];
  return { layers: standingLayers(layers), missing };
}

/** Each part that must work before work is accepted. */
export async function healthReport(
  parts: Shown & { database: Database; backups: Pick<BackupKeeper, "state"> },
): Promise<PartHealth[]> {
  return [
    databaseHealth(parts.database),
    await storageHealth(parts),
    ffmpegHealth(parts.toolbox.state),
    await backupHealth(parts.backups),
  ];
}

/** Work goes on without backups: what is wrong with them is told and no more. */
async function backupHealth(backups: Pick<BackupKeeper, "state">): Promise<PartHealth> {
  const { warnings } = await backups.state();
  return { part: "backups", ok: true, sentence: warnings.join(" ") };
}

function databaseHealth(database: Database): PartHealth {
  try {
    database.query("SELECT count(*) FROM user").get();
    return { part: "database", ok: true, sentence: "" };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "unknown";
    const sentence = `The database does not answer (${reason}). Look at the disk of the data folder.`;
    return { part: "database", ok: false, sentence };
  }
}

async function storageHealth({ primary, bucketWatch }: Shown): Promise<PartHealth> {
  const freeBytes =
    primary.kind === "s3" ? await primary.cache.roomBytes() : await primary.freeBytes();
  if (freeBytes === 0) {
    const sentence =
      "The disk is full up to its reserve. Delete assets that are not needed, or free space.";
    return { part: "storage", ok: false, sentence };
  }
  if (bucketWatch === null) return { part: "storage", ok: true, sentence: "" };
  const faults = (bucketWatch.aspects ?? []).filter(({ level }) => level === "fault");
  const told = faults.map(({ meaning, remedy }) => `${meaning} ${remedy ?? ""}`.trim()).join(" ");
  const sentence = bucketWatch.aspects === null ? "Kinomill still looks at the bucket." : told;
  return { part: "storage", ok: sentence === "", sentence };
}

function storageState({
  ok,
  sentence,
}: PartHealth): Pick<SystemReport["storage"], "state" | "sentence"> {
  return { state: ok ? "ok" : "fault", sentence };
}

function cacheReport({ primary, config }: Shown): SystemReport["storage"]["cache"] {
  if (primary.kind === "disk") return null;
  return { usedBytes: primary.cache.sizeBytes, maxBytes: config.storage.cache.maxBytes };
}

/** At most this long: what hangs must not keep the person waiting. */
const LOOK_LIMIT_MS = 8_000;

/** Tools, GPUs and storage once more; what they find is in the next report. */
export async function lookAgain({
  toolbox,
  gpus,
  bucketWatch,
}: Pick<Shown, "toolbox" | "gpus" | "bucketWatch">): Promise<void> {
  const look = async () => {
    await toolbox.lookNow();
    await Promise.all([gpus.lookAgain(), bucketWatch?.lookNow()]);
  };
  await within(LOOK_LIMIT_MS, look());
}

function ffmpegHealth(state: ToolboxState): PartHealth {
  if (state.kind === "ready") return { part: "ffmpeg", ok: true, sentence: "" };
  const sentence = ffmpegReport(state).problem ?? "";
  return { part: "ffmpeg", ok: false, sentence };
}
