/** The main job in the browser: set up, log in, upload, transcode, watch, play, log out. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { openBrowser, openPage, scrollsSideways, type WatchedPage } from "./browser.ts";
import { plainClip, slowClip } from "./clips.ts";

const password = "correct horse battery staple";

let appliance: Appliance;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  appliance = await Appliance.start();
  browser = await openBrowser();
  watched = await openPage(browser, appliance.url);
  page = watched.page;
});

afterAll(async () => {
  await browser.close();
  await appliance[Symbol.asyncDispose]();
});

/** Seconds of the film that the player can play; NaN when it cannot. */
const playedSeconds = () =>
  page.evaluate(`(async () => {
    const video = document.querySelector("video");
    video.muted = true;
    await video.play();
    const until = Date.now() + 10000;
    while (video.currentTime < 0.3 && Date.now() < until) await new Promise(requestAnimationFrame);
    video.pause();
    return video.currentTime;
  })()`) as Promise<number>;

/** On the page of a file: what is to be made from it. */
async function chooseTranscode(): Promise<void> {
  await page.locator(".choice-card", { hasText: "Makes another file of a video" }).click();
  await page.locator("[name='video.quality']").waitFor();
}

/** Asks for the slowest transcode of slow.mp4 and waits until it runs. */
async function startLongJob(): Promise<string> {
  await page.goto("/");
  await page.locator(".card-name[title='slow.mp4']").first().click();
  await chooseTranscode();
  await page.locator("[name='video.quality']").fill("80");
  await page.locator("[name='speed']").selectOption("best");
  await page.getByRole("button", { name: "Start" }).click();
  await page.waitForURL("**/jobs/*");
  await page.locator("#job-panel[data-state=running]").waitFor();
  return page.url().slice(page.url().lastIndexOf("/") + 1);
}

describe("in the browser, in this order", () => {
  test("the first visitor needs the setup code from the log and becomes the admin", async () => {
    await page.goto("/");
    await page.waitForURL("**/setup");
    await page.getByLabel("Setup code").fill("WRONG-WRONG-WRONG-WRONG");
    await page.getByLabel("Your name").fill("ann");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByLabel("Password again").fill(password);
    await page.getByRole("button", { name: "Create the account" }).click();
    await page.locator(".fault, [role=alert]").first().waitFor();
    watched.faults.length = 0; // The browser itself logs the refused form as an error.
    const code = /setup code: (\S+)/.exec(await appliance.log())?.[1] ?? "no code in the log";
    await page.getByLabel("Setup code").fill(code);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByLabel("Password again").fill(password);
    await page.getByRole("button", { name: "Create the account" }).click();
    await page.waitForURL("**/welcome?first=1");
    await page.getByRole("link", { name: "Skip to the library" }).click();
    await page.getByRole("heading", { name: "Library" }).waitFor();
    expect(watched.faults).toEqual([]);
  });

  test("logs out and in again; a wrong password says so", async () => {
    await page.getByLabel("Account").click();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.waitForURL("**/login*");
    await page.getByLabel("Name").fill("ann");
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").waitFor();
    watched.faults.length = 0;
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Library" }).waitFor();
  });

  test("an upload shows its progress and appears in the library with its picture", async () => {
    await page.locator("#file-picker").setInputFiles(slowClip());
    await page.locator(".upload").waitFor();
    const card = page.locator(".card", { hasText: "slow.mp4" });
    await card.waitFor();
    await card.locator("img").waitFor();
    expect(watched.faults).toEqual([]);
  });

  test("a file dropped on the page is uploaded too", async () => {
    const bytes = Buffer.from(await Bun.file(plainClip()).arrayBuffer()).toString("base64");
    await page.evaluate(`(() => {
      const bytes = Uint8Array.from(atob("${bytes}"), (character) => character.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], "dropped <b>.mp4", { type: "video/mp4" }));
      for (const type of ["dragenter", "dragover", "drop"]) {
        document.body.dispatchEvent(
          new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }),
        );
      }
    })()`);
    await page.locator(".card", { hasText: "dropped <b>.mp4" }).waitFor();
    expect(watched.faults).toEqual([]);
  });

  test("a file that is not media is refused with a sentence, and the library stays as it is", async () => {
    await page.locator("#file-picker").setInputFiles({
      name: "diary.mp4",
      mimeType: "video/mp4",
      buffer: Buffer.from("Dear diary"),
    });
    const row = page.locator(".upload", { hasText: "diary.mp4" });
    await row.locator("[data-note]", { hasText: /[A-Z].*\./ }).waitFor();
    watched.faults.length = 0;
    expect(await page.locator(".card", { hasText: "diary" }).count()).toBe(0);
  });

  test("an asset shows its facts, and its form starts a job that is watched live", async () => {
    await page.locator(".card-name[title='slow.mp4']").click();
    await page.getByRole("heading", { name: "slow.mp4" }).waitFor();
    await page.getByText("720p").first().waitFor();
    await chooseTranscode();
    await page.locator("[name='video.quality']").fill("30");
    await page.locator("[name='video.maxHeight']").fill("360");
    await page.getByRole("button", { name: "Start" }).click();
    await page.waitForURL("**/jobs/*");
    await page.locator("progress").first().waitFor();
    const seen = new Set<number>();
    const progress = page.locator("progress").first();
    await eventually("the bar moves", 30_000, async () => {
      return Number(await progress.getAttribute("value")) > 5;
    });
    seen.add(Number(await progress.getAttribute("value")));
    await page.locator("[data-state=succeeded]").waitFor({ timeout: 120_000 });
    await page.locator("video").waitFor();
    expect([...seen].every((value) => value > 0 && value < 100)).toBe(true);
    expect(watched.faults).toEqual([]);
  });

  test("the result plays", async () => {
    expect(await playedSeconds()).toBeGreaterThan(0.2);
    const size = await page.evaluate(
      `(() => { const v = document.querySelector("video"); return [v.videoWidth, v.videoHeight]; })()`,
    );
    expect(size).toEqual([640, 360]);
    expect(watched.faults).toEqual([]);
  });

  test("a parameter out of range is told beside the form and starts nothing", async () => {
    await page.goto("/");
    await page.locator(".card", { hasText: "dropped" }).click();
    await chooseTranscode();
    await page.locator("[name='from']").fill("900");
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator("#operation-errors", { hasText: /\w/ }).waitFor();
    expect(page.url()).toContain("/assets/");
    watched.faults.length = 0;
  });

  test("a running job is cancelled from the list", async () => {
    const api = new Api(appliance.url, await appliance.token("bob"));
    expect((await api.get("/api/v1/jobs")).body.items).toEqual([]); // ann's jobs are not bob's
    await startLongJob();
    await page.goto("/jobs");
    const row = page.locator(".job-row[data-state=running]").first();
    await row.waitFor();
    await row.getByRole("button", { name: /Cancel/ }).click();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.locator(".job-row[data-state=cancelled]").waitFor();
    expect(watched.faults).toEqual([]);
  });

  test("a failed job shows why, with a hint", async () => {
    // The file is taken away behind Kinomill's back, as a failing disk would.
    await page.goto("/");
    await page.locator(".card", { hasText: "dropped" }).click();
    const id = page.url().slice(page.url().lastIndexOf("/") + 1);
    const found = [...new Bun.Glob(`**/${id}`).scanSync(appliance.dataFolder)];
    await Bun.file(join(appliance.dataFolder, found[0] ?? "missing")).delete();
    await chooseTranscode();
    await page.locator("[name='video.quality']").fill("50");
    await page.getByRole("button", { name: "Start" }).click();
    await page.waitForURL("**/jobs/*");
    await page.locator("#job-failure").waitFor();
    expect(await page.locator("#job-failure").textContent()).not.toContain(appliance.folder);
    watched.faults.length = 0;
  });

  test("the system page says what the box can do", async () => {
    await page.goto("/system");
    await page.getByRole("heading", { name: "FFmpeg" }).waitFor();
    await page.getByText("H.264 encoding").first().waitFor();
    expect(watched.faults).toEqual([]);
  });

  test("when an admin pauses all work, who looks at another page sees it, and when it goes on", async () => {
    const bob = await openPage(browser, appliance.url);
    await bob.page.goto("/");
    await bob.page.getByLabel("Name").fill("bob");
    await bob.page.getByLabel("Password").fill(appliance.password);
    await bob.page.getByRole("button", { name: "Log in" }).click();
    await bob.page.getByRole("heading", { name: "Library" }).waitFor();
    await bob.page.evaluate("window.loadedOnce = true");
    const banner = bob.page.locator("#work-banner");
    expect(await banner.textContent()).toBe("");

    const jobId = await startLongJob();
    await page.goto("/system");
    const sentence = page.locator("#work [role=status]");
    await sentence.filter({ hasText: "Working: 1 job runs." }).waitFor();
    await page.getByRole("button", { name: "Pause all" }).click();
    await sentence.filter({ hasText: /^Paused since .*: 1 job is stopped where it/ }).waitFor();
    await banner.filter({ hasText: "All work is paused." }).waitFor();
    expect(await banner.getByRole("button").count()).toBe(0);

    await page.goto("/jobs");
    await page.locator("#work-banner").getByRole("button", { name: "Continue" }).click();
    await eventually("the banners are gone", 10_000, async () => {
      const texts = [banner, page.locator("#work-banner")].map((each) => each.textContent());
      return (await Promise.all(texts)).join("") === "";
    });
    expect(await bob.page.evaluate("window.loadedOnce")).toBe(true);

    await page.goto("/system");
    await sentence.filter({ hasText: "Working: 1 job runs." }).waitFor();
    await page.evaluate(`fetch("/ui/jobs/${jobId}/cancel", { method: "POST" }).then(() => null)`);
    await sentence.filter({ hasText: "Working: no job runs now." }).waitFor();
    expect([...watched.faults, ...bob.faults]).toEqual([]);
    await bob.context.close();
  });

  test("works on a phone, in the dark, by the keyboard alone", async () => {
    const state = await watched.context.storageState();
    const phone = await openPage(browser, appliance.url, { width: 390, height: 844, dark: true });
    await phone.context.addCookies(state.cookies);
    for (const path of ["/", "/jobs", "/system"]) {
      await phone.page.goto(path);
      await phone.page.getByRole("heading").first().waitFor();
      expect(await scrollsSideways(phone.page)).toBe(false);
    }
    await phone.page.goto("/");
    await phone.page.keyboard.press("Tab");
    expect(await phone.page.evaluate("document.activeElement.className")).toContain("skip");
    for (let presses = 0; presses < 40; presses += 1) {
      const onCard = await phone.page.evaluate("document.activeElement.closest('.card') !== null");
      if (onCard) break;
      await phone.page.keyboard.press("Tab");
    }
    await phone.page.keyboard.press("Enter");
    await phone.page.waitForURL("**/assets/*");
    expect(await scrollsSideways(phone.page)).toBe(false);
    await phone.context.close();
  });

  test("a stranger's cookie ends with the logout: the old session opens nothing", async () => {
    const [cookie] = await watched.context.cookies();
    expect([cookie?.httpOnly, cookie?.sameSite]).toEqual([true, "Lax"]);
    await page.goto("/");
    await page.getByLabel("Account").click();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.waitForURL("**/login*");
    const stolen = await fetch(`${appliance.url}/api/v1/assets`, {
      headers: { Cookie: `${cookie?.name}=${cookie?.value}` },
    });
    expect(stolen.status).toBe(401);
  });
});
