/** Uploads in Chromium: our page and Uppy, through cuts, closed tabs and a killed server. */
import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { openBrowser, openPage, type WatchedPage } from "./browser.ts";
import { plainClip } from "./clips.ts";
import { BadLine } from "./support/bad-line.ts";
import { forgetKept } from "./support/kept-files.ts";
import { type LargeClip, largeClip } from "./support/large-clip.ts";

setDefaultTimeout(120_000);

const MIB = 1024 ** 2;

/** Bytes per second: so few that a busy browser has its time to do something before all is sent. */
const SLOW = 4 * MIB;

/** For what takes a moment, on a machine that does ten other things. */
const PATIENCE_MS = 60_000;

let appliance: Appliance;
let browser: Browser;
let line: BadLine;
let api: Api;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  appliance = await Appliance.start();
  api = new Api(appliance.url, await appliance.token("ann"));
  browser = await openBrowser();
  line = await BadLine.to(appliance.url);
  watched = await openPage(browser, line.url);
  page = watched.page;
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto("/");
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(appliance.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Library" }).waitFor();
});

afterAll(async () => {
  await browser.close();
  line[Symbol.dispose]();
  await appliance[Symbol.asyncDispose]();
});

/** Each test has a file of its own size, so that one is not taken for another. */
afterEach(async () => {
  line.slow(Number.POSITIVE_INFINITY);
  line.sentBytes = 0;
  for (const { id } of (await api.get("/api/v1/assets")).body.items) {
    await api.call("DELETE", `/api/v1/assets/${id}`);
  }
  expect((await api.get("/api/v1/uploads")).body.items).toEqual([]);
  // A picture of what was deleted just now is asked for in vain, and Chromium logs that.
  await eventually("the page knows it", PATIENCE_MS, async () => {
    return (await page.locator(".card").count()) === 0;
  });
  watched.faults.length = 0;
});

const rowOf = (file: LargeClip, of = page) =>
  of.locator(".upload", { hasText: file.path.slice(file.path.lastIndexOf("/") + 1) });
const noteOf = (file: LargeClip, of = page) => rowOf(file, of).locator("[data-note]");
const pick = (file: LargeClip, of = page) => of.locator("#file-picker").setInputFiles(file.path);

function passed(mebibytes: number): Promise<true> {
  return eventually(`${mebibytes} MiB have passed`, PATIENCE_MS, async () => {
    return line.sentBytes > mebibytes * MIB;
  });
}

/** Waits for the asset and compares it with the file. */
async function expectArrived(file: LargeClip): Promise<void> {
  const asset = await eventually("the asset is there", PATIENCE_MS, async () => {
    const { items } = (await api.get("/api/v1/assets")).body;
    return items.find(({ sizeBytes }: Json) => sizeBytes === file.sizeBytes);
  });
  expect(asset.sha256).toBe(file.sha256);
  expect(line.sentBytes).toBeLessThan(file.sizeBytes * 1.6);
}

/** Another tab of the same browser, as after "open closed tab". */
async function openTab(context: BrowserContext): Promise<Page> {
  const tab = await context.newPage();
  tab.setDefaultTimeout(PATIENCE_MS);
  await tab.goto("/");
  return tab;
}

/** A box of an MP4 that players skip. */
function emptyBox(sizeBytes: number): Buffer {
  const box = Buffer.alloc(sizeBytes);
  box.writeUInt32BE(sizeBytes, 0);
  box.write("free", 4, "latin1");
  return box;
}

describe("our page", () => {
  test("small files go in, several at once, and none is left behind", async () => {
    const bytes = Buffer.from(await Bun.file(plainClip()).arrayBuffer());
    const names = ["one.mp4", "zwei <b>.mp4", "drei.mp4", "four.mp4"];
    const files = names.map((name, index) => {
      // All different: a file that is here already is not stored again.
      const buffer = Buffer.concat([bytes, emptyBox(8 + index)]);
      return { name, mimeType: "video/mp4", buffer };
    });
    await page.locator("#file-picker").setInputFiles(files);
    for (const name of names) await page.locator(".card", { hasText: name }).waitFor();
    const { items } = (await api.get("/api/v1/assets")).body;
    expect(items.map(({ name }: Json) => name).toSorted()).toEqual(names.toSorted());
    expect(watched.faults).toEqual([]);
  });

  test("a file that is here already is not stored again, unless the person wants both", async () => {
    const buffer = Buffer.from(await Bun.file(plainClip()).arrayBuffer());
    const choose = (name: string) =>
      page.locator("#file-picker").setInputFiles({ name, mimeType: "video/mp4", buffer });
    await choose("here.mp4");
    await page.locator(".card", { hasText: "here.mp4" }).waitFor();
    await page.locator(".upload", { hasText: "here.mp4" }).waitFor({ state: "detached" });
    await choose("again.mp4");
    const row = page.locator(".upload", { hasText: "again.mp4" });
    await row.getByText("You have this file already").waitFor();
    const count = async () => (await api.get("/api/v1/assets")).body.items.length;
    expect(await count()).toBe(1);
    const [{ id }] = (await api.get("/api/v1/assets")).body.items;
    expect(await row.getByRole("link", { name: "look at it" }).getAttribute("href")).toBe(
      `/assets/${id}`,
    );
    await row.getByRole("button", { name: "Keep both" }).click();
    await page.locator(".card", { hasText: "again.mp4" }).waitFor();
    expect(await count()).toBe(2);
    expect(watched.faults).toEqual([]);
  });

  test("what is not media is refused with a sentence, and its row can be removed", async () => {
    const buffer = Buffer.from("Dear diary");
    await page.locator("#file-picker").setInputFiles({ name: "diary.mp4", mimeType: "", buffer });
    const row = page.locator(".upload", { hasText: "diary.mp4" });
    await row.locator("[data-note]", { hasText: /not|no/i }).waitFor();
    expect(await row.getAttribute("data-state")).toBe("failed");
    await row.getByRole("button", { name: "Remove from this list" }).click();
    await row.waitFor({ state: "detached" });
    watched.faults.length = 0; // Chromium itself logs the refused request.
  });

  test("goes on after the network was cut, by itself", async () => {
    const file = await largeClip(41 * MIB);
    line.slow(SLOW);
    await pick(file);
    await passed(6);
    line.cut();
    await noteOf(file).filter({ hasText: "Trying again by itself" }).waitFor();
    line.mend();
    line.slow(Number.POSITIVE_INFINITY);
    await expectArrived(file);
    await noteOf(file).filter({ hasText: "Done" }).waitFor();
    watched.faults.length = 0;
  });

  test("goes on after the server was killed and started again", async () => {
    const file = await largeClip(42 * MIB);
    line.slow(SLOW);
    await pick(file);
    await passed(6);
    await appliance.end("SIGKILL");
    line.cut();
    await noteOf(file).filter({ hasText: "Trying again by itself" }).waitFor();
    appliance = await Appliance.start({ folder: appliance.folder });
    api = new Api(appliance.url, api.token);
    line.mend(appliance.url);
    line.slow(Number.POSITIVE_INFINITY);
    await expectArrived(file);
    watched.faults.length = 0;
  });

  test("goes on in a tab that was closed and opened again, with the file chosen again", async () => {
    const file = await largeClip(43 * MIB);
    line.slow(SLOW);
    const tab = await openTab(watched.context);
    await pick(file, tab);
    await passed(6);
    await tab.close();
    await forgetKept(page);
    line.slow(Number.POSITIVE_INFINITY);
    const again = await openTab(watched.context);
    await noteOf(file, again)
      .filter({ hasText: /arrived\. Choose the file again/ })
      .waitFor();
    expect(await again.getByRole("status").filter({ hasText: "1 unfinished upload" }).count()).toBe(
      1,
    );
    const chooser = again.waitForEvent("filechooser");
    await rowOf(file, again)
      .getByRole("button", { name: "Choose the file again to go on" })
      .click();
    const wrong = await largeClip(5 * MIB);
    await (await chooser).setFiles(wrong.path);
    await noteOf(file, again).filter({ hasText: "another file" }).waitFor();
    const second = again.waitForEvent("filechooser");
    await rowOf(file, again)
      .getByRole("button", { name: "Choose the file again to go on" })
      .click();
    await (await second).setFiles(file.path);
    await expectArrived(file);
    await again.close();
  });

  test("a file that is dropped or picked again goes on as well, and not from the start", async () => {
    const file = await largeClip(44 * MIB);
    line.slow(SLOW);
    const tab = await openTab(watched.context);
    await pick(file, tab);
    await passed(6);
    await tab.close();
    await forgetKept(page);
    line.slow(Number.POSITIVE_INFINITY);
    const again = await openTab(watched.context);
    await rowOf(file, again).waitFor();
    await pick(file, again);
    await expectArrived(file);
    expect(await rowOf(file, again).count()).toBeLessThan(2);
    await again.close();
  });

  test("goes on by itself on the next page, after a reload, and in a tab that was closed and opened again", async () => {
    const file = await largeClip(48 * MIB);
    line.slow(SLOW);
    const tab = await openTab(watched.context);
    await pick(file, tab);
    await passed(4);
    const goesOn = async (of: Page) => {
      const before = line.sentBytes;
      await noteOf(file, of).filter({ hasText: "left" }).waitFor();
      await passed(before / MIB + 3);
      expect(await rowOf(file, of).count()).toBe(1);
    };
    await tab.getByRole("link", { name: "Jobs" }).click();
    await tab.getByRole("heading", { name: "Jobs", exact: true }).waitFor();
    await goesOn(tab);
    // While it is under way another tab leaves it alone.
    await page.reload();
    await page.getByRole("heading", { name: "Library" }).waitFor();
    await goesOn(tab);
    expect(await rowOf(file).count()).toBe(0);
    await tab.reload();
    await goesOn(tab);
    await tab.close();
    const again = await openTab(watched.context);
    line.slow(Number.POSITIVE_INFINITY);
    await expectArrived(file);
    await rowOf(file, again).waitFor({ state: "detached" });
    await again.close();
  });

  test("pauses and goes on; what is cancelled is gone from the server", async () => {
    const file = await largeClip(45 * MIB);
    line.slow(SLOW);
    await pick(file);
    await passed(5);
    await rowOf(file).getByRole("button", { name: "Pause this upload" }).click();
    await noteOf(file).filter({ hasText: "Paused" }).waitFor();
    const { id, offset } = await eventually("nothing comes any more", PATIENCE_MS, async () => {
      const [item] = (await api.get("/api/v1/uploads")).body.items;
      return item?.active === false && item;
    });
    expect(offset).toBeGreaterThan(0);
    await rowOf(file).getByRole("button", { name: "Go on with this upload" }).click();
    await passed(20);
    await rowOf(file)
      .getByRole("button", { name: /^Cancel this upload/ })
      .click();
    await rowOf(file).waitFor({ state: "detached" });
    await eventually("it is gone", PATIENCE_MS, async () => {
      return (await api.get(`/api/v1/uploads/${id}`)).status === 404;
    });
    watched.faults.length = 0;
  });

  test("an unfinished one can be deleted without its file", async () => {
    const file = await largeClip(46 * MIB);
    line.slow(SLOW);
    const tab = await openTab(watched.context);
    await pick(file, tab);
    await passed(5);
    await tab.close();
    await forgetKept(page);
    line.slow(Number.POSITIVE_INFINITY);
    const again = await openTab(watched.context);
    await rowOf(file, again)
      .getByRole("button", { name: /^Cancel this upload/ })
      .click();
    await rowOf(file, again).waitFor({ state: "detached" });
    await eventually("it is gone", PATIENCE_MS, async () => {
      return (await api.get("/api/v1/uploads")).body.items.length === 0;
    });
    await again.close();
  });
});

test("Uppy in Chromium goes on after a cut", async () => {
  const entry = join(appliance.folder, "uppy-entry.js");
  await Bun.write(
    entry,
    `import Uppy from "${Bun.resolveSync("@uppy/core", import.meta.dir)}";
     import Tus from "${Bun.resolveSync("@uppy/tus", import.meta.dir)}";
     Object.assign(window, { Uppy, UppyTus: Tus });`,
  );
  const built = await Bun.build({ entrypoints: [entry], target: "browser", format: "iife" });
  await page.evaluate(await (built.outputs[0] as Blob).text());
  const file = await largeClip(47 * MIB);
  line.slow(SLOW);
  await page.evaluate(`{
    const input = Object.assign(document.createElement("input"), { type: "file", id: "uppy-file" });
    document.body.append(input);
  }`);
  await page.locator("#uppy-file").setInputFiles(file.path);
  const sent = page.evaluate(`(async () => {
    const options = { endpoint: "/api/v1/uploads", retryDelays: Array(100).fill(300) };
    const uppy = new Uppy().use(UppyTus, options);
    const [data] = document.getElementById("uppy-file").files;
    uppy.addFile({ name: "uppy.mp4", type: "video/mp4", data });
    const { successful, failed } = await uppy.upload();
    return {
      urls: successful.map(({ uploadURL }) => uploadURL),
      faults: failed.map(({ error }) => String(error)),
    };
  })()`) as Promise<{ urls: string[]; faults: string[] }>;
  await passed(6);
  line.cut();
  await Bun.sleep(200);
  line.mend();
  line.slow(Number.POSITIVE_INFINITY);
  const { urls, faults } = await sent;
  expect(faults).toEqual([]);
  const upload = (await api.get(new URL(urls[0] ?? "", line.url).pathname)).body;
  expect([upload.state, upload.name]).toEqual(["complete", "uppy.mp4"]);
  await expectArrived(file);
});
