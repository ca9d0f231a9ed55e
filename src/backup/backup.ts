/** Makes one backup: room, copy, proof, checksum, publication, pruning. Beside a server or without one. */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { lockForBackup } from "../database/lock.ts";
import { databaseFileName } from "../database/open.ts";
import { watchWaits } from "../database/transaction.ts";
import { Refusal } from "../trouble.ts";
import { type CopyOutcome, copyDatabase } from "./copying.ts";
import { type Backup, Shelf, sha256Of } from "./shelf.ts";

type Settings = Pick<Config, "data" | "backup" | "storage">;

export interface TakeOptions {
  config: Settings;
  clock: Clock;
  /** Whether this process writes to the database: then it sees how long its writes wait. */
  serving: boolean;
  signal?: AbortSignal;
}

export function openShelf(config: Pick<Config, "data" | "backup">): Shelf {
  return new Shelf(resolve(config.data, config.backup.folder));
}

/**
 * Makes a backup and prunes the old ones. After it resolves the backup survives a power cut; when it rejects nothing
 * of it is kept, and the older ones are as they were. How it went is noted beside them.
 * @throws Refusal 409 `backup_running`, 507 `storage_full`, 500 `database_damaged`, 500 `backup_failed`, each with what
 * to do; the signal's reason
 */
export async function takeBackup(options: TakeOptions): Promise<Backup> {
  const { config, clock } = options;
  const lock = lockForBackup(config.data);
  if (lock === null) throw new Refusal(409, "backup_running", "A backup is being made already.");
  const shelf = openShelf(config);
  const waits = watchWaits();
  const [at, beganMs] = [new Date(clock.nowMs()).toISOString(), clock.monotonicMs()];
  const note = (name: string | null, problem: string | null) =>
    shelf.noteAttempt({
      ...{ at, name, problem },
      tookMs: Math.round(clock.monotonicMs() - beganMs),
      writersWaitMs: options.serving ? Math.round(waits.longestMs()) : null,
    });
  try {
    const backup = await make(shelf, options);
    await note(backup.name, null);
    return backup;
  } catch (cause) {
    const refusal = refusalOf(cause);
    // On a full disk even this may not fit.
    if (refusal !== null) await note(null, refusal.message).catch(() => undefined);
    throw refusal ?? cause;
  } finally {
    waits.end();
    lock.release();
  }
}

async function make(shelf: Shelf, { config, clock, signal }: TakeOptions): Promise<Backup> {
  await shelf.sweep();
  await refuseWithoutRoom(shelf, config);
  const { name, part } = await shelf.begin(clock.nowMs());
  try {
    const outcome = await copyDatabase(config.data, part, signal);
    if (outcome.kind === "aborted") signal?.throwIfAborted();
    const trouble = troubleOf(outcome);
    if (trouble !== null) throw trouble;
    await shelf.publish(name, await sha256Of(part));
  } catch (cause) {
    // The lock is still held: nobody else is at work here.
    await shelf.sweep().catch(() => undefined);
    throw cause;
  }
  const backup = await shelf.find(name);
  if (backup === null) throw new Error("invariant broken: a published backup is there");
  await shelf.prune(config.backup.keep);
  return backup;
}

/** @throws Refusal 507 `storage_full` before anything is written */
async function refuseWithoutRoom(shelf: Shelf, config: Settings): Promise<void> {
  const database = await stat(join(config.data, databaseFileName));
  const { freeBytes, device } = await shelf.room();
  // The reserve is there so that the database of this disk can be written.
  const reserveBytes = device === database.dev ? config.storage.reserveBytes : 0;
  if (freeBytes < database.size + reserveBytes) throw noRoom();
}

function troubleOf(outcome: CopyOutcome): Refusal | null {
  switch (outcome.kind) {
    case "done":
      return null;
    case "full":
      return noRoom();
    case "damaged":
      return new Refusal(
        500,
        "database_damaged",
        `The database is damaged, so no backup of it was kept (${outcome.words}). Stop Kinomill and restore the newest backup; look at the disk's health (dmesg, smartctl).`,
      );
    case "log_grew":
      return failed("so much was written meanwhile that the log of the database grew too far");
    case "aborted":
      return failed("it was interrupted");
    case "failed":
      return failed(outcome.words);
  }
}

function failed(why: string): Refusal {
  return new Refusal(
    500,
    "backup_failed",
    `The backup could not be made: ${why}. The older ones are as they were; try again.`,
  );
}

function noRoom(): Refusal {
  return new Refusal(
    507,
    "storage_full",
    "There is not enough free space for a backup of the database (backup.folder). Free some space or keep fewer (backup.keep), then try again.",
  );
}

/** The sentence of what went wrong; null for what is ours. */
function refusalOf(cause: unknown): Refusal | null {
  if (cause instanceof Refusal) return cause;
  switch (cause instanceof Error && "code" in cause ? cause.code : null) {
    case "ENOSPC":
    case "EDQUOT":
      return noRoom();
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
    case "EEXIST":
      return failed("this user may not write to the folder of the backups (backup.folder)");
    case "EIO":
      return failed("the disk failed; look at its health (dmesg, smartctl)");
    default:
      return null;
  }
}
