/** The library in Chromium: chosen from by mouse and keyboard, labelled, deleted, paged through, dropped into. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { logIn, openBrowser, openPage, type WatchedPage } from "./browser.ts";
import { plainClip } from "./clips.ts";
import { pageAudit } from "./page-audit.ts";

setDefaultTimeout(120_000);

const PATIENCE_MS = 60_000;
const names = ["one", "two", "three", "four", "five"].map((name) => `${name}.mp4`);

let appliance: Appliance;
let api: Api;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  appliance = await Appliance.start();
  api = new Api(appliance.url, await appliance.token("ann"));
  for (const name of names.toReversed()) await api.add(plainClip(), name);
  browser = await openBrowser();
  watched = await openPage(browser, appliance.url);
  page = watched.page;
  page.setDefaultTimeout(PATIENCE_MS);
  await logIn(page, appliance.password);
  await page.locator(".card").first().waitFor();
});

afterAll(async () => {
  await browser.close();
  await appliance[Symbol.asyncDispose]();
});

const card = (name: string) => page.locator(".card", { hasText: name });
const bar = () => page.locator("#selection");
const told = (text: string) => bar().getByText(text).waitFor();
const press = (...keys: string[]) =>
  keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
const shown = () => page.locator(".card-name").allTextContents();

test("files are chosen by the keyboard alone", async () => {
  expect(await shown()).toEqual(names);
  expect(await bar().isVisible()).toBe(false);
  await press("ArrowRight", "x", "Shift+ArrowRight", "Shift+ArrowRight");
  await told("3 files chosen");
  expect(await page.evaluate("document.activeElement.textContent")).toContain("three.mp4");
  await press("Space");
  await told("2 files chosen");
  await press("Escape");
  await bar().waitFor({ state: "hidden" });
  await press("End", "x");
  await told("1 file chosen");
  await press("a");
  await told("5 files chosen");
  expect(await page.evaluate(pageAudit)).toEqual([]);
  await press("Escape", "?");
  await page.getByRole("dialog").getByText("Choose all that are shown").waitFor();
  await press("Escape");
});

test("and by mouse: boxes, a range, one more; chosen files stay chosen when the list is fetched anew", async () => {
  await card("one.mp4").locator("input").click();
  await card("three.mp4")
    .locator("input")
    .click({ modifiers: ["Shift"] });
  await told("3 files chosen");
  await card("five.mp4")
    .locator(":scope > a")
    .click({ modifiers: ["ControlOrMeta"] });
  await told("4 files chosen");
  const grid = page.waitForResponse((response) => response.url().includes("/ui/library"));
  await api.add(plainClip(), "zero.mp4");
  await grid;
  await card("zero.mp4").waitFor();
  await told("4 files chosen");
  const address = await bar().getByRole("link", { name: "Make something" }).getAttribute("href");
  expect(address?.match(/asset=as_/g)).toHaveLength(4);
  expect(new URL(page.url()).pathname).toBe("/");
});

test("they are labelled at once, whatever the label says, and found by it", async () => {
  await press("l");
  await page.getByLabel("Add labels").fill('Cup final, <b hx-get="/hit">x</b>');
  await press("Enter");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await card("one.mp4").locator(".chip", { hasText: "Cup final" }).waitFor();
  expect(await page.locator(".card-labels b").count()).toBe(0);
  await press("Escape");
  await page.reload();
  await page.locator(".filter-menu > summary").click();
  await page.getByLabel("Label", { exact: true }).selectOption("Cup final");
  await page.getByText("4 files", { exact: true }).waitFor();
  expect(await shown()).toEqual(["one.mp4", "two.mp4", "three.mp4", "five.mp4"]);
  await page.waitForURL(({ search }) => search === "?label=Cup+final");
  await press("Escape");
  await page.getByLabel("Order").selectOption("name");
  await eventually("they are in order", PATIENCE_MS, async () => {
    return (await shown()).join() === "five.mp4,one.mp4,three.mp4,two.mp4";
  });
  await page.getByRole("link", { name: "Without this filter: Cup final" }).click();
  await page.getByText("6 files", { exact: true }).waitFor();
  await page.waitForURL(({ search }) => search === "?sort=name");
});

test("they are deleted by one key and come back by one press", async () => {
  await page.goto("/?label=Cup+final", { waitUntil: "load" });
  await press("a", "Delete");
  const undo = page.locator("#undo");
  await undo.getByText("4 files went into the bin").waitFor();
  await page.getByText("Nothing matches").waitFor();
  expect((await api.get("/api/v1/assets?state=binned")).body.items).toHaveLength(4);
  await undo.getByRole("button", { name: "Undo" }).click();
  await card("five.mp4").waitFor();
  expect(await undo.textContent()).toBe("");
  expect((await api.get("/api/v1/assets?state=binned")).body.items).toEqual([]);
});

test("the list is how the person wanted it, also the next time", async () => {
  await page.goto("/");
  await page.getByTitle("List").click();
  await page.locator(".cards.list").waitFor();
  await page.waitForURL(({ search }) => search === "?view=list");
  await page.goto("/");
  await page.locator(".cards.list").waitFor();
  await page.getByTitle("Grid").click();
  await page.locator(".cards.grid").waitFor();
});

test("small pictures follow the pointer over a film", async () => {
  const thumbnail = card("two.mp4").locator(".thumbnail");
  const box = (await thumbnail.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const at = (part: number) => page.mouse.move(box.x + box.width * part, box.y + box.height / 2);
  const picture = () => thumbnail.locator("canvas").getAttribute("data-picture");
  await at(0.1);
  await at(0.12);
  await thumbnail.locator("canvas").waitFor();
  const first = Number(await picture());
  await at(0.95);
  expect(Number(await picture())).toBeGreaterThan(first);
  await page.mouse.move(0, 0);
  await thumbnail.locator("canvas").waitFor({ state: "detached" });
});

/** A real drop of files of this machine, as the browser has it from the desktop. */
async function drop(paths: string[]): Promise<void> {
  const session = await watched.context.newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, x: 500, y: 400, data });
  }
  await session.detach();
}

test("a folder that is dropped on any page comes in, and what is no media in it does not", async () => {
  const folder = join(appliance.folder, "holiday");
  await mkdir(join(folder, "day 2"), { recursive: true });
  const clip = await Bun.file(plainClip()).bytes();
  const longer = (count: number) => new Blob([clip, box(count)]);
  await Bun.write(join(folder, "beach.mp4"), longer(16));
  await Bun.write(join(folder, "day 2", "town.mp4"), longer(24));
  await Bun.write(join(folder, "day 2", "notes.txt"), "Sunscreen");
  await page.goto("/jobs");
  await drop([folder]);
  await page.getByText("Left out of the folder, because they are no media: 1").waitFor();
  await eventually("both are there", PATIENCE_MS, async () => {
    const { items } = (await api.get("/api/v1/assets?limit=3")).body;
    const found = items.map(({ name }: Json) => name);
    return found.includes("beach.mp4") && found.includes("town.mp4");
  });
  expect((await api.get("/api/v1/assets?search=notes")).body.items).toEqual([]);
});

/** A box of an MP4 that players skip: files that differ. */
function box(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  bytes.writeUInt32BE(sizeBytes, 0);
  bytes.write("free", 4, "latin1");
  return bytes;
}

/** Many rows like the first one; the bytes behind them are not there, and no list needs them. */
function multiply(count: number): void {
  const database = new Database(join(appliance.dataFolder, "kinomill.sqlite"), { create: false });
  database.run("PRAGMA busy_timeout = 5000");
  const columns = database.query<{ name: string }, []>("PRAGMA table_info(asset)").all();
  const values = columns.map(({ name }) => {
    if (name === "id") return "?1";
    if (name === "name") return "?2";
    return name === "thumbnail_state" ? "'none'" : name;
  });
  const insert = database.query(
    `INSERT INTO asset SELECT ${values.join(", ")} FROM asset WHERE name = 'one.mp4' LIMIT 1`,
  );
  database.transaction(() => {
    for (let index = 0; index < count; index += 1) {
      insert.run(`as_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`, `many ${index}.mp4`);
    }
  })();
  database.close();
}

test("whoever comes back to a long list finds the opened pages and the place", async () => {
  multiply(140);
  await page.goto("/?q=many");
  await page.getByText("140 files", { exact: true }).waitFor();
  await eventually("all are open", PATIENCE_MS, async () => {
    await page.mouse.wheel(0, 3000);
    return (await shown()).length === 140;
  });
  expect(new Set(await shown()).size).toBe(140);
  const far = card("many 20.mp4").first();
  await far.scrollIntoViewIfNeeded();
  const before = (await page.evaluate("scrollY")) as number;
  expect(before).toBeGreaterThan(1000);
  await far.locator(":scope > a").click();
  await page.waitForURL("**/assets/*");
  await page.goBack();
  await page.getByText("140 files", { exact: true }).waitFor();
  expect(await shown()).toHaveLength(140);
  await eventually("it stands where it stood", PATIENCE_MS, async () => {
    return Math.abs(((await page.evaluate("scrollY")) as number) - before) < 40;
  });
  watched.faults.length = 0; // Pictures of rows without bytes are asked for in vain.
});
