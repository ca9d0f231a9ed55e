/**
 * Uploads that go past this server: the sender puts parts straight into the bucket, by addresses that are valid for a
 * quarter of an hour and for one part each. The server begins them, says what is missing, puts them together, reads the
 * object once (its SHA-256, what it is) and makes an asset of it, or says why not.
 */
import type { Database } from "bun:sqlite";
import type { Library } from "../assets/library.ts";
import { cleanName } from "../assets/name.ts";
import { type Clock, isoTime, within } from "../clock.ts";
import { newId } from "../identity.ts";
import type { Log } from "../log.ts";
import type { Bucket, PartReceipt } from "../storage/s3-bucket.ts";
import { partBytesFor } from "../storage/s3-sending.ts";
import type { Storage } from "../storage/storage.ts";
import { Refusal } from "../trouble.ts";
import { type DirectUpload, partCount, partSize } from "./direct-upload.ts";
import { DirectUploadRows } from "./direct-upload-rows.ts";

const HOUR_MS = 3600 * 1000;

/** A part is sent well within it; who was paused asks for new ones. */
const ADDRESS_SECONDS = 15 * 60;

/** Parts told as missing in one refusal. */
const MISSING_TOLD_MAX = 1_000;

/** Unfinished uploads told in one list. */
const LIST_MAX = 200;

/** Rows looked at together in a sweep. */
const SWEEP_BATCH = 100;

export interface DirectUploadsParts {
  database: Database;
  clock: Clock;
  log: Log;
  library: Pick<Library, "admit" | "claim">;
  storage: Pick<Storage, "delete">;
  bucket: Bucket;
  keepHours: number;
  unfinishedPerUser: number;
}

export interface WantedUpload {
  name: string;
  sizeBytes: number;
  modified: string;
}

export class DirectUploads {
  private readonly parts: DirectUploadsParts;
  private readonly rows: DirectUploadRows;
  private readonly finishing = new Map<string, Promise<void>>();
  private tick: Timer | null = null;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(parts: DirectUploadsParts) {
    this.parts = parts;
    this.rows = new DirectUploadRows(parts.database, parts.clock);
  }

  /**
   * Begins one.
   * @throws Refusal 503 `sandbox_missing`, 413 `too_large`, 429 `too_many_uploads`, those of the bucket
   */
  async create(
    ownerId: string,
    { name, sizeBytes, modified }: WantedUpload,
  ): Promise<DirectUpload> {
    const { library, bucket, unfinishedPerUser } = this.parts;
    await library.admit(sizeBytes, ownerId, this.rows.unfinishedBytes(ownerId));
    if (this.rows.countUnfinished(ownerId) >= unfinishedPerUser) throw tooMany(unfinishedPerUser);
    const key = newId("asset");
    const partsId = await bucket.beginParts(key);
    const partBytes = partBytesFor(sizeBytes, bucket.settings.partBytes);
    const upload = { id: newId("upload"), ownerId, name: cleanName(name), modified };
    const made = this.rows.insert(
      { ...upload, sizeBytes, partBytes, key, partsId },
      unfinishedPerUser,
    );
    if (made !== null) return made;
    await this.dropParts({ key, partsId });
    throw tooMany(unfinishedPerUser);
  }

  /** @throws Refusal 404 `not_found`, also for another user's upload and for one that has expired */
  get(ownerId: string, id: string): DirectUpload {
    const upload = this.rows.find(id);
    if (upload === null || upload.ownerId !== ownerId || this.isExpired(upload)) throw missing();
    return upload;
  }

  list(ownerId: string): DirectUpload[] {
    return this.rows.unfinishedOf(ownerId, LIST_MAX).filter((one) => !this.isExpired(one));
  }

  expiryOf({ touchedAt }: Pick<DirectUpload, "touchedAt">): string {
    return isoTime(Date.parse(touchedAt) + this.parts.keepHours * HOUR_MS);
  }

  private isExpired(upload: DirectUpload): boolean {
    return Date.parse(this.expiryOf(upload)) < this.parts.clock.nowMs();
  }

  /** Numbers of the parts that are whole in the bucket. */
  async received(upload: DirectUpload): Promise<number[]> {
    if (upload.state !== "receiving") return [];
    return (await this.receipts(upload)).map(({ partNumber }) => partNumber);
  }

  private async receipts(upload: DirectUpload): Promise<PartReceipt[]> {
    const found = await this.parts.bucket.partsOf(upload.key, upload.partsId);
    return found.flatMap(({ PartNumber: partNumber, ETag: etag, Size: size }) => {
      if (partNumber === undefined || etag === undefined) return [];
      return size === partSize(upload, partNumber) ? [{ partNumber, etag }] : [];
    });
  }

  /** Where these parts are to be put. @throws Refusal 409 `wrong_state`, 422 `invalid` for a part that there is not */
  async addresses(
    upload: DirectUpload,
    wanted: readonly number[],
  ): Promise<{ part: number; url: string; sizeBytes: number }[]> {
    if (upload.state !== "receiving") throw wrongState(upload);
    const count = partCount(upload);
    const stray = wanted.findIndex((part) => part > count);
    if (stray !== -1) {
      throw new Refusal(422, "invalid", `The upload has ${count} parts, counted from 1.`, {
        errors: [{ path: `parts.${stray}`, message: "there is no such part" }],
      });
    }
    this.rows.touch(upload.id);
    const { bucket, clock } = this.parts;
    const { key, partsId: uploadId } = upload;
    return await Promise.all(
      wanted.map(async (part) => {
        const grant = { method: "PUT", expiresSeconds: ADDRESS_SECONDS } as const;
        const url = await bucket.urlFor(
          key,
          { ...grant, part: { uploadId, partNumber: part } },
          clock.nowMs(),
        );
        return { part, url, sizeBytes: partSize(upload, part) };
      }),
    );
  }

  /**
   * Puts the parts together and makes an asset, once, however many ask; resolves when it has ended well or was refused,
   * which its row says. It goes on when the asker goes.
   * @throws Refusal 409 `incomplete` whose errors name parts that are missing; those of the bucket: it can be asked again
   */
  finish(upload: DirectUpload): Promise<void> {
    const { id } = upload;
    const running = this.finishing.get(id);
    if (running !== undefined) return running;
    const work = this.makeAsset(upload).finally(() => this.finishing.delete(id));
    work.catch(() => undefined);
    this.finishing.set(id, work);
    return work;
  }

  private async makeAsset(upload: DirectUpload): Promise<void> {
    const { id, ownerId, name, key, state } = upload;
    if (state === "complete" || state === "refused") return;
    const { library, storage } = this.parts;
    await this.putTogether(upload);
    try {
      await library.claim({ id: key, ownerId, name }, () => {
        this.rows.move(id, "finishing", "complete");
      });
    } catch (cause) {
      // No media, or more than this person may keep: it will not be otherwise another time.
      if (!(cause instanceof Refusal) || ![413, 422].includes(cause.status)) throw cause;
      await storage.delete(key);
      const { status, code, message: detail } = cause;
      this.rows.refuse(id, { status, code, detail });
    }
  }

  private async putTogether(upload: DirectUpload): Promise<void> {
    const { bucket } = this.parts;
    const { id, key, partsId, sizeBytes, state } = upload;
    // A crash may have come after it was put together: then its parts are no more, and the object is there.
    if (state === "finishing" && (await bucket.head(key)) !== null) return;
    const receipts = await this.receipts(upload);
    const there = new Set(receipts.map(({ partNumber }) => partNumber));
    const all = Array.from({ length: partCount(upload) }, (_, index) => index + 1);
    const lacking = all.filter((part) => !there.has(part));
    if (lacking.length > 0) {
      this.rows.move(id, "finishing", "receiving");
      throw incomplete(lacking);
    }
    this.rows.move(id, "receiving", "finishing");
    await bucket.finishParts(key, partsId, receipts, sizeBytes);
  }

  /** Gives one up; what has come of it is deleted. @throws Refusal 409 `wrong_state` when it has all come */
  async remove(upload: DirectUpload): Promise<void> {
    if (upload.state === "finishing" || this.finishing.has(upload.id)) throw wrongState(upload);
    if (upload.state === "receiving") await this.dropParts(upload);
    this.rows.remove(upload.id);
  }

  private dropParts({ key, partsId }: Pick<DirectUpload, "key" | "partsId">): Promise<void> {
    return this.parts.bucket.dropUpload({ key, uploadId: partsId, initiatedMs: 0 });
  }

  /** Ends what a crash left while it was being finished, and sweeps now and every hour. */
  start(): void {
    for (const upload of this.rows.finishing()) {
      this.finish(upload).catch((cause: unknown) =>
        this.parts.log.warn({ err: cause, upload: upload.id }, "an upload could not be finished"),
      );
    }
    this.tick = setInterval(() => void this.sweep(), HOUR_MS);
    void this.sweep();
  }

  /** Removes what has expired. Never rejects. */
  sweep(): Promise<void> {
    this.sweeping = this.sweeping.then(() => this.sweepNow());
    return this.sweeping;
  }

  private async sweepNow(): Promise<void> {
    const { log, clock, keepHours } = this.parts;
    const before = isoTime(clock.nowMs() - keepHours * HOUR_MS);
    try {
      for (;;) {
        const old = this.rows.untouchedSince(before, SWEEP_BATCH);
        const idle = old.filter(({ id }) => !this.finishing.has(id));
        for (const upload of idle) {
          if (upload.state === "receiving") await this.dropParts(upload);
          // Its object may be there, of a server that ended before it was looked into.
          if (upload.state === "finishing") await this.parts.storage.delete(upload.key);
          this.rows.remove(upload.id);
        }
        if (idle.length > 0) log.info({ swept: idle.length }, "removed direct uploads that ended");
        if (old.length < SWEEP_BATCH || idle.length === 0) return;
      }
    } catch (cause) {
      log.warn({ err: cause }, "old direct uploads could not be swept; the next sweep tries");
    }
  }

  /** Ends the sweeps; what is being finished goes on for as long as the server waits. */
  async stop(limitMs: number): Promise<void> {
    if (this.tick !== null) clearInterval(this.tick);
    this.tick = null;
    await within(limitMs, Promise.allSettled([this.sweeping, ...this.finishing.values()]));
  }
}

function tooMany(most: number): Refusal {
  return new Refusal(
    429,
    "too_many_uploads",
    `You have ${most} unfinished uploads into the bucket, which is as many as are allowed (uploads.unfinishedPerUser). Finish some, or delete them.`,
    { headers: { "Retry-After": "60" } },
  );
}

function missing(): Refusal {
  const sentence = "There is no such upload. It may have been deleted, or nobody went on with it.";
  return new Refusal(404, "not_found", sentence);
}

function wrongState({ state }: DirectUpload): Refusal {
  const words = state === "finishing" ? "is being looked into" : `is ${state}`;
  return new Refusal(409, "wrong_state", `This upload ${words}: all of its bytes have come.`);
}

function incomplete(lacking: readonly number[]): Refusal {
  const told = lacking.slice(0, MISSING_TOLD_MAX);
  return new Refusal(
    409,
    "incomplete",
    `${lacking.length} parts are missing or have another size than they should; "errors" names them. Ask for addresses and put them, then call this again.`,
    { errors: told.map((part) => ({ path: `parts.${part}`, message: "is missing" })) },
  );
}
