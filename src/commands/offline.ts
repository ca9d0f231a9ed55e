/** The library of a data folder that no server has, for commands that take things out of it. */
import { Library } from "../assets/library.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { lockDataFolder } from "../database/lock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { silentLog } from "../log.ts";
import { openStores } from "./stores.ts";

export interface Offline {
  database: Database;
  library: Library;
  storage: ReturnType<typeof openStores>["storage"];
}

/**
 * Runs `work` with the data folder locked: a running server keeps in mind what it knows of assets, and nobody else may
 * change them.
 * @param what for the message to others: "a sweep"
 * @throws Refusal 409 `data_in_use`
 */
export async function offline<T>(
  config: Config,
  what: string,
  work: (parts: Offline) => Promise<T>,
): Promise<T> {
  const lock = lockDataFolder(config.data, what);
  const database = openDatabase(config.data);
  try {
    const shared = { database, clock: systemClock, log: silentLog() };
    const { storage } = openStores(config, database, shared);
    const library = new Library({
      ...{ ...shared, storage, uploadMaxBytes: 0, retention: config.retention },
      probe: () => Promise.reject(new Error("invariant broken: nothing is taken in")),
      onChange: () => undefined,
    });
    return await work({ database, library, storage });
  } finally {
    database.close();
    lock.release();
  }
}
