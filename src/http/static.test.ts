/** Static files as browsers get them, and what each page loads of them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { brotliDecompressSync } from "node:zlib";
import { asset, staticFiles } from "../../static/embedded.ts";
import { type Furnished, furnish } from "../../tests/http/furnished.ts";
import { codingFor, compressed } from "./static.ts";

let home: Furnished;

beforeAll(async () => {
  home = await furnish();
});

afterAll(() => home.site.close());

describe("the coding of a static file", () => {
  const cases: [string, string][] = [
    ["gzip, deflate, br, zstd", "br"],
    ["gzip, deflate", "gzip"],
    ["GZIP", "gzip"],
    ["br;q=0, gzip;q=0.5", "gzip"],
    ["*", "br"],
    ["*;q=0", "identity"],
    ["identity", "identity"],
    ["", "identity"],
    ["br;q=nonsense", "identity"],
  ];
  test.each(cases)("%p gets %s", (accepted, coding) => {
    expect<string>(codingFor(accepted)).toBe(coding);
  });

  test("the packed bytes are those of the file, and each coding has its own etag", async () => {
    const path = asset("htmx.js");
    const ask = (accepted: string, etag?: string) =>
      home.site.ask(path, {
        headers: { "accept-encoding": accepted, ...(etag ? { "if-none-match": etag } : {}) },
      });
    const plain = await ask("identity");
    const packed = await ask("br");
    const bytes = new Uint8Array(await packed.arrayBuffer());
    expect(packed.headers.get("content-encoding")).toBe("br");
    expect(packed.headers.get("vary")).toBe("accept-encoding");
    expect(plain.headers.get("vary")).toBe("accept-encoding");
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(brotliDecompressSync(bytes).toString()).toBe(await plain.text());
    expect(Bun.gunzipSync(new Uint8Array(await (await ask("gzip")).arrayBuffer()))).toEqual(
      new TextEncoder().encode(String(staticFiles.find((file) => file.path === path)?.body)),
    );
    const etag = packed.headers.get("etag") ?? "";
    expect(etag).not.toBe(plain.headers.get("etag") ?? "");
    expect((await ask("br", etag)).status).toBe(304);
    expect((await ask("gzip", etag)).status).toBe(200);
  });

  test("a typeface is sent as it is", async () => {
    const answer = await home.site.ask(asset("hanken-latin.woff2"), {
      headers: { "accept-encoding": "br" },
    });
    expect(answer.headers.get("content-encoding")).toBeNull();
    expect(answer.headers.get("content-type")).toBe("font/woff2");
  });
});

/** Scripts and style sheets of one page, as they travel. */
const PAGE_BYTES_MAX = 150_000;

test("no page loads more than 150 kB of scripts and styles", async () => {
  const sizes = new Map<string, number>();
  for (const { path, body } of staticFiles) {
    sizes.set(path, (await compressed(body, "br")).length);
  }
  const loads: Record<string, number> = {};
  for (const path of pagePaths()) {
    const answer = await home.site.ask(path, { browser: "ann", headers: { accept: "text/html" } });
    if (!answer.headers.get("content-type")?.startsWith("text/html")) continue;
    const text = await answer.text();
    // A part of a page brings nothing with it.
    if (!text.startsWith("<!doctype html>")) continue;
    const named = new Set(text.match(/\/static\/[\w-]+\.(?:js|css)/g));
    loads[path] = [...named].reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0);
  }
  expect(Object.keys(loads).length).toBeGreaterThanOrEqual(5);
  expect(Object.entries(loads).filter(([, bytes]) => bytes > PAGE_BYTES_MAX)).toEqual([]);
  // Each page was really summed: htmx and the style sheet alone are more than this.
  expect(Object.entries(loads).filter(([, bytes]) => bytes < 20_000)).toEqual([]);
}, 120_000);

/** Every page that the site has, so that a new one is weighed without being named here. */
function pagePaths(): string[] {
  const notPages = /^\/(ui|api|static|storage|health|metrics|docs|favicon)/;
  return home.site.site.app.routes
    .filter(({ method, path }) => method === "GET" && !notPages.test(path))
    .map(({ path }) => {
      const { job = "", film = "" } = home.places;
      return path.replace(":id", path.startsWith("/jobs") ? job : film);
    });
}
