/**
 * Which of the jobs that wait may start now, in their order. A job that finds no place is passed by others
 * that do, but not for ever.
 */
import type { Place, Wait } from "../runners/dispatch.ts";
import type { Candidate } from "./queue.ts";

/**
 * Times that later jobs may pass one that waits for a busy device: small jobs keep the slots full, and a
 * ladder that needs five sessions at once still gets them.
 */
const PASSES_MAX = 16;

/** Jobs whose passes are counted; more do not wait at the head of a queue. */
const COUNTED_MAX = 1024;

/** Kind of place that a job wants; what is kept for one kind does not hold up the other. */
export type Wanted = "gpu" | "cpu";

export class Turns {
  private readonly passes = new Map<string, number>();

  /**
   * Goes through the jobs in order and starts those for which `start` finds a place.
   * @param start takes a place and starts the job (true), or says why not
   */
  round(
    jobs: readonly Candidate[],
    wantedOf: (job: Candidate) => Wanted,
    start: (job: Candidate) => Wait | true,
  ): { job: Candidate; wait: Wait }[] {
    const waiting: { job: Candidate; wait: Wait }[] = [];
    const kept = new Map<Wanted, Wait>();
    for (const job of jobs) {
      const wanted = wantedOf(job);
      const held = kept.get(wanted);
      const outcome = held ?? start(job);
      if (outcome === true) {
        this.passes.delete(job.jobId);
        for (const passed of waiting) this.count(passed, wanted, wantedOf(passed.job));
        continue;
      }
      waiting.push({ job, wait: outcome });
      const patient = (this.passes.get(job.jobId) ?? 0) < PASSES_MAX;
      if (!patient && outcome.kind === "busy") kept.set(wanted, outcome);
    }
    return waiting;
  }

  /** Only who wants the same kind of place took it away. */
  private count({ job, wait }: { job: Candidate; wait: Wait }, took: Wanted, wants: Wanted): void {
    if (wait.kind !== "busy" || took !== wants) return;
    this.passes.set(job.jobId, (this.passes.get(job.jobId) ?? 0) + 1);
    const oldest = this.passes.keys().next();
    if (this.passes.size > COUNTED_MAX && oldest.done !== true) this.passes.delete(oldest.value);
  }
}

export function isPlace(found: Place | Wait): found is Place {
  return "reservation" in found;
}
