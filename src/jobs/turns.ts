/**
 * Which of the jobs that wait may start now, in their order. A job that finds no place is passed by others
 * that do, but not for ever.
 */
import type { Place, Wait } from "../runners/dispatch.ts";
import type { Need } from "./job.ts";
import type { Candidate } from "./waiting.ts";

/**
 * Times that later jobs may pass one that waits for a busy device: small jobs keep the slots full, and a
 * ladder that needs five sessions at once still gets them.
 */
const PASSES_MAX = 16;

/** Jobs whose passes are counted; more do not wait at the head of a queue. */
const COUNTED_MAX = 1024;

/** Jobs of one kind that find no place before a round gives the kind up: behind them hardly any other fits. */
const REFUSED_MAX = 32;

/** Why a job does not start: no place for it, or no room on the disk. */
export type Delay = Wait | { kind: "space"; sentence: string };

/** Puts a job at its place and starts it (true), or says why not. */
export type Start = (job: Candidate) => Delay | true;

export interface Round {
  /** Jobs that found no place, with the reasons. */
  waiting: { job: Candidate; wait: Delay }[];
  /** Kinds of which the round gave up to look at more: no place was left for them. */
  full: ReadonlySet<Need>;
}

export class Turns {
  private readonly passes = new Map<string, number>();

  /**
   * Goes through the jobs in order and starts those that find a place.
   * @param jobs reads them; it leaves out the kinds that are in the set by then
   * @param skipped kinds of which none is looked at
   */
  round(
    jobs: (closed: ReadonlySet<Need>) => Iterable<Candidate>,
    skipped: ReadonlySet<Need>,
    start: Start,
  ): Round {
    const waiting: Round["waiting"] = [];
    const closed = new Set<Need>(skipped);
    const refused = { cpu: 0, gpu: 0 };
    for (const job of jobs(closed)) {
      const outcome = start(job);
      if (outcome === true) {
        this.passes.delete(job.jobId);
        for (const passed of waiting) this.count(passed, job.need);
        continue;
      }
      waiting.push({ job, wait: outcome });
      if (outcome.kind !== "busy") continue;
      refused[job.need] += 1;
      const patient = (this.passes.get(job.jobId) ?? 0) < PASSES_MAX;
      if (!patient || refused[job.need] >= REFUSED_MAX) closed.add(job.need);
    }
    return { waiting, full: closed };
  }

  /** Only who wants the same kind of place took it away. */
  private count({ job, wait }: { job: Candidate; wait: Delay }, took: Need): void {
    if (wait.kind !== "busy" || took !== job.need) return;
    this.passes.set(job.jobId, (this.passes.get(job.jobId) ?? 0) + 1);
    const oldest = this.passes.keys().next();
    if (this.passes.size > COUNTED_MAX && oldest.done !== true) this.passes.delete(oldest.value);
  }
}

export function isPlace(found: Place | Wait): found is Place {
  return "reservation" in found;
}
