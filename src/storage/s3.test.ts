import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Ceph, endSharedCeph, sharedCeph } from "../../tests/ceph.ts";
import { openS3, removeCaches } from "../../tests/support/s3-storage.ts";
import { assert } from "../trouble.ts";
import { type StorageFixture, storageConformance } from "./conformance.ts";
import { readAll, sha256, someBytes, streamOf } from "./conformance-fixture.ts";
import type { S3Storage } from "./s3.ts";
import type { S3Settings } from "./s3-calls.ts";

let ceph: Ceph;
beforeAll(async () => {
  ceph = await sharedCeph();
}, 120_000);
afterAll(removeCaches);
afterAll(endSharedCeph);

async function openHere(...how: Parameters<typeof openS3>): Promise<S3Storage> {
  return (await openS3(...how)).storage;
}

async function fixture(more: Partial<S3Settings>, cacheBytes: number): Promise<StorageFixture> {
  const storage = await openHere(await ceph.bucket(), more, cacheBytes);
  return {
    storage,
    request: (url, init) => fetch(url, init),
    elapse: (seconds) => Bun.sleep(seconds * 1000 + 100),
    close: async () => undefined,
  };
}

storageConformance("S3 (Ceph)", () => fixture({}, 1024 ** 3));
storageConformance("S3 (Ceph) with a prefix and a cache that keeps nothing", () =>
  fixture({ prefix: "kinomill/media/" }, 0),
);

const MIB = 1024 ** 2;
const limitBytes = 1024 ** 3;

/** The bytes in pieces as a network brings them. */
function inChunks(bytes: Uint8Array, chunkBytes = 300_000): ReadableStream<Uint8Array> {
  const count = Math.ceil(bytes.byteLength / chunkBytes);
  return streamOf(
    ...Array.from({ length: count }, (_, index) =>
      bytes.slice(index * chunkBytes, (index + 1) * chunkBytes),
    ),
  );
}

describe("objects in parts", () => {
  test("have the bytes at each size around a part's end, from streams and from files", async () => {
    const { storage, folder } = await openS3(await ceph.bucket());
    for (const sizeBytes of [5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, 16 * MIB + 7]) {
      const bytes = someBytes(sizeBytes, sizeBytes);
      const told = { sizeBytes, sha256: sha256(bytes) };
      const [streamed, adopted, copied] = ["a", "b", "c"].map((name) => `${name}-${sizeBytes}`);
      assert(streamed !== undefined && adopted !== undefined && copied !== undefined, "keys");
      expect(await storage.put(streamed, inChunks(bytes), { limitBytes })).toEqual(told);
      const path = join(folder, adopted);
      await Bun.write(path, bytes);
      expect(await storage.adopt(adopted, path)).toEqual(told);
      expect(await storage.copy(streamed, copied)).toBe(true);
      for (const key of [streamed, adopted, copied]) {
        // From the bucket, not from the cache.
        storage.cache.drop(key);
        expect(sha256((await readAll(storage, key)) ?? new Uint8Array())).toBe(told.sha256);
        const held = await storage.hold(key);
        expect(sha256(await Bun.file(held?.path ?? "").bytes())).toBe(told.sha256);
        held?.release();
      }
    }
    expect(await storage.bucket.openUploads("")).toEqual([]);
  });

  test("have parts of one size, as many as were needed", async () => {
    const storage = await openHere(await ceph.bucket());
    await storage.put("as_parts", inChunks(someBytes(12 * MIB)), { limitBytes });
    const head = await fetch(
      await storage.presign("as_parts", { method: "GET", expiresSeconds: 60 }),
    );
    await head.body?.cancel();
    // The ETag of an object in parts ends with their number.
    expect(head.headers.get("etag")).toEndWith('-3"');
  });
});
