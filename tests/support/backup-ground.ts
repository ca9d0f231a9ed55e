/** For tests of backups: a data folder with a database that has something in it, and its settings. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../../src/clock.ts";
import { type Config, loadConfig } from "../../src/config.ts";
import { type Database, openDatabase } from "../../src/database/open.ts";

export class BackupGround {
  readonly folder = mkdtempSync(join(tmpdir(), "kinomill-backup-"));
  readonly database: Database = openDatabase(this.folder);
  readonly clock = new ManualClock();

  async config(backup: Partial<Config["backup"]> = {}): Promise<Config> {
    const flags = { data: this.folder };
    const config = await loadConfig({ file: null, environment: {}, flags });
    return {
      ...config,
      storage: { ...config.storage, reserveBytes: 0 },
      backup: { ...config.backup, ...backup },
    };
  }

  /** Events of half a kilobyte each. */
  fill(rows: number, tag: string): void {
    fill(this.database, rows, tag);
  }

  close(): void {
    this.database.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Adds events of half a kilobyte each. */
export function fill(database: Database, rows: number, tag: string): void {
  database.run(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
     INSERT INTO event (owner_id, kind, subject, what, who, sentence, at)
     SELECT 'us_1', 'asset', '${tag}' || i, 'changed', '', hex(randomblob(200)), 'now' FROM n`,
  );
}

/** Everything in a database, table by table, in an order that does not depend on how it is stored. */
export function contents(database: Database): Record<string, unknown[]> {
  const tables = database
    .query<{ name: string }, []>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'job_search%' ORDER BY name",
    )
    .all();
  return Object.fromEntries(
    tables.map(({ name }) => {
      const rows = database.query(`SELECT * FROM "${name}"`).all();
      return [name, rows.map((row) => JSON.stringify(row)).toSorted()];
    }),
  );
}
