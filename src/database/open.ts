/** Opens the database of a data folder: permissions, pragmas, migrations. */
import { Database } from "bun:sqlite";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../trouble.ts";
import { createPrivateFile } from "./file.ts";
import { migrate, readVersion } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";

export type { Database } from "bun:sqlite";

/** Name of the database inside the data folder; `-wal` and `-shm` stand beside it while it is open. */
export const databaseFileName = "kinomill.sqlite";

/**
 * How long a statement waits for another process's write (a command of the command line beside the
 * server). Such writes take milliseconds; the wait blocks the event loop, so it must not be longer.
 */
const BUSY_TIMEOUT_MS = 5_000;

/** `db.query` keeps this many statements prepared: all of Kinomill's (Bun's default is 20). */
Database.MAX_QUERY_CACHE_SIZE = 500;

/**
 * Pages of the log before it is copied into the database: 16 MB. Each copy syncs twice, and a job writes
 * some ten pages: with SQLite's 1,000 every hundredth commit would wait for it.
 */
export const LOG_PAGES = 4_000;

/** A burst grows the write-ahead log; a checkpoint cuts it back to this. */
const WAL_LIMIT_BYTES = 64 * 1024 ** 2;

/**
 * The database of a data folder, created when there is none, at the newest schema. The folder is made
 * with mode 0700, the file has 0600: it holds password hashes and the signing key. Parameters are bound by
 * name without a prefix, and a missing one is an error (`strict`). Foreign keys are enforced.
 * Close it with `close()`.
 * @throws Refusal 400 `data_unusable`, Refusal 409 `database_too_new`
 */
export function openDatabase(dataFolder: string): Database {
  const path = join(dataFolder, databaseFileName);
  let db: Database | null = null;
  try {
    createPrivately(dataFolder, path);
    db = new Database(path, { readwrite: true, strict: true });
    setPragmas(db);
    migrate(db);
    db.run("PRAGMA foreign_keys = ON");
    return db;
  } catch (cause) {
    db?.close();
    throw unusable(dataFolder, cause);
  }
}

/** The same for reading alone, beside a server that may be writing; null where there is none or it cannot be read. */
export function openToRead(dataFolder: string): Database | null {
  try {
    return new Database(join(dataFolder, databaseFileName), { readonly: true, strict: true });
  } catch {
    return null;
  }
}

/** Whether it has the schema of this executable. */
export function isCurrent(db: Database): boolean {
  try {
    return readVersion(db) === migrations.length;
  } catch {
    return false;
  }
}

function createPrivately(dataFolder: string, path: string): void {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  createPrivateFile(path);
  // SQLite gives the log beside it the same mode.
  chmodSync(path, 0o600);
}

function setPragmas(db: Database): void {
  // First, because switching the journal can already meet another process.
  db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  db.run("PRAGMA journal_mode = WAL");
  // NORMAL lost acknowledged jobs in 14 of 20 power cuts, FULL in none of 40.
  db.run("PRAGMA synchronous = FULL");
  db.run(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
  db.run(`PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}`);
  db.run("PRAGMA temp_store = MEMORY");
  db.run("PRAGMA trusted_schema = OFF");
  db.run("PRAGMA foreign_keys = OFF");
}

/** What the operator can mend, as a sentence; anything else passes unchanged. */
function unusable(dataFolder: string, cause: unknown): unknown {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const sentence = sentences[code];
  if (sentence === undefined) return cause;
  return new Refusal(
    400,
    "data_unusable",
    `Cannot open the database in the data folder ${dataFolder}: ${sentence}`,
  );
}

const chooseFolder = "Give that right, or choose another folder with --data.";
const sentences: Record<string, string> = {
  EACCES: `this user may not write there. ${chooseFolder}`,
  EPERM: `the file belongs to another user. ${chooseFolder}`,
  EROFS: "the file system is read-only. Choose another folder with --data.",
  ENOTDIR: "a part of the path is a file. Choose another folder with --data.",
  EEXIST: "it is a file, not a folder. Choose another folder with --data.",
  ENOSPC: "the disk is full. Free some space and start again.",
  SQLITE_FULL: "the disk is full. Free some space and start again.",
  SQLITE_READONLY: `this user may not write there. ${chooseFolder}`,
  SQLITE_CANTOPEN: `this user may not open it. ${chooseFolder}`,
  SQLITE_NOTADB: `${databaseFileName} is not a Kinomill database. Restore a backup of it.`,
  SQLITE_CORRUPT: `${databaseFileName} is damaged. Restore a backup of it.`,
};
