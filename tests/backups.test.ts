/** Backups of a real server: made while it serves, and brought back by the command line. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../src/database/open.ts";
import { Api } from "./api.ts";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { plainClip } from "./clips.ts";
import { fill } from "./support/backup-ground.ts";

let appliance: Appliance;
let admin: Api;
let member: Api;
let memberToken: string;
let adminToken: string;
beforeAll(async () => {
  appliance = await Appliance.start();
  adminToken = await appliance.token("ann", "admin");
  memberToken = await appliance.token("bob");
  admin = new Api(appliance.url, adminToken);
  member = new Api(appliance.url, memberToken);
}, 60_000);
afterAll(async () => appliance[Symbol.asyncDispose]());

const data = () => ["--data", appliance.dataFolder];
const folder = () => join(appliance.dataFolder, "backups");
const backups = "/api/v1/system/backups";

/** What people see: assets and jobs of one, and the accounts. */
async function seen(api: Api) {
  const [assets, jobs] = [await api.get("/api/v1/assets"), await api.get("/api/v1/jobs")];
  const users = await kinomill(["users", "list", ...data()]);
  // When somebody was last seen goes on changing; all else of a person does not.
  const people = users.stdout.replaceAll(/\t(never|last) seen.*$/gm, "");
  return { assets: assets.body.items, jobs: jobs.body.items, people };
}

async function restart(environment: Record<string, string> = {}): Promise<void> {
  appliance = await Appliance.start({ folder: appliance.folder, environment });
  admin = new Api(appliance.url, adminToken);
  member = new Api(appliance.url, memberToken);
}

test("a restore brings back users, assets and jobs exactly, and says whose bytes are gone", async () => {
  const source = await member.add(plainClip());
  const job = await member.run("thumbnails", [source.id], { poster: {} });
  expect(job.state).toBe("succeeded");
  await eventually("all pictures are made", 60_000, async () => {
    const { body } = await member.get("/api/v1/assets");
    return body.items.every(({ thumbnail }: { thumbnail: string }) => thumbnail !== "wanted");
  });
  const before = await seen(member);
  const made = await admin.post(backups, {});
  expect(made.status).toBe(201);

  await member.call("DELETE", `/api/v1/assets/${job.outputs[0]}?forever=true`);
  await member.add(plainClip(), "later.mp4");
  await appliance.token("eve");
  await appliance.end();

  const restored = await kinomill(["restore", made.body.name, ...data()]);
  expect(restored).toMatchObject({ exitCode: 0, stderr: "" });
  expect(restored.stdout).toContain("before-restore-");
  expect(restored.stdout).toContain(`${job.outputs[0]}`);
  expect(restored.stdout).toContain("1 assets are gone");
  await restart();
  expect(await seen(member)).toEqual(before);
  const bytes = await member.download(source.id);
  expect(bytes.length).toBe(source.sizeBytes);
}, 180_000);

test("admins alone look at them and make them; the command line does it beside the server", async () => {
  expect((await member.get(backups)).status).toBe(403);
  expect((await member.post(backups, {})).status).toBe(403);
  const now = await kinomill(["backup", "now", "--json", ...data()]);
  expect(now).toMatchObject({ exitCode: 0, stderr: "" });
  const { name, sha256 } = JSON.parse(now.stdout);
  const { body } = await admin.get(backups);
  expect(body.backups[0]).toMatchObject({ name, sha256 });
  expect(body).toMatchObject({ schedule: "15 3 * * *", warnings: [], last: { problem: null } });
  const list = await kinomill(["backup", "list", ...data()]);
  expect(list.stdout).toStartWith(name);
}, 60_000);

test("a restore beside a running server is refused", async () => {
  const [newest] = (await admin.get(backups)).body.backups;
  const { exitCode, stderr } = await kinomill(["restore", newest.name, ...data()]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("Stop it first");
}, 60_000);

test("what is wrong with them is said by doctor, readiness and the log", async () => {
  const attempt = {
    at: new Date().toISOString(),
    ...{ name: null, problem: "No room.", tookMs: 1, writersWaitMs: 1 },
  };
  writeFileSync(join(folder(), "last-attempt.json"), JSON.stringify(attempt));
  const ready = await admin.get("/health/ready");
  expect([ready.status, ready.body.warnings]).toEqual([
    200,
    [{ part: "backups", sentence: "No room." }],
  ]);
  const doctor = await kinomill(["doctor", ...data()]);
  expect(doctor.stdout).toMatch(/^poor {2}backups +No room\.$/m);
  await admin.post(backups, {});
  expect((await admin.get("/health/ready")).body.warnings).toEqual([]);
  expect(await appliance.log()).toContain("a backup of the database is made");
}, 60_000);

test("kill -9 of the server while one is made leaves no half file", async () => {
  const before = readdirSync(folder()).filter((name) => name.endsWith(".sqlite")).length;
  // So that there is a middle to be killed in.
  const beside = openDatabase(appliance.dataFolder);
  fill(beside, 60_000, "a");
  beside.close();
  void admin.post(backups, {}).catch(() => null);
  await eventually("it is being made", 30_000, async () =>
    readdirSync(folder()).some((name) => name.endsWith(".part")),
  );
  await appliance.end("SIGKILL");
  await restart();
  const made = await admin.post(backups, {});
  expect(made.status).toBe(201);
  await eventually("nothing half is left", 30_000, async () =>
    readdirSync(folder()).every((name) => !name.includes(".part")),
  );
  const after = readdirSync(folder()).filter((name) => name.endsWith(".sqlite"));
  // The copier of the killed server publishes nothing: only its server does, and it may have just done so.
  expect(after.length - before).toBeOneOf([1, 2]);
  for (const name of after) {
    const found = new Bun.CryptoHasher("sha256").update(readFileSync(join(folder(), name)));
    const told = readFileSync(join(folder(), `${name}.sha256`), "utf8");
    expect(told).toStartWith(found.digest("hex"));
  }
}, 120_000);

test("one that is overdue is made when the server starts", async () => {
  const [newest] = (await admin.get(backups)).body.backups;
  await appliance.end();
  const old = "kinomill-2020-01-01T00-00-00Z.sqlite";
  for (const ending of ["", ".sha256"]) {
    renameSync(join(folder(), newest.name + ending), join(folder(), old + ending));
  }
  for (const name of readdirSync(folder())) {
    if (!name.startsWith(old)) rmSync(join(folder(), name));
  }
  await restart({ KINOMILL_BACKUP_SCHEDULE: "24h" });
  await eventually("a new one is made", 60_000, async () => {
    const { body } = await admin.get(backups);
    return body.backups.length === 2 && body.warnings.length === 0;
  });
}, 120_000);
