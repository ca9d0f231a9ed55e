import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "../trouble.ts";
import { type CacheOptions, type Filling, LocalCache } from "./cache.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-cache-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const plenty = async () => 1_000_000;

function openHere(options: Partial<CacheOptions> = {}): LocalCache {
  return new LocalCache({
    ...{ folder, maxBytes: 1_000, reserveBytes: 0, bootId: "one", freeBytes: plenty },
    ...options,
  });
}

const filling =
  (sizeBytes: number): Filling =>
  async (path) =>
    writeFileSync(path, "x".repeat(sizeBytes));

async function add(cache: LocalCache, key: string, sizeBytes: number): Promise<void> {
  (await cache.holdFilled(key, sizeBytes, filling(sizeBytes), undefined)).release();
}

const keysIn = (cache: LocalCache, ...keys: string[]) =>
  keys.filter((key) => cache.sizeOf(key) !== null).join("");
const copies = () => readdirSync(join(folder, "copies")).sort();
const incoming = () => readdirSync(join(folder, "incoming"));

describe("what is kept", () => {
  test("is the most recently used, within the limit", async () => {
    const cache = openHere();
    for (const key of ["a", "b", "c"]) await add(cache, key, 300);
    cache.hold("a")?.release();
    await add(cache, "d", 300);
    expect(keysIn(cache, "a", "b", "c", "d")).toBe("acd");
    expect(cache.sizeBytes).toBe(900);
    expect(copies()).toEqual(["a~300", "c~300", "d~300"]);
  });

  test("is also what is held, beyond the limit, until it is let go", async () => {
    const cache = openHere();
    const held = await Promise.all(
      ["a", "b", "c"].map((key) => cache.holdFilled(key, 600, filling(600), undefined)),
    );
    expect(keysIn(cache, "a", "b", "c")).toBe("abc");
    held[0]?.release();
    held[0]?.release();
    held[1]?.release();
    expect(keysIn(cache, "a", "b", "c")).toBe("c");
    held[2]?.release();
    expect(keysIn(cache, "a", "b", "c")).toBe("c");
  });

  test("makes room on a disk that fills up, but never what is held", async () => {
    let used = 0;
    const freeBytes = async () => 1_000 - used;
    const cache = openHere({ maxBytes: 10_000, reserveBytes: 100, freeBytes });
    const write =
      (sizeBytes: number): Filling =>
      async (path) => {
        writeFileSync(path, "x".repeat(sizeBytes));
        used += sizeBytes;
      };
    const held = await cache.holdFilled("a", 400, write(400), undefined);
    (await cache.holdFilled("b", 400, write(400), undefined)).release();
    const full = cache.holdFilled("c", 600, write(600), undefined);
    await expect(full).rejects.toMatchObject({ status: 507, code: "storage_full" });
    expect(keysIn(cache, "a", "b", "c")).toBe("a");
    expect(existsSync(held.path)).toBe(true);
    expect(incoming()).toEqual([]);
  });

  test("is forgotten when it is deleted", async () => {
    const cache = openHere();
    await add(cache, "a", 10);
    cache.drop("a");
    cache.drop("a");
    expect([cache.hold("a"), cache.sizeBytes, copies()]).toEqual([null, 0, []]);
  });

  test("is fetched again when somebody cleared the folder by hand", async () => {
    const cache = openHere();
    await add(cache, "a", 10);
    rmSync(join(folder, "copies", "a~10"));
    expect(cache.hold("a")).toBeNull();
    await add(cache, "a", 10);
    expect(copies()).toEqual(["a~10"]);
  });
});

describe("a fill", () => {
  test("is one for all who ask for the same", async () => {
    const cache = openHere();
    let fills = 0;
    const once: Filling = async (path) => {
      fills += 1;
      await Bun.sleep(1);
      writeFileSync(path, "x".repeat(10));
    };
    const held = await Promise.all(
      Array.from({ length: 8 }, () => cache.holdFilled("a", 10, once, undefined)),
    );
    expect(fills).toBe(1);
    expect(new Set(held.map(({ path }) => path)).size).toBe(1);
    for (const { release } of held) release();
  });

  test("ends when the last who waits gives up, and not before", async () => {
    const cache = openHere();
    const ended = Promise.withResolvers<void>();
    const endless: Filling = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          ended.resolve();
          reject(signal.reason);
        });
      });
    const [one, other] = [new AbortController(), new AbortController()];
    const first = cache.holdFilled("a", 10, endless, one.signal);
    const second = cache.holdFilled("a", 10, endless, other.signal);
    first.catch(() => undefined);
    second.catch(() => undefined);
    await Bun.sleep(0);
    one.abort(new Error("one went"));
    await expect(first).rejects.toThrow("one went");
    const early = await Promise.race([ended.promise.then(() => "ended"), Bun.sleep(50)]);
    expect(early).toBeUndefined();
    other.abort(new Error("other went"));
    await expect(second).rejects.toThrow("other went");
    await ended.promise;
    // And a later one may begin anew.
    await add(cache, "a", 10);
  });

  test("that fails or is short leaves nothing, and is told to all", async () => {
    const cache = openHere();
    const failing: Filling = async (path) => {
      writeFileSync(path, "half");
      throw new Refusal(503, "storage_unreachable", "gone");
    };
    const both = await Promise.allSettled(
      [1, 2].map(() => cache.holdFilled("a", 10, failing, undefined)),
    );
    for (const one of both) {
      expect(one).toMatchObject({ status: "rejected", reason: { code: "storage_unreachable" } });
    }
    await expect(cache.holdFilled("a", 10, filling(9), undefined)).rejects.toThrow("9 bytes");
    expect([incoming(), copies(), cache.sizeBytes]).toEqual([[], [], 0]);
  });

  test("of an object that is deleted meanwhile is not kept", async () => {
    const cache = openHere();
    const slow: Filling = async (path, signal) => {
      writeFileSync(path, "x".repeat(10));
      cache.drop("a");
      signal.throwIfAborted();
    };
    await expect(cache.holdFilled("a", 10, slow, undefined)).rejects.toThrow("deleted");
    expect([incoming(), copies()]).toEqual([[], []]);
  });
});

describe("after a crash", () => {
  test("whole copies are there in the order of their use, half ones are gone", async () => {
    const cache = openHere();
    for (const key of ["a", "b", "c"]) await add(cache, key, 300);
    await Bun.sleep(20);
    cache.hold("a");
    writeFileSync(join(folder, "incoming", "d.1"), "half");
    truncateSync(join(folder, "copies", "c~300"), 299);
    writeFileSync(join(folder, "copies", "what is this"), "x");
    const again = openHere({ maxBytes: 400 });
    expect(keysIn(again, "a", "b", "c")).toBe("a");
    expect([incoming(), copies()]).toEqual([[], ["a~300"]]);
  });

  test("of the machine no copy is believed", async () => {
    await add(openHere(), "a", 10);
    expect(keysIn(openHere({ bootId: "one" }), "a")).toBe("a");
    expect(keysIn(openHere({ bootId: "two" }), "a")).toBe("");
    expect(copies()).toEqual([]);
  });
});
