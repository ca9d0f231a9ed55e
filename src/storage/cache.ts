/**
 * Copies of far objects on the local disk, for programs that read files. The folder may take so many bytes; what is
 * longest unused goes first, what is held never goes. A copy is filled aside and comes to be in one move, so that after
 * a crash whole copies are left and half ones are known.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { assertKey } from "./key.ts";
import { codeOf, storageFull } from "./local-file.ts";
import type { HeldFile, StorageKey } from "./storage.ts";

export interface CacheOptions {
  /** Absolute folder of this cache alone; made with mode 0700. */
  folder: string;
  /** What copies that nobody holds may take, all together. */
  maxBytes: number;
  /** Bytes of the file system that stay free. */
  reserveBytes: number;
  /** For tests: bytes free on the file system. */
  freeBytes?: () => Promise<number>;
  /** For tests: names the start of the machine. */
  bootId?: string;
}

interface Copy {
  sizeBytes: number;
  holders: number;
}

/** One fill under way, for as many as wait for it. */
interface Fill {
  done: Promise<void>;
  waiting: number;
  stop: AbortController;
}

/** Writes the object's bytes into a fresh file at this path. */
export type Filling = (path: string, signal: AbortSignal) => Promise<void>;

export class LocalCache {
  private readonly options: CacheOptions;
  private readonly copies: string;
  private readonly incoming: string;
  /** The longest unused first. */
  private readonly entries = new Map<StorageKey, Copy>();
  private readonly fills = new Map<StorageKey, Fill>();
  private usedBytes = 0;
  /** Bytes that fills under way will still write: their room is taken. */
  private promisedBytes = 0;
  private asides = 0;

  /** Opens the folder: only one at a time may have it. */
  constructor(options: CacheOptions) {
    this.options = options;
    this.copies = join(options.folder, "copies");
    this.incoming = join(options.folder, "incoming");
    this.clearAfterPowerCut();
    rmSync(this.incoming, { recursive: true, force: true });
    for (const folder of [this.copies, this.incoming]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    this.readCopies();
  }

  get sizeBytes(): number {
    return this.usedBytes;
  }

  /** Null when there is no copy. */
  sizeOf(key: StorageKey): number | null {
    assertKey(key);
    return this.entries.get(key)?.sizeBytes ?? null;
  }

  /** A fresh path in the cache's own folder, to be filled and then given to `admit`, or removed. */
  aside(key: StorageKey): string {
    assertKey(key);
    this.asides += 1;
    return join(this.incoming, `${key}.${this.asides}`);
  }

  /** Makes the file at `aside` the copy of this object. Older copies may have to go. */
  async admit(key: StorageKey, aside: string, sizeBytes: number): Promise<void> {
    await rename(aside, this.pathOf(key, sizeBytes));
    this.enter(key, { sizeBytes, holders: 0 });
    this.shrink(this.options.maxBytes, key);
  }

  /** Null when there is no copy. */
  hold(key: StorageKey): HeldFile | null {
    assertKey(key);
    const copy = this.entries.get(key);
    if (copy === undefined) return null;
    const path = this.pathOf(key, copy.sizeBytes);
    try {
      const now = new Date();
      // The order survives a restart.
      utimesSync(path, now, now);
    } catch (cause) {
      // Somebody cleared the folder by hand.
      if (codeOf(cause) !== "ENOENT") throw cause;
      this.leave(key, copy);
      return null;
    }
    this.entries.delete(key);
    this.entries.set(key, copy);
    copy.holders += 1;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      copy.holders -= 1;
      this.shrink(this.options.maxBytes, null);
    };
    return { path, release };
  }

  /**
   * Holds the copy, which is filled first when there is none; who asks for the same one meanwhile waits for it too.
   * @throws Refusal 507 `storage_full`, the signal's reason, what `filling` throws
   */
  async holdFilled(
    key: StorageKey,
    sizeBytes: number,
    filling: Filling,
    signal: AbortSignal | undefined,
  ): Promise<HeldFile> {
    for (;;) {
      signal?.throwIfAborted();
      const held = this.hold(key);
      if (held !== null) return held;
      await this.wait(key, this.fills.get(key) ?? this.startFill(key, sizeBytes, filling), signal);
    }
  }

  /** Forgets the copy; a fill under way ends. Who holds it may go on reading what is open. */
  drop(key: StorageKey): void {
    assertKey(key);
    this.fills.get(key)?.stop.abort(new Error("the object was deleted"));
    this.fills.delete(key);
    const copy = this.entries.get(key);
    if (copy !== undefined) this.remove(key, copy);
  }

  /**
   * Lets old copies go until so many bytes can be written.
   * @throws Refusal 507 `storage_full` when that is not enough
   */
  async makeRoom(sizeBytes: number): Promise<void> {
    const missing = async () => {
      const { reserveBytes } = this.options;
      return sizeBytes + this.promisedBytes + reserveBytes - (await this.freeBytes());
    };
    this.shrink(Math.max(0, this.options.maxBytes - sizeBytes), null);
    for (let missingBytes = await missing(); missingBytes > 0; missingBytes = await missing()) {
      const before = this.usedBytes;
      this.shrink(Math.max(0, this.usedBytes - missingBytes), null);
      if (this.usedBytes === before) throw storageFull();
    }
  }

  /** Bytes that could still come, when all that nobody holds has gone. */
  async roomBytes(): Promise<number> {
    const unheld = [...this.entries.values()].filter(({ holders }) => holders === 0);
    const evictable = unheld.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const free = (await this.freeBytes()) - this.options.reserveBytes - this.promisedBytes;
    return Math.max(0, free + evictable);
  }

  private async freeBytes(): Promise<number> {
    const { freeBytes } = this.options;
    if (freeBytes !== undefined) return await freeBytes();
    const { bavail, bsize } = await statfs(this.copies);
    return bavail * bsize;
  }

  private startFill(key: StorageKey, sizeBytes: number, filling: Filling): Fill {
    const stop = new AbortController();
    const done = this.fill(key, sizeBytes, filling, stop.signal).finally(() => {
      if (this.fills.get(key) === fill) this.fills.delete(key);
    });
    // Those who wait see it, each by themselves.
    done.catch(() => undefined);
    const fill: Fill = { done, waiting: 0, stop };
    this.fills.set(key, fill);
    return fill;
  }

  private async fill(
    key: StorageKey,
    sizeBytes: number,
    filling: Filling,
    signal: AbortSignal,
  ): Promise<void> {
    await this.makeRoom(sizeBytes);
    const aside = this.aside(key);
    this.promisedBytes += sizeBytes;
    try {
      await filling(aside, signal);
      signal.throwIfAborted();
      const { size } = statSync(aside);
      if (size !== sizeBytes) throw new Error(`the copy of ${key} has ${size} bytes`);
      await this.admit(key, aside, sizeBytes);
    } catch (cause) {
      await rm(aside, { force: true });
      throw cause;
    } finally {
      this.promisedBytes -= sizeBytes;
    }
  }

  /** Waits for a fill; the last one to give up ends it. */
  private async wait(key: StorageKey, fill: Fill, signal: AbortSignal | undefined): Promise<void> {
    fill.waiting += 1;
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([fill.done, promise]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      fill.waiting -= 1;
      if (fill.waiting === 0 && this.fills.get(key) === fill) {
        // Who asks from now on begins another one, and does not get the end of this.
        this.fills.delete(key);
        fill.stop.abort(new Error("nobody waits for this copy any more"));
      }
    }
  }

  /** Lets unheld copies go, the longest unused first, until at most so many bytes are left. */
  private shrink(leftBytes: number, spared: StorageKey | null): void {
    if (this.usedBytes <= leftBytes) return;
    for (const [key, copy] of this.entries) {
      if (this.usedBytes <= leftBytes) return;
      if (copy.holders === 0 && key !== spared) this.remove(key, copy);
    }
  }

  private remove(key: StorageKey, copy: Copy): void {
    this.leave(key, copy);
    try {
      unlinkSync(this.pathOf(key, copy.sizeBytes));
    } catch (cause) {
      if (codeOf(cause) !== "ENOENT") throw cause;
    }
  }

  private enter(key: StorageKey, copy: Copy): void {
    const before = this.entries.get(key);
    if (before !== undefined) this.leave(key, before);
    this.entries.set(key, copy);
    this.usedBytes += copy.sizeBytes;
  }

  private leave(key: StorageKey, copy: Copy): void {
    if (this.entries.get(key) !== copy) return;
    this.entries.delete(key);
    this.usedBytes -= copy.sizeBytes;
  }

  /** The size stands in the name: a copy that was cut is known by it. */
  private pathOf(key: StorageKey, sizeBytes: number): string {
    return join(this.copies, `${key}~${sizeBytes}`);
  }

  private readCopies(): void {
    const found = readdirSync(this.copies).flatMap((name) => {
      const path = join(this.copies, name);
      const [, key, size] = /^([a-z][a-z0-9_.-]{0,127})~(\d{1,16})$/.exec(name) ?? [];
      const stat = statSync(path);
      if (key !== undefined && stat.isFile() && stat.size === Number(size)) {
        return { key, sizeBytes: stat.size, usedMs: stat.mtimeMs };
      }
      rmSync(path, { recursive: true, force: true });
      return [];
    });
    found.sort((one, other) => one.usedMs - other.usedMs);
    for (const { key, sizeBytes } of found) this.enter(key, { sizeBytes, holders: 0 });
    this.shrink(this.options.maxBytes, null);
  }

  /**
   * Copies are not forced to the disk, which would cost more than fetching one again now and then. After the machine
   * went down some could have the right size and the wrong bytes, so none is kept.
   */
  private clearAfterPowerCut(): void {
    const bootId = this.options.bootId ?? readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
    const path = join(this.options.folder, "boot-id");
    const known = readIfThere(path);
    if (known === bootId) return;
    rmSync(this.copies, { recursive: true, force: true });
    mkdirSync(this.options.folder, { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.new`, bootId);
    renameSync(`${path}.new`, path);
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return null;
    throw cause;
  }
}
