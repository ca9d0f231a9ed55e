/** A library moves from the disk into a bucket and back, on the real server and a real S3 server, while it is read. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { Api } from "./api.ts";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { type Bucket, type Ceph, clientOf, endSharedCeph, sharedCeph } from "./ceph.ts";
import { plainClip } from "./clips.ts";

let ceph: Ceph;
beforeAll(async () => {
  ceph = await sharedCeph();
}, 120_000);

const started: Appliance[] = [];
afterAll(async () => {
  for (const appliance of started) await appliance[Symbol.asyncDispose]();
});
afterAll(endSharedCeph);

async function start(environment: Record<string, string>, folder?: string): Promise<Appliance> {
  const appliance = await Appliance.start({
    environment,
    ...(folder === undefined ? {} : { folder }),
  });
  started.push(appliance);
  return appliance;
}

const settingsOf = (bucket: Bucket): Record<string, string> => ({
  KINOMILL_STORAGE_S3_ENDPOINT: bucket.endpoint,
  KINOMILL_STORAGE_S3_REGION: bucket.region,
  KINOMILL_STORAGE_S3_BUCKET: bucket.bucket,
  KINOMILL_STORAGE_S3_PATH_STYLE: "true",
  KINOMILL_STORAGE_S3_ACCESS_KEY_ID: bucket.accessKeyId,
  KINOMILL_STORAGE_S3_SECRET_ACCESS_KEY: bucket.secretAccessKey,
});

async function keysIn(bucket: Bucket): Promise<string[]> {
  const client = clientOf(bucket);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket.bucket }));
  client.destroy();
  return Contents.flatMap(({ Key }) => Key ?? []);
}

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** The command line as an admin uses it. */
const migrate = (api: Api, ...argv: string[]) =>
  kinomill(["storage", "migrate", ...argv], {
    environment: { KINOMILL_URL: api.url, KINOMILL_TOKEN: api.token },
  });

test("all of a library moves into a bucket and back, and every byte is what it was", async () => {
  const bucket = await ceph.bucket();
  const onDisk = await start({});
  const api = new Api(onDisk.url, await onDisk.token("ann", "admin"));
  const asset = await api.add(plainClip());
  const job = await api.run("transcode", [asset.id], { video: { quality: 40 } });
  expect(job.error).toBeNull();
  const ids: string[] = [asset.id, ...job.outputs];
  const before = new Map<string, string>();
  for (const id of ids) before.set(id, sha256(await api.download(id)));
  await eventually("each has its picture", 60_000, async () => {
    const pictures = ids.map((id) => api.get(`/api/v1/assets/${id}/thumbnail`));
    return (await Promise.all(pictures)).every(({ status }) => status === 200);
  });
  const same = async (reader: Api) => {
    for (const id of ids) expect(sha256(await reader.download(id))).toBe(before.get(id) ?? "");
  };

  // The settings say so first, and the answer does.
  const early = await migrate(api, "--to", "s3");
  expect(early.exitCode).toBe(1);
  expect(early.stderr).toContain('Set storage.kind to "s3" and restart');
  await onDisk.end();

  const s3 = { ...settingsOf(bucket), KINOMILL_STORAGE_KIND: "s3" };
  const inBucket = await start(s3, onDisk.folder);
  const far = new Api(inBucket.url, api.token);
  await same(far);
  expect(await keysIn(bucket)).toEqual([]);
  const moved = await migrate(far, "--to", "s3");
  expect(moved.stderr).not.toContain("kinomill:");
  expect(moved.stdout).toContain('All objects are in the storage "s3".');
  expect((await keysIn(bucket)).toSorted()).toEqual(
    ids.flatMap((id) => [id, `${id}.thumbnail`]).toSorted(),
  );
  await same(far);
  // Work goes on with what moved, and what is new is in the bucket alone.
  const again = await far.run("transcode", [asset.id], { video: { quality: 41 } });
  expect(again.error).toBeNull();
  expect(await keysIn(bucket)).toContain(again.outputs[0]);
  await inBucket.end("SIGKILL");

  // Without the bucket's settings it would not find them, and says so.
  const lost = await kinomill(["serve", "--data", inBucket.dataFolder, "--listen", "127.0.0.1:0"]);
  expect(lost.exitCode).not.toBe(0);
  expect(lost.stderr).toContain("Leave its settings (storage.s3.*) in place");

  const back = await start({ ...settingsOf(bucket), KINOMILL_STORAGE_KIND: "disk" }, onDisk.folder);
  const near = new Api(back.url, api.token);
  await same(near);
  const returned = await migrate(near, "--to", "disk", "--json");
  expect(JSON.parse(returned.stdout)).toMatchObject({
    ...{ state: "done", from: "s3", to: "disk", faults: [] },
    left: { objects: 0, bytes: 0 },
  });
  await same(near);
  const objects = join(back.dataFolder, "storage", "objects");
  expect(existsSync(objects)).toBe(true);
  expect(sha256(await near.download(again.outputs[0]))).toBe(
    (await near.get(`/api/v1/assets/${again.outputs[0]}`)).body.sha256,
  );
  // A member may not.
  const bob = new Api(near.url, await back.token("bob"));
  expect((await bob.get("/api/v1/system/storage/move")).status).toBe(403);
  expect((await bob.post("/api/v1/system/storage/move", { to: "disk" })).status).toBe(403);
}, 240_000);

test("the server is killed again and again while it moves: nothing is lost, nothing is twice", async () => {
  const bucket = await ceph.bucket();
  const first = await start({});
  const api = new Api(first.url, await first.token("ann", "admin"));
  const hashes = new Map<string, string>();
  const clip = await Bun.file(plainClip()).bytes();
  for (let index = 0; index < 12; index += 1) {
    // Media that a prober takes, and each with other bytes.
    const padding = crypto.getRandomValues(new Uint8Array(60_000));
    const bytes = new Uint8Array([...clip, ...freeBox(padding)]);
    const { body } = await api.upload(`clip ${index}.mp4`, bytes);
    hashes.set(body.id, sha256(bytes));
  }
  await first.end();
  const environment = { ...settingsOf(bucket), KINOMILL_STORAGE_KIND: "s3" };
  let left = Number.POSITIVE_INFINITY;
  for (let round = 0; left > 0; round += 1) {
    expect(round).toBeLessThan(30);
    const server = await start(environment, first.folder);
    const reader = new Api(server.url, api.token);
    // Once asked for it goes on by itself after each start.
    if (round === 0) await reader.post("/api/v1/system/storage/move", { to: "s3" });
    const before = left;
    await eventually("something moved", 60_000, async () => {
      const { body } = await reader.get("/api/v1/system/storage/move");
      left = body.left.objects;
      return left < before || left === 0;
    });
    if (left > 0) await server.end("SIGKILL");
    else for (const [id, hash] of hashes) expect(sha256(await reader.download(id))).toBe(hash);
  }
  const keys = await keysIn(bucket);
  for (const id of hashes.keys()) expect(keys).toContain(id);
}, 240_000);

/** A box of MP4 that readers skip. */
function freeBox(payload: Uint8Array): Uint8Array {
  const box = new Uint8Array(8 + payload.length);
  new DataView(box.buffer).setUint32(0, box.length);
  box.set(new TextEncoder().encode("free"), 4);
  box.set(payload, 8);
  return box;
}
