/** Rows of direct uploads: the only place that reads and writes the table `direct_upload`. */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction, unhurried } from "../database/transaction.ts";
import type { DirectUpload, DirectUploadProblem, DirectUploadState } from "./direct-upload.ts";

interface Row {
  id: string;
  owner_id: string;
  name: string;
  modified: string;
  size_bytes: number;
  part_bytes: number;
  key: string;
  parts_id: string;
  state: DirectUploadState;
  problem: string | null;
  created_at: string;
  touched_at: string;
}

export type NewDirectUpload = Omit<DirectUpload, "state" | "problem" | "createdAt" | "touchedAt">;

const open = "state IN ('receiving', 'finishing')";

export class DirectUploadRows {
  private readonly database: Database;
  private readonly clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  private now(): string {
    return isoTime(this.clock.nowMs());
  }

  /** Records one unless its owner has as many unfinished ones as are allowed: null then. */
  insert(upload: NewDirectUpload, unfinishedMax: number): DirectUpload | null {
    const { id, ownerId, name, modified, sizeBytes, partBytes, key, partsId } = upload;
    return transaction(this.database, () => {
      if (this.countUnfinished(ownerId) >= unfinishedMax) return null;
      this.database
        .query(
          `INSERT INTO direct_upload (id, owner_id, name, modified, size_bytes, part_bytes, key, parts_id,
             state, created_at, touched_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'receiving', ?9, ?9)`,
        )
        .run(id, ownerId, name, modified, sizeBytes, partBytes, key, partsId, this.now());
      return this.find(id);
    });
  }

  countUnfinished(ownerId: string): number {
    const sql = `SELECT count(*) AS count FROM direct_upload WHERE owner_id = ?1 AND ${open}`;
    return this.database.query<{ count: number }, [string]>(sql).get(ownerId)?.count ?? 0;
  }

  /** Bytes of all its owner's unfinished ones, as they will be. */
  unfinishedBytes(ownerId: string): number {
    const sql = `SELECT coalesce(sum(size_bytes), 0) AS bytes FROM direct_upload WHERE owner_id = ?1 AND ${open}`;
    return this.database.query<{ bytes: number }, [string]>(sql).get(ownerId)?.bytes ?? 0;
  }

  find(id: string): DirectUpload | null {
    const row = this.database
      .query<Row, [string]>("SELECT * FROM direct_upload WHERE id = ?1")
      .get(id);
    return row === null ? null : uploadOf(row);
  }

  /** The unfinished ones of this owner, the newest first. */
  unfinishedOf(ownerId: string, limit: number): DirectUpload[] {
    return this.database
      .query<Row, [string, number]>(
        `SELECT * FROM direct_upload WHERE owner_id = ?1 AND ${open} ORDER BY id DESC LIMIT ?2`,
      )
      .all(ownerId, limit)
      .map(uploadOf);
  }

  /** Whether these parts belong to an upload that may still go on. */
  hasParts(partsId: string): boolean {
    const sql = "SELECT 1 AS there FROM direct_upload WHERE parts_id = ?1 AND state = 'receiving'";
    return this.database.query<{ there: number }, [string]>(sql).get(partsId) !== null;
  }

  /** Those that a crash left while they were put together and looked into. */
  finishing(): DirectUpload[] {
    return this.database
      .query<Row, []>("SELECT * FROM direct_upload WHERE state = 'finishing'")
      .all()
      .map(uploadOf);
  }

  /** Those of which nothing was heard since that time, the oldest first. */
  untouchedSince(time: string, limit: number): DirectUpload[] {
    return this.database
      .query<Row, [string, number]>(
        "SELECT * FROM direct_upload WHERE touched_at < ?1 ORDER BY touched_at LIMIT ?2",
      )
      .all(time, limit)
      .map(uploadOf);
  }

  /** A power cut may lose it: the upload is then as old as it was. */
  touch(id: string): void {
    unhurried(this.database, () => {
      this.database
        .query("UPDATE direct_upload SET touched_at = ?2 WHERE id = ?1")
        .run(id, this.now());
    });
  }

  move(id: string, from: DirectUploadState, to: "receiving" | "finishing" | "complete"): boolean {
    return transaction(this.database, () => {
      const { changes } = this.database
        .query("UPDATE direct_upload SET state = ?3, touched_at = ?4 WHERE id = ?1 AND state = ?2")
        .run(id, from, to, this.now());
      return changes === 1;
    });
  }

  refuse(id: string, problem: DirectUploadProblem): void {
    transaction(this.database, () => {
      this.database
        .query(
          "UPDATE direct_upload SET state = 'refused', problem = ?2, touched_at = ?3 WHERE id = ?1",
        )
        .run(id, JSON.stringify(problem), this.now());
    });
  }

  remove(id: string): void {
    transaction(this.database, () => {
      this.database.query("DELETE FROM direct_upload WHERE id = ?1").run(id);
    });
  }
}

function uploadOf(row: Row): DirectUpload {
  return {
    id: row.id,
    ownerId: row.owner_id,
    name: row.name,
    modified: row.modified,
    sizeBytes: row.size_bytes,
    partBytes: row.part_bytes,
    key: row.key,
    partsId: row.parts_id,
    state: row.state,
    problem: row.problem === null ? null : (JSON.parse(row.problem) as DirectUploadProblem),
    createdAt: row.created_at,
    touchedAt: row.touched_at,
  };
}
