/** What a restore brings back, what it keeps aside, and what it refuses. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BackupGround, contents } from "../../tests/support/backup-ground.ts";
import { everything } from "../../tests/support/long-form.ts";
import type { Config } from "../config.ts";
import { lockDataFolder } from "../database/lock.ts";
import { migrations } from "../database/migrations/index.ts";
import { databaseFileName, openDatabase } from "../database/open.ts";
import { Refusal } from "../trouble.ts";
import { openShelf, takeBackup } from "./backup.ts";
import { restoreBackup } from "./restore.ts";
import type { Backup } from "./shelf.ts";

let ground: BackupGround;
let config: Config;
let backup: Backup;
let atBackup: Record<string, unknown[]>;
beforeEach(async () => {
  ground = new BackupGround();
  config = await ground.config();
  ground.fill(50, "old");
  const { database } = ground;
  database.run("INSERT INTO object_intent VALUES ('as_arriving', 'now')");
  atBackup = contents(database);
  backup = await takeBackup({ config, clock: ground.clock, serving: false });
  ground.fill(70, "new");
  database.close();
});
afterEach(() => ground.close());

const restoring = (source: string) => restoreBackup({ config, clock: ground.clock, source });
const refusal = (source: string) =>
  restoring(source).then(
    () => {
      throw new Error("it was restored");
    },
    (cause: unknown) => {
      if (cause instanceof Refusal) return cause;
      throw cause;
    },
  );
function eventsNow(): number {
  using db = new Database(join(ground.folder, databaseFileName), { readonly: true });
  return db.query<{ n: number }, []>("SELECT count(*) AS n FROM event").get()?.n ?? 0;
}

describe("a restore", () => {
  test("brings back what was there and keeps aside what is there now", async () => {
    const { keptAside, schema } = await restoring(backup.name);
    expect(schema).toBe(migrations.length);
    const restored = openDatabase(ground.folder);
    expect(contents(restored)).toEqual({ ...atBackup, object_intent: [], session: [] });
    restored.close();
    using aside = new Database(join(keptAside ?? "", databaseFileName), { readonly: true });
    expect(aside.query("SELECT count(*) AS n FROM event").get()).toEqual({ n: 120 });
    expect(readdirSync(ground.folder).filter((name) => name.includes("restoring"))).toEqual([]);
  });

  test("takes a file from anywhere, into a data folder that has no database yet", async () => {
    const file = join(ground.folder, "elsewhere.sqlite");
    cpSync(openShelf(config).pathOf(backup.name), file);
    rmSync(join(ground.folder, databaseFileName));
    expect((await restoring(file)).keptAside).toBeNull();
    expect(eventsNow()).toBe(50);
  });

  test("ends logins, because one that was ended since would be open again", async () => {
    const database = openDatabase(ground.folder);
    database.run(
      `INSERT INTO user (id, name, role, password_hash, created_at) VALUES ('us_a', 'ann', 'admin', '$argon2id$x', 'now');`,
    );
    database.run(
      `INSERT INTO session (id, user_id, secret_sha256, created_at, expires_at) VALUES ('se_a', 'us_a', '${"0".repeat(64)}', 'now', '2100-01-01')`,
    );
    database.run(
      `INSERT INTO token (id, user_id, label, secret_sha256, created_at, last_used_at) VALUES ('tk_a', 'us_a', 'x', '${"1".repeat(64)}', 'now', NULL)`,
    );
    const second = await takeBackup({ config, clock: ground.clock, serving: false });
    database.close();
    await restoring(second.name);
    using restored = new Database(join(ground.folder, databaseFileName), { readonly: true });
    expect(restored.query("SELECT count(*) AS n FROM session").get()).toEqual({ n: 0 });
    expect(restored.query("SELECT count(*) AS n FROM token").get()).toEqual({ n: 1 });
  });

  test("takes the place of a damaged database, whose files stay aside as they were", async () => {
    const path = join(ground.folder, databaseFileName);
    writeFileSync(path, "this is no database any more".repeat(200));
    writeFileSync(`${path}-wal`, "nor is this a log");
    const { keptAside } = await restoring(backup.name);
    expect(eventsNow()).toBe(50);
    expect(readFileSync(join(keptAside ?? "", databaseFileName), "utf8")).toStartWith("this is no");
    expect(readdirSync(keptAside ?? "").toSorted()).toEqual([
      databaseFileName,
      `${databaseFileName}-wal`,
    ]);
  });
});

describe("a restore is refused, and nothing changes,", () => {
  afterEach(() => expect(eventsNow()).toBe(120));

  /** The backup as a file without its checksum, after `change`. */
  function changed(change: (path: string) => void): string {
    const path = join(ground.folder, "changed.sqlite");
    cpSync(openShelf(config).pathOf(backup.name), path);
    change(path);
    return path;
  }

  test("when the backup is of a newer schema", async () => {
    const newer = changed((path) => {
      using db = new Database(path, { readwrite: true });
      db.run(`PRAGMA user_version = ${migrations.length + 1}`);
    });
    const { status, code, message } = await refusal(newer);
    expect([status, code]).toEqual([409, "database_too_new"]);
    expect(message).toContain("Install that version or a later one");
  });

  test("when its bytes are not those of its checksum", async () => {
    const path = openShelf(config).pathOf(backup.name);
    const bytes = readFileSync(path);
    bytes[bytes.length - 100] = 255 - (bytes[bytes.length - 100] ?? 0);
    writeFileSync(path, bytes);
    const { code, message } = await refusal(backup.name);
    expect(code).toBe("backup_damaged");
    expect(message).toContain("checksum");
  });

  test("when it is damaged and has no checksum", async () => {
    const garbled = changed((path) => {
      const bytes = readFileSync(path);
      for (let at = 4096; at < bytes.length; at += 3 * 4096) bytes.fill(0xa5, at, at + 4096);
      writeFileSync(path, bytes);
    });
    expect((await refusal(garbled)).code).toBe("backup_damaged");
    const half = changed((path) => {
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.subarray(0, bytes.length / 2));
    });
    expect((await refusal(half)).code).toBe("backup_damaged");
  });

  test("when it is something else", async () => {
    const text = changed((path) => writeFileSync(path, "hello".repeat(1000)));
    expect((await refusal(text)).code).toBe("backup_damaged");
    const foreign = changed((path) => {
      rmSync(path);
      using db = new Database(path, { create: true });
      db.run("CREATE TABLE user (id TEXT)");
    });
    expect((await refusal(foreign)).message).toContain("no database of Kinomill");
    expect((await refusal("kinomill-1999-01-01T00-00-00Z.sqlite")).code).toBe("no_such_backup");
    expect((await refusal("kinomill.db")).code).toBe("no_such_backup");
  });

  test("while a server has the data folder, or another command the database", async () => {
    const lock = lockDataFolder(ground.folder, "the server at http://here");
    const { code, message } = await refusal(backup.name);
    expect([code, message]).toEqual(["data_in_use", expect.stringContaining("the server at")]);
    lock.release();
    using other = new Database(join(ground.folder, databaseFileName), { readwrite: true });
    other.run("BEGIN");
    other.query("SELECT count(*) FROM event").get();
    expect((await refusal(backup.name)).code).toBe("data_in_use");
    expect(readdirSync(ground.folder).filter((name) => name.startsWith("before"))).toEqual([]);
  }, 30_000);
});

test("killed at any write, it leaves the old database or the new one, and nothing is lost", async () => {
  const source = `import { restoreBackup } from ${JSON.stringify(join(import.meta.dir, "restore.ts"))};
    import { systemClock } from ${JSON.stringify(join(import.meta.dir, "../clock.ts"))};
    await restoreBackup({ config: ${JSON.stringify(config)}, clock: systemClock, source: ${JSON.stringify(backup.name)} });`;
  const calls = "pwrite64,fsync,fdatasync,rename,renameat2,link,linkat,unlink,unlinkat,mkdir";
  const seen = new Set<number>();
  let rounds = 0;
  for (let point = 1; !seen.has(50); point += everything ? 1 : 5) {
    expect(point).toBeLessThan(600);
    rounds += 1;
    const inject = ["-e", `trace=${calls}`, "-e", `inject=${calls}:signal=KILL:when=${point}`];
    const argv = ["strace", "-f", "-qq", "-o", "/dev/null", ...inject, process.execPath, "-e"];
    await Bun.spawn([...argv, source], { stdio: ["ignore", "ignore", "ignore"] }).exited;
    expect(existsSync(join(ground.folder, databaseFileName))).toBe(true);
    const database = openDatabase(ground.folder);
    expect(database.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    database.close();
    seen.add(eventsNow());
  }
  expect([...seen].toSorted()).toEqual([120, 50]);
  expect(rounds).toBeGreaterThan(3);
  await restoring(backup.name);
  expect(eventsNow()).toBe(50);
}, 120_000);
