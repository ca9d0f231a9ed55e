/** The log: JSON lines on stdout, readable lines on a terminal, secrets never. */
import pino from "pino";
import pretty from "pino-pretty";
import { product } from "./product.ts";

export type Log = pino.Logger;

/** Keys whose values never reach a log line, wherever in the object they stand (two levels are searched). */
const secretKeys = ["password", "secret", "token", "authorization", "cookie", "code", "signature"];

export function openLog(level: string, out: { terminal: boolean } = { terminal: false }): Log {
  const options: pino.LoggerOptions = {
    level,
    base: { service: product.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: "[redacted]" },
    formatters: { level: (label) => ({ level: label }) },
  };
  return out.terminal
    ? pino(options, pretty({ colorize: true, ignore: "service", translateTime: "SYS:HH:MM:ss" }))
    : pino(options, pino.destination({ fd: 1, sync: true }));
}

/** For tests and for commands that print their own words. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}
