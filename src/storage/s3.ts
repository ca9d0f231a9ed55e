/**
 * Storage in a bucket. What comes in is written into the local cache and goes up from there while it still comes, so that
 * it can be looked at and worked on at once; what is read by programs is fetched into the cache first.
 */
import { link, lstat, open, rm } from "node:fs/promises";
import { type Clock, systemClock } from "../clock.ts";
import type { Log } from "../log.ts";
import { assert } from "../trouble.ts";
import { Turnstile } from "../turnstile.ts";
import { type CacheOptions, LocalCache } from "./cache.ts";
import { assertKey } from "./key.ts";
import { codeOf, diskRefusal, isWithoutLinks, openRegular } from "./local-file.ts";
import { readThrough, receive } from "./receive.ts";
import { Bucket } from "./s3-bucket.ts";
import type { S3Settings } from "./s3-calls.ts";
import { copyObject } from "./s3-copying.ts";
import { CorsRules } from "./s3-cors.ts";
import { fetchInto, readRange, streamOfChunks } from "./s3-reading.ts";
import { withSecret } from "./s3-secret.ts";
import { Sending } from "./s3-sending.ts";
import { assertPresignable } from "./signing.ts";
import type {
  ByteRange,
  HeldFile,
  ListedObject,
  PresignOptions,
  PutOptions,
  Storage,
  StorageKey,
  StoredObject,
} from "./storage.ts";

export interface S3StorageOptions {
  settings: S3Settings;
  cache: CacheOptions;
  log: Log;
  clock?: Clock;
}

/** What a bucket has beyond `Storage`. */
export interface S3Storage extends Storage {
  readonly kind: "s3";
  readonly bucket: Bucket;
  readonly cache: LocalCache;
  /** Scheme, host and port of presigned URLs, for the pages' content policy. */
  readonly origins: readonly string[];
  /** Whether scripts of pages of this origin may read from the bucket, or write to it. */
  readonly cors: CorsRules;
}

/**
 * Opens the storage. The server is not asked yet.
 * @throws Refusal 400 `bad_config` when a file of the settings cannot be read
 */
export function openS3Storage(options: S3StorageOptions): S3Storage {
  return new S3(options);
}

/** The bucket alone, without a cache. @throws Refusal 400 `bad_config` when a file of the settings cannot be read */
export function openBucket(settings: S3Settings): Bucket {
  return new Bucket(withSecret(settings));
}

/** Received bytes between two looks at the local disk. */
const ROOM_STEP_BYTES = 64 * 1024 ** 2;

/** Objects up to this size are read from the cache at once: pictures and playlists. */
const SMALL_BYTES = 1024 ** 2;

class S3 implements S3Storage {
  readonly kind = "s3";
  readonly bucket: Bucket;
  readonly cache: LocalCache;
  readonly origins: readonly string[];
  readonly cors: CorsRules;
  private readonly gate: Turnstile;
  private readonly log: Log;
  private readonly clock: Clock;
  /** Keys that are being written. */
  private readonly arriving = new Set<StorageKey>();

  constructor({ settings, cache, log, clock = systemClock }: S3StorageOptions) {
    this.bucket = openBucket(settings);
    this.cache = new LocalCache(cache);
    this.gate = new Turnstile(settings.parallel);
    this.origins = originsOf(settings);
    this.cors = new CorsRules(this.bucket, () => clock.nowMs());
    this.log = log;
    this.clock = clock;
  }

  async put(key: StorageKey, body: ReadableStream<Uint8Array>, options: PutOptions) {
    try {
      return await this.arrive(key, (aside) => this.receive(key, aside, body, options));
    } catch (cause) {
      // Who still sends is told to stop, also where nothing was read.
      body.cancel(cause).catch(() => undefined);
      throw cause;
    }
  }

  private receive(
    key: StorageKey,
    aside: string,
    body: ReadableStream<Uint8Array>,
    options: PutOptions,
  ): Promise<StoredObject> {
    const { signal: asked, limitBytes, declaredBytes } = options;
    const stopped = new AbortController();
    const signal = asked === undefined ? stopped.signal : AbortSignal.any([asked, stopped.signal]);
    const sending = this.sending(key, aside, Math.min(declaredBytes ?? limitBytes, limitBytes), {
      signal: asked,
      onFailed: (cause) => stopped.abort(cause),
    });
    return this.sent(sending, async () => {
      await using file = await open(aside, "wx", 0o600);
      const stored = await receive(file, body, {
        ...{ limitBytes, signal, durable: false },
        checkSpace: () => this.cache.makeRoom(ROOM_STEP_BYTES),
        onWritten: (writtenBytes) => sending.grown(writtenBytes),
      });
      await sending.finish(stored.sizeBytes);
      return stored;
    });
  }

  adopt(key: StorageKey, path: string, known: StoredObject | null = null): Promise<StoredObject> {
    return this.arrive(key, async (aside) => {
      const stored = await this.takeIn(key, path, aside, known);
      const sending = this.sending(key, aside, stored.sizeBytes, {
        signal: undefined,
        onFailed: () => undefined,
      });
      return await this.sent(sending, async () => {
        await sending.finish(stored.sizeBytes);
        return stored;
      });
    });
  }

  async copy(from: StorageKey, to: StorageKey): Promise<boolean> {
    assertKey(to);
    const found = await this.stat(from);
    if (found === null) return false;
    await this.arrive(to, async () => {
      await copyObject(this.bucket, this.gate, { from, to, ...found });
      return null;
    });
    return true;
  }

  /** Gives the finished file a name in the cache, or copies it there. */
  private async takeIn(
    key: StorageKey,
    path: string,
    aside: string,
    known: StoredObject | null,
  ): Promise<StoredObject> {
    await using source = await openRegular(path);
    const { size, ino, dev } = await source.stat();
    assert(known === null || known.sizeBytes === size, `${key} is as large as it was`);
    try {
      await link(path, aside);
      const linked = await lstat(aside);
      assert(linked.ino === ino && linked.dev === dev, "an output stays where it is");
      await source.chmod(0o600);
      return known ?? (await readThrough(source));
    } catch (cause) {
      if (!isWithoutLinks(cause) && codeOf(cause) !== "EXDEV") throw cause;
    }
    await this.cache.makeRoom(size);
    await using file = await open(aside, "wx", 0o600);
    return await readThrough(source, file);
  }

  async open(
    key: StorageKey,
    range?: ByteRange,
  ): Promise<Blob | ReadableStream<Uint8Array> | null> {
    const nearBytes = this.cache.sizeOf(key);
    const found = nearBytes === null ? await this.stat(key) : { sizeBytes: nearBytes };
    if (found === null) return null;
    const { start, end } = range ?? { start: 0, end: found.sizeBytes };
    const within = 0 <= start && start <= end && end <= found.sizeBytes;
    assert(within, `range ${start}–${end} lies within the ${found.sizeBytes} bytes of ${key}`);
    if (start === end) return new Blob([]);
    const held = this.cache.hold(key);
    if (held !== null) return await readHeld(held, { start, end });
    return streamOfChunks(readRange(this.bucket, key, { start, end }));
  }

  /** Asks the bucket, also where there is a copy here: what is gone there is gone. */
  async stat(key: StorageKey): Promise<{ sizeBytes: number } | null> {
    assertKey(key);
    return await this.bucket.head(key);
  }

  async delete(key: StorageKey): Promise<void> {
    this.cache.drop(key);
    await this.bucket.remove(key);
  }

  async dropUnfinished(key: StorageKey): Promise<void> {
    assertKey(key);
    await this.bucket.dropParts(key);
  }

  async hold(key: StorageKey, signal?: AbortSignal): Promise<HeldFile | null> {
    const held = this.cache.hold(key);
    if (held !== null) return held;
    const found = await this.bucket.head(key, signal);
    if (found === null) return null;
    const { sizeBytes } = found;
    const { bucket, gate } = this;
    const filling = (path: string, stop: AbortSignal) =>
      fetchInto({ bucket, gate, key, path, sizeBytes, signal: stop });
    try {
      return await this.cache.holdFilled(key, sizeBytes, filling, signal);
    } catch (cause) {
      throw diskRefusal(cause) ?? cause;
    }
  }

  isNear(key: StorageKey): boolean {
    return this.cache.sizeOf(key) !== null;
  }

  async presign(key: StorageKey, options: PresignOptions): Promise<string> {
    assertKey(key);
    assertPresignable(options);
    return await this.bucket.urlFor(key, options, this.clock.nowMs());
  }

  async *pages(): AsyncGenerator<ListedObject[]> {
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<Bucket["list"]>> = await this.bucket.list(after);
      yield page.objects;
      after = page.next;
    } while (after !== null);
  }

  async freeBytes(): Promise<null> {
    return null;
  }

  private sending(
    key: StorageKey,
    path: string,
    sizeAtMostBytes: number,
    rest: { signal: AbortSignal | undefined; onFailed(cause: unknown): void },
  ): Sending {
    const { bucket, gate } = this;
    return new Sending({ bucket, gate, key, path, sizeAtMostBytes, ...rest });
  }

  /** Leaves nothing in the bucket when the work fails. */
  private async sent(sending: Sending, work: () => Promise<StoredObject>): Promise<StoredObject> {
    try {
      return await work();
    } catch (cause) {
      const left = await sending.abandon();
      if (left !== null) {
        this.log.warn(
          { err: left },
          "parts of an object are left in the bucket; a sweep drops them",
        );
      }
      throw cause;
    }
  }

  /** Gives `work` a fresh path aside, which becomes the copy in the cache, and leaves nothing there when it fails. */
  private async arrive<Result extends StoredObject | null>(
    key: StorageKey,
    work: (aside: string) => Promise<Result>,
  ): Promise<Result> {
    const aside = this.cache.aside(key);
    assert(!this.arriving.has(key), `object ${key} is written once`);
    this.arriving.add(key);
    try {
      // Also tells wrong keys and the like before a long upload does.
      assert((await this.bucket.head(key)) === null, `object ${key} is written once`);
      const stored = await work(aside);
      if (stored !== null) await this.cache.admit(key, aside, stored.sizeBytes);
      return stored;
    } catch (cause) {
      await rm(aside, { force: true });
      throw diskRefusal(cause) ?? cause;
    } finally {
      this.arriving.delete(key);
    }
  }
}

/** From a copy that stays until it was read. */
async function readHeld(
  held: HeldFile,
  { start, end }: ByteRange,
): Promise<Blob | ReadableStream<Uint8Array>> {
  const part = Bun.file(held.path).slice(start, end);
  if (end - start > SMALL_BYTES) return streamOfChunks(chunksOfHeld(held, part));
  try {
    return new Blob([await part.bytes()]);
  } finally {
    held.release();
  }
}

async function* chunksOfHeld(held: HeldFile, part: Blob) {
  try {
    for await (const chunk of part.stream()) yield chunk;
  } finally {
    held.release();
  }
}

function originsOf({ endpoint, publicEndpoint, pathStyle, bucket, region }: S3Settings): string[] {
  const outer = publicEndpoint || endpoint || `https://s3.${region}.amazonaws.com`;
  const url = new URL(outer);
  return [pathStyle ? url.origin : `${url.protocol}//${bucket}.${url.host}`];
}
