/** The room of the jobs in the browser: live rows, the keyboard, priority, what is done to many, failure and retry. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { logIn, openBrowser, openPage, scrollsSideways, type WatchedPage } from "./browser.ts";
import { plainClip, slowClip } from "./clips.ts";

let appliance: Appliance;
let api: Api;
let browser: Browser;
let watched: WatchedPage;
let page: Page;
/** The film that the failing jobs read, and where its bytes are. */
let film: string;
let bytes: string;

beforeAll(async () => {
  appliance = await Appliance.start({ environment: { KINOMILL_JOBS_CPU_SLOTS: "1" } });
  api = new Api(appliance.url, await appliance.token("ann", "admin"));
  browser = await openBrowser();
  watched = await openPage(browser, appliance.url);
  page = watched.page;
  await logIn(page, appliance.password);
  film = (await api.add(plainClip(), "film.mp4")).id;
  const [found] = [...new Bun.Glob(`**/${film}`).scanSync(appliance.dataFolder)];
  bytes = join(appliance.dataFolder, found ?? "missing");
});

afterAll(async () => {
  await browser.close();
  await appliance[Symbol.asyncDispose]();
});

const rowOf = (id: string) => page.locator(`#job-${id}`);

const chosenCount = () => page.locator("#bulk-count").textContent();

/** Waits on what the page says, for as long as a job takes on a busy machine. */
function says(what: string, ask: () => Promise<string | null>, wanted: string): Promise<unknown> {
  return eventually(`${what} says “${wanted}”`, 60_000, async () => {
    return (await ask())?.includes(wanted);
  });
}

test("jobs come and move on the page by themselves, and say who is next", async () => {
  await page.goto("/jobs");
  await page.getByRole("heading", { name: "No jobs yet" }).waitFor();
  const slow = await api.add(slowClip());
  const params = { video: { codec: "h264", quality: 80 }, speed: "best" };
  const long = await api.start("transcode", [slow.id], params);
  const bar = rowOf(long.id).locator("progress");
  await eventually("the bar moves", 60_000, async () => {
    return (await bar.count()) === 1 && Number(await bar.getAttribute("value")) > 0;
  });
  // From here on nothing begins or ends by itself.
  await page.locator("#work-menu summary").click();
  await page.getByRole("button", { name: "Pause all" }).click();
  await page.getByText("All work is paused.").waitFor();
  // Its bytes go behind Kinomill's back, as on a disk that fails.
  await copyFile(bytes, `${bytes}.aside`);
  await Bun.file(bytes).delete();
  const waiting = [];
  for (let n = 0; n < 3; n += 1) waiting.push((await api.start("thumbnails", [film])).id);
  const [first = "", , third = ""] = waiting;
  await says("the first", () => rowOf(first).locator(".job-why").textContent(), "Next in line.");
  await says(
    "the third",
    () => rowOf(third).locator(".job-why").textContent(),
    "Number 3 in line.",
  );
  await page.locator(`#open-${third}`).click();
  await page.getByLabel("Priority").fill("10");
  await page.getByRole("button", { name: "Set" }).click();
  await says("its page", () => page.locator("#job-panel .device").textContent(), "Next in line.");
  await page.goBack();
  await says(
    "the first",
    () => rowOf(first).locator(".job-why").textContent(),
    "Number 2 in line.",
  );
  expect(watched.faults).toEqual([]);
});

test("the keyboard walks, chooses a range, opens and lets go", async () => {
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Shift+X");
  expect(await chosenCount()).toBe("3 chosen");
  await page.keyboard.press("x");
  expect(await chosenCount()).toBe("2 chosen");
  await page.locator("#chosen-cancel").click();
  const question = page.getByRole("dialog");
  await question.getByText("Cancel 2 jobs?").waitFor();
  expect(await question.textContent()).toContain("2 wait and do not start.");
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "hidden" });
  await page.keyboard.press("Escape");
  expect(await page.locator(".job-row.chosen").count()).toBe(0);
  const focused = await page.evaluate("document.activeElement.closest('.job-row')?.id ?? ''");
  await page
    .locator(`#${focused || "job-rows .job-row"} .row-title a`)
    .first()
    .focus();
  await page.keyboard.press("Enter");
  await page.waitForURL("**/jobs/jb_*");
  await page.goBack();
  expect(watched.faults).toEqual([]);
});

test("what failed is tried again together, on the CPU, and shows its time line", async () => {
  const long = page.locator(".job-row[data-state=running]");
  await long.getByRole("button", { name: /Cancel/ }).click();
  await page.getByRole("button", { name: "Cancel the job" }).click();
  await page.locator(".job-row[data-state=cancelled]").waitFor();
  await page.locator("#work-banner").getByRole("button", { name: "Continue" }).click();
  await eventually("three have failed", 60_000, async () => {
    return (await page.locator(".job-row[data-state=failed]").count()) === 3;
  });
  await page.getByRole("link", { name: /^Failed/ }).click();
  await page.waitForURL("**/jobs?state=failed");
  expect(await page.locator(".job-why").first().textContent()).not.toBe("");
  await rename(`${bytes}.aside`, bytes);
  await page.getByRole("button", { name: "Try all again" }).click();
  const question = page.getByRole("dialog");
  await question.getByText("Try 3 jobs again?").waitFor();
  await question.getByText("On the CPU alone").click();
  await question.getByRole("button", { name: "Try 3 jobs again" }).click();
  await page.getByText("3 jobs are in the line again.").waitFor();
  await page.getByRole("heading", { name: "No job is failed" }).waitFor();
  await page.goBack();
  await eventually("three are done", 60_000, async () => {
    return (await page.locator(".job-row[data-state=succeeded]").count()) === 3;
  });
  await page.locator(".job-row[data-state=succeeded] .row-title a").first().click();
  await page.locator("#job-panel[data-state=succeeded]").waitFor();
  expect(await page.locator("#job-standing").textContent()).toContain("on the CPU alone");
  await page.getByText("As a table").click();
  const table = page.locator("#timeline-table table");
  for (const told of ["waited", "failed", "done"]) {
    expect(await table.textContent()).toContain(told);
  }
  await page.locator("#help-report summary").click();
  await says("the report", () => page.locator("#report-text").textContent(), "wanted on cpu alone");
  expect(await page.locator("#report-text").textContent()).not.toContain("film.mp4");
  await page.setViewportSize({ width: 360, height: 780 });
  expect(await scrollsSideways(page)).toBe(false);
  const { items } = (await api.get("/api/v1/jobs?state=succeeded")).body as Json;
  expect(items.map(({ onlyOn }: Json) => onlyOn)).toEqual(["cpu", "cpu", "cpu"]);
  expect(watched.faults).toEqual([]);
});
