/** Requests of every kind against the whole site without a socket. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";
import { openSite } from "../../tests/http/site.ts";
import { isOpenPath } from "./guard.ts";

let home: Furnished;

beforeAll(async () => {
  home = await furnish();
});

afterAll(() => home.site.close());

const table = tableFor(() => home);

test("every route that is not on the open list answers 401 without a credential", async () => {
  const closed = home.site.site.app.routes.filter(({ path }) => !isOpenPath(path));
  expect(closed.length).toBeGreaterThan(25);
  for (const { method, path } of closed) {
    const address = path.replaceAll(/:\w+/g, "as_1");
    const response = await home.site.ask(address, { method });
    expect(`${method} ${path} ${response.status}`).toBe(`${method} ${path} 401`);
    expect(await response.json()).toMatchObject({ code: "unauthenticated" });
  }
  const open = home.site.site.app.routes
    .filter(({ path }) => isOpenPath(path))
    .map(({ path }) => path);
  const known =
    /^\/(setup|login|invitation|health|health\/ready|metrics|favicon\.ico|static\/.*|storage\/:key)$/;
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

test("every page has its own request id and its own nonce", async () => {
  const [first, second] = [
    await home.site.ask("/", { browser: "ann" }),
    await home.site.ask("/", { browser: "ann" }),
  ];
  const header = (name: string) => [first, second].map((answer) => answer.headers.get(name));
  expect(new Set(header("kinomill-request")).size).toBe(2);
  expect(new Set(header("content-security-policy")).size).toBe(2);
});

test("a host name of one letter does not move the path", async () => {
  const other = await openSite({ hosts: ["a"] });
  const connection = { peer: () => "127.0.0.1", tls: false, allowSilence: () => undefined };
  const ask = (path: string) =>
    other.site.handle(new Request(`http://a${path}`, { headers: { host: "a" } }), connection);
  expect((await ask("/health")).status).toBe(200);
  expect((await ask("/api/v1/system")).status).toBe(401);
  other.close();
});

test("an error of ours is a 500 that tells its id and nothing else", async () => {
  const { library } = home.site.parts;
  home.site.parts.library = {
    ...library,
    list: () => {
      throw new Error("secret detail at /home/ann");
    },
  } as typeof library;
  try {
    const response = await home.site.ask("/api/v1/assets", { as: "ann" });
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: "internal", status: 500 });
    expect(text).toContain(response.headers.get("kinomill-request") ?? "missing");
    expect(text).not.toContain("secret detail");
    const page = await home.site.ask("/", { browser: "ann", headers: { accept: "text/html" } });
    expect(page.status).toBe(500);
    expect(await page.text()).not.toContain("secret detail");
  } finally {
    home.site.parts.library = library;
  }
});
