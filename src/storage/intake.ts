/** Bytes on their way in: each block is hashed on one thread while it is written on another. */
import type { FileHandle } from "node:fs/promises";
import { assert } from "../trouble.ts";
import { ThreadedHash } from "./hash-thread.ts";
import type { StoredObject } from "./storage.ts";

/** One write and one message to the hashing thread: below it their overhead shows, above it only memory. */
export const BLOCK_BYTES = 512 * 1024;

/** One is filled while others are hashed and written: 2 MiB of memory for each object on its way. */
const BLOCKS = 4;

/** Whoever is shown every block in order, besides the file. */
export interface BlockFollower {
  /** The block is the follower's until the promise resolves. */
  update(block: SharedArrayBuffer, sizeBytes: number): Promise<void>;
}

interface Block {
  memory: SharedArrayBuffer;
  /** Settles when it is hashed and written, and may be filled again. */
  free: Promise<unknown>;
}

/**
 * Takes bytes through a ring of blocks, so that memory does not grow with the object. The order of calls is
 * `room`, `submit`, `room`, `submit` …, `finish`; `abandon` after any failure. What comes in parts of one object ends
 * each part with `flush`, and its own follower makes the hash of all of them.
 */
export class Intake {
  private readonly file: FileHandle | null;
  private readonly follower: BlockFollower | null;
  private readonly ring: Block[] = [];
  private turn = 0;
  private hash: ThreadedHash | null = null;
  private writing: Promise<void> = Promise.resolve();
  /** Bytes in the current block that are not submitted yet. */
  private filledBytes = 0;
  private submittedBytes = 0;
  /** Told how many bytes can be read in the file by now. */
  onWritten: (writtenBytes: number) => void = () => {};
  private readonly heldBytes: number;
  private doneBytes: number;

  /**
   * @param file where the bytes go, from where it stands; null hashes only
   * @param follower who hashes instead of this: then `flush` ends the part, and not `finish`
   * @param heldBytes so many of the first bytes are in the file already, whole blocks of them: they are hashed and
   * not written
   */
  constructor(file: FileHandle | null, follower: BlockFollower | null = null, heldBytes = 0) {
    assert(heldBytes % BLOCK_BYTES === 0, "whole blocks are held");
    this.file = file;
    this.follower = follower;
    this.heldBytes = heldBytes;
    this.doneBytes = heldBytes;
  }

  /** Bytes that are in the file; a sync of it makes them durable. */
  get writtenBytes(): number {
    return this.doneBytes;
  }

  get sizeBytes(): number {
    return this.submittedBytes + this.filledBytes;
  }

  /** The unused part of the current block, at least one byte. Throws what an earlier write threw. */
  async room(): Promise<Uint8Array> {
    const block = this.current();
    await block.free;
    return new Uint8Array(block.memory, this.filledBytes);
  }

  /** Says that so many bytes of the room were filled; a full block goes on its way. */
  submit(filledBytes: number): void {
    this.filledBytes += filledBytes;
    if (this.filledBytes === BLOCK_BYTES) this.send();
  }

  /** Resolves when all is hashed and written (not yet durable). */
  async finish(): Promise<StoredObject> {
    const { sizeBytes } = this;
    // What fits into one block is hashed at once: most objects are pictures, no thread need start.
    const small = this.submittedBytes === 0 ? this.digestHere() : null;
    if (small === null && this.filledBytes > 0) this.send();
    if (small !== null && this.filledBytes > 0) this.write(this.current(), this.filledBytes);
    await Promise.all([this.writing, ...this.ring.map(({ free }) => free)]);
    const hash = small === null ? (this.hash ?? new ThreadedHash()) : null;
    this.hash = null;
    return { sizeBytes, sha256: small ?? (await hash?.digest()) ?? "" };
  }

  /** Resolves when all is with the follower and written (not yet durable). Throws what a write threw. */
  async flush(): Promise<void> {
    if (this.filledBytes > 0) this.send();
    await Promise.all([this.writing, ...this.ring.map(({ free }) => free)]);
  }

  /** Waits until nothing is under way any more, so that the file can be closed; never throws. */
  async abandon(): Promise<void> {
    await Promise.allSettled([this.writing, ...this.ring.map(({ free }) => free)]);
    await this.hash?.digest().catch(() => undefined);
  }

  private current(): Block {
    const block = this.ring[this.turn];
    if (block !== undefined) return block;
    const fresh = { memory: new SharedArrayBuffer(BLOCK_BYTES), free: Promise.resolve() };
    this.ring.push(fresh);
    return fresh;
  }

  private digestHere(): string {
    const bytes = new Uint8Array(this.current().memory, 0, this.filledBytes);
    return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  }

  private send(): void {
    const block = this.current();
    const sizeBytes = this.filledBytes;
    const hashed = this.hasher().update(block.memory, sizeBytes);
    this.write(block, sizeBytes);
    block.free = Promise.all([hashed, this.writing]);
    // Seen by whoever waits for the block next; until then it is not unhandled.
    block.free.catch(() => undefined);
    this.submittedBytes += sizeBytes;
    this.filledBytes = 0;
    this.turn = (this.turn + 1) % BLOCKS;
  }

  private hasher(): BlockFollower {
    if (this.follower !== null) return this.follower;
    this.hash ??= new ThreadedHash();
    return this.hash;
  }

  private write(block: Block, sizeBytes: number): void {
    const { file } = this;
    if (file === null || this.submittedBytes < this.heldBytes) return;
    const bytes = new Uint8Array(block.memory, 0, sizeBytes);
    this.writing = this.writing.then(async () => {
      await writeAll(file, bytes);
      this.doneBytes += sizeBytes;
      this.onWritten(this.doneBytes);
    });
    this.writing.catch(() => undefined);
  }
}

/** A write may take less than it was given (a disk that fills up); the next one then says why. */
export async function writeAll(
  file: FileHandle,
  bytes: Uint8Array,
  position: number | null = null,
): Promise<void> {
  let writtenBytes = 0;
  while (writtenBytes < bytes.byteLength) {
    const at = position === null ? null : position + writtenBytes;
    const restBytes = bytes.byteLength - writtenBytes;
    const { bytesWritten } = await file.write(bytes, writtenBytes, restBytes, at);
    writtenBytes += bytesWritten;
  }
}
