/** Asks the API all the time and notes how long it takes. */
import type { Api } from "../api.ts";

/** Between two questions: a page that is open asks less often. */
const pauseMs = 50;

export class Prober {
  /** Milliseconds of each answer so far. */
  readonly times: number[] = [];
  private readonly api: Api;
  private readonly asking: Promise<unknown>;
  private ended = false;

  constructor(api: Api) {
    this.api = api;
    // Kept until somebody asks for it: nobody waits for this promise until the end.
    this.asking = this.ask().catch((trouble: unknown) => trouble);
  }

  /** Milliseconds within which this share of the questions was answered. */
  percentile(share: number): number {
    const sorted = this.times.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Infinity;
  }

  /** Asks no more; @throws Error when an answer was none. */
  async end(): Promise<void> {
    this.ended = true;
    const trouble = await this.asking;
    if (trouble !== undefined) throw trouble;
  }

  private async ask(): Promise<void> {
    while (!this.ended) {
      const started = performance.now();
      const { status } = await this.api.get("/api/v1/jobs?limit=20");
      if (status !== 200) throw new Error(`the list of jobs was answered with ${status}`);
      this.times.push(performance.now() - started);
      await Bun.sleep(pauseMs);
    }
  }
}
