/**
 * What ffmpeg finds around it when it starts: its environment, and what its fence lets through. The
 * settings widen both, a run on a GPU gets the nodes of the driver.
 */
import { readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Environment, processEnvironment } from "../environment.ts";
import { type FenceRules, type GpuPaths, gpuPaths } from "./fence-rules.ts";
import { fenceSettings, isPassed } from "./fence-settings.ts";

const passedOn = /^(PATH|LD_LIBRARY_PATH|CUDA_[A-Z0-9_]+|NVIDIA_[A-Z0-9_]+)$/;

/**
 * A closed list, and what the settings add: no secrets, no proxy, no FFREPORT. English messages, which
 * `classify` reads.
 * @param gpuUuid the one GPU that is seen, as number 0; none leaves it to the environment
 */
export function childEnvironment(
  environment: Environment = processEnvironment(),
  gpuUuid: string | null | undefined = null,
): Record<string, string | undefined> {
  const { passEnvironment } = fenceSettings();
  const names = Object.keys(environment).filter(
    (name) => passedOn.test(name) || isPassed(name, passEnvironment),
  );
  return {
    ...Object.fromEntries(names.map((name) => [name, environment[name]])),
    // By UUID: the order of the numbers may be another after the next boot.
    ...(!gpuUuid ? {} : { CUDA_DEVICE_ORDER: "PCI_BUS_ID", CUDA_VISIBLE_DEVICES: gpuUuid }),
    LANG: "C.UTF-8",
  };
}

/** What a run asks for itself, as `ToolRun` has it. */
interface FencedRun {
  tool: string;
  cwd: string;
  niceness: number;
  readPaths: string[];
  writePaths: string[];
  gpuUuid?: string | null | undefined;
  fileBytes?: number | null;
  memoryBytes?: number | null;
}

/** @throws Error when the tool is not there */
export function rulesOf(run: FencedRun): FenceRules {
  const { sandboxRead, sandboxWrite } = fenceSettings();
  const gpu = run.gpuUuid ? presentGpuPaths() : noGpuPaths;
  return {
    parentPid: process.pid,
    cwd: run.cwd,
    niceness: run.niceness,
    programPaths: programPaths(run.tool),
    readPaths: [...run.readPaths, ...sandboxRead, ...gpu.readPaths],
    writePaths: [...run.writePaths, ...sandboxWrite],
    devicePaths: gpu.devicePaths,
    fileBytes: run.fileBytes ?? null,
    memoryBytes: run.memoryBytes ?? null,
  };
}

const noGpuPaths: GpuPaths = { devicePaths: [], readPaths: [] };

/** Read anew for each run: GPUs come and go, and the driver makes some nodes when it is first used. */
function presentGpuPaths(): GpuPaths {
  return gpuPaths(readdirSync("/dev"));
}

/**
 * What belongs to a tool outside the system's folders: itself, the libraries beside it, and those of
 * LD_LIBRARY_PATH. Its folder only when that is a `bin`: somebody's home has other things in it.
 */
function programPaths(tool: string): string[] {
  const file = realpathSync(tool);
  const folder = dirname(file);
  const libraries = (childEnvironment()["LD_LIBRARY_PATH"] ?? "").split(":");
  return [
    ...[file, join(dirname(folder), "lib")],
    ...(basename(folder) === "bin" ? [folder] : []),
    ...libraries.filter((path) => path.startsWith("/") && path !== "/"),
  ];
}
