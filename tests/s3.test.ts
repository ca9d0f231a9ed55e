/** The whole product on storage in a bucket: a real S3 server, the real executable, a real browser. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DeleteBucketCorsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { Browser, Page } from "playwright-core";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { openBrowser, openPage } from "./browser.ts";
import { type Bucket, Ceph, clientOf, settingsFor } from "./ceph.ts";
import { ffmpeg, ffprobe, plainClip } from "./clips.ts";

setDefaultTimeout(180_000);

let ceph: Ceph;
let bucket: Bucket;
let appliance: Appliance;
let api: Api;
let browser: Browser;

beforeAll(async () => {
  ceph = await Ceph.start();
  bucket = await ceph.bucket();
  appliance = await Appliance.start({ environment: settingsFor(bucket) });
  api = new Api(appliance.url, await appliance.token("ann", "admin"));
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
  await ceph?.stop();
});

async function keysInBucket(): Promise<string[]> {
  const client = clientOf(bucket);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket.bucket }));
  client.destroy();
  return Contents.map(({ Key }) => Key ?? "").sort();
}

const content = (id: string, query = "") => `/api/v1/assets/${id}/content${query}`;

/** Where the server sends a reader, who then asks there as a stranger. */
async function locationOf(path: string): Promise<URL> {
  const answer = await api.get(path);
  expect(answer.status).toBe(307);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  return new URL(answer.headers.get("location") ?? "");
}

/** As a browser has it after the login. */
async function sessionCookie(): Promise<string> {
  const form = new URLSearchParams({ name: "ann", password: appliance.password });
  const headers = { origin: appliance.url };
  const request = { method: "POST", body: form, headers, redirect: "manual" } as const;
  const answer = await fetch(`${appliance.url}/login`, request);
  return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

let film: Json;

describe("an upload", () => {
  test("is in the bucket, and its bytes come from there, whole, in part and as a download", async () => {
    const path = plainClip();
    const bytes = await Bun.file(path).bytes();
    film = await api.add(path, 'Spiel "1" – Ä.mp4');
    expect(await keysInBucket()).toContain(film.id);

    const url = await locationOf(content(film.id));
    expect(url.origin).toBe(bucket.endpoint);
    expect(Number(url.searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(900);
    expect(url.href.toLowerCase()).not.toContain("checksum");
    const whole = await fetch(url);
    expect(whole.headers.get("content-type")).toBe("video/mp4");
    expect(whole.headers.get("content-disposition")).toStartWith("inline; filename=");
    expect(Buffer.compare(await whole.bytes(), bytes)).toBe(0);
    const part = await fetch(url, { headers: { range: "bytes=100-199" } });
    expect(part.status).toBe(206);
    expect(Buffer.compare(await part.bytes(), bytes.subarray(100, 200))).toBe(0);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(403);

    const download = await locationOf(content(film.id, "?download=1"));
    const name = (await fetch(download)).headers.get("content-disposition");
    expect(name).toContain("attachment");
    expect(name).toContain("filename*=UTF-8''Spiel%20%221%22%20%E2%80%93%20%C3%84.mp4");
    // What programs do that follow: they get the bytes from the one address that they know.
    expect(Buffer.compare(await api.download(film.id), bytes)).toBe(0);
  });

  test("answers HEAD and conditions itself", async () => {
    const head = await api.call("HEAD", content(film.id));
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe(String(film.sizeBytes));
    const etag = head.headers.get("etag") ?? "";
    const again = await api.call("GET", content(film.id), { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    const beyond = { headers: { range: `bytes=${film.sizeBytes}-` } };
    expect((await api.call("GET", content(film.id), beyond)).status).toBe(416);
  });

  test("is another user's secret also here", async () => {
    const bob = new Api(appliance.url, await appliance.token("bob"));
    expect((await bob.get(content(film.id))).status).toBe(404);
  });

  test("gets its picture, which is shown by the server", async () => {
    await eventually("the thumbnail is made", 60_000, async () => {
      return (await api.get(`/api/v1/assets/${film.id}/thumbnail`)).status === 200;
    });
    expect((await keysInBucket()).length).toBe(2);
  });
});

describe("jobs", () => {
  test("read from the bucket and write into it, also when nothing is here any more", async () => {
    await appliance.end("SIGKILL");
    rmSync(join(appliance.dataFolder, "cache"), { recursive: true });
    const { folder } = appliance;
    appliance = await Appliance.start({ folder, environment: settingsFor(bucket) });
    api = new Api(appliance.url, api.token);
    const job = await api.run("transcode", [film.id], { video: { maxHeight: 90 } });
    expect(job.error).toBeNull();
    const [output] = job.outputs;
    expect(await keysInBucket()).toContain(output.id ?? output);
    const path = join(folder, "output.mp4");
    await Bun.write(path, await api.download(output.id ?? output));
    expect(ffprobe(path).streams[0]?.["height"]).toBe(90);
  });

  test("leave playlists to the server, and streams beside them to the bucket", async () => {
    const job = await api.run("ladder", [film.id], { format: "hls", rungs: [{ height: 90 }] });
    expect(job.state).toBe("succeeded");
    const { body } = await api.get(`/api/v1/assets?job=${job.id}&limit=100`);
    const names: string[] = body.items.map(({ name }: Json) => name);
    const cookie = await sessionCookie();
    for (const name of names) {
      const path = `/api/v1/jobs/${job.id}/outputs/${encodeURIComponent(name)}`;
      // A program's player would send its token on, which S3 does not take.
      expect([name, (await api.get(path)).status]).toEqual([name, 200]);
      const answer = await fetch(`${appliance.url}${path}`, {
        redirect: "manual",
        headers: { cookie },
      });
      expect([name, answer.status]).toEqual([name, name.endsWith(".m3u8") ? 200 : 307]);
      await answer.body?.cancel();
    }
    // ffmpeg is such a player.
    const master = names.find((name) => name.endsWith(".m3u8")) ?? "";
    const address = `${appliance.url}/api/v1/jobs/${job.id}/outputs/${encodeURIComponent(master)}`;
    const headers = `Authorization: Bearer ${api.token}\r\n`;
    ffmpeg(...["-headers", headers, "-i", address, "-f", "null", "-"]);
  });
});

/** A page of somebody who is logged in, at this address of the server. */
async function loggedIn(url: string) {
  const watched = await openPage(browser, url);
  const { page } = watched;
  await page.goto("/login");
  await page.fill('input[name="name"]', "ann");
  await page.fill('input[name="password"]', appliance.password);
  await page.click('button[type="submit"]');
  await page.waitForURL((address) => address.pathname !== "/login");
  await page.goto(`/assets/${film.id}`);
  return watched;
}

/** Whether the rest of the requests is as it should be: those to the bucket are meant here. */
function otherFaults(faults: string[]): string[] {
  return faults.filter((fault) => !fault.startsWith(`request: ${bucket.endpoint}/`));
}

/** Reads the film as a player's script does: its size, and whence the bytes came. */
function readByScript(page: Page): Promise<{ sizeBytes: number; from: string }> {
  const script = `fetch("${content(film.id)}").then(async (answer) => {
    return { sizeBytes: (await answer.arrayBuffer()).byteLength, from: new URL(answer.url).origin };
  })`;
  return page.evaluate(script) as Promise<{ sizeBytes: number; from: string }>;
}

describe("a browser", () => {
  test("plays a film from the bucket, with nothing refused by the page's policy", async () => {
    const { page, context, faults } = await loggedIn(appliance.url);
    await page.waitForFunction("document.querySelector('video')?.readyState >= 2", null, {
      timeout: 60_000,
    });
    expect(faults.length).toBeGreaterThan(0);
    expect(otherFaults(faults)).toEqual([]);
    await context.close();
  });
});

describe("scripts of the page", () => {
  test("read from the bucket where it allows that, and else from the server", async () => {
    const near = await loggedIn(appliance.url);
    // The player has fetched the same film for itself by then: that must not stand in the way.
    await near.page.waitForFunction("document.querySelector('video')?.readyState >= 1", null, {
      timeout: 60_000,
    });
    const read = { sizeBytes: film.sizeBytes };
    expect(await readByScript(near.page)).toEqual({ ...read, from: bucket.endpoint });
    await near.context.close();

    const client = clientOf(bucket);
    await client.send(new DeleteBucketCorsCommand({ Bucket: bucket.bucket }));
    client.destroy();
    // Another name of the same server: what was found out for the first is remembered for a minute.
    const url = appliance.url.replace("127.0.0.1", "localhost");
    const far = await loggedIn(url);
    expect(await readByScript(far.page)).toEqual({ ...read, from: url });
    expect(otherFaults(far.faults)).toEqual([]);
    await far.context.close();
  });
});

describe("what is deleted", () => {
  test("leaves the bucket and the cache, the picture too", async () => {
    const added = await api.add(plainClip(1));
    await eventually("the thumbnail is made", 60_000, async () => {
      return (await api.get(`/api/v1/assets/${added.id}/thumbnail`)).status === 200;
    });
    expect((await api.call("DELETE", `/api/v1/assets/${added.id}`)).status).toBe(204);
    const ofIt = (name: string) => name.includes(added.id);
    expect((await keysInBucket()).filter(ofIt)).toEqual([]);
    const copies = join(appliance.dataFolder, "cache/copies");
    expect(readdirSync(copies).filter(ofIt)).toEqual([]);
  });
});
