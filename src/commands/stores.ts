/** The storage of a configuration, for the server and for commands beside it. */
import { join } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/open.ts";
import { storageSigningKey } from "../database/secret.ts";
import { type DiskStorage, openDiskStorage } from "../storage/disk.ts";

/** Opening it removes what a crash left half-written: only the holder of the data folder's lock may. */
export function openStorage(
  config: Config,
  database: Database,
  clock: Clock = systemClock,
): DiskStorage {
  return openDiskStorage({
    folder: join(config.data, "storage"),
    reserveBytes: config.storage.reserveBytes,
    signingKey: storageSigningKey(database),
    publicPath: "/storage",
    clock,
  });
}
