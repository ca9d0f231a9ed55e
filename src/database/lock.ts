/**
 * One server per data folder. The lock is SQLite's own write lock on a small second database: the
 * kernel drops it with the process, however that ends; child processes do not inherit it, as they
 * would an flock; and it needs no foreign function. The main database stays free for commands beside
 * the server.
 */
import { Database, SQLiteError } from "bun:sqlite";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Refusal } from "../trouble.ts";
import { createPrivateFile } from "./file.ts";

/** What is done by one process at a time: to serve, to make a backup. Each has `….lock`, and `….json` that says who. */
type Locked = "server" | "backup";

/** A holder that was just killed needs a moment to be gone, and one that just started to write its name. */
const WAIT_MS = 1_000;

/** Databases whose lock this process holds: an unreachable one would be collected, and its lock dropped. */
const held = new Set<Database>();

export interface Lock {
  /** Replaces the description, for example when the port is known. */
  describe(whatForHumans: string): void;
  /** Frees the folder; the process's end does the same. */
  release(): void;
}

const holderSchema = z.object({ pid: z.int(), what: z.string() });

/**
 * Takes the data folder for this process.
 * @param whatForHumans what holds it, for the message to a second one: "the server at http://…:7600"
 * @throws Refusal 409 `data_in_use` that names the holder's process and `whatForHumans`
 */
export function lockDataFolder(folder: string, whatForHumans: string): Lock {
  const lock = takeLock(folder, "server", whatForHumans, WAIT_MS);
  if (lock === null) throw inUse(folder);
  return lock;
}

/** The right to make a backup of this data folder; null while another process has it. */
export function lockForBackup(folder: string): Lock | null {
  // The server asks too, and nothing else is answered while it waits.
  return takeLock(folder, "backup", "a backup", 0);
}

function takeLock(
  folder: string,
  locked: Locked,
  whatForHumans: string,
  waitMs: number,
): Lock | null {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lockPath = join(folder, `${locked}.lock`);
  createPrivateFile(lockPath);
  const db = new Database(lockPath, { readwrite: true });
  try {
    db.run(`PRAGMA busy_timeout = ${waitMs}`);
    db.run("BEGIN EXCLUSIVE");
  } catch (cause) {
    db.close();
    if (cause instanceof SQLiteError && cause.code?.startsWith("SQLITE_BUSY")) return null;
    throw cause;
  }
  return hold(db, holderPath(folder, locked), whatForHumans);
}

/** Says who holds the lock, for people and for the message; the lock itself does not depend on it. */
function holderPath(folder: string, locked: Locked): string {
  return join(folder, `${locked}.json`);
}

function hold(db: Database, path: string, whatForHumans: string): Lock {
  const describe = (what: string) =>
    writeFileSync(path, `${JSON.stringify({ pid: process.pid, what })}\n`, { mode: 0o600 });
  describe(whatForHumans);
  held.add(db);
  return {
    describe,
    release: () => {
      if (!held.delete(db)) return;
      rmSync(path, { force: true });
      db.close();
    },
  };
}

function inUse(folder: string): Refusal {
  const holder = readHolder(holderPath(folder, "server"));
  const who = holder === null ? "another Kinomill" : `${holder.what} (process ${holder.pid})`;
  return new Refusal(
    409,
    "data_in_use",
    `The data folder ${folder} is in use by ${who}. Stop it first, or choose another folder with --data.`,
  );
}

function readHolder(path: string): z.output<typeof holderSchema> | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // Missing or half-written: the message is poorer, the lock is as firm.
    return null;
  }
}
