/** The log: JSON lines on stdout, readable lines on a terminal, secrets never. */
import pino from "pino";
import pretty from "pino-pretty";
import { product } from "./product.ts";

export type Log = pino.Logger;

/** Keys whose values never reach a log line, wherever in the object they stand (two levels are searched). */
const secretKeys = ["password", "secret", "token", "authorization", "cookie", "code", "signature"];

/** Where the lines go: to a person at a terminal, to systemd's journal, or to anything else that takes JSON lines. */
export interface LogTarget {
  terminal: boolean;
  /** Put the level before each line as `<6>`, which the journal takes off again: `journalctl -p warning` works. */
  journal?: boolean;
}

export function openLog(level: string, out: LogTarget = { terminal: false }): Log {
  const options: pino.LoggerOptions = {
    level,
    base: { service: product.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: "[redacted]" },
    formatters: { level: (label) => ({ level: label }) },
  };
  if (out.terminal) {
    const look = { colorize: true, ignore: "service", translateTime: "SYS:HH:MM:ss" };
    return pino(options, pretty(look));
  }
  const stdout = pino.destination({ fd: 1, sync: true });
  return pino(options, out.journal === true ? withPriority(stdout) : stdout);
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
