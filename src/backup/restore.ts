/**
 * Puts a backup in the place of the database. The server must be stopped. The backup is copied and proven first; the
 * present database is kept aside under a name that is told; the exchange is one move, so that a crash leaves the old
 * database or the new one.
 */
import { Database } from "bun:sqlite";
import { copyFileSync, existsSync, linkSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { chmod, copyFile, open, readFile, stat, statfs } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { lockDataFolder } from "../database/lock.ts";
import { migrations } from "../database/migrations/index.ts";
import { databaseFileName } from "../database/open.ts";
import { product } from "../product.ts";
import { Refusal } from "../trouble.ts";
import { openShelf } from "./backup.ts";
import type { BucketShelf } from "./bucket-shelf.ts";
import { sha256Of, syncFolder } from "./shelf.ts";
import { codeOf, faultsOf } from "./snapshot.ts";

export interface RestoreOptions {
  config: Pick<Config, "data" | "backup" | "storage">;
  clock: Clock;
  /** The name of a backup in `backup.folder`, or the path of a file. */
  source: string;
  /** Where storage is a bucket: names that are not here are looked for there. */
  bucket?: Pick<BucketShelf, "fetch"> | null;
}

export interface Restored {
  /** Absolute path of the folder that holds the database of before; null when there was none. */
  keptAside: string | null;
  /** Schema of the backup; the next start brings an older one up to date. */
  schema: number;
  sha256: string;
}

/** Another command may have the database open for a moment. */
const BUSY_TIMEOUT_MS = 5_000;

/** What every Kinomill database has had since the first. */
const ownTables = ["user", "asset", "job"];

/**
 * @throws Refusal 409 `data_in_use`, 404 `no_such_backup`, 422 `backup_damaged`, 409 `database_too_new`, 507
 * `storage_full`; the present database is untouched then
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { config, clock } = options;
  const lock = lockDataFolder(config.data, "a restore");
  const staged = join(config.data, `${databaseFileName}.restoring`);
  try {
    clear(staged);
    const file = await locate(options, fetchedPath(config.data));
    const sha256 = await stage(file, staged, config);
    const schema = await prove(staged);
    const keptAside = await keepAside(config.data, clock.nowMs());
    renameSync(staged, join(config.data, databaseFileName));
    await syncFolder(config.data);
    return { keptAside, schema, sha256 };
  } finally {
    clear(staged);
    clear(fetchedPath(config.data));
    lock.release();
  }
}

function clear(staged: string): void {
  for (const ending of ["", ".sha256", "-journal", "-wal", "-shm"])
    rmSync(staged + ending, { force: true });
}

const fetchedPath = (dataFolder: string) => join(dataFolder, `${databaseFileName}.fetched`);

async function locate(
  { config, source, bucket }: RestoreOptions,
  fetched: string,
): Promise<string> {
  const kept = await openShelf(config).find(source);
  if (kept !== null) return openShelf(config).pathOf(kept.name);
  const file = resolve(source);
  if ((await stat(file).catch(() => null))?.isFile()) return file;
  if (await bucket?.fetch(source, fetched)) return fetched;
  throw new Refusal(
    404,
    "no_such_backup",
    `There is no backup ${source}: neither a name that "kinomill backup list" shows nor a file.`,
  );
}

/** Copies the backup beside the database, and compares it with its checksum where there is one. */
async function stage(file: string, staged: string, config: RestoreOptions["config"]) {
  const { size } = await stat(file);
  const { bavail, bsize } = await statfs(config.data);
  if (bavail * bsize < size) throw noRoom();
  const wanted = (await readFile(`${file}.sha256`, "utf8").catch(() => "")).slice(0, 64);
  try {
    await copyFile(file, staged);
    await chmod(staged, 0o600);
  } catch (cause) {
    throw codeOf(cause) === "ENOSPC" ? noRoom() : cause;
  }
  const sha256 = await sha256Of(staged);
  if (wanted === "" || wanted === sha256) return sha256;
  throw damaged(file, "its bytes are not those of its checksum");
}

/** Whether it is a whole database that this Kinomill knows; makes it fit for the exchange, and durable. Its schema. */
async function prove(staged: string): Promise<number> {
  let schema: number;
  try {
    const faults = faultsOf(staged);
    if (faults.length > 0) throw damaged(staged, faults.join("; "));
    schema = schemaOf(staged);
    prepare(staged);
  } catch (cause) {
    const code = codeOf(cause);
    const broken = code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT");
    if (broken) throw damaged(staged, "it is not a whole database");
    throw code === "SQLITE_FULL" ? noRoom() : cause;
  }
  await using file = await open(staged, "r+");
  await file.sync();
  return schema;
}

function schemaOf(staged: string): number {
  using db = new Database(staged, { readonly: true, strict: true });
  const tables = db
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => name);
  const version =
    db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
  if (version === 0 || !ownTables.every((name) => tables.includes(name))) {
    throw new Refusal(422, "backup_damaged", "This file is no database of Kinomill.");
  }
  if (version <= migrations.length) return version;
  throw new Refusal(
    409,
    "database_too_new",
    `This backup was made by a newer Kinomill (schema ${version}; version ${product.version} knows ${migrations.length}). Install that version or a later one, then restore, or choose an older backup.`,
  );
}

/**
 * Logins do not come back: one that was ended since would be open again. Nor do the notes of objects that were just
 * being stored: the next start would delete what may be somebody's by now.
 */
function prepare(staged: string): void {
  using db = new Database(staged, { readwrite: true, strict: true });
  db.run("PRAGMA journal_mode = DELETE");
  db.run("BEGIN IMMEDIATE");
  db.run("DELETE FROM session");
  // A code that was used since would let somebody in again. Older databases had none.
  const coded = db.query("SELECT 1 FROM sqlite_master WHERE name = 'invitation'").get() !== null;
  if (coded) db.run("DELETE FROM invitation");
  db.run("DELETE FROM object_intent");
  db.run("COMMIT");
}

/** Leaves the present database where it is and gives it a second name in a folder of its own. */
async function keepAside(dataFolder: string, nowMs: number): Promise<string | null> {
  const present = join(dataFolder, databaseFileName);
  if (!existsSync(present)) return null;
  const aside = freshFolder(dataFolder, nowMs);
  const kept = join(aside, databaseFileName);
  // Before SQLite touches it: of a damaged database the log may be what can be rescued.
  if (existsSync(`${present}-wal`)) copyFileSync(`${present}-wal`, `${kept}-wal`);
  try {
    if (foldLog(present)) rmSync(`${kept}-wal`, { force: true });
  } catch (cause) {
    rmSync(aside, { recursive: true });
    throw cause;
  }
  linkOrCopy(present, kept);
  // A log left beside the new database would be replayed into it.
  for (const ending of ["-wal", "-shm"]) rmSync(present + ending, { force: true });
  await syncFolder(aside);
  await syncFolder(dataFolder);
  return aside;
}

function freshFolder(dataFolder: string, nowMs: number): string {
  const stem = `before-restore-${new Date(nowMs).toISOString().slice(0, 19).replaceAll(":", "-")}Z`;
  let name = stem;
  for (let n = 2; existsSync(join(dataFolder, name)); n += 1) name = `${stem}_${n}`;
  mkdirSync(join(dataFolder, name), { mode: 0o700 });
  return join(dataFolder, name);
}

/**
 * Writes the log into the database, which leaves one file; this also shows that nobody else has it open. False when it
 * is too damaged for that.
 * @throws Refusal 409 `data_in_use`
 */
function foldLog(present: string): boolean {
  try {
    using db = new Database(present, { readwrite: true, strict: true });
    db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    db.run("PRAGMA journal_mode = DELETE");
    return true;
  } catch (cause) {
    if (codeOf(cause).startsWith("SQLITE_BUSY") || codeOf(cause).startsWith("SQLITE_LOCKED")) {
      throw new Refusal(
        409,
        "data_in_use",
        "Another command has the database open. Wait for it, then restore.",
      );
    }
    return false;
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

function damaged(path: string, why: string): Refusal {
  const file = basename(path).replace(/\.restoring$/, "");
  const what = file === databaseFileName ? "The backup" : `The backup ${file}`;
  return new Refusal(
    422,
    "backup_damaged",
    `${what} is damaged: ${why}. Nothing was changed; choose another (kinomill backup list).`,
  );
}

function noRoom(): Refusal {
  return new Refusal(
    507,
    "storage_full",
    "The disk of the data folder has no room for the backup. Nothing was changed; free some space, then restore.",
  );
}
