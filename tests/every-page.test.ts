/**
 * Every page of the real server, with names that attack it: axe finds nothing in light and dark, nothing of a name
 * becomes markup, asks for anything or runs, and on a phone nothing scrolls sideways.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { logIn, openBrowser, openPage, type WatchedPage } from "./browser.ts";
import { plainClip } from "./clips.ts";
import { attacks } from "./hostile/names.ts";
import { pageAudit } from "./page-audit.ts";
import { pageRoutes } from "./support/page-routes.ts";

setDefaultTimeout(300_000);

const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Where an address has a part that is made up when something is made. */
const made: Record<string, string> = {};

/** A place that nobody goes to by himself. */
const canary = "/canary";

let appliance: Appliance;
let browser: Browser;
let api: Api;

/** The pages of a person who is logged in; `:name` is the id of something that was made. */
const inside: Record<string, string> = {
  library: "/",
  "library as a list": "/?view=list",
  "library where nothing is found": "/?q=nothing-is-called-so",
  bin: "/bin",
  asset: "/assets/:asset",
  "asset with a hostile name": "/assets/:hostile",
  "list of a ladder": "/assets/:ladder",
  "make of one": "/make?asset=:asset",
  "make of several": "/make?asset=:asset&asset=:hostile",
  "make with a form": "/make?asset=:asset&asset=:hostile&operation=overlay",
  jobs: "/jobs",
  "jobs that failed": "/jobs?state=failed",
  "job that is done": "/jobs/:done",
  "job that made a ladder": "/jobs/:laddered",
  "job that failed": "/jobs/:failed",
  "job that waits": "/jobs/:waiting",
  welcome: "/welcome",
  system: "/system",
  log: "/system/log",
  settings: "/settings",
  account: "/settings/account",
  people: "/settings/people",
  "where files are": "/settings/storage",
  presets: "/settings/presets",
  "what admins did": "/settings/acts",
  backups: "/settings/backups",
  retention: "/settings/retention",
  documentation: "/docs",
  "style guide": "/styleguide",
  "what is not there": "/nothing-here",
};

/** Pages for those who are not logged in. */
const outside: Record<string, string> = {
  login: "/login",
  invitation: "/invitation",
};

/** Of routes that need no visit: why. */
const elsewhere: Record<string, string> = {
  "/setup": "only before there is an admin: tests/browser.test.ts",
};

beforeAll(async () => {
  appliance = await Appliance.start();
  browser = await openBrowser();
  api = new Api(appliance.url, await appliance.token("ann", "admin"));
  await furnish();
});

afterAll(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
});

/** One of everything, named by whoever wants to break in. */
async function furnish(): Promise<void> {
  const { id: asset } = await api.add(plainClip(), "plain.mp4");
  const hostile: string[] = [];
  for (const name of attacks(canary)) hostile.push((await api.add(plainClip(1), name)).id);
  const labels = { [`l${"x".repeat(20)}`]: attacks(canary)[0]?.slice(0, 60) ?? "" };
  const ask = async (params: object, more: object = {}) => {
    const request = { operation: "thumbnails", inputs: [asset], params, ...more };
    const { status, body } = await api.post("/api/v1/jobs", request);
    expect({ status, body: status === 202 ? null : body }).toEqual({ status: 202, body: null });
    return body.id as string;
  };
  const done = await ask({});
  await ended(done);
  const ladder = await api.run("ladder", [asset], { format: "hls", rungs: [{ height: 144 }] });
  expect(ladder.state).toBe("succeeded");
  const waiting = await ask({}, { notBefore: "2099-01-01T00:00:00Z", labels });
  const gone = (await api.add(plainClip(1), attacks(canary)[1] ?? "")).id;
  const failing = await api.post("/api/v1/jobs", {
    ...{ operation: "transcode", inputs: [gone], params: {}, notBefore: "2099-01-01T00:00:00Z" },
  });
  await api.post(`/api/v1/jobs/${failing.body.id}/cancel`, {});
  Object.assign(made, { asset, hostile: hostile[0], done, waiting, failed: failing.body.id });
  Object.assign(made, { laddered: ladder.id, ladder: ladder.outputs[0] });
  await api.call("DELETE", `/api/v1/assets/${hostile.at(-1)}`);
}

async function ended(id: string): Promise<void> {
  await eventually(`job ${id} ends`, 60_000, async () => {
    const { body } = await api.get(`/api/v1/jobs/${id}`);
    return ["succeeded", "failed", "cancelled"].includes(body.state) || null;
  });
}

const addressOf = (path: string) => path.replaceAll(/:(\w+)/g, (_, name) => made[name] ?? name);

async function settle(page: Page, path: string): Promise<void> {
  await page.goto(addressOf(path));
  await page.waitForFunction("typeof htmx === 'object' && document.readyState === 'complete'");
}

/** What axe says, one line for each place: the rule, the element and why. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = (await page.evaluate("axe.run(document)")) as AxeResults;
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
  );
}

/** What a page loads before it works, over a slow line; `tus.js` comes with the first upload. */
const LOADED_BYTES_MAX = 150_000;

/** Scripts and styles of a page as they are sent, in bytes. */
async function loadedBytes(page: Page): Promise<{ files: number; bytes: number }> {
  const addresses = (await page.evaluate(
    `[...document.querySelectorAll("script[src], link[rel=stylesheet]")].map(({ src, href }) => src || href)`,
  )) as string[];
  let bytes = 0;
  for (const address of addresses) {
    const answer = await fetch(address, {
      headers: { "accept-encoding": "br" },
      decompress: false,
    });
    expect([answer.status, answer.headers.get("content-encoding")]).toEqual([200, "br"]);
    bytes += (await answer.bytes()).length;
  }
  return { files: addresses.length, bytes };
}

async function visit(
  look: { width: number; dark: boolean },
  pages: Record<string, string>,
  check: (page: Page) => Promise<string[]>,
): Promise<void> {
  const watched: WatchedPage = await openPage(browser, appliance.url, { ...look, height: 800 });
  const { page, faults, context } = watched;
  page.on("request", (request) => {
    if (request.url().includes(canary)) faults.push(`a name asked for ${request.url()}`);
  });
  page.on("dialog", (dialog) => faults.push(`a name ran: ${dialog.message()}`));
  try {
    if (pages === inside) await logIn(page, appliance.password);
    for (const [name, path] of Object.entries(pages)) {
      faults.length = 0;
      await settle(page, path);
      const found = await check(page);
      const ran = await page.evaluate("window.attacked === undefined");
      const expected = path === "/nothing-here" ? [/404/] : [];
      const wrong = faults.filter((fault) => !expected.some((known) => known.test(fault)));
      expect({ name, found, wrong, ran }).toEqual({ name, found: [], wrong: [], ran: true });
    }
  } finally {
    await context.close();
  }
}

describe("every page", () => {
  test("is in this list", () => {
    const visited = [...Object.values(inside), ...Object.values(outside)];
    const known = [...visited.map((path) => path.split("?")[0] ?? ""), ...Object.keys(elsewhere)];
    const shape = (path: string) => path.replaceAll(/:\w+/g, ":id");
    const missing = pageRoutes().filter((route) => !known.map(shape).includes(shape(route)));
    expect(missing).toEqual([]);
  });

  for (const dark of [false, true]) {
    test(`has nothing that axe finds, in the ${dark ? "dark" : "light"}`, async () => {
      await visit({ width: 1280, dark }, inside, violations);
      await visit({ width: 1280, dark }, outside, violations);
    });
  }

  test("keeps names, contrast and width on a small phone", async () => {
    const audit = async (page: Page) => (await page.evaluate(pageAudit)) as string[];
    await visit({ width: 360, dark: true }, inside, audit);
    await visit({ width: 360, dark: false }, outside, audit);
  });
});

test("every page loads at most 150 kB of scripts and styles, the player of ladders among them", async () => {
  const weights: Record<string, number> = {};
  const weigh = async (page: Page) => {
    const { files, bytes } = await loadedBytes(page);
    weights[new URL(page.url()).pathname] = bytes;
    expect(files).toBeGreaterThan(5);
    return bytes <= LOADED_BYTES_MAX ? [] : [`${bytes} bytes in ${files} files`];
  };
  await visit({ width: 1280, dark: false }, inside, weigh);
  await visit({ width: 1280, dark: false }, outside, weigh);
  const [ladder = 0, file = 0] = ["ladder", "asset"].map(
    (name) => weights[`/assets/${made[name]}`],
  );
  expect(ladder - file).toBeGreaterThan(50_000);
});

test("the alarms work: on a page without our care names ask and run, and axe finds what is wrong", async () => {
  const { page, faults, context } = await openPage(browser, appliance.url);
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes(`${canary}?`)) asked.push(request.url());
  });
  page.on("dialog", (dialog) => dialog.dismiss());
  const body = `<!doctype html><body><img src="http://127.0.0.1:9/elsewhere.png">${attacks(canary).join("\n")}`;
  await page.route("**/careless", (route) => route.fulfill({ body, contentType: "text/html" }));
  await page.goto("/careless");
  expect(asked.length).toBeGreaterThan(0);
  expect(await page.evaluate("window.attacked")).toBeGreaterThan(0);
  expect(faults.some((fault) => fault.startsWith("request: http://127.0.0.1:9"))).toBe(true);
  expect((await violations(page)).some((line) => line.startsWith("image-alt"))).toBe(true);
  await context.close();
});
