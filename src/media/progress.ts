/** Progress of one run of ffmpeg, as `-progress` tells it. */
export interface Progress {
  /** 0–100; null while the length of the output is unknown. */
  percent: number | null;
  frame: number | null;
  fps: number | null;
  /** Seconds of output written. */
  outputSeconds: number | null;
  /** Seconds of media per second of time. */
  speed: number | null;
  etaSeconds: number | null;
  sizeBytes: number | null;
}

/** A line of `-progress` has about 30 bytes; longer ones are not ours and are dropped. */
const lineLimit = 4096;

/** Below 100 until the exit code and the checks have spoken: `progress=end` comes also after a signal. */
const highestPercent = 99.9;

/**
 * Reads `-progress` output as it comes, cut anywhere. A block of `key=value` lines ends with
 * `progress=continue` or `progress=end`; each block gives one Progress.
 */
export class ProgressReader {
  private rest = "";
  private overlong = false;
  private fields = new Map<string, string>();
  private readonly decoder = new TextDecoder();
  private readonly expectedSeconds: number | null;

  /** @param expectedSeconds seconds of output that count as 100 %, or null when unknown */
  constructor(expectedSeconds: number | null) {
    this.expectedSeconds = expectedSeconds;
  }

  /** The blocks that this piece of output completed, oldest first. */
  push(chunk: Uint8Array): Progress[] {
    const lines = (this.rest + this.decoder.decode(chunk, { stream: true })).split("\n");
    this.rest = lines.pop() ?? "";
    const done = lines.flatMap((line) => this.take(line) ?? []);
    if (this.rest.length > lineLimit) {
      this.rest = "";
      this.overlong = true;
    }
    return done;
  }

  private take(line: string): Progress | null {
    const whole = !this.overlong && line.length <= lineLimit;
    this.overlong = false;
    const equals = line.indexOf("=");
    if (!whole || equals < 0) return null;
    const key = line.slice(0, equals).trim();
    if (key !== "progress") {
      if (progressKeys.has(key)) this.fields.set(key, line.slice(equals + 1).trim());
      return null;
    }
    const progress = readBlock(this.fields, this.expectedSeconds);
    this.fields = new Map();
    return progress;
  }
}

const progressKeys = new Set(["frame", "fps", "total_size", "out_time_us", "out_time_ms", "speed"]);

function readBlock(fields: ReadonlyMap<string, string>, expectedSeconds: number | null): Progress {
  // `out_time_ms` is in microseconds too, an old mistake that ffmpeg keeps.
  const microseconds = number(fields.get("out_time_us")) ?? number(fields.get("out_time_ms"));
  // Before the first packet ffmpeg 5.1 prints a hugely negative time.
  const outputSeconds = microseconds === null ? null : Math.max(0, microseconds / 1e6);
  const speed = number(fields.get("speed")?.replace(/x$/, ""));
  return {
    percent: percentOf(outputSeconds, expectedSeconds),
    frame: number(fields.get("frame")),
    fps: number(fields.get("fps")),
    outputSeconds,
    speed,
    etaSeconds: etaOf(outputSeconds, expectedSeconds, speed),
    sizeBytes: number(fields.get("total_size")),
  };
}

function percentOf(outputSeconds: number | null, expectedSeconds: number | null): number | null {
  if (outputSeconds === null || expectedSeconds === null || expectedSeconds <= 0) return null;
  return Math.min(highestPercent, (100 * outputSeconds) / expectedSeconds);
}

function etaOf(
  outputSeconds: number | null,
  expectedSeconds: number | null,
  speed: number | null,
): number | null {
  if (outputSeconds === null || expectedSeconds === null) return null;
  if (speed === null || speed <= 0) return null;
  return Math.max(0, (expectedSeconds - outputSeconds) / speed);
}

/** "N/A" and everything that is no finite number give null. */
function number(text: string | undefined): number | null {
  if (text === undefined || text === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
