/** The whole product on storage in a bucket: a real S3 server, the real executable, a real browser. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  DeleteBucketCorsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import type { Browser, Page } from "playwright-core";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { logIn, openBrowser, openPage } from "./browser.ts";
import { type Bucket, Ceph, clientOf, settingsFor } from "./ceph.ts";
import { ffmpeg, ffprobe, plainClip } from "./clips.ts";
import { FaultProxy } from "./support/fault-proxy.ts";

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
  // Not those by which the server tries the bucket: they come and go.
  return Contents.map(({ Key }) => Key ?? "")
    .filter((key) => !key.startsWith("check-"))
    .sort();
}

/** How many uploads in parts are not finished, but for those by which the server tries the bucket. */
async function partsInBucket(): Promise<number> {
  const client = clientOf(bucket);
  const named = { Bucket: bucket.bucket };
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(named));
  client.destroy();
  return Uploads.filter(({ Key = "" }) => !Key.startsWith("check-")).length;
}

test("the bucket of the settings is made where it is not there", async () => {
  const environment = settingsFor({ ...bucket, bucket: "made-by-command" });
  const create = (more: Record<string, string> = {}) =>
    kinomill(["storage", "create-bucket"], { environment: { ...environment, ...more } });
  expect(await create()).toMatchObject({
    exitCode: 0,
    stdout: "Made the bucket made-by-command.\n",
  });
  expect(await create()).toMatchObject({
    ...{ exitCode: 0, stdout: "The bucket made-by-command is there already.\n" },
  });
  const wrong = await create({ KINOMILL_STORAGE_S3_SECRET_ACCESS_KEY: "wrong" });
  expect(wrong.stderr).toContain("the secret key is wrong");
  expect(wrong.exitCode).toBe(1);
});

async function proxied() {
  const proxy = await FaultProxy.start(ceph.endpoint);
  return Object.assign(proxy, { [Symbol.asyncDispose]: () => proxy.close() });
}

const MIB = 1024 ** 2;

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
  await logIn(page, appliance.password);
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
    const deleted = await api.call("DELETE", `/api/v1/assets/${added.id}?forever=true`);
    expect(deleted.status).toBe(204);
    const ofIt = (name: string) => name.includes(added.id);
    expect((await keysInBucket()).filter(ofIt)).toEqual([]);
    const copies = join(appliance.dataFolder, "cache/copies");
    expect(readdirSync(copies).filter(ofIt)).toEqual([]);
  });
});

describe("a server in trouble", () => {
  test("costs a job time and not its work: it is tried again and published when the server is back", async () => {
    await using proxy = await proxied();
    const through = { ...bucket, endpoint: proxy.url };
    await appliance.end();
    const { folder } = appliance;
    const environment = {
      ...settingsFor(through),
      KINOMILL_STORAGE_S3_TIMEOUT_SECONDS: "1",
      // Its bytes are never asked for through the proxy: they are known by the bucket's own address.
      KINOMILL_STORAGE_S3_PUBLIC_ENDPOINT: bucket.endpoint,
    };
    appliance = await Appliance.start({ folder, environment });
    api = new Api(appliance.url, api.token);
    await eventually("the server is ready", 60_000, async () => {
      return (await fetch(`${appliance.url}/health/ready`)).ok;
    });
    proxy.rule = ({ method }) =>
      method === "PUT" ? { kind: "answer", status: 503, body: "<Error/>" } : null;
    const upload = await api.upload("refused.mp4", await Bun.file(plainClip(1)).bytes());
    expect([upload.status, upload.body.code]).toEqual([503, "storage_unreachable"]);
    expect(upload.body.detail).toContain("answers with errors");

    const job = await api.start("transcode", [film.id], { video: { maxHeight: 72 } });
    await eventually("the job waits for another run", 60_000, async () => {
      const { body } = await api.get(`/api/v1/jobs/${job.id}`);
      return body.state === "queued" && body.notBefore !== null;
    });
    proxy.rule = () => null;
    const done = await api.waitFor(job.id, "succeeded", "failed");
    expect(done.state).toBe("succeeded");
  });

  test("makes the box not ready, with the sentence, and nothing secret is told", async () => {
    await appliance.end();
    const { folder } = appliance;
    const wrong = { ...bucket, secretAccessKey: "entirely-wrong-secret" };
    appliance = await Appliance.start({ folder, environment: settingsFor(wrong) });
    const told = await eventually("the fault is found", 60_000, async () => {
      const answer = await fetch(`${appliance.url}/health/ready`);
      const { failing } = (await answer.json()) as Json;
      const storage = failing.find(({ part }: Json) => part === "storage");
      return storage?.sentence.includes("secret key is wrong") ? storage.sentence : null;
    });
    expect(told).toContain("storage.s3.secretAccessKey");
    api = new Api(appliance.url, api.token);
    const { body } = await api.get("/api/v1/system");
    const finding = body.findings.find(({ id }: Json) => id === "storage.reach");
    expect(finding).toMatchObject({ level: "fault" });

    const data = ["--data", appliance.dataFolder];
    const doctor = await kinomill(["doctor", ...data], { environment: settingsFor(wrong) });
    expect(doctor.stdout).toMatch(/BAD +storage +.*secret/);
    expect(doctor.exitCode).toBe(1);
    const list = await kinomill(["config", "check", "--list", ...data], {
      environment: settingsFor(wrong),
    });
    expect(list.stdout).toContain('storage.s3.secretAccessKey = "[secret]"');
    const bad = { ...settingsFor(wrong), KINOMILL_STORAGE_S3_PARALLEL: "none" };
    const refused = await kinomill(["config", "check", ...data], { environment: bad });
    expect(refused.exitCode).toBe(2);
    const said = [await appliance.log(), doctor.stdout, list.stdout, refused.stderr].join("\n");
    expect(said).not.toContain("entirely-wrong-secret");
  });

  test("killed in the middle of an upload leaves nothing in the bucket after the next start", async () => {
    await appliance.end();
    const { folder } = appliance;
    appliance = await Appliance.start({ folder, environment: settingsFor(bucket) });
    api = new Api(appliance.url, api.token);
    // Pictures of what other tests stored may still come; they bear its name.
    const stored = async () => (await keysInBucket()).filter((key) => !key.includes("."));
    const before = await stored();
    const endless = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await Bun.sleep(5);
        controller.enqueue(new Uint8Array(MIB));
      },
    });
    const upload = api.call("POST", "/api/v1/assets?name=endless.mp4", { body: endless });
    upload.catch(() => undefined);
    await eventually("parts are in the bucket", 60_000, async () => (await partsInBucket()) > 0);
    await appliance.end("SIGKILL");
    appliance = await Appliance.start({ folder, environment: settingsFor(bucket) });
    await eventually("the parts are gone", 60_000, async () => (await partsInBucket()) === 0);
    expect(await stored()).toEqual(before);
    expect(readdirSync(join(appliance.dataFolder, "cache/incoming"))).toEqual([]);
  });
});
