/** Rows of objects that lie in the storage before: written when the kind of storage changes, removed as they move. */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import type { Whereabouts } from "../storage/moving.ts";
import type { Storage } from "../storage/storage.ts";

type Kind = Storage["kind"];

/** An object that has not moved. */
export interface ObjectThere {
  key: string;
  /** Null where nothing is recorded of it. */
  sizeBytes: number | null;
  sha256: string | null;
}

export interface MoveFault {
  key: string;
  /** For a person. */
  fault: string;
}

export class ObjectPlaces implements Whereabouts {
  private readonly database: Database;
  private readonly clock: Clock;
  /** Keys that have not moved, and those whose old copy is kept. */
  private readonly there = new Set<string>();
  private readonly moved = new Set<string>();

  /** @param kind the storage with which the server starts; what lies in another becomes a row each */
  constructor(database: Database, clock: Clock, kind: Kind) {
    this.database = database;
    this.clock = clock;
    transaction(database, () => this.settle(kind));
    const rows = database
      .query<{ key: string; moved: 0 | 1 }, []>(
        "SELECT key, moved_at IS NOT NULL AS moved FROM object_elsewhere",
      )
      .all();
    for (const { key, moved } of rows) (moved === 1 ? this.moved : this.there).add(key);
  }

  private settle(kind: Kind): void {
    const before = this.database
      .query<{ kind: Kind }, []>("SELECT kind FROM storage_place WHERE id = 1")
      .get();
    if (before === null) {
      this.database.query("INSERT INTO storage_place (id, kind) VALUES (1, ?1)").run(kind);
      return;
    }
    if (before.kind === kind) return;
    this.database.query("UPDATE storage_place SET kind = ?1, moving = 0 WHERE id = 1").run(kind);
    this.turnRound(before.kind);
  }

  /** What has not moved yet is where it should be then; all the rest lies in the storage before. */
  private turnRound(before: Kind): void {
    this.database.run(
      `CREATE TEMP TABLE never_moved AS SELECT key FROM object_elsewhere WHERE moved_at IS NULL`,
    );
    this.database.run("DELETE FROM object_elsewhere");
    this.database
      .query(
        `INSERT INTO object_elsewhere (key, kind, size_bytes, sha256)
         SELECT id, ?1, size_bytes, sha256 FROM asset WHERE id NOT IN (SELECT key FROM never_moved)`,
      )
      .run(before);
    this.database
      .query(
        `INSERT INTO object_elsewhere (key, kind)
         SELECT id || '.thumbnail', ?1 FROM asset WHERE thumbnail_state = 'ready'
           AND id || '.thumbnail' NOT IN (SELECT key FROM never_moved)`,
      )
      .run(before);
    this.database
      .query(
        `INSERT INTO object_elsewhere (key, kind)
         SELECT asset_id || '.' || kind, ?1 FROM companion WHERE state = 'ready'
           AND asset_id || '.' || kind NOT IN (SELECT key FROM never_moved)`,
      )
      .run(before);
    this.database.run("DROP TABLE never_moved");
  }

  /** The kind in which the rest lies; null when all is where it should be. */
  get elsewhere(): Kind | null {
    const row = this.database.query<{ kind: Kind }, []>(
      "SELECT kind FROM object_elsewhere LIMIT 1",
    );
    return row.get()?.kind ?? null;
  }

  isThere(key: string): boolean {
    return this.there.has(key);
  }

  mayBeThere(key: string): boolean {
    return this.there.has(key) || this.moved.has(key);
  }

  forget(key: string): void {
    this.database.query("DELETE FROM object_elsewhere WHERE key = ?1").run(key);
    this.there.delete(key);
    this.moved.delete(key);
  }

  /** How many have not moved, and their bytes as far as they are recorded. */
  left(): { objects: number; bytes: number } {
    const row = this.database
      .query<{ objects: number; bytes: number }, []>(
        `SELECT count(*) AS objects, coalesce(sum(size_bytes), 0) AS bytes
         FROM object_elsewhere WHERE moved_at IS NULL`,
      )
      .get();
    return row ?? { objects: 0, bytes: 0 };
  }

  /** The next ones in the order of their keys. */
  next(afterKey: string, limit: number): ObjectThere[] {
    return this.database
      .query<ObjectThere, [string, number]>(
        `SELECT key, size_bytes AS sizeBytes, sha256 FROM object_elsewhere
         WHERE moved_at IS NULL AND key > ?1 ORDER BY key LIMIT ?2`,
      )
      .all(afterKey, limit);
  }

  /** It is here now. False when it was deleted meanwhile. */
  noteMoved(key: string): boolean {
    const { changes } = this.database
      .query(
        "UPDATE object_elsewhere SET moved_at = ?2, fault = NULL WHERE key = ?1 AND moved_at IS NULL",
      )
      .run(key, isoTime(this.clock.nowMs()));
    if (changes === 0) return false;
    this.there.delete(key);
    this.moved.add(key);
    return true;
  }

  noteFault(key: string, fault: string): void {
    this.database.query("UPDATE object_elsewhere SET fault = ?2 WHERE key = ?1").run(key, fault);
  }

  forgetFaults(): void {
    this.database.run("UPDATE object_elsewhere SET fault = NULL WHERE fault IS NOT NULL");
  }

  faults(limit: number): MoveFault[] {
    return this.database
      .query<MoveFault, [number]>(
        "SELECT key, fault FROM object_elsewhere WHERE fault IS NOT NULL ORDER BY key LIMIT ?1",
      )
      .all(limit);
  }

  /** Those whose old copy nobody reads any more. */
  movedBefore(timeMs: number, limit: number): string[] {
    return this.database
      .query<{ key: string }, [string, number]>(
        "SELECT key FROM object_elsewhere WHERE moved_at < ?1 ORDER BY moved_at LIMIT ?2",
      )
      .all(isoTime(timeMs), limit)
      .map(({ key }) => key);
  }

  /** Whether they are being moved: it goes on after a restart. */
  get moving(): boolean {
    const row = this.database
      .query<{ moving: 0 | 1 }, []>("SELECT moving FROM storage_place WHERE id = 1")
      .get();
    return row?.moving === 1;
  }

  set moving(on: boolean) {
    this.database.query("UPDATE storage_place SET moving = ?1 WHERE id = 1").run(on ? 1 : 0);
  }
}
