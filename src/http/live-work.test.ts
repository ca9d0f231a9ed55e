/** The switch of all work as pages and programs use it: who may, what it answers, who is told. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";
import { StreamReader } from "../../tests/http/reader.ts";
import { type WorkMode, workModes } from "../jobs/work-mode.ts";

let home: Furnished;

beforeAll(async () => {
  home = await furnish();
});

afterAll(() => home.site.close());

const table = tableFor(() => home);

function switchTo(mode: WorkMode): void {
  home.site.parts.workSwitch.set(mode);
}

const asPage = { accept: "text/html" };
const asHtmx = { "hx-request": "true" };
const button = { path: "/ui/system/work", method: "POST" };

table("a button of the switch", [
  {
    ...{ name: "pauses for an admin and has the page fetch its panel", ...button },
    ...{ browser: "ann", headers: asHtmx, form: { mode: "paused" } },
    status: 204,
    answers: { "hx-trigger": "work" },
  },
  { name: "and it is paused", path: "/api/v1/system", as: "bob", status: 200, has: ['"paused"'] },
  {
    ...{ name: "works as a plain form and leads back to the switch", ...button },
    ...{ browser: "ann", headers: asPage, form: { mode: "draining" } },
    status: 303,
    answers: { location: "/system", "hx-trigger": null },
  },
  {
    ...{ name: "is not a member's, and htmx shows why in a notice", ...button },
    ...{ browser: "bob", headers: asHtmx, form: { mode: "running" } },
    status: 403,
    has: ['role="alert"', "Only an admin may pause, drain or continue all work."],
    lacks: ["<!doctype"],
  },
  {
    ...{ name: "is not a member's as a plain form either", ...button },
    ...{ browser: "bob", headers: asPage, form: { mode: "running" } },
    status: 403,
    has: ["<!doctype html>", "Only an admin may", "This machine is being drained"],
  },
  {
    ...{ name: "is no stranger's", ...button, headers: asHtmx, form: { mode: "running" } },
    status: 401,
    answers: { "hx-redirect": "/login" },
  },
  {
    ...{ name: "is not for another site's page with ann's cookie", ...button },
    ...{ browser: "ann", headers: { origin: "http://evil.example" }, form: { mode: "running" } },
    status: 403,
  },
  {
    ...{ name: "knows no other modes", ...button, browser: "ann" },
    ...{ headers: asHtmx, form: { mode: "asleep" } },
    status: 422,
    has: ["running, paused, draining"],
    lacks: ["asleep"],
  },
  {
    name: "and through all that nothing was switched",
    path: "/api/v1/system",
    as: "bob",
    status: 200,
    has: ['"draining"'],
  },
]);

const call = { path: "/api/v1/system/work", method: "PATCH" };

table("the call", [
  {
    ...{ name: "switches for an admin", ...call, as: "ann", json: { mode: "paused" } },
    status: 200,
    has: ['"mode":"paused"', '"since":"2026-'],
  },
  {
    ...{ name: "is not a member's", ...call, as: "bob", json: { mode: "running" } },
    status: 403,
    has: ['"forbidden"'],
  },
  { ...{ name: "is no stranger's", ...call, json: { mode: "running" } }, status: 401 },
  {
    ...{ name: "knows no other modes", ...call, as: "ann", json: { mode: "asleep" } },
    status: 422,
    has: ['"path":"mode"'],
  },
]);

table("a box that is paused", [
  {
    name: "says so in its panel, with the buttons, to an admin",
    ...{ path: "/ui/system/work", browser: "ann", headers: asHtmx },
    status: 200,
    has: ["<strong>Paused</strong>", "until you continue", 'value="draining"', 'value="running"'],
    lacks: ["<!doctype"],
  },
  {
    name: "says so to a member, without buttons",
    ...{ path: "/ui/system/work", browser: "bob", headers: asHtmx },
    status: 200,
    has: ["<strong>Paused</strong>", "until an admin continues"],
    lacks: ["<form", "<button"],
  },
  {
    name: "has the switch and no banner on the page of the box",
    ...{ path: "/system", browser: "ann", headers: asPage },
    status: 200,
    has: ['id="work"'],
    lacks: ['id="work-banner"'],
  },
  {
    name: "has a banner with a button on an admin's pages",
    ...{ path: "/", browser: "ann", headers: asPage },
    status: 200,
    has: ['id="work-banner"', "All work is paused.", 'href="/system"', 'value="running"'],
  },
  {
    name: "has a banner without one on a member's",
    ...{ path: "/jobs", browser: "bob", headers: asPage },
    status: 200,
    has: ["All work is paused. An admin continues it"],
    lacks: ['value="running"'],
  },
  ...["/docs", "/assets/{film}", "/jobs/{job}"].map((path) => ({
    ...{ name: `has a banner on ${path}`, path, browser: "ann" as const, headers: asPage },
    status: 200,
    has: ["All work is paused."],
  })),
  {
    name: "has a banner where nothing is, too",
    ...{ path: "/nowhere", browser: "ann", headers: asPage },
    status: 404,
    has: ["All work is paused."],
  },
  {
    name: "tells a stranger nothing",
    ...{ path: "/login", headers: asPage },
    status: 200,
    lacks: ["paused", "work-banner"],
  },
]);

test("a box that works has an empty banner, which can fill itself", async () => {
  switchTo("running");
  const banner = await (await home.site.ask("/ui/work", { browser: "bob" })).text();
  expect(banner).toMatch(/^<div id="work-banner" role="status" hx-get="\/ui\/work"[^>]*><\/div>$/);
});

describe("the panel says in a sentence", () => {
  const sentences: [WorkMode, number, RegExp][] = [
    ["running", 0, /^Working: no job runs now\.$/],
    ["running", 1, /^Working: 1 job runs\.$/],
    ["running", 3, /^Working: 3 jobs run\.$/],
    ["paused", 1, /^Paused since .+: 1 job is stopped where it stands and goes on when you conti/],
    ["paused", 2, /^Paused since .+: 2 jobs are stopped where they stand and go on when you cont/],
    ["paused", 0, /^Paused since .+: nothing runs, and nothing starts until you continue\.$/],
    ["draining", 1, /^Draining since .+: 1 job is still running, nothing new starts\.$/],
    ["draining", 0, /^Drained since .+: nothing runs; it is safe to stop the machine\.$/],
  ];
  test.each(sentences)("%s with %d jobs", async (mode, running, sentence) => {
    const { parts } = home.site;
    const { work } = parts;
    // So that each has a since, whatever was before.
    for (const each of workModes) switchTo(each);
    switchTo(mode);
    parts.work = () => ({ ...work(), running });
    try {
      const panel = await (await home.site.ask("/ui/system/work", { browser: "ann" })).text();
      const shown = /role="status">(.*?)<\/p>/.exec(panel)?.[1] ?? panel;
      expect(shown.replaceAll(/<[^>]+>/g, "")).toMatch(sentence);
    } finally {
      parts.work = work;
    }
  });
});

describe("who is told", () => {
  const streams = [
    { name: "a member's page, though the admin switched", path: "/ui/events" },
    { name: "a page that follows one job", path: "/ui/events?job=jb_1" },
    { name: "the page of the box", path: "/ui/system/events" },
  ];
  test.each(streams)("$name: on connecting and with every change", async ({ path }) => {
    switchTo("running");
    const reader = new StreamReader(await home.site.ask(path, { browser: "bob" }));
    await reader.until("event: work");
    switchTo("paused");
    await reader.until("event: work", 2);
    switchTo("paused");
    switchTo("running");
    const text = await reader.until("event: work", 3);
    expect(text.split("event: work")).toHaveLength(4);
    await reader.leave();
    expect(home.site.site.streams.count).toBe(0);
  });

  test("the page of the box, when a job begins or ends", async () => {
    const { parts } = home.site;
    const { work } = parts;
    const reader = new StreamReader(await home.site.ask("/ui/system/events", { browser: "bob" }));
    await reader.until("event: work");
    parts.work = () => ({ ...work(), running: 1 });
    try {
      await reader.until("event: work", 2);
    } finally {
      parts.work = work;
    }
    await reader.leave();
  });
});

test("the settings of the GPUs stand among the limits", async () => {
  const page = await (await home.site.ask("/system", { browser: "bob", headers: asPage })).text();
  const shown = Array.from(
    page.matchAll(/<dd>([^<]*) <code class="setting-key">(gpu\.\w+)<\/code>/g),
    ([, value, key]) => `${key}: ${value}`,
  );
  expect(shown).toEqual([
    "gpu.maxJobs: 3",
    "gpu.memoryReserveBytes: 268 MB",
    "gpu.yieldToOthers: jobs start all the same",
    "gpu.whenNone: the CPU does",
  ]);
});
