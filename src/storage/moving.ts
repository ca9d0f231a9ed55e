/**
 * Two storages as one, while objects move from one into the other: new objects come here, and what has not moved yet
 * is read there. Nobody who reads notices.
 */
import type { PresignedAccess } from "./signing.ts";
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

/** Where objects are that were stored before this storage was the one. */
export interface Whereabouts {
  /** It has not moved yet. */
  isThere(key: StorageKey): boolean;
  /** Something of it may be there still: it has not moved, or its old copy is kept for those who read it. */
  mayBeThere(key: StorageKey): boolean;
  /** It is deleted, here and there. */
  forget(key: StorageKey): void;
}

/** What of a disk's signed addresses the server asks. */
type Verifies = { verifyPresigned?(method: string, url: URL): PresignedAccess | null };

export class MovingStorage implements Storage {
  private readonly here: Storage;
  private readonly there: Storage;
  private readonly whereabouts: Whereabouts;

  constructor(here: Storage, there: Storage, whereabouts: Whereabouts) {
    this.here = here;
    this.there = there;
    this.whereabouts = whereabouts;
  }

  get kind(): Storage["kind"] {
    return this.here.kind;
  }

  /** A database that was brought back from a backup may say that an object has not moved although it has. */
  private async find<Found>(
    key: StorageKey,
    look: (side: Storage) => Promise<Found | null>,
  ): Promise<Found | null> {
    if (!this.whereabouts.isThere(key)) return await look(this.here);
    return (await look(this.there)) ?? (await look(this.here));
  }

  put(
    key: StorageKey,
    body: ReadableStream<Uint8Array>,
    options: PutOptions,
  ): Promise<StoredObject> {
    return this.here.put(key, body, options);
  }

  adopt(key: StorageKey, path: string, known: StoredObject | null = null): Promise<StoredObject> {
    return this.here.adopt(key, path, known);
  }

  async copy(from: StorageKey, to: StorageKey): Promise<boolean> {
    if (!this.whereabouts.isThere(from)) return await this.here.copy(from, to);
    const file = await this.there.hold(from);
    if (file === null) return await this.here.copy(from, to);
    try {
      await this.here.adopt(to, file.path);
      return true;
    } finally {
      file.release();
    }
  }

  open(key: StorageKey, range?: ByteRange): Promise<Blob | ReadableStream<Uint8Array> | null> {
    return this.find(key, (side) => side.open(key, range));
  }

  stat(key: StorageKey): Promise<{ sizeBytes: number } | null> {
    return this.find(key, (side) => side.stat(key));
  }

  async delete(key: StorageKey): Promise<void> {
    if (this.whereabouts.mayBeThere(key)) {
      await this.there.delete(key);
      await this.here.delete(key);
      this.whereabouts.forget(key);
    } else await this.here.delete(key);
  }

  async dropUnfinished(key: StorageKey): Promise<void> {
    await this.here.dropUnfinished?.(key);
  }

  hold(key: StorageKey, signal?: AbortSignal): Promise<HeldFile | null> {
    return this.find(key, (side) => side.hold(key, signal));
  }

  async *pages(): AsyncGenerator<ListedObject[]> {
    yield* this.here.pages();
    yield* this.there.pages();
  }

  isNear(key: StorageKey): boolean {
    return (this.whereabouts.isThere(key) ? this.there : this.here).isNear(key);
  }

  presign(key: StorageKey, options: PresignOptions): Promise<string> {
    const side = this.whereabouts.isThere(key) ? this.there : this.here;
    return side.presign(key, options);
  }

  /** The disk's, whichever of the two it is: the server answers its signed addresses. */
  verifyPresigned(method: string, url: URL): PresignedAccess | null {
    const sides: (Storage & Verifies)[] = [this.here, this.there];
    const disk = sides.find(({ kind }) => kind === "disk");
    return disk?.verifyPresigned?.(method, url) ?? null;
  }

  freeBytes(): Promise<number | null> {
    return this.here.freeBytes();
  }
}
