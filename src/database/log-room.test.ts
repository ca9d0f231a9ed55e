import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLogRoom } from "./log-room.ts";
import { type Database, databaseFileName, openDatabase } from "./open.ts";

let folder: string;
let db: Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "log-room-"));
  db = openDatabase(folder);
  db.run("CREATE TABLE written (id INTEGER PRIMARY KEY, text TEXT) STRICT");
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const logBytes = () => statSync(join(folder, `${databaseFileName}-wal`)).size;
const write = () => db.run("INSERT INTO written (text) VALUES (?)", ["x".repeat(5000)]);
const written = (from: Database) =>
  from.query<{ count: number }, []>("SELECT count(*) AS count FROM written").get()?.count;

test("the log does not become longer while it is filled", async () => {
  await makeLogRoom(db, folder);
  const roomy = logBytes();
  expect(roomy).toBeGreaterThan(16_000_000);
  for (let row = 0; row < 1000; row += 1) write();
  expect(logBytes()).toBe(roomy);
});

test("what is written meanwhile is there, also in a copy as a pulled plug leaves it", async () => {
  const room = makeLogRoom(db, folder);
  let rows = 0;
  let made = false;
  const done = room.then(() => {
    made = true;
  });
  while (!made) {
    write();
    rows += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await done;
  for (let more = 0; more < 100; more += 1, rows += 1) write();
  const copy = mkdtempSync(join(tmpdir(), "log-room-"));
  await cp(folder, copy, { recursive: true });
  const again = openDatabase(copy);
  expect(written(again)).toBe(rows);
  expect(again.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  again.close();
  rmSync(copy, { recursive: true });
});

test("it is made once, and not after its signal", async () => {
  const before = logBytes();
  await makeLogRoom(db, folder, AbortSignal.abort());
  expect(logBytes()).toBe(before);
  await makeLogRoom(db, folder);
  const roomy = logBytes();
  await makeLogRoom(db, folder);
  expect(logBytes()).toBe(roomy);
});
