/**
 * Uploads that come in pieces and can go on after anything: a cut, a restart, a full disk. What a sender was told is
 * there stays there. The last byte makes an asset of it, or says why not.
 */
import type { Database } from "bun:sqlite";
import type { Library } from "../assets/library.ts";
import { cleanName } from "../assets/name.ts";
import { type Clock, isoTime, within } from "../clock.ts";
import { newId } from "../identity.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../trouble.ts";
import type { Checksum } from "./checksum.ts";
import type { Upload, UploadMetadata, UploadReport } from "./upload.ts";
import { UploadFiles } from "./upload-files.ts";
import { lockedUpload, UploadLocks } from "./upload-locks.ts";
import { UploadRows } from "./upload-rows.ts";

const HOUR_MS = 3600 * 1000;

/** Rows looked at together in a sweep. */
const SWEEP_BATCH = 100;

/** Unfinished uploads told in one list: more than a page shows. */
const LIST_MAX = 200;

/** Below what browsers and proxies wait for; then the sender asks again. */
const SETTLE_MS = 15_000;

export interface UploadsParts {
  database: Database;
  clock: Clock;
  log: Log;
  library: Pick<Library, "admit" | "adopt" | "equalOf" | "get">;
  /** Absolute folder of their bytes alone, best on the disk of the storage: they are not copied then. */
  folder: string;
  /** Bytes of its file system that stay free. */
  reserveBytes: number;
  keepHours: number;
  unfinishedPerUser: number;
}

export class Uploads {
  readonly locks = new UploadLocks();
  private readonly parts: UploadsParts;
  private readonly rows: UploadRows;
  private readonly files: UploadFiles;
  private readonly finishing = new Map<string, Promise<string>>();
  private tick: Timer | null = null;
  private sweeping = false;

  constructor(parts: UploadsParts) {
    this.parts = parts;
    this.rows = new UploadRows(parts.database, parts.clock);
    this.files = new UploadFiles(parts.folder, parts);
  }

  newId(): string {
    return newId("upload");
  }

  /**
   * Begins an upload.
   * @throws Refusal 503 `sandbox_missing`, 413 `too_large`, `quota_exceeded`, 507 `storage_full`, 429 `too_many_uploads`
   */
  async create(
    upload: { id: string; ownerId: string; metadata: UploadMetadata },
    lengthBytes: number,
  ): Promise<Upload> {
    const { unfinishedPerUser, library } = this.parts;
    const { ownerId } = upload;
    await library.admit(lengthBytes, ownerId, this.rows.unfinishedBytes(ownerId));
    // Before the disk is touched: whoever makes thousands of them costs nothing but the asking.
    if (this.rows.countUnfinished(ownerId) >= unfinishedPerUser) {
      throw tooMany(unfinishedPerUser);
    }
    const free = await this.files.freeBytes();
    if (lengthBytes > free) {
      const sentence = `The file has ${lengthBytes} bytes and only ${free} are free for uploads. Free space on the disk, then try again.`;
      throw new Refusal(507, "storage_full", sentence);
    }
    const { filename, name } = upload.metadata;
    await this.files.create(upload.id);
    try {
      const named = { ...upload, lengthBytes, name: cleanName(filename ?? name ?? "") };
      const made = this.rows.insert(named, unfinishedPerUser);
      if (made === null) throw tooMany(unfinishedPerUser);
      return made;
    } catch (cause) {
      await this.files.remove(upload.id);
      throw cause;
    }
  }

  /** @throws Refusal 404 `not_found`, also for another user's upload and for one that has expired */
  get(ownerId: string, id: string): Upload {
    const upload = this.rows.find(id);
    if (upload === null || upload.ownerId !== ownerId || this.isExpired(upload)) {
      throw uploadMissing();
    }
    return upload;
  }

  /** Unfinished ones of everybody. */
  countUnfinished(): number {
    return this.rows.countAllUnfinished();
  }

  /** The upload as it stands, whoever asks: for those who asked `get` before. */
  find(id: string): Upload {
    const upload = this.rows.find(id);
    if (upload === null) throw uploadMissing();
    return upload;
  }

  /** Whether it was not stored, because its owner had an equal file (`ifExists` in its metadata): that is older than it. */
  wasThere({ ownerId, assetId, createdAt }: Upload): boolean {
    if (assetId === null) return false;
    try {
      return this.parts.library.get(ownerId, assetId).createdAt < createdAt;
    } catch (cause) {
      // Deleted since.
      if (cause instanceof Refusal) return false;
      throw cause;
    }
  }

  /** How many of its bytes are here, and would be after a power cut. */
  async offsetOf({ id, assetId, lengthBytes }: Upload): Promise<number> {
    if (assetId !== null || this.finishing.has(id)) return lengthBytes;
    return await this.files.durableSize(id);
  }

  async report(upload: Upload): Promise<UploadReport> {
    const complete = upload.assetId !== null;
    const finishing = this.finishing.has(upload.id);
    const isFull = complete || finishing;
    return {
      ...upload,
      state: complete ? "complete" : finishing ? "finishing" : "receiving",
      offsetBytes: isFull ? upload.lengthBytes : ((await this.files.size(upload.id)) ?? 0),
      active: finishing || this.locks.isHeld(upload.id),
      expiresAt: this.expiryOf(upload),
    };
  }

  /** What this owner has begun and not finished, the newest first. */
  list(ownerId: string): Promise<UploadReport[]> {
    const open = this.rows.unfinishedOf(ownerId, LIST_MAX).filter((one) => !this.isExpired(one));
    return Promise.all(open.map((upload) => this.report(upload)));
  }

  expiryOf({ touchedAt }: Pick<Upload, "touchedAt">): string {
    return isoTime(Date.parse(touchedAt) + this.parts.keepHours * HOUR_MS);
  }

  private isExpired(upload: Upload): boolean {
    return Date.parse(this.expiryOf(upload)) < this.parts.clock.nowMs();
  }

  /**
   * Takes further bytes. Its caller holds the lock.
   * @returns how many are here then, durably
   * @throws Refusal as `UploadFiles.append`
   */
  async append(
    id: string,
    piece: {
      body: ReadableStream<Uint8Array>;
      from: number;
      checksum: Checksum | null;
      signal: AbortSignal;
    },
  ): Promise<number> {
    const { lengthBytes, assetId } = this.find(id);
    if (assetId !== null || this.finishing.has(id)) return lengthBytes;
    if (piece.checksum !== null) this.rows.noteUnchecked(id, piece.from);
    try {
      return await this.files.append(id, { ...piece, lengthBytes });
    } finally {
      if (piece.checksum !== null) this.rows.noteUnchecked(id, null);
      this.rows.touch(id);
    }
  }

  /**
   * Makes an asset of an upload whose bytes are all here; once, however many ask. It goes on when the asker goes.
   * @returns the asset's id
   * @throws Refusal 422 `not_media`: the upload is gone then; others, and it can be asked for again
   */
  finish(id: string): Promise<string> {
    const running = this.finishing.get(id);
    if (running !== undefined) return running;
    const work = this.makeAsset(id).finally(() => this.finishing.delete(id));
    work.catch(() => undefined);
    this.finishing.set(id, work);
    return work;
  }

  private async makeAsset(id: string): Promise<string> {
    const { ownerId, name, lengthBytes, assetId, metadata } = this.find(id);
    if (assetId !== null) return assetId;
    const path = this.files.pathOf(id);
    const known = await this.files.describe(id, lengthBytes);
    const sha256 =
      metadata["ifExists"] === "reuse"
        ? (known?.sha256 ?? (await this.files.hashOfSmall(id)))
        : null;
    const equal = sha256 === null ? null : this.parts.library.equalOf(ownerId, sha256);
    if (equal !== null) {
      this.rows.complete(id, equal.id);
      await this.files.remove(id);
      return equal.id;
    }
    try {
      const arrival = { ownerId, name, path, known };
      const asset = await this.parts.library.adopt(arrival, (made) => {
        this.rows.complete(id, made.id);
      });
      // The asset has the bytes under its own name.
      await this.files.remove(id);
      return asset.id;
    } catch (cause) {
      if (cause instanceof Refusal && cause.status === 422) await this.drop(id);
      throw cause;
    }
  }

  /**
   * Waits for an upload whose bytes are all here to become an asset, and has it become one if nobody did.
   * @returns the asset's id; null for one whose bytes are not all here
   * @throws Refusal 423 `locked` when it takes long, and as `finish`
   */
  async settle(upload: Upload): Promise<string | null> {
    if (upload.assetId !== null) return upload.assetId;
    const there = this.finishing.has(upload.id) || (await this.isFull(upload));
    if (!there) return null;
    try {
      const assetId = await within(SETTLE_MS, this.finish(upload.id));
      if (assetId === null) throw lockedUpload();
      return assetId;
    } catch (cause) {
      // Clients begin anew when HEAD fails, but not when it says 423.
      const passes = cause instanceof Refusal && cause.status >= 500;
      throw passes ? lockedUpload(`All of it has arrived, but: ${cause.message}`) : cause;
    }
  }

  private async isFull({ id, lengthBytes }: Upload): Promise<boolean> {
    // Somebody who still writes finishes it, or takes back what has a wrong checksum.
    return !this.locks.isHeld(id) && (await this.files.size(id)) === lengthBytes;
  }

  /** Removes an upload and its bytes. Its caller holds the lock. @throws Refusal 423 `locked`, 409 `complete` */
  async remove(id: string): Promise<void> {
    if (this.finishing.has(id)) throw lockedUpload();
    if (this.find(id).assetId !== null) {
      const sentence = "This upload is complete and has become an asset. Delete the asset instead.";
      throw new Refusal(409, "complete", sentence);
    }
    await this.drop(id);
  }

  /** The row first: what a crash leaves is a file that nobody knows, and the next start removes it. */
  async drop(id: string): Promise<void> {
    this.rows.remove(id);
    await this.files.remove(id);
  }

  /** Puts in order what a crash left. Call it once, before anything else is asked. */
  async recover(): Promise<void> {
    const known = new Set<string>();
    for (const upload of this.rows.unfinished()) {
      if ((await this.files.size(upload.id)) === null) {
        this.parts.log.warn({ upload: upload.id }, "the bytes of an upload are gone");
        this.rows.remove(upload.id);
        continue;
      }
      known.add(upload.id);
      if (upload.uncheckedFrom === null) continue;
      await this.files.truncate(upload.id, upload.uncheckedFrom);
      this.rows.noteUnchecked(upload.id, null);
    }
    for (const name of await this.files.names()) {
      if (!known.has(name)) await this.files.remove(name);
    }
  }

  /** Sweeps now and every hour. */
  start(): void {
    this.tick = setInterval(() => void this.sweep(), HOUR_MS);
    void this.sweep();
  }

  /** Finishes what had come whole before the server ended. Call it when files can be looked into. */
  async finishLeft(): Promise<void> {
    for (const upload of this.rows.unfinished()) {
      if (!(await this.isFull(upload))) continue;
      await this.finish(upload.id).catch((cause: unknown) =>
        this.parts.log.warn({ err: cause, upload: upload.id }, "an upload could not be finished"),
      );
    }
  }

  /** Removes what has expired, in batches, until nothing is left. Never rejects. */
  async sweep(): Promise<void> {
    if (this.sweeping) return;
    this.sweeping = true;
    const { log, clock, keepHours } = this.parts;
    const before = isoTime(clock.nowMs() - keepHours * HOUR_MS);
    let swept = 0;
    try {
      for (;;) {
        const old = this.rows.untouchedSince(before, SWEEP_BATCH);
        const idle = old.filter(({ id }) => !this.locks.isHeld(id) && !this.finishing.has(id));
        for (const { id } of idle) await this.drop(id);
        swept += idle.length;
        if (old.length < SWEEP_BATCH || idle.length === 0) break;
      }
    } catch (cause) {
      log.warn({ err: cause }, "old uploads could not be swept; the next sweep tries");
    } finally {
      this.sweeping = false;
    }
    if (swept > 0) log.info({ swept }, "removed uploads that nobody went on with");
  }

  /** Ends the sweeps; what is being finished goes on for as long as the server waits. */
  async stop(limitMs: number): Promise<void> {
    if (this.tick !== null) clearInterval(this.tick);
    this.tick = null;
    await within(limitMs, Promise.allSettled(this.finishing.values()));
  }
}

function tooMany(most: number): Refusal {
  return new Refusal(
    429,
    "too_many_uploads",
    `You have ${most} unfinished uploads, which is as many as are allowed (uploads.unfinishedPerUser). Finish some, or delete them.`,
    { headers: { "Retry-After": "60" } },
  );
}

function uploadMissing(): Refusal {
  const sentence = "There is no such upload. It may have been deleted, or nobody went on with it.";
  return new Refusal(404, "not_found", sentence);
}
