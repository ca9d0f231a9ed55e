/** Bytes from a stream or a file to disk, hashed on the way, in bounded memory. */
import type { FileHandle } from "node:fs/promises";
import { Refusal } from "../trouble.ts";
import type { PutOptions, StoredObject } from "./storage.ts";

/**
 * Bytes that are gathered for one write: the write runs on a thread of Bun's pool, and below half a
 * mebibyte the hand-over costs more than the write. Two batches are in memory at most.
 */
const BATCH_BYTES = 1024 ** 2;

/** Bytes read and hashed at once from a file: about a millisecond of hashing between two turns of the loop. */
const READ_BYTES = 512 * 1024;

/** How often the free space is looked at: other writers can take no more than this unnoticed. */
const SPACE_CHECK_BYTES = 64 * 1024 ** 2;

export interface ReceiveOptions extends PutOptions {
  /** Called before the first byte and every 64 MiB. @throws Refusal 507 `storage_full` */
  checkSpace(): Promise<void>;
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
  try {
    signal?.throwIfAborted();
    const stored = await copy(file, reader, options);
    await file.sync();
    signal?.throwIfAborted();
    return stored;
  } catch (cause) {
    reader.cancel(cause).catch(() => undefined);
    throw cause;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

/** What is read from: the two libraries that describe streams to the compiler differ in the rest. */
interface Reader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
}

async function copy(
  file: FileHandle,
  reader: Reader,
  options: ReceiveOptions,
): Promise<StoredObject> {
  const hasher = new Bun.CryptoHasher("sha256");
  const writer = new BatchWriter(file);
  let sizeBytes = 0;
  let nextCheckBytes = 0;
  try {
    for (;;) {
      if (sizeBytes >= nextCheckBytes) {
        nextCheckBytes = sizeBytes + SPACE_CHECK_BYTES;
        await options.checkSpace();
      }
      const { done, value } = await reader.read();
      options.signal?.throwIfAborted();
      if (done || value === undefined) break;
      sizeBytes += value.byteLength;
      if (sizeBytes > options.limitBytes) throw tooLarge(options.limitBytes);
      hasher.update(value);
      const full = writer.add(value);
      if (full) await full;
    }
  } finally {
    // The file is closed after this: no write may still be on its way, whatever went wrong.
    await writer.end();
  }
  return { sizeBytes, sha256: hasher.digest("hex") };
}

/** Gathers chunks and writes one batch while the next is gathered. */
class BatchWriter {
  private readonly file: FileHandle;
  private batch: Uint8Array[] = [];
  private batchBytes = 0;
  private writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle) {
    this.file = file;
  }

  /** Takes a chunk; gives something to wait for when a batch is full. */
  add(chunk: Uint8Array): Promise<void> | null {
    if (chunk.byteLength === 0) return null;
    this.batch.push(chunk);
    this.batchBytes += chunk.byteLength;
    return this.batchBytes < BATCH_BYTES ? null : this.flush();
  }

  /** Writes the rest and waits until all is written. */
  async end(): Promise<void> {
    await this.flush();
    await this.writing;
  }

  private async flush(): Promise<void> {
    const { batch } = this;
    this.batch = [];
    this.batchBytes = 0;
    await this.writing;
    this.writing = writeAll(this.file, batch);
    // Whoever waits next sees the failure; until then it is not unhandled.
    this.writing.catch(() => undefined);
  }
}

/** `writev` may take less than it was given (a disk that fills up, a signal). */
async function writeAll(file: FileHandle, chunks: Uint8Array[]): Promise<void> {
  let rest = chunks;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest);
    rest = dropBytes(rest, bytesWritten);
  }
}

function dropBytes(chunks: Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  const index = chunks.findIndex((chunk) => {
    if (left < chunk.byteLength) return true;
    left -= chunk.byteLength;
    return false;
  });
  const first = chunks[index];
  return first === undefined ? [] : [first.subarray(left), ...chunks.slice(index + 1)];
}

/** A file as a stream of blocks that each take little of the event loop to hash. */
export function blocksOf(file: FileHandle): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const block = new Uint8Array(READ_BYTES);
        const { bytesRead } = await file.read(block, 0, READ_BYTES, null);
        if (bytesRead === 0) controller.close();
        else controller.enqueue(block.subarray(0, bytesRead));
      },
    },
    { highWaterMark: 0 },
  );
}

/** Size and SHA-256 of a file that is read from where the handle stands. */
export async function hashFile(file: FileHandle): Promise<StoredObject> {
  const hasher = new Bun.CryptoHasher("sha256");
  const block = new Uint8Array(READ_BYTES);
  let sizeBytes = 0;
  for (;;) {
    const { bytesRead } = await file.read(block, 0, READ_BYTES, null);
    if (bytesRead === 0) return { sizeBytes, sha256: hasher.digest("hex") };
    hasher.update(block.subarray(0, bytesRead));
    sizeBytes += bytesRead;
  }
}

function tooLarge(limitBytes: number): Refusal {
  return new Refusal(
    413,
    "too_large",
    `The file is larger than the ${limitBytes} bytes that are allowed. Send a smaller one, or raise the limit in the configuration.`,
  );
}
