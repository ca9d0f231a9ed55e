/** The storage of a configuration, for the server and for commands beside it. */
import { join, resolve } from "node:path";
import { Migration } from "../assets/migration.ts";
import { ObjectPlaces } from "../assets/object-places.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/open.ts";
import { type Log, silentLog } from "../log.ts";
import { storageSigningKey } from "../secrets/signing-key.ts";
import type { CacheOptions } from "../storage/cache.ts";
import { type DiskStorage, openDiskStorage } from "../storage/disk.ts";
import { MovingStorage } from "../storage/moving.ts";
import { openS3Storage, type S3Storage } from "../storage/s3.ts";
import { Refusal } from "../trouble.ts";
import { openVault } from "./vault.ts";

export type OpenStorage = DiskStorage | S3Storage;

/** The storage of the server: the one of the settings, and beside it the one before while something is left in that. */
export interface Stores {
  /** Both as one. */
  storage: OpenStorage | MovingStorage;
  /** Where new objects come. */
  primary: OpenStorage;
  /** Brings here what is left in the storage before; null when nothing is. */
  migration: Migration | null;
}

/**
 * Opens the storage of the settings, and the one before if something is left in it.
 * @throws Refusal 400 `bad_config` when a file of the settings cannot be read, or the bucket is not told in which objects lie
 */
export function openStores(
  config: Config,
  database: Database,
  { clock, log }: { clock: Clock; log: Log },
): Stores {
  const primary = openStorage(config, database, { clock, log });
  const places = new ObjectPlaces(database, clock, primary.kind);
  const { elsewhere } = places;
  if (elsewhere === null) return { storage: primary, primary, migration: null };
  const left = places.left();
  if (elsewhere === "s3" && config.storage.s3.bucket === "") {
    const sentence = `storage.kind is "disk" now, and ${left.objects} objects lie in the bucket that was used before. Leave its settings (storage.s3.*) in place, so that they can be read and moved.`;
    throw new Refusal(400, "bad_config", sentence, {
      errors: [{ path: "storage.s3.bucket", message: "is missing" }],
    });
  }
  const there = openStorage(config, database, { clock, log, kind: elsewhere });
  if (left.objects > 0) {
    log.warn(
      { objects: left.objects, bytes: left.bytes, from: elsewhere, to: primary.kind },
      "objects lie in the storage before and are read there; kinomill storage migrate brings them over",
    );
  }
  return {
    storage: new MovingStorage(primary, there, places),
    primary,
    migration: new Migration({ places, here: primary, there, clock, log }),
  };
}

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
  const { s3, cache } = config.storage;
  if (kind === "disk") {
    const signingKey = storageSigningKey(database, openVault(config, database));
    return openDiskStorage({
      ...{ folder: join(config.data, "storage"), signingKey, publicPath: "/storage", clock },
      get reserveBytes() {
        return config.storage.reserveBytes;
      },
    });
  }
  const limits: CacheOptions = {
    folder: resolve(config.data, cache.folder === "" ? "cache" : cache.folder),
    get maxBytes() {
      return config.storage.cache.maxBytes;
    },
    get reserveBytes() {
      return config.storage.reserveBytes;
    },
  };
  return openS3Storage({ settings: s3, cache: limits, log, clock });
}
