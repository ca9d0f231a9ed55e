/** One backup: what it holds, who waits for it, and what is left when it does not come about. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../tests/appliance.ts";
import { must } from "../../tests/faults/small-disk.ts";
import { BackupGround, contents } from "../../tests/support/backup-ground.ts";
import type { Config } from "../config.ts";
import { databaseFileName } from "../database/open.ts";
import { transaction, watchWaits } from "../database/transaction.ts";
import { Refusal } from "../trouble.ts";
import { openShelf, takeBackup } from "./backup.ts";

let ground: BackupGround;
let config: Config;
beforeEach(async () => {
  ground = new BackupGround();
  config = await ground.config();
});
afterEach(() => ground.close());

const take = (overrides: Partial<Config> = {}, signal?: AbortSignal) =>
  takeBackup({
    config: { ...config, ...overrides },
    clock: ground.clock,
    serving: true,
    ...(signal === undefined ? {} : { signal }),
  });
const shelf = () => openShelf(config);
const filesThere = () => readdirSync(shelf().folder).toSorted();

/** The code of the refusal that a backup ends with. */
const refused = (taking: Promise<unknown>) =>
  taking.then(
    () => "made",
    (cause: unknown) => (cause instanceof Refusal ? cause.code : String(cause)),
  );

test("a backup holds everything, is listed with its checksum, and nobody else may read it", async () => {
  ground.fill(500, "a");
  const backup = await take();
  expect(backup.name).toBe("kinomill-2026-01-01T00-00-00Z.sqlite");
  const path = shelf().pathOf(backup.name);
  using copy = new Database(path, { readonly: true });
  expect(contents(copy)).toEqual(contents(ground.database));
  expect(await shelf().list()).toEqual([backup]);
  expect([statSync(path).mode & 0o777, statSync(shelf().folder).mode & 0o777]).toEqual([
    0o600, 0o700,
  ]);
  must("sh", "-c", `cd ${shelf().folder} && sha256sum --check --strict ${backup.name}.sha256`);
});

test("the newest are kept, the others go, and foreign files stay", async () => {
  writeFileSync(join(ground.folder, "note.txt"), "mine");
  const backup = { ...config.backup, keep: 2 };
  const names: string[] = [];
  for (let day = 0; day < 4; day += 1) {
    names.push((await take({ backup })).name);
    if (day === 0) writeFileSync(shelf().pathOf("note.txt"), "mine");
    ground.clock.advance(day === 2 ? 0 : 86_400_000);
  }
  expect(names[3]).toBe("kinomill-2026-01-03T00-00-00Z_2.sqlite");
  expect((await shelf().list()).map(({ name }) => name)).toEqual(names.slice(2).toReversed());
  expect(filesThere()).toContain("note.txt");
  expect(filesThere().filter((name) => name.endsWith(".sha256")).length).toBe(2);
});

test("a steady writer goes on while it is made, and the copy is of one moment", async () => {
  ground.fill(20_000, "a");
  const { database } = ground;
  database.run("CREATE TABLE pot (id INTEGER PRIMARY KEY, coins INTEGER NOT NULL) STRICT");
  database.run("INSERT INTO pot VALUES (1, 1000000), (2, 0)");
  const move = database.query("UPDATE pot SET coins = coins + ?2 WHERE id = ?1");
  const waits = watchWaits();
  let done = false;
  const making = take().finally(() => {
    done = true;
  });
  let moved = 0;
  while (!done) {
    transaction(database, () => {
      move.run(1, -1);
      move.run(2, 1);
    });
    moved += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const backup = await making;
  waits.end();
  using copy = new Database(shelf().pathOf(backup.name), { readonly: true });
  const coins = copy.query<{ coins: number }, []>("SELECT coins FROM pot ORDER BY id").all();
  expect((coins[0]?.coins ?? 0) + (coins[1]?.coins ?? 0)).toBe(1_000_000);
  expect(coins[1]?.coins).toBeLessThanOrEqual(moved);
  expect(moved).toBeGreaterThan(20);
  // The figure stands in bench/; this shows that nobody waits for the whole of it, on any machine.
  expect(waits.longestMs()).toBeLessThan(2_000);
  expect((await shelf().lastAttempt())?.writersWaitMs).toBeLessThan(2_000);
});

test("killed in the middle, nothing half is listed, and the next one clears it away", async () => {
  ground.fill(60_000, "a");
  const code = `import { takeBackup } from ${JSON.stringify(join(import.meta.dir, "backup.ts"))};
    import { systemClock } from ${JSON.stringify(join(import.meta.dir, "../clock.ts"))};
    await takeBackup({ config: ${JSON.stringify(config)}, clock: systemClock, serving: false });`;
  const child = Bun.spawn([process.execPath, "-e", code], { stdio: ["ignore", "ignore", "pipe"] });
  await eventually("the copy has begun", 30_000, async () => {
    const parts = (await mkdirOf()).filter((name) => name.endsWith(".part"));
    return parts.some((name) => statSync(shelf().pathOf(name)).size > 0);
  });
  child.kill("SIGKILL");
  await child.exited;
  expect(await shelf().list()).toEqual([]);
  const backup = await take();
  const copier = "the orphaned copy has ended";
  await eventually(copier, 30_000, async () => !filesThere().some((name) => /part/.test(name)));
  expect(await shelf().list()).toEqual([backup]);
  expect(filesThere()).toEqual([backup.name, `${backup.name}.sha256`, "last-attempt.json"]);
});

async function mkdirOf(): Promise<string[]> {
  await mkdir(shelf().folder, { recursive: true });
  return filesThere();
}

test("only one is made at a time", async () => {
  ground.fill(2_000, "a");
  const both = await Promise.all([refused(take()), refused(take())]);
  expect(both.toSorted()).toEqual(["backup_running", "made"]);
  expect((await shelf().list()).length).toBe(1);
});

test("a stop ends it, and nothing of it is left", async () => {
  ground.fill(40_000, "a");
  const stop = new AbortController();
  const making = take({}, stop.signal);
  stop.abort(new Refusal(503, "stopping", "Stop."));
  expect(await refused(making)).toBe("stopping");
  expect(await shelf().list()).toEqual([]);
  expect(filesThere().filter((name) => name !== "last-attempt.json")).toEqual([]);
});

test("a full disk refuses it early or on the way, and keeps the older ones", async () => {
  const folder = join(ground.folder, "small");
  await mkdir(folder);
  must("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder);
  try {
    const backup = { ...config.backup, folder };
    const first = await take({ backup });
    // It all stands in the log: the database looks small until it is copied.
    ground.fill(6_000, "a");
    expect(await refused(take({ backup }))).toBe("storage_full");
    ground.database.run("PRAGMA wal_checkpoint(TRUNCATE)");
    expect(await refused(take({ backup }))).toBe("storage_full");
    const small = openShelf({ ...config, backup });
    expect(await small.list()).toEqual([first]);
    expect(readdirSync(folder).filter((name) => /part/.test(name))).toEqual([]);
    expect((await small.lastAttempt())?.problem).toContain("backup.keep");
  } finally {
    must("umount", folder);
  }
});

test("of a damaged database no backup is kept, and it is said", async () => {
  ground.fill(5_000, "a");
  ground.database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  const file = await open(join(ground.folder, databaseFileName), "r+");
  const { size } = await file.stat();
  const noise = new Uint8Array(4096).fill(0xa5);
  for (let at = 4096 * 60; at < size - 4096; at += 4096 * 20) await file.write(noise, 0, 4096, at);
  await file.close();
  expect(await refused(take())).toBe("database_damaged");
  expect(await shelf().list()).toEqual([]);
  expect((await shelf().lastAttempt())?.problem).toContain("restore the newest backup");
});

test("a folder that cannot be written to is a sentence", async () => {
  writeFileSync(join(ground.folder, "file"), "");
  const backup = { ...config.backup, folder: "file" };
  expect(await refused(take({ backup }))).toBe("backup_failed");
});
