import { afterEach, beforeEach, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { BackupGround, contents } from "../../tests/support/backup-ground.ts";
import { databaseFileName, openDatabase } from "../database/open.ts";

let ground: BackupGround;
beforeEach(() => {
  ground = new BackupGround();
});
afterEach(() => ground.close());

test("a snapshot that outlives its killed server empties the log into the database and syncs both", () => {
  ground.fill(200, "a");
  // As kill -9 leaves it: what was acknowledged stands in the log alone, and nobody else has it open.
  const killed = join(ground.folder, "killed");
  mkdirSync(killed);
  for (const ending of ["", "-wal"]) {
    const name = `${databaseFileName}${ending}`;
    cpSync(join(ground.folder, name), join(killed, name));
  }
  const entry = resolve(import.meta.dir, "snapshot-entry.ts");
  const argv = [process.execPath, entry, killed, join(killed, "copy.sqlite")];
  const traced = Bun.spawnSync(["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  expect(traced.exitCode).toBe(0);
  const calls = traced.stderr.toString();
  expect(existsSync(join(killed, `${databaseFileName}-wal`))).toBe(false);
  for (const name of [`${databaseFileName}-wal>`, `${databaseFileName}>`]) {
    expect(calls).toContain(`/killed/${name}`);
  }
  const database = openDatabase(killed);
  expect(contents(database)).toEqual(contents(ground.database));
  database.close();
}, 90_000);
