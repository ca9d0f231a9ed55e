/** What is done to jobs over HTTP: pause, change, wait for each other, many at once; and what is refused with words. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Json } from "../../tests/api.ts";
import { type AskOptions, addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";

let site: SiteRig;
let film: string;

beforeAll(async () => {
  const config = await import("../config.ts");
  const loaded = await config.loadConfig({ file: null, environment: {}, flags: {} });
  site = await openSite({ jobs: { ...loaded.jobs, queuedPerUser: 20 } });
  film = await addFilm(site, "ann", "Süße Ente.mp4");
});

beforeEach(() => {
  site.database.run("DELETE FROM job_after");
  site.database.run("DELETE FROM job");
});

afterAll(() => site.close());

async function call(
  method: string,
  path: string,
  json?: unknown,
  options: AskOptions = {},
): Promise<{ status: number; body: Json; headers: Headers }> {
  const sent = json === undefined ? {} : { json };
  const answer = await site.ask(`/api/v1${path}`, { as: "ann", method, ...sent, ...options });
  return { status: answer.status, body: await answer.json(), headers: answer.headers };
}

const post = (path: string, json: unknown = {}, options: AskOptions = {}) =>
  call("POST", path, json, options);

const request = (change: object = {}) => ({
  ...{ operation: "transcode", inputs: [film], params: {} },
  ...change,
});

async function start(change: object = {}): Promise<string> {
  const { status, body } = await post("/jobs", request(change));
  expect([status, body.detail]).toEqual([202, undefined]);
  return body.id;
}

const ended = async () => {
  const id = await start();
  await post(`/jobs/${id}/cancel`);
  return id;
};

describe("a job", () => {
  test("is paused, resumed and changed, and its history says who did it", async () => {
    const id = await start();
    expect((await post(`/jobs/${id}/pause`)).body).toMatchObject({
      ...{ state: "waiting", waitsFor: "person" },
    });
    const twice = await post(`/jobs/${id}/pause`);
    expect([twice.status, twice.body.code]).toEqual([409, "wrong_state"]);
    expect(twice.body.detail).toBe("The job is paused already. Resume it to let it go on.");
    expect(twice.body.errors).toEqual([{ path: "state", message: "waiting" }]);
    expect((await post(`/jobs/${id}/resume`)).body).toMatchObject({ state: "queued" });
    const change = { priority: 3, labels: { ticket: "7" }, notBefore: "2027-01-01T01:00:00+01:00" };
    expect((await call("PATCH", `/jobs/${id}`, change)).body).toMatchObject({
      ...{ priority: 3, labels: { ticket: "7" }, notBefore: "2027-01-01T00:00:00.000Z" },
      ...{ state: "queued", waitsFor: "time" },
    });
    const { body } = await call("GET", `/jobs/${id}`);
    expect(body.history.map(({ what }: Json) => what)).toEqual([
      ...["submit", "pause", "resume", "labels", "priority", "not before"],
    ]);
    expect(body.history[0]).toMatchObject({ who: "ann (token test)", state: "queued" });
  });

  test("is retried on the CPU alone, and the next retry is free again", async () => {
    const id = await ended();
    const wrong = await post(`/jobs/${id}/retry`, { device: "gpu:0" });
    expect([wrong.status, wrong.body.errors[0].path]).toEqual([422, "device"]);
    const { body } = await post(`/jobs/${id}/retry`, { device: "cpu" });
    expect(body).toMatchObject({ state: "queued", onlyOn: "cpu" });
    const { history } = (await call("GET", `/jobs/${id}`)).body;
    expect(history.at(-1)).toMatchObject({ what: "retry", sentence: "On the CPU alone." });
    await post(`/jobs/${id}/cancel`);
    // As before there was anything to say: without a body.
    const free = await call("POST", `/jobs/${id}/retry`);
    expect([free.status, free.body.onlyOn]).toEqual([200, null]);
  });

  test("that has ended refuses with what to do instead", async () => {
    const id = await ended();
    for (const verb of ["cancel", "pause", "resume"]) {
      const { status, body } = await post(`/jobs/${id}/${verb}`);
      expect([status, body.code]).toEqual([409, "wrong_state"]);
      expect(body.detail).toContain("cancelled");
    }
    const changed = await call("PATCH", `/jobs/${id}`, { priority: 1, labels: { a: "b" } });
    expect([changed.status, changed.body.code]).toEqual([409, "wrong_state"]);
    // All or nothing: the labels alone could have been changed.
    expect((await call("GET", `/jobs/${id}`)).body.labels).toEqual({});
    expect((await call("PATCH", `/jobs/${id}`, { labels: { a: "b" } })).body.labels).toEqual({
      a: "b",
    });
  });

  test("is another's: nothing of it is told or done", async () => {
    const id = await start();
    for (const path of ["pause", "resume", "cancel", "retry"]) {
      expect((await post(`/jobs/${id}/${path}`, {}, { as: "bob" })).status).toBe(404);
    }
    const mine = await call("GET", "/jobs", undefined, { as: "bob" });
    expect(mine.body.items).toEqual([]);
  });
});

describe("waiting for each other", () => {
  test("what there is not is refused, and so is what would never start", async () => {
    const unknown = await post("/jobs", request({ after: [`jb_${"0".repeat(32)}`] }));
    expect([unknown.status, unknown.body.errors[0].path]).toEqual([422, "after.0"]);
    const never = await post("/jobs", request({ after: [await ended()] }));
    expect([never.status, never.body.code]).toEqual([409, "predecessor_ended"]);
    expect(never.body.detail).toContain("Retry that one first");
  });

  test("a circle is refused with its way, and nothing is changed", async () => {
    const a = await start();
    const b = await start({ after: [a] });
    const circle = await call("PATCH", `/jobs/${a}`, { after: [b], priority: 9 });
    expect([circle.status, circle.body.code]).toEqual([422, "cycle"]);
    expect(circle.body.errors).toEqual([{ path: "after", message: `${a} → ${b} → ${a}` }]);
    expect((await call("GET", `/jobs/${a}`)).body).toMatchObject({ after: [], priority: 0 });
  });
});

describe("many at once", () => {
  test("are accepted together, each after those that it waits for", async () => {
    const jobs = [
      request({ after: ["#cut"], labels: { part: "2" } }),
      request({ ref: "cut", labels: { part: "1" } }),
    ];
    const { status, body } = await post("/jobs/bulk", { jobs });
    expect([status, body.ids.length]).toEqual([202, 2]);
    const { body: list } = await call("GET", `/jobs?batch=${body.batch}`);
    expect(list.items.map(({ state }: Json) => state).toSorted()).toEqual(["queued", "waiting"]);
    const { body: last } = await call("GET", `/jobs/${body.ids[0]}`);
    expect(last.after).toEqual([body.ids[1]]);
  });

  test("are refused together, with the place of the faulty one", async () => {
    const faulty = request({ params: { video: { codec: "h999" } } });
    const { status, body } = await post("/jobs/bulk", { jobs: [request(), request(), faulty] });
    expect([status, body.code]).toEqual([422, "invalid_params"]);
    expect(body.errors[0].path).toBe("jobs.2.video.codec");
    expect(body.detail).toStartWith("Job 2 of the call");
    expect((await call("GET", "/jobs")).body.items).toEqual([]);
    const circle = [request({ ref: "a", after: ["#b"] }), request({ ref: "b", after: ["#a"] })];
    expect((await post("/jobs/bulk", { jobs: circle })).body.detail).toContain(
      "#a waits for #b waits for #a",
    );
  });

  test("with the same key are the same jobs; another body is refused", async () => {
    const headers = { "idempotency-key": "bulk-1" };
    const jobs = [request(), request({ priority: 1 })];
    const first = await post("/jobs/bulk", { jobs }, { headers });
    const again = await post("/jobs/bulk", { jobs }, { headers });
    expect(again.body).toEqual(first.body);
    expect((await post("/jobs/bulk", { jobs: [request()] }, { headers })).status).toBe(409);
  });

  test("are cancelled and retried by a filter or by their ids, and the others are told apart", async () => {
    const ids = [await start({ labels: { a: "1" } }), await start({ labels: { a: "2" } })];
    const gone = await ended();
    const by = await post("/jobs/bulk/cancel", { filter: { label: ["a:1"] } });
    expect(by.body).toEqual({ changed: [ids[0]], skipped: [], more: false });
    const named = await post("/jobs/bulk/cancel", { ids: [ids[1], gone, "jb_x"] });
    expect(named.body.changed).toEqual([ids[1]]);
    expect(named.body.skipped.map(({ id, code }: Json) => [id, code])).toEqual([
      [gone, "wrong_state"],
      ["jb_x", "not_found"],
    ]);
    const retried = await post("/jobs/bulk/retry", { filter: {} });
    expect(retried.body.changed.length).toBe(3);
    await post("/jobs/bulk/cancel", { ids });
    const onCpu = await post("/jobs/bulk/retry", { ids, device: "cpu" });
    expect(onCpu.body.changed).toEqual(ids);
    expect((await call("GET", `/jobs/${ids[0]}`)).body.onlyOn).toBe("cpu");
    expect((await post("/jobs/bulk/retry", {})).status).toBe(422);
  });
});

describe("a list", () => {
  test("is filtered by label, text, operation, device, state and time", async () => {
    const one = await start({ labels: { ticket: "42", customer: "Müller" } });
    const other = await start({ operation: "thumbnails", labels: { ticket: "7" } });
    const ids = async (query: string) => {
      const { status, body } = await call("GET", `/jobs?${query}`);
      expect([status, body.detail]).toEqual([200, undefined]);
      return body.items.map(({ id }: Json) => id);
    };
    expect(await ids("label=ticket:42")).toEqual([one]);
    expect(await ids("label=ticket:42&label=customer:M%C3%BCller")).toEqual([one]);
    expect(await ids("label=ticket:42&label=customer:x")).toEqual([]);
    expect(await ids("q=nte.mp")).toEqual([other, one]);
    expect(await ids("q=42")).toEqual([one]);
    expect(await ids("q=ente&operation=thumbnails")).toEqual([other]);
    expect(await ids("operation=transcode&state=queued")).toEqual([one]);
    expect(await ids("device=cpu")).toEqual([]);
    expect(await ids("createdAfter=2026-01-01T00:00:00Z")).toEqual([other, one]);
    expect(await ids("createdBefore=2026-01-01T00:00:00Z")).toEqual([]);
    expect(await ids(`asset=${film}&limit=1`)).toEqual([other]);
    expect(await ids(`after=${other}`)).toEqual([one]);
  });

  test("refuses a label without a value, and times that are none", async () => {
    expect((await call("GET", "/jobs?label=ticket")).body.errors[0].path).toBe("label.0");
    expect((await call("GET", "/jobs?createdAfter=yesterday")).status).toBe(422);
  });
});

test("a loop that asks for jobs without end is stopped, and told when to go on", async () => {
  for (let n = 0; n < 20; n += 1) await start();
  const { status, body, headers } = await post("/jobs", request());
  expect([status, body.code, headers.get("retry-after")]).toEqual([429, "too_many_jobs", "30"]);
  expect(body.detail).toContain("You have 20 jobs waiting and ask for 1 more; at most 20");
  // Another person's queue is another's.
  const bobs = await addFilm(site, "bob");
  expect((await post("/jobs", request({ inputs: [bobs] }), { as: "bob" })).status).toBe(202);
  expect((await post("/jobs/bulk", { jobs: [request()] })).status).toBe(429);
});

test("a key is good for a day by the queue's clock, then it is free", async () => {
  const headers = { "idempotency-key": "once" };
  const first = await post("/jobs", request(), { headers });
  site.clock.advance(23 * 3_600_000);
  expect((await post("/jobs", request(), { headers })).body.id).toBe(first.body.id);
  site.clock.advance(3_600_001);
  const second = await post("/jobs", request(), { headers });
  expect(second.body.id).not.toBe(first.body.id);
});
