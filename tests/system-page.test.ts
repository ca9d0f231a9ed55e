/** The System page on an emulated box with two GPUs, as an admin and a member see it while a job runs and a GPU is lost. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { logIn, openBrowser, openPage } from "./browser.ts";
import { gpuBox } from "./gpu-box.ts";
import { pageAudit } from "./page-audit.ts";

const LIMIT_MS = 60_000;
setDefaultTimeout(240_000);

async function startLongJob(api: Api, folder: string): Promise<string> {
  const file = join(folder, "clip.mp4");
  const argv = `ffmpeg -v error -nostdin -f lavfi -i testsrc2=s=320x240:r=25:d=60 -pix_fmt yuv420p ${file}`;
  if (!Bun.spawnSync(argv.split(" ")).success) throw new Error("ffmpeg made no clip");
  const asset = await api.add(file);
  return (await api.start("transcode", [asset.id], { video: { maxHeight: 144 } })).id;
}

test("who looks at the box sees its jobs, its graphs and its log, and brings a lost GPU back", async () => {
  // So slow that the job runs as long as it is looked at.
  using box = gpuBox({ gpus: "twoL4", fault: { delayMs: 60 } });
  await using appliance = await Appliance.start({ environment: box.environment });
  const api = new Api(appliance.url, await appliance.token("ann", "admin"));
  await appliance.token("bob");
  await eventually("the GPUs are known", LIMIT_MS, async () => {
    return (await api.get("/api/v1/system")).body.gpus.state === "found";
  });
  const jobId = await startLongJob(api, box.stateFolder);
  const browser = await openBrowser();
  try {
    const { page, faults } = await openPage(browser, appliance.url);
    page.setDefaultTimeout(LIMIT_MS);
    await logIn(page, appliance.password);
    await page.goto("/system");

    // The job sits on one of them; its graphs are drawn, by a script that the policy lets run.
    const seat = page.locator(`.seats a[href="/jobs/${jobId}"]`);
    await seat.waitFor();
    const device = page.locator(".device", { has: seat });
    await device.getByText("1 encode session", { exact: false }).first().waitFor();
    await device.locator("canvas").nth(2).waitFor();
    await device.locator(".graph-key", { hasText: /Encoder [1-9]\d* %/ }).waitFor();
    await page.locator("#machine .graph-key", { hasText: /Running 1/ }).waitFor();
    expect(await page.evaluate(pageAudit)).toEqual([]);

    // The crosshair goes through all graphs and says the time.
    await device.locator(".u-over").first().hover();
    await page.waitForFunction(
      "document.querySelectorAll('.graph[data-at]:not([data-at=\"\"])').length >= 3",
    );
    await page.getByText("1 h", { exact: true }).click();
    await page.waitForURL(/range=3600/);
    await page.locator("#machine summary").click();
    await page.locator("#machine table td").first().waitFor();

    // A member sees that somebody works, and no more.
    const bob = await openPage(browser, appliance.url);
    await logIn(bob.page, appliance.password, "bob");
    await bob.page.goto("/system");
    await bob.page.getByText("A job of somebody else").waitFor();
    expect(await bob.page.getByRole("link", { name: "Log", exact: true }).count()).toBe(0);
    expect(bob.faults).toEqual([]);
    await bob.context.close();

    await loseAndFind(page, box, (await device.getAttribute("id")) ?? "");
    await lookAtTheLog(page, jobId);
    expect(faults).toEqual([]);
  } finally {
    await browser.close();
  }
});

/** A GPU falls off the bus under its job, is out of service with the reason, and comes back when somebody says so. */
async function loseAndFind(page: Page, box: ReturnType<typeof gpuBox>, id: string): Promise<void> {
  const number = Number(id.slice("device-gpu-".length));
  box.lose(number);
  const device = page.locator(`#${id}`);
  await device.getByText("Out of service", { exact: true }).waitFor();
  await device.getByText(/^A job failed on it\./).waitFor();
  box.find(number);
  await device.getByRole("button", { name: "Try it now" }).click();
  await device.getByText("Ready for H.264").waitFor();
  const looked = page.waitForResponse((answer) => answer.request().method() === "POST");
  await page.getByRole("button", { name: "Look again" }).click();
  expect((await looked).status()).toBe(200);
}

async function lookAtTheLog(page: Page, jobId: string): Promise<void> {
  await page.getByRole("link", { name: "Log", exact: true }).click();
  await page.locator("#log-state[data-now=live]").waitFor();
  await page.getByLabel("Level").selectOption("warn");
  await page.getByLabel("Job", { exact: true }).fill(jobId);
  await page.waitForURL(new RegExp(`level=warn&job=${jobId}`));
  const line = page.locator(".log-line.is-warn", { hasText: jobId }).first();
  await line.waitFor();
  await line.locator("summary").click();
  await line.locator("pre").filter({ hasText: '"device"' }).waitFor();
  // What is written while it is looked at comes by itself; a pause keeps it away.
  await page.getByLabel("Level").selectOption("info");
  await page.getByLabel("Job", { exact: true }).fill("");
  await page.getByLabel("Text").fill("request refused");
  await page.waitForURL(/q=request/);
  const refused = page.locator(".log-line", { hasText: "/api/v1/assets/none" });
  await page.request.get("/api/v1/assets/none");
  await refused.first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.locator("#log-state[data-now=paused]").waitFor();
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  expect(await page.evaluate(pageAudit)).toEqual([]);
}
