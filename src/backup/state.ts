/** What there is to say of the backups of a data folder: the page, `GET /system/backups` and `doctor` share it. */
import type { Config } from "../config.ts";
import { parseSchedule, type Schedule } from "../schedule.ts";
import { assert } from "../trouble.ts";
import { openShelf } from "./backup.ts";
import type { Attempt, Backup } from "./shelf.ts";

/** A backup during which a write waited longer is worth a word: people notice a page that hangs for half a second. */
const WAIT_WARNED_MS = 500;

export interface BackupState {
  /** The newest first. */
  backups: Backup[];
  /** As in the settings. */
  schedule: string;
  /** When the next one is due; null when none is planned. */
  nextAt: string | null;
  /** How the last attempt went; null before the first. */
  last: Attempt | null;
  /** Whether they are copied into the bucket too, and why the last copy failed; null where storage is the disk. */
  bucket: { problem: string | null } | null;
  /** What is not as it should be, in sentences with what to do; empty when all is well. */
  warnings: string[];
}

/** The last one that was asked for: health is asked about every few seconds. */
let known: { words: string; schedule: Schedule } | null = null;

export function scheduleOf({ backup }: Pick<Config, "backup">): Schedule {
  if (known?.words === backup.schedule) return known.schedule;
  const schedule = parseSchedule(backup.schedule);
  assert(schedule !== null, "the settings hold a schedule");
  known = { words: backup.schedule, schedule };
  return schedule;
}

/** @param sinceMs since when backups could have been made: the start of the server, or null where none runs */
export async function backupState(
  config: Pick<Config, "data" | "backup">,
  nowMs: number,
  sinceMs: number | null,
  bucket: BackupState["bucket"] = null,
): Promise<BackupState> {
  const shelf = openShelf(config);
  const [backups, last] = await Promise.all([shelf.list(), shelf.lastAttempt()]);
  const schedule = scheduleOf(config);
  const newestMs = momentOf(backups[0]);
  const nextMs = schedule.nextMs(newestMs ?? sinceMs, nowMs);
  const warnings = [
    ...failureWarning(last),
    ...ageWarning(schedule, newestMs, newestMs ?? sinceMs, nowMs),
    ...waitWarning(last),
    ...(bucket?.problem ? [bucket.problem] : []),
  ];
  const nextAt = nextMs === null ? null : new Date(nextMs).toISOString();
  return { backups, schedule: config.backup.schedule, nextAt, last, bucket, warnings };
}

export function momentOf(backup: Backup | undefined): number | null {
  return backup === undefined ? null : Date.parse(backup.createdAt);
}

function failureWarning(last: Attempt | null): string[] {
  return last === null || last.problem === null ? [] : [last.problem];
}

function ageWarning(
  schedule: Schedule,
  newestMs: number | null,
  sinceMs: number | null,
  nowMs: number,
): string[] {
  const intervalMs = schedule.intervalMs();
  if (intervalMs === null || sinceMs === null || nowMs - sinceMs <= 2 * intervalMs) return [];
  const age =
    newestMs === null
      ? "There is no backup of the database"
      : `The newest backup of the database is of ${new Date(newestMs).toISOString()}`;
  return [
    `${age}, although one is planned at least every ${hoursText(intervalMs)}. Look at the log for why, and make one now: kinomill backup now.`,
  ];
}

function waitWarning(last: Attempt | null): string[] {
  const waitedMs = last?.writersWaitMs ?? 0;
  if (waitedMs <= WAIT_WARNED_MS) return [];
  return [
    `While the last backup was made, a write waited ${waitedMs} ms. Put backup.folder on another disk, or plan backups for a quiet hour (backup.schedule).`,
  ];
}

function hoursText(durationMs: number): string {
  const hours = Math.round(durationMs / 3_600_000);
  return hours <= 1 ? "hour" : `${hours} hours`;
}
