/** How an attempt at a step is carried out. `local.ts` runs ffmpeg here; later runners send it away. */
import type { StepWork } from "../media/description.ts";
import type { Device } from "../media/devices.ts";
import type { Expectation } from "../media/expectation.ts";
import type { GpuFault } from "../media/gpu-fault.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Rest } from "../media/pause.ts";
import type { Avoided } from "../media/placement.ts";
import type { Progress } from "../media/progress.ts";
import type { FailureReport } from "../trouble.ts";

export interface AttemptRequest {
  device: Device;
  /** What an earlier attempt on a GPU showed to be work for the CPU; absent: nothing. */
  avoided?: Avoided;
  /** Free memory of the GPU when it was last looked at; absent or null: unknown. */
  memoryFreeBytes?: number | null;
  work: StepWork;
  /** Absolute paths of the job's input assets by position. */
  assetPaths: string[];
  /** Absolute folder of this job; each step has a subfolder named after it. */
  jobFolder: string;
  step: string;
  /** Each output is proven before the attempt counts as done. */
  expectations: Expectation[];
  /** Proven too when a GPU had a part in them; absent: none. */
  expectationsOfGpu?: Expectation[];
  verify: "quick" | "full";
  /** Aborting ends ffmpeg: SIGTERM, then SIGKILL. */
  signal: AbortSignal;
  /** The switch by which the job is paused; absent: it cannot be. */
  rest?: Rest | undefined;
  onProgress(progress: Progress): void;
  /** Called when the outputs are made; what follows, proving them, needs no device. A second call means nothing. */
  onRendered?(): void;
}

/** What a finished attempt proved about one output. */
export interface ProvenOutput {
  file: string;
  /** Absolute path inside the job's folder. */
  path: string;
  sizeBytes: number;
  /** Of the whole file, once it is known. */
  sha256?: string;
  /** Null for text. */
  media: MediaInfo | null;
  /** Sentences: "Decoded the first, middle and last 2 seconds without an error". */
  checks: string[];
}

/** What really ran, as it is kept with the attempt and shown on the job. */
export interface Proof {
  /** "NVDEC", "CPU"; null when no picture was decoded. */
  decoder: string | null;
  /** "CUDA", "CPU"; null when nothing was filtered. */
  filters: string | null;
  /** In ffmpeg's words: `h264_nvenc`; null when no picture was encoded. */
  encoder: string | null;
  /** "NVIDIA L4" */
  device: string;
  /** Frames of the output per second of work; null for a copy or sound alone. */
  averageFps: number | null;
  /** Seconds of output per second of work; null when unknown. */
  realtimeFactor: number | null;
  /** What kept ffmpeg in its place: "Landlock 6", "seccomp", "limits". */
  fenceLayers: string[];
  /** "Decoded and encoded on NVIDIA L4 (NVDEC → NVENC), 412 fps." */
  sentence: string;
  /** The command, as a person would run it; absent where none was kept, and for all parts of a long encode but the first. */
  command?: string;
}

export type AttemptOutcome =
  | {
      kind: "done";
      outputs: ProvenOutput[];
      deviceReason: string;
      encoder: string | null;
      /** Null for a text that Kinomill wrote itself. */
      proof: Proof | null;
      /** What a step tells that has no output to tell it of. */
      checks?: string[];
    }
  | { kind: "aborted" }
  | {
      kind: "failed";
      report: FailureReport;
      /** What the GPU did wrong and what to do next; null when it is not to blame. */
      fault: GpuFault | null;
    };

export interface Runner {
  readonly name: string;
  run(request: AttemptRequest): Promise<AttemptOutcome>;
}
