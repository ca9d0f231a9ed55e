import type { Clock } from "../clock.ts";

/** The speed is of the last seconds, so that it follows the network. */
const WINDOW_MS = 5_000;

/** Samples closer than this say nothing more. */
const SAMPLE_EVERY_MS = 250;

/** How fast bytes come at the moment. */
export class SpeedWindow {
  private readonly clock: Clock;
  private samples: { atMs: number; bytes: number }[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** @param bytes all so far; a smaller number than before begins anew. Null while there is nothing to say */
  note(bytes: number): number | null {
    const atMs = this.clock.monotonicMs();
    const last = this.samples.at(-1);
    if (last !== undefined && bytes < last.bytes) this.samples = [];
    if (last === undefined || atMs - last.atMs >= SAMPLE_EVERY_MS)
      this.samples.push({ atMs, bytes });
    while (this.samples.length > 2 && atMs - (this.samples[0]?.atMs ?? atMs) > WINDOW_MS) {
      this.samples.shift();
    }
    const [first] = this.samples;
    if (first === undefined || atMs - first.atMs < SAMPLE_EVERY_MS) return null;
    return Math.round(((bytes - first.bytes) * 1000) / (atMs - first.atMs));
  }
}
