/** What a failed run on a GPU means for the job and for the GPU. Pure. */
import type { Device, Toolchain } from "./devices.ts";
import type { RunOutcome } from "./ffmpeg.ts";
import type { Placement } from "./placement.ts";

/**
 * What to do next.
 * `other-gpu`: another GPU may do it, this one cannot do this input; it stays in service.
 * `later`: busy; the same again after a while.
 * `cpu-decode`: the same GPU, but the CPU decodes (and filters, where that needs it).
 * `cpu`: no NVIDIA GPU of this box can do this; the CPU does it.
 * `device-out`: the GPU is out of service until a probe on it succeeds; another GPU, else the CPU.
 */
export const reactions = ["other-gpu", "later", "cpu-decode", "cpu", "device-out"] as const;
export type Reaction = (typeof reactions)[number];

export interface GpuFault {
  /** Stable name of the row: `session-limit`, `decoder-refused`. */
  name: string;
  reaction: Reaction;
  /** What happened, a plain sentence that follows "NVIDIA L4: ". */
  sentence: string;
  /** What a person can do and type; null when nothing needs doing. */
  remedy: string | null;
}

export interface FaultContext {
  placement: Placement;
  device: Device;
  toolchain: Toolchain;
  /** Free memory of the GPU when the run began; null when unknown. */
  memoryFreeBytes: number | null;
}

/** The fault of the GPU or its driver that ended a run; null when the GPU is not to blame. */
export function gpuFaultOf(
  _outcome: Exclude<RunOutcome, { kind: "aborted" }>,
  _context: FaultContext,
): GpuFault | null {
  return null;
}
