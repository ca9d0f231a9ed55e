/** docs/operations/ says what the schemas say. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { docsFolder, operationPages } from "../script/operation-docs.ts";
import { operations } from "../src/operations/index.ts";

test("every operation has its page, with all parameters and what its example makes", () => {
  const pages = operationPages();
  for (const { name, example } of operations) {
    const page = pages.get(`${name}.md`) ?? "";
    for (const key of Object.keys(example as object)) expect(page).toContain(`| \`${key}`);
    expect(page).toContain(`kinomill run ${name} `);
    expect(page).toContain("## What the example makes");
  }
});

test("the pages are as `bun script/operation-docs.ts` writes them", async () => {
  const stale: string[] = [];
  for (const [name, text] of operationPages()) {
    const file = Bun.file(join(docsFolder, name));
    if (!(await file.exists()) || (await file.text()) !== text) stale.push(name);
  }
  expect(stale).toEqual([]);
});
