/**
 * The same backups in the bucket, where storage is one: they survive the loss of the box. What is on the local shelf is
 * copied there whole, under keys of its own; what goes here goes there.
 */
import { open } from "node:fs/promises";
import { openBucket } from "../storage/s3.ts";
import type { Bucket } from "../storage/s3-bucket.ts";
import type { S3Settings } from "../storage/s3-calls.ts";
import { readRange } from "../storage/s3-reading.ts";
import type { Storage } from "../storage/storage.ts";
import type { Backup, Shelf } from "./shelf.ts";

/** Every key of a backup begins with it; those of assets do not. */
const KEYS_BEGIN = "backup-";

/** Keys of storage are in lower case. */
const keyOf = (name: string) => `${KEYS_BEGIN}${name.replace(/^kinomill-/, "").toLowerCase()}`;

function nameOf(key: string): string | null {
  const form = /^backup-(\d{4}-\d\d-\d\d)t(\d\d-\d\d-\d\d)z((?:_\d{1,3})?\.sqlite)$/;
  const [, day, time, rest] = form.exec(key) ?? [];
  return day === undefined ? null : `kinomill-${day}T${time}Z${rest}`;
}

/** What writes: the storage of the server, which sends large files in parts. */
export type BucketWriter = Pick<Storage, "adopt" | "delete"> & {
  cache: { drop(key: string): void };
};

export class BucketShelf {
  private readonly bucket: Bucket;

  constructor(settings: S3Settings) {
    this.bucket = openBucket(settings);
  }

  /** Names of the backups that are whole there, with their size; the newest first. */
  async list(): Promise<{ name: string; sizeBytes: number }[]> {
    const sizes = new Map<string, number>();
    let after: string | null = KEYS_BEGIN;
    while (after !== null) {
      const page: Awaited<ReturnType<Bucket["list"]>> = await this.bucket.list(after);
      const own = page.objects.filter(({ key }) => key.startsWith(KEYS_BEGIN));
      for (const { key, sizeBytes } of own) sizes.set(key, sizeBytes);
      after = own.length < page.objects.length ? null : page.next;
    }
    return [...sizes]
      .flatMap(([key, sizeBytes]) => {
        const name = nameOf(key);
        // Its checksum comes last.
        return name === null || !sizes.has(`${key}.sha256`) ? [] : { name, sizeBytes };
      })
      .toSorted((a, b) => (a.name < b.name ? 1 : -1));
  }

  /** Copies there what is on the shelf, and takes away there what is not among the newest. What was copied. */
  async mirror(shelf: Shelf, keep: number, writer: BucketWriter): Promise<string[]> {
    const there = await this.list();
    const known = new Set(there.map(({ name }) => name));
    const here = (await shelf.list()).slice(0, keep);
    const missing = here.filter(({ name }) => !known.has(name));
    for (const backup of missing) await this.store(shelf, backup, writer);
    const all = [...new Set([...missing.map(({ name }) => name), ...known])]
      .toSorted()
      .toReversed();
    for (const old of all.slice(keep)) await this.remove(old, writer);
    return missing.map(({ name }) => name);
  }

  private async store(shelf: Shelf, { name, sizeBytes, sha256 }: Backup, writer: BucketWriter) {
    const key = keyOf(name);
    // What an attempt before has left: objects are written once.
    for (const left of [`${key}.sha256`, key]) await writer.delete(left);
    await writer.adopt(key, shelf.pathOf(name), { sizeBytes, sha256 });
    await writer.adopt(`${key}.sha256`, shelf.pathOf(`${name}.sha256`));
    for (const near of [key, `${key}.sha256`]) writer.cache.drop(near);
  }

  /** The checksum first: without it there is no backup. */
  private async remove(name: string, writer: BucketWriter): Promise<void> {
    await writer.delete(`${keyOf(name)}.sha256`);
    await writer.delete(keyOf(name));
  }

  /** Fetches one to a new file, and its checksum beside it. False when there is none of this name. */
  async fetch(name: string, path: string): Promise<boolean> {
    const found = (await this.list()).find((backup) => backup.name === name);
    if (found === undefined) return false;
    const checksum = `${keyOf(name)}.sha256`;
    const sum = await this.bucket.head(checksum);
    if (sum === null) return false;
    await this.fetchObject(keyOf(name), found.sizeBytes, path);
    await this.fetchObject(checksum, sum.sizeBytes, `${path}.sha256`);
    return true;
  }

  private async fetchObject(key: string, sizeBytes: number, path: string): Promise<void> {
    await using file = await open(path, "w", 0o600);
    for await (const chunk of readRange(this.bucket, key, { start: 0, end: sizeBytes })) {
      await file.write(chunk);
    }
  }
}
