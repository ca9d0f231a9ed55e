/** An open page while the server restarts, the session ends or another version comes, and what becomes of its faults. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { openBrowser, openPage, type WatchedPage } from "./browser.ts";
import { plainClip } from "./clips.ts";

setDefaultTimeout(120_000);

let appliance: Appliance;
let token: string;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  appliance = await Appliance.start();
  token = await appliance.token("ann", "admin");
  browser = await openBrowser();
  watched = await openPage(browser, appliance.url);
  page = watched.page;
  await page.goto("/login");
  await logIn(page);
  await page.getByRole("heading", { name: "Library" }).waitFor();
});

afterAll(async () => {
  await browser.close();
  await appliance[Symbol.asyncDispose]();
});

async function logIn(within: Page): Promise<void> {
  await within.getByLabel("Name").fill("ann");
  await within.getByLabel("Password").fill(appliance.password);
  await within.getByRole("button", { name: "Log in" }).click();
}

/** As another device of this person would: the page does not hear of it. */
async function endSession(): Promise<void> {
  const headers = { origin: appliance.url };
  await page.request.post("/logout", { headers, maxRedirects: 0 });
}

const links = () => page.getByLabel("Links to files");

test("what was typed is there after a reload, until it was sent", async () => {
  await page.locator("#link-add > summary").click();
  await links().fill("not a link\nnor this");
  await page.reload();
  await page.locator(".notice", { hasText: "What you had typed here is back." }).waitFor();
  await links().waitFor();
  expect(await links().inputValue()).toBe("not a link\nnor this");
});

test("a session that ends in the middle of a form is renewed in the page, and the form is sent", async () => {
  await page.evaluate("window.loadedOnce = true");
  await endSession();
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Your session has ended" });
  await dialog.getByLabel("Password").fill("not the password");
  await dialog.getByRole("button", { name: "Log in" }).click();
  await dialog.getByRole("alert").waitFor();
  await dialog.getByLabel("Password").fill(appliance.password);
  await dialog.getByRole("button", { name: "Log in" }).click();
  await dialog.waitFor({ state: "hidden" });
  // The refusal of these links is the server's answer to the form itself.
  await page.locator("#link-errors", { hasText: /\w/ }).waitFor();
  expect(await links().inputValue()).toBe("not a link\nnor this");
  expect(await page.evaluate("window.loadedOnce")).toBe(true);
  watched.faults.length = 0; // The browser logs answers of 401 and 422.
});

test("a plain form finds out before it leaves the page; a login in another tab is enough", async () => {
  await endSession();
  const other = await watched.context.newPage();
  await page.evaluate(`(() => {
    const form = Object.assign(document.createElement("form"), { method: "post", action: "/ui/system/work" });
    form.append(Object.assign(document.createElement("input"), { name: "mode", value: "running" }));
    document.querySelector("main").append(form);
    form.requestSubmit();
  })()`);
  await page.getByRole("dialog", { name: "Your session has ended" }).waitFor();
  await other.goto("/login");
  await logIn(other);
  // It was sent after the login: the answer leads to the page of the box.
  await page.waitForURL("**/system");
  await other.close();
  watched.faults.length = 0;
});

test("a hasty hand sends a plain form once", async () => {
  await page.goto("/");
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST") sent.push(new URL(request.url()).pathname);
  });
  await page.getByLabel("Account").click();
  await page.getByRole("button", { name: "Log out" }).dblclick();
  await page.waitForURL("**/login*");
  expect(sent).toEqual(["/logout"]);
  await logIn(page);
  await page.getByRole("heading", { name: "Library" }).waitFor();
});

test("a fault of a script stands in the log of the server", async () => {
  await page.evaluate(`void setTimeout(() => { throw new Error("a fault on purpose"); })`);
  await eventually("the fault is logged", 20_000, async () => {
    const log = await appliance.log();
    return log.includes("a script of a page failed") && log.includes("a fault on purpose");
  });
  expect(watched.faults.splice(0)).toEqual(["page error: a fault on purpose"]);
});

test("a server that restarts is told, and lists are fresh when it is back", async () => {
  await page.evaluate("window.loadedOnce = true");
  const { folder, url } = appliance;
  await appliance.end();
  await page.getByText("Kinomill does not answer. Trying again …").waitFor();
  appliance = await Appliance.start({ folder, url });
  await new Api(url, token).add(plainClip(), "meanwhile.mp4");
  await page.locator("#life").waitFor({ state: "hidden", timeout: 60_000 });
  await page.locator(".card", { hasText: "meanwhile.mp4" }).waitFor({ timeout: 60_000 });
  expect(await page.evaluate("window.loadedOnce")).toBe(true);
  watched.faults.length = 0; // The browser logs each request that failed.
});

test("a page of an older version says so, and a press loads the new one", async () => {
  await page.evaluate(`(() => {
    document.documentElement.dataset.build = "of yesterday";
    dispatchEvent(new Event("online"));
  })()`);
  await page.getByText("Kinomill was updated.").waitFor();
  await page.getByRole("button", { name: "Reload the page" }).click();
  await page.waitForFunction("window.loadedOnce === undefined");
  await page.locator("#life").waitFor({ state: "hidden" });
  expect(watched.faults).toEqual([]);
});
