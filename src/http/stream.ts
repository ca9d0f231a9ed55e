/**
 * Server-Sent Events: all open streams of this server, their heartbeat, their limits and their end.
 * The framework's own SSE does not split lines, so answers are made here.
 */
import { sseMessage } from "../../views/live.ts";
import { Refusal } from "../trouble.ts";
import type { Visit } from "./visit.ts";

/** Proxies and Bun itself close a silent connection after some 30 s. */
const HEARTBEAT_MS = 15_000;

/** A tab has one stream; this many tabs and programs of one user are a mistake or an attack. */
const STREAMS_PER_USER_MAX = 32;

/**
 * Bytes that may wait for a slow client besides the socket's own buffer. Some minutes of events; whoever
 * is further behind is cut off and gets the full state when it comes again.
 */
const BACKLOG_BYTES_MAX = 256 * 1024;

const encoder = new TextEncoder();
const heartbeat = encoder.encode(": still here\n\n");

export interface StreamMessage {
  event?: string;
  data: string;
  id?: string;
}

/** Writes one message; after the stream's end it does nothing. */
export type Send = (message: StreamMessage) => void;

interface OpenStream {
  userId: string;
  stillAllowed(): boolean;
  write(bytes: Uint8Array): void;
  close(): void;
}

export class Streams {
  private readonly streams = new Set<OpenStream>();
  private timer: ReturnType<typeof setInterval> | null = null;
  private readonly heartbeatMs: number;
  private closed = false;

  constructor(heartbeatMs = HEARTBEAT_MS) {
    this.heartbeatMs = heartbeatMs;
  }

  get count(): number {
    return this.streams.size;
  }

  /**
   * Opens a stream. `start` sends the present state, subscribes, and returns what ends the subscription.
   * @param stillAllowed asked at every heartbeat: a revoked session or token ends its streams
   * @throws Refusal 429 `too_many_streams`, 503 `stopping`
   */
  open(visit: Visit, stillAllowed: () => boolean, start: (send: Send) => () => void): Response {
    const headers = { "content-type": "text/event-stream", "cache-control": "no-store" };
    if (visit.method === "HEAD") return new Response(null, { headers });
    const userId = visit.user?.id ?? "";
    this.refuseBeyondLimits(userId);
    visit.allowSilence(0);
    return new Response(this.body(userId, stillAllowed, start), {
      // nginx would otherwise hold events back until its buffer is full.
      headers: { ...headers, "x-accel-buffering": "no" },
    });
  }

  private refuseBeyondLimits(userId: string): void {
    if (this.closed) {
      throw new Refusal(503, "stopping", "The server is stopping. Connect again in a moment.", {
        headers: { "retry-after": "5" },
      });
    }
    const open = [...this.streams].filter((stream) => stream.userId === userId).length;
    if (open < STREAMS_PER_USER_MAX) return;
    throw new Refusal(
      429,
      "too_many_streams",
      `You have ${open} event streams open. Close some tabs or programs and try again.`,
      { headers: { "retry-after": "15" } },
    );
  }

  private body(
    userId: string,
    stillAllowed: () => boolean,
    start: (send: Send) => () => void,
  ): ReadableStream<Uint8Array> {
    let unsubscribe: () => void = () => undefined;
    let stream: OpenStream | null = null;
    const forget = () => {
      if (stream === null || !this.streams.delete(stream)) return;
      unsubscribe();
      if (this.streams.size === 0) this.stopHeartbeat();
    };
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const opened = this.register(userId, stillAllowed, controller, forget);
          stream = opened;
          // A first byte at once: some clients and proxies wait for it before they call it open.
          opened.write(encoder.encode("retry: 2000\n\n"));
          unsubscribe = start((message) => opened.write(encoder.encode(sseMessage(message))));
          if (!this.streams.has(opened)) unsubscribe();
        },
        cancel: forget,
      },
      new ByteLengthQueuingStrategy({ highWaterMark: BACKLOG_BYTES_MAX }),
    );
  }

  private register(
    userId: string,
    stillAllowed: () => boolean,
    controller: ReadableStreamDefaultController<Uint8Array>,
    forget: () => void,
  ): OpenStream {
    const stream: OpenStream = {
      userId,
      stillAllowed,
      write: (bytes) => {
        if (!this.streams.has(stream)) return;
        if ((controller.desiredSize ?? 0) < bytes.byteLength) stream.close();
        else controller.enqueue(bytes);
      },
      close: () => {
        forget();
        controller.close();
      },
    };
    this.streams.add(stream);
    this.timer ??= setInterval(() => this.beat(), this.heartbeatMs);
    return stream;
  }

  private beat(): void {
    for (const stream of [...this.streams]) {
      if (stream.stillAllowed()) stream.write(heartbeat);
      else stream.close();
    }
  }

  private stopHeartbeat(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** Ends every stream and refuses new ones: the server stops. */
  closeAll(): void {
    this.closed = true;
    for (const stream of [...this.streams]) stream.close();
  }
}
