/**
 * Where bytes live, behind one narrow interface. An object has a key, bytes and a size; names, owners
 * and types are the database's. Objects are written once and never changed. `conformance.ts` is the
 * suite that every backend passes.
 */

/** A key of the caller's making: 1–128 characters of `a–z 0–9 _ . -`, the first a letter. */
export type StorageKey = string;

/** Bytes `start` (inclusive) to `end` (exclusive) of an object, as in `Array.slice`. */
export interface ByteRange {
  start: number;
  end: number;
}

export interface StoredObject {
  sizeBytes: number;
  /** Hexadecimal SHA-256 of the whole object. */
  sha256: string;
}

export interface PutOptions {
  /** More bytes than this end the put with Refusal 413 `too_large`, and nothing is kept. */
  limitBytes: number;
  /** Bytes that the sender announced, where it did: parts of a large object are made by it. */
  declaredBytes?: number | null;
  signal?: AbortSignal;
}

/** One object of a list. */
export interface ListedObject {
  key: StorageKey;
  sizeBytes: number;
  /** When it was stored, in milliseconds since the epoch. */
  modifiedMs: number;
}

/** A file that can be read and not written, until it is let go; letting go twice is fine. */
export interface HeldFile {
  readonly path: string;
  release(): void;
}

export interface PresignOptions {
  method: "GET" | "PUT";
  /** Seconds until the URL stops working; at most 7 days as in S3. */
  expiresSeconds: number;
  /** For GET: the Content-Type and Content-Disposition that the answer will carry. */
  contentType?: string;
  contentDisposition?: string;
}

export interface Storage {
  readonly kind: "disk" | "s3";

  /**
   * Stores a stream. After it resolves the object survives a power cut; when it rejects nothing is
   * kept. An existing key is a broken invariant.
   * @throws Refusal 413 `too_large`, Refusal 507 `storage_full`
   */
  put(
    key: StorageKey,
    body: ReadableStream<Uint8Array>,
    options: PutOptions,
  ): Promise<StoredObject>;

  /**
   * Takes over a finished local file (an output of a job), without copying where that is possible. Same promise as
   * `put`. Afterwards the file may still be at `path`, so that a crash before its record is written loses no work:
   * whoever made it clears it, and never writes to it again.
   * @param known size and SHA-256 where the caller has them: the file is not read to find them, only its size is
   * looked at; another size is a broken invariant
   */
  adopt(key: StorageKey, path: string, known?: StoredObject | null): Promise<StoredObject>;

  /**
   * Makes an object of the same bytes under another key, without moving them through this process where that is
   * possible. Same promise as `put`; either can be deleted without the other. False when there is no such object.
   */
  copy(from: StorageKey, to: StorageKey): Promise<boolean>;

  /** The object's bytes, or null when there is none. The range must lie within the object. */
  open(key: StorageKey, range?: ByteRange): Promise<Blob | ReadableStream<Uint8Array> | null>;

  stat(key: StorageKey): Promise<{ sizeBytes: number } | null>;

  /** Idempotent: deleting what is not there is fine. */
  delete(key: StorageKey): Promise<void>;

  /** Drops what a put under this key left that a crash interrupted; absent where opening the storage does that. */
  dropUnfinished?(key: StorageKey): Promise<void>;

  /**
   * The object as a file on this box that ffmpeg can read: it stays until it is let go. Where the bytes lie elsewhere
   * they are fetched first. Null when there is no such object.
   * @throws Failure `disk_full`, Refusal 503 `storage_unreachable` where they have to be fetched
   */
  hold(key: StorageKey, signal?: AbortSignal): Promise<HeldFile | null>;

  /** True when `hold` need not fetch anything. */
  isNear(key: StorageKey): boolean;

  /** A URL that reads or writes this one object by this one method until it expires. */
  presign(key: StorageKey, options: PresignOptions): Promise<string>;

  /**
   * Every object, a page of some hundreds at a time, in no particular order; also what somebody else put there. What
   * comes or goes meanwhile may be in it or not.
   */
  pages(): AsyncIterable<ListedObject[]>;

  /** Bytes free for new objects, less the reserve; null when unknown (S3). */
  freeBytes(): Promise<number | null>;
}
