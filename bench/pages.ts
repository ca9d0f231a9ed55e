/**
 * Every page with 100,000 files and 10,000 jobs behind it: how long the server takes for its HTML, and in a browser that is
 * four times slower than this machine when the page stands, whether it moves, and how long a press takes.
 */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Appliance, eventually } from "../tests/appliance.ts";
import { logIn, openBrowser, openPage } from "../tests/browser.ts";
import { bearer } from "./connection.ts";
import { type Extent, type Figure, median, milliseconds, percentile } from "./figure.ts";
import { ASSETS, login, multiply, times } from "./library.ts";
import { storeAsset } from "./material.ts";
import { finished, insert } from "./queue-scale.ts";

const JOBS = 10_000;
/** What the targets are for: a phone or an old laptop. */
const SLOWER = 4;

/** Of so many visits the 75th percentile counts, as for everybody's vitals (https://web.dev/articles/vitals). */
const VISITS = 5;

interface Vitals {
  /** The largest part of the page stands, in ms after it was asked for. */
  lcpMs: number;
  /** Share of the page that moved while it loaded; 0 is best. */
  cls: number;
  /** The longest time from a press to the next picture, in ms. */
  inpMs: number;
}

/** Runs before the page does. */
const watch = `
window.vitals = { lcpMs: 0, cls: 0, inpMs: 0 };
const each = (type, take, more) => new PerformanceObserver((list) => list.getEntries().forEach(take))
  .observe({ type, buffered: true, ...more });
each("largest-contentful-paint", ({ startTime }) => { vitals.lcpMs = startTime; });
each("layout-shift", ({ value, hadRecentInput }) => { if (!hadRecentInput) vitals.cls += value; });
each("event", ({ duration, interactionId }) => { if (interactionId) vitals.inpMs = Math.max(vitals.inpMs, duration); },
  { durationThreshold: 16 });
`;

function fillJobs(dataFolder: string, user: string): void {
  const database = new Database(join(dataFolder, "kinomill.sqlite"), { create: false });
  const owner = database.query<{ id: string }, [string]>("SELECT id FROM user WHERE name = ?");
  const { id } = owner.get(user) ?? { id: "" };
  const { next } = database
    .query<{ next: number }, []>("SELECT coalesce(max(seq), 0) + 1 AS next FROM job")
    .get() ?? { next: 1 };
  insert(database, id, { from: next, count: JOBS, values: finished });
  database.close();
}

async function vitalsOf(page: Page, url: string): Promise<Vitals> {
  await page.goto(url);
  await page.waitForLoadState("load");
  // Nobody presses a key for a page that they do not see yet.
  const isDrawn = async () => ((await page.evaluate("window.vitals")) as Vitals).lcpMs > 0;
  await eventually(`${url} is drawn`, 10_000, isDrawn);
  // Keys and a press that every page has: the palette opens and closes, the account's menu too.
  for (const key of ["Control+k", "Escape", "?", "Escape"]) {
    await page.keyboard.press(key);
    await page.waitForTimeout(300);
  }
  await page.locator("summary[aria-label=Account]").click();
  // Event timing comes with the picture after it.
  await page.waitForTimeout(500);
  return (await page.evaluate("window.vitals")) as Vitals;
}

function judged(visits: readonly Vitals[]): Vitals {
  const of = (vital: keyof Vitals) =>
    percentile(
      visits.map((visit) => visit[vital]),
      75,
    );
  return { lcpMs: of("lcpMs"), cls: of("cls"), inpMs: of("inpMs") };
}

async function inBrowser(
  appliance: Appliance,
  addresses: Record<string, string>,
  count: number,
): Promise<Record<string, Vitals>> {
  const browser = await openBrowser();
  const { page, context } = await openPage(browser, appliance.url);
  await logIn(page, appliance.password, "bench");
  await page.addInitScript(watch);
  const slow = await context.newCDPSession(page);
  await slow.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  const visits: Record<string, Vitals[]> = {};
  for (let visit = 0; visit < count; visit += 1) {
    for (const [name, path] of Object.entries(addresses)) {
      visits[name] ??= [];
      visits[name].push(await vitalsOf(page, path));
    }
  }
  await browser.close();
  return Object.fromEntries(Object.entries(visits).map(([name, all]) => [name, judged(all)]));
}

export async function pages({ quick }: Extent): Promise<Figure[]> {
  await using appliance = await Appliance.start();
  const { url } = appliance;
  const headers = bearer(await appliance.token("bench", "admin"));
  const asset = await storeAsset(url, headers);
  await multiply(appliance.dataFolder, asset);
  fillJobs(appliance.dataFolder, "bench");
  const list = await fetch(`${url}/api/v1/jobs?limit=1`, { headers });
  const { items } = (await list.json()) as { items: { id: string }[] };
  const addresses: Record<string, string> = {
    library: "/",
    "library, a search": "/?q=match+7",
    bin: "/bin",
    asset: `/assets/${asset.id}`,
    make: `/make?asset=${asset.id}`,
    jobs: "/jobs",
    job: `/jobs/${items[0]?.id}`,
    system: "/system",
    settings: "/settings",
  };
  const cookie = await login(url, "bench", appliance.password);
  const html: [string, number[]][] = [];
  for (const [name, path] of Object.entries(addresses)) {
    html.push([name, await times(`${url}${path}`, { Cookie: cookie }, quick ? 10 : 100)]);
  }
  const vitals = Object.entries(await inBrowser(appliance, addresses, quick ? 1 : VISITS));
  const size = `${ASSETS.toLocaleString("en")} files and ${JOBS.toLocaleString("en")} jobs`;
  const worst = (of: keyof Vitals, what: string, atMost: number, unit: string): Figure => {
    const sorted = vitals.toSorted(([, a], [, b]) => b[of] - a[of]);
    const value = sorted[0]?.[1][of] ?? Number.NaN;
    const digits = of === "cls" ? 3 : 0;
    const told = sorted.slice(0, 3).map(([name, all]) => `${name} ${all[of].toFixed(digits)}`);
    const what2 = `${what}, a browser ${SLOWER} × slower, worst page`;
    return {
      what: what2,
      ours: `${told.join(", ")}${unit}`,
      other: null,
      value,
      target: { atMost },
    };
  };
  return [
    ...html.map(
      ([name, measured]): Figure => ({
        what: `HTML of the page ${name}, ${size}, p99 in ms`,
        ours: `${milliseconds(percentile(measured, 99))} (median ${milliseconds(median(measured))})`,
        other: null,
        value: percentile(measured, 99),
        target: { atMost: 50 },
      }),
    ),
    worst("lcpMs", "largest contentful paint", 1_000, " ms"),
    worst("cls", "cumulative layout shift", 0.05, ""),
    worst("inpMs", "interaction to next paint", 200, " ms"),
  ];
}
