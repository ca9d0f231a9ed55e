/** Puts the dispatch of a box together: the CPU, its GPUs, their slots and their load. */
import { availableParallelism } from "node:os";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { cpuDevice, type Toolchain } from "../media/devices.ts";
import { Dispatch } from "./dispatch.ts";
import type { GpuPool } from "./gpu-pool.ts";
import type { Runner } from "./runner.ts";
import { type GpuUse, Slots } from "./slots.ts";

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
  const { maxJobs: jobsPerGpu, memoryReserveBytes, yieldToOthers, whenNone } = config.gpu;
  const { cpuSlots } = config.jobs;
  const slots = new Slots({
    clock,
    limits: {
      ...{ cpuSlots, cores: availableParallelism(), jobsPerGpu, memoryReserveBytes, yieldToOthers },
    },
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
  const cpu = cpuDevice(cpuSlots);
  const dispatch = new Dispatch({
    ...{ runner, slots, gpus: pool, cpu, toolchain, whenNone },
    watchGpus: () => gpuLoad?.watch() ?? (() => {}),
  });
  // Who yields must know who else encodes, also while nothing of ours runs.
  if (yieldToOthers && gpuLoad !== undefined) {
    gpuLoad.watch();
    gpuLoad.onSample(() => dispatch.lookAgain());
  }
  return { cpu, slots, dispatch };
}

function freeBytes(use: ReturnType<LoadSource["latest"]>): number | null {
  if (use === null || use.memoryTotalBytes === null || use.memoryUsedBytes === null) return null;
  return use.memoryTotalBytes - use.memoryUsedBytes;
}
