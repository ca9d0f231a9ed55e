/** Rows of assets: the only place that reads and writes the `asset` and `object_intent` tables. */
import type { Database, SQLQueryBindings } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Asset, AssetKind, AssetOrigin, AssetState } from "./asset.ts";
import { type AssetFilter, countingOf, cursorOf, listingOf } from "./listing.ts";

interface AssetRow {
  id: string;
  owner_id: string;
  name: string;
  state: AssetState;
  size_bytes: number;
  sha256: string;
  mime_type: string;
  media: string | null;
  kind: AssetKind;
  origin: string;
  thumbnail_state: Asset["thumbnail"];
  created_at: string;
  expires_at: string | null;
  binned_at: string | null;
  labels: string;
  length_ms: number;
}

export interface AssetPage {
  items: Asset[];
  /** Cursor for the next page; null at the end. */
  next: string | null;
}

/** Assets kept in memory: what a page of a player or a program asks for again and again. About 2 MB. */
const REMEMBERED_MAX = 1_000;

/** No unfinished job reads the asset `?1`. */
const unread = `NOT EXISTS (
  SELECT 1 FROM job_input JOIN job ON job.id = job_input.job_id
  WHERE job_input.asset_id = ?1 AND job.state IN ('queued', 'waiting', 'running'))`;

/** What became of the wish to take an asset away. */
export type Removal = "marked" | "in_use" | "missing";

/** What a person may change of an asset; the name in the form of `name.ts`, labels in that of `labels.ts`. */
export interface AssetChange {
  name?: string;
  labels?: readonly string[];
  expiresAt?: string | null;
}

/** Only the server writes assets, under the lock of the data folder: what it remembers is what is there. */
export class AssetRecords {
  private readonly database: Database;
  private readonly clock: Clock;
  private readonly remembered = new Map<string, Asset>();

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  /** Records changed by somebody else: each is read anew. */
  forgetRemembered(): void {
    this.remembered.clear();
  }

  /** Notes that storage is about to hold these keys; `insert` or `forgetIntents` clears them. */
  noteIntents(keys: readonly string[]): void {
    const insert = this.database.query(
      "INSERT INTO object_intent (key, created_at) VALUES (?1, ?2)",
    );
    const now = isoTime(this.clock.nowMs());
    transaction(this.database, () => {
      for (const key of keys) insert.run(key, now);
    });
  }

  forgetIntents(keys: readonly string[]): void {
    const remove = this.database.query("DELETE FROM object_intent WHERE key = ?1");
    transaction(this.database, () => {
      for (const key of keys) remove.run(key);
    });
  }

  /** Keys that a crash left between intent and record. */
  leftIntents(): string[] {
    return this.database
      .query<{ key: string }, []>("SELECT key FROM object_intent")
      .all()
      .map(({ key }) => key);
  }

  /**
   * Records an asset whose bytes are stored under its id. Call it inside the caller's transaction.
   * @param text the words of captions: jobs are planned by them
   */
  insert(asset: Asset, text: string | null = null): void {
    const origin = asset.origin;
    this.database
      .query(
        `INSERT INTO asset (id, owner_id, name, state, size_bytes, sha256, mime_type, media, kind,
           origin, job_id, role, thumbnail_state, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)`,
      )
      .run(
        asset.id,
        asset.ownerId,
        asset.name,
        asset.state,
        asset.sizeBytes,
        asset.sha256,
        asset.mimeType,
        asset.media === null ? null : JSON.stringify(asset.media),
        asset.kind,
        JSON.stringify(origin),
        origin.kind === "job" ? origin.jobId : null,
        origin.kind === "job" ? origin.role : null,
        asset.thumbnail,
        asset.createdAt,
        asset.expiresAt,
      );
    this.database.query("DELETE FROM object_intent WHERE key = ?1").run(asset.id);
    if (text !== null) this.keepText(asset.id, text);
  }

  /** The asset of this owner that is ready; null when there is none: another's is none. */
  find(ownerId: string, id: string): Asset | null {
    const known = this.remembered.get(id);
    if (known !== undefined) return known.ownerId === ownerId ? known : null;
    const row = this.database
      .query<AssetRow, [string, string]>(
        "SELECT * FROM asset WHERE id = ?1 AND owner_id = ?2 AND state = 'ready'",
      )
      .get(id, ownerId);
    if (row === null) return null;
    if (this.remembered.size >= REMEMBERED_MAX) this.remembered.clear();
    const asset = toAsset(row);
    this.remembered.set(id, asset);
    return asset;
  }

  /** The oldest of this owner with these bytes, but for one; null when there is none. */
  findEqual(ownerId: string, sha256: string, butId: string): Asset | null {
    const row = this.database
      .query<AssetRow, [string, string, string]>(
        `SELECT * FROM asset WHERE owner_id = ?1 AND sha256 = ?2 AND id <> ?3 AND state = 'ready'
         ORDER BY id LIMIT 1`,
      )
      .get(ownerId, sha256, butId);
    return row === null ? null : toAsset(row);
  }

  /** The id of what a job made under a name; null when there is none. */
  idOfOutput(jobId: string, name: string): string | null {
    const row = this.database
      .query<{ id: string }, [string, string]>(
        "SELECT id FROM asset WHERE job_id = ?1 AND name = ?2 AND state = 'ready' ORDER BY id LIMIT 1",
      )
      .get(jobId, name);
    return row?.id ?? null;
  }

  /** @throws Refusal 422 `invalid` for a cursor of another order */
  list(filter: AssetFilter): AssetPage {
    const { sql, values } = listingOf(filter);
    const rows = this.database.query<AssetRow, SQLQueryBindings[]>(sql).all(...values);
    const shown = rows.slice(0, filter.limit);
    const last = shown.at(-1);
    const next =
      rows.length > filter.limit && last ? cursorOf(filter.sort ?? "newest", last) : null;
    return { items: shown.map(toAsset), next };
  }

  /** How many a list has in all, counted up to `most`. */
  count(filter: AssetFilter, most: number): number {
    const { sql, values } = countingOf(filter, most);
    return (
      this.database.query<{ count: number }, SQLQueryBindings[]>(sql).get(...values)?.count ?? 0
    );
  }

  /** How much is kept, of all owners together. */
  usage(): { usedBytes: number; assetCount: number } {
    const row = this.database
      .query<{ usedBytes: number; assetCount: number }, []>(
        "SELECT coalesce(sum(size_bytes), 0) AS usedBytes, count(*) AS assetCount FROM asset",
      )
      .get();
    return row ?? { usedBytes: 0, assetCount: 0 };
  }

  /** The asset of this owner, also when it is in the bin. */
  findKept(ownerId: string, id: string): Asset | null {
    const row = this.database
      .query<AssetRow, [string, string]>(
        "SELECT * FROM asset WHERE id = ?1 AND owner_id = ?2 AND state <> 'deleting'",
      )
      .get(id, ownerId);
    return row === null ? null : toAsset(row);
  }

  /** Moves to `deleting`, from the bin too, unless an unfinished job reads it. */
  markDeleting(ownerId: string, id: string): Removal {
    this.remembered.delete(id);
    const { changes } = this.database
      .query(
        `UPDATE asset SET state = 'deleting'
         WHERE id = ?1 AND owner_id = ?2 AND state <> 'deleting' AND ${unread}`,
      )
      .run(id, ownerId);
    return this.removal(ownerId, id, changes);
  }

  /** Moves into the bin unless an unfinished job reads it. */
  markBinned(ownerId: string, id: string): Removal {
    this.remembered.delete(id);
    const { changes } = this.database
      .query(
        `UPDATE asset SET state = 'binned', binned_at = ?3
         WHERE id = ?1 AND owner_id = ?2 AND state = 'ready' AND ${unread}`,
      )
      .run(id, ownerId, isoTime(this.clock.nowMs()));
    return this.removal(ownerId, id, changes);
  }

  private removal(ownerId: string, id: string, changes: number): Removal {
    if (changes > 0) return "marked";
    return this.find(ownerId, id) === null ? "missing" : "in_use";
  }

  /** Brings back what is in the bin. What has expired meanwhile stays from now on: somebody wants it. */
  unbin(ownerId: string, id: string): boolean {
    const { changes } = this.database
      .query(
        `UPDATE asset SET state = 'ready', binned_at = NULL,
           expires_at = CASE WHEN expires_at <= ?3 THEN NULL ELSE expires_at END
         WHERE id = ?1 AND owner_id = ?2 AND state = 'binned'`,
      )
      .run(id, ownerId, isoTime(this.clock.nowMs()));
    return changes > 0;
  }

  /** Another name, another time to go, other labels. False when there is no such asset outside the bin. */
  change(ownerId: string, id: string, change: AssetChange): boolean {
    this.remembered.delete(id);
    const asset = this.find(ownerId, id);
    if (asset === null) return false;
    this.remembered.delete(id);
    const { name, expiresAt, labels = [] } = { ...asset, ...change };
    const { changes } = this.database
      .query(
        `UPDATE asset SET name = ?3, expires_at = ?4, labels = ?5
         WHERE id = ?1 AND owner_id = ?2 AND state = 'ready'`,
      )
      .run(id, ownerId, name, expiresAt, JSON.stringify(labels));
    return changes > 0;
  }

  remove(id: string): void {
    transaction(this.database, () => {
      const { changes } = this.database
        .query("DELETE FROM asset WHERE id = ?1 AND state = 'deleting'")
        .run(id);
      if (changes > 0) this.database.query("DELETE FROM caption_text WHERE asset_id = ?1").run(id);
    });
  }

  /** Keeps the text of an asset that is captions: jobs are planned by it. */
  keepText(id: string, text: string): void {
    this.database
      .query("INSERT OR REPLACE INTO caption_text (asset_id, text) VALUES (?1, ?2)")
      .run(id, text);
  }

  /** The text of an asset that is captions; null when it is none. */
  textOf(id: string): string | null {
    const row = this.database
      .query<{ text: string }, [string]>("SELECT text FROM caption_text WHERE asset_id = ?1")
      .get(id);
    return row?.text ?? null;
  }

  /** Ids of texts that came before their words were kept. */
  unreadTexts(): string[] {
    return this.database
      .query<{ id: string }, []>(
        `SELECT id FROM asset WHERE kind = 'text' AND state = 'ready'
           AND mime_type IN ('application/x-subrip', 'text/vtt', 'text/x-ssa')
           AND NOT EXISTS (SELECT 1 FROM caption_text WHERE asset_id = asset.id)`,
      )
      .all()
      .map(({ id }) => id);
  }

  /** Ids whose deletion a crash interrupted. */
  leftDeleting(): string[] {
    return this.database
      .query<{ id: string }, []>("SELECT id FROM asset WHERE state = 'deleting'")
      .all()
      .map(({ id }) => id);
  }

  /** The oldest asset that still wants its picture, and whose it is. */
  nextThumbnailWanted(): Asset | null {
    const row = this.database
      .query<AssetRow, []>(
        "SELECT * FROM asset WHERE thumbnail_state = 'wanted' AND state = 'ready' ORDER BY id LIMIT 1",
      )
      .get();
    return row === null ? null : toAsset(row);
  }

  setThumbnail(id: string, state: "ready" | "none"): void {
    this.remembered.delete(id);
    this.database
      .query("UPDATE asset SET thumbnail_state = ?2 WHERE id = ?1 AND thumbnail_state = 'wanted'")
      .run(id, state);
  }
}

function toAsset(row: AssetRow): Asset {
  return {
    id: row.id,
    ownerId: row.owner_id,
    name: row.name,
    state: row.state,
    kind: row.kind,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    mimeType: row.mime_type,
    media: row.media === null ? null : (JSON.parse(row.media) as MediaInfo),
    origin: JSON.parse(row.origin) as AssetOrigin,
    thumbnail: row.thumbnail_state,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.labels === "[]" ? {} : { labels: JSON.parse(row.labels) as string[] }),
    ...(row.binned_at === null ? {} : { binnedAt: row.binned_at }),
  };
}
