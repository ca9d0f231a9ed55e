/** Uploads below HTTP, on a real disk and a real database: what a crash, a clock and a second sender do to them. */
import type { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { film } from "../../tests/http/site.ts";
import { openAccounts } from "../accounts/accounts.ts";
import type { Asset } from "../assets/asset.ts";
import { type Arrival, Library } from "../assets/library.ts";
import { ManualClock } from "../clock.ts";
import { openDatabase } from "../database/open.ts";
import { newSecret } from "../identity.ts";
import { silentLog } from "../log.ts";
import { openDiskStorage } from "../storage/disk.ts";
import { Refusal } from "../trouble.ts";
import { Checksum } from "./checksum.ts";
import { Uploads } from "./uploads.ts";

const HOUR_MS = 3600 * 1000;
const MIB = 1024 ** 2;

let folder: string;
let database: Database;
let clock: ManualClock;
let ownerId: string;
let arrivals: Arrival[];
let trouble: Refusal | null;
/** Holds the library until it is let go. */
let gate: Promise<void>;
let uploads: Uploads;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "uploads-"));
  database = openDatabase(folder);
  clock = new ManualClock();
  const accounts = openAccounts(database, clock, { sessionDays: 30 });
  ownerId = (await accounts.createUser("ann", "admin", "correct horse battery")).id;
  arrivals = [];
  trouble = null;
  gate = Promise.resolve();
  uploads = open();
});

afterEach(async () => {
  await uploads.stop(1000);
  database.close();
  rmSync(folder, { recursive: true });
});

/** As the next server on the same data folder has them: nothing that was in memory. */
function open(): Uploads {
  const storage = openDiskStorage({
    ...{ folder: join(folder, "storage"), reserveBytes: 0, publicPath: "/storage", clock },
    signingKey: newSecret(),
  });
  const library = new Library({
    ...{ database, clock, storage, log: silentLog(), uploadMaxBytes: 100 * MIB },
    probe: async () => film,
    onChange: () => undefined,
  });
  const adopt = async (arrival: Arrival, record?: (asset: Asset) => void) => {
    await gate;
    if (trouble !== null) throw trouble;
    arrivals.push(arrival);
    return await library.adopt(arrival, record);
  };
  const parts = { database, clock, log: silentLog(), reserveBytes: 0, keepHours: 24 };
  return new Uploads({
    ...parts,
    library: {
      admit: (...asked) => library.admit(...asked),
      adopt,
      equalOf: (...asked) => library.equalOf(...asked),
      get: (...asked) => library.get(...asked),
    },
    folder: join(folder, "uploads"),
    unfinishedPerUser: 3,
  });
}

async function begin(lengthBytes: number): Promise<string> {
  const id = uploads.newId();
  await uploads.create({ id, ownerId, metadata: { filename: "a.mp4" } }, lengthBytes);
  return id;
}

const bytesOf = (length: number) => new Uint8Array(length).map((_, index) => (index * 7) % 251);
const hashOf = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

function append(
  id: string,
  from: number,
  bytes: Uint8Array<ArrayBuffer>,
  sum: string | null = null,
) {
  const signal = new AbortController().signal;
  const checksum = sum === null ? null : Checksum.parse(sum);
  return uploads.append(id, { from, signal, checksum, body: new Blob([bytes]).stream() });
}

const namesOf = () => readdirSync(join(folder, "uploads"));

/** What a promise was refused with. */
async function refusalOf(work: Promise<unknown>): Promise<[number, string]> {
  const cause = await work.then(
    () => new Error("it was not refused"),
    (reason: unknown) => reason,
  );
  if (!(cause instanceof Refusal)) throw cause;
  return [cause.status, cause.code];
}

test("pieces become one asset with one hash, and the file is not read for it", async () => {
  const bytes = bytesOf(3 * MIB + 5);
  const id = await begin(bytes.length);
  expect(await append(id, 0, bytes.subarray(0, MIB))).toBe(MIB);
  expect(await append(id, MIB, bytes.subarray(MIB))).toBe(bytes.length);
  await uploads.finish(id);
  const known = { sizeBytes: bytes.length, sha256: hashOf(bytes) };
  expect(arrivals.map((arrival) => arrival.known)).toEqual([known]);
  expect(namesOf()).toEqual([]);
});

test("after a restart the part before is hashed too", async () => {
  const bytes = bytesOf(2 * MIB);
  const id = await begin(bytes.length);
  await append(id, 0, bytes.subarray(0, MIB + 3));
  uploads = open();
  await uploads.recover();
  await append(id, MIB + 3, bytes.subarray(MIB + 3));
  await uploads.finish(id);
  expect(arrivals[0]?.known?.sha256).toBe(hashOf(bytes));
});

test("a checksum that does not fit takes the piece back, and the hash with it", async () => {
  const bytes = bytesOf(2 * MIB);
  const id = await begin(bytes.length);
  await append(id, 0, bytes.subarray(0, MIB));
  const sum = (part: Uint8Array) =>
    `sha256 ${new Bun.CryptoHasher("sha256").update(part).digest("base64")}`;
  const wrong = append(id, MIB, bytesOf(MIB).fill(1), sum(bytes.subarray(MIB)));
  expect(await refusalOf(wrong)).toEqual([460, "checksum_mismatch"]);
  expect(await uploads.offsetOf(uploads.find(id))).toBe(MIB);
  await append(id, MIB, bytes.subarray(MIB), sum(bytes.subarray(MIB)));
  await uploads.finish(id);
  expect(arrivals[0]?.known?.sha256).toBe(hashOf(bytes));
});

test("more than was declared takes the piece back", async () => {
  const id = await begin(10);
  await append(id, 0, bytesOf(4));
  expect(await refusalOf(append(id, 4, bytesOf(7)))).toEqual([413, "too_large"]);
  expect(await uploads.offsetOf(uploads.find(id))).toBe(4);
});

test("a crash in a piece with a checksum is taken back by the next start", async () => {
  const id = await begin(10);
  await append(id, 0, bytesOf(4));
  // As the crash leaves it: the mark in the table, and bytes behind it.
  database.run("UPDATE upload SET unchecked_from = 4");
  writeFileSync(join(folder, "uploads", id), bytesOf(9));
  uploads = open();
  await uploads.recover();
  expect(await uploads.offsetOf(uploads.find(id))).toBe(4);
  expect(uploads.find(id).uncheckedFrom).toBeNull();
});

test("a crash between the last byte and the asset: the next server finishes it", async () => {
  const id = await begin(10);
  await append(id, 0, bytesOf(10));
  uploads = open();
  await uploads.recover();
  await uploads.finishLeft();
  const { assetId } = uploads.find(id);
  expect(assetId).toMatch(/^as_/);
  expect(database.query("SELECT id FROM asset").get()).toEqual({ id: assetId });
});

test("a crash between the asset and its upload's file: the file goes, the asset stays", async () => {
  const id = await begin(10);
  await append(id, 0, bytesOf(10));
  await uploads.finish(id);
  writeFileSync(join(folder, "uploads", id), bytesOf(10));
  writeFileSync(join(folder, "uploads", "up_stray"), "x");
  uploads = open();
  await uploads.recover();
  expect(namesOf()).toEqual([]);
  expect(uploads.find(id).assetId).toMatch(/^as_/);
});

test("an upload whose file is gone is no upload any more", async () => {
  const id = await begin(10);
  rmSync(join(folder, "uploads", id));
  uploads = open();
  await uploads.recover();
  expect(() => uploads.find(id)).toThrow(Refusal);
});

test("is finished once, however many ask, and is not deleted meanwhile", async () => {
  const id = await begin(10);
  await append(id, 0, bytesOf(10));
  const door = Promise.withResolvers<void>();
  gate = door.promise;
  const asked = [uploads.finish(id), uploads.finish(id), uploads.settle(uploads.find(id))];
  expect((await uploads.report(uploads.find(id))).state).toBe("finishing");
  expect(await refusalOf(uploads.remove(id))).toEqual([423, "locked"]);
  door.resolve();
  expect(new Set(await Promise.all(asked)).size).toBe(1);
  expect(arrivals.length).toBe(1);
  expect(await refusalOf(uploads.remove(id))).toEqual([409, "complete"]);
});

test("what the library cannot take now stays and is asked again; what is no media goes", async () => {
  const id = await begin(10);
  await append(id, 0, bytesOf(10));
  trouble = new Refusal(507, "storage_full", "There is no room.");
  expect(await refusalOf(uploads.finish(id))).toEqual([507, "storage_full"]);
  // To HEAD it is only busy: clients would begin anew for a 5xx.
  expect(await refusalOf(uploads.settle(uploads.find(id)))).toEqual([423, "locked"]);
  trouble = null;
  expect(await uploads.settle(uploads.find(id))).toMatch(/^as_/);
  const other = await begin(10);
  await append(other, 0, bytesOf(10));
  trouble = new Refusal(422, "not_media", "This is none.");
  expect(await refusalOf(uploads.finish(other))).toEqual([422, "not_media"]);
  expect(() => uploads.find(other)).toThrow(Refusal);
  expect(namesOf()).toEqual([]);
});

test("is swept a day after its last byte, and not while somebody works on it", async () => {
  const [old, kept, held] = [await begin(10), await begin(10), await begin(10)];
  clock.advance(23 * HOUR_MS);
  await append(kept, 0, bytesOf(1));
  clock.advance(2 * HOUR_MS);
  const release = await uploads.locks.acquire(held, () => undefined);
  await uploads.sweep();
  expect(namesOf().toSorted()).toEqual([kept, held].toSorted());
  expect(() => uploads.get(ownerId, old)).toThrow(Refusal);
  release();
  await uploads.sweep();
  expect(namesOf()).toEqual([kept]);
});

test("the limit counts what is unfinished", async () => {
  const ids = [await begin(10), await begin(10), await begin(10)];
  expect(await refusalOf(begin(10))).toEqual([429, "too_many_uploads"]);
  await append(ids[0] ?? "", 0, bytesOf(10));
  await uploads.finish(ids[0] ?? "");
  await begin(10);
  expect(namesOf().length).toBe(3);
});

test("what is begun takes of the quota, and gives it back when it is given up", async () => {
  database.run("INSERT INTO allowance (user_id, quota_bytes) VALUES (?1, ?2)", [ownerId, 25]);
  const id = await begin(10);
  await begin(10);
  expect(await refusalOf(begin(10))).toEqual([413, "quota_exceeded"]);
  await uploads.remove(id);
  await begin(10);
});

test("a piece that is stopped keeps what came, and the file goes on from there", async () => {
  const bytes = bytesOf(2 * MIB);
  const id = await begin(bytes.length);
  const stopper = new AbortController();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes.subarray(0, MIB)),
    // Says nothing more, as a connection that is dead and has not noticed.
    pull: () => new Promise(() => undefined),
  });
  const stopped = uploads.append(id, { from: 0, signal: stopper.signal, checksum: null, body });
  setTimeout(() => stopper.abort(new Refusal(423, "locked", "Somebody else goes on.")), 50);
  expect(await refusalOf(stopped)).toEqual([423, "locked"]);
  const from = await uploads.offsetOf(uploads.find(id));
  await append(id, from, bytes.subarray(from));
  await uploads.finish(id);
  expect(arrivals[0]?.known?.sha256).toBe(hashOf(bytes));
});

test("a file that lost bytes behind our back is hashed as it is", async () => {
  const bytes = bytesOf(2 * MIB);
  const id = await begin(bytes.length);
  await append(id, 0, bytes.subarray(0, MIB));
  truncateSync(join(folder, "uploads", id), 100);
  await append(id, 100, bytes.subarray(100));
  await uploads.finish(id);
  expect(arrivals[0]?.known?.sha256).toBe(hashOf(bytes));
});
