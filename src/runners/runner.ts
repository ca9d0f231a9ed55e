/** How an attempt at a step is carried out. `local.ts` runs ffmpeg here; later runners send it away. */
import type { Expectation, StepWork } from "../media/description.ts";
import type { Device } from "../media/devices.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Progress } from "../media/progress.ts";
import type { FailureReport } from "../trouble.ts";

export interface AttemptRequest {
  device: Device;
  work: StepWork;
  /** Absolute paths of the job's input assets by position. */
  assetPaths: string[];
  /** Absolute folder of this job; each step has a subfolder named after it. */
  jobFolder: string;
  step: string;
  /** Each output is proven before the attempt counts as done. */
  expectations: Expectation[];
  verify: "quick" | "full";
  /** Aborting ends ffmpeg: SIGTERM, then SIGKILL. */
  signal: AbortSignal;
  onProgress(progress: Progress): void;
}

/** What a finished attempt proved about one output. */
export interface ProvenOutput {
  file: string;
  /** Absolute path inside the job's folder. */
  path: string;
  sizeBytes: number;
  /** Null for text. */
  media: MediaInfo | null;
  /** Sentences: "Decoded the first, middle and last 2 seconds without an error". */
  checks: string[];
}

export type AttemptOutcome =
  | { kind: "done"; outputs: ProvenOutput[]; deviceReason: string; encoder: string | null }
  | { kind: "aborted" }
  | { kind: "failed"; report: FailureReport };

export interface Runner {
  readonly name: string;
  run(request: AttemptRequest): Promise<AttemptOutcome>;
}
