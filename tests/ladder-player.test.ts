/** Ladders as people get them: made by the executable, fetched by name over HTTP, played in Chromium. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { Api, type Json } from "./api.ts";
import { Appliance, kinomill } from "./appliance.ts";
import { openBrowser } from "./browser.ts";
import { numberedFilm } from "./operations/numbered.ts";
import { checkHls } from "./streaming/hls-rules.ts";
import { type Playback, play } from "./streaming/player.ts";

setDefaultTimeout(180_000);

const frameRate = 25;
const filmSeconds = 4;
const rungs = [{ height: 144 }, { height: 72 }];
const params = { format: "both", segmentSeconds: 1, rungs };

let folder = "";
let film = "";
let browser: Browser;
let appliance: Appliance;
let api: Api;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ladder-player-"));
  film = numberedFilm(join(folder, "My film.mp4"), {
    count: filmSeconds * frameRate,
    argv: ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-c:a", "aac"],
  });
  browser = await openBrowser();
  appliance = await Appliance.start();
  api = new Api(appliance.url, await appliance.token("ann", "admin"));
});

afterAll(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** An empty page of an origin, whose requests carry a token where there is one. */
async function pageAt(origin: string, token?: string): Promise<Page> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const context = await browser.newContext({ extraHTTPHeaders: headers });
  const page = await context.newPage();
  await page.route(`${origin}/player`, (route) =>
    route.fulfill({ contentType: "text/html", body: "<!doctype html><title>Player</title>" }),
  );
  await page.goto(`${origin}/player`);
  return page;
}

/** Every picture was shown at its time, whichever rung it came from; nothing stood still. */
function expectSmooth({ errors, frames, stalls, buffered, ended, ...played }: Playback): void {
  expect({ errors, stalls, ended }).toEqual({ errors: [], stalls: [], ended: true });
  const late = frames.map(({ time, number }) => number - Math.round(time * frameRate));
  // By the time that it is looked at, a busy machine may show the next one already.
  expect(late.filter((count) => count < 0 || count > 3)).toEqual([]);
  const numbers = frames.map(({ number }) => number);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(played.droppedVideoFrames).toBeLessThanOrEqual(played.totalVideoFrames * 0.05);
  expect(played.totalVideoFrames).toBeGreaterThanOrEqual(filmSeconds * frameRate - 3);
  expect(new Set(frames.map(({ number }) => Math.floor(number / frameRate))).size).toBe(
    filmSeconds,
  );
  expect(buffered).toHaveLength(1);
  expect(played.duration).toBeCloseTo(filmSeconds, 1);
  expect(played.soundBytes).toBeGreaterThan(1000);
}

let job: Json;

test("a ladder is fetched by name from its job, and no other user finds it", async () => {
  const asset = await api.add(film, "My film.mp4");
  job = await api.run("ladder", [asset.id], params);
  expect(job.state).toBe("succeeded");
  const { body } = await api.get(`/api/v1/assets?job=${job.id}&limit=100`);
  const outputs = (body.items as Json[]).map((item) => [item.name, item.origin.role]).toSorted();
  expect(outputs).toEqual([
    ["my-film-144p-keyframes.m3u8", "keyframe-playlist"],
    ["my-film-144p.m3u8", "playlist"],
    ["my-film-144p.mp4", "rung"],
    ["my-film-72p-keyframes.m3u8", "keyframe-playlist"],
    ["my-film-72p.m3u8", "playlist"],
    ["my-film-72p.mp4", "rung"],
    ["my-film-audio-1.m3u8", "playlist"],
    ["my-film-audio-1.mp4", "audio"],
    ["my-film.m3u8", "main"],
    ["my-film.mpd", "manifest"],
  ]);
  expect(job.outputs[0]).toBe(
    (body.items as Json[]).find(({ name }) => name === "my-film.m3u8")?.id,
  );
});

test("outputs answer to ranges, conditions and HEAD, and to their owner alone", async () => {
  const address = `/api/v1/jobs/${job.id}/outputs/my-film-72p.mp4`;
  const part = await api.call("GET", address, { headers: { range: "bytes=4-7" } });
  expect([part.status, part.body]).toEqual([206, "ftyp"]);
  expect(part.headers.get("content-range")).toMatch(/^bytes 4-7\/\d+$/);
  expect(part.headers.get("content-type")).toBe("video/mp4");
  const etag = part.headers.get("etag") ?? "";
  const again = await api.call("GET", address, { headers: { "if-none-match": etag } });
  expect([again.status, etag.length > 10]).toEqual([304, true]);
  const head = await api.call("HEAD", address);
  expect([head.status, head.body]).toEqual([200, ""]);
  const playlist = await api.get(`/api/v1/jobs/${job.id}/outputs/my%2Dfilm.m3u8`);
  expect(playlist.headers.get("content-type")).toContain("application/vnd.apple.mpegurl");
  const nobody = await fetch(`${appliance.url}${address}`);
  expect(nobody.status).toBe(401);
  const bob = new Api(appliance.url, await appliance.token("bob"));
  for (const [who, path] of [
    [bob, address],
    [api, `/api/v1/jobs/${job.id}/outputs/other.mp4`],
    [api, `/api/v1/jobs/${job.id}/outputs/%E0%A4%A`],
    [api, "/api/v1/jobs/jb_none/outputs/my-film.m3u8"],
  ] as const) {
    const answer = await who.get(path);
    expect([answer.status, answer.body.code]).toEqual([404, "not_found"]);
  }
});

test.each([
  ["hls.js", "hls", "my-film.m3u8"],
  ["What our pages have of hls.js", "own", "my-film.m3u8"],
  ["Shaka", "dash", "my-film.mpd"],
] as const)(
  "%s changes rungs at every segment, and every frame is shown at its time",
  async (_, library, name) => {
    const page = await pageAt(appliance.url, api.token);
    const played = await play(page, library, `/api/v1/jobs/${job.id}/outputs/${name}`);
    expectSmooth(played);
    expect(new Set(played.frames.map(({ lines }) => lines))).toEqual(new Set([72, 144]));
    if (library !== "dash") expect(played.rungs.slice(0, 4)).toEqual([72, 144, 72, 144]);
    await page.context().close();
  },
);

test.each(["72p", "72p-keyframes", "audio-1"])(
  "the list of one stream (%s) plays as well, to its end",
  async (stream) => {
    const page = await pageAt(appliance.url, api.token);
    const address = `/api/v1/jobs/${job.id}/outputs/my-film-${stream}.m3u8`;
    const played = await play(page, "own", address);
    const { errors, ended, duration, soundBytes, totalVideoFrames } = played;
    const showsPicture = totalVideoFrames > 0;
    expect({ errors, ended, showsPicture }).toEqual({
      ...{ errors: [], ended: true, showsPicture: stream !== "audio-1" },
    });
    expect(duration).toBeCloseTo(filmSeconds, 1);
    if (stream === "audio-1") expect(soundBytes).toBeGreaterThan(1000);
    await page.context().close();
  },
);

test("the command line makes an encrypted folder that plays from any web server, its key untold", async () => {
  const target = join(folder, "encrypted");
  const file = join(folder, "params.json");
  await Bun.write(file, JSON.stringify({ ...params, format: "hls", encryption: "aes-128" }));
  const argv = ["run", "ladder", film, "-o", `${target}/`, "--params", file, "--json"];
  const done = await kinomill([...argv, "--device", "cpu"]);
  expect(done.exitCode).toBe(0);
  const key = readFileSync(join(target, "my-film.key"));
  expect(key).toHaveLength(16);
  for (const form of ["hex", "base64"] as const) {
    expect(done.stdout + done.stderr).not.toContain(key.toString(form));
  }
  expect(readdirSync(target)).toHaveLength(10);
  expect(checkHls(target, "my-film.m3u8").breaches).toEqual([]);
  await using server = serveFolder(target);
  for (const library of ["hls", "own"] as const) {
    const page = await pageAt(server.origin);
    const played = await play(page, library, "/my-film.m3u8");
    expectSmooth(played);
    expect(played.rungs.slice(0, 4)).toEqual([72, 144, 72, 144]);
    await page.context().close();
  }
  // Browsers have no cryptography for pages that came by plain HTTP from another machine.
  const page = await pageAt(server.origin);
  await page.addInitScript('Object.defineProperty(crypto, "subtle", { value: undefined })');
  const played = await play(page, "own", "/my-film.m3u8");
  expect(await page.evaluate("crypto.subtle === undefined")).toBeTrue();
  expectSmooth(played);
  const keyframes = await play(page, "own", "/my-film-72p-keyframes.m3u8");
  expect(keyframes).toMatchObject({ errors: [], ended: true, totalVideoFrames: filmSeconds });
  await page.context().close();
});

/** A web server as simple as any: files, and ranges of them. */
function serveFolder(root: string) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const file = Bun.file(join(root, new URL(request.url).pathname.replaceAll("/", "")));
      if (!(await file.exists())) return new Response(null, { status: 404 });
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
      if (range === null) return new Response(file);
      const [from, until] = [Number(range[1]), Math.min(Number(range[2]) + 1, file.size)];
      const headers = { "content-range": `bytes ${from}-${until - 1}/${file.size}` };
      return new Response(file.slice(from, until), { status: 206, headers });
    },
  });
  return {
    origin: server.url.origin,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
