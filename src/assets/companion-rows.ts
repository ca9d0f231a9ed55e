/** Rows of companions: the only place that reads and writes the `companion` table. */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import type { Storage } from "../storage/storage.ts";
import { thumbnailKey } from "./asset.ts";
import {
  type Companion,
  type CompanionFacts,
  type CompanionKind,
  type CompanionState,
  companionKey,
} from "./companion.ts";

interface CompanionRow {
  asset_id: string;
  kind: CompanionKind;
  state: Exclude<CompanionState, "absent">;
  size_bytes: number | null;
  facts: string | null;
  problem: string | null;
}

/** One that is to be made. */
export interface Wanted {
  assetId: string;
  ownerId: string;
  kind: CompanionKind;
}

/** One that takes room. */
export interface Kept {
  assetId: string;
  kind: CompanionKind;
  sizeBytes: number;
  usedAt: string;
}

export class CompanionRows {
  private readonly database: Database;
  private readonly clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  find(assetId: string, kind: CompanionKind): Companion {
    const row = this.database
      .query<CompanionRow, [string, string]>(
        "SELECT * FROM companion WHERE asset_id = ?1 AND kind = ?2",
      )
      .get(assetId, kind);
    if (row === null) return { kind, state: "absent", sizeBytes: null, facts: null, problem: null };
    const facts = row.facts === null ? null : (JSON.parse(row.facts) as CompanionFacts);
    return { kind, state: row.state, sizeBytes: row.size_bytes, facts, problem: row.problem };
  }

  /** Kinds of this asset that have something in storage, or may. */
  kindsOf(assetId: string): CompanionKind[] {
    return this.database
      .query<{ kind: CompanionKind }, [string]>("SELECT kind FROM companion WHERE asset_id = ?1")
      .all(assetId)
      .map(({ kind }) => kind);
  }

  /** Notes that it is to be made, also when it is lost or could not be made before. */
  want(assetId: string, kind: CompanionKind): void {
    const now = isoTime(this.clock.nowMs());
    this.database
      .query(
        `INSERT INTO companion (asset_id, kind, state, wanted_at, used_at)
         VALUES (?1, ?2, 'wanted', ?3, ?3)
         ON CONFLICT DO UPDATE SET state = 'wanted', size_bytes = NULL, facts = NULL, problem = NULL,
           wanted_at = excluded.wanted_at WHERE state <> 'wanted'`,
      )
      .run(assetId, kind, now);
  }

  /** The one that waits longest, of assets that are there. */
  nextWanted(kinds: readonly CompanionKind[]): Wanted | null {
    const marks = kinds.map((_, index) => `?${index + 1}`).join(", ");
    return this.database
      .query<Wanted, string[]>(
        `SELECT asset_id AS assetId, asset.owner_id AS ownerId, companion.kind AS kind
         FROM companion JOIN asset ON asset.id = asset_id
         WHERE companion.state = 'wanted' AND companion.kind IN (${marks}) AND asset.state = 'ready'
         ORDER BY wanted_at, asset_id LIMIT 1`,
      )
      .get(...kinds);
  }

  /** How many of its kind are made before it. */
  ahead(assetId: string, kind: CompanionKind): number {
    const row = this.database
      .query<{ ahead: number }, [string, string]>(
        `SELECT count(*) AS ahead FROM companion AS one, companion AS other JOIN asset ON asset.id = other.asset_id
         WHERE one.asset_id = ?1 AND one.kind = ?2 AND other.kind = ?2 AND other.state = 'wanted'
           AND asset.state = 'ready' AND (other.wanted_at, other.asset_id) < (one.wanted_at, one.asset_id)`,
      )
      .get(assetId, kind);
    return row?.ahead ?? 0;
  }

  /** Whether somebody still wants it: its asset may have gone meanwhile. */
  isWanted({ assetId, kind }: Pick<Wanted, "assetId" | "kind">): boolean {
    const wanted = `SELECT 1 FROM companion JOIN asset ON asset.id = asset_id WHERE asset_id = ?1
      AND companion.kind = ?2 AND companion.state = 'wanted' AND asset.state = 'ready'`;
    return this.database.query(wanted).get(assetId, kind) !== null;
  }

  /** It is in storage. False when nobody wants it any more. */
  setReady(
    { assetId, kind }: Pick<Wanted, "assetId" | "kind">,
    made: { sizeBytes: number; facts: CompanionFacts },
  ): boolean {
    const facts = made.facts === null ? null : JSON.stringify(made.facts);
    const { changes } = this.database
      .query(
        `UPDATE companion SET state = 'ready', size_bytes = ?3, facts = ?4, used_at = ?5
         WHERE asset_id = ?1 AND kind = ?2 AND state = 'wanted'`,
      )
      .run(assetId, kind, made.sizeBytes, facts, isoTime(this.clock.nowMs()));
    return changes > 0;
  }

  /** It cannot be made. */
  setNone({ assetId, kind }: Pick<Wanted, "assetId" | "kind">, problem: string): void {
    this.database
      .query(
        `UPDATE companion SET state = 'none', problem = ?3
         WHERE asset_id = ?1 AND kind = ?2 AND state = 'wanted'`,
      )
      .run(assetId, kind, problem);
  }

  /** Somebody looked at it. Written once a day: players ask for many ranges. */
  noteUse(assetId: string, kind: CompanionKind): void {
    const now = this.clock.nowMs();
    this.database
      .query("UPDATE companion SET used_at = ?3 WHERE asset_id = ?1 AND kind = ?2 AND used_at < ?4")
      .run(assetId, kind, isoTime(now), isoTime(now - 86_400_000));
  }

  /** Bytes that all of a kind take. */
  bytesOf(kind: CompanionKind): number {
    const row = this.database
      .query<{ bytes: number }, [string]>(
        "SELECT coalesce(sum(size_bytes), 0) AS bytes FROM companion WHERE kind = ?1 AND state = 'ready'",
      )
      .get(kind);
    return row?.bytes ?? 0;
  }

  /** Those that nobody looked at for the longest time. */
  leastUsed(kind: CompanionKind, limit: number): Kept[] {
    return this.database
      .query<Kept, [string, number]>(
        `SELECT asset_id AS assetId, kind, size_bytes AS sizeBytes, used_at AS usedAt FROM companion
         WHERE kind = ?1 AND state = 'ready' ORDER BY used_at, asset_id LIMIT ?2`,
      )
      .all(kind, limit);
  }

  /** As if nobody had asked for it. */
  forget(assetId: string, kind: CompanionKind): void {
    this.database
      .query("DELETE FROM companion WHERE asset_id = ?1 AND kind = ?2 AND state <> 'wanted'")
      .run(assetId, kind);
  }
}

/** Deletes the bytes of all that lies beside an asset, its picture too; the rows go with it. */
export async function deleteBeside(
  rows: CompanionRows,
  storage: Pick<Storage, "delete">,
  assetId: string,
): Promise<void> {
  await storage.delete(thumbnailKey(assetId));
  for (const kind of rows.kindsOf(assetId)) await storage.delete(companionKey(assetId, kind));
}
