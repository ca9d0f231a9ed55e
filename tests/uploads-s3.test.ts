/** Uploads in pieces where the storage is a bucket: the same promises, and the bytes end up there. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Api } from "./api.ts";
import { Appliance } from "./appliance.ts";
import { type Bucket, Ceph, settingsFor } from "./ceph.ts";
import { largeClip } from "./support/large-clip.ts";

setDefaultTimeout(180_000);

const MIB = 1024 ** 2;
const tus = { "Tus-Resumable": "1.0.0" };

let ceph: Ceph;
let bucket: Bucket;

beforeAll(async () => {
  ceph = await Ceph.start();
  bucket = await ceph.bucket();
});

afterAll(() => ceph?.stop());

test("a file in pieces, with the server killed in between, is in the bucket with its hash", async () => {
  const environment = settingsFor(bucket);
  let appliance = await Appliance.start({ environment });
  await using _ = { [Symbol.asyncDispose]: () => appliance[Symbol.asyncDispose]() };
  const token = await appliance.token("ann");
  let api = new Api(appliance.url, token);
  const file = await largeClip(30 * MIB);
  const headers = { ...tus, "Upload-Length": String(file.sizeBytes) };
  const made = await api.call("POST", "/api/v1/uploads", { headers });
  expect(made.status).toBe(201);
  const path = made.headers.get("location") ?? "";
  const send = (from: number, to: number) =>
    api.call("PATCH", path, {
      headers: {
        ...{ ...tus, "Content-Type": "application/offset+octet-stream" },
        "Upload-Offset": String(from),
      },
      body: Bun.file(file.path).slice(from, to),
    });
  expect((await send(0, 13 * MIB)).status).toBe(204);
  await appliance.end("SIGKILL");
  appliance = await Appliance.start({ folder: appliance.folder, environment });
  api = new Api(appliance.url, token);
  const last = await send(13 * MIB, file.sizeBytes);
  expect([last.status, last.body]).toEqual([204, ""]);
  const id = last.headers.get("kinomill-asset") ?? "";
  expect((await api.get(`/api/v1/assets/${id}`)).body.sha256).toBe(file.sha256);
  const place = await api.call("GET", `/api/v1/assets/${id}/content`);
  expect(place.status).toBe(307);
  const there = await fetch(place.headers.get("location") ?? "");
  expect(new URL(there.url).origin).toBe(bucket.endpoint);
  const sha256 = new Bun.CryptoHasher("sha256").update(await there.bytes()).digest("hex");
  expect(sha256).toBe(file.sha256);
  expect(readdirSync(join(appliance.dataFolder, "uploads"))).toEqual([]);
});

test("while the bucket does not answer the upload waits whole, and becomes an asset when it does", async () => {
  const environment = settingsFor(bucket);
  let appliance = await Appliance.start({ environment });
  await using _ = { [Symbol.asyncDispose]: () => appliance[Symbol.asyncDispose]() };
  const token = await appliance.token("ann");
  const file = await largeClip(6 * MIB);
  await appliance.end();
  // Nobody listens there: refused at once, as by a gateway that is being restarted.
  const nowhere = { ...environment, KINOMILL_STORAGE_S3_ENDPOINT: "http://127.0.0.1:9" };
  appliance = await Appliance.start({ folder: appliance.folder, environment: nowhere });
  let api = new Api(appliance.url, token);
  const headers = { ...tus, "Upload-Length": String(file.sizeBytes) };
  const path =
    (await api.call("POST", "/api/v1/uploads", { headers })).headers.get("location") ?? "";
  const bytes = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0" };
  const refused = await api.call("PATCH", path, {
    headers: { ...tus, ...bytes },
    body: Bun.file(file.path),
  });
  expect(refused.status).toBeGreaterThanOrEqual(500);
  expect(refused.body.detail).toMatch(/^[A-Z].+ /);
  expect((await api.get(path)).body).toMatchObject({ state: "receiving", offset: file.sizeBytes });
  await appliance.end();
  appliance = await Appliance.start({ folder: appliance.folder, environment });
  api = new Api(appliance.url, token);
  const head = await api.call("HEAD", path, { headers: tus });
  const id = head.headers.get("kinomill-asset");
  expect((await api.get(`/api/v1/assets/${id}`)).body.sha256).toBe(file.sha256);
});
