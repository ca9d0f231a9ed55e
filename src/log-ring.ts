/** The newest lines of the log, kept in memory for whoever reads them on a page. */

/** From the least to the most; pino's own words. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof logLevels)[number];

/** An hour of a busy box, some days of a quiet one. */
export const LOG_RECORDS_MAX = 2_000;

/** Of all lines together: stack traces must not fill the memory. */
const BYTES_MAX = 4 * 1024 ** 2;

/** What is longer is kept with little of its facts: one line must not push the others out. */
const LINE_BYTES_MAX = 16 * 1024;

/** Of a long line: ids are shorter, and lead on. */
const SHORT_FACTS_MAX = 20;
const SHORT_FACT_CHARACTERS_MAX = 200;

/** One line of the log. */
export interface LogRecord {
  /** Where it stands: the run of the server and the number of the line in it, "mhx3k2-17". */
  id: string;
  /** ISO 8601 UTC. */
  at: string;
  level: LogLevel;
  /** The part of the server that says it: "jobs", "http"; "server" for what is nobody's. */
  part: string;
  message: string;
  /** Whatever stands beside it; secrets were taken out before it came here. */
  facts: Record<string, unknown>;
}

/** What of the log is wanted; absent: all of it. */
export interface LogFilter {
  /** This level and all above. */
  level?: LogLevel | undefined;
  part?: string | undefined;
  /** Stands somewhere in the line, in small letters or large ones. */
  text?: string | undefined;
  /** Id of a job. */
  job?: string | undefined;
  /** Id of a request. */
  request?: string | undefined;
}

interface Kept {
  number: number;
  bytes: number;
  record: LogRecord;
}

export class LogRing {
  /** Tells this run of the server from others: their lines are counted anew. */
  private readonly run: string;
  private readonly lines: Kept[] = [];
  private readonly listeners = new Set<(record: LogRecord) => void>();
  private bytes = 0;
  private written = 0;

  constructor(run: string = Date.now().toString(36)) {
    this.run = run;
  }

  /** Takes a line as the log writes it: JSON, its secrets taken out. Never throws. */
  push(line: string): void {
    const number = this.written + 1;
    const record = recordOf(line, `${this.run}-${number}`);
    if (record === null) return;
    this.written = number;
    const bytes = Math.min(line.length, LINE_BYTES_MAX);
    this.lines.push({ number, bytes, record });
    this.bytes += bytes;
    while (this.lines.length > LOG_RECORDS_MAX || this.bytes > BYTES_MAX) {
      this.bytes -= this.lines.shift()?.bytes ?? 0;
    }
    for (const listener of [...this.listeners]) listener(record);
  }

  /** Called for every further line; must not throw, block or log. Returns what ends it. */
  follow(listener: (record: LogRecord) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * The newest that fit, the oldest first.
   * @param before id of a line: only older ones. Of another run of the server it says nothing.
   */
  newest(filter: LogFilter, limit: number, before?: string | undefined): LogRecord[] {
    const end = this.numberOf(before) ?? Number.POSITIVE_INFINITY;
    const found: LogRecord[] = [];
    for (let at = this.lines.length - 1; at >= 0 && found.length < limit; at -= 1) {
      const line = this.lines[at];
      if (line !== undefined && line.number < end && fits(line.record, filter)) {
        found.push(line.record);
      }
    }
    return found.reverse();
  }

  /** Those that came after a line and fit, the newest of them up to the limit; all for one of another run. */
  since(filter: LogFilter, after: string, limit: number): LogRecord[] {
    const last = this.numberOf(after) ?? 0;
    const later = this.lines.filter(({ number, record }) => number > last && fits(record, filter));
    return later.slice(-limit).map(({ record }) => record);
  }

  /** Id of the newest line, whatever it says: what comes after it is new. */
  get last(): string {
    return `${this.run}-${this.written}`;
  }

  /** The parts that have said something, by name. */
  parts(): string[] {
    return [...new Set(this.lines.map(({ record }) => record.part))].sort();
  }

  private numberOf(id: string | undefined): number | null {
    const [run, number] = (id ?? "").split("-");
    return run === this.run && /^\d{1,15}$/.test(number ?? "") ? Number(number) : null;
  }
}

/** Whether somebody who asks for this wants to see it. */
export function fits(record: LogRecord, filter: LogFilter): boolean {
  const { level = "trace", part, text = "", job, request } = filter;
  if (logLevels.indexOf(record.level) < logLevels.indexOf(level)) return false;
  if (part !== undefined && record.part !== part) return false;
  const { facts } = record;
  if (job !== undefined && facts["job"] !== job) return false;
  if (request !== undefined && facts["request"] !== request) return false;
  if (text === "") return true;
  return `${record.message} ${JSON.stringify(facts)}`.toLowerCase().includes(text.toLowerCase());
}

/** Null for what is no line of the log. */
function recordOf(line: string, id: string): LogRecord | null {
  let said: Record<string, unknown>;
  try {
    said = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  const { level, time, msg, part, service: _, ...facts } = said;
  const known = logLevels.find((each) => each === level);
  if (known === undefined || typeof time !== "string") return null;
  return {
    ...{ id, at: time, level: known },
    part: typeof part === "string" ? part : "server",
    message: String(msg ?? "").slice(0, LINE_BYTES_MAX / 2),
    facts: line.length > LINE_BYTES_MAX ? shortened(facts) : facts,
  };
}

/** The ids, which lead on, and a word for the rest. */
function shortened(facts: Record<string, unknown>): Record<string, unknown> {
  const short = Object.entries(facts).filter(
    ([, value]) => typeof value !== "object" && String(value).length <= SHORT_FACT_CHARACTERS_MAX,
  );
  return { ...Object.fromEntries(short.slice(0, SHORT_FACTS_MAX)), shortened: true };
}
