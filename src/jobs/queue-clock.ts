/**
 * The time that orders the queue: it never goes back and never jumps while a server runs, whatever happens
 * to the wall clock. No two readings are the same.
 */
import type { Clock } from "../clock.ts";

export class QueueClock {
  private readonly clock: Clock;
  private readonly startUs: number;
  private readonly startMonotonicMs: number;
  private lastUs: number;

  /** @param knownUs the latest reading that a server before this one left; 0 for none */
  constructor(clock: Clock, knownUs = 0) {
    this.clock = clock;
    this.startUs = Math.max(knownUs, Math.round(clock.nowMs() * 1000));
    this.startMonotonicMs = clock.monotonicMs();
    this.lastUs = knownUs;
  }

  /** Microseconds since the epoch, more or less; always more than the last reading. */
  nextUs(): number {
    this.lastUs = Math.max(this.lastUs + 1, this.nowUs());
    return this.lastUs;
  }

  /** The same without taking the reading. */
  nowUs(): number {
    const elapsedMs = this.clock.monotonicMs() - this.startMonotonicMs;
    return Math.max(this.lastUs, this.startUs + Math.round(elapsedMs * 1000));
  }
}
