/** Bytes from a stream or a file, hashed on the way, in bounded memory. */
import { type FileHandle, open } from "node:fs/promises";
import { Refusal } from "../trouble.ts";
import { Intake } from "./intake.ts";
import type { PutOptions, StoredObject } from "./storage.ts";

/** How often the free space is looked at: other writers can take no more than this unnoticed. */
const SPACE_CHECK_BYTES = 64 * 1024 ** 2;

/**
 * After so much the chunks that were received, by whomever, are given back. The engine sees a small heap and leaves them
 * lie: without it the server grew by 45 to 112 MB during four GiB, with it by 46 to 65 (`bench/tus.ts`).
 */
const COLLECT_BYTES = 96 * 1024 ** 2;
let uncollectedBytes = 0;

export interface ReceiveOptions extends PutOptions {
  /** Called before the first byte and every 64 MiB. @throws Refusal 507 `storage_full` */
  checkSpace(): Promise<void>;
  /** Is shown each chunk before it is taken. */
  onChunk?(chunk: Uint8Array): void;
  /** Told how many bytes can be read in the file by now. */
  onWritten?: (writtenBytes: number) => void;
  /** False where the file is a copy that may be lost. */
  durable?: boolean;
}

/**
 * Writes the stream to the file and makes it durable. On any trouble the stream is cancelled and the file
 * is the caller's to remove.
 * @throws Refusal 413 `too_large`, 507 `storage_full`, the signal's reason
 */
export async function receive(
  file: FileHandle,
  body: ReadableStream<Uint8Array>,
  options: ReceiveOptions,
): Promise<StoredObject> {
  const { signal } = options;
  const reader = body.getReader();
  // Cancelling ends a read that waits for a sender who says nothing any more.
  const cancel = () => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener("abort", cancel, { once: true });
  const intake = new Intake(file);
  if (options.onWritten !== undefined) intake.onWritten = options.onWritten;
  try {
    await pour(intake, reader, options);
    const stored = await intake.finish();
    if (options.durable !== false) await file.sync();
    signal?.throwIfAborted();
    return stored;
  } catch (cause) {
    reader.cancel(cause).catch(() => undefined);
    await intake.abandon();
    throw cause;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

/** What is read from: the two libraries that describe streams to the compiler differ in the rest. */
export interface Reader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
}

/**
 * Takes all that the reader has into the intake.
 * @throws Refusal 413 `too_large` for a chunk that goes beyond the limit (nothing of it is taken), what `checkSpace`
 * throws, the signal's reason
 */
export async function pour(intake: Intake, reader: Reader, options: ReceiveOptions): Promise<void> {
  let nextCheckBytes = 0;
  for (;;) {
    if (intake.sizeBytes >= nextCheckBytes) {
      nextCheckBytes = intake.sizeBytes + SPACE_CHECK_BYTES;
      await options.checkSpace();
    }
    options.signal?.throwIfAborted();
    const { done, value } = await reader.read();
    options.signal?.throwIfAborted();
    if (done || value === undefined) return;
    if (intake.sizeBytes + value.byteLength > options.limitBytes) {
      throw tooLarge(options.limitBytes);
    }
    options.onChunk?.(value);
    await take(intake, value);
    collectAfter(value.byteLength);
  }
}

function collectAfter(receivedBytes: number): void {
  uncollectedBytes += receivedBytes;
  if (uncollectedBytes < COLLECT_BYTES) return;
  uncollectedBytes = 0;
  Bun.gc(true);
}

/** Copies a chunk of any length into the intake's blocks. */
export async function take(intake: Intake, chunk: Uint8Array): Promise<void> {
  let rest = chunk;
  while (rest.byteLength > 0) {
    const room = await intake.room();
    const part = rest.subarray(0, room.byteLength);
    room.set(part);
    intake.submit(part.byteLength);
    rest = rest.subarray(part.byteLength);
  }
}

/** Size and SHA-256 of a stream, hashed beside the main thread; nothing is kept of it. */
export async function hashOf(body: ReadableStream<Uint8Array>): Promise<StoredObject> {
  const reader = body.getReader();
  const intake = new Intake(null);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || value === undefined) return await intake.finish();
      await take(intake, value);
    }
  } catch (cause) {
    reader.cancel(cause).catch(() => undefined);
    await intake.abandon();
    throw cause;
  }
}

/** Size and SHA-256 of a file, read from where the handle stands; copied to another file on request. */
export async function readThrough(
  source: FileHandle,
  copyTo: FileHandle | null = null,
): Promise<StoredObject> {
  const intake = new Intake(copyTo);
  try {
    for (;;) {
      const room = await intake.room();
      const { bytesRead } = await source.read(room, 0, room.byteLength, null);
      if (bytesRead === 0) return await intake.finish();
      intake.submit(bytesRead);
    }
  } catch (cause) {
    await intake.abandon();
    throw cause;
  }
}

function tooLarge(limitBytes: number): Refusal {
  return new Refusal(
    413,
    "too_large",
    `The file is larger than the ${limitBytes} bytes that are allowed. Send a smaller one, or raise the limit in the configuration.`,
  );
}

/** Size and SHA-256 of a finished file. */
export async function readFileThrough(path: string): Promise<StoredObject> {
  await using file = await open(path);
  return await readThrough(file);
}
