/** Forms in a real browser under the real policy: rows that come and go, and the files of a job. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { operations } from "../src/operations/index.ts";
import { paramsFromTexts } from "../src/operations/parameter-texts.ts";
import { openBrowser, openPage, type WatchedPage } from "./browser.ts";
import { plainClip } from "./clips.ts";
import { pageAudit } from "./page-audit.ts";
import { everyField } from "./preview-operation.ts";
import { assets } from "./preview-samples.ts";
import { type Preview, startPreview } from "./preview-server.ts";

/** One test fills in a whole form; on a busy machine each field may take a second. */
setDefaultTimeout(60_000);

const formPath = `/assets/${assets[0]?.id}?operation=every-field`;

let browser: Browser;
let preview: Preview;

beforeAll(async () => {
  preview = startPreview(plainClip());
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await preview?.stop();
});

async function withForm(use: (page: Page, watched: WatchedPage) => Promise<void>): Promise<void> {
  const watched = await openPage(browser, preview.origin, {});
  try {
    await watched.page.goto(formPath);
    await until(
      async () =>
        (await watched.page.evaluate("typeof htmx === 'object' && document.readyState")) ===
        "complete",
    );
    await use(watched.page, watched);
    // The browser itself notes a 422 in its console; nothing else may be there.
    expect(watched.faults.filter((fault) => !fault.includes("422"))).toEqual([]);
    expect(preview.hits).toEqual([]);
  } finally {
    await watched.context.close();
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("the condition did not come true in 10 s");
    await Bun.sleep(25);
  }
}

/** Presses Start and gives what the browser sends. */
async function sentBy(page: Page): Promise<URLSearchParams> {
  const sent = page.waitForRequest(
    (request) => request.method() === "POST" && request.url().endsWith("/ui/jobs"),
  );
  await page.getByRole("button", { name: "Start" }).click();
  return new URLSearchParams((await sent).postData() ?? "");
}

test("the form of every operation keeps the policy, names, contrast and width", async () => {
  const watched = await openPage(browser, preview.origin, { width: 390, dark: true });
  const { page } = watched;
  for (const { name } of operations) {
    await page.goto(`/assets/${assets[0]?.id}?operation=${name}`);
    await page.locator(`#form-${name}`).waitFor();
    // One row of every list, so that its fields are seen too.
    for (const button of await page.locator("[data-add-row]:visible").all()) await button.click();
    for (const part of await page.locator("details.group:not([open]) > summary:visible").all()) {
      await part.click();
    }
    for (const box of await page.locator("[data-switch]:visible").all()) await box.check();
    expect({ name, faults: await page.evaluate(pageAudit) }).toEqual({ name, faults: [] });
  }
  expect(watched.faults).toEqual([]);
  await watched.context.close();
});

describe("a form with a field of every kind", () => {
  test("rows of lists are added, filled in, moved and taken away, and sent in their order", async () => {
    await withForm(async (page) => {
      const list = (path: string) => page.locator(`[data-list="${path}"]`);
      const add = (path: string) => list(path).locator("> .list-actions button").click();
      await page.locator("[name='ranges.0.from']").fill("1:30");
      await add("ranges");
      expect(await page.evaluate("document.activeElement.name")).toBe("ranges.1.from");
      await page.locator("[name='ranges.1.from']").fill("5");
      await page.locator("[name='ranges.1.tags']").fill("goal, left");
      await list("ranges").getByRole("button", { name: "Move up" }).nth(1).click();
      await add("ranges");
      expect(await list("ranges").getByRole("button", { name: "Add" }).isDisabled()).toBe(true);
      await list("ranges").getByRole("button", { name: "Remove" }).nth(2).click();

      await add("items");
      await add("items.0.keyframes");
      await page.locator("[name='items.0.keyframes.0.time']").fill("2");
      await add("items");
      await page.locator("[name='items.1.type']").selectOption("text");
      await page.locator("[name='items.1.text']").fill("Two\nlines");
      await page.locator("#p-items-1-fade").check();
      await page.locator("[data-field='items.1.colour'] [type=color]").fill("#12ab9f");
      await page.locator("[name='rungs']").selectOption("");
      await add("rungs");
      await page.locator("[name='rungs.0.height']").fill("720");
      expect(await page.evaluate(pageAudit)).toEqual([]);

      const texts = await sentBy(page);
      const given = [...texts].filter(
        ([name]) =>
          !["operation", "asset", "form-key", "input", "preset", "preset-name"].includes(name),
      );
      const text = given.map(([name, value]): [string, string] => [name, value]);
      expect(paramsFromTexts(everyField, text)).toEqual({
        ranges: [{ from: 5, tags: ["goal", "left"] }, { from: 90 }],
        items: [
          { type: "image", input: 1, keyframes: [{ time: 2 }] },
          { type: "text", text: "Two\nlines", colour: "#12ab9f", fade: { seconds: 1 } },
        ],
        rungs: [{ height: 720 }],
        loop: "auto",
      });
    });
  });

  test("further files are found, added, put in order and sent", async () => {
    await withForm(async (page) => {
      const search = page.getByPlaceholder("Add a file from the library");
      await search.fill("Interview");
      const found = page.locator("#input-found button");
      await until(async () => (await found.count()) === 1);
      expect(await page.evaluate(pageAudit)).toEqual([]);
      await found.click();
      await search.press("Enter");
      const files = page.locator("[data-inputs]");
      await files.getByRole("button", { name: "Move down" }).first().click();
      const inputs = (await sentBy(page)).getAll("input");
      const interview = assets.find(({ name }) => name.includes("Interview"))?.id ?? "";
      expect(inputs).toEqual([interview, assets[0]?.id ?? ""]);
    });
  });

  test("a preset fills it in, rows and all, and what stands there can be saved as one", async () => {
    await withForm(async (page) => {
      await page.getByPlaceholder("Add a file from the library").fill("IMG");
      await page.getByRole("button", { name: /^Add IMG/ }).click();
      const asked = page.waitForRequest((request) => request.url().endsWith("/ui/make/form"));
      await page.getByLabel("Preset", { exact: true }).selectOption("ps_mine");
      const sent = new URLSearchParams((await asked).postData() ?? "");
      expect([sent.get("operation"), sent.get("preset")]).toEqual(["every-field", "ps_mine"]);
      expect(sent.getAll("input")).toEqual([assets[0]?.id ?? "", assets[2]?.id ?? ""]);
      await until(async () => (await page.locator("[name='ranges.1.to']").count()) === 1);
      expect(await page.locator("[data-input]").count()).toBe(2);
      expect(await page.evaluate(pageAudit)).toEqual([]);
      await page.getByText("Save as preset").click();
      expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe(
        "For the club's page",
      );
      const saved = page.waitForRequest((request) => request.url().endsWith("/ui/presets/ps_mine"));
      await page.getByRole("button", { name: "Save changes" }).click();
      const form = new URLSearchParams((await saved).postData() ?? "");
      expect([form.get("preset-version"), form.get("operation")]).toEqual(["3", "every-field"]);
      const given = [...form].filter(
        ([name]) => !/^(operation|asset|form-key|input.*|preset.*)$/.test(name),
      );
      expect(paramsFromTexts(everyField, given)).toEqual({
        ranges: [{ from: 3 }, { from: 8, to: 9, tags: ["goal", "two words"] }],
        items: [
          { type: "text", text: 'Line one\nLine "two"', colour: "#ffffff", fade: { seconds: 2 } },
        ],
        rungs: [{ height: 720 }, { height: 480 }],
        loop: 3,
        curve: [[0, 1]],
      });
      await page.getByText("Saved.").waitFor();
      expect(await page.evaluate(pageAudit)).toEqual([]);
    });
  });

  test("a fault deep in a list stands at its row, and one inside a text for JSON at the text", async () => {
    await withForm(async (page) => {
      await page.locator("[name='curve']").fill("[[0, 2]]");
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByRole("alert").waitFor();
      const fault = (path: string) => page.locator(`[data-field="${path}"] > .fault`).textContent();
      expect(await fault("ranges.0.from")).toBe("is missing: must be a number from 0 to 600000 s");
      expect(await fault("curve")).toBe("0.1: is 2: must be a number from 0 to 1");
      expect(await page.evaluate("document.activeElement.name")).toBe("ranges.0.from");
      expect(await page.evaluate(pageAudit)).toEqual([]);
    });
  });
});

test("what is no number is told beside its field and not left out without a word", async () => {
  const watched = await openPage(browser, preview.origin, {});
  const { page } = watched;
  await page.goto(`/assets/${assets[0]?.id}?operation=transcode`);
  await page.locator("#form-transcode").waitFor();
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/ui/jobs")) sent.push(request.postData() ?? "");
  });
  const quality = page.locator('[name="video.quality"]');
  await quality.pressSequentially("6e");
  await page.getByRole("button", { name: "Start" }).click();
  await page.locator('[data-field="video.quality"] > .fault').waitFor();
  expect(sent).toEqual([]);
  await quality.fill("60");
  await page.getByRole("button", { name: "Start" }).click();
  await until(async () => sent.length === 1);
  expect(sent[0]).toContain("video.quality=60");
  await watched.context.close();
});

describe("the estimate beside the button", () => {
  test("comes by itself, follows the fields, and moves nothing", async () => {
    const watched = await openPage(browser, preview.origin, {});
    const { page } = watched;
    await page.goto(`/assets/${assets[0]?.id}?operation=transcode`);
    const estimate = page.locator("#operation-estimate");
    const place = () =>
      page.evaluate(
        "(() => { const { top, height } = document.querySelector('.form-actions').getBoundingClientRect(); return [top + scrollY, height]; })()",
      );
    await estimate.waitFor();
    const before = await place();
    await until(async () => ((await estimate.textContent()) ?? "").includes("About 1 min 5 s"));
    expect((await estimate.textContent()) ?? "").toContain("about 3.1 MB (2.0 MB to 5.0 MB)");
    expect((await estimate.textContent()) ?? "").toContain("From 14 jobs like it on this box.");
    expect((await estimate.textContent()) ?? "").toContain("2 jobs go before it.");
    expect(await place()).toEqual(before);
    const quality = page.locator('[name="video.quality"]');
    await quality.fill("30");
    await until(async () =>
      ((await estimate.textContent()) ?? "").includes("About 30 s (15 s to 1 min 0 s)"),
    );
    expect(await place()).toEqual(before);
    expect(watched.faults).toEqual([]);
    await watched.context.close();
  });

  test("says in words why there is none, and comes back", async () => {
    const watched = await openPage(browser, preview.origin, { width: 390 });
    const { page } = watched;
    await page.goto(`/assets/${assets[0]?.id}?operation=transcode`);
    const estimate = page.locator("#operation-estimate");
    await until(async () => ((await estimate.textContent()) ?? "").includes("About"));
    const quality = page.locator('[name="video.quality"]');
    await quality.fill("300");
    await until(async () => ((await estimate.textContent()) ?? "").includes("must be at most 100"));
    await quality.fill("50");
    await until(async () => ((await estimate.textContent()) ?? "").includes("About 50 s"));
    expect(await page.evaluate(pageAudit)).toEqual([]);
    expect(watched.faults).toEqual([]);
    await watched.context.close();
  });

  test("asks once for many letters, and hears of rows that come and go", async () => {
    await withForm(async (page) => {
      const asked: string[] = [];
      page.on("request", (request) => {
        if (request.url().endsWith("/ui/jobs/estimate")) asked.push(request.postData() ?? "");
      });
      await page.locator('[data-list="ranges"] [data-add-row]').first().click();
      await until(async () => asked.length === 1);
      expect(asked[0]).toContain("ranges.1=true");
      await page.locator('[data-list="ranges"] [name="ranges.0.from"]').pressSequentially("12345");
      await until(async () => asked.length === 2);
      expect(asked[1]).toContain("ranges.0.from=12345");
    });
  });
});
