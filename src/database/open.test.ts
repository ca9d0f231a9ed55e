import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "../trouble.ts";
import { migrate, readVersion } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";
import { databaseFileName, openDatabase } from "./open.ts";
import { databaseRefusal, transaction } from "./transaction.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-database-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function refusalOf(work: () => unknown): Refusal {
  try {
    work();
  } catch (cause) {
    if (cause instanceof Refusal) return cause;
    throw cause;
  }
  throw new Error("nothing was refused");
}

describe("openDatabase", () => {
  test("makes a private folder and file at the newest schema", () => {
    const data = join(folder, "deep", "data");
    const db = openDatabase(data);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    db.run("INSERT INTO object_intent VALUES ('a', 'now')");
    for (const suffix of ["", "-wal", "-shm"]) {
      expect(statSync(join(data, databaseFileName + suffix)).mode & 0o777).toBe(0o600);
    }
    expect(readVersion(db)).toBe(migrations.length);
    db.close();
  });

  test("is durable, in WAL mode and enforces references", () => {
    const db = openDatabase(folder);
    const pragma = (name: string) => Object.values(db.query(`PRAGMA ${name}`).get() as object)[0];
    expect(pragma("journal_mode")).toBe("wal");
    expect(pragma("synchronous")).toBe(2);
    expect(pragma("foreign_keys")).toBe(1);
    expect(pragma("busy_timeout") ?? pragma("timeout")).toBe(5000);
    expect(() =>
      db.run(
        "INSERT INTO token (id, user_id, label, secret_sha256, created_at, last_used_at) VALUES ('tk_1', 'us_nobody', 'x', ?, 'now', NULL)",
        ["0".repeat(64)],
      ),
    ).toThrow("FOREIGN KEY");
    db.close();
  });

  test("opens twice without touching what is there", () => {
    const first = openDatabase(folder);
    first.run("INSERT INTO object_intent VALUES ('a', 'now')");
    const second = openDatabase(folder);
    expect(second.query("SELECT key FROM object_intent").all()).toEqual([{ key: "a" }]);
    second.close();
    first.close();
  });

  test("refuses a file that is no database, with a sentence that says what to do", () => {
    writeFileSync(join(folder, databaseFileName), "this is not a database".repeat(100));
    const refusal = refusalOf(() => openDatabase(folder));
    expect(refusal.code).toBe("data_unusable");
    expect(refusal.message).toContain("Restore a backup");
  });

  test("refuses a data folder that is a file", () => {
    writeFileSync(join(folder, "file"), "");
    expect(refusalOf(() => openDatabase(join(folder, "file"))).code).toBe("data_unusable");
    expect(refusalOf(() => openDatabase(join(folder, "file", "below"))).code).toBe("data_unusable");
  });
});

describe("migrate", () => {
  const version = migrations.length + 1;
  const later = { version, name: "later", sql: "CREATE TABLE later (a TEXT) STRICT;" };

  test("refuses a database of a newer Kinomill and leaves it alone", () => {
    const db = openDatabase(folder);
    db.run("PRAGMA user_version = 99");
    db.close();
    const refusal = refusalOf(() => openDatabase(folder));
    expect(refusal.status).toBe(409);
    expect(refusal.code).toBe("database_too_new");
    expect(refusal.message).toContain("newer Kinomill (schema 99");
  });

  test("ends with every trigger that a migration made and none took away: a table made anew drops its own", () => {
    const made = new Set<string>();
    for (const { sql } of migrations) {
      for (const [, verb, name] of sql.matchAll(/^(CREATE|DROP) TRIGGER (\w+)/gm)) {
        if (verb === "CREATE") made.add(name ?? "");
        else made.delete(name ?? "");
      }
    }
    const database = openDatabase(folder);
    const names = database
      .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
      .all()
      .map(({ name }) => name);
    database.close();
    expect(names.toSorted()).toEqual([...made].toSorted());
    expect(made.size).toBeGreaterThan(3);
  });

  test("rolls a broken migration back as a whole", () => {
    const db = openDatabase(folder);
    const broken = { ...later, sql: `${later.sql} CREATE TABLE half (a TEXT) STRICT; SELEKT;` };
    expect(() => migrate(db, [...migrations, broken])).toThrow("SELEKT");
    expect(db.inTransaction).toBe(false);
    expect(readVersion(db)).toBe(migrations.length);
    expect(db.query("SELECT name FROM sqlite_schema WHERE name = 'later'").get()).toBeNull();
    migrate(db, [...migrations, later]);
    expect(readVersion(db)).toBe(version);
    db.close();
  });

  test("refuses a migration that leaves dangling references or ends its transaction", () => {
    const db = openDatabase(folder);
    db.run("PRAGMA foreign_keys = OFF");
    const dangling = `INSERT INTO token (id, user_id, label, secret_sha256, created_at, last_used_at) VALUES ('tk_1', 'us_0', 'x', '${"0".repeat(64)}', 'now', NULL)`;
    expect(() => migrate(db, [...migrations, { ...later, sql: dangling }])).toThrow("dangling");
    expect(db.query("SELECT id FROM token").all()).toEqual([]);
    expect(() => migrate(db, [...migrations, { ...later, sql: "COMMIT" }])).toThrow("transaction");
    expect(readVersion(db)).toBe(migrations.length);
    db.close();
  });

  test("refuses a list with a gap in its numbers", () => {
    const db = openDatabase(folder);
    expect(() => migrate(db, [...migrations, { ...later, version: version + 1 }])).toThrow(
      "numbered",
    );
    db.close();
  });
});

describe("transaction", () => {
  test("commits what its work did, and nothing when it throws", () => {
    const db = openDatabase(folder);
    const insert = (key: string) => db.run("INSERT INTO object_intent VALUES (?, 'now')", [key]);
    expect(transaction(db, () => insert("a").changes)).toBe(1);
    expect(() =>
      transaction(db, () => {
        insert("b");
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(db.query("SELECT key FROM object_intent").all()).toEqual([{ key: "a" }]);
    db.close();
  });

  test("inside another one rolls back alone", () => {
    const db = openDatabase(folder);
    const insert = (key: string) => db.run("INSERT INTO object_intent VALUES (?, 'now')", [key]);
    transaction(db, () => {
      insert("outer");
      expect(() =>
        transaction(db, () => {
          insert("inner");
          throw new Error("no");
        }),
      ).toThrow("no");
    });
    expect(db.query("SELECT key FROM object_intent").all()).toEqual([{ key: "outer" }]);
    db.close();
  });

  test("refuses work that returns a promise, and rolls it back", () => {
    const db = openDatabase(folder);
    const work = async () => db.run("INSERT INTO object_intent VALUES ('late', 'now')");
    // @ts-expect-error the type refuses it too
    expect(() => transaction(db, work)).toThrow("promise");
    expect(db.query("SELECT key FROM object_intent").all()).toEqual([]);
    db.close();
  });

  test("takes the write lock at its start, not at its first write", () => {
    const db = openDatabase(folder);
    const other = openDatabase(folder);
    other.run("PRAGMA busy_timeout = 0");
    transaction(db, () => {
      expect(() => other.run("INSERT INTO object_intent VALUES ('a', 'now')")).toThrow("locked");
    });
    other.close();
    db.close();
  });
});

describe("databaseRefusal", () => {
  test("makes a lock that was not to be had a 503 with a time to come back", () => {
    const db = openDatabase(folder);
    const other = openDatabase(folder);
    other.run("PRAGMA busy_timeout = 0");
    db.run("BEGIN IMMEDIATE");
    const refusal = refusalOf(() => {
      try {
        other.run("BEGIN IMMEDIATE");
      } catch (cause) {
        throw databaseRefusal(cause);
      }
    });
    expect([refusal.status, refusal.code]).toEqual([503, "busy"]);
    expect(refusal.headers["Retry-After"]).toBeDefined();
    other.close();
    db.close();
  });

  test("leaves everything else to us", () => {
    const db = openDatabase(folder);
    let caught: unknown;
    try {
      db.run("INSERT INTO nowhere VALUES (1)");
    } catch (cause) {
      caught = cause;
    }
    expect(databaseRefusal(caught)).toBeNull();
    expect(databaseRefusal(new Error("SQLITE_FULL"))).toBeNull();
    expect(databaseRefusal("SQLITE_FULL")).toBeNull();
    db.close();
  });
});
