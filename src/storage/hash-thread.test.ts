import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashOfFile, ThreadedHash } from "./hash-thread.ts";

const bytes = crypto.getRandomValues(new Uint8Array(60_000));
const large = new Uint8Array(600_000).map((_, at) => bytes[at % bytes.length] ?? 0);
const digest = (algorithm: "md5" | "sha256", of: Uint8Array) =>
  new Bun.CryptoHasher(algorithm).update(of).digest("hex");

function withFile(use: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "hash-"));
  const path = join(folder, "film");
  writeFileSync(path, large);
  return use(path).finally(() => rmSync(folder, { recursive: true }));
}

describe("the hash of a part of a file", () => {
  test("is that of its bytes, longer than what is read at once or empty", async () => {
    await withFile(async (path) => {
      for (const [start, end] of [
        [0, large.length],
        [7, 300_001],
        [9, 9],
      ] as const) {
        const wanted = digest("md5", large.subarray(start, end));
        expect(await hashOfFile("md5", { path, start, end })).toBe(wanted);
      }
    });
  });

  test("is refused when the file is too short or gone, and what waits behind it is not", async () => {
    await withFile(async (path) => {
      const short = hashOfFile("sha256", { path, start: 0, end: large.length + 1 });
      const gone = hashOfFile("sha256", { path: `${path}-not`, start: 0, end: 1 });
      const whole = hashOfFile("sha256", { path, start: 0, end: large.length });
      const [one, other, last] = await Promise.allSettled([short, gone, whole]);
      expect(String((one as PromiseRejectedResult).reason)).toContain("became shorter");
      expect(String((other as PromiseRejectedResult).reason)).toContain("ENOENT");
      expect((last as PromiseFulfilledResult<string>).value).toBe(digest("sha256", large));
    });
  });
});

test("a hash that goes on from another has its bytes, whatever the algorithm", async () => {
  const block = new SharedArrayBuffer(bytes.length);
  new Uint8Array(block).set(bytes);
  for (const algorithm of ["md5", "sha256"] as const) {
    const hash = new ThreadedHash(algorithm);
    await hash.update(block, bytes.length);
    const fork = await hash.fork();
    await fork.update(block, 10);
    expect(await hash.digest()).toBe(digest(algorithm, bytes));
    const both = Buffer.concat([bytes, bytes.subarray(0, 10)]);
    expect(await fork.digest()).toBe(digest(algorithm, both));
  }
});
