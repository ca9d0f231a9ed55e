/** Brings a database to the schema of this executable, one numbered migration at a time. */
import type { Database } from "bun:sqlite";
import { product } from "../product.ts";
import { assert, Refusal } from "../trouble.ts";
import { type Migration, migrations } from "./migrations/index.ts";

/**
 * Applies what is missing. Each migration and its `user_version` are one transaction, so a crash leaves
 * the old schema or the new, and a second process that migrates at the same time waits and then finds
 * nothing to do. Must run outside a transaction, with foreign keys off: a migration that rebuilds a
 * table would otherwise delete what refers to it. All references are checked before each commit.
 * @throws Refusal 409 `database_too_new` when a later Kinomill wrote this database
 */
export function migrate(db: Database, steps: readonly Migration[] = migrations): void {
  assert(
    steps.every((step, index) => step.version === index + 1),
    "migrations are numbered 1, 2, 3 … without a gap",
  );
  while (readVersion(db) !== steps.length) applyNext(db, steps);
}

/** The number of the last migration that this database has; 0 for an empty one. */
export function readVersion(db: Database): number {
  const row = db.query<{ user_version: number }, []>("PRAGMA user_version").get();
  return row?.user_version ?? 0;
}

function applyNext(db: Database, steps: readonly Migration[]): void {
  db.run("BEGIN IMMEDIATE");
  try {
    // Read again under the write lock: another process may have been faster.
    const version = readVersion(db);
    refuseNewer(version, steps.length);
    const step = steps[version];
    if (step !== undefined) {
      db.run(step.sql);
      assert(db.inTransaction, `migration ${step.name} leaves its transaction open`);
      const orphans = db.query("PRAGMA foreign_key_check").all().length;
      assert(orphans === 0, `migration ${step.name} leaves no dangling reference`);
      db.run(`PRAGMA user_version = ${step.version}`);
    }
    db.run("COMMIT");
  } catch (cause) {
    // After some errors (full disk) SQLite has rolled back by itself.
    if (db.inTransaction) db.run("ROLLBACK");
    throw cause;
  }
}

function refuseNewer(version: number, known: number): void {
  if (version <= known) return;
  throw new Refusal(
    409,
    "database_too_new",
    `The database was written by a newer Kinomill (schema ${version}; version ${product.version} knows ` +
      `${known}). Start that newer version, or restore a backup made before the upgrade.`,
  );
}
