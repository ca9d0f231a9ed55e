/** Rows of imports: the only place that reads and writes the `asset_import` table. */
import type { Database, SQLQueryBindings } from "bun:sqlite";
import type { WhenEqual } from "../assets/asset.ts";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import type { Sealer } from "../secrets/vault.ts";
import type { Import, ImportState } from "./import.ts";
import { shownLink } from "./link.ts";
import type { LinkFault } from "./link-trouble.ts";

interface Row {
  id: string;
  owner_id: string;
  url: string;
  sealed_url: Uint8Array | null;
  name: string;
  named: number;
  state: ImportState;
  if_exists: WhenEqual;
  validator: string | null;
  total_bytes: number | null;
  durable_bytes: number;
  error: string | null;
  asset_id: string | null;
  created_at: string;
  finished_at: string | null;
}

/** What is known of the version of the file that arrives. */
export type Version = Pick<Import, "validator" | "totalBytes" | "name">;

export class ImportRows {
  private readonly database: Database;
  private readonly clock: Clock;
  private readonly sealer: Sealer;

  /** @param sealer links that hold secrets are kept sealed */
  constructor(database: Database, clock: Clock, sealer: Sealer) {
    this.database = database;
    this.clock = clock;
    this.sealer = sealer;
  }

  insertAll(items: readonly Import[]): void {
    const insert = this.database.query(
      `INSERT INTO asset_import (id, owner_id, url, sealed_url, name, named, state, if_exists, created_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, ?8)`,
    );
    transaction(this.database, () => {
      for (const { id, ownerId, url, name, named, ifExists, createdAt } of items) {
        const { shown, sealed } = this.kept(id, url);
        insert.run(id, ownerId, shown, sealed, name, named ? 1 : 0, ifExists, createdAt);
      }
    });
  }

  /** Seals the links that a version before this one has kept in clear. */
  sealLeft(): void {
    const sql = "SELECT id, url FROM asset_import WHERE sealed_url IS NULL";
    const rows = this.database.query<{ id: string; url: string }, []>(sql).all();
    const update = this.database.query(
      "UPDATE asset_import SET url = ?2, sealed_url = ?3 WHERE id = ?1",
    );
    // What the row had is overwritten in the file as well.
    this.database.run("PRAGMA secure_delete = ON");
    transaction(this.database, () => {
      for (const { id, url } of rows) {
        const { shown, sealed } = this.kept(id, url);
        if (sealed !== null) update.run(id, shown, sealed);
      }
    });
    this.database.run("PRAGMA secure_delete = OFF");
  }

  private kept(id: string, url: string): { shown: string; sealed: Uint8Array | null } {
    const shown = shownLink(new URL(url));
    return { shown, sealed: shown === url ? null : this.sealer.seal(purposeOf(id), url) };
  }

  private toImport(row: Row): Import {
    if (row.sealed_url === null) return toImport(row, row.url, false);
    const opened = this.sealer.open(purposeOf(row.id), row.sealed_url);
    return opened.kind === "open"
      ? toImport(row, opened.text, false)
      : toImport(row, row.url, true);
  }

  find(ownerId: string, id: string): Import | null {
    const row = this.database
      .query<Row, [string, string]>("SELECT * FROM asset_import WHERE id = ?1 AND owner_id = ?2")
      .get(id, ownerId);
    return row === null ? null : this.toImport(row);
  }

  /** The newest first. */
  list(ownerId: string, limit: number, after: string | null): Import[] {
    return (
      this.database
        .query<Row, [string, string, number]>(
          "SELECT * FROM asset_import WHERE owner_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
        )
        // Above every id: "t" follows "s".
        .all(ownerId, after ?? "at", limit)
        .map((row) => this.toImport(row))
    );
  }

  /** How many of this person have not ended. */
  openCount(ownerId: string): number {
    const row = this.database
      .query<{ n: number }, [string]>(
        "SELECT count(*) AS n FROM asset_import WHERE owner_id = ?1 AND state IN ('waiting', 'receiving')",
      )
      .get(ownerId);
    return row?.n ?? 0;
  }

  /** Takes the oldest that waits, of anybody but these; null when there is none. */
  claim(butOf: readonly string[]): Import | null {
    const row = this.database
      .query<Row, [string]>(
        `UPDATE asset_import SET state = 'receiving' WHERE state = 'waiting' AND id = (
           SELECT id FROM asset_import WHERE state = 'waiting'
             AND owner_id NOT IN (SELECT value FROM json_each(?1)) ORDER BY id LIMIT 1)
         RETURNING *`,
      )
      .get(JSON.stringify(butOf));
    return row === null ? null : this.toImport(row);
  }

  noteVersion(id: string, { validator, totalBytes, name }: Version): void {
    this.receiving(
      "validator = ?2, total_bytes = ?3, name = ?4, durable_bytes = 0",
      id,
      validator,
      totalBytes,
      name,
    );
  }

  noteDurable(id: string, durableBytes: number): void {
    this.receiving("durable_bytes = ?2", id, durableBytes);
  }

  /** It was interrupted and goes on later. */
  putBack(id: string): void {
    this.receiving("state = 'waiting'", id);
  }

  fail(id: string, fault: LinkFault): void {
    this.receiving(
      "state = 'failed', error = ?2, finished_at = ?3",
      id,
      JSON.stringify(fault),
      this.now(),
    );
  }

  noteReused(id: string, assetId: string): void {
    this.receiving(
      "state = 'reused', asset_id = ?2, finished_at = ?3, durable_bytes = 0",
      id,
      assetId,
      this.now(),
    );
  }

  private receiving(set: string, ...values: SQLQueryBindings[]): void {
    this.database
      .query<unknown, SQLQueryBindings[]>(
        `UPDATE asset_import SET ${set} WHERE id = ?1 AND state = 'receiving'`,
      )
      .run(...values);
  }

  /** A failed one waits again. False when it is in another state or gone. */
  retry(ownerId: string, id: string): boolean {
    return (
      this.database
        .query(
          `UPDATE asset_import SET state = 'waiting', error = NULL, finished_at = NULL
           WHERE id = ?1 AND owner_id = ?2 AND state = 'failed'`,
        )
        .run(id, ownerId).changes === 1
    );
  }

  /** Call it inside the transaction that records the asset, or to cancel. */
  remove(id: string): void {
    this.database.query("DELETE FROM asset_import WHERE id = ?1").run(id);
  }

  /** Those that a server before this one was receiving wait again. */
  recover(): void {
    this.database.run("UPDATE asset_import SET state = 'waiting' WHERE state = 'receiving'");
  }

  /** Removes what ended before this time and names it. */
  removeEndedBefore(timeMs: number): string[] {
    return this.database
      .query<{ id: string }, [string]>(
        "DELETE FROM asset_import WHERE finished_at < ?1 RETURNING id",
      )
      .all(isoTime(timeMs))
      .map(({ id }) => id);
  }

  /** Whether there is one of this id, whoever's. */
  exists(id: string): boolean {
    return this.database.query("SELECT 1 FROM asset_import WHERE id = ?1").get(id) !== null;
  }

  private now(): string {
    return isoTime(this.clock.nowMs());
  }
}

function purposeOf(id: string): string {
  return `import:${id}`;
}

function toImport(row: Row, url: string, lost: boolean): Import {
  return {
    id: row.id,
    ownerId: row.owner_id,
    url,
    lost,
    name: row.name,
    named: row.named === 1,
    state: row.state,
    ifExists: row.if_exists,
    validator: row.validator,
    totalBytes: row.total_bytes,
    durableBytes: row.durable_bytes,
    error: row.error === null ? null : (JSON.parse(row.error) as LinkFault),
    assetId: row.asset_id,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
