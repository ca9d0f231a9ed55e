/** The site under a path of another server: what leaves it, path by path. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { staticFiles } from "../../static/embedded.ts";
import { addFilm, openSite, password, type SiteRig } from "../../tests/http/site.ts";
import { html } from "../../views/html.ts";
import { httpSettings, ownBeginnings } from "../config-http.ts";
import { rebase, setPath, withoutBase } from "./base-path.ts";

const nonce = "0123456789abcdef0123456789abcdef";
let rig: SiteRig;
let film: string;

beforeAll(async () => {
  rig = await openSite({ http: { basePath: "/kinomill", trustedProxies: ["127.0.0.1"] } });
  film = await addFilm(rig, "ann");
});
afterAll(() => rig.close());

describe("an address in a view", () => {
  test("gets the path of the site, whether it is constant or made", () => {
    const id = "as_1";
    const view = html`<a href="/jobs">x</a><a href="/assets/${id}?a=1&b=2">y</a><form action="/" hx-post="${"/ui/jobs"}"></form>`;
    const text = view.render(nonce, "/kinomill");
    expect(text).toContain('href="/kinomill/jobs"');
    expect(text).toContain('href="/kinomill/assets/as_1?a=1&amp;b=2"');
    expect(text).toContain('action="/kinomill/"');
    expect(text).toContain('hx-post="/kinomill/ui/jobs"');
    expect(view.render(nonce)).toContain('href="/jobs"');
  });

  test("of elsewhere stays, and so does what is no address", () => {
    const view = html`<a href="//other.example/x">x</a><a href="https://other.example/">y</a><a href="#a">z</a><a href="${"//other.example"}">w</a><i data-shortcut="/" title="${"/jobs"}">/jobs</i>`;
    expect(view.render(nonce, "/kinomill")).toBe(view.render(nonce));
  });

  test("cannot stand in a message of the stream, which is the same for everybody", () => {
    expect(() => html`<a href="/jobs">x</a>`.message()).toThrow("names no path");
    expect(html`<b>${"x"}</b>`.message()).toBe("<b>x</b>");
  });
});

test("the path comes off whether the proxy has taken it off or not, and from whole names alone", () => {
  const paths = { "/kinomill": "/", "/kinomill/": "/", "/kinomill/jobs": "/jobs" };
  for (const [path, plain] of Object.entries(paths)) {
    expect(withoutBase(path, "/kinomill")).toBe(plain);
    expect(withoutBase(path, "")).toBe(path);
  }
  expect(withoutBase("/jobs", "/kinomill")).toBe("/jobs");
  expect(withoutBase("/kinomills/jobs", "/kinomill")).toBe("/kinomills/jobs");
  const request = new Request("http://kinomill/kinomill/jobs?next=/kinomill/jobs");
  setPath(request, "/kinomill/jobs", "/jobs");
  expect(request.url).toBe("http://kinomill/jobs?next=/kinomill/jobs");
});

test("heads of answers name paths as the asker finds them", () => {
  const headers = new Headers({ location: "/jobs/1", "hx-redirect": "/login", "hx-location": "/" });
  headers.append("set-cookie", "a=1; Path=/; HttpOnly");
  headers.append("set-cookie", "b=2; HttpOnly; Path=/");
  rebase(headers, "/k");
  expect(headers.get("location")).toBe("/k/jobs/1");
  expect(headers.get("hx-redirect")).toBe("/k/login");
  expect(headers.get("hx-location")).toBe("/k/");
  expect(headers.getSetCookie()).toEqual(["a=1; Path=/k; HttpOnly", "b=2; HttpOnly; Path=/k"]);
  const others = new Headers({
    location: "https://bucket.example/x",
    "hx-location": '{"path":"/jobs","target":"#main"}',
  });
  rebase(others, "/k");
  expect(others.get("location")).toBe("https://bucket.example/x");
  expect(JSON.parse(others.get("hx-location") ?? "")).toEqual({ path: "/k/jobs", target: "#main" });
});

/** Every path of ours in attributes; `data-shortcut` is a key. */
function paths(page: string): string[] {
  const found = page.matchAll(/\s([a-z:-]+)="(\/[^"]*)"/g);
  return [...found].flatMap(([, name, value]) => (name === "data-shortcut" ? [] : [value ?? ""]));
}

describe("the site under /kinomill", () => {
  /** Every page that a path alone names, and those of one thing. */
  const pages = () => {
    const all = rig.site.app.routes
      .filter(({ method }) => method === "GET")
      .map(({ path }) => path);
    const apart = /:|^\/(api|ui|static|storage|health|metrics|login|setup|favicon)/;
    return [...all.filter((path) => !apart.test(path)), `/assets/${film}`, "/nowhere"];
  };

  test("has all pages that there are among these", () => {
    for (const path of ["/", "/jobs", "/system", "/system/log", "/docs", "/bin"]) {
      expect(pages()).toContain(path);
    }
  });

  /** Routes without a page: what they give is a file. */
  const taken = ["/settings/presets/export"];

  test("has no path in its pages that leads out", async () => {
    for (const path of pages()) {
      for (const prefix of ["", "/kinomill"]) {
        const answer = await rig.ask(prefix + path, {
          browser: "ann",
          headers: { accept: "text/html" },
        });
        // Files to take along have paths that look like pages'.
        if (answer.headers.get("content-type")?.startsWith("text/html") !== true) {
          expect(taken).toContain(path);
          continue;
        }
        const found = paths(await answer.text());
        expect(found.length).toBeGreaterThan(0);
        expect(found.filter((each) => !each.startsWith("/kinomill/"))).toEqual([]);
      }
    }
  });

  test("asks strangers to log in there, and gives a cookie for there alone", async () => {
    const page = await rig.ask("/kinomill/jobs", { headers: { accept: "text/html" } });
    expect(page.status).toBe(303);
    expect(page.headers.get("location")).toBe("/kinomill/login?next=%2Fjobs");
    const fragment = await rig.ask("/kinomill/ui/jobs", { headers: { "hx-request": "true" } });
    expect(fragment.headers.get("hx-redirect")).toBe("/kinomill/login");
    const form = { name: "ann", password, next: "/jobs" };
    const headers = { origin: "http://localhost" };
    const login = await rig.ask("/kinomill/login", { form, headers });
    expect(login.headers.get("location")).toBe("/kinomill/jobs");
    expect(login.headers.get("set-cookie")).toContain("; Path=/kinomill;");
  });

  test("gives a cookie for TLS alone where the proxy has TLS", async () => {
    const form = { name: "ann", password };
    const headers = { origin: "http://films.example", "x-forwarded-proto": "https" };
    const forwarded = { ...headers, "x-forwarded-host": "localhost", origin: "https://localhost" };
    const login = await rig.ask("/kinomill/login", { form, headers: forwarded });
    expect(login.headers.get("set-cookie")).toEndWith("; Secure");
    // Another site's page, whatever the proxy is called.
    expect((await rig.ask("/kinomill/login", { form, headers })).status).toBe(403);
  });

  test("is found by another path where a trusted proxy says so", async () => {
    const headers = { accept: "text/html", "x-forwarded-prefix": "/other" };
    const found = paths(await (await rig.ask("/jobs", { browser: "ann", headers })).text());
    expect(found.filter((each) => !each.startsWith("/other/"))).toEqual([]);
  });

  test("takes uploads by tus there, and says where they are", async () => {
    const head = {
      "tus-resumable": "1.0.0",
      "upload-length": "4",
      "upload-metadata": "filename eA==",
    };
    const made = await rig.ask("/kinomill/api/v1/uploads", {
      method: "POST",
      as: "ann",
      headers: head,
    });
    expect(made.status).toBe(201);
    const location = made.headers.get("location") ?? "";
    expect(location).toMatch(/^\/kinomill\/api\/v1\/uploads\/up_/);
    const asked = await rig.ask(location, { method: "HEAD", as: "ann", headers: head });
    expect([asked.status, asked.headers.get("upload-offset")]).toEqual([200, "0"]);
  });

  test("tells programs where it is", async () => {
    const answer = await rig.ask("/kinomill/api/v1/openapi.json", { as: "ann" });
    const document = (await answer.json()) as { servers: unknown };
    expect(document.servers).toEqual([{ url: "/kinomill/" }]);
  });

  test("needs no login for what is open, and one for the rest", async () => {
    expect((await rig.ask("/kinomill/health")).status).toBe(200);
    expect((await rig.ask("/kinomill/api/v1/jobs")).status).toBe(401);
  });
});

test("scripts and style sheets of ours name no path from the top of the server", () => {
  const first = [...ownBeginnings].join("|").replaceAll(".", "\\.");
  const inScript = new RegExp(`["'\`]/(?:(?:${first})[/"'\`?$]|["'\`] *\\+)`);
  expect('fetch("/api/v1/jobs")').toMatch(inScript);
  const own = staticFiles.filter(({ body }) => body.length < 40_000);
  for (const { path, contentType, body: bytes } of own) {
    const body = String(bytes);
    if (contentType.startsWith("text/css"))
      expect({ path, found: /url\(\s*["']?\//.exec(body) }).toEqual({ path, found: null });
    if (contentType.startsWith("text/javascript"))
      expect({ path, found: inScript.exec(body)?.[0] }).toEqual({ path, found: undefined });
  }
});

test("a path that begins like one of ours cannot be the site's", () => {
  const own = new Set(rig.site.app.routes.map(({ path }) => path.split("/")[1] ?? ""));
  own.delete("");
  expect([...own].filter((first) => !ownBeginnings.has(first))).toEqual([]);
  const set = (basePath: string) => httpSettings.safeParse({ basePath }).success;
  expect(set("/jobs")).toBe(false);
  expect(set("/api/films")).toBe(false);
  expect(["/films/api", "/kinomill/", ""].map(set)).toEqual([true, true, true]);
  expect(["films", "//x", "/a b", "/..", "/a?b"].map(set)).toEqual(Array(5).fill(false));
});
