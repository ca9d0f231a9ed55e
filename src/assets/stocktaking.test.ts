/** What a check of the storage finds, and what it puts right. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { media } from "../../tests/operations/specimen.ts";
import type { Clock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { newId, newSecret } from "../identity.ts";
import { silentLog } from "../log.ts";
import { openDiskStorage } from "../storage/disk.ts";
import type { Storage } from "../storage/storage.ts";
import { keepEverything } from "./allowances.ts";
import type { Asset } from "./asset.ts";
import { Library } from "./library.ts";
import { Stocktaking } from "./stocktaking.ts";

const HOUR = 3_600_000;

let folder: string;
let database: Database;
let storage: Storage;
let library: Library;
let ownerId: string;
/** Ahead of the files' own times. */
let aheadMs: number;
const clock: Clock = { nowMs: () => Date.now() + aheadMs, monotonicMs: () => performance.now() };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-stock-"));
  aheadMs = 2 * HOUR;
  database = openDatabase(folder);
  storage = openDiskStorage({
    ...{ folder: join(folder, "storage"), reserveBytes: 0, signingKey: newSecret() },
    ...{ publicPath: "/storage", clock },
  });
  ownerId = newId("user");
  database
    .query(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, 'ann', 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
    )
    .run(ownerId);
  library = new Library({
    ...{ database, storage, clock, log: silentLog(), uploadMaxBytes: 1_000_000 },
    probe: async () => media({ durationSeconds: 1, bitRate: 1, video: null, audio: [] }),
    retention: { ...keepEverything, binDays: 7 },
    onChange: () => undefined,
  });
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const stream = (text: string) => new Blob([text]).stream();
const put = (key: string, text: string) => storage.put(key, stream(text), { limitBytes: 1_000 });
const add = (text = "some bytes", name = "a.mp4"): Promise<Asset> =>
  library.upload(ownerId, name, stream(text), { declaredBytes: null });

/** Puts other bytes in the place of an asset's. */
async function replace({ id }: Asset, text: string): Promise<void> {
  await storage.delete(id);
  await put(id, text);
}

async function check(wish: { deep?: boolean; repair?: boolean } = {}) {
  const stock = new Stocktaking({ database, storage, clock, log: silentLog(), library });
  expect(stock.start({ deep: false, repair: false, ...wish }).state).toBe("running");
  expect(() => stock.start({ deep: false, repair: false })).toThrow("being checked");
  return await stock.ended();
}

describe("a check", () => {
  test("finds nothing where all is well, the bin and pictures included", async () => {
    const [asset, binned] = [await add(), await add()];
    await put(`${asset.id}.thumbnail`, "picture");
    await library.delete(ownerId, binned.id);
    expect(await check({ deep: true })).toMatchObject({
      ...{ state: "done", objects: 3, foreign: 0 },
      ...{ orphans: { objects: 0 }, missing: { assets: 0 }, damaged: { assets: 0 } },
    });
  });

  test("finds objects that nobody owns, and leaves those alone that are not ours or just coming", async () => {
    await add();
    const orphan = newId("asset");
    await put(orphan, "orphan");
    await put(`${newId("asset")}.thumbnail`, "its picture");
    const arriving = newId("asset");
    library.records.noteIntents([arriving]);
    await put(arriving, "arriving");
    await put("readme.txt", "somebody's");
    const report = await check();
    expect(report).toMatchObject({ foreign: 1, orphans: { objects: 2, bytes: 17 } });
    expect(report.orphans.keys).toContain(orphan);
    aheadMs = 0;
    expect((await check()).orphans.objects).toBe(0);
  });

  test("finds assets whose bytes are gone, of another size, or other ones", async () => {
    const [gone, short, other] = [await add(), await add(), await add()];
    await storage.delete(gone.id);
    await replace(short, "short");
    await replace(other, "SOME BYTES");
    expect(await check()).toMatchObject({
      missing: { assets: 1, faults: [{ id: gone.id, name: "a.mp4" }] },
      damaged: { assets: 1, faults: [{ id: short.id }] },
    });
    const deep = await check({ deep: true });
    expect(deep.damaged.faults.map(({ id }) => id).toSorted()).toEqual(
      [short.id, other.id].toSorted(),
    );
  });
});

describe("a repair", () => {
  test("deletes what nobody owns and moves what has no bytes into the bin, from which it comes back", async () => {
    const [gone, well] = [await add(), await add()];
    const orphan = newId("asset");
    await put(orphan, "orphan");
    await storage.delete(gone.id);
    const report = await check({ repair: true });
    expect(report).toMatchObject({ state: "done", repaired: { orphans: 1, binned: 1 } });
    expect(await storage.stat(orphan)).toBeNull();
    expect(await storage.stat(well.id)).not.toBeNull();
    expect((await check()).missing.assets).toBe(0);
    expect(library.getKept(ownerId, gone.id).state).toBe("binned");
    await put(gone.id, "some bytes");
    library.restore(ownerId, gone.id);
    expect(await check()).toMatchObject({ missing: { assets: 0 }, orphans: { objects: 0 } });
  });

  test("touches nothing where most is missing: then the storage is another one", async () => {
    const assets: Asset[] = [];
    for (let n = 0; n < 12; n += 1) assets.push(await add());
    for (const { id } of assets.slice(1)) await storage.delete(id);
    const orphan = newId("asset");
    await put(orphan, "orphan");
    const report = await check({ repair: true });
    expect(report).toMatchObject({ state: "failed", repaired: { orphans: 0, binned: 0 } });
    expect(report.problem).toContain("another storage");
    expect(await storage.stat(orphan)).not.toBeNull();
    expect(library.get(ownerId, assets[1]?.id ?? "").state).toBe("ready");
  });
});
