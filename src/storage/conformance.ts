/**
 * What every storage backend promises, as tests: a backend's own test file calls `storageConformance`
 * and adds only what is special to it.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  limitBytes,
  newKey,
  putBytes,
  type Run,
  readAll,
  refusalOf,
  type StorageFixture,
  sha256,
  someBytes,
  streamOf,
} from "./conformance-fixture.ts";
import { presigningReads, presigningWrites } from "./conformance-presigned.ts";

export type { StorageFixture } from "./conformance-fixture.ts";

/** Registers the suite under `name`. */
export function storageConformance(name: string, make: () => Promise<StorageFixture>): void {
  describe(`${name} keeps the promises of a storage:`, () => {
    const run: Run = { fixture: null as unknown as StorageFixture, folder: "", keys: 0 };
    beforeAll(async () => {
      run.fixture = await make();
      run.folder = mkdtempSync(join(tmpdir(), "kinomill-conformance-"));
    });
    afterAll(async () => {
      rmSync(run.folder, { recursive: true, force: true });
      await run.fixture.close();
    });
    writing(run);
    failing(run);
    reading(run);
    adopting(run);
    copying(run);
    listing(run);
    presigningReads(run);
    presigningWrites(run);
  });
}

function listing(run: Run): void {
  test("every object is listed with its size and its time, and none that is gone", async () => {
    const { storage } = run.fixture;
    const keys = [newKey(run), newKey(run), newKey(run)];
    const beganMs = Date.now();
    for (const [index, key] of keys.entries()) {
      await storage.put(key, streamOf(someBytes(index * 10)), { limitBytes });
    }
    await storage.delete(keys[1] ?? "");
    const listed = new Map<string, { sizeBytes: number; modifiedMs: number }>();
    for await (const page of storage.pages()) {
      for (const { key, ...rest } of page) {
        expect(listed.has(key)).toBe(false);
        listed.set(key, rest);
      }
    }
    expect(keys.map((key) => listed.get(key)?.sizeBytes)).toEqual([0, undefined, 20]);
    // To the second, and by the clock of the storage.
    const modifiedMs = listed.get(keys[2] ?? "")?.modifiedMs ?? 0;
    expect(Math.abs(modifiedMs - beganMs)).toBeLessThan(600_000);
  });
}

function writing(run: Run): void {
  test("what was put is there, with its size and SHA-256", async () => {
    const { storage } = run.fixture;
    const key = newKey(run);
    const bytes = someBytes(100_000);
    const stored = await storage.put(key, streamOf(bytes), { limitBytes });
    expect(stored).toEqual({ sizeBytes: 100_000, sha256: sha256(bytes) });
    expect(await storage.stat(key)).toEqual({ sizeBytes: 100_000 });
    expect(await readAll(storage, key)).toEqual(bytes);
  });

  test("an object of no bytes is an object", async () => {
    const { storage } = run.fixture;
    for (const body of [streamOf(), streamOf(new Uint8Array(0))]) {
      const key = newKey(run);
      const stored = await storage.put(key, body, { limitBytes });
      expect(stored).toEqual({ sizeBytes: 0, sha256: sha256(new Uint8Array(0)) });
      expect(await storage.stat(key)).toEqual({ sizeBytes: 0 });
      expect(await readAll(storage, key)).toEqual(new Uint8Array(0));
      expect(await readAll(storage, key, { start: 0, end: 0 })).toEqual(new Uint8Array(0));
    }
  });

  test("the bytes are the same however the stream is cut", async () => {
    const { storage } = run.fixture;
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(70_000), fc.nat(1_500_000)), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (lengths, seed) => {
        const bytes = someBytes(
          lengths.reduce((sum, length) => sum + length, 0),
          seed,
        );
        let start = 0;
        const chunks = lengths.map((length) => {
          start += length;
          return bytes.slice(start - length, start);
        });
        const key = newKey(run);
        const stored = await storage.put(key, streamOf(...chunks), { limitBytes });
        const back = await readAll(storage, key);
        await storage.delete(key);
        expect(stored).toEqual({ sizeBytes: bytes.byteLength, sha256: sha256(bytes) });
        expect(back !== null && Buffer.compare(back, bytes) === 0).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("many puts at once do not mix", async () => {
    const { storage } = run.fixture;
    const objects = Array.from({ length: 12 }, (_, seed) => ({
      key: newKey(run),
      bytes: someBytes(1_300_000 + seed, seed + 1),
    }));
    await Promise.all(
      objects.map(({ key, bytes }) =>
        storage.put(key, streamOf(bytes.slice(0, 700_000), bytes.slice(700_000)), { limitBytes }),
      ),
    );
    for (const { key, bytes } of objects) {
      expect(sha256((await readAll(storage, key)) ?? new Uint8Array())).toBe(sha256(bytes));
    }
  });

  test("deleted is gone, deleting what is not there is fine, and the key can come again", async () => {
    const { storage } = run.fixture;
    const key = await putBytes(run, someBytes(10));
    await storage.delete(key);
    await storage.delete(key);
    expect(await storage.stat(key)).toBeNull();
    expect(await storage.open(key)).toBeNull();
    await storage.put(key, streamOf(someBytes(20)), { limitBytes });
    expect(await storage.stat(key)).toEqual({ sizeBytes: 20 });
  });
}

function failing(run: Run): void {
  /** Nothing is kept: the key is free, and a put under it works. */
  async function expectNothing(key: string): Promise<void> {
    const { storage } = run.fixture;
    expect(await storage.stat(key)).toBeNull();
    expect(await storage.open(key)).toBeNull();
    await storage.put(key, streamOf(someBytes(5)), { limitBytes });
    expect(await storage.stat(key)).toEqual({ sizeBytes: 5 });
  }

  test("exactly the limit is stored; one byte more is refused, and the sender is told to stop", async () => {
    const { storage } = run.fixture;
    const key = newKey(run);
    const fits = [someBytes(600_000), someBytes(400_000)];
    await storage.put(key, streamOf(...fits), { limitBytes: 1_000_000 });
    const over = newKey(run);
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(someBytes(300_000)),
      cancel: () => {
        cancelled = true;
      },
    });
    const refusal = await refusalOf(storage.put(over, endless, { limitBytes: 999_999 }));
    expect([refusal.status, refusal.code]).toEqual([413, "too_large"]);
    expect(cancelled).toBe(true);
    await expectNothing(over);
  });

  test("a stream that breaks off leaves nothing, early or late", async () => {
    const { storage } = run.fixture;
    for (const sentBytes of [0, 1_000, 3_000_000]) {
      const key = newKey(run);
      let sent = false;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent || sentBytes === 0) controller.error(new Error("connection lost"));
          else controller.enqueue(someBytes(sentBytes));
          sent = true;
        },
      });
      const put = storage.put(key, body, { limitBytes });
      await expect(put).rejects.toThrow("connection lost");
      await expectNothing(key);
    }
  });

  test("an abort ends a put whose sender says nothing any more", async () => {
    const { storage } = run.fixture;
    const key = newKey(run);
    const aborting = new AbortController();
    let asked = 0;
    // Without a queue of its own the stream is asked only while the storage waits for it.
    const unqueued = { highWaterMark: 0 };
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          asked += 1;
          if (asked === 1) return controller.enqueue(someBytes(1_500_000));
          queueMicrotask(() => aborting.abort(new Error("the client went away")));
          return new Promise<void>(() => undefined);
        },
      },
      unqueued,
    );
    const put = storage.put(key, body, { limitBytes, signal: aborting.signal });
    await expect(put).rejects.toThrow("the client went away");
    await expectNothing(key);
  });

  test("an abort before the start stores nothing", async () => {
    const { storage } = run.fixture;
    const key = newKey(run);
    const signal = AbortSignal.abort(new Error("too late"));
    const put = storage.put(key, streamOf(someBytes(10)), { limitBytes, signal });
    await expect(put).rejects.toThrow("too late");
    await expectNothing(key);
  });
}

function reading(run: Run): void {
  test("an unknown key is null", async () => {
    const { storage } = run.fixture;
    const key = newKey(run);
    expect(await storage.stat(key)).toBeNull();
    expect(await storage.open(key)).toBeNull();
    expect(await storage.open(key, { start: 0, end: 0 })).toBeNull();
  });

  test("any range gives exactly its bytes", async () => {
    const { storage } = run.fixture;
    const bytes = someBytes(100_000);
    const key = await putBytes(run, bytes);
    const edges = [0, 1, 65_535, 65_536, 99_999, 100_000];
    const ranges = edges.flatMap((start) => edges.map((end) => ({ start, end })));
    for (const range of ranges.filter(({ start, end }) => start <= end)) {
      expect(await readAll(storage, key, range)).toEqual(bytes.slice(range.start, range.end));
    }
    const position = fc.nat(bytes.byteLength);
    await fc.assert(
      fc.asyncProperty(position, position, async (one, other) => {
        const range = { start: Math.min(one, other), end: Math.max(one, other) };
        expect(await readAll(storage, key, range)).toEqual(bytes.slice(range.start, range.end));
      }),
      { numRuns: 30 },
    );
  });

  test("a range beyond the object is ours to prevent", async () => {
    const { storage } = run.fixture;
    const key = await putBytes(run, someBytes(10));
    for (const [start, end] of [
      [0, 11],
      [11, 11],
      [-1, 5],
      [6, 5],
    ] as const) {
      await expect((async () => storage.open(key, { start, end }))()).rejects.toThrow("range");
    }
  });

  test("no text that is not a key reaches the storage", async () => {
    const { storage } = run.fixture;
    const bad = [
      "",
      ".",
      "..",
      "../x",
      "/etc/passwd",
      "a/b",
      "A",
      "1a",
      "a\0b",
      "a\n",
      "ä",
      "a".repeat(129),
    ];
    const texts = fc.oneof(fc.constantFrom(...bad), fc.string({ unit: "binary" }));
    await fc.assert(
      fc.asyncProperty(texts, async (key) => {
        fc.pre(!/^[a-z][a-z0-9_.-]{0,127}$/.test(key) || key.endsWith("\n"));
        const attempts = [
          async () => storage.put(key, streamOf(someBytes(1)), { limitBytes }),
          async () => storage.open(key),
          async () => storage.stat(key),
          async () => storage.delete(key),
          async () => storage.hold(key),
          async () => storage.isNear(key),
          async () => storage.copy(key, newKey(run)),
          async () => storage.presign(key, { method: "GET", expiresSeconds: 60 }),
        ];
        for (const attempt of attempts) await expect(attempt()).rejects.toThrow("storage key");
      }),
    );
  });

  test("free space is a whole number of bytes, or unknown", async () => {
    const free = await run.fixture.storage.freeBytes();
    expect(free === null || (Number.isInteger(free) && free >= 0)).toBe(true);
  });
}

function copying(run: Run): void {
  test("a copy has the bytes and outlives what it was made from", async () => {
    const { storage } = run.fixture;
    for (const sizeBytes of [0, 700_000]) {
      const bytes = someBytes(sizeBytes);
      const [from, to] = [await putBytes(run, bytes), newKey(run)];
      expect(await storage.copy(from, to)).toBe(true);
      await storage.delete(from);
      expect(await readAll(storage, to)).toEqual(bytes);
      expect(await storage.stat(from)).toBeNull();
    }
  });

  test("nothing is copied from nothing, and nothing over what is there", async () => {
    const { storage } = run.fixture;
    const [there, to] = [await putBytes(run, someBytes(10)), newKey(run)];
    expect(await storage.copy(newKey(run), to)).toBe(false);
    expect(await storage.stat(to)).toBeNull();
    const other = await putBytes(run, someBytes(20));
    await expect(storage.copy(there, other)).rejects.toThrow("written once");
    expect(await readAll(storage, other)).toEqual(someBytes(20));
  });
}

function adopting(run: Run): void {
  test("a finished file becomes an object, whether its size and checksum are known or not", async () => {
    const { storage } = run.fixture;
    for (const sizeBytes of [0, 1, 2_500_000]) {
      const path = join(run.folder, `output-${sizeBytes}`);
      const bytes = someBytes(sizeBytes);
      writeFileSync(path, bytes);
      const key = newKey(run);
      const told = { sizeBytes, sha256: sha256(bytes) };
      expect(await storage.adopt(key, path)).toEqual(told);
      rmSync(path, { force: true });
      expect(await readAll(storage, key)).toEqual(bytes);
      writeFileSync(path, bytes);
      const other = newKey(run);
      expect(await storage.adopt(other, path, told)).toEqual(told);
      rmSync(path, { force: true });
      expect(await readAll(storage, other)).toEqual(bytes);
    }
  });

  test("adopting a file that is not there fails and makes no object", async () => {
    const { storage } = run.fixture;
    const key = newKey(run);
    await expect(storage.adopt(key, join(run.folder, "nothing"))).rejects.toThrow("ENOENT");
    expect(await storage.stat(key)).toBeNull();
  });

  test("a held file has the bytes, for as many as hold it, and what is not there is null", async () => {
    const { storage } = run.fixture;
    const bytes = someBytes(1_000);
    const key = await putBytes(run, bytes);
    const [one, other] = await Promise.all([storage.hold(key), storage.hold(key)]);
    expect(storage.isNear(key)).toBe(true);
    one?.release();
    one?.release();
    expect(await Bun.file(other?.path ?? "").bytes()).toEqual(bytes);
    other?.release();
    expect(await storage.hold(newKey(run))).toBeNull();
  });
}
