/** The runner that works here: ffmpeg on this machine, behind the fence, its outputs proven. */
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import type { Config } from "../config.ts";
import type { InputRef, RenderDescription } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { runFfmpeg } from "../media/ffmpeg.ts";
import {
  type GpuFault,
  gpuFaultOf,
  quietGpuFault,
  rejectedOutputFault,
} from "../media/gpu-fault.ts";
import { measurePackets } from "../media/packets.ts";
import { type Placement, usesGpu } from "../media/placement.ts";
import { openSubject, probe } from "../media/probe.ts";
import { renderArgv } from "../media/render.ts";
import { type PathName, plainLog } from "../media/stderr.ts";
import { type VerifyTools, verifyOutput } from "../media/verify.ts";
import { assert, Failure, type FailureReport, Refusal } from "../trouble.ts";
import { diskFullFailure, explainRun, refuseQuietDiskFull } from "./explain.ts";
import { proofOf } from "./proof.ts";
import type { AttemptOutcome, AttemptRequest, Proof, ProvenOutput, Runner } from "./runner.ts";

export interface LocalRunnerParts {
  /** The toolchain, or how to get the one that is current; that may throw a Failure or a Refusal. */
  toolchain: Toolchain | (() => Toolchain);
  config: Pick<Config, "jobs" | "ffmpeg" | "storage">;
}

/** What a run that ended well tells of itself. */
interface CarriedOut {
  encoder: string | null;
  deviceReason: string;
  proof: Proof | null;
  /** Null when no ffmpeg ran. */
  placement: Placement | null;
}

/** A run that failed because of its GPU: what the job would say, and what to do instead. */
class GpuTrouble extends Failure {
  readonly fault: GpuFault;

  constructor({ code, message, hint, retryable, log }: FailureReport, fault: GpuFault) {
    super(code, message, { hint, retryable, log });
    this.fault = fault;
  }
}

/** With less than this to write into, a run is not begun: it could only fail. */
const leastRoomBytes = 1024 ** 2;

/** Names of steps and of files that they leave: ours, so anything else is a mistake of ours. */
const plainName = /^[a-z0-9][a-z0-9-]*(\.[a-z0-9]+)?$/;

export class LocalRunner implements Runner {
  readonly name = "local";
  private readonly parts: LocalRunnerParts;

  constructor(parts: LocalRunnerParts) {
    this.parts = parts;
  }

  /** Carries out one attempt. Rejects only for a broken invariant; everything else is an outcome. */
  async run(request: AttemptRequest): Promise<AttemptOutcome> {
    if (request.signal.aborted) return { kind: "aborted" };
    try {
      const folder = await freshFolder(request);
      const done = await this.carryOut(request, folder);
      if (done === null) return { kind: "aborted" };
      request.onRendered?.();
      return await this.proveAll(request, folder, done);
    } catch (trouble) {
      if (request.signal.aborted) return { kind: "aborted" };
      return { kind: "failed", report: failureOf(trouble).report, fault: faultOf(trouble) };
    }
  }

  private toolchain(): Toolchain {
    const { toolchain } = this.parts;
    return typeof toolchain === "function" ? toolchain() : toolchain;
  }

  /** Null when it was aborted. */
  private async carryOut(request: AttemptRequest, folder: string): Promise<CarriedOut | null> {
    const { work } = request;
    if (work.kind === "write") {
      assert(plainName.test(work.file), `file name ${work.file} is plain`);
      await writeDurably(join(folder, work.file), work.text);
      const deviceReason = "Written by Kinomill itself; no encoder is needed";
      return { encoder: null, deviceReason, proof: null, placement: null };
    }
    return await this.render(request, work.description, folder);
  }

  private async render(
    request: AttemptRequest,
    description: RenderDescription,
    folder: string,
  ): Promise<CarriedOut | null> {
    const { jobs, ffmpeg, storage } = this.parts.config;
    const toolchain = this.toolchain();
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
      stallSeconds: jobs.stallSeconds,
      wallLimitSeconds: jobs.wallLimitSeconds,
      niceness: ffmpeg.niceness,
      memoryBytes: memoryBytes(),
      fileBytes: await roomBytes(folder, storage.reserveBytes),
      expectedSeconds: description.expectedSeconds,
      gpuUuid: usesGpu(placement) ? (request.device.traits?.uuid ?? null) : null,
      onProgress: request.onProgress,
    });
    if (outcome.kind === "aborted") return null;
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
      const proof = proofOf({ placement, encoder, device: request.device, outcome, seconds });
      return { encoder, deviceReason, proof, placement };
    }
    const failure = explainRun(outcome, names, jobs);
    if (!usesGpu(placement)) throw failure;
    const { device, memoryFreeBytes = null } = request;
    const fault = gpuFaultOf(outcome, { placement, device, toolchain, memoryFreeBytes });
    throw fault === null ? failure : new GpuTrouble(failure.report, fault);
  }

  private async proveAll(
    request: AttemptRequest,
    folder: string,
    { placement, ...done }: CarriedOut,
  ): Promise<AttemptOutcome> {
    const outputs: ProvenOutput[] = [];
    for (const expectation of request.expectations) {
      const { file } = expectation;
      assert(plainName.test(file), `file name ${file} is plain`);
      const path = join(folder, file);
      const tools = this.verifyTools(request);
      const verification = await verifyOutput(path, expectation, request.verify, tools);
      if (verification.kind === "aborted") return verification;
      if (verification.kind === "rejected") {
        // A full disk can leave exit code 0 and files of nothing behind.
        await refuseFullDisk(folder);
        const fault = placement === null ? null : rejectedOutputFault(placement);
        return { kind: "failed", report: verification.report, fault };
      }
      const { sizeBytes, media, checks } = verification;
      outputs.push({ file, path, sizeBytes, media, checks });
    }
    return { kind: "done", outputs, ...done };
  }

  private verifyTools(request: AttemptRequest): VerifyTools {
    const { jobs, ffmpeg } = this.parts.config;
    // Text needs no tools, so a box without ffmpeg can still write it.
    const toolchain = request.work.kind === "write" ? noTools : this.toolchain();
    return {
      toolchain,
      signal: request.signal,
      niceness: ffmpeg.niceness,
      stallSeconds: jobs.stallSeconds,
      wallLimitSeconds: jobs.wallLimitSeconds,
      sourcePictureSeconds: () => sourcePictureSeconds(request, toolchain),
    };
  }
}

const noTools = { ffmpegPath: "ffmpeg", ffprobePath: "ffprobe" };

/** An empty folder for the step: what an earlier attempt left is removed. */
async function freshFolder(request: AttemptRequest): Promise<string> {
  assert(plainName.test(request.step), `step name ${request.step} is plain`);
  const folder = join(request.jobFolder, request.step);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function pathOf(request: AttemptRequest, from: InputRef): string {
  if ("asset" in from) {
    const path = request.assetPaths[from.asset];
    assert(path !== undefined, `the job has an input ${from.asset}`);
    return path;
  }
  assert(plainName.test(from.step) && plainName.test(from.file), "names of steps are plain");
  return join(request.jobFolder, from.step, from.file);
}

/** The files that this run may read, with the names that stand for them in a log. */
function inputFiles(request: AttemptRequest, description: RenderDescription): PathName[] {
  return description.inputs.map(({ from }) => ({
    path: pathOf(request, from),
    name: "asset" in from ? `input ${from.asset + 1}` : `${from.step}/${from.file}`,
  }));
}

async function refuseMissing(files: PathName[]): Promise<void> {
  for (const { path, name } of files) {
    if (await Bun.file(path).exists()) continue;
    throw new Failure("input_missing", `The job's ${name} is not there any more.`, {
      hint: "Upload it again and start a new job.",
    });
  }
}

/** What a file may grow to, so that the reserve stays for the database. */
async function roomBytes(folder: string, reserveBytes: number): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  const room = bavail * bsize - reserveBytes;
  if (room < leastRoomBytes) throw diskFullFailure();
  return room;
}

async function refuseFullDisk(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < leastRoomBytes) throw diskFullFailure();
}

/** All that this machine or its container has: a run that wants more fails alone, not the server too. */
function memoryBytes(): number {
  const container = process.constrainedMemory();
  return container > 0 ? Math.min(container, totalmem()) : totalmem();
}

/** After this the file is there even if the power goes. */
async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(text, "utf8");
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where the picture of the first input should end in the output, by its packets. */
async function sourcePictureSeconds(
  request: AttemptRequest,
  toolchain: Pick<Toolchain, "ffmpegPath" | "ffprobePath">,
): Promise<number | null> {
  if (request.work.kind !== "render") return null;
  const input = request.work.description.inputs[0];
  if (input === undefined) return null;
  const path = pathOf(request, input.from);
  const tools = { ffprobePath: toolchain.ffprobePath, signal: request.signal };
  const media = await probe(path, tools);
  if (media.video === null) return null;
  const subject = await openSubject(path);
  const { seconds } = await measurePackets(subject, media.video.index, tools);
  if (seconds === null) return null;
  const rest = Math.max(0, seconds - (input.seekSeconds ?? 0));
  return Math.min(rest, input.durationSeconds ?? rest);
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

function faultOf(trouble: unknown): GpuFault | null {
  return trouble instanceof GpuTrouble ? trouble.fault : null;
}

/** Ours to show on the job; a broken invariant stays what it is and crashes. */
function failureOf(trouble: unknown): Failure {
  if (trouble instanceof Failure) return trouble;
  if (trouble instanceof Refusal) {
    return new Failure("tool_missing", trouble.message, { retryable: true });
  }
  const code = (trouble as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT") return diskFullFailure();
  throw trouble;
}
