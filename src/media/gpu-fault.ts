/**
 * What a failed run on a GPU means for the job and for the GPU: from why it ended, its exit code and
 * what ffmpeg said. Pure. The table of all faults, as tests see them, is in docs/devices.md.
 */
import type { Device, Toolchain } from "./devices.ts";
import type { RunOutcome } from "./ffmpeg.ts";
import { decoderFailed, faultRows, rowFault } from "./gpu-fault-rows.ts";
import { kernelLog, restartIfItStays } from "./gpu-words.ts";
import { type Avoided, nothingAvoided, type Placement, usesGpu } from "./placement.ts";

/**
 * What to do next.
 * `other-gpu`: another GPU may do it, this one cannot do this input; it stays in service.
 * `later`: busy; the same again after a while.
 * `cpu-decode`: the same GPU again without the parts in `avoid`, which the CPU does.
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
  /** Of what there was not enough; null unless the reaction is `later`. */
  shortage: "sessions" | "memory" | null;
  /**
   * What the next try on a GPU should leave to the CPU; all false unless the reaction is `cpu-decode`.
   * To be added to what is avoided already; when that changes nothing, only the CPU is left.
   */
  avoid: Avoided;
}

export interface FaultContext {
  placement: Placement;
  device: Device;
  toolchain: Toolchain;
  /** Free memory of the GPU when the run began; null when unknown. */
  memoryFreeBytes: number | null;
}

/**
 * Words of failures that happen on a GPU as anywhere else. They decide before the GPU is asked: ffmpeg
 * logs harmless remarks of a decoder beside them.
 */
const elsewhere =
  /No space left on device|Disk quota exceeded|File too large|Exiting normally, received signal|bad_alloc/;

/** Signals of a program that broke, as opposed to one that somebody ended. */
const crashSignals = new Set(["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP"]);

/** The fault of the GPU or its driver that ended a run; null when the GPU is not to blame. */
export function gpuFaultOf(
  outcome: Exclude<RunOutcome, { kind: "aborted" }>,
  context: FaultContext,
): GpuFault | null {
  if (!usesGpu(context.placement)) return null;
  switch (outcome.kind) {
    case "exited":
      if (outcome.code !== 0) return readFault(outcome.stderr, context);
      return context.placement.decode === "nvdec" ? quietGpuFault(outcome.stderr) : null;
    case "stalled":
      // What was said before it stood still explains more than that it did.
      return outOfService(readFault(outcome.stderr, context)) ?? hang;
    case "signalled":
      // SIGKILL comes from the kernel that has no memory left, SIGTERM from a person.
      if (!crashSignals.has(outcome.signal) || elsewhere.test(outcome.stderr)) return null;
      return outOfService(readFault(outcome.stderr, context)) ?? crash(outcome.signal);
    // Slow is not sick, and what never began touched no GPU.
    case "time_limit":
    case "not_started":
      return null;
  }
}

/**
 * A fault of NVDEC in a run that ended with exit code 0: ffmpeg 7.1 calls it success when only the first
 * pictures were decoded, 5.1 may even go on with wrong ones. The output must not be used.
 */
export function quietGpuFault(stderr: string): GpuFault | null {
  return decoderFailed.text.test(stderr) ? decoderFailed.fault : null;
}

/**
 * For an output that was made on a GPU and did not stand up to its verification: truncated, padded (the
 * CUDA filters of ffmpeg 7.1 and 9.0 do that), or not decodable. The CPU shows whether the source is to
 * blame. Null when no GPU had a part in it.
 */
export function rejectedOutputFault(placement: Placement): GpuFault | null {
  return usesGpu(placement) ? outputRejected : null;
}

function readFault(stderr: string, context: FaultContext): GpuFault | null {
  if (elsewhere.test(stderr)) return null;
  for (const row of faultRows) {
    const fault = rowFault(row, stderr, context);
    if (fault !== null) return fault;
  }
  return null;
}

function outOfService(fault: GpuFault | null): GpuFault | null {
  return fault?.reaction === "device-out" ? fault : null;
}

const hang: GpuFault = {
  name: "hang",
  reaction: "device-out",
  sentence: "The work on it stood still and was ended.",
  remedy: restartIfItStays,
  shortage: null,
  avoid: nothingAvoided,
};

const outputRejected: GpuFault = {
  name: "output-rejected",
  reaction: "cpu",
  sentence: "What it made was not as it should be.",
  remedy: null,
  shortage: null,
  avoid: nothingAvoided,
};

function crash(signal: string): GpuFault {
  return {
    name: "crash",
    reaction: "device-out",
    sentence: `ffmpeg crashed while it used the GPU (${signal}).`,
    remedy: `If it happens again, update ffmpeg and the driver. ${kernelLog}`,
    shortage: null,
    avoid: nothingAvoided,
  };
}
