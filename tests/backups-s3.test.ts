/** Backups in a bucket of Ceph's gateway: they survive the loss of the box. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Api } from "./api.ts";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { type Bucket, Ceph, settingsFor } from "./ceph.ts";
import { plainClip } from "./clips.ts";

let ceph: Ceph;
let bucket: Bucket;
beforeAll(async () => {
  ceph = await Ceph.start();
  bucket = await ceph.bucket();
}, 180_000);
afterAll(() => ceph?.stop());

test("a box that lost its disk gets users and assets back from the bucket", async () => {
  const environment = settingsFor(bucket);
  await using first = await Appliance.start({
    environment: { ...environment, KINOMILL_BACKUP_KEEP: "2" },
  });
  const data = ["--data", first.dataFolder];
  const token = await first.token("ann", "admin");
  const api = new Api(first.url, token);
  const asset = await api.add(plainClip());
  const names: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    const made = await api.post("/api/v1/system/backups", {});
    expect(made.status).toBe(201);
    names.unshift(made.body.name);
    await eventually("the copy is in the bucket", 60_000, async () => {
      return (await first.log()).split("were copied into the bucket").length > n + 1;
    });
  }
  expect((await api.get("/api/v1/system/backups")).body.bucket).toEqual({ problem: null });
  const check = await kinomill(["storage", "check"], {
    environment: { KINOMILL_URL: first.url, KINOMILL_TOKEN: token },
  });
  expect(check).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining("Kinomill's") });
  await first.end();

  for (const name of readdirSync(first.dataFolder)) {
    rmSync(join(first.dataFolder, name), { recursive: true });
  }
  const list = await kinomill(["backup", "list", ...data], { environment });
  expect(list.stdout.trim().split("\n")).toEqual(
    names.slice(0, 2).map((name) => expect.stringContaining(`${name}\tin the bucket alone`)),
  );
  const restored = await kinomill(["restore", names[0] ?? "", ...data], { environment });
  expect(restored).toMatchObject({ exitCode: 0, stderr: "" });
  expect(restored.stdout).toContain("The bytes of all its assets are there.");
  expect(readdirSync(first.dataFolder).filter((name) => name.includes("fetched"))).toEqual([]);

  const second = await Appliance.start({ folder: first.folder, environment });
  try {
    const again = new Api(second.url, token);
    expect((await again.download(asset.id)).length).toBe(asset.sizeBytes);
  } finally {
    await second.end();
  }
}, 240_000);

test("a bucket that takes nothing is a warning, and the backup is kept here all the same", async () => {
  const environment = { ...settingsFor(bucket), KINOMILL_STORAGE_S3_BUCKET: "there-is-none" };
  await using appliance = await Appliance.start({ environment });
  const api = new Api(appliance.url, await appliance.token("ann", "admin"));
  expect((await api.post("/api/v1/system/backups", {})).status).toBe(201);
  const { body } = await eventually("it is said", 120_000, async () => {
    const answer = await api.get("/api/v1/system/backups");
    return answer.body.warnings.length > 0 ? answer : null;
  });
  expect(body.warnings[0]).toContain("could not be copied into the bucket");
  expect(body.backups.length).toBe(1);
}, 240_000);
