/** What admins said of settings on the page, as the database has it. */

import { Database, SQLiteError } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type LoadedConfig, type Setting, setPath, settings } from "../config.ts";
import { databaseFileName } from "../database/open.ts";

/** One setting's last change. `value` undefined: back to the default. */
export interface Stored {
  key: string;
  value: unknown;
  /** Counts changes over all settings. */
  revision: number;
  /** ISO 8601 UTC. */
  changedAt: string;
  /** The name as it was then. */
  changedBy: string;
}

interface Row extends Omit<Stored, "value"> {
  value: string | null;
}

/** Every setting that was ever changed on the page. */
export function readStored(database: Database): Stored[] {
  return database
    .query<Row, []>(
      "SELECT key, value, revision, changed_at AS changedAt, changed_by AS changedBy FROM setting",
    )
    .all()
    .map((row) => ({ ...row, value: row.value === null ? undefined : JSON.parse(row.value) }));
}

/** A value of the page that does not count, and why. */
export interface Ignored {
  key: string;
  reason: "unknown" | "locked" | "invalid";
}

/** The setting that the page may change, or null. */
export function editableSetting(key: string): Setting | null {
  return settings.find((setting) => setting.key === key && setting.editable !== null) ?? null;
}

/** Lays what the page said under what the host says, in place; gives what does not count. */
export function layUnder({ config, origins }: LoadedConfig, stored: readonly Stored[]): Ignored[] {
  const ignored: Ignored[] = [];
  for (const { key, value } of stored) {
    if (value === undefined) continue;
    const setting = editableSetting(key);
    const parsed = setting?.schema.safeParse(value);
    if (parsed === undefined) ignored.push({ key, reason: "unknown" });
    else if (origins.has(key)) ignored.push({ key, reason: "locked" });
    else if (!parsed.success) ignored.push({ key, reason: "invalid" });
    else setPath(config as Record<string, unknown>, key, parsed.data);
  }
  return ignored;
}

/**
 * What the page said in a data folder that others may have open; nothing where there is no database yet, one of a
 * Kinomill that knew no such thing, or one that this user may not read.
 */
export function storedIn(dataFolder: string): Stored[] {
  const path = join(dataFolder, databaseFileName);
  if (!existsSync(path)) return [];
  let database: Database | null = null;
  try {
    database = new Database(path, { readonly: true });
    return readStored(database);
  } catch (cause) {
    if (cause instanceof SQLiteError) return [];
    throw cause;
  } finally {
    database?.close();
  }
}
