/** Bin, quota and sweep of a real server and by the command line; what a killed job leaves is gone after a start. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Api } from "./api.ts";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { plainClip, slowClip } from "./clips.ts";
import { ffmpegsIn } from "./support/ffmpegs.ts";

let appliance: Appliance;
let admin: Api;
let member: Api;
let tokens: [string, string];
beforeAll(async () => {
  appliance = await Appliance.start();
  tokens = [await appliance.token("ann", "admin"), await appliance.token("bob")];
  connect();
}, 60_000);
afterAll(async () => appliance[Symbol.asyncDispose]());

function connect(): void {
  admin = new Api(appliance.url, tokens[0]);
  member = new Api(appliance.url, tokens[1]);
}
const data = () => ["--data", appliance.dataFolder];

test("what is deleted comes back with its bytes, also after a restart", async () => {
  const asset = await member.add(plainClip());
  expect((await member.call("DELETE", `/api/v1/assets/${asset.id}`)).status).toBe(204);
  await appliance.end("SIGKILL");
  appliance = await Appliance.start({ folder: appliance.folder });
  connect();
  const back = await member.post(`/api/v1/assets/${asset.id}/restore`, {});
  expect(back.status).toBe(200);
  expect((await member.download(asset.id)).length).toBe(asset.sizeBytes);
}, 120_000);

test("a quota is set by the command line beside the server, and a job that passes it fails with it", async () => {
  const [asset] = (await member.get("/api/v1/assets")).body.items;
  const none = await kinomill(["users", "quota", "bob", "0", ...data()]);
  expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining("is no size")]);
  const { usedBytes } = (await member.get("/api/v1/me")).body.usage;
  const set = await kinomill(["users", "quota", "bob", `${usedBytes + 10}`, ...data()]);
  expect(set).toMatchObject({ exitCode: 0, stderr: "" });
  const job = await member.run("thumbnails", [asset.id], { poster: {} });
  expect(job).toMatchObject({ state: "failed", error: { code: "quota_exceeded" } });
  expect((await member.get("/api/v1/me")).body.usage.usedBytes).toBe(usedBytes);
  await kinomill(["users", "quota", "bob", "default", ...data()]);
  await member.post(`/api/v1/jobs/${job.id}/retry`, {});
  const again = await member.waitFor(job.id, "succeeded", "failed");
  expect(again.state).toBe("succeeded");
}, 120_000);

test("the command line says what a sweep would take, and sweeps where no server runs", async () => {
  const asset = await member.add(plainClip(), "going.mp4");
  const past = { expiresAt: "2020-01-01T00:00:00Z" };
  await member.call("PATCH", `/api/v1/assets/${asset.id}`, {
    headers: { "content-type": "application/json" },
    body: JSON.stringify(past),
  });
  const dry = await kinomill(["sweep", "--dry-run", ...data()]);
  expect(dry.stdout).toContain("going.mp4");
  expect((await kinomill(["sweep", ...data()])).stderr).toContain("Stop it first");
  expect((await member.get(`/api/v1/assets/${asset.id}`)).status).toBe(200);
  await appliance.end();
  const swept = await kinomill(["sweep", "--json", ...data()]);
  expect(JSON.parse(swept.stdout)).toMatchObject({ dryRun: false, expired: [{ id: asset.id }] });
  appliance = await Appliance.start({ folder: appliance.folder });
  connect();
  expect((await member.get("/api/v1/assets?state=binned")).body.items[0].id).toBe(asset.id);
}, 120_000);

test("a server that starts takes what is due and logs it", async () => {
  const asset = await member.add(plainClip(), "due.mp4");
  await appliance.end();
  const environment = { KINOMILL_RETENTION_UPLOAD_DAYS: "30" };
  appliance = await Appliance.start({ folder: appliance.folder, environment });
  connect();
  const later = await member.add(plainClip(), "later.mp4");
  expect(Date.parse(later.expiresAt) - Date.parse(later.createdAt)).toBe(30 * 86_400_000);
  expect(asset.expiresAt).toBeNull();
  await member.call("PATCH", `/api/v1/assets/${asset.id}`, {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ expiresAt: "2020-01-01T00:00:00Z" }),
  });
  expect((await admin.post("/api/v1/system/sweep", {})).body.expired).toMatchObject([
    { id: asset.id },
  ]);
  expect(await appliance.log()).toContain("assets were swept");
}, 120_000);

test("what a dead job left on the disk is gone within a minute of the next start", async () => {
  const source = await member.add(slowClip());
  const params = { video: { codec: "h264", quality: 90 }, speed: "best" };
  const job = await member.start("transcode", [source.id], params);
  await eventually("it encodes", 60_000, async () => {
    return (await ffmpegsIn(appliance.folder)).length > 0;
  });
  const work = join(appliance.dataFolder, "work");
  expect(existsSync(join(work, job.id))).toBe(true);
  await appliance.end("SIGKILL");
  // Of a job that nobody knows, and of something that is none.
  mkdirSync(join(work, `jb_${"0".repeat(32)}`, "encode"), { recursive: true });
  writeFileSync(join(work, `jb_${"0".repeat(32)}`, "encode", "half.mp4"), "half");
  writeFileSync(join(work, "stray"), "stray");
  appliance = await Appliance.start({ folder: appliance.folder });
  connect();
  await member.post(`/api/v1/jobs/${job.id}/cancel`, {});
  await eventually("only what is needed is left", 60_000, async () => {
    return readdirSync(work).length === 0;
  });
}, 180_000);

test("records and storage are compared while it serves, and without a server", async () => {
  const asset = await member.add(plainClip(), "gone.mp4");
  await eventually("its picture is made", 60_000, async () => {
    return (await member.get(`/api/v1/assets/${asset.id}`)).body.thumbnail === "ready";
  });
  const objects = join(appliance.dataFolder, "storage", "objects");
  const path = [...new Bun.Glob(`*/*/${asset.id}`).scanSync({ cwd: objects })][0] ?? "";
  rmSync(join(objects, path));
  expect((await member.post("/api/v1/system/storage/check", {})).status).toBe(403);
  const environment = { KINOMILL_URL: appliance.url, KINOMILL_TOKEN: tokens[0] };
  const found = await kinomill(["storage", "check", "--deep"], { environment });
  expect(found).toMatchObject({ exitCode: 1, stderr: "" });
  expect(found.stdout).toContain(`${asset.id}\tgone.mp4\tits bytes are gone`);
  expect((await kinomill(["storage", "check", "--offline", ...data()])).stderr).toContain("in use");
  await appliance.end();
  const mended = await kinomill(["storage", "check", "--offline", "--repair", "--json", ...data()]);
  expect([mended.exitCode, JSON.parse(mended.stdout).repaired]).toEqual([
    0,
    { orphans: 0, binned: 1 },
  ]);
  appliance = await Appliance.start({ folder: appliance.folder });
  connect();
  const again = await kinomill(["storage", "check"], {
    environment: { ...environment, KINOMILL_URL: appliance.url },
  });
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("0 damaged") });
}, 180_000);
