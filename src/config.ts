/**
 * Every setting once: name, unit, default, limits and one sentence. Values come from, weakest first:
 * the defaults here, a TOML file, `KINOMILL_*` in the environment, flags of the command line. This is
 * the only module that reads `process.env`.
 */
import { availableParallelism } from "node:os";
import { isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { Refusal } from "./trouble.ts";

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
  return process.getuid?.() === 0 && process.env["INVOCATION_ID"] !== undefined
    ? "/var/lib/kinomill"
    : resolve("kinomill-data");
}

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
    })
    .prefault({}),
  storage: z
    .strictObject({
      kind: z.enum(["disk"]).default("disk").describe("Where the bytes of assets live."),
      reserveBytes: z
        .int()
        .min(0)
        .max(1024 * GIB)
        .default(GIB)
        .describe(
          "Bytes of the disk that Kinomill leaves free: uploads are refused below it, so that the database can still write.",
        ),
    })
    .prefault({}),
  uploads: z
    .strictObject({
      maxBytes: z
        .int()
        .min(1)
        .max(16_384 * GIB)
        .default(512 * GIB)
        .describe("Largest file, in bytes, that one upload may have."),
      allowWithoutSandbox: z
        .boolean()
        .default(false)
        .describe(
          "Take uploads although the kernel has no Landlock: a hostile file could then make ffmpeg read every file that this service can.",
        ),
    })
    .prefault({}),
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

export type Config = z.output<typeof configSchema>;

/** One leaf of the schema, for the sample file, the documentation and the environment. */
export interface Setting {
  /** Dotted key as in the TOML file, for example `jobs.cpuSlots`. */
  key: string;
  /** `KINOMILL_JOBS_CPU_SLOTS`. */
  environmentName: string;
  sentence: string;
  schema: z.ZodType;
}

export const settings: readonly Setting[] = listSettings(configSchema, []);

function listSettings(schema: z.ZodType, path: string[]): Setting[] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) {
    const key = path.join(".");
    const words = path.flatMap((part) => part.split(/(?=[A-Z])/));
    const environmentName = `KINOMILL_${words.join("_").toUpperCase()}`;
    return [{ key, environmentName, sentence: schema.description ?? "", schema }];
  }
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([name, child]) =>
    listSettings(child, [...path, name]),
  );
}

function unwrap(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? unwrap(schema.unwrap() as z.ZodType)
    : schema;
}

export type Environment = Record<string, string | undefined>;

/** The process's environment. Children get a closed list of it, never the whole. */
export function processEnvironment(): Environment {
  return process.env;
}

export interface ConfigSources {
  /** Path of a TOML file, or null for none. */
  file: string | null;
  environment: Environment;
  /** Settings by dotted key from flags of the command line. */
  flags: Record<string, unknown>;
}

/**
 * Puts the sources together.
 * @throws Refusal 400 `bad_config` whose `errors` name every fault at once: key, value, what is allowed.
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const merged: Record<string, unknown> = sources.file === null ? {} : await readFile(sources.file);
  const unknownNames = mergeEnvironment(merged, sources.environment);
  for (const [key, value] of Object.entries(sources.flags)) {
    if (value !== undefined) setPath(merged, key, value);
  }
  const parsed = configSchema.safeParse(merged, { reportInput: true });
  const faults = unknownNames.map((name) => ({
    path: name,
    message: `no such setting; the settings are listed by "kinomill config check --list"`,
  }));
  if (!parsed.success) faults.push(...parsed.error.issues.map(describeFault));
  if (faults.length > 0 || !parsed.success) {
    const lines = faults.map((fault) => `  ${fault.path}: ${fault.message}`).join("\n");
    throw new Refusal(400, "bad_config", `The configuration has faults:\n${lines}`, {
      errors: faults,
    });
  }
  return { ...parsed.data, data: resolve(parsed.data.data) };
}

function describeFault(issue: z.core.$ZodIssue): { path: string; message: string } {
  const path = issue.path.join(".") || "(file)";
  const setting = settings.find(({ key }) => key === path);
  const value = issue.input === undefined ? "" : `${JSON.stringify(issue.input)} is not allowed: `;
  const about = setting === undefined ? "" : ` (${setting.sentence})`;
  return { path, message: `${value}${issue.message}${about}` };
}

async function readFile(path: string): Promise<Record<string, unknown>> {
  const text = await Bun.file(path)
    .text()
    .catch((cause: Error) => {
      throw new Refusal(
        400,
        "bad_config",
        `Cannot read the configuration ${path}: ${cause.message}`,
      );
    });
  try {
    return Bun.TOML.parse(text) as Record<string, unknown>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal(400, "bad_config", `${path} is not valid TOML: ${reason}`);
  }
}

/** For who talks to a server, no settings of one. */
const clientNames: ReadonlySet<string> = new Set(["KINOMILL_URL", "KINOMILL_TOKEN"]);

/** Copies `KINOMILL_*` into the tree and returns the names that are no setting: a typo must not be silent. */
function mergeEnvironment(tree: Record<string, unknown>, environment: Environment): string[] {
  const unknownNames: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith("KINOMILL_") || clientNames.has(name) || text === undefined) continue;
    const setting = settings.find(({ environmentName }) => environmentName === name);
    if (setting === undefined) unknownNames.push(name);
    else setPath(tree, setting.key, fromText(setting.schema, text));
  }
  return unknownNames;
}

/** Text of the environment as the schema's kind of value; what does not convert is left for zod to refuse. */
function fromText(schema: z.ZodType, text: string): unknown {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodNumber && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (inner instanceof z.ZodBoolean && /^(true|false)$/.test(text)) return text === "true";
  if (inner instanceof z.ZodArray) return text === "" ? [] : text.split(/[,:]/);
  return text;
}

function setPath(tree: Record<string, unknown>, key: string, value: unknown): void {
  const parts = key.split(".");
  const last = parts.pop() as string;
  let node = tree;
  for (const part of parts) {
    const child = node[part];
    if (typeof child !== "object" || child === null) node[part] = {};
    node = node[part] as Record<string, unknown>;
  }
  node[last] = value;
}

/** The commented sample file. `docs/kinomill.sample.toml` is this text; a test compares them. */
export function sampleConfig(): string {
  const lines = [
    "# Kinomill's settings. Every line is optional; what stands here in comments is the default.",
    "# The environment overrides this file (KINOMILL_JOBS_CPU_SLOTS=2), flags override both.",
  ];
  const topLevel = settings.filter(({ key }) => !key.includes("."));
  const grouped = Map.groupBy(
    settings.filter(({ key }) => key.includes(".")),
    ({ key }) => key.slice(0, key.indexOf(".")),
  );
  lines.push(...topLevel.flatMap(sampleLines));
  for (const [group, members] of grouped) {
    lines.push("", `[${group}]`, ...members.flatMap(sampleLines).slice(1));
  }
  return `${lines.join("\n")}\n`;
}

/** Defaults that differ from box to box are shown as an example that is the same everywhere. */
const sampleValues: Record<string, unknown> = { data: "/var/lib/kinomill", "jobs.cpuSlots": 1 };

function sampleLines(setting: Setting): string[] {
  const name = setting.key.slice(setting.key.lastIndexOf(".") + 1);
  const value = sampleValues[setting.key] ?? setting.schema.parse(undefined);
  return ["", `# ${setting.sentence}`, `# ${name} = ${JSON.stringify(value)}`];
}
