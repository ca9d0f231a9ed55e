/** Behind a real nginx under a path, as docs/network.md has it: every page, an upload and a job in Chromium, and the log. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { openBrowser, openPage } from "./browser.ts";
import { plainClip } from "./clips.ts";
import { Nginx } from "./support/nginx.ts";

setDefaultTimeout(180_000);

const WAIT_MS = 60_000;

/** Pages and what they load; a page that links to more than this links in a circle. */
const ADDRESSES_MAX = 500;

let appliance: Appliance;
let nginx: Nginx;
let browser: Browser;
let api: Api;
let film: { id: string };
let job: { id: string };

/** The example of the documentation, for this server. */
async function example(): Promise<string> {
  const text = await Bun.file(join(import.meta.dir, "../docs/network.md")).text();
  const [, block = ""] = /```nginx\n([^`]+)```/.exec(text) ?? [];
  expect(block).toContain("location /kinomill/");
  return block.replace("http://127.0.0.1:7600", appliance.url);
}

beforeAll(async () => {
  const environment = {
    KINOMILL_HTTP_BASE_PATH: "/kinomill",
    KINOMILL_HTTP_TRUSTED_PROXIES: "127.0.0.1",
  };
  appliance = await Appliance.start({ environment });
  // The other way: the proxy takes the path off, and says which it was.
  const off = `location /off/ { proxy_pass ${appliance.url}/; proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Prefix /off; }`;
  nginx = await Nginx.start(`${await example()} ${off}`);
  api = new Api(`${nginx.url}/kinomill`, await appliance.token("ann", "admin"));
  film = await api.add(plainClip(), "match.mp4");
  job = await api.run("thumbnails", [film.id]);
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await nginx?.[Symbol.asyncDispose]();
  await appliance[Symbol.asyncDispose]();
});

function work(mode: string): Promise<unknown> {
  const headers = { "Content-Type": "application/json" };
  return api.call("PATCH", "/api/v1/system/work", { body: JSON.stringify({ mode }), headers });
}

/** The cookie of a login at this address of the site. */
async function logIn(site: string): Promise<string> {
  const answer = await fetch(`${site}/login`, {
    method: "POST",
    redirect: "manual",
    headers: { origin: nginx.url },
    body: new URLSearchParams({ name: "ann", password: appliance.password }),
  });
  expect(answer.status).toBe(303);
  return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** Every path in an attribute: where it stands, and whether a look at it changes nothing. */
function addresses(page: string): { name: string; path: string }[] {
  const found = page.matchAll(/\s([a-z:-]+)="(\/[^"]*)"/g);
  return [...found].flatMap(([, name = "", path = ""]) =>
    name === "data-shortcut" ? [] : [{ name, path: path.replaceAll("&amp;", "&") }],
  );
}

const reads = new Set(["href", "src", "poster", "hx-get"]);

for (const path of ["/kinomill", "/off"]) {
  test(`under ${path} no page leads out, and all that they name is there`, async () => {
    const cookie = await logIn(nginx.url + path);
    const seen = new Set([`${path}/`]);
    const broken: string[] = [];
    for (const address of seen) {
      // The stream of events has no end, and a form is asked for with the name of an operation.
      if (/\/events|\/form$/.test(address) || seen.size > ADDRESSES_MAX) continue;
      const headers = { cookie, accept: "text/html,*/*" };
      const answer = await fetch(nginx.url + address, { headers, redirect: "manual" });
      if (answer.status >= 300) broken.push(`${answer.status} ${address}`);
      const isPage = answer.headers.get("content-type")?.startsWith("text/html") === true;
      if (!isPage) {
        await answer.body?.cancel();
        continue;
      }
      for (const { name, path: named } of addresses(await answer.text())) {
        if (!named.startsWith(`${path}/`)) broken.push(`${name}="${named}" in ${address}`);
        else if (reads.has(name)) seen.add(named);
      }
    }
    expect(broken).toEqual([]);
    const shown = [`${path}/`, `${path}/jobs`, `${path}/system`, `${path}/docs`];
    const own = [`${path}/assets/${film.id}`, `${path}/jobs/${job.id}`];
    for (const page of [...shown, ...own]) expect(seen).toContain(page);
    expect(seen.size).toBeLessThan(ADDRESSES_MAX);
  });
}

test("a person logs in, uploads, and watches a job under the path", async () => {
  const { page, context, faults } = await openPage(browser, `${nginx.url}/kinomill/`);
  page.setDefaultTimeout(WAIT_MS);
  await page.goto("jobs");
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(appliance.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/kinomill/jobs");
  const [cookie] = await context.cookies();
  expect(cookie?.path).toBe("/kinomill");

  await page.goto("");
  await page.locator("#file-picker").setInputFiles(plainClip(3));
  const card = page.locator(`a[href^="/kinomill/assets/"]`, { hasText: "plain-3.mp4" });
  await card.first().waitFor();
  const items = (await api.get("/api/v1/assets")).body.items as { id: string; name: string }[];
  const uploaded = items.find(({ name }) => name === "plain-3.mp4");

  // A picture of the page of a job that waits: what comes afterwards, the stream brought.
  await work("paused");
  const params = { video: { codec: "h264", maxHeight: 144 } };
  const { id } = await api.start("transcode", [uploaded?.id ?? ""], params);
  await page.goto(`jobs/${id}`);
  await page.locator('#job-panel[data-state="queued"]').waitFor();
  await work("running");
  await page.locator('#job-panel[data-state="succeeded"]').waitFor();
  await page.locator('a[href^="/kinomill/api/v1/assets/"]').first().waitFor();

  await page.goto("system");
  await page.locator("#devices").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("the log has the address of the asker, and what strangers write into headers is not believed", async () => {
  const ask = (...argv: string[]) =>
    Bun.spawnSync([
      "curl",
      "-sS",
      "-o",
      "/dev/null",
      "-H",
      "X-Forwarded-For: 203.0.113.9",
      ...argv,
    ]);
  expect(ask("--interface", "127.0.0.2", `${nginx.url}/kinomill/api/v1/a`).exitCode).toBe(0);
  expect(ask("--interface", "127.0.0.3", `${appliance.url}/api/v1/b`).exitCode).toBe(0);
  const lines = await eventually("both are logged", WAIT_MS, async () => {
    const log = (await appliance.log()).split("\n").filter((line) => line.includes("refused"));
    const found = ["/api/v1/a", "/api/v1/b"].map((path) => log.find((line) => line.includes(path)));
    return found.every((line) => line !== undefined) && found;
  });
  expect(lines.map((line) => JSON.parse(line ?? "{}").peer)).toEqual(["127.0.0.2", "127.0.0.3"]);
});
