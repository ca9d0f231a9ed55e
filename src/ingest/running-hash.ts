/**
 * The SHA-256 of uploads while they come in, over all their pieces. After a restart, or when one was forgotten, what is
 * there already is read once; the rest is hashed as it passes.
 */
import type { FileHandle } from "node:fs/promises";
import { ThreadedHash } from "../storage/hash-thread.ts";

/** Read at a time when what is there is read again. */
const BLOCK_BYTES = 512 * 1024;

/** Some hundred bytes each. Whoever comes after so many others has the file read once more. */
const HASHES_MAX = 1_000;

export class RunningHash {
  private hash: ThreadedHash;
  private takenBytes = 0;

  constructor(hash = new ThreadedHash()) {
    this.hash = hash;
  }

  /** How far it has come. */
  get sizeBytes(): number {
    return this.takenBytes;
  }

  /** Takes the next bytes. The block is its own until the promise resolves. */
  async update(block: SharedArrayBuffer, sizeBytes: number): Promise<void> {
    this.takenBytes += sizeBytes;
    await this.hash.update(block, sizeBytes);
  }

  /** Reads the file from where this stands up to a place in it. @throws the signal's reason; it can go on later */
  async follow(file: FileHandle, upTo: number, signal: AbortSignal): Promise<void> {
    const block = new SharedArrayBuffer(BLOCK_BYTES);
    while (this.takenBytes < upTo) {
      signal.throwIfAborted();
      const room = new Uint8Array(block, 0, Math.min(BLOCK_BYTES, upTo - this.takenBytes));
      const { bytesRead } = await file.read(room, 0, room.byteLength, this.takenBytes);
      if (bytesRead === 0) throw new Error("an upload's file is shorter than it was");
      await this.update(block, bytesRead);
    }
  }

  /** The same up to here, to come back to. */
  async fork(): Promise<RunningHash> {
    const other = new RunningHash(await this.hash.fork());
    other.takenBytes = this.takenBytes;
    return other;
  }

  /** The hexadecimal digest; ends it, also one that nobody wants any more. */
  digest(): Promise<string> {
    return this.hash.digest();
  }
}

/** The hashes of uploads between their pieces. */
export class RunningHashes {
  private readonly waiting = new Map<string, RunningHash>();

  /** Takes the hash of an upload of which at least so much is there, or begins one. Give it back with `keep`. */
  take(uploadId: string, thereBytes: number): RunningHash {
    const hash = this.waiting.get(uploadId);
    this.waiting.delete(uploadId);
    if (hash !== undefined && hash.sizeBytes <= thereBytes) return hash;
    if (hash !== undefined) end(hash);
    return new RunningHash();
  }

  /** Keeps it for the next piece, if it is of what is there. */
  keep(uploadId: string, hash: RunningHash, thereBytes: number): void {
    if (hash.sizeBytes > thereBytes) {
      end(hash);
      return;
    }
    this.forget(uploadId);
    this.waiting.set(uploadId, hash);
    const [oldest] = this.waiting.keys();
    if (this.waiting.size > HASHES_MAX && oldest !== undefined) this.forget(oldest);
  }

  forget(uploadId: string): void {
    const hash = this.waiting.get(uploadId);
    if (hash !== undefined) end(hash);
    this.waiting.delete(uploadId);
  }
}

/** For one that nobody wants any more. */
export function end(hash: RunningHash | null): void {
  hash?.digest().catch(() => undefined);
}
