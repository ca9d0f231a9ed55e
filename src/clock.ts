/** Time as a parameter, so that tests need not wait. */
export interface Clock {
  /** Wall clock in milliseconds since the epoch: for records, never for measuring. */
  nowMs(): number;
  /** Monotonic milliseconds: for durations and deadlines. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** A clock that a test moves by hand. */
export class ManualClock implements Clock {
  private current: number;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.current = startMs;
  }

  nowMs(): number {
    return this.current;
  }

  monotonicMs(): number {
    return this.current;
  }

  advance(durationMs: number): void {
    this.current += durationMs;
  }
}

/** The last millisecond that was asked for: what happens in one transaction mostly has the same. */
let lastTime = { epochMs: 0, text: new Date(0).toISOString() };

/** ISO 8601 UTC with milliseconds, the form of every time in the API and the database. */
export function isoTime(epochMs: number): string {
  if (epochMs !== lastTime.epochMs) {
    lastTime = { epochMs, text: new Date(epochMs).toISOString() };
  }
  return lastTime.text;
}

/**
 * Waits for the work, but not longer: null when it was late, and it goes on then. The timer ends with the work: one that
 * is left behind would keep a command from ending.
 */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), limitMs);
  return await Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}
