import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { media } from "../../tests/operations/specimen.ts";
import { systemClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { newId, newSecret } from "../identity.ts";
import { silentLog } from "../log.ts";
import { someBytes, streamOf } from "../storage/conformance-fixture.ts";
import { type DiskStorage, openDiskStorage } from "../storage/disk.ts";
import { MovingStorage } from "../storage/moving.ts";
import { thumbnailKey } from "./asset.ts";
import { Library } from "./library.ts";
import { Migration } from "./migration.ts";
import { ObjectPlaces } from "./object-places.ts";

let folder: string;
let database: Database;
let ownerId: string;
/** The disk from which it goes, and another that stands for the bucket: the mover sees a `Storage` alone. */
let disk: DiskStorage;
let bucket: DiskStorage;

const open = (name: string) =>
  openDiskStorage({
    ...{ folder: join(folder, name), reserveBytes: 0, signingKey: newSecret() },
    publicPath: "/storage",
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-migration-"));
  database = openDatabase(folder);
  ownerId = newId("user");
  database
    .query(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, 'ann', 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
    )
    .run(ownerId);
  disk = open("disk");
  bucket = open("bucket");
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const libraryOn = (storage: DiskStorage | MovingStorage) =>
  new Library({
    ...{ database, storage, clock: systemClock, log: silentLog(), uploadMaxBytes: 1e9 },
    probe: async () => media({}),
    onChange: () => {},
  });

/** Assets of these sizes on the disk, each with its thumbnail. */
async function fill(sizes: number[]): Promise<string[]> {
  const places = new ObjectPlaces(database, systemClock, "disk");
  expect(places.elsewhere).toBeNull();
  const library = libraryOn(disk);
  const ids: string[] = [];
  for (const [index, size] of sizes.entries()) {
    const body = streamOf(someBytes(size, index + 1));
    const { id } = await library.upload(ownerId, `${index}.mp4`, body, { declaredBytes: null });
    await disk.put(thumbnailKey(id), streamOf(someBytes(10, index)), { limitBytes: 1e6 });
    library.records.setThumbnail(id, "ready");
    ids.push(id);
  }
  return ids;
}

/** The server's next start, with the bucket as its storage. */
function begin(here = bucket, there = disk, kind: "s3" | "disk" = "s3") {
  const places = new ObjectPlaces(database, systemClock, kind);
  const migration = new Migration({ places, here, there, clock: systemClock, log: silentLog() });
  return { places, migration, storage: new MovingStorage(here, there, places) };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("it did not come");
    await Bun.sleep(1);
  }
}

async function bytesOf(storage: MovingStorage | DiskStorage, key: string) {
  const body = await storage.open(key);
  return body === null ? null : await new Response(body).bytes();
}

test("all of it moves while it is read, and the old copies stay for those who read them", async () => {
  const sizes = [0, 1, 700_000, 3_000_000];
  const ids = await fill(sizes);
  const { places, migration, storage } = begin();
  expect(places.left()).toEqual({ objects: 8, bytes: 3_700_001 });
  expect(migration.report().state).toBe("stopped");
  const fresh = newId("asset");
  await storage.put(fresh, streamOf(someBytes(5)), { limitBytes: 10 });
  expect(await bucket.stat(fresh)).not.toBeNull();
  migration.start();
  while (migration.report().state === "moving") {
    for (const [index, id] of ids.entries()) {
      expect(await bytesOf(storage, id)).toEqual(someBytes(sizes[index] ?? 0, index + 1));
      const held = await storage.hold(id);
      expect(await Bun.file(held?.path ?? "").exists()).toBe(true);
      held?.release();
    }
  }
  expect(migration.report()).toMatchObject({
    ...{ state: "done", left: { objects: 0, bytes: 0 }, faults: [] },
    moved: { objects: 8, bytes: 3_700_041 },
  });
  for (const [index, id] of ids.entries()) {
    expect(await bytesOf(bucket, id)).toEqual(someBytes(sizes[index] ?? 0, index + 1));
    expect(await bytesOf(bucket, thumbnailKey(id))).toEqual(someBytes(10, index));
    expect(await disk.stat(id)).not.toBeNull();
  }
  // An hour later they go.
  database.run("UPDATE object_elsewhere SET moved_at = '2026-01-01T00:00:00.000Z'");
  migration.open();
  await until(() => places.elsewhere === null);
  await migration.close();
  for (const id of ids) expect(await disk.stat(id)).toBeNull();
});

test("it goes on after a crash at any place, with nothing lost and nothing twice", async () => {
  const ids = await fill([400_000, 400_000, 400_000]);
  const first = begin();
  first.migration.start();
  await until(() => first.places.left().objects < 6);
  // The server is gone: what it would have done is not done, and half an object may lie there.
  await first.migration.close();
  expect(first.places.left().objects).toBeGreaterThan(0);
  const [next] = first.places.next("", 1);
  if (await bucket.stat(next?.key ?? "")) await bucket.delete(next?.key ?? "");
  await bucket.put(next?.key ?? "", streamOf(someBytes(3)), { limitBytes: 10 });
  const second = begin();
  // It had not been stopped by a person.
  second.migration.open();
  await until(() => second.migration.report().state === "done");
  await second.migration.close();
  for (const [index, id] of ids.entries()) {
    expect(await bytesOf(second.storage, id)).toEqual(someBytes(400_000, index + 1));
    expect(await bytesOf(bucket, id)).toEqual(someBytes(400_000, index + 1));
  }
});

test("what is not as it was recorded stays where it is and is told", async () => {
  const [good = "", bad = "", gone = ""] = await fill([10_000, 10_000, 10_000]);
  await Bun.write(disk.pathOf(bad), someBytes(10_000, 77));
  await disk.delete(gone);
  const { migration, places, storage } = begin();
  migration.start();
  await until(() => migration.report().state !== "moving");
  const report = migration.report();
  expect(report.state).toBe("stopped");
  expect(new Map(report.faults.map(({ key, fault }) => [key, fault]))).toEqual(
    new Map([
      [bad, "Its bytes are not those that were recorded of it."],
      [gone, "It is not in the storage before (disk)."],
    ]),
  );
  expect(await bucket.stat(bad)).toBeNull();
  expect(await bytesOf(storage, bad)).toEqual(someBytes(10_000, 77));
  expect(await bytesOf(bucket, good)).toEqual(someBytes(10_000, 1));
  // Put right, it moves.
  await Bun.write(disk.pathOf(bad), someBytes(10_000, 2));
  await disk.put(gone, streamOf(someBytes(10_000, 3)), { limitBytes: 1e6 });
  migration.start();
  await until(() => migration.report().state !== "moving");
  expect(places.left().objects).toBe(0);
  expect(migration.report().faults).toEqual([]);
});

test("what is deleted is gone on both sides, moved or not", async () => {
  const [one = "", other = ""] = await fill([100, 200]);
  const { migration, places, storage } = begin();
  await libraryOn(storage).delete(ownerId, one);
  migration.start();
  await until(() => migration.report().state === "done");
  await libraryOn(storage).delete(ownerId, other);
  for (const side of [disk, bucket]) {
    for (const id of [one, other]) {
      expect(await side.stat(id)).toBeNull();
      expect(await side.stat(thumbnailKey(id))).toBeNull();
    }
  }
  expect(places.elsewhere).toBeNull();
});

test("back before all had moved: what never left is there, the rest moves back", async () => {
  const ids = await fill([300_000, 300_000, 300_000]);
  const out = begin();
  out.migration.start();
  await until(() => out.places.left().objects < 5);
  await out.migration.stop();
  const left = new Set(out.places.next("", 10).map(({ key }) => key));
  const back = begin(disk, bucket, "disk");
  const returning = new Set(back.places.next("", 10).map(({ key }) => key));
  expect(left.size + returning.size).toBe(6);
  expect([...returning].filter((key) => left.has(key))).toEqual([]);
  // A person had stopped it: it does not go on by itself.
  back.migration.open();
  expect(back.migration.report().state).toBe("stopped");
  back.migration.start();
  await until(() => back.migration.report().state === "done");
  await back.migration.close();
  for (const [index, id] of ids.entries()) {
    expect(await bytesOf(disk, id)).toEqual(someBytes(300_000, index + 1));
  }
});

test("a copy of what has not moved is made where new objects come", async () => {
  const [id = ""] = await fill([5_000]);
  const { storage } = begin();
  const to = newId("asset");
  expect(await storage.copy(id, to)).toBe(true);
  expect(await bytesOf(bucket, to)).toEqual(someBytes(5_000, 1));
  expect(await bytesOf(storage, id)).toEqual(someBytes(5_000, 1));
});
