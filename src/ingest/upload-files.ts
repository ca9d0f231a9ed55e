/**
 * Bytes of uploads: one file each, which only grows. How far an upload has come is the length of its file, so that no
 * record of it can be wrong after a crash. It is synced before anybody is told.
 */
import { constants, mkdirSync } from "node:fs";
import { type FileHandle, open, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "../storage/disk.ts";
import { type BlockFollower, Intake } from "../storage/intake.ts";
import { diskRefusal, storageFull } from "../storage/local-file.ts";
import { pour } from "../storage/receive.ts";
import type { StoredObject } from "../storage/storage.ts";
import { Refusal } from "../trouble.ts";
import type { Checksum } from "./checksum.ts";
import { end, type RunningHash, RunningHashes } from "./running-hash.ts";

/** A file of this size is read back at once: a hash on its way would cost more. */
const SMALL_BYTES = 512 * 1024;

const unhashed: BlockFollower = { update: () => Promise.resolve() };

/** Bytes that come for an upload. */
export interface Piece {
  body: ReadableStream<Uint8Array>;
  /** Where they go: the length of the file. */
  from: number;
  /** Of the whole upload. */
  lengthBytes: number;
  /** Null: they are believed as they come, and kept also when the connection breaks. */
  checksum: Checksum | null;
  /** Ends it; what came is kept unless it has a checksum. */
  signal: AbortSignal;
}

export class UploadFiles {
  private readonly folder: string;
  private readonly limits: { readonly reserveBytes: number };
  private readonly hashes = new RunningHashes();

  /** @param limits.reserveBytes bytes of its file system that stay free; it may change */
  constructor(folder: string, limits: { readonly reserveBytes: number }) {
    this.folder = folder;
    this.limits = limits;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  pathOf(id: string): string {
    return join(this.folder, id);
  }

  /** Names of all files that are there. */
  names(): Promise<string[]> {
    return readdir(this.folder);
  }

  /** Makes an empty file whose name survives a power cut. @throws Refusal 507 `storage_full` */
  async create(id: string): Promise<void> {
    await this.checkSpace();
    try {
      await (await open(this.pathOf(id), "wx", 0o600)).close();
      await syncFolder(this.folder);
    } catch (cause) {
      throw diskRefusal(cause) ?? cause;
    }
  }

  /** How many bytes are there; null when there is no such file. */
  async size(id: string): Promise<number | null> {
    try {
      return (await stat(this.pathOf(id))).size;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw cause;
    }
  }

  /** How many bytes would be there after a power cut. */
  async durableSize(id: string): Promise<number> {
    await using file = await open(this.pathOf(id), "r");
    await file.sync();
    return (await file.stat()).size;
  }

  /** Takes back what came after `sizeBytes`. */
  async truncate(id: string, sizeBytes: number): Promise<void> {
    await using file = await open(this.pathOf(id), "r+");
    if ((await file.stat()).size > sizeBytes) await file.truncate(sizeBytes);
    await file.sync();
  }

  async remove(id: string): Promise<void> {
    this.hashes.forget(id);
    await rm(this.pathOf(id), { force: true });
  }

  /**
   * Appends a piece and makes it durable.
   * @returns how many bytes are there then
   * @throws Refusal 413 `too_large` and 460 `checksum_mismatch`: nothing of the piece is kept; 507 `storage_full`, the
   * signal's reason and what the body throws: what came is kept, without a checksum
   */
  async append(id: string, piece: Piece): Promise<number> {
    await using file = await open(this.pathOf(id), constants.O_RDWR | constants.O_APPEND);
    const hash = piece.lengthBytes > SMALL_BYTES ? this.hashes.take(id, piece.from) : null;
    const kept = { hash };
    try {
      await hash?.follow(file, piece.from, piece.signal);
      const before = piece.checksum === null ? null : ((await hash?.fork()) ?? null);
      const trouble = await this.write(file, hash ?? unhashed, piece);
      const takenBack = trouble !== null && keepsNothing(piece, trouble);
      if (takenBack) await file.truncate(piece.from);
      if (before !== null) {
        kept.hash = takenBack ? before : hash;
        end(takenBack ? hash : before);
      }
      await file.sync();
      if (trouble !== null) throw trouble;
      return (await file.stat()).size;
    } catch (cause) {
      throw diskRefusal(cause) ?? cause;
    } finally {
      await this.keepHash(id, file, kept.hash);
    }
  }

  private async keepHash(id: string, file: FileHandle, hash: RunningHash | null): Promise<void> {
    if (hash !== null) this.hashes.keep(id, hash, (await file.stat()).size);
  }

  /** @returns what went wrong; null when all is written */
  private async write(file: FileHandle, follower: BlockFollower, piece: Piece): Promise<unknown> {
    const { body, signal, checksum } = piece;
    const intake = new Intake(file, follower);
    const reader = body.getReader();
    // Cancelling ends a read that waits for a sender who says nothing any more.
    const cancel = () => void reader.cancel(signal.reason).catch(() => undefined);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      let trouble: unknown = null;
      try {
        await pour(intake, reader, {
          limitBytes: piece.lengthBytes - piece.from,
          signal,
          checkSpace: () => this.checkSpace(),
          onChunk: (chunk) => checksum?.update(chunk),
        });
        checksum?.compare();
      } catch (cause) {
        trouble = cause;
        reader.cancel(cause).catch(() => undefined);
      }
      await intake.flush();
      return trouble instanceof Refusal && trouble.code === "too_large" ? beyondLength() : trouble;
    } catch (cause) {
      await intake.abandon();
      reader.cancel(cause).catch(() => undefined);
      return cause;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  /** Size and SHA-256 of a file that is complete; null when it is quicker to read it. */
  async describe(id: string, sizeBytes: number): Promise<StoredObject | null> {
    if (sizeBytes <= SMALL_BYTES) return null;
    await using file = await open(this.pathOf(id), "r");
    const hash = this.hashes.take(id, sizeBytes);
    await hash.follow(file, sizeBytes, new AbortController().signal);
    return { sizeBytes, sha256: await hash.digest() };
  }

  /** SHA-256 of a file that `describe` would not read. */
  async hashOfSmall(id: string): Promise<string> {
    const bytes = await Bun.file(this.pathOf(id)).bytes();
    return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  }

  /** Bytes that uploads may still take on this disk. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder);
    return Math.max(0, bavail * bsize - this.limits.reserveBytes);
  }

  private async checkSpace(): Promise<void> {
    if ((await this.freeBytes()) === 0) throw storageFull();
  }
}

/** What is not known to be right as a whole is not kept in part. */
function keepsNothing(piece: Piece, trouble: unknown): boolean {
  return piece.checksum !== null || (trouble instanceof Refusal && trouble.status === 413);
}

function beyondLength(): Refusal {
  return new Refusal(
    413,
    "too_large",
    "More bytes came than Upload-Length said. Nothing of this piece was kept.",
  );
}
