import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import fontPackage from "../node_modules/@fontsource-variable/hanken-grotesk/package.json" with {
  type: "json",
};
import hlsPackage from "../node_modules/hls.js/package.json" with { type: "json" };
import htmxPackage from "../node_modules/htmx.org/package.json" with { type: "json" };
import tusPackage from "../node_modules/tus-js-client/package.json" with { type: "json" };
import uplotPackage from "../node_modules/uplot/package.json" with { type: "json" };
import {
  libraryFile,
  libraryLicences,
  libraryPackages,
  licencesFile,
  playerLibrary,
} from "../script/player-library.ts";
import { asset, staticFiles } from "./embedded.ts";

const here = import.meta.dir;
const named = (name: string) => staticFiles.find(({ path }) => path === asset(name));

describe("vendored", () => {
  const pairs = [
    ["htmx.js", "dist/htmx.min.js", `htmx-${htmxPackage.version}.min.js`],
    ["hx-sse.js", "dist/ext/hx-sse.min.js", `hx-sse-${htmxPackage.version}.min.js`],
    ["hx-csp.js", "dist/ext/hx-csp.min.js", `hx-csp-${htmxPackage.version}.min.js`],
  ] as const;
  test("tus.js is the package's file, byte for byte", async () => {
    const source = join(here, "../node_modules/tus-js-client/dist/tus.min.js");
    const published = await Bun.file(source).bytes();
    const vendored = join(here, `vendor/tus-js-client-${tusPackage.version}.min.js`);
    expect(await Bun.file(vendored).bytes()).toEqual(published);
    expect(Buffer.from(named("tus.js")?.body ?? "")).toEqual(Buffer.from(published));
  });

  test("hls.js is what its packages give today, and they are listed", async () => {
    const { text, sources } = await playerLibrary();
    const vendored = join(here, `vendor/hls-${hlsPackage.version}.cmaf.min.js`);
    expect(libraryFile).toBe(vendored);
    expect((await Bun.file(vendored).text()) === text).toBeTrue();
    expect(named("hls.js")?.body === text).toBeTrue();
    const packages = sources.flatMap(
      (path) => /^node_modules\/((@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
    );
    expect([...new Set(packages)].toSorted()).toEqual([...libraryPackages]);
    expect(await Bun.file(licencesFile).text()).toBe(libraryLicences());
  });

  test.each([
    ["uplot.js", "uPlot.iife.min.js", "iife.min.js"],
    ["uplot.css", "uPlot.min.css", "min.css"],
  ] as const)("%s is the package's file, byte for byte", async (name, source, ending) => {
    const published = await Bun.file(join(here, "../node_modules/uplot/dist", source)).bytes();
    const vendored = join(here, `vendor/uplot-${uplotPackage.version}.${ending}`);
    expect(await Bun.file(vendored).bytes()).toEqual(published);
    expect(Buffer.from(named(name)?.body ?? "")).toEqual(Buffer.from(published));
  });
  test.each(["latin", "latin-ext"])(
    "the typeface (%s) is the package's file, byte for byte",
    async (part) => {
      const files = join(here, "../node_modules/@fontsource-variable/hanken-grotesk/files");
      const published = await Bun.file(
        join(files, `hanken-grotesk-${part}-wght-normal.woff2`),
      ).bytes();
      const vendored = join(here, `vendor/hanken-grotesk-${part}-${fontPackage.version}.woff2`);
      expect(await Bun.file(vendored).bytes()).toEqual(published);
      expect(Buffer.from(named(`hanken-${part}.woff2`)?.body ?? "")).toEqual(
        Buffer.from(published),
      );
    },
  );

  test.each(pairs)("%s is the package's file, byte for byte", async (name, source, vendored) => {
    const published = await Bun.file(join(here, "../node_modules/htmx.org", source)).bytes();
    expect(await Bun.file(join(here, "vendor", vendored)).bytes()).toEqual(published);
    expect(Buffer.from(named(name)?.body ?? "")).toEqual(Buffer.from(published));
  });
});

describe("static files", () => {
  test("have a name that says their bytes, a type and an etag", () => {
    for (const { path, body, etag, contentType } of staticFiles) {
      const digest = new Bun.CryptoHasher("sha256").update(body).digest("hex");
      expect(path).toMatch(/^\/static\/[a-z-]+-[0-9a-f]{10}\.(css|js|svg|txt|woff2)$/);
      expect(digest).toStartWith(etag.slice(1, -1));
      expect(path).toContain(etag.slice(1, -1));
      expect(contentType).toMatch(
        /^(text\/(css|javascript|plain); charset=utf-8|image\/svg\+xml|font\/woff2)$/,
      );
      expect(body.length).toBeGreaterThan(100);
    }
    expect(new Set(staticFiles.map(({ path }) => path)).size).toBe(staticFiles.length);
  });

  test("load nothing from anywhere else", () => {
    const own = staticFiles.filter(
      ({ path }) => !/\/(htmx|hx-|tus-|uplot-|hls-)|woff2$/.test(path),
    );
    expect(own.length).toBeGreaterThanOrEqual(7);
    for (const { body } of own) {
      const foreign = String(body)
        .replaceAll("http://www.w3.org/2000/svg", "")
        .replaceAll(/url\(hanken-latin(-ext)?-[0-9a-f]{10}\.woff2\)/g, "");
      expect(foreign).not.toMatch(
        /https?:|\/\/[a-z]+\.|@import|url\(|innerHTML|insertAdjacentHTML|document\.write|eval\(/,
      );
    }
  });

  test("the style sheet stays below 20 kB compressed", () => {
    expect(Bun.gzipSync(named("app.css")?.body ?? "").length).toBeLessThan(20_000);
  });

  test("a file that is not there is a broken invariant", () => {
    expect(() => asset("nothing.js")).toThrow(/nothing\.js/);
  });
});
