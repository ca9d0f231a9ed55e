/** GPUs that failed in the middle of work, and when each is tried again. */
import { type Clock, isoTime } from "../clock.ts";
import type { GpuFault } from "./gpu-fault.ts";

/** A fault this long after the one before counts as the first again. */
const FORGET_MS = 600_000;

/** The second fault in a row waits this long, each further one twice as long … */
const FIRST_DELAY_MS = 5_000;

/** … up to this: a GPU that passes every probe and fails every job costs little more than its probes. */
const LONGEST_DELAY_MS = 600_000;

interface Suspension {
  fault: GpuFault;
  /** Faults in a row. */
  times: number;
  atMs: number;
  tryAgainAtMs: number;
  /** The same for people, ISO 8601 UTC. */
  tryAgainAt: string;
  out: boolean;
}

export class GpuSuspensions {
  private readonly clock: Clock;
  private readonly byUuid = new Map<string, Suspension>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Milliseconds until it may be tried again: at once after the first fault. */
  suspend(uuid: string, fault: GpuFault): number {
    const now = this.clock.monotonicMs();
    const before = this.byUuid.get(uuid);
    const recent = before !== undefined && now - before.atMs < FORGET_MS;
    const times = recent ? before.times + 1 : 1;
    const delayMs = times === 1 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (times - 2), LONGEST_DELAY_MS);
    this.byUuid.set(uuid, {
      ...{ fault, times, out: true, atMs: now, tryAgainAtMs: now + delayMs },
      tryAgainAt: isoTime(this.clock.nowMs() + delayMs),
    });
    return delayMs;
  }

  /** The probe on it failed: it stays out. Milliseconds until it may be tried once more. */
  keepOut(uuid: string): number {
    const found = this.byUuid.get(uuid);
    return found === undefined ? 0 : this.suspend(uuid, found.fault);
  }

  /** The fault for which it is out of service; null when it is in. */
  faultOf(uuid: string): GpuFault | null {
    const found = this.byUuid.get(uuid);
    return found?.out === true ? found.fault : null;
  }

  /** When it is tried again, ISO 8601 UTC; null when it is in service. */
  tryAgainAt(uuid: string): string | null {
    const found = this.byUuid.get(uuid);
    return found?.out === true ? found.tryAgainAt : null;
  }

  /** Somebody wants it tried now. False when its time has come anyhow, or when it is in service. */
  hurry(uuid: string): boolean {
    const found = this.byUuid.get(uuid);
    if (found === undefined || !this.waits(uuid)) return false;
    found.tryAgainAtMs = this.clock.monotonicMs();
    found.tryAgainAt = isoTime(this.clock.nowMs());
    return true;
  }

  /** Whether it is out and its time has not come. */
  waits(uuid: string): boolean {
    const found = this.byUuid.get(uuid);
    return found?.out === true && this.clock.monotonicMs() < found.tryAgainAtMs;
  }

  /** A probe on it was good: it is in service, and its faults are remembered for a while. */
  reinstate(uuid: string): void {
    const found = this.byUuid.get(uuid);
    if (found !== undefined) found.out = false;
  }
}
