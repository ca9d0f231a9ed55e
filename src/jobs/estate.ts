/** What becomes of the files and jobs of somebody who goes: they are given to somebody else, or deleted. */
import type { Database } from "bun:sqlite";
import type { Library } from "../assets/library.ts";
import { transaction } from "../database/transaction.ts";
import { Refusal } from "../trouble.ts";
import { jobsIn } from "./by-state.ts";

/** What somebody leaves. */
export interface Estate {
  /** The bin included. */
  assets: number;
  bytes: number;
  /** Jobs that have not ended; while there are any, nobody goes. */
  unfinishedJobs: number;
  /** The same of imports. */
  unfinishedImports: number;
}

/** Tables whose rows go to the heir; sums and indexes of them are made anew. */
export const inherited = [
  ...(["asset", "job", "job_label", "repeat", "event", "asset_usage", "asset_label"] as const),
];

/** Tables whose rows stay behind: they are swept by age, or go with the person. */
export const leftBehind = ["preset", "upload", "direct_upload", "asset_import"] as const;

/** Assets that are deleted between two looks at the list. */
const BATCH = 100;

export interface EstatesParts {
  database: Database;
  library: Pick<Library, "delete" | "records">;
  /** Called when files changed hands: pages refresh. */
  onChange(): void;
}

export class Estates {
  private readonly parts: EstatesParts;

  constructor(parts: EstatesParts) {
    this.parts = parts;
  }

  of(userId: string): Estate {
    const row = this.parts.database
      .query<Estate, [string]>(
        `SELECT (SELECT count(*) FROM asset WHERE owner_id = ?1 AND state <> 'deleting') AS assets,
           (SELECT coalesce(sum(size_bytes), 0) FROM asset WHERE owner_id = ?1 AND state <> 'deleting') AS bytes,
           (SELECT count(*) FROM ${jobsIn(["queued", "waiting", "running"], "seq", "owner_id = ?1")}) AS unfinishedJobs,
           (SELECT count(*) FROM asset_import WHERE owner_id = ?1
              AND state IN ('waiting', 'receiving')) AS unfinishedImports`,
      )
      .get(userId);
    return row ?? { assets: 0, bytes: 0, unfinishedJobs: 0, unfinishedImports: 0 };
  }

  /** @throws Refusal 409 `unfinished` while something of theirs runs or waits */
  refuseUnfinished(userId: string): void {
    const { unfinishedJobs: jobs, unfinishedImports: imports } = this.of(userId);
    if (jobs + imports === 0) return;
    throw new Refusal(
      409,
      "unfinished",
      `This person has ${jobs} jobs and ${imports} imports that have not ended. Disable the account, let them end or cancel them, then delete it.`,
    );
  }

  /**
   * Everything is the heir's afterwards, all at once; their quota does not count. Requests that ended jobs had been
   * asked with (idempotency keys) are forgotten, because the heir may have used the same.
   * @throws Refusal as `refuseUnfinished`
   */
  give(from: string, to: string): void {
    const { database, library, onChange } = this.parts;
    const both = (sql: string) => database.query(sql).run(from, to);
    transaction(database, () => {
      this.refuseUnfinished(from);
      both("UPDATE asset SET owner_id = ?2 WHERE owner_id = ?1");
      both(
        `UPDATE job SET owner_id = ?2, idempotency_key = NULL, idempotency_sha256 = NULL
         WHERE owner_id = ?1`,
      );
      for (const table of ["job_label", "event"] as const) {
        both(`UPDATE ${table} SET owner_id = ?2 WHERE owner_id = ?1`);
      }
      both("UPDATE OR IGNORE repeat SET owner_id = ?2 WHERE owner_id = ?1");
      database.query("DELETE FROM repeat WHERE owner_id = ?1").run(from);
      both("DELETE FROM asset_usage WHERE owner_id IN (?1, ?2)");
      database
        .query(
          `INSERT INTO asset_usage (owner_id, size_bytes, assets)
           SELECT owner_id, sum(size_bytes), count(*) FROM asset WHERE owner_id = ?1 GROUP BY owner_id`,
        )
        .run(to);
      both("DELETE FROM asset_label WHERE owner_id IN (?1, ?2)");
      database
        .query(
          `INSERT INTO asset_label (owner_id, name, assets)
           SELECT owner_id, label.value, count(*) FROM asset, json_each(asset.labels) AS label
           WHERE owner_id = ?1 AND state = 'ready' GROUP BY owner_id, label.value`,
        )
        .run(to);
    });
    library.records.forgetRemembered();
    onChange();
  }

  /**
   * Deletes every file for ever; a call that was interrupted is made again. What jobs had been named by files is
   * forgotten too.
   * @throws Refusal as `refuseUnfinished`
   */
  async deleteAll(from: string): Promise<void> {
    const { database, library, onChange } = this.parts;
    this.refuseUnfinished(from);
    const next = database.query<{ id: string }, [string, number]>(
      "SELECT id FROM asset WHERE owner_id = ?1 AND state <> 'deleting' ORDER BY id LIMIT ?2",
    );
    for (;;) {
      const batch = next.all(from, BATCH);
      for (const { id } of batch) await library.delete(from, id, { forever: true });
      if (batch.length < BATCH) break;
    }
    transaction(database, () => {
      database
        .query("UPDATE job SET title = operation, labels = '{}' WHERE owner_id = ?1")
        .run(from);
      database.query("DELETE FROM job_label WHERE owner_id = ?1").run(from);
      database.query("DELETE FROM repeat WHERE owner_id = ?1").run(from);
    });
    onChange();
  }
}
