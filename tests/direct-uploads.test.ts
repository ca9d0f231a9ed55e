/** Uploads straight into the bucket: the real server, a real S3 server, and a sender that does all it should not. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ListMultipartUploadsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import {
  type Bucket,
  type Ceph,
  clientOf,
  endSharedCeph,
  settingsFor,
  sharedCeph,
} from "./ceph.ts";
import { plainClip } from "./clips.ts";

setDefaultTimeout(180_000);

const MIB = 1024 ** 2;
const DIRECT = "/api/v1/uploads/direct";

let ceph: Ceph;
let bucket: Bucket;
let appliance: Appliance;
let ann: Api;
let bob: Api;
let film: Uint8Array<ArrayBuffer>;

const environment = () => ({
  ...settingsFor(bucket),
  KINOMILL_STORAGE_S3_PART_BYTES: String(5 * MIB),
  KINOMILL_UPLOADS_UNFINISHED_PER_USER: "3",
});

beforeAll(async () => {
  ceph = await sharedCeph();
  bucket = await ceph.bucket();
  appliance = await Appliance.start({ environment: environment() });
  ann = new Api(appliance.url, await appliance.token("ann", "admin"));
  bob = new Api(appliance.url, await appliance.token("bob"));
  film = padded(await Bun.file(plainClip()).bytes(), 12 * MIB);
});

afterAll(async () => {
  await appliance?.[Symbol.asyncDispose]();
});
afterAll(endSharedCeph);

/** A film with a box behind it that readers skip, so that it has several parts. */
function padded(clip: Uint8Array, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(sizeBytes);
  file.set(clip);
  new DataView(file.buffer).setUint32(clip.length, sizeBytes - clip.length);
  file.set(new TextEncoder().encode("free"), clip.length + 4);
  for (let at = clip.length + 8; at < sizeBytes; at += 1) file[at] = (at * 31) >> 3;
  return file;
}

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

async function begin(api: Api, sizeBytes: number, name = "far.mp4"): Promise<Json> {
  const answer = await eventually("the server has started", 60_000, async () => {
    const asked = await api.post(DIRECT, { name, sizeBytes });
    return asked.body.code === "starting" ? null : asked;
  });
  expect(answer.status).toBe(201);
  expect(answer.headers.get("location")).toBe(`${DIRECT}/${answer.body.id}`);
  return answer.body;
}

async function addressOf(api: Api, id: string, part: number): Promise<string> {
  const { status, body } = await api.post(`${DIRECT}/${id}/addresses`, { parts: [part] });
  expect(status).toBe(200);
  return body.items[0].url;
}

/** Puts these parts as a stranger: the address is all that it takes. */
async function send(api: Api, upload: Json, bytes: Uint8Array, parts: number[]): Promise<void> {
  for (const part of parts) {
    const from = (part - 1) * upload.partBytes;
    const body = bytes.slice(from, from + upload.partBytes);
    const answer = await fetch(await addressOf(api, upload.id, part), { method: "PUT", body });
    expect(answer.status).toBe(200);
  }
}

async function complete(api: Api, id: string): Promise<Json> {
  return await eventually("it is an asset", 60_000, async () => {
    const answer = await api.post(`${DIRECT}/${id}/complete`, {});
    return answer.status === 202 ? null : answer;
  });
}

async function leftInBucket(): Promise<{ keys: string[]; unfinished: number }> {
  const client = clientOf(bucket);
  const Bucket = bucket.bucket;
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  client.destroy();
  return { keys: Contents.map(({ Key }) => Key ?? ""), unfinished: Uploads.length };
}

describe("a file that goes past the server", () => {
  test("becomes an asset with the bytes, the hash and the name that it had", async () => {
    const upload = await begin(ann, film.length, "../dir/Spiel – Ä.mp4");
    expect([upload.parts, upload.partBytes, upload.state]).toEqual([3, 5 * MIB, "receiving"]);
    await send(ann, upload, film, [3, 1]);
    const half = await ann.get(`${DIRECT}/${upload.id}`);
    expect(half.body.received.toSorted()).toEqual([1, 3]);
    const early = await ann.post(`${DIRECT}/${upload.id}/complete`, {});
    expect([early.status, early.body.code]).toEqual([409, "incomplete"]);
    expect(early.body.errors).toEqual([{ path: "parts.2", message: "is missing" }]);
    expect((await ann.get(DIRECT)).body.items.map(({ id }: Json) => id)).toEqual([upload.id]);
    await send(ann, upload, film, [2]);
    const done = await complete(ann, upload.id);
    expect(done.status).toBe(200);
    const asset = (await ann.get(`/api/v1/assets/${done.body.assetId}`)).body;
    expect(asset).toMatchObject({ name: "Spiel – Ä.mp4", sha256: sha256(film), state: "ready" });
    expect(sha256(await ann.download(asset.id))).toBe(sha256(film));
    // Again is the same answer, and it is no unfinished one any more.
    expect((await ann.post(`${DIRECT}/${upload.id}/complete`, {})).body.assetId).toBe(asset.id);
    expect((await ann.get(DIRECT)).body.items).toEqual([]);
    expect((await leftInBucket()).unfinished).toBe(0);
  });

  test("is looked into: what is no media is refused and gone", async () => {
    const upload = await begin(ann, 6 * MIB);
    const noise = new Uint8Array(6 * MIB).fill(7);
    await send(ann, upload, noise, [1, 2]);
    const refused = await complete(ann, upload.id);
    expect([refused.status, refused.body.code]).toEqual([422, "not_media"]);
    const looked = await ann.get(`${DIRECT}/${upload.id}`);
    expect([looked.body.state, looked.body.problem.code]).toEqual(["refused", "not_media"]);
    const { keys, unfinished } = await leftInBucket();
    expect(unfinished).toBe(0);
    const assets = (await ann.get("/api/v1/assets")).body.items;
    expect(keys.filter((key) => !key.endsWith(".thumbnail")).toSorted()).toEqual(
      assets.map(({ id }: Json) => id).toSorted(),
    );
  });

  test("of which a part has another size than it should is not put together", async () => {
    const upload = await begin(ann, film.length);
    await send(ann, upload, film, [1, 3]);
    const short = await addressOf(ann, upload.id, 2);
    await fetch(short, { method: "PUT", body: film.slice(0, 5 * MIB + 1) });
    const refused = await ann.post(`${DIRECT}/${upload.id}/complete`, {});
    expect([refused.status, refused.body.errors]).toEqual([
      409,
      [{ path: "parts.2", message: "is missing" }],
    ]);
    await send(ann, upload, film, [2]);
    expect((await complete(ann, upload.id)).status).toBe(200);
  });

  test("that is given up leaves nothing in the bucket", async () => {
    const upload = await begin(ann, film.length);
    await send(ann, upload, film, [1]);
    expect((await leftInBucket()).unfinished).toBe(1);
    const url = await addressOf(ann, upload.id, 2);
    expect((await ann.call("DELETE", `${DIRECT}/${upload.id}`)).status).toBe(204);
    expect((await leftInBucket()).unfinished).toBe(0);
    expect((await ann.get(`${DIRECT}/${upload.id}`)).status).toBe(404);
    // An address that is still valid leads nowhere.
    expect((await fetch(url, { method: "PUT", body: "late" })).status).toBe(404);
  });
});

describe("nobody else", () => {
  test("sees, fills, finishes or deletes it", async () => {
    const upload = await begin(ann, film.length);
    const one = `${DIRECT}/${upload.id}`;
    expect((await bob.get(one)).status).toBe(404);
    expect((await bob.post(`${one}/addresses`, { parts: [1] })).status).toBe(404);
    expect((await bob.post(`${one}/complete`, {})).status).toBe(404);
    expect((await bob.call("DELETE", one)).status).toBe(404);
    expect((await bob.get(DIRECT)).body.items).toEqual([]);
    expect((await fetch(`${appliance.url}${one}`)).status).toBe(401);
    await ann.call("DELETE", one);
  });

  test("gets anywhere with an address but its one part", async () => {
    const upload = await begin(ann, film.length);
    const url = await addressOf(ann, upload.id, 1);
    expect(Number(new URL(url).searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(900);
    const other = url.replace("partNumber=1", "partNumber=2");
    expect(other).not.toBe(url);
    expect((await fetch(other, { method: "PUT", body: "x" })).status).toBe(403);
    expect((await fetch(url)).status).toBe(403);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
    await ann.call("DELETE", `${DIRECT}/${upload.id}`);
  });
});

test("what makes no sense is refused with what to do", async () => {
  const wrong = async (body: Json) => (await ann.post(DIRECT, body)).body.code;
  expect(await wrong({ name: "a", sizeBytes: 0 })).toBe("invalid");
  expect(await wrong({ name: "a", sizeBytes: -5 })).toBe("invalid");
  expect(await wrong({ name: "a", sizeBytes: 1e19 })).toBe("invalid");
  expect(await wrong({ name: "", sizeBytes: 5 })).toBe("invalid");
  expect(await wrong({ name: "a", sizeBytes: 2 ** 50 })).toBe("too_large");
  const begun: string[] = [];
  for (let index = 0; index < 3; index += 1) begun.push((await begin(ann, MIB)).id);
  const fourth = await ann.post(DIRECT, { name: "a", sizeBytes: MIB });
  expect([fourth.status, fourth.body.code]).toEqual([429, "too_many_uploads"]);
  const addresses = `${DIRECT}/${begun[0]}/addresses`;
  for (const parts of [[], [0], [2], [1.5], [-1], Array(101).fill(1)]) {
    expect((await ann.post(addresses, { parts })).status).toBe(422);
  }
  for (const id of begun) await ann.call("DELETE", `${DIRECT}/${id}`);
  expect((await leftInBucket()).unfinished).toBe(0);
});

test("what is begun takes of the quota, and what no longer fits becomes no asset", async () => {
  const carol = new Api(appliance.url, await appliance.token("carol"));
  const { body } = await ann.get("/api/v1/users");
  const { id } = body.items.find(({ name }: Json) => name === "carol");
  const allow = (quotaBytes: number) =>
    ann.call("PATCH", `/api/v1/users/${id}`, {
      body: JSON.stringify({ quotaBytes }),
      headers: { "content-type": "application/json" },
    });
  expect((await allow(15 * MIB)).status).toBe(200);
  const upload = await begin(carol, film.length);
  const second = await carol.post(DIRECT, { name: "b.mp4", sizeBytes: film.length });
  expect([second.status, second.body.code]).toEqual([413, "quota_exceeded"]);
  await send(carol, upload, film, [1, 2, 3]);
  await allow(MIB);
  const refused = await complete(carol, upload.id);
  expect([refused.status, refused.body.code]).toEqual([413, "quota_exceeded"]);
  const { keys, unfinished } = await leftInBucket();
  expect([unfinished, (await carol.get("/api/v1/assets")).body.items.length]).toEqual([0, 0]);
  expect(keys).not.toContain(refused.body.assetId);
});

test("a server that is killed while it looks into the object finishes it after its next start", async () => {
  const upload = await begin(ann, film.length);
  await send(ann, upload, film, [1, 2, 3]);
  // Not waited for: it is killed at some moment of it.
  const asked = ann.post(`${DIRECT}/${upload.id}/complete`, {}).catch(() => null);
  await eventually("it is being finished, or is", 60_000, async () => {
    const { body } = await ann.get(`${DIRECT}/${upload.id}`);
    return body.state !== "receiving";
  });
  await appliance.end("SIGKILL");
  await asked;
  appliance = await Appliance.start({ environment: environment(), folder: appliance.folder });
  ann = new Api(appliance.url, ann.token);
  const ended = await eventually("it is complete", 60_000, async () => {
    const { body } = await ann.get(`${DIRECT}/${upload.id}`);
    return body.state === "complete" ? body : null;
  });
  expect(sha256(await ann.download(ended.assetId))).toBe(sha256(film));
});

test("a disk takes no uploads past the server, and a page of elsewhere gets none", async () => {
  await using disk = await Appliance.start();
  const api = new Api(disk.url, await disk.token("ann"));
  const refused = await api.post(DIRECT, { name: "a.mp4", sizeBytes: 100 });
  expect([refused.status, refused.body.code]).toEqual([409, "not_direct"]);
  expect((await api.get(DIRECT)).body.items).toEqual([]);
  const closed = await ceph.bucket({ cors: false });
  await using strict = await Appliance.start({ environment: settingsFor(closed) });
  const page = new Api(strict.url, await strict.token("ann"));
  const body = { name: "a.mp4", sizeBytes: 100 };
  const fromPage = await eventually("the server has started", 60_000, async () => {
    const answer = await page.post(DIRECT, body, { origin: strict.url });
    return answer.body.code === "starting" ? null : answer;
  });
  expect([fromPage.status, fromPage.body.code]).toEqual([409, "not_direct"]);
  // A program needs no leave of the bucket's rules for pages.
  expect((await page.post(DIRECT, body)).status).toBe(201);
});
