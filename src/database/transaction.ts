/** Transactions, and what a database error means to the asker. */
import { type Database, SQLiteError } from "bun:sqlite";
import { assert, Refusal } from "../trouble.ts";

/** What a transaction may give back: anything but a promise, for it would be settled after the commit. */
export type Settled<T> = T extends PromiseLike<unknown> ? never : T;

/**
 * Runs `work` in one IMMEDIATE transaction and returns what it returns; rolls back when it throws. Inside
 * another transaction it becomes a savepoint of that one. `work` must not wait for anything: a promise
 * rolls back and is a broken invariant.
 * @throws SQLiteError; `databaseRefusal` makes it a sentence at the edge
 */
export function transaction<T>(db: Database, work: () => Settled<T>): T {
  // Not `db.transaction`: it builds six functions for each call, which cost more than a statement.
  const nested = db.inTransaction;
  const beganMs = nested ? 0 : performance.now();
  db.query(nested ? "SAVEPOINT part" : "BEGIN IMMEDIATE").run();
  try {
    const result: T = work();
    const thenable = typeof result === "object" && result !== null && "then" in result;
    assert(!thenable, "the work of a transaction does not return a promise");
    db.query(nested ? "RELEASE part" : "COMMIT").run();
    if (!nested) noteWait(performance.now() - beganMs);
    return result;
  } catch (cause) {
    undo(db, nested);
    throw cause;
  }
}

const waits = new Set<{ longestMs: number }>();

function noteWait(durationMs: number): void {
  for (const wait of waits) wait.longestMs = Math.max(wait.longestMs, durationMs);
}

/** From now on the longest time that a transaction of this process takes, waiting for the lock and the disk included. */
export function watchWaits(): { longestMs(): number; end(): void } {
  const wait = { longestMs: 0 };
  waits.add(wait);
  return { longestMs: () => wait.longestMs, end: () => waits.delete(wait) };
}

/** After some errors (a full disk) SQLite has rolled all of it back by itself. */
function undo(db: Database, nested: boolean): void {
  if (!db.inTransaction) return;
  if (!nested) {
    db.query("ROLLBACK").run();
    return;
  }
  db.query("ROLLBACK TO part").run();
  db.query("RELEASE part").run();
}

/**
 * The same, but inside another transaction it is a part of that one and no savepoint: what throws must throw
 * through all of it. A savepoint costs as much as a statement, and moves of jobs are made of few.
 */
export function joined<T>(db: Database, work: () => Settled<T>): T {
  return db.inTransaction ? work() : transaction(db, work);
}

/** What `PRAGMA synchronous` answers where each commit waits for the disk. */
const SYNCED = 2;

/**
 * The same as `transaction` without waiting for the disk: others see it at once and a kill of the server does not undo it; a
 * power cut does unless a commit that waits came after it. For what the next start finds out by itself. Inside another
 * transaction it is a part of that one.
 */
export function unhurried<T>(db: Database, work: () => Settled<T>): T {
  if (db.inTransaction) return work();
  const level = db.query<{ synchronous: number }, []>("PRAGMA synchronous").get()?.synchronous ?? 0;
  if (level < SYNCED) return transaction(db, work);
  // The log is written in order: what is synced later is behind this, and takes it along.
  db.run("PRAGMA synchronous = NORMAL");
  try {
    return transaction(db, work);
  } finally {
    db.run("PRAGMA synchronous = FULL");
  }
}

/** When a busy database is worth another try. */
const RETRY_AFTER_SECONDS = 2;

/**
 * The one place where errors of SQLite become the asker's: a full or failing disk is Refusal 507
 * `storage_full`, a lock that was not to be had in time Refusal 503 `busy`. Null for everything else,
 * which is ours. A failed COMMIT may still have reached the disk: the asker repeats with the same
 * idempotency key.
 */
export function databaseRefusal(error: unknown): Refusal | null {
  const code = error instanceof SQLiteError ? (error.code ?? "") : "";
  if (code === "SQLITE_FULL") {
    return new Refusal(
      507,
      "storage_full",
      "The disk under Kinomill's data folder is full, so nothing could be recorded. Free some space and try again.",
    );
  }
  if (code.startsWith("SQLITE_IOERR")) {
    return new Refusal(
      507,
      "storage_full",
      "The disk under Kinomill's data folder did not take the change. Check its free space and its health, then try again.",
    );
  }
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new Refusal(
      503,
      "busy",
      "Another process is writing to Kinomill's database. Try again in a moment.",
      { headers: { "Retry-After": String(RETRY_AFTER_SECONDS) } },
    );
  }
  return null;
}
