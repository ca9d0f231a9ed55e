/** The page's uploads straight into a bucket, in Chromium: through cuts, a closed tab and a killed server. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { openBrowser, openPage, type WatchedPage } from "./browser.ts";
import { type Ceph, endSharedCeph, settingsFor, sharedCeph } from "./ceph.ts";
import { BadLine } from "./support/bad-line.ts";
import { forgetKept } from "./support/kept-files.ts";
import { type LargeClip, largeClip } from "./support/large-clip.ts";

setDefaultTimeout(180_000);

const MIB = 1024 ** 2;

/** For what takes a moment, on a machine that does ten other things. */
const PATIENCE_MS = 90_000;

let ceph: Ceph;
let appliance: Appliance;
let browser: Browser;
/** To the server, and to the bucket. */
let near: BadLine;
let far: BadLine;
let api: Api;
let watched: WatchedPage;
let page: Page;
let environment: Record<string, string>;

beforeAll(async () => {
  ceph = await sharedCeph();
  far = await BadLine.to(ceph.endpoint);
  environment = {
    ...settingsFor(await ceph.bucket()),
    KINOMILL_STORAGE_S3_PUBLIC_ENDPOINT: far.url,
    KINOMILL_UPLOADS_DIRECT_BYTES: String(6 * MIB),
  };
  appliance = await Appliance.start({ environment });
  api = new Api(appliance.url, await appliance.token("ann"));
  browser = await openBrowser();
  near = await BadLine.to(appliance.url);
  watched = await openPage(browser, near.url);
  page = watched.page;
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto("/");
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(appliance.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Library" }).waitFor();
});

afterAll(async () => {
  await browser?.close();
  for (const line of [near, far]) line?.[Symbol.dispose]();
  await appliance?.[Symbol.asyncDispose]();
});
afterAll(endSharedCeph);

const rowOf = (file: LargeClip, of = page) =>
  of.locator(".upload", { hasText: file.path.slice(file.path.lastIndexOf("/") + 1) });
const noteOf = (file: LargeClip, of = page) => rowOf(file, of).locator("[data-note]");
const pick = (file: LargeClip, of = page) => of.locator("#file-picker").setInputFiles(file.path);

async function passed(mebibytes: number): Promise<void> {
  await eventually(`${mebibytes} MiB have passed`, PATIENCE_MS, async () => {
    return far.sentBytes > mebibytes * MIB;
  });
}

async function openTab(): Promise<Page> {
  const tab = await watched.context.newPage();
  tab.setDefaultTimeout(PATIENCE_MS);
  await tab.goto("/");
  return tab;
}

/** Waits for the asset; its bytes are the file's and went to the bucket, most of them once. */
async function expectArrived(file: LargeClip, timesAtMost = 1.8): Promise<void> {
  const asset = await eventually("the asset is there", PATIENCE_MS, async () => {
    const { items } = (await api.get("/api/v1/assets")).body;
    return items.find(({ sizeBytes }: Json) => sizeBytes === file.sizeBytes);
  });
  expect(asset.sha256).toBe(file.sha256);
  expect(near.sentBytes).toBeLessThan(MIB);
  expect(far.sentBytes).toBeGreaterThan(file.sizeBytes);
  expect(far.sentBytes).toBeLessThan(file.sizeBytes * timesAtMost);
  far.slow(Number.POSITIVE_INFINITY);
  far.sentBytes = 0;
  near.sentBytes = 0;
  expect((await api.get("/api/v1/uploads/direct")).body.items).toEqual([]);
}

test("a large file goes into the bucket and not through the server; a small one as ever", async () => {
  const file = await largeClip(23 * MIB);
  await pick(file);
  await noteOf(file).filter({ hasText: "Done" }).waitFor();
  await expectArrived(file, 1.05);
  const small = await largeClip(2 * MIB);
  await pick(small);
  await noteOf(small).filter({ hasText: "Done" }).waitFor();
  expect(near.sentBytes).toBeGreaterThan(2 * MIB);
  near.sentBytes = 0;
  far.sentBytes = 0;
  const others = watched.faults.filter((fault) => !fault.startsWith(`request: ${far.url}/`));
  expect(others).toEqual([]);
  watched.faults.length = 0;
});

test("it goes on after the line to the bucket was cut, by itself", async () => {
  const file = await largeClip(41 * MIB);
  far.slow(10 * MIB);
  await pick(file);
  await passed(12);
  far.cut();
  await noteOf(file).filter({ hasText: "Trying again by itself" }).waitFor();
  far.mend();
  await expectArrived(file);
  watched.faults.length = 0;
});

test("it goes on after the server was killed and started again", async () => {
  const file = await largeClip(42 * MIB);
  far.slow(10 * MIB);
  await pick(file);
  await passed(12);
  await appliance.end("SIGKILL");
  near.cut();
  appliance = await Appliance.start({ environment, folder: appliance.folder });
  api = new Api(appliance.url, api.token);
  near.mend(appliance.url);
  await expectArrived(file);
  watched.faults.length = 0;
});

test("it goes on in a tab that was closed and opened again, with the file chosen again", async () => {
  const file = await largeClip(43 * MIB);
  far.slow(10 * MIB);
  const tab = await openTab();
  await pick(file, tab);
  await passed(22);
  await tab.close();
  await forgetKept(page);
  const again = await openTab();
  await noteOf(file, again)
    .filter({ hasText: /arrived\. Choose the file again/ })
    .waitFor();
  const chooser = again.waitForEvent("filechooser");
  await rowOf(file, again).getByRole("button", { name: "Choose the file again to go on" }).click();
  await (await chooser).setFiles(file.path);
  await expectArrived(file);
  await again.close();
  watched.faults.length = 0;
});

test("it goes on by itself on the next page", async () => {
  const file = await largeClip(46 * MIB);
  far.slow(10 * MIB);
  const tab = await openTab();
  await pick(file, tab);
  await passed(22);
  await tab.getByRole("link", { name: "Jobs" }).click();
  await tab.getByRole("heading", { name: "Jobs", exact: true }).waitFor();
  await expectArrived(file);
  await rowOf(file, tab).waitFor({ state: "detached" });
  await tab.close();
  watched.faults.length = 0;
});

test("one that is cancelled is gone from the bucket", async () => {
  const file = await largeClip(44 * MIB);
  far.slow(5 * MIB);
  await pick(file);
  await passed(6);
  await rowOf(file)
    .getByRole("button", { name: /^Cancel this upload/ })
    .click();
  await rowOf(file).waitFor({ state: "detached" });
  await eventually("it is gone", PATIENCE_MS, async () => {
    return (await api.get("/api/v1/uploads/direct")).body.items.length === 0;
  });
  far.slow(Number.POSITIVE_INFINITY);
  far.sentBytes = 0;
  near.sentBytes = 0;
  watched.faults.length = 0;
});

test("a bucket that lets no page in: the same file goes through the server", async () => {
  const closed = { ...environment, ...settingsFor(await ceph.bucket({ cors: false })) };
  await using strict = await Appliance.start({ environment: closed });
  const other = new Api(strict.url, await strict.token("ann"));
  const { page: elsewhere } = await openPage(browser, strict.url);
  elsewhere.setDefaultTimeout(PATIENCE_MS);
  await elsewhere.goto("/");
  await elsewhere.getByLabel("Name").fill("ann");
  await elsewhere.getByLabel("Password").fill(strict.password);
  await elsewhere.getByRole("button", { name: "Log in" }).click();
  await elsewhere.getByRole("heading", { name: "Library" }).waitFor();
  const file = await largeClip(9 * MIB);
  await pick(file, elsewhere);
  await noteOf(file, elsewhere).filter({ hasText: "Done" }).waitFor();
  const [asset] = (await other.get("/api/v1/assets")).body.items;
  expect(asset.sha256).toBe(file.sha256);
  await elsewhere.close();
});
