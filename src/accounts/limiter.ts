/** Counts failed attempts per key in a sliding window, in bounded memory. */
import type { Clock } from "../clock.ts";
import { Refusal } from "../trouble.ts";

/** Keys that are remembered; beyond it the oldest is forgotten. About 2 MB at most. */
const KEY_LIMIT = 10_000;

export interface AttemptLimits {
  attempts: number;
  windowSeconds: number;
}

export class AttemptLimiter {
  /** Monotonic times of attempts by key; keys in the order of their last attempt. */
  private readonly attempts = new Map<string, number[]>();
  private readonly limits: AttemptLimits;
  private readonly clock: Clock;

  constructor(limits: AttemptLimits, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
  }

  /**
   * Counts one attempt for all keys before it is made, so that attempts in parallel cannot slip through.
   * A refused one does not count. Returns how to take it back when the attempt was no failure.
   * @throws Refusal 429 `too_many_attempts` with `Retry-After` when one of the keys is used up
   */
  begin(keys: readonly string[]): () => void {
    const nowMs = this.clock.monotonicMs();
    const waitMs = Math.max(...keys.map((key) => this.waitMs(key, nowMs)));
    if (waitMs > 0) throw tooMany(Math.ceil(waitMs / 1000));
    for (const key of keys) this.add(key, nowMs);
    return () => {
      for (const key of keys) this.remove(key, nowMs);
    };
  }

  private waitMs(key: string, nowMs: number): number {
    const recent = this.recent(key, nowMs);
    const oldest = recent[recent.length - this.limits.attempts];
    return oldest === undefined ? 0 : oldest + this.limits.windowSeconds * 1000 - nowMs;
  }

  private recent(key: string, nowMs: number): number[] {
    const startMs = nowMs - this.limits.windowSeconds * 1000;
    return (this.attempts.get(key) ?? []).filter((timeMs) => timeMs > startMs);
  }

  private add(key: string, nowMs: number): void {
    const times = [...this.recent(key, nowMs), nowMs];
    // Taken out first, so that the map stays ordered by the last attempt.
    this.attempts.delete(key);
    this.attempts.set(key, times);
    if (this.attempts.size <= KEY_LIMIT) return;
    const [oldest] = this.attempts.keys();
    if (oldest !== undefined) this.attempts.delete(oldest);
  }

  private remove(key: string, timeMs: number): void {
    const times = this.attempts.get(key) ?? [];
    const index = times.lastIndexOf(timeMs);
    if (index >= 0) times.splice(index, 1);
    if (times.length === 0) this.attempts.delete(key);
  }
}

function tooMany(retryAfterSeconds: number): Refusal {
  const minutes = Math.ceil(retryAfterSeconds / 60);
  return new Refusal(
    429,
    "too_many_attempts",
    `Too many failed attempts. Try again in ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`,
    { headers: { "Retry-After": String(retryAfterSeconds) } },
  );
}

/**
 * One key for all addresses that one party surely has: an IPv6 host owns its whole /64, and
 * `::ffff:192.0.2.1` is the IPv4 address.
 */
export function peerKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
