/** How late timers fire: what the page feels when one thread has too much to do. */
import type { Clock } from "../clock.ts";

const TICK_MS = 1_000;

/** Ticks that are remembered: the last minute. */
const KEPT = 60;

export class LoopLag {
  private readonly clock: Clock;
  private readonly lags: number[] = [];
  private timer: Timer | null = null;
  private dueMs = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  start(): void {
    this.dueMs = this.clock.monotonicMs() + TICK_MS;
    this.timer = setInterval(() => this.tick(), TICK_MS);
    // It must not keep a process alive.
    this.timer.unref();
  }

  private tick(): void {
    const nowMs = this.clock.monotonicMs();
    this.lags.push(Math.max(0, nowMs - this.dueMs) / 1000);
    if (this.lags.length > KEPT) this.lags.shift();
    this.dueMs = nowMs + TICK_MS;
  }

  /** Seconds, of the last minute. */
  get figures(): { max: number; mean: number } {
    const { lags } = this;
    if (lags.length === 0) return { max: 0, mean: 0 };
    return { max: Math.max(...lags), mean: lags.reduce((sum, lag) => sum + lag, 0) / lags.length };
  }

  /** Seconds: the worst of the last so many milliseconds, as far as they are remembered. */
  worstOf(spanMs: number): number {
    return Math.max(0, ...this.lags.slice(-Math.max(1, Math.round(spanMs / TICK_MS))));
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }
}
