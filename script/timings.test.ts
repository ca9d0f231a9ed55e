import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { completeTimings } from "./timings.ts";

test("a file that is not in the list yet has a time too, and one that is gone has none", async () => {
  const root = await mkdtemp(join(tmpdir(), "timings-"));
  const known = { version: 1, files: { "a/slow.test.ts": 90_000, "a/gone.test.ts": 5 } };
  await Bun.write(join(root, "known.json"), JSON.stringify(known));
  for (const name of ["a/slow.test.ts", "a/b/new.test.ts", "a/other.ts", "c/new.test.ts"]) {
    await Bun.write(join(root, name), "");
  }
  await completeTimings(root, "known.json", ["a", "c"], join(root, "all.json"));
  expect(await Bun.file(join(root, "all.json")).json()).toEqual({
    version: 1,
    files: { "a/slow.test.ts": 90_000, "a/b/new.test.ts": 3_000, "c/new.test.ts": 3_000 },
  });
  await rm(root, { recursive: true });
});
