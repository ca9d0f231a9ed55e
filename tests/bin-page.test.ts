/** The bin in a real browser: delete, undo, delete again, out of the bin for ever; then a backup, by a click too. */
import { expect, test } from "bun:test";
import { Api } from "./api.ts";
import { Appliance } from "./appliance.ts";
import { logIn, openBrowser, openPage } from "./browser.ts";
import { plainClip } from "./clips.ts";

test("a deleted file comes back by a click, and goes for ever by another", async () => {
  await using appliance = await Appliance.start();
  const api = new Api(appliance.url, await appliance.token("ann", "admin"));
  const asset = await api.add(plainClip(), "holiday.mp4");
  const browser = await openBrowser();
  try {
    const { page, faults } = await openPage(browser, appliance.url);
    await logIn(page, appliance.password);
    const remove = async () => {
      await page.goto(`/assets/${asset.id}`);
      await page.click("button.danger-text");
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await page.waitForURL("**/?deleted=*");
    };
    await remove();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.waitForSelector(`#card-${asset.id}`);
    expect((await api.get(`/api/v1/assets/${asset.id}`)).body.state).toBe("ready");
    await remove();
    await page.getByRole("link", { name: "bin", exact: true }).click();
    await page.waitForSelector(`#binned-${asset.id}`);
    await page.getByRole("button", { name: "Delete for ever" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.waitForSelector("text=Nothing is in the bin");
    expect((await api.get("/api/v1/assets?state=binned")).body.items).toEqual([]);
    await page.goto("/settings/backups");
    await page.getByRole("button", { name: "Back up now" }).click();
    await page.locator("#shelf code").first().waitFor();
    expect(faults).toEqual([]);
  } finally {
    await browser.close();
  }
}, 120_000);
