/** The storage of a configuration, for the server and for commands beside it. */
import { join, resolve } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/open.ts";
import { storageSigningKey } from "../database/secret.ts";
import { type Log, silentLog } from "../log.ts";
import { type DiskStorage, openDiskStorage } from "../storage/disk.ts";
import { openS3Storage, type S3Storage } from "../storage/s3.ts";

export type OpenStorage = DiskStorage | S3Storage;

/**
 * Opening it removes what a crash left half-written: only the holder of the data folder's lock may.
 * @param rest.kind one of both, where it is not the one of the settings
 * @throws Refusal 400 `bad_config` when a file of the settings cannot be read
 */
export function openStorage(
  config: Config,
  database: Database,
  rest: { clock?: Clock; log?: Log; kind?: Config["storage"]["kind"] } = {},
): OpenStorage {
  const { clock = systemClock, log = silentLog(), kind = config.storage.kind } = rest;
  const { s3, cache, reserveBytes } = config.storage;
  if (kind === "disk") {
    const signingKey = storageSigningKey(database);
    const folder = join(config.data, "storage");
    return openDiskStorage({ folder, reserveBytes, signingKey, publicPath: "/storage", clock });
  }
  const folder = resolve(config.data, cache.folder === "" ? "cache" : cache.folder);
  const { maxBytes } = cache;
  return openS3Storage({ settings: s3, cache: { folder, maxBytes, reserveBytes }, log, clock });
}
