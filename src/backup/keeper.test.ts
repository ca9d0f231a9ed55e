/** When the server makes backups by itself, and what it says of them. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BackupGround } from "../../tests/support/backup-ground.ts";
import type { Config } from "../config.ts";
import { silentLog } from "../log.ts";
import { openShelf } from "./backup.ts";
import { BackupKeeper } from "./keeper.ts";

const HOUR = 3_600_000;

let ground: BackupGround;
let config: Config;
beforeEach(async () => {
  ground = new BackupGround();
  config = await ground.config({ schedule: "6h" });
});
afterEach(() => ground.close());

const open = (backup: Partial<Config["backup"]> = {}) =>
  new BackupKeeper({
    config: { ...config, backup: { ...config.backup, ...backup } },
    clock: ground.clock,
    log: silentLog(),
  });
const made = async () => (await openShelf(config).list()).map(({ createdAt }) => createdAt);

test("one is made when it is due and not before", async () => {
  const keeper = open();
  await keeper.look();
  ground.clock.advance(5 * HOUR);
  await keeper.look();
  expect(await made()).toEqual([]);
  ground.clock.advance(HOUR);
  await keeper.look();
  await keeper.look();
  expect(await made()).toEqual(["2026-01-01T06:00:00.000Z"]);
  expect((await keeper.state()).nextAt).toBe("2026-01-01T12:00:00.000Z");
});

test("one that was missed while the server was off is made up for", async () => {
  await open().take();
  ground.clock.advance(50 * HOUR);
  await open({ schedule: "0 0 * * *" }).look();
  expect((await made()).length).toBe(2);
  ground.clock.advance(50 * HOUR);
  await open({ schedule: "off" }).look();
  expect((await made()).length).toBe(2);
});

test("one that failed is tried again, later, and is a warning until one went well", async () => {
  writeFileSync(join(ground.folder, "file"), "");
  const broken = open({ folder: "file" });
  ground.clock.advance(6 * HOUR);
  await broken.look();
  expect(await made()).toEqual([]);
  const keeper = open();
  expect((await keeper.state()).warnings).toEqual([]);
  ground.clock.advance(6 * HOUR);
  await keeper.look();
  expect((await made()).length).toBe(1);
});

test("the newest is too old after twice the interval; without a server that counts too", async () => {
  const keeper = open();
  ground.clock.advance(12 * HOUR);
  expect((await keeper.state()).warnings).toEqual([]);
  ground.clock.advance(1);
  expect((await keeper.state()).warnings).toEqual([
    expect.stringContaining("There is no backup of the database, although one is planned"),
  ]);
  await keeper.take();
  expect((await keeper.state()).warnings).toEqual([]);
  ground.clock.advance(12 * HOUR + 1);
  expect((await keeper.state()).warnings[0]).toContain("every 6 hours");
});

test("a long wait of a write is a warning", async () => {
  const keeper = open();
  const { name } = await keeper.take();
  const attempt = { at: "2026-01-01T00:00:00.000Z", name, problem: null, tookMs: 900 };
  await openShelf(config).noteAttempt({ ...attempt, writersWaitMs: 500 });
  expect((await keeper.state()).warnings).toEqual([]);
  await openShelf(config).noteAttempt({ ...attempt, writersWaitMs: 501 });
  expect((await keeper.state()).warnings).toEqual([expect.stringContaining("waited 501 ms")]);
});
