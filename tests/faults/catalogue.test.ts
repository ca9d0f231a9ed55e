/** docs/faults.md says what the catalogue says, and every fault of it is made to happen by a test that counts. */
import { expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { faultsPage, pagePath, promiseRow } from "../../script/faults-doc.ts";
import { faults } from "./catalogue.ts";

const root = resolve(import.meta.dir, "../..");

/** The page as it is made, without the blanks that the formatter lines tables up with. */
async function pageText(): Promise<string> {
  return (await Bun.file(pagePath).text()).replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
}

test("each fault has a test that names it, and figures on the page", async () => {
  const page = await pageText();
  const counted = page.slice(page.indexOf("## What was counted"));
  for (const fault of faults) {
    const source = await Bun.file(join(root, fault.test)).text();
    expect(source, fault.test).toContain(`"${fault.id}"`);
    expect(page).toContain(promiseRow(fault));
    expect(counted, `${fault.id} was never counted`).toContain(`| ${fault.what} | `);
  }
});

test("nothing was lost, doubled or falsified in what was counted", async () => {
  const page = await pageText();
  const rows = page.slice(page.indexOf("| ---: |")).split("\n").slice(1);
  const figures = rows
    .filter((row) => row.startsWith("|"))
    .map((row) => row.split("|").slice(4, 7));
  expect(figures.length).toBe(faults.length);
  for (const row of figures) expect(row.map((cell) => cell.trim())).toEqual(["0", "0", "0"]);
});

test("a report of one fault changes its row alone", async () => {
  const page = await Bun.file(pagePath).text();
  const [first] = faults;
  const figures = { rounds: 4711, acknowledged: 4712, lost: 0, doubled: 0, falsified: 0 };
  const counts = [{ id: first?.id ?? "", ...figures, control: "a control" }];
  const rows = (text: string) =>
    text
      .slice(text.indexOf("## What was counted"))
      .replaceAll(/ +/g, " ")
      .split("\n")
      .filter((line) => line.startsWith("| ") && !/^\| (when|---)/.test(line));
  const [changed, ...others] = rows(faultsPage(counts, page));
  expect(changed).toContain("| 4711 | 4712 | 0 | 0 | 0 |");
  expect(others.length).toBe(faults.length - 1);
  expect(others).toEqual(rows(page).slice(1));
});
