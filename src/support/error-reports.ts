/**
 * Errors of the server to a receiver of the Sentry protocol (Sentry, GlitchTip, Bugsink), where the settings name one.
 * Its own small sender: the official one patches the runtime, and weighs more than the rest of the server. What is sent
 * is bounded, scrubbed like a support bundle, and never worth waiting for.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { LogRecord } from "../log-ring.ts";
import { product } from "../product.ts";
import { Refusal } from "../trouble.ts";
import { openFacts } from "./open-facts.ts";
import { scrub } from "./scrub.ts";

/** What a DSN says: https://KEY@errors.example.com/path/7 */
export interface Receiver {
  url: string;
  key: string;
}

/** Errors that wait; a server that makes more has said what is wrong. */
const WAITING_MAX = 50;

/** A receiver that is silent for so long gets nothing of this one. */
const ANSWER_LIMIT_MS = 10_000;

/** After a failure, and at least after being told to wait. */
const PAUSE_MS = 60_000;
const PAUSE_MAX_MS = 3_600_000;

/** Events of one hour: an error in a loop must not fill the receiver. */
const PER_HOUR_MAX = 200;
const HOUR_MS = 3_600_000;

const FRAMES_MAX = 50;

/** @throws Refusal 400 `bad_config` */
export function receiverOf(dsn: string): Receiver {
  const url = URL.parse(dsn);
  const [, path = "", project] = /^(.*)\/(\d{1,20})$/.exec(url?.pathname ?? "") ?? [];
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username === "" ||
    project === undefined
  ) {
    const sentence = dsn.startsWith("secret:")
      ? "log.errorDsn names a secret that is not there or cannot be opened. See: kinomill secret list"
      : "log.errorDsn is not the DSN of a receiver: it is like https://KEY@errors.example.com/7.";
    throw new Refusal(400, "bad_config", sentence);
  }
  return { url: `${url.origin}${path}/api/${project}/envelope/`, key: url.username };
}

export class ErrorReports {
  private readonly parts: {
    receiver: Receiver;
    clock: Clock;
    log: Log;
    /** Values that must not be sent, whatever said them. */
    secrets: readonly string[];
    answerLimitMs?: number;
  };
  private readonly waiting: LogRecord[] = [];
  private readonly stopped = new AbortController();
  private sending: Promise<void> | null = null;
  private pausedUntilMs = 0;
  private hour = { fromMs: 0, count: 0 };
  private saidTrouble = false;

  constructor(parts: ErrorReports["parts"]) {
    this.parts = parts;
  }

  /** Takes a line of the log, if it is an error. Never throws, waits or logs an error. */
  take(record: LogRecord): void {
    if ((record.level !== "error" && record.level !== "fatal") || this.stopped.signal.aborted)
      return;
    if (this.waiting.length >= WAITING_MAX || !this.hasRoom()) return;
    this.waiting.push(record);
    this.sending ??= this.sendAll().finally(() => {
      this.sending = null;
    });
  }

  /** Resolves when nothing is under way any more; what waits is given up after the limit. */
  async close(limitMs: number): Promise<void> {
    const limit = setTimeout(() => this.stopped.abort(), limitMs);
    await this.sending;
    clearTimeout(limit);
    this.stopped.abort();
  }

  private hasRoom(): boolean {
    const now = this.parts.clock.monotonicMs();
    if (now - this.hour.fromMs > HOUR_MS) this.hour = { fromMs: now, count: 0 };
    this.hour.count += 1;
    return this.hour.count <= PER_HOUR_MAX;
  }

  private async sendAll(): Promise<void> {
    for (;;) {
      const record = this.waiting.shift();
      if (record === undefined || this.stopped.signal.aborted) return;
      // While it is paused nothing is kept: what comes later says as much.
      if (this.parts.clock.monotonicMs() < this.pausedUntilMs) continue;
      await this.send(record);
    }
  }

  private async send(record: LogRecord): Promise<void> {
    const { receiver, clock, secrets, answerLimitMs = ANSWER_LIMIT_MS } = this.parts;
    const id = randomUUID().replaceAll("-", "");
    const event = scrub(JSON.stringify(eventOf(record, id)), {
      secrets: [...secrets, receiver.key],
      names: [hostname()],
    });
    const head = JSON.stringify({ event_id: id, sent_at: new Date(clock.nowMs()).toISOString() });
    const length = Buffer.byteLength(event);
    const body = `${head}\n${JSON.stringify({ type: "event", length })}\n${event}\n`;
    const client = `kinomill/${product.version}`;
    try {
      const answer = await fetch(receiver.url, {
        ...{ method: "POST", body, redirect: "error" as const },
        headers: {
          "content-type": "application/x-sentry-envelope",
          "x-sentry-auth": `Sentry sentry_version=7, sentry_client=${client}, sentry_key=${receiver.key}`,
        },
        signal: AbortSignal.any([AbortSignal.timeout(answerLimitMs), this.stopped.signal]),
      });
      await answer.body?.cancel();
      if (answer.ok) this.saidTrouble = false;
      else this.pause(`it answers with status ${answer.status}`, answer.headers.get("retry-after"));
    } catch {
      this.pause("it does not answer", null);
    }
  }

  private pause(why: string, retryAfter: string | null): void {
    const asked = Number(retryAfter ?? 0) * 1000;
    const pauseMs = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MS, Number.isFinite(asked) ? asked : 0));
    this.pausedUntilMs = this.parts.clock.monotonicMs() + pauseMs;
    if (this.saidTrouble) return;
    this.saidTrouble = true;
    this.parts.log.warn({ trouble: why }, "errors cannot be sent to the receiver of log.errorDsn");
  }
}

/** An event as the protocol has it, of what may be told. */
function eventOf(record: LogRecord, id: string): unknown {
  const { at, level, part, message, facts } = record;
  const open = Object.entries(facts).filter(([key]) => openFacts.has(key) && key !== "err");
  const exception = exceptionOf(facts["err"]);
  return {
    ...{ event_id: id, timestamp: at, platform: "node", level, logger: part },
    release: `kinomill@${product.version}`,
    tags: { commit: product.commit, part, bun: Bun.version },
    logentry: { formatted: message },
    extra: Object.fromEntries(open),
    ...(exception === null ? {} : { exception: { values: [exception] } }),
  };
}

function exceptionOf(err: unknown): unknown {
  if (typeof err !== "object" || err === null) return null;
  const { type, message, stack } = err as Record<string, unknown>;
  const frames = typeof stack === "string" ? framesOf(stack) : [];
  return {
    type: typeof type === "string" ? type : "Error",
    value: typeof message === "string" ? message : "",
    ...(frames.length === 0 ? {} : { stacktrace: { frames } }),
  };
}

/** "at name (file:line:column)"; the protocol wants the innermost last. */
function framesOf(stack: string): unknown[] {
  const found = stack.matchAll(/^\s*at (?:(?:async )?(.*?) \()?([^()\s]+):(\d+):(\d+)\)?$/gm);
  return [...found]
    .slice(0, FRAMES_MAX)
    .map(([, name, filename, line, column]) => ({
      ...{ function: name ?? "?", filename, lineno: Number(line), colno: Number(column) },
      in_app: !filename?.includes("node_modules"),
    }))
    .reverse();
}
