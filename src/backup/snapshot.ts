/**
 * What the copying process does: one consistent copy of a database that others go on writing to, and the proof that
 * it is whole. `VACUUM INTO` reads inside one transaction, so writers neither wait for it nor show in it; SQLite's
 * stepwise backup would begin anew with each of their writes.
 */
import { Database } from "bun:sqlite";
import { setPriority } from "node:os";
import { join } from "node:path";
import { databaseFileName } from "../database/open.ts";

/** The word after the executable's name that starts it. */
export const snapshotWord = "snapshot";

/** How it ends, for the exit code. Anything else is a crash. */
export const snapshotExits = { done: 0, full: 3, damaged: 4, failed: 5 } as const;

/** Everything else that runs on the box goes before it. */
const LOWEST_PRIORITY = 19;

/** The source may be locked for a moment while another process opens or closes it. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Copies the database of a data folder to `target`, which must not exist. Not durable yet: whoever started this
 * process syncs the file while it grows. Prints what is wrong and answers with the exit code.
 */
export function makeSnapshot([dataFolder = "", target = ""]: string[]): number {
  setPriority(0, LOWEST_PRIORITY);
  try {
    copy(join(dataFolder, databaseFileName), target);
    const faults = faultsOf(target);
    if (faults.length === 0) return snapshotExits.done;
    process.stderr.write(faults.join("; "));
    return snapshotExits.damaged;
  } catch (cause) {
    process.stderr.write(cause instanceof Error ? cause.message : String(cause));
    return exitOf(codeOf(cause));
  }
}

function copy(source: string, target: string): void {
  using db = new Database(source, { readwrite: true, strict: true });
  db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  // The copy has the level of its source; whoever started this process syncs it.
  db.run("PRAGMA synchronous = OFF");
  try {
    db.query("VACUUM INTO ?").run(target);
  } finally {
    // When the server was killed meanwhile, this close is the last one: it empties the log into the database.
    db.run("PRAGMA synchronous = FULL");
  }
}

/** Every page, index and constraint is looked at. Empty: it is whole. */
export function faultsOf(path: string): string[] {
  using db = new Database(path, { readonly: true, strict: true });
  const found = db
    .query<{ integrity_check: string }, []>("PRAGMA integrity_check(10)")
    .all()
    .map(({ integrity_check }) => integrity_check);
  if (found.length !== 1 || found[0] !== "ok") return found;
  const dangling = db.query("PRAGMA foreign_key_check").all().length;
  return dangling === 0 ? [] : [`${dangling} references lead nowhere`];
}

function exitOf(code: string): number {
  if (code === "SQLITE_FULL" || code === "ENOSPC") return snapshotExits.full;
  const damaged = code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB";
  return damaged ? snapshotExits.damaged : snapshotExits.failed;
}

export function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}
