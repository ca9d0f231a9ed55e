/** The settings of jobs, GPUs and ffmpeg. */
import { availableParallelism } from "node:os";
import { isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { editable } from "./config-editable.ts";

const GIB = 1024 ** 3;

const folder = z.string().min(1).max(4096);

/** A `*` alone would hand every secret of the service to ffmpeg. */
const variableName = z
  .string()
  .max(256)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*\*?$/, "must be the name of a variable; a * may end it");

/** The whole disk would be no fence at all. */
const fenceFolder = folder.refine(
  (path) => isAbsolute(path) && resolve(path) !== "/",
  "must be an absolute path and not /",
);

const gpuName = z
  .string()
  .regex(/^(GPU-[0-9a-fA-F-]{8,40}|\d{1,2})$/, "must be a UUID (GPU-…) or the number of a GPU");

/** Whole numbers: of things, or of seconds. */
const count = (least: number, most: number, usual: number) =>
  z.int().min(least).max(most).default(usual);

/** Far more than an installation needs: each one costs every start of ffmpeg a system call or two. */
const FENCE_ADDITIONS = 64;

/** x264 at 1080p keeps about four cores busy; more slots on fewer cores only make every job late. */
const CORES_PER_CPU_SLOT = 4;

export const jobsSettings = z
  .strictObject({
    cpuSlots: z
      .int()
      .min(1)
      .max(64)
      .default(() => Math.max(1, Math.floor(availableParallelism() / CORES_PER_CPU_SLOT)))
      .meta(editable("Jobs at once on the CPU"))
      .describe("Jobs that run on the CPU at the same time. Default: one per four cores."),
    chunkSeconds: count(0, 3600, 45)
      .meta(editable("Work in one chunk"))
      .describe(
        "Encodes that take a third longer are cut into chunks of so many seconds of work, run side by side and joined: what is interrupted loses a chunk, not all. 0 cuts none.",
      ),
    stallSeconds: count(5, 3600, 60)
      .meta(editable("Patience with a stalled ffmpeg"))
      .describe("Seconds without progress after which ffmpeg counts as stalled and is ended."),
    wallLimitSeconds: count(10, 30 * 86_400, 86_400)
      .meta(editable("Longest run of ffmpeg"))
      .describe("Seconds that one run of ffmpeg may take at most."),
    runs: count(1, 20, 3)
      .meta(editable("Runs of a job"))
      .describe(
        "Runs that a job may have before it stays failed, where the failure may pass by itself: the next run begins some seconds later, each further one four times as late. 1 never tries again.",
      ),
    queuedPerUser: count(1, 1_000_000, 10_000)
      .meta(editable("Waiting jobs of one person"))
      .describe("Jobs of one person that may wait at the same time; more are refused."),
    drainSeconds: z
      .int()
      .min(0)
      .max(3600)
      .default(5)
      .meta(editable("Time to end when the server stops"))
      .describe(
        "Seconds that steps get to end when the server stops. What will not be done by then goes back into the queue at once; what is done already is kept.",
      ),
    reuse: z
      .boolean()
      .default(true)
      .meta(editable("Reuse earlier results"))
      .describe(
        "Whether a job that repeats an earlier one of the same person (same operation, parameters, input bytes, ffmpeg and Kinomill) takes its proven outputs and is done at once. A request can ask for new work with reuse: false.",
      ),
    verify: z
      .enum(["auto", "quick", "full"])
      .default("auto")
      .meta(editable("Proof of outputs"))
      .describe(
        "How outputs are proven: quick probes them and decodes their first, middle and last seconds, of a copied picture its keyframes there; full decodes all of them; auto is full for what can stand in the place of its source, and quick for the rest.",
      ),
  })
  .prefault({});

export const gpuSettings = z
  .strictObject({
    maxJobs: z
      .int()
      .min(1)
      .max(64)
      .default(3)
      .meta(editable("Jobs at once on one GPU"))
      .describe(
        "Jobs that run on one GPU at the same time. Three keep every encoder of today's cards busy.",
      ),
    memoryReserveBytes: z
      .int()
      .min(0)
      .max(1024 * GIB)
      .default(256 * 1024 ** 2)
      .meta(editable("GPU memory left to others"))
      .describe("Bytes of each GPU's memory that Kinomill leaves to other programs."),
    leaveAlone: z
      .array(gpuName)
      .max(64)
      .default([])
      .meta(editable("GPUs left alone", "restart"))
      .describe(
        "GPUs that Kinomill does not use, by UUID as nvidia-smi -L prints it (GPU-…) or by number. Numbers may change between two starts of the machine.",
      ),
    yieldToOthers: z
      .boolean()
      .default(false)
      .meta(editable("Yield to other programs"))
      .describe(
        "Start no job on a GPU while another program encodes on it; jobs wait until it is free.",
      ),
    whenNone: z
      .enum(["cpu", "wait"])
      .default("cpu")
      .meta(editable("When no GPU can encode"))
      .describe(
        "What becomes of a job that a GPU could encode when no GPU can: cpu runs it on the CPU, wait lets it wait for a GPU.",
      ),
  })
  .prefault({});

export const ffmpegSettings = z
  .strictObject({
    path: folder.default("ffmpeg").describe("The ffmpeg to run: a path, or a name on PATH."),
    ffprobePath: folder
      .default("ffprobe")
      .describe("The ffprobe to run: a path, or a name on PATH."),
    niceness: z
      .int()
      .min(0)
      .max(19)
      .default(10)
      .meta(editable("Niceness of ffmpeg"))
      .describe("CPU niceness of ffmpeg (0–19), so that the page stays quick while jobs run."),
    passEnvironment: z
      .array(variableName)
      .max(FENCE_ADDITIONS)
      .default([])
      .describe(
        "Further environment variables that ffmpeg gets; a * at the end stands for any ending. Without it: PATH, LD_LIBRARY_PATH, CUDA_* and NVIDIA_*.",
      ),
    sandboxRead: z
      .array(fenceFolder)
      .max(FENCE_ADDITIONS)
      .default([])
      .describe(
        "Further folders, absolute, that ffmpeg may read through its fence: fonts or libraries outside the system's places.",
      ),
    sandboxWrite: z
      .array(fenceFolder)
      .max(FENCE_ADDITIONS)
      .default([])
      .describe(
        "Further folders, absolute, in which ffmpeg may write through its fence: a cache of its GPU driver. Media of strangers can write there too.",
      ),
  })
  .prefault({});
