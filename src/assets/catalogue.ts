/** What a person's library has to choose from, and how that person looks at it. */
import type { Database } from "bun:sqlite";
import { LABELS_OFFERED_MAX, type LabelUse } from "./labels.ts";

/** Codecs of one person that lists offer to choose from: more than anybody has. */
const CODECS_OFFERED_MAX = 100;

export const libraryLayouts = ["grid", "list"] as const;
export type LibraryLayout = (typeof libraryLayouts)[number];

export class Catalogue {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /** How many assets are outside the bin, without counting them. */
  total(ownerId: string): number {
    const row = this.database
      .query<{ total: number }, [string]>(
        `SELECT coalesce((SELECT assets FROM asset_usage WHERE owner_id = ?1), 0)
           - (SELECT count(*) FROM asset WHERE owner_id = ?1 AND state = 'binned')
           - (SELECT count(*) FROM asset WHERE owner_id = ?1 AND state = 'deleting') AS total`,
      )
      .get(ownerId);
    return row?.total ?? 0;
  }

  /** Labels of assets outside the bin, by name. */
  labels(ownerId: string): LabelUse[] {
    return this.database
      .query<LabelUse, [string, number]>(
        "SELECT name, assets FROM asset_label WHERE owner_id = ?1 ORDER BY name COLLATE NOCASE LIMIT ?2",
      )
      .all(ownerId, LABELS_OFFERED_MAX);
  }

  /** Codecs of assets outside the bin, in ffmpeg's words: one step of the index each. */
  codecs(ownerId: string): string[] {
    const next = (beyond: string) =>
      `(SELECT min(codec) FROM asset INDEXED BY asset_codecs
        WHERE owner_id = ?1 AND state = 'ready' AND codec ${beyond})`;
    return this.database
      .query<{ codec: string }, [string, number]>(
        `WITH RECURSIVE known (codec) AS (
           SELECT ${next("IS NOT NULL")}
           UNION ALL SELECT ${next("> known.codec")} FROM known WHERE known.codec IS NOT NULL)
         SELECT codec FROM known WHERE codec IS NOT NULL LIMIT ?2`,
      )
      .all(ownerId, CODECS_OFFERED_MAX)
      .map(({ codec }) => codec);
  }

  layoutOf(userId: string): LibraryLayout {
    const row = this.database
      .query<{ layout: LibraryLayout }, [string]>(
        "SELECT layout FROM library_view WHERE user_id = ?1",
      )
      .get(userId);
    return row?.layout ?? "grid";
  }

  setLayout(userId: string, layout: LibraryLayout): void {
    if (this.layoutOf(userId) === layout) return;
    this.database
      .query(
        "INSERT INTO library_view (user_id, layout) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET layout = excluded.layout",
      )
      .run(userId, layout);
  }
}
