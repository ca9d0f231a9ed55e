/** Rows of uploads: the only place that reads and writes the table `upload`. */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction, unhurried } from "../database/transaction.ts";
import type { Upload, UploadMetadata } from "./upload.ts";

interface UploadRow {
  id: string;
  owner_id: string;
  name: string;
  metadata: string;
  length_bytes: number;
  unchecked_from: number | null;
  asset_id: string | null;
  created_at: string;
  touched_at: string;
}

export class UploadRows {
  private readonly database: Database;
  private readonly clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  /**
   * Records an upload unless its owner has as many unfinished ones as are allowed.
   * @returns null when there are too many
   */
  insert(
    upload: Pick<Upload, "id" | "ownerId" | "name" | "metadata" | "lengthBytes">,
    unfinishedMax: number,
  ): Upload | null {
    const { id, ownerId, name, metadata, lengthBytes } = upload;
    const now = isoTime(this.clock.nowMs());
    return transaction(this.database, () => {
      if (this.countUnfinished(ownerId) >= unfinishedMax) return null;
      this.database
        .query(
          `INSERT INTO upload (id, owner_id, name, metadata, length_bytes, created_at, touched_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)`,
        )
        .run(id, ownerId, name, JSON.stringify(metadata), lengthBytes, now);
      return this.find(id);
    });
  }

  countUnfinished(ownerId: string): number {
    const sql = "SELECT count(*) AS count FROM upload WHERE owner_id = ?1 AND asset_id IS NULL";
    return this.database.query<{ count: number }, [string]>(sql).get(ownerId)?.count ?? 0;
  }

  /** Of everybody. */
  countAllUnfinished(): number {
    const sql = "SELECT count(*) AS count FROM upload WHERE asset_id IS NULL";
    return this.database.query<{ count: number }, []>(sql).get()?.count ?? 0;
  }

  /** What this owner's unfinished ones will have, in bytes. */
  unfinishedBytes(ownerId: string): number {
    const sql =
      "SELECT total(length_bytes) AS bytes FROM upload WHERE owner_id = ?1 AND asset_id IS NULL";
    return this.database.query<{ bytes: number }, [string]>(sql).get(ownerId)?.bytes ?? 0;
  }

  find(id: string): Upload | null {
    const row = this.database
      .query<UploadRow, [string]>("SELECT * FROM upload WHERE id = ?1")
      .get(id);
    return row === null ? null : uploadOf(row);
  }

  /** The unfinished ones of this owner, the newest first. */
  unfinishedOf(ownerId: string, limit: number): Upload[] {
    return this.database
      .query<UploadRow, [string, number]>(
        "SELECT * FROM upload WHERE owner_id = ?1 AND asset_id IS NULL ORDER BY id DESC LIMIT ?2",
      )
      .all(ownerId, limit)
      .map(uploadOf);
  }

  /** All unfinished ones, for the start of the server. */
  unfinished(): Upload[] {
    return this.database
      .query<UploadRow, []>("SELECT * FROM upload WHERE asset_id IS NULL")
      .all()
      .map(uploadOf);
  }

  /** Those whose last byte came before that time, the oldest first. */
  untouchedSince(time: string, limit: number): Upload[] {
    return this.database
      .query<UploadRow, [string, number]>(
        "SELECT * FROM upload WHERE touched_at < ?1 ORDER BY touched_at LIMIT ?2",
      )
      .all(time, limit)
      .map(uploadOf);
  }

  /** Notes that bytes came. A power cut may lose it: the upload is then as old as it was. */
  touch(id: string): void {
    const now = isoTime(this.clock.nowMs());
    unhurried(this.database, () => {
      this.database.query("UPDATE upload SET touched_at = ?2 WHERE id = ?1").run(id, now);
    });
  }

  /** Notes from where on bytes are not to be believed yet, before they come; null: all are. */
  noteUnchecked(id: string, from: number | null): void {
    transaction(this.database, () => {
      this.database.query("UPDATE upload SET unchecked_from = ?2 WHERE id = ?1").run(id, from);
    });
  }

  /** Notes what it became. Call it inside the transaction that records the asset. */
  complete(id: string, assetId: string): void {
    const now = isoTime(this.clock.nowMs());
    this.database
      .query("UPDATE upload SET asset_id = ?2, touched_at = ?3 WHERE id = ?1")
      .run(id, assetId, now);
  }

  remove(id: string): void {
    transaction(this.database, () => {
      this.database.query("DELETE FROM upload WHERE id = ?1").run(id);
    });
  }
}

function uploadOf(row: UploadRow): Upload {
  return {
    id: row.id,
    ownerId: row.owner_id,
    name: row.name,
    metadata: JSON.parse(row.metadata) as UploadMetadata,
    lengthBytes: row.length_bytes,
    uncheckedFrom: row.unchecked_from,
    assetId: row.asset_id,
    createdAt: row.created_at,
    touchedAt: row.touched_at,
  };
}
