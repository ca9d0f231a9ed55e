/**
 * The library: takes bytes in, proves that they are media, records them, gives them out, deletes them.
 * An asset is recorded only after its bytes are safe, and its bytes go only after its record is marked.
 */
import type { Database } from "bun:sqlite";
import type { Clock } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { newId } from "../identity.ts";
import type { Log } from "../log.ts";
import type { MediaInfo } from "../media/media.ts";
import { readFileThrough } from "../storage/receive.ts";
import type { Storage, StoredObject } from "../storage/storage.ts";
import { assert, Refusal } from "../trouble.ts";
import { Allowances, keepEverything, type RetentionSettings } from "./allowances.ts";
import type { Asset, AssetOrigin, WhenEqual } from "./asset.ts";
import { Catalogue } from "./catalogue.ts";
import { CompanionRows, deleteBeside } from "./companion-rows.ts";
import { type Content, contentOf, contentType, keepWordsOfOld } from "./content.ts";
import { cleanLabels } from "./labels.ts";
import type { AssetFilter } from "./listing.ts";
import { cleanName } from "./name.ts";
import { type AssetChange, type AssetPage, AssetRecords } from "./records.ts";
import { assetMissing, refuseUnlessMarked } from "./refusals.ts";

export interface LibraryParts {
  database: Database;
  storage: Storage;
  clock: Clock;
  log: Log;
  /** Tells what a file is; refuses (422) what is not media. */
  probe(path: string): Promise<MediaInfo>;
  uploadMaxBytes: number;
  /** Why nothing is taken in, and what to do; absent or null: uploads are taken. */
  uploadsRefused?: string | null;
  /** Absent: everything stays, and what is deleted is gone at once. */
  retention?: RetentionSettings;
  /** Called after an asset was recorded or deleted: pages refresh, the thumbnailer wakes. */
  onChange(asset: Asset): void;
}

export interface UploadOptions {
  /** Ends the upload when the client goes away. */
  signal?: AbortSignal;
  /** Content-Length when the client sent one: refused early when it is too much. */
  declaredBytes: number | null;
}

/** What came of an upload: a new asset, or the equal one that its owner had. */
export interface Taken {
  asset: Asset;
  reused: boolean;
}

/** A file that has come in some other way than as a stream. */
export interface Arrival {
  /** The id that was promised for it; absent: a new one. */
  id?: string;
  ownerId: string;
  /** Any text: it is brought into form. */
  name: string;
  /** Where it lies on this box. */
  path: string;
  /** Size and SHA-256 where they are known: the file is not read for them again. */
  known: StoredObject | null;
  /** Absent: an upload. */
  origin?: AssetOrigin;
}

export class Library {
  readonly records: AssetRecords;
  readonly allowances: Allowances;
  /** What is kept beside its assets. */
  readonly companions: CompanionRows;
  readonly catalogue: Catalogue;
  private readonly parts: LibraryParts;

  constructor(parts: LibraryParts) {
    this.parts = parts;
    const { database, clock, retention = keepEverything } = parts;
    this.records = new AssetRecords(database, clock);
    this.catalogue = new Catalogue(database);
    this.allowances = new Allowances(database, clock, retention);
    this.companions = new CompanionRows(database, clock);
  }

  /** Why no upload is taken on this box, and what to do; null when they are. */
  get uploadsRefused(): string | null {
    return this.parts.uploadsRefused ?? null;
  }

  /**
   * Stores a stream as a new asset of this owner. After it resolves the asset survives a power cut.
   * @throws Refusal 503 `sandbox_missing`, 413 `too_large`, `quota_exceeded`, 422 `not_media` (and the like of the probe),
   * 507 `storage_full`; nothing is kept then.
   */
  async upload(
    ownerId: string,
    name: string,
    body: ReadableStream<Uint8Array>,
    options: UploadOptions,
  ): Promise<Asset> {
    return (await this.take(ownerId, name, body, options, "keep")).asset;
  }

  /** The same, for who has a word on equal files. @throws as `upload` */
  async take(
    ownerId: string,
    name: string,
    body: ReadableStream<Uint8Array>,
    options: UploadOptions,
    ifExists: WhenEqual,
  ): Promise<Taken> {
    await this.admit(options.declaredBytes, ownerId);
    const { storage, uploadMaxBytes: limitBytes } = this.parts;
    const { signal } = options;
    return await this.arrive(async (id) => {
      const stored = await storage.put(id, body, {
        limitBytes,
        ...(signal === undefined ? {} : { signal }),
      });
      const equal = ifExists === "reuse" ? this.equalOf(ownerId, stored.sha256) : null;
      if (equal !== null) return { asset: equal, reused: true };
      const asset = this.record({ id, ownerId, name, ...stored }, await this.look(id));
      return { asset, reused: false };
    });
  }

  /**
   * Makes an asset of a finished local file of this owner, without copying it where storage can take it over. It is
   * looked into first: what is not media never reaches storage. Whoever made the file clears it afterwards.
   * @param record is run in the transaction that records the asset
   * @throws Refusal as `upload`; nothing is kept then and the file is as it was
   */
  async adopt(arrival: Arrival, record: (asset: Asset) => void = () => {}): Promise<Asset> {
    const { ownerId, name, path, known } = arrival;
    await this.admit(null, ownerId);
    const { asset } = await this.arrive(async (id) => {
      const content = await contentOf(path, this.parts.probe);
      const stored = await this.parts.storage.adopt(id, path, known);
      const asset = this.record({ id, ownerId, name, ...stored }, content, arrival.origin, record);
      return { asset, reused: false };
    }, arrival.id);
    return asset;
  }

  /**
   * Makes an asset of an object that stands in storage already, put there by its owner. The object is read once: what
   * stands in the record is what is stored. Whoever had it put there deletes it when this fails.
   * @param record is run in the transaction that records the asset
   * @throws Refusal as `upload`
   */
  async claim(
    arrived: { id: string; ownerId: string; name: string },
    record: (asset: Asset) => void,
  ): Promise<Asset> {
    const file = await this.parts.storage.hold(arrived.id);
    assert(file !== null, "what was put together just now is there");
    try {
      const stored = await readFileThrough(file.path);
      const content = await contentOf(file.path, this.parts.probe);
      const asset = this.record({ ...arrived, ...stored }, content, { kind: "upload" }, record);
      this.parts.onChange(asset);
      return asset;
    } finally {
      file.release();
    }
  }

  /** Runs `work` with a new id that is noted as arriving, and discards what it stored when it fails. */
  private async arrive(
    work: (id: string) => Promise<Taken>,
    id: string = newId("asset"),
  ): Promise<Taken> {
    this.records.noteIntents([id]);
    try {
      const taken = await work(id);
      if (taken.reused) await this.discard([id]);
      else this.parts.onChange(taken.asset);
      return taken;
    } catch (cause) {
      await this.discard([id]);
      throw cause;
    }
  }

  /**
   * Refuses what cannot be taken in before it comes.
   * @param declaredBytes its size; null when nobody knows it
   * @param ownerId whose it will be; null: their quota is looked at when it has come
   * @param pendingBytes what they have begun to send besides: it takes of their quota too
   * @throws Refusal 503 `sandbox_missing`, 413 `too_large`, `quota_exceeded`, 507 `storage_full`
   */
  async admit(
    declaredBytes: number | null,
    ownerId: string | null = null,
    pendingBytes = 0,
  ): Promise<void> {
    const refused = this.uploadsRefused;
    if (refused !== null) throw new Refusal(503, "sandbox_missing", refused);
    if (ownerId !== null) {
      this.allowances.refuseBeyond(ownerId, (declaredBytes ?? 0) + pendingBytes);
    }
    if (declaredBytes === null) return;
    const limit = this.parts.uploadMaxBytes;
    if (declaredBytes > limit) {
      throw new Refusal(
        413,
        "too_large",
        `The file has ${declaredBytes} bytes and at most ${limit} are allowed (uploads.maxBytes).`,
      );
    }
    const free = await this.parts.storage.freeBytes();
    if (free !== null && declaredBytes > free) {
      throw new Refusal(
        507,
        "storage_full",
        `The file has ${declaredBytes} bytes and only ${free} are free for uploads. Delete assets that are not needed and empty the bin, or free space on the disk.`,
      );
    }
  }

  private record(
    stored: StoredObject & { id: string; ownerId: string; name: string },
    content: Content,
    origin: AssetOrigin = { kind: "upload" },
    also: (asset: Asset) => void = () => {},
  ): Asset {
    const { database } = this.parts;
    const { captions, media } = content;
    const asset: Asset = {
      ...stored,
      name: cleanName(stored.name),
      state: "ready",
      kind: media?.kind ?? "text",
      mimeType: contentType(content),
      media,
      origin,
      thumbnail: media === null || media.kind === "audio" ? "none" : "wanted",
      ...this.allowances.timesOf(stored.ownerId, origin),
    };
    transaction(database, () => {
      this.allowances.refuseBeyond(asset.ownerId, asset.sizeBytes);
      this.records.insert(asset, captions?.text);
      also(asset);
    });
    return asset;
  }

  private async look(id: string): Promise<Content> {
    const file = await this.parts.storage.hold(id);
    assert(file !== null, "what was stored just now is there");
    try {
      return await contentOf(file.path, this.parts.probe);
    } finally {
      file.release();
    }
  }

  /** @throws Refusal 404 `not_found`, also for another user's asset: its existence is not told. */
  get(ownerId: string, id: string): Asset {
    const asset = this.records.find(ownerId, id);
    if (asset === null) throw assetMissing();
    return asset;
  }

  /** The oldest asset of this owner with the same bytes, but for the one that asks; null when there is none. */
  equalOf(ownerId: string, sha256: string, butId = ""): Asset | null {
    return this.records.findEqual(ownerId, sha256, butId);
  }

  /** What a job of this owner made under that name; null when there is none. */
  outputOf(ownerId: string, jobId: string, name: string): Asset | null {
    const id = this.records.idOfOutput(jobId, name);
    return id === null ? null : this.records.find(ownerId, id);
  }

  /** The text of an asset that is captions. @throws Refusal 422 `unsuitable_input` when it is none */
  captionsOf({ id, name }: Asset): string {
    const text = this.records.textOf(id);
    if (text !== null) return text;
    throw new Refusal(422, "unsuitable_input", `${name} is a text file, and no captions.`);
  }

  /** @throws Refusal 422 `invalid` for a cursor of another order */
  list(filter: AssetFilter): AssetPage {
    return this.records.list(filter);
  }

  /** How many a list has in all, counted up to `most`. */
  count(filter: AssetFilter, most: number): number {
    return this.records.count(filter, most);
  }

  /** The asset, also when it is in the bin. @throws Refusal 404 `not_found` */
  getKept(ownerId: string, id: string): Asset {
    const asset = this.records.findKept(ownerId, id);
    if (asset === null) throw assetMissing();
    return asset;
  }

  /**
   * Moves an asset into the bin, from which it can be restored for some days; without a bin it is gone at once.
   * What is in the bin already, or goes for ever, loses its record and its bytes.
   * @throws Refusal 404 `not_found`, 409 `in_use` while a job reads it
   */
  async delete(ownerId: string, id: string, how: { forever?: boolean } = {}): Promise<void> {
    const asset = this.getKept(ownerId, id);
    const { binDays } = this.allowances.settings;
    if (how.forever !== true && binDays > 0 && asset.state === "ready") {
      refuseUnlessMarked(this.records.markBinned(ownerId, id));
    } else {
      refuseUnlessMarked(this.records.markDeleting(ownerId, id));
      await this.removeBytes(id);
    }
    this.parts.onChange({ ...asset, state: "deleting" });
  }

  /** Brings an asset back from the bin. @throws Refusal 404 `not_found`, 409 `wrong_state` when it is not in there */
  restore(ownerId: string, id: string): Asset {
    if (!this.records.unbin(ownerId, id)) {
      this.getKept(ownerId, id);
      throw new Refusal(409, "wrong_state", "This asset is not in the bin.");
    }
    const asset = this.get(ownerId, id);
    this.parts.onChange(asset);
    return asset;
  }

  /** Deletes what is in the bin of this person, the newest first and so many at most. How many went. */
  async emptyBin(ownerId: string, limit: number): Promise<{ deleted: number; more: boolean }> {
    const page = this.list({ ...everythingOf(ownerId), limit, state: "binned" });
    for (const { id } of page.items) await this.delete(ownerId, id, { forever: true });
    return { deleted: page.items.length, more: page.next !== null };
  }

  /**
   * Another name, another time to go into the bin, other labels.
   * @throws Refusal 404 `not_found`, 422 `invalid` for labels that cannot be
   */
  change(ownerId: string, id: string, { name, expiresAt, labels }: AssetChange): Asset {
    const cleaned = {
      ...(name === undefined ? {} : { name: cleanName(name) }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(labels === undefined ? {} : { labels: cleanLabels(labels, "labels") }),
    };
    if (!this.records.change(ownerId, id, cleaned)) throw assetMissing();
    const asset = this.get(ownerId, id);
    this.parts.onChange(asset);
    return asset;
  }

  private async removeBytes(id: string): Promise<void> {
    await deleteBeside(this.companions, this.parts.storage, id);
    await this.parts.storage.delete(id);
    this.records.remove(id);
  }

  /** Deletes objects that were put but not recorded. Errors are logged: the next start tries again. */
  async discard(keys: readonly string[]): Promise<void> {
    try {
      for (const key of keys) await this.parts.storage.delete(key);
      this.records.forgetIntents(keys);
    } catch (cause) {
      this.parts.log.warn(
        { err: cause, keys },
        "could not discard objects; the next start tries again",
      );
    }
  }

  private async dropUnfinished(keys: readonly string[]): Promise<void> {
    try {
      for (const key of keys) await this.parts.storage.dropUnfinished?.(key);
    } catch (cause) {
      this.parts.log.warn(
        { err: cause },
        "parts of interrupted uploads are left; a sweep drops them",
      );
    }
  }

  /** Finishes what a crash interrupted: unrecorded objects and half-done deletions. Call it once at start. */
  async recover(): Promise<void> {
    const left = this.records.leftIntents();
    await this.dropUnfinished(left);
    await this.discard(left);
    for (const id of this.records.leftDeleting()) {
      await this.removeBytes(id).catch((cause: unknown) => {
        this.parts.log.warn({ err: cause, asset: id }, "could not delete; the next start tries");
      });
    }
    await keepWordsOfOld(this.records, this.parts.storage, this.parts.log);
  }
}

const everythingOf = (ownerId: string) => ({
  ...{ ownerId, after: null, kind: null, search: null, jobId: null },
});
