/** Making something of three files in a real browser: choose, fill in, try ten seconds, start all of them. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { logIn, openBrowser, openPage } from "./browser.ts";
import { plainClip } from "./clips.ts";
import { pageAudit } from "./page-audit.ts";

/** A name of one word that has no end, and one that turns the writing round. */
const hostile = [`${"w".repeat(240)}.mp4`, "\u202e4pm.שלום <b hx-get=x>.mp4"];

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["SCREENSHOTS"];
  if (folder === undefined) return;
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  // Playwright hides carets with styles and leaves the empty attributes behind.
  await page.evaluate(
    "document.querySelectorAll('[style=\"\"]').forEach((each) => each.removeAttribute('style'))",
  );
}

test("three files become three jobs, after ten seconds were tried", async () => {
  await using appliance = await Appliance.start();
  const api = new Api(appliance.url, await appliance.token("ann", "admin"));
  const names = ["match.mp4", ...hostile];
  const films: string[] = [];
  for (const name of names) films.push((await api.add(plainClip(12), name)).id);
  const browser = await openBrowser();
  try {
    const { page, faults } = await openPage(browser, appliance.url);
    await logIn(page, appliance.password);
    await page.goto(`/make?${films.map((id) => `asset=${id}`).join("&")}`);
    await page.getByRole("heading", { name: "Make something from 3 files" }).waitFor();
    expect(await page.getByRole("radio", { name: /^Measure quality/ }).isDisabled()).toBe(true);
    expect(await page.evaluate(pageAudit)).toEqual([]);
    await picture(page, "make");

    // A preset is a press, and its form follows.
    await page.getByText("Web MP4 720p", { exact: true }).click();
    const form = page.locator("#form-transcode");
    await form.waitFor();
    expect(await form.locator('[name="video.maxHeight"]').inputValue()).toBe("720");
    expect(new URL(page.url()).searchParams.get("preset")).toBe("ps_web-720p");

    // A field that does not count is not there, and keeps what was typed in it.
    const quality = form.locator('[name="video.quality"]');
    await quality.fill("33");
    await form.locator('[name="video.codec"]').selectOption("prores");
    await quality.waitFor({ state: "hidden" });
    await form.locator('[name="video.profile"]').waitFor();
    await form.locator('[name="video.codec"]').selectOption("h264");
    await quality.waitFor();
    expect(await quality.inputValue()).toBe("33");

    // Another choice and back: nothing is lost.
    await page.getByText("Choose what to make").click();
    await page.getByText("Reframe", { exact: true }).click();
    await page.locator("#form-reframe").waitFor();
    await page.getByText("Choose what to make").click();
    await page.getByText("Web MP4 720p", { exact: true }).click();
    await form.waitFor();
    expect(await quality.inputValue()).toBe("33");

    // A fault stands beside its field.
    await form.locator('[name="video.maxHeight"]').fill("1");
    await form.getByRole("button", { name: "Start 3 jobs" }).click();
    await form.locator('[data-field="video.maxHeight"] > .fault').waitFor();
    expect(await quality.inputValue()).toBe("33");
    await form.locator('[name="video.maxHeight"]').fill("96");

    await form.getByRole("button", { name: "Try 10 seconds" }).click();
    const dialog = page.getByRole("dialog", { name: "Tried out" });
    await dialog.locator("[data-trial=done]").waitFor({ timeout: 90_000 });
    expect(await dialog.locator("[data-trial-player]").count()).toBe(2);
    expect(await page.evaluate(pageAudit)).toEqual([]);
    await picture(page, "trial");
    const address = (await dialog.locator("[data-trial-player]").last().getAttribute("src")) ?? "";
    const status = () => page.evaluate(`fetch("${address}").then(({ status }) => status)`);
    expect(await status()).toBe(200);
    await page.keyboard.press("Escape");
    await eventually("it is thrown away", 20_000, async () => (await status()) === 404);
    const { body: assets } = await api.get("/api/v1/assets");
    expect(assets.items.length).toBe(3);
    const { body: none } = await api.get("/api/v1/jobs");
    expect(none.items).toEqual([]);

    await form.getByRole("button", { name: "Start 3 jobs" }).click();
    await page.waitForURL("**/jobs?batch=*");
    const batch = new URL(page.url()).searchParams.get("batch");
    await eventually("three jobs are done", 120_000, async () => {
      const { body } = await api.get(`/api/v1/jobs?batch=${batch}`);
      return (
        body.items.length === 3 &&
        body.items.every(({ state }: { state: string }) => state === "succeeded")
      );
    });
    // The browser notes the refusals that were meant.
    expect(faults.filter((fault) => !/\b(404|422)\b/.test(fault))).toEqual([]);
  } finally {
    await browser.close();
  }
}, 240_000);
