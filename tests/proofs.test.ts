/** docs/operations/proofs.md names tests that exist. */
import { expect, test } from "bun:test";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");
const page = await Bun.file(join(root, "docs/operations/proofs.md")).text();

/** In a cell: a file, and the titles or parts of titles of its tests. */
const named = [
  ...page.matchAll(/`((?:tests|src)\/[\w./-]+\.test\.ts)` › ((?:“[^”]+”(?:, )?)+)/g),
].map(([, file = "", titles = ""]) => ({
  file,
  titles: [...titles.matchAll(/“([^”]+)”/g)].map(([, title = ""]) => title),
}));

test("every test that the page names is there, under that title", async () => {
  const missing: string[] = [];
  for (const { file, titles } of named) {
    const source = Bun.file(join(root, file));
    const text = (await source.exists()) ? await source.text() : "";
    for (const title of titles) if (!text.includes(title)) missing.push(`${file}: ${title}`);
  }
  expect(missing).toEqual([]);
});

test("every row names one", () => {
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (promise|---)/.test(line));
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.filter((row) => !/\.test\.ts` › “/.test(row))).toEqual([]);
  expect(named.length).toBeGreaterThanOrEqual(rows.length);
});
