/** One run of ffmpeg for a job: rendered for its device, its end explained, what really ran proven. */
import { totalmem } from "node:os";
import type { Config } from "../config.ts";
import { commandOf } from "../media/command-line.ts";
import type { RenderDescription } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { type RunOutcome, runFfmpeg } from "../media/ffmpeg.ts";
import { type GpuFault, gpuFaultOf, quietGpuFault } from "../media/gpu-fault.ts";
import { KeyframeCount } from "../media/keyframe-count.ts";
import { type Placement, usesGpu } from "../media/placement.ts";
import { renderArgv } from "../media/render.ts";
import { type PathName, plainLog } from "../media/stderr.ts";
import { Failure, type FailureReport } from "../trouble.ts";
import { explainRun, refuseQuietDiskFull } from "./explain.ts";
import { inputFiles, pathOf, refuseMissing, roomBytes } from "./job-files.ts";
import { withMeasures } from "./measures.ts";
import { removePicked, withKeyframesPicked } from "./picked-keyframes.ts";
import { proofOf } from "./proof.ts";
import type { AttemptRequest, Proof } from "./runner.ts";
import { withQualities, withSeeks } from "./seeks.ts";

export type LocalConfig = Pick<Config, "jobs" | "ffmpeg" | "storage">;

export interface DescribedRun {
  description: RenderDescription;
  /** Absolute folder of the step; ffmpeg works in it. */
  folder: string;
  /** Has ffmpeg say more than warnings: what filters found out; `counts` what was read and decoded. */
  talks?: boolean | "counts";
  /** Gets every line of what it says, which holds host paths; true when the failure's log can do without. */
  onLine?: (line: string) => boolean;
}

/** What a run that ended well tells of itself. */
export interface CarriedOut {
  encoder: string | null;
  deviceReason: string;
  proof: Proof | null;
  /** Null when no ffmpeg ran. */
  placement: Placement | null;
  /** Sentences about how it was made, shown with the proofs; absent: none. */
  checks?: string[];
}

/** What ffmpeg said comes with it, bounded; it holds host paths. */
export interface RanDescription extends CarriedOut {
  stderr: string;
}

/** A run that failed because of its GPU: what the job would say, and what to do instead. */
export class GpuTrouble extends Failure {
  readonly fault: GpuFault;

  constructor({ code, message, hint, retryable, log }: FailureReport, fault: GpuFault) {
    super(code, message, { hint, retryable, log });
    this.fault = fault;
  }
}

interface Local {
  toolchain: Toolchain;
  config: LocalConfig;
}

/**
 * Runs one description; null when it was aborted. Where too few keyframes of a source can be decoded alone, all of
 * its frames are in a second run.
 * @throws Failure with what went wrong; a GpuTrouble when the GPU is to blame
 */
export async function runDescription(
  local: Local,
  request: AttemptRequest,
  run: DescribedRun,
): Promise<RanDescription | null> {
  const { description } = run;
  const least = new Map(
    description.inputs.flatMap(({ leastKeyframes }, index) =>
      leastKeyframes === undefined ? [] : [[index, leastKeyframes] as const],
    ),
  );
  if (least.size === 0) return await runOnce(local, request, run);
  const count = new KeyframeCount(least);
  const hear = (line: string) => {
    const known = count.hear(line);
    return (run.onLine?.(line) ?? false) || known;
  };
  const once = (one: DescribedRun) => runOnce(local, request, one);
  const { toolchain } = local;
  const picked = await withKeyframesPicked(run, request, { toolchain, once });
  const done = await once({ ...run, description: picked, talks: "counts", onLine: hear });
  await removePicked(run.folder);
  if (done === null || !count.areTooFew) return done;
  const inputs = description.inputs.map(({ keyframesOnly: _, moments: __, ...input }) => input);
  const dense = { ...description, inputs };
  const again = await runOnce(local, request, { ...run, description: dense });
  return again && { ...again, checks: [everyFrame, ...(again.checks ?? [])] };
}

const everyFrame =
  "Decoded every frame of the source: it has too few keyframes that can be decoded without the frames before them";

async function runOnce(
  { toolchain, config }: Local,
  request: AttemptRequest,
  run: DescribedRun,
): Promise<RanDescription | null> {
  const { description: described, folder, talks = false, onLine } = run;
  const { jobs, ffmpeg, storage } = config;
  const sought = await withSeeks(request, await withMeasures(request, described));
  const description = await withQualities(request, sought);
  const files = inputFiles(request, description);
  await refuseMissing(files);
  const rendered = renderArgv(
    description,
    { device: request.device, toolchain, avoided: request.avoided },
    { resolve: (from) => pathOf(request, from), outputFolder: folder },
  );
  const { placement } = rendered;
  const startedMs = performance.now();
  const outcome = await runFfmpeg({
    tool: toolchain.ffmpegPath,
    argv: rendered.argv,
    cwd: folder,
    readPaths: files.map(({ path }) => path),
    writePaths: [folder],
    signal: request.signal,
    pausable: true,
    rest: request.rest,
    stallSeconds: jobs.stallSeconds,
    wallLimitSeconds: jobs.wallLimitSeconds,
    niceness: ffmpeg.niceness,
    memoryBytes: memoryBytes(),
    fileBytes: await roomBytes(folder, storage.reserveBytes),
    expectedSeconds: description.expectedSeconds,
    gpuUuid: usesGpu(placement) ? (request.device.traits?.uuid ?? null) : null,
    onProgress: request.onProgress,
    talks: talks === true && description.inspects ? "levels" : talks,
    onLine,
  });
  if (outcome.kind === "aborted") return null;
  if (isRoomTooSmall(outcome)) {
    const again = { ...run, description: indexedAfterwards(described) };
    const done = await runOnce({ toolchain, config }, request, again);
    return done && { ...done, checks: [...(done.checks ?? []), writtenAgain] };
  }
  const names = [
    ...files,
    { path: `${folder}/`, name: "" },
    { path: request.jobFolder, name: "job" },
  ];
  if (outcome.kind === "exited" && outcome.code === 0) {
    refuseQuietDiskFull(outcome.stderr, names);
    if (placement.decode === "nvdec") refuseQuietGpuFault(outcome.stderr, names);
    const { encoder, deviceReason } = rendered;
    const seconds = (performance.now() - startedMs) / 1000;
    const command = commandOf(rendered.argv, names);
    const ran = { placement, encoder, device: request.device, outcome, seconds, command };
    const proof = proofOf(ran);
    return { encoder, deviceReason, proof, placement, stderr: outcome.stderr };
  }
  const failure = explainRun(outcome, names, jobs);
  if (!usesGpu(placement)) throw failure;
  const { device, memoryFreeBytes = null } = request;
  const fault = gpuFaultOf(outcome, { placement, device, toolchain, memoryFreeBytes });
  throw fault === null ? failure : new GpuTrouble(failure.report, fault);
}

/** Only its sentence tells: ffmpeg 5.1 exits with 0, and leaves the index over the first packets. */
function isRoomTooSmall(outcome: RunOutcome): boolean {
  return outcome.kind === "exited" && outcome.stderr.includes("reserved_moov_size is too small");
}

function indexedAfterwards(description: RenderDescription): RenderDescription {
  const outputs = description.outputs.map(({ indexBytes: _, ...output }) => output);
  return { ...description, outputs };
}

const writtenAgain =
  "Written a second time: its index is larger than the room that was kept for it at the front";

/** All that this machine or its container has: a run that wants more fails alone, not the server too. */
function memoryBytes(): number {
  const container = process.constrainedMemory();
  return container > 0 ? Math.min(container, totalmem()) : totalmem();
}

/** ffmpeg may call it success when NVDEC broke off; what it says gives it away. */
function refuseQuietGpuFault(stderr: string, names: PathName[]): void {
  const fault = quietGpuFault(stderr);
  if (fault === null) return;
  const { report } = new Failure("media_undecodable", "The picture was not decoded to its end.", {
    hint: "Check that the source plays to its end on your own machine, then retry the job.",
    retryable: true,
    log: plainLog(stderr, names),
  });
  throw new GpuTrouble(report, fault);
}
