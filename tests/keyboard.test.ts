/** Pages by keyboard alone: the palette, the list of keys, menus, and where the focus is before and after. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { axeFaults } from "./axe.ts";
import { openBrowser, openPage } from "./browser.ts";
import { pageAudit } from "./page-audit.ts";
import { assets } from "./preview-samples.ts";
import { type Preview, startPreview } from "./preview-server.ts";

setDefaultTimeout(60_000);

let folder: string;
let browser: Browser;
let preview: Preview;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kinomill-keyboard-"));
  const clip = join(folder, "clip.mp4");
  await Bun.write(clip, "no page of these tests plays it");
  preview = startPreview(clip);
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await preview?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function withPage(path: string, use: (page: Page) => Promise<void>): Promise<void> {
  const watched = await openPage(browser, preview.origin);
  try {
    await watched.page.goto(path);
    await watched.page.waitForFunction("typeof kinomill === 'object' && kinomill.life");
    await use(watched.page);
    expect(watched.faults).toEqual([]);
    expect(preview.hits).toEqual([]);
  } finally {
    await watched.context.close();
  }
}

const focused = (page: Page) => page.evaluate("document.activeElement?.id") as Promise<string>;
const inDialog = (page: Page) =>
  page.evaluate("document.activeElement?.closest('dialog')?.id ?? null") as Promise<string | null>;

test("the palette finds a file of the server, and Enter opens it", async () => {
  await withPage("/jobs", async (page) => {
    await page.keyboard.press("Control+k");
    const field = page.locator("#palette [role=combobox]");
    await field.fill("final_match");
    const option = page.getByRole("option", { name: /final_match/ });
    await option.and(page.locator("[aria-selected=true]")).waitFor();
    expect(await field.getAttribute("aria-activedescendant")).toBe(await option.getAttribute("id"));
    expect(await page.evaluate(pageAudit)).toEqual([]);
    expect(await axeFaults(page)).toEqual([]);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/assets/${assets[1]?.id}`);
    await page.goBack();
    await page.waitForURL("**/jobs");
  });
});

test("a hostile name in the palette stays a name", async () => {
  await withPage("/", async (page) => {
    await page.keyboard.press("Control+k");
    await page.locator("#palette [role=combobox]").fill("onerror");
    await page.getByRole("option", { name: /onerror=alert/ }).waitFor();
    expect(await page.locator("#palette-found img, #palette-found b").count()).toBe(0);
  });
});

test("what is typed narrows pages and actions; arrows walk around, Escape gives the focus back", async () => {
  await withPage("/", async (page) => {
    await page.locator("[data-opens=palette]").focus();
    await page.keyboard.press("Enter");
    const selected = page.locator("#palette [aria-selected=true]");
    await selected.filter({ hasText: "Library" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await selected.filter({ hasText: "Jobs" }).waitFor();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await selected.filter({ hasText: "Log out" }).waitFor();
    await page.locator("#palette [role=combobox]").fill("work pause");
    await selected.filter({ hasText: "Pause all work" }).waitFor();
    await page.locator("#palette [role=combobox]").fill("nothing is called that");
    await page.locator("[data-none]").waitFor();
    await page.keyboard.press("Escape");
    expect(await page.evaluate("document.activeElement.dataset.opens")).toBe("palette");
  });
});

test("what the server finds later does not take the choice from under the hand", async () => {
  await withPage("/jobs", async (page) => {
    await page.keyboard.press("Control+k");
    await page.locator("#palette [role=combobox]").fill("in");
    const selected = page.locator("#palette [aria-selected=true]");
    const chosen = await selected.getAttribute("id");
    await page.getByRole("option", { name: /final_match/ }).waitFor();
    expect(chosen).toStartWith("palette-to-");
    expect(await selected.getAttribute("id")).toBe(chosen);
    await page.keyboard.press("ArrowUp");
    await page.locator("#palette-found [aria-selected=true]").waitFor();
  });
});

test("an action of the palette is done, and everybody sees it", async () => {
  await withPage("/", async (page) => {
    await page.keyboard.press("Control+k");
    await page.locator("#palette [role=combobox]").fill("pause all");
    await page.locator("#palette [aria-selected=true]", { hasText: "Pause all work" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("#work-banner", { hasText: "All work is paused." }).waitFor();
    preview.switchWork("running");
  });
});

test("the list of keys says what there is, and keeps the focus until it closes", async () => {
  await withPage("/", async (page) => {
    await page.keyboard.press("?");
    const dialog = page.getByRole("dialog", { name: "Keys" });
    await dialog.getByText("To the Jobs").waitFor();
    expect([...((await page.evaluate(pageAudit)) as string[]), ...(await axeFaults(page))]).toEqual(
      [],
    );
    for (let press = 0; press < 4; press += 1) {
      await page.keyboard.press(press % 2 ? "Shift+Tab" : "Tab");
      expect(await inDialog(page)).toBe("keys");
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
  });
});

test("a shade keeps the pointer from the page behind a dialog, and a press on it closes", async () => {
  await withPage("/", async (page) => {
    await page.keyboard.press("Control+k");
    const palette = page.getByRole("dialog", { name: "Search and commands" });
    await palette.waitFor();
    const behind = page.locator(".card a").first();
    const place = (await behind.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.click(place.x + 4, place.y + 4);
    await palette.waitFor({ state: "hidden" });
    expect(new URL(page.url()).pathname).toBe("/");
    // The end of a dialog is told a moment after it is closed.
    await page.locator(".dialog-shade").waitFor({ state: "detached" });
    await behind.click();
    await page.waitForURL("**/assets/*");
  });
});

test("g and a letter lead to a room; in a field they are letters; / leads to the search", async () => {
  await withPage("/", async (page) => {
    await page.keyboard.press("/");
    await page.keyboard.type("gj?");
    expect(await page.getByRole("searchbox").inputValue()).toBe("gj?");
    expect(new URL(page.url()).pathname).toBe("/");
    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("g");
    await page.keyboard.press("j");
    await page.waitForURL("**/jobs");
  });
});

test("the menu of the account opens, is walked through and closed by keys", async () => {
  await withPage("/", async (page) => {
    await page.locator("header summary").focus();
    await page.keyboard.press("ArrowDown");
    const at = () => page.evaluate("document.activeElement.textContent.trim()");
    expect(await at()).toContain("Keys");
    await page.keyboard.press("ArrowUp");
    expect(await at()).toContain("Log out");
    await page.keyboard.press("Home");
    expect(await at()).toContain("Keys");
    await page.keyboard.press("Escape");
    expect(await page.evaluate("document.activeElement.matches('header summary')")).toBe(true);
    expect(await page.locator("header details[open]").count()).toBe(0);
  });
});

test("every part of the style guide that can be opened closes again, and gives the focus back", async () => {
  await withPage("/styleguide", async (page) => {
    const opener = page.getByRole("button", { name: "Open a dialog" });
    await opener.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "A dialog" }).waitFor();
    expect(await inDialog(page)).toBe("guide-dialog");
    await page.keyboard.press("Escape");
    expect(await page.evaluate("document.activeElement.dataset.opens")).toBe("guide-dialog");
    expect(await focused(page)).toBe("");
  });
});
