/** docs/operations/ says what the schemas say. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { docsFolder, operationPages } from "../script/operation-docs.ts";
import { stillMaxBytes, stillsFolder } from "../script/operation-stills.ts";
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

test("every operation has its picture, small enough for a page", () => {
  for (const { name } of operations) {
    // bun script/operation-stills.ts FILM, after a scene in script/still-scenes.ts
    const { size } = Bun.file(join(stillsFolder, `${name}.jpg`));
    expect({ name, there: size > 0 && size <= stillMaxBytes }).toEqual({ name, there: true });
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
