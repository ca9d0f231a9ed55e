/** The log over HTTP: for admins alone, filtered, followed; a flood of lines is no flood of messages. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";
import { StreamReader } from "../../tests/http/reader.ts";
import { LogRing } from "../log-ring.ts";

let home: Furnished;
const ring = new LogRing("run");

function say(said: Record<string, unknown>): void {
  const time = "2026-11-29T12:00:00.123Z";
  ring.push(JSON.stringify({ level: "info", time, service: "kinomill", msg: "said", ...said }));
}

beforeAll(async () => {
  home = await furnish();
  home.site.parts.ring = ring;
  say({ part: "jobs", job: "jb_1", msg: "job ended" });
  say({ part: "http", request: "rq_1", level: "warn", msg: '<b hx-get="/evil">slow</b>' });
});

afterAll(() => home.site.close());

const table = tableFor(() => home);
const path = "/api/v1/system/log";
const page = { path: "/system/log", headers: { accept: "text/html" } };

table("the log", [
  {
    ...{ name: "is an admin's", path, as: "ann", status: 200 },
    has: ['"id":"run-1"', '"job ended"', '"parts":["http","jobs"]'],
  },
  {
    name: "is not a member's",
    path,
    as: "bob",
    status: 403,
    has: ["Only an admin may read the log"],
  },
  { name: "is no stranger's", path, status: 401 },
  {
    ...{ name: "of a level", path: `${path}?level=warn`, as: "ann", status: 200 },
    ...{ has: ["slow", '"more":false'], lacks: ["job ended"] },
  },
  {
    ...{ name: "of one line, and that there are more", path: `${path}?limit=1`, as: "ann" },
    ...{ status: 200, has: ["slow", '"more":true'], lacks: ["job ended"] },
  },
  {
    ...{ name: "of a job", path: `${path}?job=jb_1`, as: "ann", status: 200 },
    ...{ has: ["job ended"], lacks: ["slow"] },
  },
  {
    ...{ name: "of a request", path: `${path}?request=rq_1`, as: "ann", status: 200 },
    ...{ has: ["slow"], lacks: ["job ended"] },
  },
  {
    ...{ name: "with a text", path: `${path}?q=ENDED&part=`, as: "ann", status: 200 },
    ...{ has: ["job ended"], lacks: ["slow"] },
  },
  {
    ...{ name: "before a line", path: `${path}?before=run-2`, as: "ann", status: 200 },
    ...{ has: ["job ended"], lacks: ["slow"] },
  },
  { name: "has no such level", path: `${path}?level=loud`, as: "ann", status: 422 },
  { name: "gives no more at once", path: `${path}?limit=1001`, as: "ann", status: 422 },
  { name: "takes ids of lines alone", path: `${path}?before=%00`, as: "ann", status: 422 },
  { name: "is not streamed to members", path: `${path}/events`, as: "bob", status: 403 },
  {
    ...{ name: "has a page for admins", ...page, browser: "ann", status: 200 },
    has: [
      "job ended",
      "12:00:00.123",
      "job=jb_1",
      "&lt;b hx-get=",
      'data-events-address="/api/v1/system/log/events"',
    ],
    lacks: ['<b hx-get="/evil"'],
  },
  {
    ...{
      name: "on the page goes by the address",
      ...page,
      path: "/system/log?level=warn&part=http",
    },
    ...{ browser: "ann", status: 200, lacks: ["job ended"] },
    has: ['value="warn" selected', 'value="http" selected', "part=http&amp;before=run-2"],
  },
  {
    ...{ name: "says so when nothing fits", ...page, path: "/system/log?q=nothing" },
    ...{ browser: "ann", status: 200, has: ["No line fits."] },
  },
  { name: "has no page for members", ...page, browser: "bob", status: 403, lacks: ["job ended"] },
]);

test("the stream tells what came since, and then each line that fits", async () => {
  const { site } = home;
  const asked = `${path}/events?part=jobs&after=run-0`;
  const reader = new StreamReader(await site.ask(asked, { as: "ann" }));
  const first = await reader.until("job ended");
  expect(first).toContain('event: record\nid: run-1\ndata: {"id":"run-1"');
  say({ part: "http", msg: "of another part" });
  say({ part: "jobs", msg: "two\nlines" });
  const text = await reader.until("lines");
  expect(text).toContain('"message":"two\\nlines"');
  expect(text).not.toContain("of another part");
  await reader.leave();
  expect(site.site.streams.count).toBe(0);
});

test("of a flood it tells the newest, and how many it left out", async () => {
  const reader = new StreamReader(await home.site.ask(`${path}/events?part=flood`, { as: "ann" }));
  await reader.until("retry:");
  for (let count = 1; count <= 1_000; count += 1) say({ part: "flood", msg: `line ${count}!` });
  const text = await reader.until("line 1000!");
  expect(text).toContain('event: skipped\ndata: {"count":800}');
  expect(text).not.toContain("line 800!");
  expect(text).toContain("line 801!");
  await reader.leave();
});
