/** The page of a file as people use it: the player by hand and by keys, what browsers cannot play, what happens elsewhere. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { logIn, openBrowser, openPage, scrollsSideways, type WatchedPage } from "./browser.ts";

setDefaultTimeout(180_000);

/** Making a small copy takes a second on a free machine; others encode beside it. */
const MAKING_MS = 120_000;
const frameRate = 25;

let folder = "";
let browser: Browser;
let appliance: Appliance;
let api: Api;
let watched: WatchedPage;
let film = "";

function clip(name: string, ...argv: string[]): string {
  const path = join(folder, name);
  const picture = `testsrc2=size=320x180:rate=${frameRate}:duration=6`;
  const sound = "aevalsrc=sin(600*t)*abs(sin(t)):duration=6:s=48000";
  const input = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound];
  const run = Bun.spawnSync(["ffmpeg", "-nostdin", "-v", "error", "-y", ...input, ...argv, path]);
  if (run.exitCode !== 0) throw new Error(run.stderr.toString());
  return path;
}

const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "asset-page-"));
  browser = await openBrowser();
  appliance = await Appliance.start();
  api = new Api(appliance.url, await appliance.token("ann", "admin"));
  film = (await api.add(clip("film.mp4", ...h264, "-c:a", "aac"), "Film one.mp4")).id;
  watched = await enter();
});

afterAll(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function enter(size: { width?: number; height?: number } = {}): Promise<WatchedPage> {
  const opened = await openPage(browser, appliance.url, size);
  await logIn(opened.page, appliance.password);
  return opened;
}

const ask = <T>(page: Page, script: string) => page.evaluate(script) as Promise<T>;
/** Asked from outside: the page's own policy lets no text become script, and Playwright's wait would need that. */
const until = (page: Page, condition: string, limitMs = 30_000) =>
  eventually(condition, limitMs, () => ask<boolean>(page, condition).catch(() => false));

const media = `document.querySelector(".player video, .player audio")`;
const now = `document.querySelector("[data-now]").textContent`;

/** Opens the page of a file, whose player knows how long it is. */
async function open(page: Page, id: string, search = ""): Promise<void> {
  await page.goto(`/assets/${id}${search}`);
  await until(page, `${media}.readyState >= 2`, MAKING_MS);
}

test("the player steps frame by frame, jumps and shuttles, by keys alone", async () => {
  const { page, faults } = watched;
  await open(page, film);
  // The browser may know the film before the player knows its keys.
  await until(page, `${now} === "00:00:00:00"`);
  await page.keyboard.press(".");
  await until(page, `${now} === "00:00:00:01" && !${media}.seeking`);
  // Faster than pictures come.
  await page.keyboard.press(".");
  await page.keyboard.press(".");
  await until(page, `${now} === "00:00:00:03" && !${media}.seeking`);
  // In the middle of the frame: no rounding of the browser shows the one beside it.
  expect(await ask<number>(page, `${media}.currentTime`)).toBeCloseTo(3.5 / frameRate, 4);
  await page.keyboard.press(",");
  await until(page, `${now} === "00:00:00:02"`);
  await page.keyboard.press("ArrowRight");
  await until(page, `Math.abs(${media}.currentTime - 5.1) < 0.01`);
  await page.keyboard.press("Home");
  await until(page, `${media}.currentTime === 0`);

  await page.keyboard.press("l");
  await page.keyboard.press("l");
  await until(page, `${media}.playbackRate === 2 && ${media}.currentTime > 1`);
  expect(await ask<string>(page, `document.querySelector("[data-shuttle]").textContent`)).toBe(
    "2×",
  );
  const reached = await ask<number>(page, `${media}.currentTime`);
  await page.keyboard.press("j");
  await until(page, `${media}.paused && ${media}.currentTime < ${reached} - 0.3`);
  await page.keyboard.press("k");
  const stands = await ask<number>(page, `${media}.currentTime`);
  await page.keyboard.press(">");
  await until(page, `${media}.playbackRate === 1.25`);
  expect(await ask<string>(page, `document.querySelector("[data-speed]").value`)).toBe("1.25");
  await page.keyboard.press("m");
  await until(page, `${media}.muted`);
  expect(await page.getByRole("button", { name: "Unmute" }).count()).toBe(1);
  expect(await ask<number>(page, `${media}.currentTime`)).toBeCloseTo(stands, 1);
  // In a field the keys are letters.
  await page.fill("#label-new", "");
  await page.locator("#label-new").pressSequentially("jkl.,");
  expect(await page.inputValue("#label-new")).toBe("jkl.,");
  expect(await ask<boolean>(page, `${media}.paused`)).toBe(true);
  await page.fill("#label-new", "");
  expect(faults).toEqual([]);
});

test("the time line has the waveform, shows the picture under the pointer, and leads there", async () => {
  const { page, faults } = watched;
  await open(page, film, "?t=0:02");
  expect(await ask<number>(page, `${media}.currentTime`)).toBeCloseTo(2, 2);
  await until(
    page,
    `document.querySelector("[data-track]").dataset.waveform === "ready"`,
    MAKING_MS,
  );
  const tall = `(() => {
    const canvas = document.querySelector("[data-track] > canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 2, canvas.width, 1);
    return data.some((value, at) => at % 4 === 3 && value > 0) ? "loud" : "flat";
  })()`;
  expect(await ask<string>(page, tall)).toBe("loud");

  const track = page.locator("[data-track]");
  const { width, height } = (await track.boundingBox()) ?? { width: 0, height: 0 };
  await track.hover({ position: { x: width / 2, y: height / 2 } });
  const tile = `document.querySelector("[data-picture]:not([hidden])")?.dataset.tile`;
  // The sheet is made after the first look at the page: the pointer moves until it has come.
  const deadline = performance.now() + MAKING_MS;
  for (let x = 0; (await ask(page, tile)) === undefined; x = (x + 1) % 9) {
    if (performance.now() > deadline) throw new Error("no picture under the pointer");
    await track.hover({ position: { x: width / 2 + x, y: height / 2 } });
  }
  expect(Number(await ask(page, tile))).toBe(6);
  await track.click({ position: { x: width / 4, y: height / 2 } });
  await until(page, `Math.abs(${media}.currentTime - 1.5) < 0.1`);
  const link = await ask<string>(page, `document.querySelector("[data-copy-now]").dataset.copy`);
  expect(link).toMatch(new RegExp(`/assets/${film}\\?t=1\\.\\d+$`));
  expect(faults).toEqual([]);
});

test("what no browser plays is watched through a small copy, of the same frames, and the page says so", async () => {
  const { page, faults } = watched;
  const path = clip("cinema.mov", "-c:v", "prores_ks", "-profile:v", "0", "-c:a", "pcm_s16le");
  const { id } = await api.add(path, "cinema.mov");
  await page.goto(`/assets/${id}`);
  await page.getByText("This browser cannot play ProRes.").waitFor();
  await until(page, `${media}.readyState >= 2`, MAKING_MS);
  expect(await page.getByText("Small copy", { exact: true }).isVisible()).toBe(true);
  expect(await page.locator("[data-note]").isVisible()).toBe(false);
  await page.keyboard.press("End");
  await page.keyboard.press(",");
  await until(page, `${now} === "00:00:05:23" || ${now} === "00:00:05:24"`);
  await page.keyboard.press("Home");
  await page.keyboard.press(" ");
  await until(page, `${media}.currentTime > 0.5 && ${media}.videoWidth === 320`);
  const { body } = await api.get("/api/v1/assets?limit=100");
  expect(body.items).toHaveLength(2);
  expect(faults).toEqual([]);
});

test("a ladder plays, with the pictures and the waveform of what it was made of", async () => {
  const { page, faults } = watched;
  const params = { format: "hls", segmentSeconds: 2, rungs: [{ height: 144 }] };
  const job = await api.run("ladder", [film], params);
  expect(job.state).toBe("succeeded");
  await open(page, job.outputs[0]);
  expect(await ask<string>(page, `document.querySelector(".player").dataset.source`)).toBe(
    "ladder",
  );
  await page.keyboard.press(" ");
  await until(page, `${media}.currentTime > 0.5`);
  await until(page, `document.querySelector("[data-track]").dataset.waveform === "ready"`);
  expect(await page.locator("#lineage").getByText("Film one.mp4").isVisible()).toBe(true);
  expect(faults).toEqual([]);
});

test("names do not overwrite each other unseen, and labels come and go", async () => {
  const { page, faults } = watched;
  await open(page, film);
  const rename = page.getByRole("button", { name: "Rename" });
  await rename.click();
  await page.locator("#asset-name").waitFor();
  const elsewhere = await api.call("PATCH", `/api/v1/assets/${film}`, {
    body: JSON.stringify({ name: "Theirs.mp4" }),
    headers: { "content-type": "application/json" },
  });
  expect(elsewhere.status).toBe(200);
  await page.fill("#asset-name", "Mine <b>.mp4");
  await page.keyboard.press("Enter");
  await page.getByText("It was renamed on another page meanwhile").waitFor();
  expect(await page.inputValue("#asset-name")).toBe("Mine <b>.mp4");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Mine <b>.mp4", level: 1 }).waitFor();
  await rename.click();
  await page.locator("#asset-name").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Mine <b>.mp4", level: 1 }).waitFor();

  await page.fill("#label-new", "second half");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove second half" }).click();
  await page.getByRole("button", { name: "Remove second half" }).waitFor({ state: "detached" });
  // The refusal of a name that was taken meanwhile is an answer, not a fault of the page.
  expect(faults.filter((fault) => !fault.includes("status of 409"))).toEqual([]);
  faults.length = 0;
});

test("a file that is deleted on another page says so here, and can be brought back", async () => {
  const { page, faults } = watched;
  await open(page, film);
  await page.keyboard.press(" ");
  await until(page, `!${media}.paused`);
  expect((await api.call("DELETE", `/api/v1/assets/${film}`)).status).toBe(204);
  await page.getByRole("alert").getByText("This file was deleted").waitFor();
  expect(await ask<boolean>(page, `${media}.paused`)).toBe(true);
  expect(await ask<string>(page, "document.activeElement.textContent")).toBe("Bring it back");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Mine <b>.mp4" }).waitFor();
  await until(page, `${media}.readyState >= 2`);
  expect(await page.getByText("This file was deleted").count()).toBe(0);
  expect(faults.filter((fault) => !fault.includes("status of 404"))).toEqual([]);
});

test("on a phone nothing lies beside the page, and nothing moves when the film comes", async () => {
  const phone = await enter({ width: 360, height: 740 });
  await phone.page.addInitScript(`
    globalThis.moved = 0;
    new PerformanceObserver((list) => {
      for (const { value } of list.getEntries()) globalThis.moved += value;
    }).observe({ type: "layout-shift", buffered: true });
  `);
  await open(phone.page, film);
  await until(phone.page, `document.querySelector("[data-track]").dataset.waveform === "ready"`);
  expect(await scrollsSideways(phone.page)).toBe(false);
  expect(await ask<number>(phone.page, "globalThis.moved")).toBeLessThan(0.05);
  expect(phone.faults).toEqual([]);
  await phone.context.close();
});
