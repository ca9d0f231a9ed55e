/** Puts the dispatch of a box together: the CPU, its GPUs, their slots and their load. */
import { availableParallelism } from "node:os";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { cpuDevice, type Device, type Toolchain } from "../media/devices.ts";
import { Dispatch } from "./dispatch.ts";
import type { GpuPool } from "./gpu-pool.ts";
import type { Runner } from "./runner.ts";
import { type GpuUse, type SlotLimits, Slots } from "./slots.ts";

export interface BoxParts {
  config: Pick<Config, "jobs" | "gpu">;
  clock: Clock;
  runner: Runner;
  toolchain(): Toolchain;
  gpus: Omit<GpuPool, "memoryFreeBytes">;
  /** Absent: nobody samples the GPUs. */
  gpuLoad?: LoadSource;
}

/** What is asked of the telemetry. */
export interface LoadSource {
  latest(uuid: string): (GpuUse & { memoryTotalBytes: number | null }) | null;
  watch(): () => void;
  onSample(listener: () => void): () => void;
}

/** A box without GPUs, for whoever needs none. */
export const noGpus: Omit<GpuPool, "memoryFreeBytes"> = {
  devices: () => [],
  undecided: () => null,
  whyNone: () => "This machine has no NVIDIA GPU.",
  suspend: () => {},
  onChange: () => () => {},
};

export function openBox({ config, clock, runner, toolchain, gpus, gpuLoad }: BoxParts) {
  const slots = new Slots({
    clock,
    limits: liveLimits(config),
    useOf: (uuid) => gpuLoad?.latest(uuid) ?? null,
  });
  const pool: GpuPool = {
    devices: () => gpus.devices(),
    undecided: () => gpus.undecided(),
    whyNone: () => gpus.whyNone(),
    suspend: (uuid, fault) => gpus.suspend(uuid, fault),
    memoryFreeBytes: (uuid) => freeBytes(gpuLoad?.latest(uuid) ?? null),
    onChange: (listener) => gpus.onChange(listener),
  };
  const cpu: Device = {
    ...cpuDevice(config.jobs.cpuSlots),
    get slots() {
      return config.jobs.cpuSlots;
    },
  };
  const dispatch = new Dispatch({
    ...{ runner, slots, gpus: pool, cpu, toolchain },
    get whenNone() {
      return config.gpu.whenNone;
    },
    watchGpus: () => gpuLoad?.watch() ?? (() => {}),
  });
  return { cpu, slots, dispatch, settingsChanged: yielding(config, dispatch, gpuLoad) };
}

/** Who yields must know who else encodes, also while nothing of ours runs. Gives what follows a change of the settings. */
function yielding(
  { gpu }: BoxParts["config"],
  dispatch: Dispatch,
  gpuLoad: LoadSource | undefined,
): () => void {
  let unwatch: (() => void) | null = null;
  const follow = () => {
    if (gpu.yieldToOthers && gpuLoad !== undefined) unwatch ??= gpuLoad.watch();
    else {
      unwatch?.();
      unwatch = null;
    }
  };
  gpuLoad?.onSample(() => {
    if (gpu.yieldToOthers) dispatch.lookAgain();
  });
  follow();
  return () => {
    follow();
    // What waits may fit now.
    dispatch.lookAgain();
  };
}

/** The limits of the settings, as they are when they are asked for. */
function liveLimits({ jobs, gpu }: BoxParts["config"]): SlotLimits {
  return {
    cores: availableParallelism(),
    get cpuSlots() {
      return jobs.cpuSlots;
    },
    get jobsPerGpu() {
      return gpu.maxJobs;
    },
    get memoryReserveBytes() {
      return gpu.memoryReserveBytes;
    },
    get yieldToOthers() {
      return gpu.yieldToOthers;
    },
  };
}

function freeBytes(use: ReturnType<LoadSource["latest"]>): number | null {
  if (use === null || use.memoryTotalBytes === null || use.memoryUsedBytes === null) return null;
  return use.memoryTotalBytes - use.memoryUsedBytes;
}
