/** What a GPU was doing at one moment, and the last hour of such moments, packed. */

/** A figure that the GPU, its driver or MIG does not give is null. */
export interface GpuSample {
  uuid: string;
  /** ISO 8601 UTC. */
  takenAt: string;
  /** On the monotonic clock of this process. */
  atMs: number;
  /** 0–100; of all engines of their kind together. */
  encoderPercent: number | null;
  decoderPercent: number | null;
  gpuPercent: number | null;
  memoryUsedBytes: number | null;
  memoryTotalBytes: number | null;
  temperatureCelsius: number | null;
  powerWatts: number | null;
  /** Encode sessions of all programs. */
  sessionCount: number | null;
  /** Of these sessions, in the words of the driver. */
  averageFps: number | null;
}

/** The figures of a sample without its name and time. */
export type GpuFigures = Omit<GpuSample, "uuid" | "takenAt" | "atMs">;

/** One hour of one sample every two seconds. */
export const SAMPLES_MAX = 1800;
export const KEPT_MS = 3_600_000;

const figureNames = [
  ...(["encoderPercent", "decoderPercent", "gpuPercent", "memoryUsedBytes"] as const),
  ...(["memoryTotalBytes", "temperatureCelsius", "powerWatts", "sessionCount"] as const),
  "averageFps",
] as const satisfies (keyof GpuFigures)[];

/**
 * The samples of one GPU in two flat arrays: 158 kB for the hour, where objects would take ten times
 * that. Null is NaN; bytes fit a double exactly.
 */
export class GpuSamples {
  readonly uuid: string;
  private readonly figures = new Float64Array(SAMPLES_MAX * figureNames.length);
  /** Monotonic and wall clock in milliseconds, by turns. */
  private readonly times = new Float64Array(SAMPLES_MAX * 2);
  private written = 0;

  constructor(uuid: string) {
    this.uuid = uuid;
  }

  push(atMs: number, wallMs: number, figures: GpuFigures): void {
    const place = this.written % SAMPLES_MAX;
    this.times[place * 2] = atMs;
    this.times[place * 2 + 1] = wallMs;
    figureNames.forEach((name, position) => {
      this.figures[place * figureNames.length + position] = figures[name] ?? Number.NaN;
    });
    this.written += 1;
  }

  /** The newest; null before the first. */
  latest(): GpuSample | null {
    return this.written === 0 ? null : this.at(this.written - 1);
  }

  /** Those not older than this moment of the monotonic clock, the oldest first. */
  since(atMs: number): GpuSample[] {
    const samples: GpuSample[] = [];
    const first = Math.max(0, this.written - SAMPLES_MAX);
    for (let number = this.written - 1; number >= first; number -= 1) {
      if ((this.times[(number % SAMPLES_MAX) * 2] ?? 0) < atMs) break;
      samples.push(this.at(number));
    }
    return samples.reverse();
  }

  private at(number: number): GpuSample {
    const place = number % SAMPLES_MAX;
    const figure = (name: keyof GpuFigures) => {
      const value = this.figures[place * figureNames.length + figureNames.indexOf(name)];
      return value === undefined || Number.isNaN(value) ? null : value;
    };
    return {
      uuid: this.uuid,
      takenAt: new Date(this.times[place * 2 + 1] ?? 0).toISOString(),
      atMs: this.times[place * 2] ?? 0,
      encoderPercent: figure("encoderPercent"),
      decoderPercent: figure("decoderPercent"),
      gpuPercent: figure("gpuPercent"),
      memoryUsedBytes: figure("memoryUsedBytes"),
      memoryTotalBytes: figure("memoryTotalBytes"),
      temperatureCelsius: figure("temperatureCelsius"),
      powerWatts: figure("powerWatts"),
      sessionCount: figure("sessionCount"),
      averageFps: figure("averageFps"),
    };
  }
}
