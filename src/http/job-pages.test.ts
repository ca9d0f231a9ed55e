/** The room of the jobs over HTTP: lists, what is done to one and to many, and two browsers that want opposite things. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Json } from "../../tests/api.ts";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";

let site: SiteRig;
let film: string;

beforeAll(async () => {
  site = await openSite();
  film = await addFilm(site, "ann", "Süße Ente.mp4");
});

beforeEach(() => {
  site.database.run("DELETE FROM job_after");
  site.database.run("DELETE FROM job");
});

afterAll(() => site.close());

async function start(change: object = {}): Promise<string> {
  const json = { operation: "transcode", inputs: [film], params: {}, ...change };
  const answer = await site.ask("/api/v1/jobs", { as: "ann", method: "POST", json });
  const { id, detail } = (await answer.json()) as Json;
  expect([answer.status, detail]).toEqual([202, undefined]);
  return id;
}

const get = async (path: string) => (await site.ask(path, { browser: "ann" })).text();

const fragment = { "hx-request": "true" };

function press(path: string, form: Record<string, string> = {}): Promise<Response> {
  return site.ask(path, { browser: "ann", method: "POST", form, headers: fragment });
}

/** Queued → failed, as if a worker had tried it. */
function fail(id: string): void {
  const claim = site.queue.claim({ id: "gpu:0" }, id);
  if (claim === null) throw new Error("the job waits for its turn");
  site.queue.failForGood(claim, {
    ...{ code: "encoder_failed", message: "The encoder gave up.", hint: "Try it on the CPU." },
    ...{ retryable: true, log: "last words <b>" },
  });
}

const stateOf = async (id: string): Promise<string> => {
  const answer = await site.ask(`/api/v1/jobs/${id}`, { as: "ann" });
  return ((await answer.json()) as Json).state;
};

describe("the list", () => {
  test("filters by what the API filters by, ignores nonsense, and keeps it in the address", async () => {
    const one = await start({ labels: { ticket: "42" } });
    const other = await start({ operation: "thumbnails" });
    const shows = async (query: string) => {
      const markup = await get(`/jobs?${query}`);
      return [one, other].map((id) => markup.includes(`id="job-${id}"`));
    };
    expect(await shows("")).toEqual([true, true]);
    expect(await shows("operation=thumbnails")).toEqual([false, true]);
    expect(await shows("label=ticket:42")).toEqual([true, false]);
    expect(await shows("q=42")).toEqual([true, false]);
    expect(await shows("device=gpu:0")).toEqual([false, false]);
    expect(await shows("state=failed")).toEqual([false, false]);
    expect(await shows("state=x&device=toaster&operation=fry&label=none&batch=1")).toEqual([
      true,
      true,
    ]);
    const markup = await get("/jobs?state=queued&label=ticket:42&operation=transcode");
    expect(markup).toContain("state=failed&amp;operation=transcode&amp;label=ticket%3A42");
    expect(await get("/jobs?state=failed")).toContain("No job is failed");
    expect(await get("/jobs?q=nothing+like+it")).toContain("No job fits these filters");
  });

  test("counts each state, says who is next, and which program asked", async () => {
    const [first, second] = [await start(), await start()];
    const markup = await get("/jobs");
    expect(markup).toMatch(/Queued<span class="count">2</);
    expect(markup).toContain("Next in line.");
    expect(markup).toContain("Number 2 in line.");
    expect(markup).toContain("By the token test");
    await press(`/ui/jobs/${second}/priority`, { priority: "10" });
    const row = await get(`/ui/jobs/rows?id=${first}&id=jb_nobody`);
    expect(row).toContain(`hx-target="#job-${first}"`);
    expect(row).toContain("Number 2 in line.");
    expect(row.match(/<hx-partial/g)?.length).toBe(1);
  });

  test("goes on by pages that have addresses, and the first is a press away", async () => {
    const ids = [];
    for (let n = 0; n < 32; n += 1) ids.push(await start());
    const first = await get("/jobs");
    const older = /href="\/jobs\?after=(jb_\w+)"/.exec(first)?.[1];
    expect(older).toBe(ids[2] ?? "");
    const second = await get(`/jobs?after=${older}`);
    expect(second.match(/class="row job-row"/g)?.length).toBe(2);
    expect(second).toContain(`/ui/jobs?after=${older}`);
    expect(second).toContain("Newest jobs");
    expect(await get(`/jobs?after=${ids[0]}`)).toContain("There are no older jobs");
  });
});

describe("many at once", () => {
  test("the question says what will happen to how many, and the answer what did", async () => {
    const [a, b, c] = [await start(), await start(), await start()];
    site.queue.claim({ id: "cpu" }, a);
    await press(`/ui/jobs/${c}/cancel`);
    const question = await get(`/ui/jobs/bulk/cancel?id=${a}&id=${b}&id=${c}`);
    expect(question).toContain("Cancel 2 jobs?");
    expect(question).toContain("1 runs: it stops now, and what it has done so far is lost.");
    expect(question).toContain("1 waits and does not start.");
    expect(question).toContain("1 has ended already and stays as it is.");
    // Meanwhile another browser is quicker.
    await press(`/ui/jobs/${b}/cancel`);
    const body = new URLSearchParams(
      [a, b, c].map((id): [string, string] => ["id", id]),
    ).toString();
    const answer = await site.ask("/ui/jobs/bulk/cancel", {
      ...{ browser: "ann", method: "POST", body },
      headers: { ...fragment, "content-type": "application/x-www-form-urlencoded" },
    });
    expect([answer.status, answer.headers.get("hx-trigger")]).toEqual([200, "job"]);
    const told = await answer.text();
    expect(told).toContain("1 job was cancelled.");
    expect(told).toContain("2 were left as they are: The job was cancelled already.");
    expect(await get(`/ui/jobs/bulk/cancel?id=${a}`)).toContain("None of them can be cancelled");
  });

  test("all of a filter are tried again, on the CPU where that is wanted", async () => {
    const [failed, cancelled, other] = [await start(), await start(), await start()];
    fail(failed);
    await press(`/ui/jobs/${cancelled}/cancel`);
    const list = await get("/jobs?state=failed");
    expect(list).toContain("/ui/jobs/bulk/retry?state=failed");
    expect(list).not.toContain("/ui/jobs/bulk/cancel?state=failed");
    const question = await get("/ui/jobs/bulk/retry?state=failed");
    expect(question).toContain("Try 1 job again?");
    expect(question).toContain('hx-post="/ui/jobs/bulk/retry?state=failed"');
    await press("/ui/jobs/bulk/retry?state=failed", { device: "cpu" });
    const { items } = (await (await site.ask("/api/v1/jobs", { as: "ann" })).json()) as Json;
    expect(items.map(({ id, state, onlyOn }: Json) => [id, state, onlyOn])).toEqual([
      [other, "queued", null],
      [cancelled, "cancelled", null],
      [failed, "queued", "cpu"],
    ]);
  });

  test("another's jobs are nobody's business", async () => {
    const id = await start();
    const as = { browser: "bob", headers: fragment } as const;
    const question = await site.ask(`/ui/jobs/bulk/cancel?id=${id}`, as);
    expect(await question.text()).toContain("None of them can be cancelled");
    const form = { id };
    const done = await site.ask("/ui/jobs/bulk/cancel", { ...as, method: "POST", form });
    expect(await done.text()).toContain("Nothing was changed.");
    expect((await site.ask(`/ui/jobs/${id}/report`, as)).status).toBe(404);
    expect(await stateOf(id)).toBe("queued");
  });
});

describe("one job", () => {
  test("that failed on a GPU offers the CPU, its error, its log and a report without names", async () => {
    const id = await start({ params: { video: { codec: "h264" } }, labels: { secret: "hunter2" } });
    fail(id);
    const markup = await get(`/jobs/${id}`);
    for (const has of ["The encoder gave up.", "Try it on the CPU.", "last words &lt;b&gt;"]) {
      expect(markup).toContain(has);
    }
    expect(markup).toContain(`/ui/jobs/${id}/retry-on-cpu`);
    const report = await get(`/ui/jobs/${id}/report`);
    for (const has of ["version 0.1.0", "encoder_failed, may pass", "claim → running", "mp4"]) {
      expect(report).toContain(has);
    }
    for (const lacks of ["Ente", "hunter2", "ann"]) expect(report).not.toContain(lacks);
    expect((await press(`/ui/jobs/${id}/retry-on-cpu`)).status).toBe(204);
    const again = await get(`/jobs/${id}`);
    expect(again).toContain("on the CPU alone");
    expect(again).toContain('name="priority"');
  });

  test("answers whoever comes second with what happened, and has the page look again", async () => {
    const id = await start();
    expect((await press(`/ui/jobs/${id}/cancel`)).status).toBe(204);
    for (const [verb, told] of [
      ["cancel", "The job was cancelled already."],
      ["pause", "The job is cancelled already, so there is nothing to pause."],
      ["resume", "The job is cancelled and not paused"],
    ] as const) {
      const answer = await press(`/ui/jobs/${id}/${verb}`);
      expect([answer.status, answer.headers.get("hx-trigger")]).toEqual([409, "job"]);
      expect(await answer.text()).toContain(told);
    }
    const priority = await press(`/ui/jobs/${id}/priority`, { priority: "5" });
    expect([priority.status, await priority.text()]).toEqual([
      409,
      expect.stringContaining("The job is cancelled: only its labels can still be changed."),
    ]);
    expect((await press(`/ui/jobs/${id}/priority`, { priority: "1e2" })).status).toBe(422);
    expect((await press(`/ui/jobs/${id}/retry`)).status).toBe(204);
    const twice = await press(`/ui/jobs/${id}/retry`);
    expect(await twice.text()).toContain("The job is in the queue already and starts by itself.");
  });
});

test("the switch of all work stands beside the list, for admins alone", async () => {
  expect(await get("/jobs")).toContain('id="work-menu"');
  expect(await get("/ui/work/menu")).toContain("Drain");
  const bob = await site.ask("/jobs", { browser: "bob" });
  expect(await bob.text()).not.toContain('id="work-menu"');
});
