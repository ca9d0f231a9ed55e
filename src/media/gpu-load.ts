/**
 * What the GPUs are doing: a sample every two seconds while somebody looks or a job runs, kept for an
 * hour in memory.
 *
 * Each sample is an nvidia-smi of its own. One that stays (`--loop-ms`) would open the driver once and
 * not every time; but it would hold the driver open, which stops its upgrade, the reset of a GPU and a
 * change of MIG, it would never see a GPU that comes, and its hang looks like any pause. The price was
 * measured on the emulated driver with two GPUs: 0.4 ms of CPU here and 0.9 ms in nvidia-smi for each
 * sample, less than a thousandth of one core. A real driver adds the time that it takes to open.
 */
import { type Clock, isoTime } from "../clock.ts";
import { type GpuFigures, type GpuSample, GpuSamples, KEPT_MS } from "./gpu-samples.ts";
import {
  askGpus,
  type GpuAnswer,
  type GpuRow,
  gpuRows,
  plainNumber,
  wholeNumber,
} from "./smi-query.ts";

export type { GpuSample } from "./gpu-samples.ts";

export const SAMPLE_INTERVAL_MS = 2_000;

/** An awake driver answers within a tenth of a second, also when all its engines are busy. */
const ANSWER_LIMIT_MS = 5_000;

/** Without the persistence daemon it wakes every GPU first, about two seconds each: enough for eight. */
const WAKING_LIMIT_MS = 20_000;

/** After a hang: each nvidia-smi that hangs may stay in the driver until the machine restarts. */
const HANG_PAUSE_MS = 30_000;
const HANG_PAUSE_MAX_MS = 300_000;

/** After an answer without a GPU: a driver that is not loaded is not loaded two seconds later. */
const TROUBLE_PAUSE_MS = 30_000;

/** More than any machine holds; what nvidia-smi prints must not fill the memory. */
const GPUS_MAX = 64;

const allFields = [
  ...["uuid", "utilization.encoder", "utilization.decoder", "utilization.gpu"],
  ...["memory.used", "memory.total", "temperature.gpu", "power.draw"],
  ...["encoder.stats.sessionCount", "encoder.stats.averageFps"],
];

/** Known to every driver since 2019. */
const oldFields = ["uuid", "utilization.gpu", "memory.used", "memory.total", "temperature.gpu"];

export interface GpuLoadOptions {
  clock: Clock;
  /** Path or name of nvidia-smi. */
  tool?: string;
  intervalMs?: number;
  /** Until an nvidia-smi counts as hanging. */
  limitMs?: number;
  /** The same where the last one hung or was slow. */
  wakingLimitMs?: number;
  /** First pause after a hang; it doubles with each further one. */
  hangPauseMs?: number;
}

/** The samples of one round, one for each GPU that answered; must not throw and must not block. */
export type SampleListener = (samples: readonly GpuSample[]) => void;

export class GpuLoad {
  private readonly options: Required<GpuLoadOptions>;
  private readonly gpus = new Map<string, GpuSamples>();
  private readonly listeners = new Set<SampleListener>();
  private readonly closing = new AbortController();
  private watchers = 0;
  private timer: Timer | undefined;
  private keeping = false;
  private round: Promise<void> | null = null;
  private fields: readonly string[] = allFields;
  /** Monotonic; no nvidia-smi is started before. */
  private notBeforeMs = 0;
  private lastBegunMs = Number.NEGATIVE_INFINITY;
  private lastTookMs = 0;
  private hangs = 0;

  constructor(options: GpuLoadOptions) {
    this.options = {
      tool: "nvidia-smi",
      intervalMs: SAMPLE_INTERVAL_MS,
      limitMs: ANSWER_LIMIT_MS,
      wakingLimitMs: WAKING_LIMIT_MS,
      hangPauseMs: HANG_PAUSE_MS,
      ...options,
    };
  }

  /** The newest sample, up to an hour old: `atMs` says how old. Null when there is none. */
  latest(uuid: string): GpuSample | null {
    const sample = this.gpus.get(uuid)?.latest() ?? null;
    return sample === null || sample.atMs < this.oldestMs() ? null : sample;
  }

  /** The samples of the last hour, or of the last `spanMs`, the oldest first; gaps where nobody looked. */
  history(uuid: string, spanMs = KEPT_MS): readonly GpuSample[] {
    const since = Math.max(this.oldestMs(), this.options.clock.monotonicMs() - spanMs);
    return this.gpus.get(uuid)?.since(since) ?? [];
  }

  /**
   * Samples are taken while at least one watcher holds this; the first at once, unless one is younger
   * than the interval. On a box without nvidia-smi nothing happens. Returns what lets go; calling that
   * twice does no harm.
   */
  watch(): () => void {
    this.watchers += 1;
    if (this.timer === undefined && !this.keeping) this.sampleAfter(this.dueInMs());
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.watchers -= 1;
      if (this.watchers > 0) return;
      clearTimeout(this.timer);
      this.timer = undefined;
    };
  }

  /** Called after each round that found a GPU. Returns what ends it. */
  onSample(listener: SampleListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Takes a sample of every GPU, or waits for the one under way. Resolves without one where there is no
   * nvidia-smi and for a while after it hung. Never rejects. Takes as long as nvidia-smi: some ten
   * milliseconds, at most 5 s, after a hang 20 s.
   */
  sampleNow(): Promise<void> {
    this.round ??= this.sample().finally(() => {
      this.round = null;
    });
    return this.round;
  }

  /** Ends what is under way and starts no more. */
  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.round;
  }

  private sampleAfter(delayMs: number): void {
    // Without the tool there is nothing to come back for; the next watcher looks for it again.
    if (this.watchers === 0 || this.tool() === null) return;
    this.timer = setTimeout(async () => {
      this.timer = undefined;
      this.keeping = true;
      await this.sampleNow();
      this.keeping = false;
      this.sampleAfter(this.dueInMs());
    }, delayMs);
  }

  /** A driver that is slow to wake gets as long a rest as it worked. */
  private dueInMs(): number {
    const spacingMs = Math.max(this.options.intervalMs, 2 * this.lastTookMs);
    const dueMs = Math.max(this.lastBegunMs + spacingMs, this.notBeforeMs);
    return Math.max(0, dueMs - this.options.clock.monotonicMs());
  }

  private tool(): string | null {
    return this.closing.signal.aborted ? null : Bun.which(this.options.tool);
  }

  private async sample(): Promise<void> {
    const { clock } = this.options;
    const tool = this.tool();
    const begunMs = clock.monotonicMs();
    if (tool === null || begunMs < this.notBeforeMs) return;
    this.lastBegunMs = begunMs;
    const asked = await askGpus(tool, this.fields, oldFields, {
      limitMs: this.patienceMs(),
      signal: this.closing.signal,
    });
    this.lastTookMs = clock.monotonicMs() - begunMs;
    this.take(asked);
  }

  /** Longer where it did not answer last time or took half of the limit: its driver may be waking. */
  private patienceMs(): number {
    const { limitMs, wakingLimitMs } = this.options;
    return this.hangs > 0 || this.lastTookMs > limitMs / 2 ? wakingLimitMs : limitMs;
  }

  private take({ answer, fields }: GpuAnswer): void {
    const now = this.options.clock.monotonicMs();
    if (answer.kind === "aborted") return;
    if (answer.kind === "no_answer") {
      const pauseMs = Math.min(this.options.hangPauseMs * 2 ** this.hangs, HANG_PAUSE_MAX_MS);
      this.hangs += 1;
      this.notBeforeMs = now + pauseMs;
      return;
    }
    this.hangs = 0;
    const rows = answer.kind === "exited" ? gpuRows(answer.stdout, fields) : [];
    if (rows.length === 0) {
      // The next driver may know other fields.
      this.fields = allFields;
      this.notBeforeMs = now + TROUBLE_PAUSE_MS;
      return;
    }
    this.fields = fields;
    this.keep(rows, now);
  }

  private keep(rows: GpuRow[], now: number): void {
    const wallMs = this.options.clock.nowMs();
    for (const [uuid, samples] of this.gpus) {
      if ((samples.latest()?.atMs ?? 0) < this.oldestMs()) this.gpus.delete(uuid);
    }
    const taken = rows.flatMap(({ uuid, value }) => {
      const samples = this.gpus.get(uuid) ?? new GpuSamples(uuid);
      if (!this.gpus.has(uuid) && this.gpus.size >= GPUS_MAX) return [];
      this.gpus.set(uuid, samples);
      const figures = figuresOf(value);
      samples.push(now, wallMs, figures);
      return [{ uuid, takenAt: isoTime(wallMs), atMs: now, ...figures }];
    });
    for (const listener of [...this.listeners]) listener(taken);
  }

  private oldestMs(): number {
    return this.options.clock.monotonicMs() - KEPT_MS;
  }
}

function figuresOf(value: GpuRow["value"]): GpuFigures {
  const bytes = (field: string) => {
    const mebibytes = wholeNumber(value(field));
    return mebibytes === null ? null : mebibytes * 1024 ** 2;
  };
  return {
    encoderPercent: wholeNumber(value("utilization.encoder")),
    decoderPercent: wholeNumber(value("utilization.decoder")),
    gpuPercent: wholeNumber(value("utilization.gpu")),
    memoryUsedBytes: bytes("memory.used"),
    memoryTotalBytes: bytes("memory.total"),
    temperatureCelsius: wholeNumber(value("temperature.gpu")),
    powerWatts: plainNumber(value("power.draw")),
    sessionCount: wholeNumber(value("encoder.stats.sessionCount")),
    averageFps: wholeNumber(value("encoder.stats.averageFps")),
  };
}
