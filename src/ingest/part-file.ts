/**
 * A file that arrives in parts: each byte is hashed once, on its way in. Only after a restart of the server what is
 * there is read again for its hash.
 */
import { type FileHandle, open, rm } from "node:fs/promises";
import { BLOCK_BYTES, Intake } from "../storage/intake.ts";
import { take } from "../storage/receive.ts";
import type { StoredObject } from "../storage/storage.ts";

export class PartFile {
  readonly path: string;
  private file: FileHandle;
  private intake: Intake;

  private constructor(path: string, file: FileHandle, intake: Intake) {
    this.path = path;
    this.file = file;
    this.intake = intake;
  }

  /**
   * Opens the file and goes on behind what is known to be durable there, in whole blocks; makes it when it is not
   * there.
   */
  static async open(path: string, durableBytes: number): Promise<PartFile> {
    const file = await openForParts(path);
    try {
      const { size } = await file.stat();
      const held = Math.floor(Math.min(size, durableBytes) / BLOCK_BYTES) * BLOCK_BYTES;
      await file.truncate(held);
      const intake = new Intake(file, null, held);
      for (let readBytes = 0; readBytes < held; ) {
        const room = await intake.room();
        const { bytesRead } = await file.read(room, 0, room.byteLength, null);
        if (bytesRead === 0) throw new Error("the part became shorter while it was read");
        intake.submit(bytesRead);
        readBytes += bytesRead;
      }
      return new PartFile(path, file, intake);
    } catch (cause) {
      await file.close();
      throw cause;
    }
  }

  /** Bytes taken so far, those on their way to the disk included. */
  get sizeBytes(): number {
    return this.intake.sizeBytes;
  }

  async take(chunk: Uint8Array): Promise<void> {
    await take(this.intake, chunk);
  }

  /** Begins anew: what was there belongs to another version of the file. */
  async restart(): Promise<void> {
    await this.intake.abandon();
    await this.file.close();
    await rm(this.path, { force: true });
    this.file = await openForParts(this.path);
    this.intake = new Intake(this.file);
  }

  /** Makes durable what has been written, and tells how much that is. */
  async checkpoint(): Promise<number> {
    const { writtenBytes } = this.intake;
    await this.file.datasync();
    return writtenBytes;
  }

  /** All bytes are here: durable, with their hash. */
  async finish(): Promise<StoredObject> {
    const stored = await this.intake.finish();
    await this.file.sync();
    return stored;
  }

  /** Closes it and tells how many bytes of it are durable. Also after `finish`. */
  async close(): Promise<number> {
    await this.intake.abandon();
    try {
      return await this.checkpoint();
    } finally {
      await this.file.close();
    }
  }
}

async function openForParts(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    return await open(path, "wx+", 0o600);
  }
}
