/**
 * Room in SQLite's write-ahead log before it is needed. A commit that makes the log's file longer waits for the file
 * system's own journal too: 0.28 ms next to 0.16 where the room is there already (ext4, ten pages a commit).
 */
import type { Database } from "bun:sqlite";
import { constants, fstatSync, statfsSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { databaseFileName, LOG_PAGES } from "./open.ts";
import { transaction } from "./transaction.ts";

/** SQLite's page and the head of its frame in the log, and some frames more: a copy begins after the commit that reaches it. */
const ROOM_BYTES = (LOG_PAGES + 128) * (4096 + 24);

/** Written at once, while nobody else may write to the database: less than a millisecond. */
const PIECE_BYTES = 1024 ** 2;

/** Of what is free on the disk: where room is short, somebody else needs it more. */
const SHARE_MAX = 0.01;

/**
 * Makes the log of an open database as long as it becomes anyway until it is copied, with zeros, which SQLite takes for its
 * end. Where there is no room it stays as it is: nothing depends on it. Ends early with `signal`.
 * @throws what the disk says, except that it is full
 */
export async function makeLogRoom(
  db: Database,
  dataFolder: string,
  signal?: AbortSignal,
): Promise<void> {
  const { bavail, bsize } = statfsSync(dataFolder);
  if (ROOM_BYTES > bavail * bsize * SHARE_MAX) return;
  const flags = constants.O_WRONLY | constants.O_APPEND;
  const log = await open(join(dataFolder, `${databaseFileName}-wal`), flags).catch(() => null);
  if (log === null) return;
  try {
    while (signal?.aborted !== true && longer(db, log)) await log.datasync();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause;
  } finally {
    await log.close();
  }
}

/** One piece more; false when there is enough. SQLite appends too, but not while this transaction holds its lock. */
function longer(db: Database, { fd }: FileHandle): boolean {
  return transaction(db, () => {
    const missing = ROOM_BYTES - fstatSync(fd).size;
    if (missing <= 0) return false;
    writeSync(fd, Buffer.alloc(Math.min(missing, PIECE_BYTES)));
    return true;
  });
}
