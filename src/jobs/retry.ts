/**
 * Whether a job that failed is tried again by itself, and when. Pure: randomness is a parameter, and time is
 * a number that comes out.
 */
import type { FailureCode, FailureReport } from "../trouble.ts";

/** What comes right by itself, if anything: time, room on the disk, or nothing. */
type Cure = "time" | "space" | "nothing";

/**
 * By the class of the failure. Where a class can be either, as a crash of ffmpeg that its next version may
 * not have, the failure itself says whether it is `retryable`.
 */
const cures: Record<FailureCode, Cure> = {
  media_undecodable: "nothing",
  media_unsupported: "nothing",
  input_missing: "nothing",
  predecessor_failed: "nothing",
  quota_exceeded: "nothing",
  time_limit: "nothing",
  encoder_failed: "time",
  output_rejected: "time",
  stalled: "time",
  memory_limit: "time",
  worker_lost: "time",
  tool_missing: "time",
  internal: "time",
  disk_failed: "time",
  storage_unreachable: "time",
  disk_full: "space",
};

/** A full disk is nobody's fault, but a job that fills every disk must end some time. */
const SPACE_RUNS_MAX = 10;

/**
 * Times that a server may die with the same job, without a step of it getting done in between, before the
 * job is taken for the cause. Once is chance, and twice may be a sick machine.
 */
export const DEATHS_MAX = 3;

/** The first delay; each further one is four times as long. */
const FIRST_DELAY_MS = 10_000;
const DELAY_FACTOR = 4;

/** No back-off is longer than this, however many runs are allowed. */
export const DELAY_MAX_MS = 3_600_000;

/** Part of a delay that is left to chance, so that jobs that failed together do not come back together. */
const JITTER = 0.5;

export type NextRun =
  /** `delayMs` counts from now; `sentence` says what happened and what comes. */
  | { kind: "later"; delayMs: number; sentence: string }
  /** The disk is to blame: the job goes on when there is room. */
  | { kind: "when-space"; sentence: string }
  | { kind: "never" };

/**
 * @param failures runs that failed since a person asked for the job, this one counted
 * @param runsMax runs that a job may have in all
 * @param random from 0 (inclusive) to 1
 */
export function nextRun(
  report: Pick<FailureReport, "code" | "message" | "retryable">,
  failures: number,
  { runsMax, random }: { runsMax: number; random: number },
): NextRun {
  const cure = report.retryable ? cures[report.code] : "nothing";
  if (cure === "nothing") return { kind: "never" };
  if (cure === "space") {
    if (failures >= SPACE_RUNS_MAX) return { kind: "never" };
    return { kind: "when-space", sentence: "The disk was full. It goes on when there is room." };
  }
  if (failures >= runsMax) return { kind: "never" };
  const full = Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * DELAY_FACTOR ** (failures - 1));
  const delayMs = Math.round(full * (1 - JITTER * random));
  const sentence = `Run ${failures} of at most ${runsMax} failed: ${report.message}`;
  return { kind: "later", delayMs, sentence };
}

/** The end of a job with which the server died again and again. */
export function deadlyReport(deathTimes: readonly string[]): FailureReport {
  return {
    code: "worker_lost",
    message: `This job ended the server three times, and is not started again by itself.`,
    hint: "Look at the system's log around those times, above all for want of memory (sudo journalctl -k). Then retry the job, at best alone.",
    retryable: false,
    log: `The server died while this job ran, and no step of it was done in between:\n${deathTimes.join("\n")}`,
  };
}
