/** The first minute on a box with a GPU (emulated): the account, what was found, the sample, the first file. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { Appliance } from "./appliance.ts";
import { openBrowser, openPage, scrollsSideways } from "./browser.ts";
import { plainClip } from "./clips.ts";
import { gpuBox } from "./gpu-box.ts";
import { pageAudit } from "./page-audit.ts";

const password = "correct horse battery staple";

test("the first visit ends on the page of the first file", async () => {
  using box = gpuBox({ gpus: "oneL4" });
  await using appliance = await Appliance.start({ environment: box.environment });
  const browser = await openBrowser();
  try {
    const { page, faults } = await openPage(browser, appliance.url);
    await page.goto("/");
    const code = /setup code: (\S+)/.exec(await appliance.log())?.[1] ?? "no code in the log";
    await page.getByLabel("Setup code").fill(code);
    await page.getByLabel("Your name").fill("ann");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByLabel("Password again").fill(password);
    await page.getByRole("button", { name: "Create the account" }).click();
    await page.waitForURL("**/welcome?first=1");
    const found = page.locator("#welcome-found");
    await found.locator(".well").getByText("NVIDIA L4").waitFor();
    await found.getByText("Files are kept on this machine.").waitFor();

    // The sample begins by itself; the GPU and the processor stand side by side.
    await page.locator("[data-sample=done]").waitFor({ timeout: 120_000 });
    expect(await page.locator(".sample-run.gpu").textContent()).toContain("NVIDIA L4");
    expect(await page.locator(".sample-run.cpu .sample-seconds").textContent()).toMatch(
      /^\d+\.\d s$/,
    );
    expect(await page.evaluate(pageAudit)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await scrollsSideways(page)).toBe(false);
    const folder = process.env["SCREENSHOTS"];
    if (folder) await page.screenshot({ path: join(folder, "welcome-360.png"), fullPage: true });
    await page.setViewportSize({ width: 1280, height: 800 });
    if (folder) await page.screenshot({ path: join(folder, "welcome.png"), fullPage: true });

    // It has left nothing in the library.
    const count = () =>
      page.evaluate(
        "fetch('/api/v1/assets').then((answer) => answer.json()).then(({ items }) => items.length)",
      );
    expect(await count()).toBe(0);
    const choosing = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: /Drop a video here/ }).click();
    await (await choosing).setFiles(plainClip());
    await page.waitForURL("**/assets/as_*");
    await page.getByRole("heading", { name: "plain-2.mp4" }).waitFor();
    expect(await count()).toBe(1);
    expect(faults).toEqual([]);
  } finally {
    await browser.close();
  }
}, 240_000);
