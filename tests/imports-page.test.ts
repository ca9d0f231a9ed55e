/** Files from links in the browser: the form, its faults, rows that move, cancel, another try, a file that is there already. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { logIn, openBrowser, openPage, scrollsSideways, type WatchedPage } from "./browser.ts";
import { plainClip } from "./clips.ts";
import { type Answerer, head, LinkServer, serves } from "./ingest/link-server.ts";

setDefaultTimeout(180_000);

const WAIT_MS = 60_000;

let appliance: Appliance;
let api: Api;
let browser: Browser;
let watched: WatchedPage;
let page: Page;
let server: LinkServer;
let film: Uint8Array;

/** Half of the film, and then nothing until it is let go. */
let held = true;
const answer: Answerer = (asked, socket, count) => {
  if (asked.path.startsWith("/gone")) {
    socket.end(head("404 Not Found", { "content-length": 0 }));
    return;
  }
  if (!held || !asked.path.startsWith("/slow")) return serves(film)(asked, socket, count);
  socket.write(head("200 OK", { etag: '"one"', "content-length": film.byteLength }));
  socket.write(film.subarray(0, Math.floor(film.byteLength / 2)));
};

beforeAll(async () => {
  film = await Bun.file(plainClip()).bytes();
  server = await LinkServer.start(answer);
  const environment = { KINOMILL_IMPORTS_ALLOW_PRIVATE: "127.0.0.1" };
  appliance = await Appliance.start({ environment });
  api = new Api(appliance.url, await appliance.token("ann", "admin"));
  browser = await openBrowser();
  watched = await openPage(browser, appliance.url);
  page = watched.page;
  await logIn(page, appliance.password);
});

afterAll(async () => {
  await browser.close();
  await appliance[Symbol.asyncDispose]();
  await server.close();
});

const row = (name: string) => page.locator("#imports .upload", { hasText: name });

async function add(...links: string[]): Promise<void> {
  await page.locator("#link-add > summary").click();
  await page.getByLabel("Links to files").fill(links.join("\n"));
  await page.getByRole("button", { name: "Add", exact: true }).click();
}

test("a wrong line is named, nothing is taken, and what was typed stays", async () => {
  await add(server.url("/fine.mp4"), "", "file:///etc/passwd", "http://10.0.0.1/x.mp4");
  const faults = page.locator("#link-errors [data-faults]");
  await faults.waitFor();
  const text = await faults.textContent();
  expect(text).toContain("Line 2:");
  expect(text).toContain("not from file:");
  expect(text).toContain("Line 3:");
  expect(await page.getByLabel("Links to files").inputValue()).toContain("10.0.0.1");
  expect((await api.get("/api/v1/assets/imports")).body.items).toEqual([]);
  watched.faults.length = 0; // The browser itself logs the refused form as an error.
  await page.locator("#link-add > summary").click();
});

test("several links make rows, the one that comes in shows how far it is, without a reload", async () => {
  await add(server.url("/slow film <b>.mp4"), server.url("/gone.mp4"));
  await row("slow film <b>.mp4").waitFor();
  const half = new RegExp(
    `of ${(film.byteLength / 1000).toFixed(film.byteLength < 99_950 ? 1 : 0)} kB`,
  );
  await row("slow film <b>.mp4").getByText(half).waitFor();
  const progress = row("slow film <b>.mp4").locator("progress");
  await eventually("the bar is at a half", WAIT_MS, async () => {
    const value = Number(await progress.getAttribute("value"));
    return value > 40 && value < 60;
  });
  // The form is closed and empty again.
  expect(await page.locator("#link-add[open]").count()).toBe(0);
  const failed = row("gone.mp4");
  await failed.getByText("has no such file").waitFor();
  await failed.getByText("Check the link").waitFor();
  expect(await scrollsSideways(page)).toBe(false);
  expect(watched.faults).toEqual([]);
  if (process.env["SCREENSHOTS"] !== undefined) {
    await page.screenshot({ path: `${process.env["SCREENSHOTS"]}/imports.png` });
  }
});

test("what failed is tried again by its button, and removed by the other", async () => {
  const before = server.asked.length;
  await row("gone.mp4").getByRole("button", { name: "Try again" }).click();
  await eventually("it is asked for again", WAIT_MS, async () => server.asked.length > before);
  await row("gone.mp4").getByText("has no such file").waitFor();
  await row("gone.mp4").getByRole("button", { name: "Remove from this list" }).click();
  await row("gone.mp4").waitFor({ state: "detached" });
});

test("one that has arrived leaves the rows and is a card", async () => {
  held = false;
  server.drop();
  await page.locator(".card", { hasText: "slow film <b>.mp4" }).waitFor();
  await row("slow film <b>.mp4").waitFor({ state: "detached" });
  await page.locator("#imports").waitFor({ state: "hidden" });
  await page.locator(".card", { hasText: "slow film <b>.mp4" }).click();
  await page.getByText(`From ${server.url("/slow%20film%20%3Cb%3E.mp4")}`).waitFor();
  await page.goto("/");
  expect(watched.faults).toEqual([]);
});

test("a file that is there already is not stored again, unless the person wants both", async () => {
  await add(server.url("/again.mp4"));
  await row("again.mp4").getByText("You have this file already").waitFor();
  expect((await api.get("/api/v1/assets")).body.items).toHaveLength(1);
  await row("again.mp4").getByRole("button", { name: "Keep both" }).click();
  await page.locator(".card", { hasText: "again.mp4" }).waitFor();
  expect((await api.get("/api/v1/assets")).body.items).toHaveLength(2);
});

test("one that comes in is cancelled by its button", async () => {
  held = true;
  await add(server.url("/slow-2.mp4"));
  await row("slow-2.mp4").locator("progress[value]").waitFor();
  await row("slow-2.mp4").getByRole("button", { name: "Cancel this import" }).click();
  await row("slow-2.mp4").waitFor({ state: "detached" });
  expect((await api.get("/api/v1/assets/imports")).body.items).toEqual([]);
  expect(watched.faults).toEqual([]);
});

test("without scripts the form works too", async () => {
  held = false;
  const context = await browser.newContext({ baseURL: appliance.url, javaScriptEnabled: false });
  await context.addCookies(await watched.context.cookies());
  const plain = await context.newPage();
  await plain.goto("/");
  await plain.locator("#link-add > summary").click();
  await plain.getByLabel("Links to files").fill(server.url("/plain.mp4"));
  await plain.getByRole("button", { name: "Add", exact: true }).click();
  await plain.waitForURL(`${appliance.url}/`);
  await row("plain.mp4").getByText("You have this file already").waitFor();
  await context.close();
});
