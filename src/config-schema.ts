/** Every setting once: name, unit, default, limits and one sentence. `config.ts` reads their values. */
import { availableParallelism } from "node:os";
import { isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { importSettings } from "./config-imports.ts";
import { uploadSettings } from "./config-uploads.ts";
import { processEnvironment } from "./environment.ts";
import { parseSchedule, scheduleFault } from "./schedule.ts";

const GIB = 1024 ** 3;

/** `HOST:PORT` with an optional IPv6 host in brackets; port 0 asks the system for a free one. */
const listenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):\d{1,5}$/, "must be HOST:PORT, for example 0.0.0.0:7600")
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= 65535, "port must be ≤ 65535");

const hostName = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9.-]+$/, "must be a host name without scheme or port");

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

function defaultDataFolder(): string {
  return process.getuid?.() === 0 && processEnvironment()["INVOCATION_ID"] !== undefined
    ? "/var/lib/kinomill"
    : resolve("kinomill-data");
}

/** An address without path, query or login; "" where it is optional. */
const endpoint = z
  .string()
  .max(300)
  .regex(/^(https?:\/\/[A-Za-z0-9.[\]:-]+)?\/?$/, "must be like https://s3.example.com:9000")
  .transform((text) => text.replace(/\/$/, ""));

const s3Settings = z.strictObject({
  endpoint: endpoint
    .default("")
    .describe("Address of the S3 server, for example https://s3.example.com:9000. Empty: AWS."),
  publicEndpoint: endpoint
    .default("")
    .describe(
      "Address under which browsers and programs reach the same server, where it differs from the endpoint.",
    ),
  direct: z
    .boolean()
    .default(true)
    .describe(
      "Send browsers and programs to the bucket for the bytes of media. Off: all bytes pass through Kinomill, for a server that they cannot reach.",
    ),
  region: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, "must be like eu-central-1")
    .default("us-east-1")
    .describe("Region of the bucket. R2: auto; Garage: garage; others mostly: us-east-1."),
  bucket: z
    .string()
    .regex(/^([A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])?$/, "must be the name of a bucket")
    .default("")
    .describe("The bucket. It must be there; Kinomill does not make it."),
  prefix: z
    .string()
    .regex(/^([A-Za-z0-9_.-]+\/){0,8}$/, "must be empty or end with a slash, like kinomill/")
    .max(200)
    .default("")
    .describe("What the keys of all objects begin with, so that others may use the bucket too."),
  pathStyle: z
    .boolean()
    .default(true)
    .describe("Name the bucket in the path (most servers) instead of in the host name (AWS)."),
  accessKeyId: z
    .string()
    .max(200)
    .default("")
    .describe(
      "The access key. Empty: the keys of AWS's environment variables, files or the machine's role.",
    ),
  secretAccessKey: z.string().max(500).default("").describe("The secret key."),
  secretAccessKeyFile: z
    .string()
    .max(4096)
    .default("")
    .describe(
      "A file with the secret key, instead of the key itself. credential:NAME is /etc/kinomill/credentials/NAME, which systemd hands to the service.",
    ),
  caFile: z
    .string()
    .max(4096)
    .default("")
    .describe(
      "A PEM file with the authority that signed the server's certificate, when it is private.",
    ),
  timeoutSeconds: count(1, 600, 30).describe(
    "Seconds that the server may say nothing, and for which what fails is tried again.",
  ),
  partBytes: z
    .int()
    .min(5 * 1024 ** 2)
    .max(GIB)
    .default(16 * 1024 ** 2)
    .describe("Bytes of one part of a large object; larger where an object would have too many."),
  parallel: count(1, 64, 4).describe("Parts and ranges that are under way at the same time."),
});

/** Settings whose values are shown to nobody. */
export const secretSettings: ReadonlySet<string> = new Set(["storage.s3.secretAccessKey"]);

/** The shape of the configuration. `.describe` is the sentence of the sample file and of `docs/`. */
export const configSchema = z.strictObject({
  data: folder
    .default(defaultDataFolder)
    .describe(
      "Folder for the database, the files and the work in progress. As a systemd service of root: /var/lib/kinomill; otherwise ./kinomill-data.",
    ),
  listen: listenAddress
    .default("0.0.0.0:7600")
    .describe("Address and port of the page and the API."),
  hosts: z
    .array(hostName)
    .max(64)
    .default([])
    .describe(
      "Further host names under which browsers reach this server. IP addresses, localhost and the machine's own name always work; any other name is refused, which stops DNS rebinding.",
    ),
  log: z
    .strictObject({
      level: z
        .enum(["debug", "info", "warn", "error"])
        .default("info")
        .describe("Least severe messages that are logged."),
      slowRequestMs: count(0, 600_000, 1_000).describe(
        "Milliseconds from which on an answer is logged as slow, uploads aside. 0 logs none.",
      ),
    })
    .prefault({}),
  storage: z
    .strictObject({
      kind: z
        .enum(["disk", "s3"])
        .default("disk")
        .describe(
          "Where the bytes of assets live: on the local disk, or in a bucket (docs/storage.md).",
        ),
      reserveBytes: z
        .int()
        .min(0)
        .max(1024 * GIB)
        .default(GIB)
        .describe(
          "Bytes of the disk that Kinomill leaves free: uploads are refused below it, so that the database can still write.",
        ),
      s3: s3Settings.prefault({}),
      cache: z
        .strictObject({
          folder: z
            .string()
            .max(4096)
            .default("")
            .describe(
              "With S3: the folder for copies of objects that ffmpeg reads, on the fastest disk there is. Empty: cache in the data folder.",
            ),
          maxBytes: z
            .int()
            .min(0)
            .max(1024 * 1024 * GIB)
            .default(64 * GIB)
            .describe(
              "With S3: bytes that these copies may take. What jobs read at the moment stays, also above it; the rest goes, the longest unused first.",
            ),
        })
        .prefault({}),
    })
    .refine(({ kind, s3 }) => kind !== "s3" || s3.bucket !== "", {
      path: ["s3", "bucket"],
      message: "must name the bucket when storage.kind is s3",
    })
    .prefault({}),
  uploads: uploadSettings,
  imports: importSettings,
  jobs: z
    .strictObject({
      cpuSlots: z
        .int()
        .min(1)
        .max(64)
        .default(() => Math.max(1, Math.floor(availableParallelism() / CORES_PER_CPU_SLOT)))
        .describe("Jobs that run on the CPU at the same time. Default: one per four cores."),
      chunkSeconds: count(0, 3600, 45).describe(
        "Encodes that take a third longer are cut into chunks of so many seconds of work, run side by side and joined: what is interrupted loses a chunk, not all. 0 cuts none.",
      ),
      stallSeconds: count(5, 3600, 60).describe(
        "Seconds without progress after which ffmpeg counts as stalled and is ended.",
      ),
      wallLimitSeconds: count(10, 30 * 86_400, 86_400).describe(
        "Seconds that one run of ffmpeg may take at most.",
      ),
      runs: count(1, 20, 3).describe(
        "Runs that a job may have before it stays failed, where the failure may pass by itself: the next run begins some seconds later, each further one four times as late. 1 never tries again.",
      ),
      queuedPerUser: count(1, 1_000_000, 10_000).describe(
        "Jobs of one person that may wait at the same time; more are refused.",
      ),
      drainSeconds: z
        .int()
        .min(0)
        .max(3600)
        .default(5)
        .describe(
          "Seconds that steps get to end when the server stops. What will not be done by then goes back into the queue at once; what is done already is kept.",
        ),
      reuse: z
        .boolean()
        .default(true)
        .describe(
          "Whether a job that repeats an earlier one of the same person (same operation, parameters, input bytes, ffmpeg and Kinomill) takes its proven outputs and is done at once. A request can ask for new work with reuse: false.",
        ),
      verify: z
        .enum(["auto", "quick", "full"])
        .default("auto")
        .describe(
          "How outputs are proven: quick probes them and decodes their first, middle and last seconds, of a copied picture its keyframes there; full decodes all of them; auto is full for what can stand in the place of its source, and quick for the rest.",
        ),
    })
    .prefault({}),
  gpu: z
    .strictObject({
      maxJobs: z
        .int()
        .min(1)
        .max(64)
        .default(3)
        .describe(
          "Jobs that run on one GPU at the same time. Three keep every encoder of today's cards busy.",
        ),
      memoryReserveBytes: z
        .int()
        .min(0)
        .max(1024 * GIB)
        .default(256 * 1024 ** 2)
        .describe("Bytes of each GPU's memory that Kinomill leaves to other programs."),
      leaveAlone: z
        .array(gpuName)
        .max(64)
        .default([])
        .describe(
          "GPUs that Kinomill does not use, by UUID as nvidia-smi -L prints it (GPU-…) or by number. Numbers may change between two starts of the machine.",
        ),
      yieldToOthers: z
        .boolean()
        .default(false)
        .describe(
          "Start no job on a GPU while another program encodes on it; jobs wait until it is free.",
        ),
      whenNone: z
        .enum(["cpu", "wait"])
        .default("cpu")
        .describe(
          "What becomes of a job that a GPU could encode when no GPU can: cpu runs it on the CPU, wait lets it wait for a GPU.",
        ),
    })
    .prefault({}),
  ffmpeg: z
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
    .prefault({}),
  retention: z
    .strictObject({
      binDays: count(0, 365, 7).describe(
        "Days that deleted assets stay in the bin, from which they can be restored. 0: they are gone at once.",
      ),
      uploadDays: count(0, 36_500, 0).describe(
        "Days after which what was uploaded or imported goes into the bin by itself. 0: never.",
      ),
      outputDays: count(0, 36_500, 0).describe(
        "Days after which what jobs made goes into the bin by itself. 0: never.",
      ),
      quotaBytes: z
        .int()
        .min(0)
        .max(16_384 * GIB)
        .default(0)
        .describe(
          "Bytes that one person may keep, the bin included. 0: as much as there is room for.",
        ),
    })
    .prefault({}),
  backup: z
    .strictObject({
      schedule: z
        .string()
        .max(100)
        .refine((words) => parseSchedule(words) !== null, scheduleFault)
        .default("15 3 * * *")
        .describe(
          "When the database is backed up: five fields of cron in the time of this machine, a number of hours (6h), or off. One that was missed is made up for at the next start.",
        ),
      keep: count(1, 1000, 14).describe(
        "Backups that are kept; the oldest beyond them are removed.",
      ),
      folder: folder
        .default("backups")
        .describe(
          "Folder of the backups; a relative path begins at the data folder. Another disk survives the loss of this one. They hold password hashes and keys: nobody else may read them.",
        ),
    })
    .prefault({}),
  sessions: z
    .strictObject({
      days: z
        .int()
        .min(1)
        .max(365)
        .default(30)
        .describe("Days after which a login on the page ends."),
    })
    .prefault({}),
});
