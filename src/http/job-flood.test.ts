/** A loop that asks for a hundred thousand jobs, at the quota that Kinomill comes with. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";
import { everything } from "../../tests/support/long-form.ts";

const ASKED = 100_000;
const QUOTA = 10_000;
/** One after another, as a loop does; the rest of the hundred thousand comes in calls of a thousand. */
const ALONE = everything ? 20_000 : 500;

let site: SiteRig;
beforeAll(async () => {
  site = await openSite();
  site.database.run("PRAGMA synchronous = OFF");
});
afterAll(() => site.close());

const ask = (path: string, as: "ann" | "bob", json: object) =>
  site.ask(`/api/v1${path}`, { as, method: "POST", json });

const waiting = () =>
  site.database.query<{ n: number }, []>("SELECT count(*) AS n FROM job").get()?.n;

test("of a hundred thousand jobs the quota is taken, the rest is told to wait, and others are served", async () => {
  const film = await addFilm(site, "ann");
  const request = { operation: "transcode", inputs: [film], params: {} };
  const calls = { 202: 0, 429: 0 };
  const count = (status: number) => {
    expect([202, 429]).toContain(status);
    calls[status as 202 | 429] += 1;
  };
  for (let asked = ALONE; asked < ASKED; asked += 1_000) {
    count((await ask("/jobs/bulk", "ann", { jobs: Array(1_000).fill(request) })).status);
  }
  expect([calls[202], waiting()]).toEqual([QUOTA / 1_000, QUOTA]);
  const before = process.memoryUsage.rss();
  const started = performance.now();
  for (let asked = 0; asked < ALONE; asked += 1) {
    count((await ask("/jobs", "ann", request)).status);
  }
  const eachMs = (performance.now() - started) / ALONE;
  expect([calls[202], waiting()]).toEqual([QUOTA / 1_000, QUOTA]);
  // To refuse is cheap, and leaves nothing behind.
  expect(eachMs).toBeLessThan(50);
  expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
  const refused = await ask("/jobs", "ann", request);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "30"]);
  const told = (await refused.json()) as { detail: string };
  expect(told.detail).toContain("You have 10000 jobs waiting");
  // A call that fits in part is refused whole, and one that fits is taken when some have gone.
  site.database.run("DELETE FROM job WHERE seq IN (SELECT seq FROM job LIMIT 3)");
  const four = { jobs: Array(4).fill(request) };
  expect((await ask("/jobs/bulk", "ann", four)).status).toBe(429);
  expect((await ask("/jobs/bulk", "ann", { jobs: four.jobs.slice(1) })).status).toBe(202);
  expect(waiting()).toBe(QUOTA);
  const bobs = await addFilm(site, "bob");
  expect((await ask("/jobs", "bob", { ...request, inputs: [bobs] })).status).toBe(202);
}, 600_000);
