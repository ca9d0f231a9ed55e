/**
 * Makes the pictures of the pages for `docs/`, from the real pages of the compiled executable: each in the light, in the
 * dark and on a phone.   bun script/page-pictures.ts FOLDER
 */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Api, type Json } from "../tests/api.ts";
import { Appliance, eventually } from "../tests/appliance.ts";
import { openBrowser, openPage } from "../tests/browser.ts";
import { scenes, slowClip } from "../tests/clips.ts";

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

/** On a machine that does other things as well. */
const PATIENCE_MS = 300_000;

const folder = process.argv[2];
if (folder === undefined) throw new Error("name the folder for the pictures");

const appliance = await Appliance.start();
const browser = await openBrowser();
const { page } = await openPage(browser, appliance.url, DESK);
page.setDefaultTimeout(60_000);
try {
  await outside(page);
  await inside(page);
} finally {
  await browser.close();
  await appliance[Symbol.asyncDispose]();
}

/** The page as it is now. */
async function picture(name: string): Promise<void> {
  await page.waitForFunction("document.fonts.status === 'loaded'");
  // A film or a picture that is still on its way shows a wheel, or nothing.
  const there =
    "[...document.querySelectorAll('video')].every((film) => film.readyState > 0 && film.networkState !== 2) && [...document.images].every((image) => image.complete || image.loading === 'lazy')";
  await page.waitForFunction(there);
  const keep = (ending: string) =>
    page.screenshot({ path: join(folder ?? "", `${name}${ending}.png`), animations: "disabled" });
  await keep("");
  await page.emulateMedia({ colorScheme: "dark" });
  await keep("-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(PHONE);
  await keep("-phone");
  await page.setViewportSize(DESK);
  console.log(name);
}

async function outside(at: Page): Promise<void> {
  await at.goto("/setup");
  await picture("setup");
}

async function inside(at: Page): Promise<void> {
  const api = new Api(appliance.url, await appliance.token("ann", "admin"));
  await at.goto("/login");
  await picture("login");
  await at.getByLabel("Name").fill("ann");
  await at.getByLabel("Password").fill(appliance.password);
  await at.getByRole("button", { name: "Log in" }).click();
  await at.getByRole("heading", { name: "Library" }).waitFor();
  await picture("library-empty");
  const made = await furnish(api);
  await rooms(at, made);
  await hands(at);
  await atWork(at, api, made);
}

interface Made {
  asset: string;
  slow: string;
  done: string;
  failed: string;
}

/** A library that somebody lives in, a job that is done and one that failed. */
async function furnish(api: Api): Promise<Made> {
  const assets: Json[] = [];
  for (const [name, path] of scenes()) assets.push(await api.add(path, name));
  const slow = (await api.add(slowClip(), "cup final, second half.mp4")).id;
  const lost = await api.add(slowClip(), "card that was pulled.mp4");
  await pictured(api);
  const done = await api.run("transcode", [assets[0].id], { video: { maxHeight: 480 } });
  await pictured(api);
  // Taken away behind Kinomill's back, as a failing disk would.
  const [found] = [...new Bun.Glob(`**/${lost.id}`).scanSync(appliance.dataFolder)];
  await Bun.file(join(appliance.dataFolder, found ?? "missing")).delete();
  const failed = await api.run("transcode", [lost.id], { video: { quality: 50 } });
  return { asset: assets[0].id, slow, done: done.id, failed: failed.id };
}

async function pictured(api: Api): Promise<void> {
  await eventually("every card has its picture", PATIENCE_MS, async () => {
    const { body } = await api.get("/api/v1/assets");
    return body.items.every(({ thumbnail }: Json) => thumbnail === "ready");
  });
}

async function rooms(at: Page, { asset, done, failed }: Made): Promise<void> {
  const paths: Record<string, string> = {
    library: "/",
    "library-list": "/?view=list",
    asset: `/assets/${asset}`,
    "make-choose": `/make?asset=${asset}`,
    make: `/make?asset=${asset}&operation=transcode`,
    "job-done": `/jobs/${done}`,
    "job-failed": `/jobs/${failed}`,
    system: "/system",
    log: "/system/log",
    welcome: "/welcome",
    settings: "/settings",
    "settings-storage": "/settings/storage",
    "settings-people": "/settings/people",
    "settings-account": "/settings/account",
    "settings-presets": "/settings/presets",
    "settings-retention": "/settings/retention",
    "settings-backups": "/settings/backups",
    "settings-acts": "/settings/acts",
    bin: "/bin",
    styleguide: "/styleguide",
    docs: "/docs",
    "not-found": "/nothing-here",
  };
  for (const [name, path] of Object.entries(paths)) {
    await at.goto(path);
    await picture(name);
  }
}

/** What opens over a page. */
async function hands(at: Page): Promise<void> {
  await at.goto("/");
  await at.keyboard.press("Control+k");
  await at.locator("#palette [role=combobox]").fill("har");
  await at.locator("#palette-found [role=option]").first().waitFor();
  await picture("palette");
  await at.keyboard.press("Escape");
  await at.keyboard.press("?");
  await at.getByRole("dialog", { name: "Keys" }).waitFor();
  await picture("keys");
}

/** With a job that runs and one that waits. */
async function atWork(at: Page, api: Api, { slow, asset }: Made): Promise<void> {
  const job = await api.start("transcode", [slow], { speed: "best", video: { quality: 80 } });
  await api.start("thumbnails", [asset]);
  await at.goto(`/jobs/${job.id}`);
  const bar = at.locator("#job-panel[data-state=running] progress");
  await eventually("the bar moves", PATIENCE_MS, async () => {
    return Number(await bar.first().getAttribute("value")) > 15;
  });
  await picture("job-running");
  await at.goto("/jobs");
  await picture("jobs");
  await api.post(`/api/v1/jobs/${job.id}/cancel`, {});
}
