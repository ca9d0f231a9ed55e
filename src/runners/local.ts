/** The runner that works here: ffmpeg on this machine, behind the fence, its outputs proven. */
import { join } from "node:path";
import { allEnded } from "../ended.ts";
import { type CutSpan, descriptionOf } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import type { Expectation } from "../media/expectation.ts";
import { type GpuFault, rejectedOutputFault } from "../media/gpu-fault.ts";
import { measurePackets, streamEndSeconds } from "../media/packets.ts";
import { usesGpu } from "../media/placement.ts";
import { openSubject, probe } from "../media/probe.ts";
import { type Verification, type VerifyTools, verifyOutput } from "../media/verify.ts";
import { assert, Failure, Refusal } from "../trouble.ts";
import { Turnstile } from "../turnstile.ts";
import { analyse } from "./analyse.ts";
import { chunk } from "./chunk.ts";
import { cut } from "./cut.ts";
import { type CarriedOut, GpuTrouble, type LocalConfig, runDescription } from "./described-run.ts";
import { diskFailure } from "./explain.ts";
import { freshFolder, pathOf, plainName, refuseFullDisk, writeDurably } from "./job-files.ts";
import { joinStep } from "./join.ts";
import { packageLadder } from "./package.ts";
import { report } from "./report.ts";
import type { AttemptOutcome, AttemptRequest, ProvenOutput, Runner } from "./runner.ts";
import { seams } from "./seams.ts";
import { search } from "./search.ts";
import { survey } from "./survey.ts";
import { target } from "./target.ts";

export interface LocalRunnerParts {
  /** The toolchain, or how to get the one that is current; that may throw a Failure or a Refusal. */
  toolchain: Toolchain | (() => Toolchain);
  config: LocalConfig;
}

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
    const { config } = this.parts;
    switch (work.kind) {
      case "write": {
        assert(plainName.test(work.file), `file name ${work.file} is plain`);
        await writeDurably(join(folder, work.file), work.text);
        const deviceReason = "Written by Kinomill itself; no encoder is needed";
        return { encoder: null, deviceReason, proof: null, placement: null };
      }
      case "render": {
        const local = { toolchain: this.toolchain(), config };
        return await runDescription(local, request, { description: work.description, folder });
      }
      case "analyse":
        return await analyse({ toolchain: this.toolchain(), config }, request, work, folder);
      case "search":
        return await search({ toolchain: this.toolchain(), config }, request, work, folder);
      case "survey":
        return await survey({ toolchain: this.toolchain(), config }, request, work, folder);
      case "report":
        return await report(request, work, folder);
      case "seams":
        return await seams({ toolchain: this.toolchain(), config }, request, work, folder);
      case "chunk":
        return await chunk({ toolchain: this.toolchain(), config }, request, work, folder);
      case "join":
        return await joinStep({ toolchain: this.toolchain(), config }, request, work, folder);
      case "target":
        return await target({ toolchain: this.toolchain(), config }, request, work, folder);
      case "cut":
        return await cut({ toolchain: this.toolchain(), config }, request, work, folder);
      case "package": {
        const { reserveBytes } = config.storage;
        return await packageLadder(request, work.ladder, { folder, reserveBytes });
      }
    }
  }

  private async proveAll(
    request: AttemptRequest,
    folder: string,
    { placement, checks: told = [], ...done }: CarriedOut,
  ): Promise<AttemptOutcome> {
    const ofGpu = placement !== null && usesGpu(placement) ? request.expectationsOfGpu : [];
    const expectations = [...request.expectations, ...(ofGpu ?? [])];
    const gate = new Turnstile(PROOFS_AT_ONCE_MAX);
    let isWell = true;
    const verified = await allEnded(
      expectations.map((expectation) =>
        gate.through(async () => {
          if (!isWell) return null;
          const verification = await this.prove(request, folder, expectation);
          if (verification.kind !== "proven") isWell = false;
          return { file: expectation.file, verification };
        }),
      ),
    );
    const outputs: ProvenOutput[] = [];
    for (const { file, verification } of verified.filter((each) => each !== null)) {
      if (verification.kind === "aborted") return verification;
      if (verification.kind === "rejected") {
        // A full disk can leave exit code 0 and files of nothing behind.
        await refuseFullDisk(folder);
        const fault = placement === null ? null : rejectedOutputFault(placement);
        return { kind: "failed", report: verification.report, fault };
      }
      const { sizeBytes, media, checks } = verification;
      outputs.push({ file, path: join(folder, file), sizeBytes, media, checks });
    }
    const [first] = outputs;
    first?.checks.push(...told);
    return { kind: "done", outputs, ...done, ...(first === undefined ? { checks: told } : {}) };
  }

  private async prove(
    request: AttemptRequest,
    folder: string,
    expectation: Expectation,
  ): Promise<Verification> {
    const { file } = expectation;
    assert(plainName.test(file), `file name ${file} is plain`);
    const tools = { ...this.verifyTools(request), pictureIsCopied: isCopied(request, file) };
    return await verifyOutput(join(folder, file), expectation, request.verify, tools);
  }

  private verifyTools(request: AttemptRequest): VerifyTools {
    const { jobs, ffmpeg } = this.parts.config;
    // Text needs no tools, so a box without ffmpeg can still write it.
    const { kind } = request.work;
    const toolchain = kind === "write" || kind === "report" ? noTools : this.toolchain();
    return {
      toolchain,
      signal: request.signal,
      niceness: Math.min(19, ffmpeg.niceness + PROVING_NICENESS),
      stallSeconds: jobs.stallSeconds,
      wallLimitSeconds: jobs.wallLimitSeconds,
      sourcePictureSeconds: () => sourcePictureSeconds(request, toolchain),
      sourceStreamSeconds: (stream) => sourceStreamSeconds(request, stream, toolchain),
    };
  }
}

/** Outputs of a step that are proven at once: most of a short proof is the start of processes, one after the other. */
const PROOFS_AT_ONCE_MAX = 2;

/** Proving an output gives way to work that a GPU waits for: 5 steps are a third of the processor's share. */
const PROVING_NICENESS = 5;

/** A render that copies the picture changes nothing of its packets; joined pieces may differ in their headers. */
function isCopied({ work }: AttemptRequest, file: string): boolean {
  if (work.kind !== "render") return false;
  return work.description.outputs.some(
    (output) => output.file === file && output.video?.kind === "copy" && !output.video.changing,
  );
}

const noTools = { ffmpegPath: "ffmpeg", ffprobePath: "ffprobe" };

/** Where the picture of the first input should end in the output, by its packets. */
async function sourcePictureSeconds(
  request: AttemptRequest,
  toolchain: Pick<Toolchain, "ffmpegPath" | "ffprobePath">,
): Promise<number | null> {
  const input = descriptionOf(request.work)?.inputs[0];
  if (input === undefined) return null;
  const path = pathOf(request, input.from);
  const tools = { ffprobePath: toolchain.ffprobePath, signal: request.signal };
  const media = await probe(path, tools);
  if (media.video === null) return null;
  const subject = await openSubject(path);
  const { seconds } = await measurePackets(subject, media.video.index, tools);
  if (seconds === null) return null;
  if (request.work.kind === "cut") return joinedPictureSeconds(request.work.spans, seconds);
  const rest = Math.max(0, seconds - (input.seekSeconds ?? 0));
  return Math.min(rest, input.durationSeconds ?? rest);
}

/** When a stream of the job's first input ends. */
async function sourceStreamSeconds(
  request: AttemptRequest,
  stream: number,
  { ffprobePath }: Pick<Toolchain, "ffprobePath">,
): Promise<number | null> {
  const subject = await openSubject(pathOf(request, { asset: 0 }));
  return await streamEndSeconds(subject, stream, { ffprobePath, signal: request.signal });
}

/** Between joined spans the last picture of each stays; behind the last one nothing does. */
function joinedPictureSeconds(spans: readonly CutSpan[], ends: number): number {
  const total = spans.reduce((sum, { seconds }) => sum + seconds, 0);
  const last = spans.at(-1);
  const missing = last === undefined ? 0 : last.from + last.seconds - ends;
  return total - Math.min(Math.max(0, missing), last?.seconds ?? 0);
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
  const failure = diskFailure(trouble);
  if (failure === null) throw trouble;
  return failure;
}
