/** The figures of this server for Prometheus: gathered when somebody asks, and only then. */
import { Counter, Gauge, Registry } from "prom-client";
import type { Clock } from "../clock.ts";
import { type BoxFigures, BoxMetrics } from "./box-metrics.ts";
import { HttpMeter } from "./http-meter.ts";
import { JobMetrics, type JobMetricsParts } from "./job-metrics.ts";
import { LoopLag } from "./loop-lag.ts";

export interface MetricsParts extends JobMetricsParts {
  clock: Clock;
  /** Looks at the box. */
  figures(eventStreams: number): Promise<BoxFigures>;
}

/** What went wrong in storage, by words of closed lists. */
export interface StorageTrouble {
  call: string;
  reason: string;
}

export class Metrics {
  readonly http = new HttpMeter();
  private readonly registry = new Registry();
  private readonly parts: MetricsParts;
  readonly lag: LoopLag;
  private readonly jobs: JobMetrics;
  private readonly box: BoxMetrics;
  private readonly storageErrors: Counter;
  private readonly gathering: Gauge;
  private gathered: Promise<string> | null = null;

  constructor(parts: MetricsParts) {
    this.parts = parts;
    const registers = [this.registry];
    this.lag = new LoopLag(parts.clock);
    this.jobs = new JobMetrics(this.registry, parts);
    this.box = new BoxMetrics(this.registry, this.lag);
    this.http.register(this.registry);
    this.storageErrors = new Counter({
      ...{ registers, name: "kinomill_storage_errors_total", labelNames: ["call", "reason"] },
      help: "Calls of the storage that failed.",
    });
    this.gathering = new Gauge({
      ...{ registers, name: "kinomill_metrics_gather_seconds" },
      help: "Time that gathering the figures took the last time.",
    });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  start(): void {
    this.lag.start();
  }

  stop(): void {
    this.lag.stop();
  }

  noteStorageTrouble({ call, reason }: StorageTrouble): void {
    this.storageErrors.inc({ call, reason });
  }

  /** All of it as text; who asks while another does gets the same. */
  text(eventStreams: number): Promise<string> {
    this.gathered ??= this.gather(eventStreams).finally(() => {
      this.gathered = null;
    });
    return this.gathered;
  }

  private async gather(eventStreams: number): Promise<string> {
    const begunMs = this.parts.clock.monotonicMs();
    await this.box.refresh(await this.parts.figures(eventStreams));
    this.jobs.refresh();
    const text = await this.registry.metrics();
    this.gathering.set((this.parts.clock.monotonicMs() - begunMs) / 1000);
    return text;
  }
}
