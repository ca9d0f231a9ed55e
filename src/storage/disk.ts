/** Storage on a local disk: written aside, made durable, then moved into place. */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  statfs,
} from "node:fs/promises";
import { join } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import { assert } from "../trouble.ts";
import { objectFolders } from "./key.ts";
import { codeOf, diskRefusal, isWithoutLinks, openRegular, storageFull } from "./local-file.ts";
import { readThrough, receive } from "./receive.ts";
import {
  type PresignedAccess,
  type PresignedVerdict,
  type Signer,
  signPath,
  verifySigned,
} from "./signing.ts";
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

export type { PresignedAccess, PresignedVerdict } from "./signing.ts";

export interface DiskStorageOptions {
  /** Absolute folder of this storage alone; made with mode 0700. */
  folder: string;
  /** Bytes of its file system that stay free. */
  reserveBytes: number;
  /** At least 256 random bits. */
  signingKey: string;
  /** Path under which the server answers signed URLs, without a slash at its end: "/storage". */
  publicPath: string;
  clock?: Clock;
}

/** What the disk has beyond `Storage`: it cannot answer its signed URLs itself, the server does. */
export interface DiskStorage extends Storage {
  readonly kind: "disk";
  /** Where the object's file is, or would be. */
  pathOf(key: StorageKey): string;
  /** What a signed URL allows this method, or null when it allows nothing. */
  verifyPresigned(method: string, url: URL): PresignedAccess | null;
  /** The same with the reason of a refusal, at a given moment. */
  judgePresigned(url: URL, method: string, nowMs: number): PresignedVerdict;
}

/**
 * Opens the storage and removes what a crash left half-written: only the holder of the data folder's
 * lock may do so.
 */
export function openDiskStorage(options: DiskStorageOptions): DiskStorage {
  return new Disk(options);
}

class Disk implements DiskStorage {
  readonly kind = "disk";
  private readonly objects: string;
  private readonly incoming: string;
  private readonly options: DiskStorageOptions;
  private readonly signer: Signer;
  private readonly clock: Clock;
  /** Keys that are being written. */
  private readonly arriving = new Set<StorageKey>();
  /** Folders (at most 65,792) whose own entries are known to be durable. */
  private readonly durableFolders = new Set<string>();

  constructor(options: DiskStorageOptions) {
    assert(options.signingKey.length >= 43, "a signing key has at least 256 bits");
    this.objects = join(options.folder, "objects");
    this.incoming = join(options.folder, "incoming");
    this.options = options;
    this.signer = { signingKey: options.signingKey, publicPath: options.publicPath };
    this.clock = options.clock ?? systemClock;
    for (const folder of [this.objects, this.incoming]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    for (const name of readdirSync(this.incoming)) {
      rmSync(join(this.incoming, name), { recursive: true, force: true });
    }
  }

  put(key: StorageKey, body: ReadableStream<Uint8Array>, options: PutOptions) {
    return this.arrive(key, async (aside) => {
      const stored = await this.writeAside(aside, body, options);
      await this.publish(key, aside);
      return stored;
    });
  }

  adopt(key: StorageKey, path: string, known: StoredObject | null = null): Promise<StoredObject> {
    return this.arrive(key, async (aside) => {
      await using source = await openRegular(path);
      const [file, here] = [await source.stat(), await stat(this.objects)];
      assert(known === null || known.sizeBytes === file.size, `${key} is as large as it was`);
      if (file.dev !== here.dev) return await this.copyIn(key, source, aside);
      const stored = known ?? (await readThrough(source));
      await source.chmod(0o600);
      await source.sync();
      try {
        await this.publish(key, path, linkOrMove);
        return stored;
      } catch (cause) {
        // Two mounts of one disk look alike until the move.
        if (codeOf(cause) !== "EXDEV") throw cause;
      }
      await using again = await openRegular(path);
      return await this.copyIn(key, again, aside);
    });
  }

  async copy(from: StorageKey, to: StorageKey): Promise<boolean> {
    if ((await this.stat(from)) === null) return false;
    await this.arrive(to, async (aside) => {
      try {
        // The bytes are durable already, and never change: two names of one file are two objects.
        await this.publish(to, this.pathOf(from), link);
      } catch (cause) {
        if (!isWithoutLinks(cause)) throw cause;
        await using source = await openRegular(this.pathOf(from));
        await this.copyIn(to, source, aside);
      }
    });
    return true;
  }

  private async copyIn(key: StorageKey, source: FileHandle, aside: string): Promise<StoredObject> {
    // The reserve is for what comes from outside: this file lies on this box already.
    await using file = await open(aside, "wx", 0o600);
    const stored = await readThrough(source, file);
    await file.sync();
    await this.publish(key, aside);
    return stored;
  }

  async open(key: StorageKey, range?: ByteRange): Promise<Blob | null> {
    // Not in a thread: serving the file opens it on this one anyway, and the way there and back is dearer than the look.
    const found = statSync(this.pathOf(key), { throwIfNoEntry: false });
    if (found === undefined) return null;
    const file = Bun.file(this.pathOf(key), { type: "application/octet-stream" });
    if (range === undefined) return file;
    const { start, end } = range;
    const within = 0 <= start && start <= end && end <= found.size;
    assert(within, `range ${start}–${end} lies within the ${found.size} bytes of ${key}`);
    return file.slice(start, end);
  }

  async stat(key: StorageKey): Promise<{ sizeBytes: number } | null> {
    try {
      return { sizeBytes: (await stat(this.pathOf(key))).size };
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") return null;
      throw cause;
    }
  }

  async delete(key: StorageKey): Promise<void> {
    const path = this.pathOf(key);
    try {
      await rm(path);
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") return;
      throw cause;
    }
    // Durable too: otherwise a power cut brings back an object that nobody owns any more.
    await syncFolder(join(path, ".."));
  }

  async hold(key: StorageKey): Promise<HeldFile | null> {
    if ((await this.stat(key)) === null) return null;
    return { path: this.pathOf(key), release: () => {} };
  }

  isNear(key: StorageKey): boolean {
    this.pathOf(key);
    return true;
  }

  pathOf(key: StorageKey): string {
    const { outer, inner } = objectFolders(key);
    return join(this.objects, outer, inner, key);
  }

  async presign(key: StorageKey, options: PresignOptions): Promise<string> {
    return signPath(this.signer, key, options, this.clock.nowMs());
  }

  verifyPresigned(method: string, url: URL): PresignedAccess | null {
    const verdict = this.judgePresigned(url, method, this.clock.nowMs());
    if (verdict.kind === "refused") return null;
    const { key, contentType, contentDisposition } = verdict;
    return { key, contentType, contentDisposition };
  }

  judgePresigned(url: URL, method: string, nowMs: number): PresignedVerdict {
    return verifySigned(this.signer, url, method, nowMs);
  }

  async *pages(): AsyncGenerator<ListedObject[]> {
    for (const outer of await readdir(this.objects)) {
      for (const inner of await readdir(join(this.objects, outer)).catch(noFolder)) {
        const folder = join(this.objects, outer, inner);
        const found = (await readdir(folder).catch(noFolder)).map((key) => listed(folder, key));
        const objects = (await Promise.all(found)).filter((object) => object !== null);
        if (objects.length > 0) yield objects;
      }
    }
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.objects);
    return Math.max(0, bavail * bsize - this.options.reserveBytes);
  }

  /** Gives `work` a fresh path aside, and leaves nothing there or under the key when it fails. */
  private async arrive<Result>(
    key: StorageKey,
    work: (aside: string) => Promise<Result>,
  ): Promise<Result> {
    assert(!this.arriving.has(key), `object ${key} is written once`);
    const aside = join(this.incoming, `${key}.part`);
    this.pathOf(key);
    this.arriving.add(key);
    try {
      assert((await this.stat(key)) === null, `object ${key} is written once`);
      return await work(aside);
    } catch (cause) {
      await rm(aside, { force: true });
      throw diskRefusal(cause) ?? cause;
    } finally {
      this.arriving.delete(key);
    }
  }

  private async writeAside(
    aside: string,
    body: ReadableStream<Uint8Array>,
    options: PutOptions,
  ): Promise<StoredObject> {
    await using file = await open(aside, "wx", 0o600);
    const checkSpace = async () => {
      if ((await this.freeBytes()) === 0) throw storageFull();
    };
    return await receive(file, body, { ...options, checkSpace });
  }

  /** The one move that makes an object exist. Its bytes are durable already; its name is afterwards. */
  private async publish(
    key: StorageKey,
    aside: string,
    move: (from: string, to: string) => Promise<void> = rename,
  ): Promise<void> {
    const { outer, inner } = objectFolders(key);
    await this.makeFolder(outer, this.objects);
    await this.makeFolder(join(outer, inner), join(this.objects, outer));
    const path = this.pathOf(key);
    await move(aside, path);
    try {
      await syncFolder(join(path, ".."));
    } catch (cause) {
      await rm(path, { force: true });
      throw cause;
    }
  }

  private async makeFolder(name: string, parent: string): Promise<void> {
    if (this.durableFolders.has(name)) return;
    await mkdir(join(this.objects, name), { recursive: true, mode: 0o700 });
    // Also when it was there: whoever made it may have crashed before this.
    await syncFolder(parent);
    this.durableFolders.add(name);
  }
}

/** The name comes to be in one move, as by `rename`, and the old one stays where the file system can do that. */
async function linkOrMove(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (cause) {
    if (!isWithoutLinks(cause)) throw cause;
    await rename(from, to);
  }
}

/** Makes the entries of a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

/** A file in the place of a folder is nobody's object. */
function noFolder(cause: unknown): string[] {
  if (codeOf(cause) === "ENOENT" || codeOf(cause) === "ENOTDIR") return [];
  throw cause;
}

/** Null when it went meanwhile, or is no file. */
async function listed(folder: string, key: string): Promise<ListedObject | null> {
  const found = await stat(join(folder, key)).catch(() => null);
  if (found === null || !found.isFile()) return null;
  return { key, sizeBytes: found.size, modifiedMs: found.mtimeMs };
}
