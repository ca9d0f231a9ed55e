/** The pages in a real browser under the real policy, with sample data instead of a server. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { axeFaults } from "./axe.ts";
import { openBrowser, openPage, type WatchedPage } from "./browser.ts";
import { layoutShifts, pageAudit, SHIFT_MAX } from "./page-audit.ts";
import { assets, entries } from "./preview-samples.ts";
import { type Preview, startPreview } from "./preview-server.ts";

/** One test walks through all pages; on a busy machine a page may take some seconds with all that is looked at. */
setDefaultTimeout(240_000);

const assetPath = (position: number) => `/assets/${assets[position]?.id}`;
const jobPath = (position: number) => `/jobs/${entries[position]?.job.id}`;
const running = `#progress-${entries[0]?.job.id}`;

const pages: Record<string, string> = {
  library: "/",
  "empty library": "/?empty=1",
  "library with an unfinished upload": "/?left=1",
  "nothing found": "/?q=nothing-of-that-name",
  asset: assetPath(0),
  "asset with chapters": assetPath(1),
  "rotated asset": assetPath(2),
  sound: assetPath(3),
  picture: assetPath(4),
  "asset with a hostile name": assetPath(5),
  text: assetPath(8),
  "form with a field of every kind": `${assetPath(0)}?operation=every-field`,
  jobs: "/jobs",
  "no jobs": "/jobs?empty=1",
  "running job": jobPath(0),
  "done job": jobPath(2),
  "failed job": jobPath(3),
  "waiting job": jobPath(1),
  "job that fell back": jobPath(5),
  "eventful job": jobPath(6),
  system: "/system",
  "system of a box that is paused": "/system?work=paused",
  "system of a box that was drained": "/system?work=draining&idle=1",
  "system for a member": "/system?work=paused&role=member",
  "library of a box that is paused": "/?work=paused",
  "jobs of a box that is drained": "/jobs?work=draining&role=member",
  "style guide": "/styleguide",
  login: "/login?error=1",
  setup: "/setup?error=1",
};

let folder: string;
let browser: Browser;
let preview: Preview;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kinomill-preview-"));
  const clip = join(folder, "clip.mp4");
  const argv =
    "ffmpeg -v error -nostdin -f lavfi -i testsrc2=s=64x36:r=5:d=3 -pix_fmt yuv420p".split(" ");
  if (!Bun.spawnSync([...argv, clip]).success) throw new Error("ffmpeg made no clip");
  preview = startPreview(clip);
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await preview?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function withPage(
  options: { width?: number; height?: number; dark?: boolean },
  use: (page: Page, watched: WatchedPage) => Promise<void>,
): Promise<void> {
  const watched = await openPage(browser, preview.origin, options);
  try {
    await use(watched.page, watched);
    expect(watched.faults).toEqual([]);
    expect(preview.hits).toEqual([]);
  } finally {
    await watched.context.close();
  }
}

/** htmx has started when it has marked what it drives; pages before the login have nothing to drive. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await becomes(page, "typeof htmx === 'object' && document.readyState === 'complete'");
}

describe("every page", () => {
  const looks = [
    { name: "on a desk in the light", width: 1280, height: 800, dark: false },
    { name: "on a phone in the dark", width: 390, height: 844, dark: true },
  ];
  test.each(looks)("keeps the policy, names, contrast and width $name", async (look) => {
    await withPage(look, async (page) => {
      for (const [name, path] of Object.entries(pages)) {
        await open(page, path);
        const faults = [
          ...((await page.evaluate(pageAudit)) as string[]),
          ...(await axeFaults(page)),
        ];
        expect({ name, faults }).toEqual({ name, faults: [] });
      }
    });
  });
});

test("nothing moves while a page comes, on a phone, where lines break soonest", async () => {
  for (const [name, path] of Object.entries(pages)) {
    // Every player of the preview plays the same clip, which is not turned as this file says.
    if (name === "rotated asset") continue;
    // Each in a browser that has nothing kept: typeface, style sheet and scripts come as the first time.
    await withPage({ width: 360, height: 740 }, async (page) => {
      await open(page, path);
      await page.evaluate("document.fonts.ready.then(() => null)");
      const { sum, what } = (await page.evaluate(layoutShifts)) as { sum: number; what: string[] };
      const moved = sum > SHIFT_MAX ? what : [];
      expect({ name, moved }).toEqual({ name, moved: [] });
    });
  }
});

describe("live updates", () => {
  test("htmx starts only with its guard and its stream, however late they come", async () => {
    await withPage({}, async (page) => {
      await page.route(/hx-(csp|sse)-/, async (route) => {
        await Bun.sleep(300);
        await route.continue();
      });
      await open(page, "/jobs");
      await becomes(page, `document.getElementById("live").hasAttribute("data-htmx-powered")`);
    });
  });

  test("progress changes only its own element and leaves the focus alone", async () => {
    await withPage({}, async (page) => {
      await open(page, "/jobs");
      const cancel = page.locator(`.job-row[data-state=running] [id^=cancel-small-]`);
      await cancel.focus();
      await page.evaluate(`window.row = document.querySelector(".job-row")`);
      await until(async () => {
        preview.progress(77);
        return (await page.locator(running).textContent())?.includes("77 %") ?? false;
      });
      expect(await page.evaluate(`window.row === document.querySelector(".job-row")`)).toBe(true);
      expect(await page.evaluate("document.activeElement.id")).toStartWith("cancel-small-");
    });
  });

  test("what a GPU does changes in its place, and a panel that fetches itself keeps its graphs", async () => {
    await withPage({}, async (page) => {
      await open(page, "/system");
      await page.waitForSelector("#device-gpu-0 canvas");
      await page.evaluate(`window.live = document.getElementById("live-gpu-0")`);
      const encoders = `live.querySelector("[aria-label='Encoders at work']")`;
      await until(async () => {
        preview.load(33);
        return (await page.evaluate(`${encoders}.value === 33`)) === true;
      });
      expect(await page.evaluate(`live === document.getElementById("live-gpu-0")`)).toBe(true);
      expect(await page.locator("#device-gpu-0 canvas").count()).toBe(3);
      await page.evaluate(`window.drawn = document.querySelector("#device-gpu-0 canvas")`);
      const fetched = page.waitForResponse(/\/ui\/system\/devices$/);
      await page.evaluate("htmx.trigger(document.body, 'devices')");
      await fetched;
      const kept = `drawn.isConnected && drawn === document.querySelector("#device-gpu-0 canvas")`;
      expect(await page.evaluate(kept)).toBe(true);
      expect(await page.evaluate(pageAudit)).toEqual([]);
    });
  });

  test("the banner comes and goes with the switch, on the page of whoever looks", async () => {
    await withPage({}, async (page) => {
      await open(page, "/jobs");
      const banner = page.locator("#work-banner");
      expect(await banner.textContent()).toBe("");
      await until(async () => {
        preview.switchWork("paused");
        return (await banner.textContent())?.includes("All work is paused.") ?? false;
      });
      expect(await page.evaluate(pageAudit)).toEqual([]);
      await banner.getByRole("button", { name: "Continue" }).click();
      await until(async () => (await banner.textContent()) === "");
    });
  });

  test("the switch shows what is chosen, keeps the focus, and bears a second click", async () => {
    await withPage({}, async (page) => {
      await open(page, "/system");
      const pause = page.getByRole("button", { name: "Pause all" });
      await pause.focus();
      await page.locator("#work-paused").dblclick();
      await becomes(page, `document.getElementById("work").dataset.mode === "paused"`);
      expect(await page.evaluate("document.activeElement.id")).toBe("work-paused");
      expect(await page.locator("#work-paused").getAttribute("aria-current")).toBe("true");
      const sentence = page.locator("#work [role=status]");
      expect(await sentence.textContent()).toMatch(/^Paused since \d{1,2}:\d\d/);
      await page.getByRole("button", { name: "Continue" }).click();
      await becomes(page, `document.getElementById("work").dataset.mode === "running"`);
      expect(await sentence.textContent()).toBe("Working: 4 jobs run.");
    });
  });

  test("a job event makes the list fetch itself, and the focus stays", async () => {
    await withPage({}, async (page) => {
      await open(page, "/jobs");
      const cancel = page.locator(`.job-row[data-state=running] [id^=cancel-small-]`);
      await cancel.focus();
      const fetched = page.waitForResponse((response) => response.url().endsWith("/ui/jobs"));
      await until(async () => {
        preview.change();
        return Promise.race([fetched.then(() => true), Bun.sleep(100).then(() => false)]);
      });
      expect(await page.evaluate("document.activeElement.id")).toStartWith("cancel-small-");
    });
  });

  test("a panel that fetches itself does not restart the player", async () => {
    await withPage({}, async (page) => {
      await open(page, jobPath(2));
      await page.evaluate(
        `window.player = document.querySelector("video"); player.currentTime = 1.5`,
      );
      const fetched = page.waitForResponse((response) => response.url().includes("/ui/jobs/jb_"));
      await until(async () => {
        preview.change();
        return Promise.race([fetched.then(() => true), Bun.sleep(100).then(() => false)]);
      });
      await becomes(page, `!document.querySelector(".htmx-swapping, .htmx-request")`);
      const same = `player === document.querySelector("video") && player.currentTime === 1.5`;
      expect(await page.evaluate(same)).toBe(true);
    });
  });
});

describe("hands", () => {
  test("the keyboard finds the skip link first and then every control, each with a visible ring", async () => {
    await withPage({}, async (page) => {
      await open(page, "/");
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.className")).toBe("skip");
      const seen: string[] = [];
      for (let presses = 0; presses < 16; presses += 1) {
        await page.keyboard.press("Tab");
        const at = (await page.evaluate(`(() => {
          const element = document.activeElement;
          const ringed = [element, element.closest("label")].some(
            (one) => one && getComputedStyle(one).outlineStyle !== "none");
          return ringed ? element.tagName + (element.name ?? "") : "no ring: " + element.outerHTML.slice(0, 90);
        })()`)) as string;
        seen.push(at);
      }
      expect(seen.filter((at) => at.startsWith("no ring"))).toEqual([]);
      expect(seen).toContain("INPUTq");
      expect(seen).toContain("INPUTkind");
      await page.keyboard.press("Escape");
      await page.locator("main").click({ position: { x: 5, y: 5 } });
      await page.keyboard.press("/");
      expect(await page.evaluate("document.activeElement.name")).toBe("q");
    });
  });

  test("the search replaces the grid and the address keeps it", async () => {
    await withPage({}, async (page) => {
      await open(page, "/");
      await page.getByLabel("Search by name").fill("harbour");
      await becomes(page, `document.querySelectorAll(".card").length === 1`);
      await page.waitForURL(({ search }) => search === "?q=harbour");
      expect(await page.evaluate("document.activeElement.name")).toBe("q");
      await page.getByLabel("Search by name").fill("");
      await page.getByText("Audio", { exact: true }).click();
      await becomes(page, `document.querySelector(".card-name").textContent.endsWith(".wav")`);
      await page.waitForURL(({ search }) => search === "?kind=audio");
    });
  });

  test("a refused form marks the field, says why and puts the focus there", async () => {
    await withPage({}, async (page, { faults }) => {
      await open(page, assetPath(0));
      await page.locator(".choice-card", { hasText: "Transcode" }).click();
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByRole("alert").waitFor();
      const field = page.locator("[name='video.quality']");
      expect(await field.getAttribute("aria-invalid")).toBe("true");
      expect(await page.evaluate("document.activeElement.name")).toBe("video.quality");
      expect(await page.locator("[data-field='video.quality'] .fault").textContent()).toBe(
        "must be at most 100",
      );
      expect(await page.evaluate(pageAudit)).toEqual([]);
      // The browser itself notes a 422 in its console; nothing else may be there.
      expect(faults.splice(0).filter((fault) => !fault.includes("422"))).toEqual([]);
    });
  });

  test("another operation brings its own form", async () => {
    await withPage({}, async (page) => {
      await open(page, assetPath(0));
      await page.getByText("Thumbnails", { exact: true }).click();
      await page.locator("#form-thumbnails").waitFor();
      expect(await page.locator("#form-transcode").count()).toBe(0);
      expect(await page.evaluate(pageAudit)).toEqual([]);
    });
  });

  test("a refusal of a button becomes a notice and replaces nothing", async () => {
    await withPage({}, async (page, { faults }) => {
      await open(page, "/jobs");
      await page.locator(".job-row[data-state=running] [id^=cancel-small-]").click();
      await page.getByRole("button", { name: "Cancel the job" }).click();
      await page.locator("#notices .notice").waitFor();
      expect(await page.locator(".job-row").count()).toBe(entries.length);
      await page.getByRole("button", { name: "Dismiss" }).click();
      expect(await page.locator("#notices .notice").count()).toBe(0);
      expect(faults.splice(0).filter((fault) => !fault.includes("409"))).toEqual([]);
    });
  });

  test("deleting asks in a dialog that keeps the focus, names the file and can be left", async () => {
    await withPage({}, async (page) => {
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.method()));
      await open(page, assetPath(5));
      const button = page.getByRole("button", { name: "Delete" });
      await button.click();
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      expect(await dialog.textContent()).toContain(assets[5]?.name ?? "?");
      for (let presses = 0; presses < 4; presses += 1) {
        await page.keyboard.press("Tab");
        const inside = `!document.querySelector("main").contains(document.activeElement)`;
        expect(await page.evaluate(inside)).toBe(true);
      }
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "hidden" });
      expect(asked).not.toContain("DELETE");
      await button.click();
      await dialog.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("heading", { name: "Library" }).waitFor();
      expect(asked).toContain("DELETE");
    });
  });

  test("the chosen colours are there from the first frame of the next page", async () => {
    await withPage({}, async (page) => {
      await open(page, "/");
      const look =
        "[document.documentElement.dataset.theme, getComputedStyle(document.body).colorScheme]";
      await page.locator("[data-theme-switch]").click();
      await page.locator("[data-theme-switch]").click();
      expect(await page.evaluate(look)).toEqual(["dark", "dark"]);
      await page.addInitScript(
        `new MutationObserver(() => { if (document.body && !window.first) window.first = document.documentElement.dataset.theme ?? "none"; }).observe(document, { childList: true, subtree: true });`,
      );
      await open(page, "/jobs");
      expect(await page.evaluate("window.first")).toBe("dark");
    });
  });

  test("uploads report success and the server's sentence, and can be removed", async () => {
    await withPage({}, async (page, { faults }) => {
      await open(page, "/");
      const grid = page.waitForResponse((response) => response.url().includes("/ui/library"));
      await page.locator("#file-picker").setInputFiles([
        { name: "one.mp4", mimeType: "video/mp4", buffer: Buffer.alloc(2048) },
        { name: '<img src="/hit">.txt', mimeType: "text/plain", buffer: Buffer.from("no") },
      ]);
      await page.locator(".upload[data-state=done]", { hasText: "one.mp4" }).waitFor();
      const refused = page.locator(".upload[data-state=failed]");
      await refused.waitFor();
      expect(await refused.textContent()).toContain("This is not media that Kinomill knows.");
      await grid;
      expect(await page.evaluate(pageAudit)).toEqual([]);
      await refused.getByRole("button", { name: "Remove from this list" }).click();
      expect(await refused.count()).toBe(0);
      expect(faults.splice(0).filter((fault) => !fault.includes("422"))).toEqual([]);
    });
  });
});

/** Playwright's own wait evaluates inside the page, where the policy forbids it. */
function becomes(page: Page, expression: string): Promise<void> {
  return until(async () => (await page.evaluate(expression)) === true);
}

/** Asks again until it is so; ten seconds are far more than a message over the loopback needs. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("the condition did not come true in 10 s");
    await Bun.sleep(25);
  }
}
