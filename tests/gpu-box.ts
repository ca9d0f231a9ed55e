/**
 * A box with NVIDIA GPUs that are not there: the emulated driver of `tests/gpu-emulator` and what a test
 * wants to see of it. The ffmpeg is the real one, with its real NVENC code.
 *
 *     using box = gpuBox({ gpus: "twoL4", fault: { encodeFailsAfter: 10 } });
 *     await using appliance = await Appliance.start({ environment: box.environment });
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { loadConfig } from "../src/config.ts";
import { configureFence } from "../src/media/fence-settings.ts";

const emulator = resolve(import.meta.dir, "gpu-emulator");
const builtLibraries = join(emulator, ".build/lib");

/** The libraries are built in about 15 s on one busy core. */
const BUILD_LIMIT_MS = 180_000;

const l4 = "NVIDIA L4,8.9,23034,h264+hevc+av1,2";
const h200 = "NVIDIA H200,9.0,143771,none";
const blackwell = "NVIDIA RTX PRO 6000 Blackwell,12.0,97887,h264+hevc+av1,4";

/** The boxes: what the emulator is told. A GPU is name, compute capability, MiB, codecs, encoders. */
const boxes = {
  oneL4: { NVFAKE_GPUS: l4 },
  twoL4: { NVFAKE_GPUS: `${l4};${l4}` },
  fourL4: { NVFAKE_GPUS: [l4, l4, l4, l4].join(";") },
  /** The driver lets the whole system have three encode sessions. */
  geforce3: {
    NVFAKE_GPUS: "NVIDIA GeForce RTX 4090,8.9,24564,h264+hevc+av1,2",
    NVFAKE_MAX_SESSIONS: "3",
  },
  /** CUDA, and no encoder. */
  h200: { NVFAKE_GPUS: h200 },
  /** Older than the interface that any ffmpeg of today is built for. */
  oldDriver: { NVFAKE_GPUS: l4, NVFAKE_DRIVER: "390.157", NVFAKE_API: "8.1" },
  /** nvidia-smi sees the GPU, CUDA does not: a container without its device nodes. */
  noDevice: { NVFAKE_GPUS: l4, NVFAKE_CUINIT: "100" },
  unknownError: { NVFAKE_GPUS: l4, NVFAKE_CUINIT: "999" },
  noNvidiaSmi: { NVFAKE_GPUS: l4 },
  smiHangs: { NVFAKE_GPUS: l4, NVFAKE_SMI: "hang" },
  smiFails: { NVFAKE_GPUS: l4, NVFAKE_SMI: "fail" },
  /** The driver was upgraded and the machine not restarted. */
  smiMismatch: { NVFAKE_GPUS: l4, NVFAKE_SMI: "mismatch", NVFAKE_CUINIT: "803" },
  /** First generation Maxwell: H.264 alone. */
  tooOldGpu: { NVFAKE_GPUS: "NVIDIA GeForce GTX 750 Ti,5.0,2048,h264,1" },
  /** Pascal: HEVC without B-frames. */
  pascal: { NVFAKE_GPUS: "NVIDIA Quadro P4000,6.1,8192,h264+hevc,1" },
  /** One GPU that MIG has split, and one that it has not. */
  mig: { NVFAKE_GPUS: `${blackwell};${blackwell}`, NVFAKE_MIG: "0" },
  /** Several H200 whose link is not set up. */
  noFabric: { NVFAKE_GPUS: `${h200};${h200}`, NVFAKE_CUINIT: "802" },
  /** A container with libraries for a driver that is newer than the machine's. */
  cudaTooNew: { NVFAKE_GPUS: l4, NVFAKE_CUINIT: "804" },
  /** NVENC alone: NVDEC takes nothing. */
  noDecoder: { NVFAKE_GPUS: l4, NVFAKE_NVDEC: "none" },
  smiNonsense: { NVFAKE_GPUS: l4, NVFAKE_SMI: "nonsense" },
  smiDenied: { NVFAKE_GPUS: l4, NVFAKE_SMI: "denied" },
  /** nvidia-smi without the library that it asks. */
  smiNoLibrary: { NVFAKE_GPUS: l4, NVFAKE_SMI: "nolib" },
} satisfies Record<string, Record<string, string>>;

export type BoxName = keyof typeof boxes;

/** What goes wrong in the driver, from the start of a process on. */
const faults = {
  /** Encode sessions that the whole system may have. */
  maxSessions: "NVFAKE_MAX_SESSIONS",
  /** NVENCSTATUS of opening a session. */
  openError: "NVFAKE_OPEN_ERR",
  /** NVENCSTATUS of preparing the encoder. */
  initError: "NVFAKE_INIT_ERR",
  /** Pictures after which encoding fails, with status 20 unless `encodeStatus` says another. */
  encodeFailsAfter: "NVFAKE_FAIL_AFTER",
  encodeStatus: "NVFAKE_FAIL_CODE",
  /** Pictures after which the process aborts. */
  encodeCrashesAfter: "NVFAKE_CRASH_AFTER",
  /** Pictures after which the driver never answers again. */
  encodeHangsAfter: "NVFAKE_HANG_AFTER",
  /** Pictures after which the GPU falls off the bus. */
  lostAfter: "NVFAKE_LOSE_AFTER",
  /** Number of the one GPU that has these faults. */
  onlyGpu: "NVFAKE_ONLY_GPU",
  /** Further milliseconds for each picture, on every GPU. */
  delayMs: "NVFAKE_DELAY_MS",
  /** MiB of device memory that a process gets. */
  vramMegabytes: "NVFAKE_VRAM_MB",
  /** MiB that other programs take, as nvidia-smi tells. */
  usedMegabytes: "NVFAKE_USED_MB",
  /** CUresult of opening a decoder. */
  decoderError: "NVFAKE_NVDEC_ERR",
  /** Pictures after which decoding fails, with CUDA error 999 unless `decodeStatus` says another. */
  decodeFailsAfter: "NVFAKE_DEC_FAIL_AFTER",
  decodeStatus: "NVFAKE_DEC_FAIL_CODE",
  /** Pictures after which decoding never answers again. */
  decodeHangsAfter: "NVFAKE_DEC_HANG_AFTER",
  /** CUresult of cuInit. */
  cudaError: "NVFAKE_CUINIT",
  /** CUresult of making a context. */
  contextError: "NVFAKE_CTX_ERR",
  /** CUresult of loading the code of a filter. */
  moduleError: "NVFAKE_MODULE_ERR",
  /** CUresult of running a filter, from the run `launchFailsAfter` on. */
  launchError: "NVFAKE_LAUNCH_ERR",
  launchFailsAfter: "NVFAKE_LAUNCH_AFTER",
} as const;

export type BoxFault = { [name in keyof typeof faults]?: number };

/** A part of the driver that may be missing. */
export type DriverLibrary = "libcuda.so.1" | "libnvidia-encode.so.1" | "libnvcuvid.so.1";

export interface BoxWish {
  gpus: BoxName;
  fault?: BoxFault;
  /** The box lacks this library. */
  without?: DriverLibrary;
}

/** One thing that reached the driver; what it is decides which fields there are. */
export interface DriverEvent {
  /** "ctx", "open", "init" (with the parameters of the encoder), "close", "nvdec_open", "error" … */
  ev: string;
  /** Unix seconds. */
  t: number;
  pid: number;
  gpu?: number;
  [field: string]: unknown;
}

export interface GpuBox extends Disposable {
  /** For whoever runs here, on top of the environment that there is. */
  readonly environment: Record<string, string>;
  readonly stateFolder: string;
  /** The UUID of a GPU by its number. */
  uuid(gpu: number): string;
  /** What reached the driver so far, in order. */
  logEvents(): DriverEvent[];
  /** The GPU falls off the bus, now, also for who uses it; `find` brings it back. */
  lose(gpu: number): void;
  find(gpu: number): void;
  /** From now on every picture takes so many milliseconds more; 0 ends it. */
  slow(gpu: number, delayMs: number): void;
  /** Removes the state and the log. */
  [Symbol.dispose](): void;
}

/**
 * Sets up a box; the emulator is built when it is not.
 * @throws Error with the compiler's words
 */
export function gpuBox(wanted: BoxWish): GpuBox {
  buildEmulator();
  const stateFolder = mkdtempSync(join(tmpdir(), "gpu-box-"));
  const { without } = wanted;
  const libraries = without === undefined ? builtLibraries : incomplete(stateFolder, without);
  const log = join(stateFolder, "log.jsonl");
  const control = (name: string, gpu: number) => join(stateFolder, `${name}.${gpu}`);
  const injected = Object.entries(wanted.fault ?? {}).map(([name, value]) => [
    faults[name as keyof BoxFault],
    String(value),
  ]);
  return {
    environment: {
      PATH: wanted.gpus === "noNvidiaSmi" ? pathWithoutSmi(stateFolder) : pathWithSmi(),
      LD_LIBRARY_PATH: libraries,
      NVFAKE_STATE: stateFolder,
      NVFAKE_LOG: log,
      ...boxes[wanted.gpus],
      ...Object.fromEntries(injected),
      KINOMILL_FFMPEG_PASS_ENVIRONMENT: "NVFAKE_*",
      KINOMILL_FFMPEG_SANDBOX_READ: libraries,
      KINOMILL_FFMPEG_SANDBOX_WRITE: stateFolder,
    },
    stateFolder,
    uuid: (gpu) => `GPU-fa4e0000-0000-4000-8000-${gpu.toString(16).padStart(12, "0")}`,
    logEvents: () => (existsSync(log) ? parseEvents(readFileSync(log, "utf8")) : []),
    lose: (gpu) => writeFileSync(control("lost", gpu), ""),
    find: (gpu) => rmSync(control("lost", gpu), { force: true }),
    slow: (gpu, delayMs) => writeFileSync(control("slow", gpu), String(delayMs)),
    [Symbol.dispose]: () => rmSync(stateFolder, { recursive: true, force: true }),
  };
}

/** Builds the emulator when it is not up to date. @throws Error with the compiler's words */
export function buildEmulator(): void {
  const built = Bun.spawnSync([join(emulator, "build")], { timeout: BUILD_LIMIT_MS });
  if (built.exitCode !== 0) throw new Error(`tests/gpu-emulator/build: ${built.stderr.toString()}`);
}

/**
 * Settles in: from here on this process is one that runs on the box, until what it returns is disposed of.
 *
 *     using _inside = await enterBox(box);
 */
export async function enterBox({ environment }: GpuBox): Promise<Disposable> {
  const before = { ...process.env };
  Object.assign(process.env, environment);
  configureFence((await loadConfig({ file: null, environment, flags: {} })).ffmpeg);
  return {
    [Symbol.dispose]: () => {
      configureFence(null);
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      Object.assign(process.env, before);
    },
  };
}

/** The driver without one of its libraries. */
function incomplete(stateFolder: string, without: DriverLibrary): string {
  const folder = join(stateFolder, "lib");
  mkdirSync(folder);
  for (const name of readdirSync(builtLibraries)) {
    if (name !== without) copyFileSync(join(builtLibraries, name), join(folder, name));
  }
  return folder;
}

/** The last line may be half written. */
function parseEvents(text: string): DriverEvent[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as DriverEvent);
}

function pathFolders(): string[] {
  return (process.env["PATH"] ?? "/usr/bin").split(":");
}

function pathWithSmi(): string {
  return [join(emulator, ".build/bin"), ...pathFolders()].join(":");
}

/** A machine that really has nvidia-smi has it beside ffmpeg, which the test still needs. */
function pathWithoutSmi(stateFolder: string): string {
  const tools = join(stateFolder, "tools");
  mkdirSync(tools);
  for (const tool of ["ffmpeg", "ffprobe"]) {
    const file = Bun.which(tool);
    if (file !== null) symlinkSync(file, join(tools, tool));
  }
  const others = pathFolders().filter((folder) => !existsSync(join(folder, "nvidia-smi")));
  return [tools, ...others].join(":");
}
