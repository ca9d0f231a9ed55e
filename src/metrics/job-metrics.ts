/** Jobs: how many are open and how old, how those ended that did, how long they waited and ran. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Clock } from "../clock.ts";
import type { EndedJob, JobTally, OpenJobs } from "../jobs/tally.ts";
import { deviceLabel, failureLabel, otherwise } from "./labels.ts";

export interface JobMetricsParts {
  tally: Pick<JobTally, "open" | "ended">;
  clock: Clock;
  /** Names of the operations that there are. */
  operations: ReadonlySet<string>;
}

const durationBounds = [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];
const factorBounds = [0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 50, 100];

export class JobMetrics {
  private readonly parts: JobMetricsParts;
  private readonly open: Gauge;
  private readonly oldest: Gauge;
  private readonly ended: Counter;
  private readonly failed: Counter;
  private readonly waited: Histogram;
  private readonly ran: Histogram;
  private readonly factor: Histogram;

  constructor(registry: Registry, parts: JobMetricsParts) {
    this.parts = parts;
    const registers = [registry];
    this.open = new Gauge({
      ...{ registers, name: "kinomill_jobs", labelNames: ["state", "operation", "device"] },
      help: "Jobs that have not ended.",
    });
    this.oldest = new Gauge({
      ...{ registers, name: "kinomill_job_oldest_seconds", labelNames: ["state"] },
      help: "Age of the oldest job in a state; absent when there is none.",
    });
    this.ended = new Counter({
      ...{ registers, name: "kinomill_jobs_ended_total" },
      ...{ labelNames: ["state", "operation", "device"], help: "Jobs that ended." },
    });
    this.failed = new Counter({
      ...{ registers, name: "kinomill_jobs_failed_total", labelNames: ["operation", "code"] },
      help: "Jobs that stayed failed, by the code of the failure.",
    });
    this.waited = new Histogram({
      ...{ registers, name: "kinomill_job_wait_seconds", labelNames: ["operation"] },
      ...{ help: "From asking for a job to its last run.", buckets: durationBounds },
    });
    this.ran = new Histogram({
      ...{ registers, name: "kinomill_job_duration_seconds", labelNames: ["operation", "device"] },
      ...{ help: "Last runs of jobs that succeeded.", buckets: durationBounds },
    });
    this.factor = new Histogram({
      ...{ registers, name: "kinomill_job_realtime_factor", labelNames: ["operation", "device"] },
      ...{ help: "Seconds of output per second of work.", buckets: factorBounds },
    });
  }

  refresh(): void {
    const { tally } = this.parts;
    this.refreshOpen(tally.open());
    for (const job of tally.ended()) this.count(job);
  }

  private refreshOpen(all: readonly OpenJobs[]): void {
    const nowMs = this.parts.clock.nowMs();
    this.open.reset();
    this.oldest.reset();
    const ages = new Map<string, number>();
    for (const { state, operation, device, count, oldestAt } of all) {
      const labels = { state, operation: this.known(operation), device: deviceLabel(device) };
      // Several unknown operations come together under one label.
      this.open.inc(labels, count);
      const age = Math.max(0, (nowMs - Date.parse(oldestAt)) / 1000);
      ages.set(state, Math.max(age, ages.get(state) ?? 0));
    }
    for (const [state, age] of ages) this.oldest.set({ state }, age);
  }

  private count(job: EndedJob): void {
    const operation = this.known(job.operation);
    const device = deviceLabel(job.device);
    const { state, code, waitedSeconds, ranSeconds, realtimeFactor } = job;
    this.ended.inc({ state, operation, device });
    if (state === "failed") this.failed.inc({ operation, code: failureLabel(code) });
    if (waitedSeconds !== null) this.waited.observe({ operation }, waitedSeconds);
    if (state !== "succeeded") return;
    if (ranSeconds !== null) this.ran.observe({ operation, device }, ranSeconds);
    if (realtimeFactor !== null) this.factor.observe({ operation, device }, realtimeFactor);
  }

  private known(operation: string): string {
    return this.parts.operations.has(operation) ? operation : otherwise;
  }
}
