/** The log: JSON lines on stdout, readable lines on a terminal, secrets never. */
import pino from "pino";
import pretty from "pino-pretty";
import type { LogRing } from "./log-ring.ts";
import { product } from "./product.ts";

export type Log = pino.Logger;

/** Keys whose values never reach a log line, wherever in the object they stand (two levels are searched). */
const secretKeys = ["password", "secret", "token", "authorization", "cookie", "code", "signature"];

/** Where the lines go: to a person at a terminal, to systemd's journal, or to anything else that takes JSON lines. */
export interface LogTarget {
  terminal: boolean;
  /** Put the level before each line as `<6>`, which the journal takes off again: `journalctl -p warning` works. */
  journal?: boolean;
  /** Keeps the newest lines as well. */
  ring?: LogRing;
}

export function openLog(level: string, out: LogTarget = { terminal: false }): Log {
  const options: pino.LoggerOptions = {
    level,
    base: { service: product.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: "[redacted]" },
    formatters: { level: (label) => ({ level: label }) },
  };
  return pino(options, out.ring === undefined ? streamOf(out) : withRing(streamOf(out), out.ring));
}

function streamOf(out: LogTarget): pino.DestinationStream {
  if (out.terminal) {
    return pretty({ colorize: true, ignore: "service", translateTime: "SYS:HH:MM:ss" });
  }
  const stdout = pino.destination({ fd: 1, sync: true });
  return out.journal === true ? withPriority(stdout) : stdout;
}

/** Logs of parts, by the log that they are a part of. */
const partLogs = new WeakMap<Log, Log[]>();

/** The log of one part of the server: its lines say so. */
export function logOf(log: Log, part: string): Log {
  const child = log.child({ part });
  partLogs.set(log, [...(partLogs.get(log) ?? []), child]);
  return child;
}

/** From now on only messages of this level and worse are logged; also by the logs of parts, which would keep theirs. */
export function changeLevel(log: Log, level: string): void {
  log.level = level;
  for (const child of partLogs.get(log) ?? []) changeLevel(child, level);
}

/** Pino's levels as syslog's: error, warning, informational, debug. */
const priorities = [
  { from: 50, priority: 3 },
  { from: 40, priority: 4 },
  { from: 30, priority: 6 },
];

/** The prefix of a line of this level in the journal. */
export function journalPrefix(level: number): string {
  return `<${priorities.find(({ from }) => level >= from)?.priority ?? 7}>`;
}

/** The ring gets the same line as the reader of the log: what is a secret is one for both. */
function withRing(out: pino.DestinationStream, ring: LogRing): pino.DestinationStream {
  return {
    [Symbol.for("pino.metadata")]: true,
    lastLevel: 30,
    write(line: string) {
      Object.assign(out, { lastLevel: this.lastLevel });
      out.write(line);
      ring.push(line);
    },
  } as pino.DestinationStream & { lastLevel: number };
}

/** Pino sets `lastLevel` before each line on a stream that has this mark. */
function withPriority(out: pino.DestinationStream): pino.DestinationStream {
  return {
    [Symbol.for("pino.metadata")]: true,
    lastLevel: 30,
    write(line: string) {
      out.write(`${journalPrefix(this.lastLevel)}${line}`);
    },
  } as pino.DestinationStream & { lastLevel: number };
}

/** For tests and for commands that print their own words. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}
