/** Requests of every kind against the whole site without a socket. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { runScenarios, type Scenario } from "../../tests/http/scenarios.ts";
import { addFilm, openSite, password, type SiteRig } from "../../tests/http/site.ts";
import { isOpenPath } from "./guard.ts";

let site: SiteRig;
let places: Record<string, string>;

beforeAll(async () => {
  site = await openSite();
  const film = await addFilm(site, "ann", 'Süße "Ente"\n.mp4');
  const others = await addFilm(site, "bob", "secret-of-bob.mp4");
  const used = await addFilm(site, "ann", "used.mp4");
  const submit = () =>
    site.parts.jobs.submit(
      site.people.ann.id,
      { operation: "transcode", inputs: [used], params: {}, priority: 0, labels: {} },
      null,
    ).job.id;
  const job = submit();
  const ended = submit();
  site.parts.jobs.cancel(site.people.ann.id, ended);
  places = { film, others, used, job, ended, nobody: `as_${"0".repeat(32)}` };
});

afterAll(() => site.close());

function table(name: string, scenarios: Scenario[]): void {
  describe(name, () =>
    runScenarios(
      () => site,
      () => places,
      scenarios,
    ),
  );
}

test("every route that is not on the open list answers 401 without a credential", async () => {
  const closed = site.site.app.routes.filter(({ path }) => !isOpenPath(path));
  expect(closed.length).toBeGreaterThan(25);
  for (const { method, path } of closed) {
    const address = path.replaceAll(/:\w+/g, "as_1");
    const response = await site.ask(address, { method });
    expect(`${method} ${path} ${response.status}`).toBe(`${method} ${path} 401`);
    expect(await response.json()).toMatchObject({ code: "unauthenticated" });
  }
  const open = site.site.app.routes.filter(({ path }) => isOpenPath(path)).map(({ path }) => path);
  const known = /^\/(setup|login|health|health\/ready|favicon\.ico|static\/.*|storage\/:key)$/;
  expect(open.filter((path) => !known.test(path))).toEqual([]);
});

table("the door", [
  {
    name: "an unknown path tells a stranger nothing",
    path: "/api/v1/nothing-here",
    status: 401,
    answers: { "www-authenticate": /^Bearer/ },
  },
  {
    name: "a wrong token is a stranger",
    path: "/api/v1/system",
    headers: { authorization: `Bearer kmt_${"A".repeat(43)}` },
    status: 401,
    lacks: ["AAAA"],
  },
  {
    name: "a browser is led to the login and back",
    path: "/jobs/jb_1",
    headers: { accept: "text/html" },
    status: 303,
    answers: { location: "/login?next=%2Fjobs%2Fjb_1" },
  },
  {
    name: "htmx is told to go to the login",
    path: "/ui/jobs",
    headers: { "hx-request": "true" },
    status: 401,
    answers: { "hx-redirect": "/login" },
  },
  {
    name: "another site's page may not change things with ann's cookie",
    path: "/api/v1/jobs/{job}/cancel",
    method: "POST",
    browser: "ann",
    headers: { origin: "http://evil.example" },
    status: 403,
    has: ['"cross_origin"'],
  },
  {
    name: "a name that is not ours is not answered, even with a token",
    path: "/api/v1/system",
    as: "ann",
    headers: { host: "evil.example" },
    status: 421,
    has: ['"misdirected_host"'],
    lacks: ["evil.example"],
  },
]);

table("addresses and methods", [
  {
    name: "an unknown path is 404",
    path: "/api/v1/x",
    as: "ann",
    status: 404,
    has: ['"not_found"'],
  },
  {
    name: "a wrong method is 405 and says which are right",
    path: "/api/v1/jobs/{job}",
    method: "DELETE",
    as: "ann",
    status: 405,
    answers: { allow: "GET, HEAD, PATCH" },
  },
  {
    name: "a person gets a page for an unknown address",
    path: "/nowhere",
    browser: "ann",
    headers: { accept: "text/html" },
    status: 404,
    has: ["<!doctype html>", "There is nothing here"],
    answers: { "content-type": "text/html; charset=utf-8" },
  },
  {
    name: "a broken escape in the address is no error of ours",
    path: "/api/v1/assets/%E0%A4%A",
    as: "ann",
    status: 404,
  },
]);

table("health", [
  {
    name: "health needs no login",
    path: "/health",
    status: 200,
    has: ['"status":"ok"', '"service":"kinomill"'],
    answers: { "cache-control": "no-store" },
  },
  { name: "ready names nothing when all is well", path: "/health/ready", status: 200, has: ["[]"] },
]);

table("assets", [
  {
    name: "a film is stored and described",
    path: "/api/v1/assets?name=..%2F..%2Fmatch%0A.mov",
    as: "ann",
    body: "FILM and more",
    status: 201,
    has: ['"name":"match .mov"', '"codec":"h264"', '"sizeBytes":13', '"kind":"upload"'],
    lacks: ["ownerId"],
    answers: { location: /^\/api\/v1\/assets\/as_/ },
  },
  {
    name: "what is no film is refused",
    path: "/api/v1/assets?name=a.txt",
    as: "ann",
    body: "hello",
    status: 422,
    has: ['"not_media"'],
    lacks: ["hello"],
  },
  {
    name: "an empty body is refused",
    path: "/api/v1/assets?name=a.mp4",
    method: "POST",
    as: "ann",
    status: 422,
  },
  {
    name: "an upload without a name is told so",
    path: "/api/v1/assets",
    as: "ann",
    body: "FILM",
    status: 422,
    has: ['"path":"name"'],
  },
  {
    name: "more than may be stored is refused before it comes",
    path: "/api/v1/assets?name=a.mp4",
    as: "ann",
    body: "FILM",
    headers: { "content-length": "900000000000000" },
    status: 413,
    has: ['"too_large"'],
  },
  {
    name: "the list shows own assets only",
    path: "/api/v1/assets",
    as: "ann",
    status: 200,
    has: ["used.mp4", '"next":null'],
    lacks: ["secret-of-bob", "ownerId"],
  },
  {
    name: "the list pages and filters",
    path: "/api/v1/assets?limit=1&kind=video&search=USED",
    as: "ann",
    status: 200,
    has: ["used.mp4"],
  },
  {
    name: "all faults of a query are named at once",
    path: "/api/v1/assets?limit=1e3&kind=film&colour=red&limits=2",
    as: "ann",
    status: 422,
    has: ['"path":"limit"', '"path":"kind"', '"path":"colour"', '"path":"limits"'],
  },
  {
    name: "a parameter given twice is refused",
    path: "/api/v1/assets?limit=1&limit=2",
    as: "ann",
    status: 422,
    has: ["more than once"],
  },
  {
    name: "another's asset does not exist",
    path: "/api/v1/assets/{others}",
    as: "ann",
    status: 404,
    has: ['"not_found"'],
    lacks: ["secret-of-bob"],
  },
  { name: "nor do its bytes", path: "/api/v1/assets/{others}/content", as: "ann", status: 404 },
  {
    name: "nor can it be deleted",
    path: "/api/v1/assets/{others}",
    method: "DELETE",
    as: "ann",
    status: 404,
  },
  {
    name: "an asset in use is kept",
    path: "/api/v1/assets/{used}",
    method: "DELETE",
    as: "ann",
    status: 409,
    has: ['"in_use"'],
  },
  {
    name: "bytes come with their type, a sandbox and a name that cannot break the header",
    path: "/api/v1/assets/{film}/content?download=1",
    as: "ann",
    status: 200,
    has: ["FILM0123456789"],
    answers: {
      "content-type": "video/mp4",
      "content-security-policy": /^sandbox;/,
      "content-disposition": /^attachment; filename="S__e _Ente_ \.mp4"; filename\*=UTF-8''S%C3/,
      etag: /^"[0-9a-f]{64}"$/,
      "accept-ranges": "bytes",
    },
  },
  {
    name: "a range is a part",
    path: "/api/v1/assets/{film}/content",
    as: "ann",
    headers: { range: "bytes=4-6" },
    status: 206,
    has: ["012"],
    answers: { "content-range": "bytes 4-6/14" },
  },
  {
    name: "a range beyond the end is told the size",
    path: "/api/v1/assets/{film}/content",
    as: "ann",
    headers: { range: "bytes=14-" },
    status: 416,
    has: ['"bad_range"'],
    answers: { "content-range": "bytes */14" },
  },
  {
    name: "a picture that is not made yet is not there",
    path: "/api/v1/assets/{film}/thumbnail",
    as: "ann",
    status: 404,
    has: ['"no_thumbnail"'],
  },
]);

const transcode = { operation: "transcode", inputs: ["{film}"], params: {} };

table("jobs", [
  {
    name: "a job is accepted",
    path: "/api/v1/jobs",
    as: "ann",
    json: { ...transcode, labels: { ticket: "7" } },
    status: 202,
    has: ['"state":"queued"', '"ticket":"7"', '"operation":"transcode"'],
    lacks: ["ownerId"],
    answers: { location: /^\/api\/v1\/jobs\/jb_/ },
  },
  {
    name: "all faults of a request are named at once",
    path: "/api/v1/jobs",
    as: "ann",
    json: {
      operation: 5,
      inputs: "x",
      priority: 1000,
      labels: { a: 1 },
      shoe: 1,
      password: "pw1234",
    },
    status: 422,
    has: ["operation", "inputs", "priority", "labels.a", "shoe"].map((path) => `"path":"${path}"`),
    lacks: ["pw1234"],
  },
  {
    name: "all faults of parameters are named at once",
    path: "/api/v1/jobs",
    as: "ann",
    json: { ...transcode, params: { video: { codec: "h999" }, nonsense: true } },
    status: 422,
    has: ['"invalid_params"', "video.codec", "nonsense"],
  },
  {
    name: "an unknown operation lists those that there are",
    path: "/api/v1/jobs",
    as: "ann",
    json: { ...transcode, operation: "fry" },
    status: 404,
    has: ['"unknown_operation"', "transcode"],
  },
  {
    name: "another's asset is no input",
    path: "/api/v1/jobs",
    as: "bob",
    json: transcode,
    status: 404,
    has: ['"not_found"'],
  },
  {
    name: "broken JSON is told without an echo",
    path: "/api/v1/jobs",
    as: "ann",
    body: '{"password": "hunter2",,',
    headers: { "content-type": "application/json" },
    status: 400,
    has: ['"bad_json"'],
    lacks: ["hunter2"],
  },
  {
    name: "a form is not JSON",
    path: "/api/v1/jobs",
    as: "ann",
    form: { operation: "transcode" },
    status: 415,
  },
  {
    name: "JSON that is nested without end is refused",
    path: "/api/v1/jobs",
    as: "ann",
    body: `{"params":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
    headers: { "content-type": "application/json" },
    status: 400,
  },
  {
    name: "JSON of more than 1 MiB is refused",
    path: "/api/v1/jobs",
    as: "ann",
    body: JSON.stringify({ operation: "x".repeat(1_100_000) }),
    headers: { "content-type": "application/json" },
    status: 413,
    has: ['"too_large"'],
  },
  {
    name: "an estimate says what would be done and starts nothing",
    path: "/api/v1/jobs/estimate",
    as: "ann",
    json: transcode,
    status: 200,
    has: ['"device":"cpu"', '"steps":[{'],
  },
  {
    name: "a bad idempotency key is refused",
    path: "/api/v1/jobs",
    as: "ann",
    json: transcode,
    headers: { "idempotency-key": "x".repeat(300) },
    status: 400,
    has: ['"bad_idempotency_key"'],
  },
  {
    name: "the list filters by state",
    path: "/api/v1/jobs?state=cancelled",
    as: "ann",
    status: 200,
    has: ['"state":"cancelled"'],
    lacks: ['"state":"queued"', "ownerId"],
  },
  {
    name: "the list filters by asset",
    path: "/api/v1/jobs?asset={nobody}",
    as: "ann",
    status: 200,
    has: ['{"items":[],"next":null}'],
  },
  { name: "another's job does not exist", path: "/api/v1/jobs/{job}", as: "bob", status: 404 },
  {
    name: "an ended job cannot be cancelled",
    path: "/api/v1/jobs/{ended}/cancel",
    method: "POST",
    as: "ann",
    status: 409,
    has: ['"wrong_state"'],
  },
  {
    name: "a priority can be changed while it waits",
    path: "/api/v1/jobs/{job}",
    method: "PATCH",
    as: "ann",
    json: { priority: 7 },
    status: 200,
    has: ['"priority":7'],
  },
  {
    name: "a priority outside the range is refused",
    path: "/api/v1/jobs/{job}",
    method: "PATCH",
    as: "ann",
    json: { priority: 7.5 },
    status: 422,
    has: ['"path":"priority"'],
  },
]);

table("the rest of the API", [
  {
    name: "operations come with the schema of their parameters",
    path: "/api/v1/operations",
    as: "bob",
    status: 200,
    has: ['"name":"transcode"', '"parameters":{', '"example":'],
  },
  { name: "one operation", path: "/api/v1/operations/thumbnails", as: "bob", status: 200 },
  { name: "no such operation", path: "/api/v1/operations/fry", as: "bob", status: 404 },
  { name: "the box", path: "/api/v1/system", as: "bob", status: 200, has: ['"sandbox"'] },
]);

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
    path: "/ui/assets/{film}/form?operation=transcode",
    browser: "ann",
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
    const response = await site.ask("/ui/jobs", {
      browser: "ann",
      form: { operation: "transcode", input: places["film"] ?? "", "video.maxHeight": "" },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get("hx-redirect")).toMatch(/^\/jobs\/jb_/);
  });

  test("is nothing when a value is wrong: the faults go to the form", async () => {
    const response = await site.ask("/ui/jobs", {
      browser: "ann",
      headers: { "hx-request": "true" },
      form: { operation: "transcode", input: places["film"] ?? "", "video.codec": "<b>h999" },
    });
    expect(response.status).toBe(422);
    const body = await response.text();
    expect(body).toContain('data-path="video.codec"');
    expect(body).not.toContain("<b>");
  });
});

test("the same idempotency key gives the same job, and another body is refused", async () => {
  const send = (labels: Record<string, string>) =>
    site.ask("/api/v1/jobs", {
      as: "ann",
      headers: { "idempotency-key": "once" },
      json: { operation: "transcode", inputs: [places["film"]], params: {}, labels },
    });
  const [first, second, other] = [await send({}), await send({}), await send({ a: "b" })];
  const { id } = (await first.json()) as { id: string };
  expect(await second.json()).toMatchObject({ id });
  expect(other.status).toBe(409);
  expect(await other.json()).toMatchObject({ code: "idempotency_mismatch" });
});

describe("coming in and going out", () => {
  test("a login gives a cookie and goes where it was headed", async () => {
    const response = await site.ask("/login", {
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
    const response = await site.ask("/login", {
      form: { name: "ann", password: "wrong-password-1", next: "//evil.example" },
    });
    expect(response.status).toBe(401);
    const body = await response.text();
    expect(body).toContain('value="ann"');
    expect(body).not.toContain("wrong-password-1");
    expect(body).not.toContain("evil.example");
  });

  test("after the logout the cookie is nobody's", async () => {
    const { secret } = await site.accounts.login("bob", password, "127.0.0.1");
    const headers = { cookie: `kinomill_session=${secret}`, origin: "http://localhost" };
    expect((await site.ask("/api/v1/system", { headers })).status).toBe(200);
    const response = await site.ask("/logout", { method: "POST", headers });
    expect(response.status).toBe(303);
    expect(response.headers.get("set-cookie")).toContain("Max-Age=0");
    expect((await site.ask("/api/v1/system", { headers })).status).toBe(401);
  });

  test("a page of setup is not shown once there is an account", async () => {
    const response = await site.ask("/setup");
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/login");
  });
});

test("every answer has its own request id, and every page its own nonce", async () => {
  const [first, second] = [
    await site.ask("/", { browser: "ann" }),
    await site.ask("/", { browser: "ann" }),
  ];
  const header = (name: string) => [first, second].map((answer) => answer.headers.get(name));
  expect(new Set(header("kinomill-request")).size).toBe(2);
  expect(new Set(header("content-security-policy")).size).toBe(2);
});

test("an error of ours is a 500 that tells its id and nothing else", async () => {
  const { library } = site.parts;
  site.parts.library = {
    ...library,
    list: () => {
      throw new Error("secret detail at /home/ann");
    },
  } as typeof library;
  try {
    const response = await site.ask("/api/v1/assets", { as: "ann" });
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: "internal", status: 500 });
    expect(text).toContain(response.headers.get("kinomill-request") ?? "missing");
    expect(text).not.toContain("secret detail");
    const page = await site.ask("/", { browser: "ann", headers: { accept: "text/html" } });
    expect(page.status).toBe(500);
    expect(await page.text()).not.toContain("secret detail");
  } finally {
    site.parts.library = library;
  }
});
