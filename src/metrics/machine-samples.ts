/** What the machine was doing at one moment, and the last hour of such moments, packed. */

/** A figure that this system does not give is null. */
export interface MachineFigures {
  /** 0–100, of all cores, since the sample before; null in the first. */
  cpuPercent: number | null;
  memoryUsedBytes: number | null;
  memoryTotalBytes: number | null;
  /** Of the server alone, without what it starts. */
  serverBytes: number | null;
  /** How late timers fired at most in the last seconds. */
  loopLagMs: number | null;
  runningJobs: number | null;
  /** Jobs that wait for their turn or for something else. */
  waitingJobs: number | null;
  /** Age of the oldest of them; null when there is none. */
  oldestWaitingSeconds: number | null;
}

export interface MachineSample extends MachineFigures {
  /** ISO 8601 UTC. */
  takenAt: string;
  /** On the monotonic clock of this process. */
  atMs: number;
}

export const machineFigureNames = [
  ...(["cpuPercent", "memoryUsedBytes", "memoryTotalBytes", "serverBytes"] as const),
  ...(["loopLagMs", "runningJobs", "waitingJobs", "oldestWaitingSeconds"] as const),
] as const satisfies (keyof MachineFigures)[];

/** One hour of one sample every two seconds. */
export const MACHINE_SAMPLES_MAX = 1_800;
export const MACHINE_KEPT_MS = 3_600_000;

/** In two flat arrays, 144 kB for the hour. Null is NaN; bytes fit a double exactly. */
export class MachineSamples {
  private readonly figures = new Float64Array(MACHINE_SAMPLES_MAX * machineFigureNames.length);
  /** Monotonic and wall clock in milliseconds, by turns. */
  private readonly times = new Float64Array(MACHINE_SAMPLES_MAX * 2);
  private written = 0;

  push(atMs: number, wallMs: number, figures: MachineFigures): void {
    const place = this.written % MACHINE_SAMPLES_MAX;
    this.times[place * 2] = atMs;
    this.times[place * 2 + 1] = wallMs;
    machineFigureNames.forEach((name, position) => {
      this.figures[place * machineFigureNames.length + position] = figures[name] ?? Number.NaN;
    });
    this.written += 1;
  }

  /** The newest; null before the first. */
  latest(): MachineSample | null {
    return this.written === 0 ? null : this.at(this.written - 1);
  }

  /** Those not older than this moment of the monotonic clock, the oldest first. */
  since(atMs: number): MachineSample[] {
    const samples: MachineSample[] = [];
    const first = Math.max(0, this.written - MACHINE_SAMPLES_MAX);
    for (let number = this.written - 1; number >= first; number -= 1) {
      if ((this.times[(number % MACHINE_SAMPLES_MAX) * 2] ?? 0) < atMs) break;
      samples.push(this.at(number));
    }
    return samples.reverse();
  }

  private at(number: number): MachineSample {
    const place = number % MACHINE_SAMPLES_MAX;
    const figures = machineFigureNames.map((name, position) => {
      const value = this.figures[place * machineFigureNames.length + position];
      return [name, value === undefined || Number.isNaN(value) ? null : value];
    });
    return {
      takenAt: new Date(this.times[place * 2 + 1] ?? 0).toISOString(),
      atMs: this.times[place * 2] ?? 0,
      ...(Object.fromEntries(figures) as unknown as MachineFigures),
    };
  }
}
