/** Assets whose bytes are not where they should be: after a restore, for example, those that were deleted since. */
import type { Database } from "bun:sqlite";
import type { Storage } from "../storage/storage.ts";

export interface MissingBytes {
  id: string;
  name: string;
  /** Null when the object is gone; otherwise it has this many bytes and not those of the record. */
  foundBytes: number | null;
}

/** Records that are read at once: a library of millions does not stand in memory. */
const PAGE = 1_000;

/** Objects that are asked for at the same time. */
const AT_ONCE = 16;

type Row = { id: string; name: string; sizeBytes: number };

/** Looks at the object of every asset that is not being deleted. */
export async function missingBytes(
  database: Database,
  storage: Pick<Storage, "stat">,
): Promise<MissingBytes[]> {
  const missing: MissingBytes[] = [];
  let after = "";
  for (;;) {
    const rows = pageOf(database, after);
    for (let at = 0; at < rows.length; at += AT_ONCE) {
      const looked = await Promise.all(
        rows.slice(at, at + AT_ONCE).map((row) => lookAt(row, storage)),
      );
      missing.push(...looked.filter((found) => found !== null));
    }
    const last = rows.at(-1);
    if (last === undefined) return missing;
    after = last.id;
  }
}

function pageOf(database: Database, after: string): Row[] {
  return database
    .query<Row, [string, number]>(
      `SELECT id, name, size_bytes AS sizeBytes FROM asset
       WHERE id > ?1 AND state <> 'deleting' ORDER BY id LIMIT ?2`,
    )
    .all(after, PAGE);
}

async function lookAt(row: Row, storage: Pick<Storage, "stat">): Promise<MissingBytes | null> {
  const found = await storage.stat(row.id);
  if (found?.sizeBytes === row.sizeBytes) return null;
  return { id: row.id, name: row.name, foundBytes: found?.sizeBytes ?? null };
}
