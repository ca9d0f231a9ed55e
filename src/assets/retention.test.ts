/** The bin, what expires, quotas and the sweep, on a real library. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { media } from "../../tests/operations/specimen.ts";
import { ManualClock } from "../clock.ts";
import { migrate } from "../database/migrate.ts";
import { migrations } from "../database/migrations/index.ts";
import { openDatabase } from "../database/open.ts";
import { newId, newSecret } from "../identity.ts";
import { silentLog } from "../log.ts";
import { openDiskStorage } from "../storage/disk.ts";
import type { Storage } from "../storage/storage.ts";
import { Refusal } from "../trouble.ts";
import { keepEverything, type RetentionSettings } from "./allowances.ts";
import type { Asset } from "./asset.ts";
import { Library } from "./library.ts";
import { openSweep, ROUND_MAX, type Sweep } from "./sweep.ts";

const DAY = 86_400_000;

let folder: string;
let database: Database;
let storage: Storage;
let clock: ManualClock;
let library: Library;
let sweep: Sweep;
let ownerId: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-retention-"));
  database = openDatabase(folder);
  clock = new ManualClock();
  storage = openDiskStorage({
    ...{ folder: join(folder, "storage"), reserveBytes: 0, signingKey: newSecret() },
    ...{ publicPath: "/storage", clock },
  });
  ownerId = newId("user");
  database
    .query(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, ?, 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
    )
    .run(ownerId, "ann");
  open({ binDays: 7 });
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function open(settings: Partial<RetentionSettings>): void {
  library = new Library({
    ...{ database, storage, clock, log: silentLog(), uploadMaxBytes: 1_000_000 },
    probe: async () => media({ durationSeconds: 1, bitRate: 1, video: null, audio: [] }),
    retention: { ...keepEverything, ...settings },
    onChange: () => undefined,
  });
  sweep = openSweep({ database, clock, log: silentLog(), library });
}

const add = (bytes = 100, name = "a.mp4"): Promise<Asset> =>
  library.upload(ownerId, name, new Blob([new Uint8Array(bytes)]).stream(), {
    declaredBytes: bytes,
  });

const namesIn = (state: "ready" | "binned") =>
  library
    .list({ ...{ ownerId, limit: 99, after: null, kind: null, search: null, jobId: null }, state })
    .items.map(({ name }) => name);

const codeOf = (work: Promise<unknown> | (() => unknown)) =>
  Promise.try(typeof work === "function" ? work : () => work).then(
    () => "done",
    (cause: unknown) => (cause instanceof Refusal ? cause.code : String(cause)),
  );

/** A job that has not ended and reads this asset. */
function readBy(assetId: string, state: "queued" | "succeeded"): string {
  const id = newId("job");
  const finished = state === "succeeded" ? "'now'" : "NULL";
  database
    .query(
      `INSERT INTO job (id, owner_id, operation, state, params, title, created_at, finished_at, seq)
       VALUES (?1, ?2, 'x', '${state}', '{}', 'x', 'now', ${finished}, (SELECT coalesce(max(seq), 0) + 1 FROM job))`,
    )
    .run(id, ownerId);
  database.query("INSERT INTO job_input VALUES (?1, 0, ?2)").run(id, assetId);
  return id;
}

describe("the bin", () => {
  test("takes what is deleted out of every list, keeps its bytes, and gives it back as it was", async () => {
    const asset = await add();
    await library.delete(ownerId, asset.id);
    expect([namesIn("ready"), namesIn("binned")]).toEqual([[], ["a.mp4"]]);
    expect(await codeOf(() => library.get(ownerId, asset.id))).toBe("not_found");
    expect(await storage.stat(asset.id)).toEqual({ sizeBytes: 100 });
    expect(library.getKept(ownerId, asset.id)).toMatchObject({
      state: "binned",
      binnedAt: "2026-01-01T00:00:00.000Z",
    });
    expect(library.restore(ownerId, asset.id)).toEqual(asset);
    expect(await codeOf(() => library.restore(ownerId, asset.id))).toBe("wrong_state");
  });

  test("is another's business to nobody", async () => {
    const asset = await add();
    await library.delete(ownerId, asset.id);
    for (const act of [
      () => library.restore("us_other", asset.id),
      () => library.delete("us_other", asset.id, { forever: true }),
      () => library.getKept("us_other", asset.id),
    ]) {
      expect(await codeOf(act)).toBe("not_found");
    }
    expect(namesIn("binned")).toEqual(["a.mp4"]);
  });

  test("loses for ever what is deleted in it, or past it, or when it is emptied", async () => {
    const [first, second, third] = [await add(), await add(), await add()];
    await library.delete(ownerId, first.id);
    await library.delete(ownerId, first.id);
    await library.delete(ownerId, second.id, { forever: true });
    await library.delete(ownerId, third.id);
    expect(await library.emptyBin(ownerId, 10)).toEqual({ deleted: 1, more: false });
    for (const { id } of [first, second, third]) expect(await storage.stat(id)).toBeNull();
    expect(library.allowances.usage(ownerId)).toMatchObject({ usedBytes: 0, assetCount: 0 });
  });

  test("does not take what an unfinished job reads", async () => {
    const [used, free] = [await add(), await add()];
    readBy(used.id, "queued");
    readBy(free.id, "succeeded");
    expect(await codeOf(library.delete(ownerId, used.id))).toBe("in_use");
    expect(await codeOf(library.delete(ownerId, used.id, { forever: true }))).toBe("in_use");
    expect(await codeOf(library.delete(ownerId, free.id))).toBe("done");
  });

  test("there is none where the setting says so", async () => {
    open({ binDays: 0 });
    const asset = await add();
    await library.delete(ownerId, asset.id);
    expect(namesIn("binned")).toEqual([]);
    expect(await storage.stat(asset.id)).toBeNull();
  });
});

describe("what expires", () => {
  test("goes into the bin when its days are over, and for ever when those of the bin are", async () => {
    open({ binDays: 7, uploadDays: 30 });
    const asset = await add();
    expect(asset.expiresAt).toBe("2026-01-31T00:00:00.000Z");
    clock.advance(30 * DAY - 1);
    expect((await sweep.round()).expired).toEqual([]);
    clock.advance(1);
    expect((await sweep.round()).expired).toMatchObject([{ id: asset.id, since: asset.expiresAt }]);
    expect(namesIn("binned")).toEqual(["a.mp4"]);
    clock.advance(7 * DAY - 1);
    expect((await sweep.round()).deleted).toEqual([]);
    clock.advance(1);
    expect((await sweep.round()).deleted).toMatchObject([{ id: asset.id, sizeBytes: 100 }]);
    expect(await storage.stat(asset.id)).toBeNull();
  });

  test("and is brought back stays from then on", async () => {
    open({ binDays: 7, uploadDays: 1 });
    const asset = await add();
    clock.advance(DAY);
    await sweep.round();
    expect(library.restore(ownerId, asset.id).expiresAt).toBeNull();
    clock.advance(DAY);
    expect((await sweep.round()).expired).toEqual([]);
  });

  test("has the days of its person, of its job, or those that somebody gave it", async () => {
    open({ binDays: 7, uploadDays: 30, outputDays: 10 });
    library.allowances.change(ownerId, { uploadDays: 2 });
    expect((await add()).expiresAt).toBe("2026-01-03T00:00:00.000Z");
    const jobId = readBy("as_none", "queued");
    const origin = { kind: "job", jobId, role: "main" } as const;
    expect(library.allowances.expiryOf(ownerId, origin)).toBe("2026-01-11T00:00:00.000Z");
    database.query("UPDATE job SET expire_days = 1 WHERE id = ?1").run(jobId);
    expect(library.allowances.expiryOf(ownerId, origin)).toBe("2026-01-02T00:00:00.000Z");
    database.query("UPDATE job SET expire_days = 0 WHERE id = ?1").run(jobId);
    expect(library.allowances.expiryOf(ownerId, origin)).toBeNull();
    library.allowances.change(ownerId, { uploadDays: 0 });
    const asset = await add();
    expect(asset.expiresAt).toBeNull();
    const expiresAt = "2026-05-01T00:00:00.000Z";
    expect(library.change(ownerId, asset.id, { expiresAt, name: "b/c.mp4" })).toMatchObject({
      expiresAt,
      name: expect.not.stringContaining("/"),
    });
    expect(library.get(ownerId, asset.id).expiresAt).toBe(expiresAt);
  });

  test("waits for the job that reads it", async () => {
    open({ binDays: 7, uploadDays: 1 });
    const asset = await add();
    const jobId = readBy(asset.id, "queued");
    clock.advance(DAY);
    expect(await sweep.round()).toMatchObject({ expired: [], inUse: 1 });
    database
      .query("UPDATE job SET state = 'cancelled', finished_at = 'now' WHERE id = ?1")
      .run(jobId);
    expect((await sweep.round()).expired.length).toBe(1);
  });
});

describe("a sweep", () => {
  test("says beforehand what it would take, and touches nothing", async () => {
    open({ binDays: 7, uploadDays: 1 });
    await add(10, "expired.mp4");
    const old = await add(20, "old.mp4");
    await library.delete(ownerId, old.id);
    clock.advance(8 * DAY);
    const plan = sweep.plan();
    expect(plan.expired.map(({ name }) => name)).toEqual(["expired.mp4"]);
    expect(plan.deleted.map(({ name }) => name)).toEqual(["old.mp4"]);
    expect([namesIn("ready"), namesIn("binned")]).toEqual([["expired.mp4"], ["old.mp4"]]);
    expect(await sweep.round()).toEqual(plan);
    expect(sweep.plan()).toMatchObject({ expired: [], deleted: [] });
  });

  test("takes so many at a time", async () => {
    open({ binDays: 7 });
    const { sha256 } = await add();
    for (let n = 0; n < ROUND_MAX + 5; n += 1) {
      library.records.insert({
        ...{ id: newId("asset"), ownerId, name: "x", state: "ready", kind: "data", sizeBytes: 1 },
        ...{ sha256, mimeType: "x/y", media: null, origin: { kind: "upload" }, thumbnail: "none" },
        ...{ createdAt: "2026-01-01T00:00:00.000Z", expiresAt: "2026-01-01T00:00:00.000Z" },
      });
    }
    const first = await sweep.round();
    expect([first.expired.length, first.more]).toEqual([ROUND_MAX, true]);
    const second = await sweep.round();
    expect([second.expired.length, second.more]).toEqual([5, false]);
  });

  test("runs once at a time", async () => {
    const [first, second] = [codeOf(sweep.round()), codeOf(sweep.round())];
    expect([await first, await second]).toEqual(["done", "sweeping"]);
  });
});

describe("a quota", () => {
  test("refuses what is too much, before it comes and when it has come, and the bin counts", async () => {
    open({ binDays: 7, quotaBytes: 250 });
    const first = await add();
    await add();
    expect(await codeOf(add())).toBe("quota_exceeded");
    const undeclared = () =>
      library.upload(ownerId, "a.mp4", new Blob([new Uint8Array(100)]).stream(), {
        declaredBytes: null,
      });
    expect(await codeOf(undeclared())).toBe("quota_exceeded");
    expect(database.query("SELECT count(*) AS n FROM object_intent").get()).toEqual({ n: 0 });
    await library.delete(ownerId, first.id);
    expect(await codeOf(add())).toBe("quota_exceeded");
    expect(library.allowances.usage(ownerId)).toEqual({
      ...{ usedBytes: 200, binnedBytes: 100, assetCount: 2, quotaBytes: 250 },
    });
    await library.emptyBin(ownerId, 10);
    expect(await codeOf(add())).toBe("done");
  });

  test("two that come at once do not pass together where only one has room", async () => {
    open({ quotaBytes: 150 });
    const both = await Promise.all([codeOf(add()), codeOf(add())]);
    expect(both.toSorted()).toEqual(["done", "quota_exceeded"]);
    expect(library.allowances.usage(ownerId).usedBytes).toBe(100);
  });

  test("of one person goes before the setting, and says how much is used", async () => {
    open({ quotaBytes: 150 });
    library.allowances.change(ownerId, { quotaBytes: 0 });
    await add();
    await add();
    library.allowances.change(ownerId, { quotaBytes: 120 });
    const refusal = await add().catch((cause: unknown) => cause);
    expect(refusal).toMatchObject({
      status: 413,
      message: expect.stringMatching(/200 bytes of the 120 .* 100 more/),
    });
    library.allowances.change(ownerId, { quotaBytes: null });
    expect(library.allowances.usage(ownerId).quotaBytes).toBe(150);
  });
});

test("a database of before keeps its assets and counts them", () => {
  const path = join(folder, "before.sqlite");
  const before = new Database(path, { create: true });
  migrate(before, migrations.slice(0, 14));
  before.run(
    "INSERT INTO user (id, name, role, password_hash, created_at) VALUES ('us_a', 'ann', 'admin', '$argon2id$x', 'now')",
  );
  for (const [id, state] of [
    ["as_1", "ready"],
    ["as_2", "deleting"],
  ]) {
    before.run(
      `INSERT INTO asset (id, owner_id, name, state, size_bytes, sha256, mime_type, kind, origin, thumbnail_state, created_at, expires_at)
       VALUES ('${id}', 'us_a', 'x', '${state}', 7, '${"a".repeat(64)}', 'x/y', 'data', '{}', 'none', 'now', 'then')`,
    );
  }
  const old = before.query("SELECT * FROM asset ORDER BY id").all();
  migrate(before);
  const columns = Object.keys(old[0] as object).join(", ");
  expect(before.query(`SELECT ${columns} FROM asset ORDER BY id`).all()).toEqual(old);
  expect(before.query("SELECT codec, length_ms, lines, labels FROM asset LIMIT 1").get()).toEqual({
    ...{ codec: null, length_ms: 0, lines: null, labels: "[]" },
  });
  expect(before.query("SELECT * FROM asset_usage").get()).toEqual({
    ...{ owner_id: "us_a", size_bytes: 14, assets: 2 },
  });
  before.close();
  expect(existsSync(path)).toBe(true);
});
