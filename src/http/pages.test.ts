/** Pages, fragments, forms, and the way in and out. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";
import { openSite, password } from "../../tests/http/site.ts";

let home: Furnished;

beforeAll(async () => {
  home = await furnish();
});

afterAll(() => home.site.close());

const table = tableFor(() => home);

table("the pages", [
  {
    name: "the library shows own files, with their names as text",
    path: "/",
    browser: "ann",
    headers: { accept: "text/html" },
    status: 200,
    has: ["<!doctype html>", "Süße &quot;Ente&quot;"],
    lacks: ["secret-of-bob"],
    answers: {
      "content-security-policy": /script-src 'nonce-[\w-]{20,}'/,
      "cache-control": "no-store",
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "same-origin",
    },
  },
  { name: "an asset", path: "/assets/{film}", browser: "ann", status: 200, has: ["/content"] },
  {
    name: "the jobs",
    path: "/jobs?state=queued",
    browser: "ann",
    status: 200,
    has: ["job-row"],
  },
  { name: "a job", path: "/jobs/{job}", browser: "ann", status: 200, has: ["job-panel"] },
  {
    name: "the box as a page",
    path: "/system",
    browser: "ann",
    status: 200,
    has: ["CPU, 2 cores"],
  },
  {
    name: "the API as a page",
    path: "/docs",
    browser: "ann",
    status: 200,
    has: ["Idempotency-Key"],
  },
  {
    name: "another's asset is a page that says it is not there",
    path: "/assets/{others}",
    browser: "ann",
    headers: { accept: "text/html" },
    status: 404,
    has: ["<!doctype html>"],
  },
  { name: "the grid", path: "/ui/library?q=used", browser: "ann", status: 200, has: ["used.mp4"] },
  {
    name: "further cards without the grid around them",
    path: "/ui/library?after={used}",
    browser: "ann",
    status: 200,
    lacks: ['id="library"'],
  },
  {
    name: "the form of an operation",
    path: "/ui/make/form",
    method: "POST",
    browser: "ann",
    form: { choice: "operation:transcode", asset: "{film}" },
    status: 200,
    has: ['name="video.codec"'],
  },
  {
    name: "jobs of an asset",
    path: "/ui/assets/{used}/jobs",
    browser: "ann",
    status: 200,
    has: ["jb_"],
  },
  {
    name: "the welcome is for admins: what was found, and a sample that begins at the first visit",
    path: "/welcome?first=1",
    browser: "ann",
    status: 200,
    has: ["This machine has no NVIDIA GPU.", 'hx-post="/ui/welcome/sample" hx-trigger="load"'],
  },
  {
    name: "no member starts the sample",
    path: "/ui/welcome/sample",
    method: "POST",
    browser: "bob",
    status: 403,
  },
  {
    name: "a sample that is not there cannot be kept",
    path: "/welcome/sample",
    method: "POST",
    browser: "ann",
    status: 404,
  },
  { name: "the list of jobs", path: "/ui/jobs", browser: "ann", status: 200, has: ['id="jobs"'] },
  { name: "the panel of a job", path: "/ui/jobs/{job}", browser: "ann", status: 200 },
  {
    name: "a refusal of a fragment is a fragment",
    path: "/ui/jobs/{ended}/cancel",
    method: "POST",
    browser: "ann",
    headers: { "hx-request": "true" },
    status: 409,
    has: ['role="alert"'],
    lacks: ["<!doctype"],
  },
  {
    name: "files for a job are found by name, one's own alone",
    path: "/ui/inputs?input-search=.mp4",
    browser: "ann",
    headers: { "hx-request": "true" },
    status: 200,
    has: ["Add used.mp4", "Süße &quot;Ente&quot;"],
    lacks: ["secret-of-bob", "<!doctype"],
  },
  {
    name: "a page can begin with another operation's form, also without scripts",
    path: "/assets/{film}?operation=concat",
    browser: "ann",
    status: 200,
    has: ['id="form-concat"', '<textarea id="input-ids" name="inputs"'],
    lacks: ['id="form-transcode"'],
  },
  {
    name: "deleting what is in use is a fragment too",
    path: "/ui/assets/{used}",
    method: "DELETE",
    browser: "ann",
    headers: { "hx-request": "true" },
    status: 409,
    has: ["has not finished"],
  },
]);

describe("what a form starts", () => {
  test("is a job, and the browser goes to it", async () => {
    const form = {
      operation: "transcode",
      input: home.places["film"] ?? "",
      "video.maxHeight": "",
    };
    const plain = await home.site.ask("/ui/jobs", { browser: "ann", form });
    expect([plain.status, plain.headers.get("location")]).toEqual([
      303,
      expect.stringMatching(/^\/jobs\/jb_/),
    ]);
    const headers = { "hx-request": "true" };
    const response = await home.site.ask("/ui/jobs", { browser: "ann", form, headers });
    expect(response.status).toBe(204);
    expect(response.headers.get("hx-redirect")).toMatch(/^\/jobs\/jb_/);
  });

  test("reads the files that it names, in their order, also those that were typed in", async () => {
    const { film = "", used = "" } = home.places;
    const form = { operation: "concat", input: used, inputs: `${film}\r\n${used}` };
    const response = await home.site.ask("/ui/jobs", { browser: "ann", form });
    expect(response.status).toBe(303);
    const id = response.headers.get("location")?.slice("/jobs/".length) ?? "";
    const job = home.site.parts.jobs.get(home.site.people.ann.id, id);
    expect(job.inputs).toEqual([used, film, used]);
  });

  test("is nothing when a value is wrong: the faults go to the form", async () => {
    const response = await home.site.ask("/ui/jobs", {
      browser: "ann",
      headers: { "hx-request": "true" },
      form: { operation: "transcode", input: home.places["film"] ?? "", "video.codec": "<b>h999" },
    });
    expect(response.status).toBe(422);
    const body = await response.text();
    expect(body).toContain('data-path="video.codec"');
    expect(body).not.toContain("<b>");
  });
});

describe("coming in and going out", () => {
  test("a login gives a cookie and goes where it was headed", async () => {
    const response = await home.site.ask("/login", {
      form: { name: "ann", password, next: "/jobs?state=failed" },
      headers: { origin: "https://localhost" },
    });
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/jobs?state=failed");
    expect(response.headers.get("set-cookie")).toMatch(
      /^kinomill_session=[\w-]{43}; Path=\/; Expires=.*; HttpOnly; SameSite=Lax; Secure$/,
    );
  });

  test("a wrong password shows the page again, without it", async () => {
    const response = await home.site.ask("/login", {
      form: { name: "ann", password: "wrong-password-1", next: "//evil.example" },
    });
    expect(response.status).toBe(401);
    const body = await response.text();
    expect(body).toContain('value="ann"');
    expect(body).not.toContain("wrong-password-1");
    expect(body).not.toContain("evil.example");
  });

  test("after the logout the cookie is nobody's", async () => {
    const { secret } = await home.site.accounts.login("bob", password, "127.0.0.1");
    const headers = { cookie: `kinomill_session=${secret}`, origin: "http://localhost" };
    expect((await home.site.ask("/api/v1/system", { headers })).status).toBe(200);
    const response = await home.site.ask("/logout", { method: "POST", headers });
    expect(response.status).toBe(303);
    expect(response.headers.get("set-cookie")).toContain("Max-Age=0");
    expect((await home.site.ask("/api/v1/system", { headers })).status).toBe(401);
  });

  test("a page of setup is not shown once there is an account", async () => {
    const response = await home.site.ask("/setup");
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/login");
  });
});

describe("the first start", () => {
  const fields = { name: "ann", password, repeat: password };

  test("leads to the setup, takes the code once and logs its maker in", async () => {
    const site = await openSite({}, "new");
    const code = site.accounts.issueSetupCode() ?? "";
    const led = await site.ask("/jobs", { headers: { accept: "text/html" } });
    expect([led.status, led.headers.get("location")]).toEqual([303, "/setup"]);
    expect((await site.ask("/login")).headers.get("location")).toBe("/setup");

    const wrong = await site.ask("/setup", { form: { ...fields, code: "AAAAA-AAAAA-AAAAA" } });
    expect(wrong.status).toBe(403);
    expect(await wrong.text()).toContain('id="field-code-fault"');
    const unlike = await site.ask("/setup", { form: { ...fields, code, repeat: "another one" } });
    expect(unlike.status).toBe(422);
    const unlikePage = await unlike.text();
    expect(unlikePage).toContain('id="field-repeat-fault"');
    expect(unlikePage).not.toContain(password);
    const short = await site.ask("/setup", {
      form: { code, name: "ann", password: "x", repeat: "x" },
    });
    expect(short.status).toBe(422);
    expect(await short.text()).toContain('id="field-password-fault"');

    const done = await site.ask("/setup", { form: { ...fields, code: ` ${code} ` } });
    expect([done.status, done.headers.get("location")]).toEqual([303, "/welcome?first=1"]);
    const cookie = done.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    expect((await site.ask("/", { headers: { cookie } })).status).toBe(200);
    const again = await site.ask("/setup", { form: { ...fields, code } });
    expect(again.headers.get("location")).toBe("/login");
    site.close();
  });

  test("has one winner among many who know the code", async () => {
    const site = await openSite({}, "new");
    const code = site.accounts.issueSetupCode() ?? "";
    const askers = Array.from({ length: 8 }, (_, n) =>
      site.ask("/setup", { form: { ...fields, name: `user${n}`, code } }),
    );
    const answers = await Promise.all(askers);
    const winners = answers.filter((answer) => answer.headers.has("set-cookie"));
    expect(winners).toHaveLength(1);
    expect(site.accounts.listUsers()).toHaveLength(1);
    site.close();
  });
});
