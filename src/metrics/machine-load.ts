/**
 * What the machine and the server are doing: a sample every two seconds while somebody looks, kept for an hour in
 * memory. Each reads two small files of the kernel and asks the database for three numbers: less than a millisecond.
 */
import { readFile } from "node:fs/promises";
import { type Clock, isoTime } from "../clock.ts";
import type { JobTally } from "../jobs/tally.ts";
import type { LoopLag } from "./loop-lag.ts";
import {
  MACHINE_KEPT_MS,
  type MachineFigures,
  type MachineSample,
  MachineSamples,
} from "./machine-samples.ts";

export const MACHINE_INTERVAL_MS = 2_000;

export interface MachineLoadParts {
  clock: Clock;
  tally: Pick<JobTally, "queue">;
  lag: Pick<LoopLag, "worstOf">;
  intervalMs?: number;
  /** Where the kernel tells of itself; `/proc`. */
  kernelFolder?: string;
}

/** Ticks of all cores together. */
interface Ticks {
  busy: number;
  all: number;
}

export class MachineLoad {
  private readonly parts: Required<MachineLoadParts>;
  private readonly samples = new MachineSamples();
  private readonly listeners = new Set<(sample: MachineSample) => void>();
  private watchers = 0;
  private timer: Timer | undefined;
  private ticks: Ticks | null = null;
  private round: Promise<void> | null = null;

  constructor(parts: MachineLoadParts) {
    this.parts = { intervalMs: MACHINE_INTERVAL_MS, kernelFolder: "/proc", ...parts };
  }

  /** The newest sample of the last hour: `atMs` says how old it is. Null when there is none. */
  latest(): MachineSample | null {
    const sample = this.samples.latest();
    return sample === null || sample.atMs < this.oldestMs(MACHINE_KEPT_MS) ? null : sample;
  }

  /** The samples of the last hour, or of the last `spanMs`, the oldest first; gaps where nobody looked. */
  history(spanMs = MACHINE_KEPT_MS): readonly MachineSample[] {
    return this.samples.since(this.oldestMs(Math.min(spanMs, MACHINE_KEPT_MS)));
  }

  /** Samples are taken while at least one watcher holds this. Returns what lets go; twice does no harm. */
  watch(): () => void {
    this.watchers += 1;
    if (this.watchers === 1) {
      void this.sampleNow();
      this.timer = setInterval(() => void this.sampleNow(), this.parts.intervalMs);
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.watchers -= 1;
      if (this.watchers === 0) clearInterval(this.timer);
    };
  }

  /** Called after each sample; must not throw and must not block. Returns what ends it. */
  onSample(listener: (sample: MachineSample) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Takes a sample, or waits for the one under way. Never rejects. */
  sampleNow(): Promise<void> {
    this.round ??= this.sample()
      // A database that does not answer is told of elsewhere; the next round tries.
      .catch(() => {})
      .finally(() => {
        this.round = null;
      });
    return this.round;
  }

  private async sample(): Promise<void> {
    const { clock, kernelFolder } = this.parts;
    const [stat, memory] = await Promise.all(
      ["stat", "meminfo"].map((name) =>
        readFile(`${kernelFolder}/${name}`, "utf8").catch(() => ""),
      ),
    );
    const figures = { ...this.processor(stat ?? ""), ...memoryOf(memory ?? ""), ...this.server() };
    const [atMs, wallMs] = [clock.monotonicMs(), clock.nowMs()];
    this.samples.push(atMs, wallMs, figures);
    const sample = { takenAt: isoTime(wallMs), atMs, ...figures };
    for (const listener of [...this.listeners]) listener(sample);
  }

  /** The first sample after a while tells the mean of that while. */
  private processor(stat: string): Pick<MachineFigures, "cpuPercent"> {
    const before = this.ticks;
    const now = ticksOf(stat);
    this.ticks = now;
    if (before === null || now === null || now.all <= before.all) return { cpuPercent: null };
    const percent = (100 * (now.busy - before.busy)) / (now.all - before.all);
    return { cpuPercent: Math.round(Math.min(100, Math.max(0, percent)) * 10) / 10 };
  }

  private server(): Omit<MachineFigures, "cpuPercent" | "memoryUsedBytes" | "memoryTotalBytes"> {
    const { clock, tally, lag, intervalMs } = this.parts;
    const { running, waiting, oldestWaitingAt } = tally.queue();
    const age = oldestWaitingAt === null ? null : clock.nowMs() - Date.parse(oldestWaitingAt);
    return {
      serverBytes: process.memoryUsage.rss(),
      loopLagMs: Math.round(lag.worstOf(intervalMs) * 10_000) / 10,
      runningJobs: running,
      waitingJobs: waiting,
      oldestWaitingSeconds: age === null ? null : Math.max(0, Math.round(age / 1000)),
    };
  }

  private oldestMs(spanMs: number): number {
    return this.parts.clock.monotonicMs() - spanMs;
  }
}

/** `cpu user nice system idle iowait irq softirq steal …` of proc(5): waiting for a disk is idle. */
function ticksOf(stat: string): Ticks | null {
  const [, cells] = /^cpu +([\d ]+)/m.exec(stat) ?? [];
  if (cells === undefined) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, steal = 0] =
    cells.split(" ").map(Number);
  const busy = user + nice + system + irq + softIrq + steal;
  return { busy, all: busy + idle + wait };
}

/** What programs could still have counts as free, as `free` has it. */
function memoryOf(text: string): Pick<MachineFigures, "memoryUsedBytes" | "memoryTotalBytes"> {
  const kilobytes = (name: string) => {
    const [, digits] = new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text) ?? [];
    return digits === undefined ? null : Number(digits) * 1024;
  };
  const [all, free] = [kilobytes("MemTotal"), kilobytes("MemAvailable")];
  return {
    memoryTotalBytes: all,
    memoryUsedBytes: all === null || free === null ? null : all - free,
  };
}
