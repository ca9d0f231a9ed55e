/** Bytes of an object as a stream that goes on where a connection broke, and never waits for a server that is silent. */
import { type FileHandle, open } from "node:fs/promises";
import { Refusal } from "../trouble.ts";
import type { Turnstile } from "../turnstile.ts";
import { writeAll } from "./intake.ts";
import type { Bucket } from "./s3-bucket.ts";
import { faultOf, refusalFor } from "./s3-trouble.ts";
import { type OpenAnswer, Silence } from "./s3-wire.ts";
import type { ByteRange } from "./storage.ts";

/** Connections in a row that broke without having brought a byte. */
const BARREN_MAX = 3;
/** Connections for one range, however much each brought. */
const CONNECTIONS_MAX = 50;

/**
 * @param range not empty, within the object
 * @throws Refusal 503 `storage_unreachable`, 404 `not_found` when the object went away, the signal's reason
 */
export async function* readRange(
  bucket: Bucket,
  key: string,
  range: ByteRange,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let at = range.start;
  let barren = 0;
  for (let connection = 1; at < range.end; connection += 1) {
    const answer = await bucket.get(key, { start: at, end: range.end }, signal);
    if (answer === null) throw new Refusal(404, "not_found", "The bytes of this file are gone.");
    const before = at;
    try {
      for await (const chunk of chunksOf(answer, bucket.calls.wire.silenceMs)) {
        // More than was asked for is no answer to it.
        const part = chunk.subarray(0, range.end - at);
        at += part.byteLength;
        yield part;
      }
    } catch (cause) {
      signal?.throwIfAborted();
      const fault = faultOf(cause);
      if (fault === null) throw cause;
      barren = at > before ? 0 : barren + 1;
      const hopeless = !fault.passing || barren >= BARREN_MAX || connection >= CONNECTIONS_MAX;
      if (hopeless) throw refusalFor(fault, bucket.calls.place, "read an object");
    }
    if (at === before && ++barren > BARREN_MAX) {
      const cut = { code: "Network", status: 0, message: "cut off", passing: true, region: null };
      throw refusalFor(cut, bucket.calls.place, "read an object");
    }
  }
}

async function* chunksOf(answer: OpenAnswer, silenceMs: number) {
  const { head, abandon, close } = answer;
  const reader = head.body?.getReader();
  if (reader === undefined) return close();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  try {
    for (;;) {
      timer = setTimeout(() => abandon(new Silence("no more bytes")), silenceMs);
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw answer.reasonOf(cause);
      });
      clearTimeout(timer);
      ended = done;
      if (done) return;
      yield value as Uint8Array<ArrayBuffer>;
    }
  } finally {
    clearTimeout(timer);
    // Whoever stops reading early must not leave the connection open.
    if (!ended) abandon(new Error("not read any further"));
    close();
  }
}

/** The generator as a stream that is read no faster than it is asked. */
export function streamOfChunks(
  chunks: AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>,
): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        } catch (cause) {
          controller.error(cause);
        }
      },
      async cancel() {
        await chunks.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Bun takes an answer in as fast as it comes: of each range under way so much can stand in memory. */
const RANGE_BYTES = 8 * 1024 ** 2;

export interface Fetching {
  bucket: Bucket;
  /** Lets so many ranges of all objects through at once. */
  gate: Turnstile;
  key: string;
  /** A fresh file is made here. */
  path: string;
  sizeBytes: number;
  signal: AbortSignal;
}

/** Fetches a whole object into a file, several ranges at once. @throws what `readRange` throws */
export async function fetchInto(fetching: Fetching): Promise<void> {
  const { bucket, gate, path, sizeBytes, signal } = fetching;
  await using file = await open(path, "wx", 0o600);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const rangeBytes = Math.min(RANGE_BYTES, bucket.settings.partBytes);
  const fetches: Promise<void>[] = [];
  for (let start = 0; start < sizeBytes; start += rangeBytes) {
    const range = { start, end: Math.min(start + rangeBytes, sizeBytes) };
    const fetched = gate.through(() => fetchRange(fetching, file, range, either));
    fetches.push(fetched);
    fetched.catch((cause: unknown) => stop.abort(cause));
  }
  // All of them, because a file is not closed while it is written to.
  await Promise.allSettled(fetches);
  if (signal.aborted) throw signal.reason;
  if (stop.signal.aborted) throw stop.signal.reason;
}

async function fetchRange(
  { bucket, key }: Fetching,
  file: FileHandle,
  range: ByteRange,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  let at = range.start;
  for await (const chunk of readRange(bucket, key, range, signal)) {
    await writeAll(file, chunk, at);
    at += chunk.byteLength;
  }
}
