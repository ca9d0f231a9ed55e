/** For tests: storage in a bucket of the test's own server, with what only a test looks at. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListMultipartUploadsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { loadConfig } from "../../src/config.ts";
import { silentLog } from "../../src/log.ts";
import { openS3Storage, type S3Storage } from "../../src/storage/s3.ts";
import type { S3Settings } from "../../src/storage/s3-calls.ts";
import { type Bucket, clientOf } from "../ceph.ts";

const folders: string[] = [];

/** Removes what the storages of this file kept. */
export function removeCaches(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** The settings' defaults, with small parts so that small objects have several. */
export async function s3Settings(
  bucket: Bucket,
  more: Partial<S3Settings> = {},
): Promise<S3Settings> {
  const { storage } = await loadConfig({ file: null, environment: {}, flags: {} });
  return { ...storage.s3, ...bucket, partBytes: 5 * 1024 ** 2, ...more };
}

export interface S3Rig {
  storage: S3Storage;
  folder: string;
}

export async function openS3(
  bucket: Bucket,
  more: Partial<S3Settings> = {},
  cacheBytes = 1024 ** 3,
): Promise<S3Rig> {
  const folder = mkdtempSync(join(tmpdir(), "kinomill-s3-"));
  folders.push(folder);
  const storage = openS3Storage({
    settings: await s3Settings(bucket, more),
    cache: { folder, maxBytes: cacheBytes, reserveBytes: 0 },
    log: silentLog(),
  });
  return { storage, folder };
}

/** Keys of objects and of unfinished uploads, asked of the server directly. */
export async function contentsOf(bucket: Bucket): Promise<{ objects: string[]; parts: string[] }> {
  const client = clientOf(bucket);
  const named = { Bucket: bucket.bucket };
  const { Contents = [] } = await client.send(new ListObjectsV2Command(named));
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(named));
  client.destroy();
  return {
    objects: Contents.map(({ Key }) => Key ?? "").sort(),
    parts: Uploads.map(({ Key }) => Key ?? "").sort(),
  };
}

/** Names of files that are still being written into the cache. */
export function incomingIn(folder: string): string[] {
  return readdirSync(join(folder, "incoming"));
}
