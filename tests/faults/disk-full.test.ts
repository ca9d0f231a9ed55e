/** The disk fills up while files come in, while a video is encoded, and when the database writes. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { rm, statfs, truncate } from "node:fs/promises";
import { join } from "node:path";
import { Api, type Json } from "../api.ts";
import { Appliance, eventually } from "../appliance.ts";
import { plainClip, slowClip } from "../clips.ts";
import { ffmpegsIn } from "../support/ffmpegs.ts";
import { note, roundsOf } from "./count.ts";

setDefaultTimeout(900_000);

/** What recovery may take once there is room, without a restart. */
const RECOVERY_LIMIT_SECONDS = 10;

/** Kept free for the database; small, because the disk is. */
const reserve = { KINOMILL_STORAGE_RESERVE_BYTES: String(8 * 1024 ** 2) };

/** A server on a disk of its own that a test fills up and frees. */
class Crowded {
  readonly api: Api;
  private readonly appliance: Appliance;

  private constructor(appliance: Appliance, api: Api) {
    this.appliance = appliance;
    this.api = api;
  }

  static async start(size: string): Promise<Crowded> {
    const appliance = await Appliance.start({ dataMount: size, environment: reserve });
    const api = new Api(appliance.url, await appliance.token("ann"));
    await eventually("the server is ready", 20_000, async () => {
      return (await api.get("/health/ready")).status === 200;
    });
    return new Crowded(appliance, api);
  }

  private get filler(): string {
    return join(this.appliance.dataFolder, "filler");
  }

  /** Leaves so many bytes; what is written afterwards takes them. */
  async fill(leaveBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.appliance.dataFolder);
    const bytes = Math.max(0, bavail * bsize - leaveBytes);
    Bun.spawnSync(["fallocate", "-l", String(bytes), this.filler]);
  }

  /** Takes every byte, page by page. */
  async fillToTheBrim(): Promise<void> {
    await this.fill(0);
    Bun.spawnSync(["sh", "-c", `dd if=/dev/zero bs=4096 >>'${this.filler}' 2>/dev/null`]);
  }

  async free(): Promise<void> {
    await truncate(this.filler, 0);
    await rm(this.filler);
  }

  /** Names of the files below the data folder's part. */
  filesIn(...part: string[]): string[] {
    return readdirSync(join(this.appliance.dataFolder, ...part), {
      recursive: true,
      withFileTypes: true,
    })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
  }

  /** How many of its ffmpeg run now. */
  async ffmpegs(): Promise<number> {
    return (await ffmpegsIn(this.appliance.folder)).length;
  }

  /** Seconds from now until a job was taken and ended well. */
  async secondsToWork(assetId: string): Promise<number> {
    const started = performance.now();
    const job = await eventually("a job is taken", 20_000, async () => {
      const request = { operation: "thumbnails", inputs: [assetId], params: {} };
      const answer = await this.api.post("/api/v1/jobs", request);
      return answer.status === 202 ? answer.body : null;
    });
    await eventually("the job begins", 20_000, async () => {
      const { body } = await this.api.get(`/api/v1/jobs/${job.id}`);
      return body.state !== "queued" && body.state !== "waiting";
    });
    const seconds = (performance.now() - started) / 1000;
    const { state, error } = await this.api.waitFor(job.id, "succeeded", "failed");
    expect({ state, error }).toEqual({ state: "succeeded", error: null });
    return seconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.appliance[Symbol.asyncDispose]();
  }
}

test("while files come in: 507, nothing of it stays, and there is work again within 10 s", async () => {
  await using box = await Crowded.start("96m");
  const { api } = box;
  const kept = await api.add(plainClip());
  const rounds = roundsOf(3, 30);
  const recovery: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // Once too little when it begins, otherwise while it comes in.
    await box.fill(round === 0 ? 1024 ** 2 : 9 * 1024 ** 2);
    const answer = await api.upload("large.mp4", await Bun.file(slowClip()).bytes());
    expect([answer.status, answer.body.code]).toEqual([507, "storage_full"]);
    expect(box.filesIn("storage", "incoming")).toEqual([]);
    await box.free();
    recovery.push(await box.secondsToWork(kept.id));
  }
  expect((await api.upload("large.mp4", await Bun.file(slowClip()).bytes())).status).toBe(201);
  const recoverySeconds = Math.max(...recovery);
  expect(recoverySeconds).toBeLessThan(RECOVERY_LIMIT_SECONDS);
  note("disk-full-upload", {
    ...{ rounds, acknowledged: 1 + rounds, lost: 0, doubled: 0, falsified: 0, recoverySeconds },
    control: "with room the same file was taken",
  });
});

test("while a video is encoded: no half output, the job says why, and there is work again within 10 s", async () => {
  await using box = await Crowded.start("128m");
  const { api } = box;
  const kept = await api.add(plainClip());
  const source = await api.add(slowClip());
  const rounds = roundsOf(2, 20);
  const recovery: number[] = [];
  const params = { video: { codec: "h264", quality: 95 }, speed: "fast" };
  for (let round = 0; round < rounds; round += 1) {
    const job = await api.start("transcode", [source.id], params);
    await eventually("ffmpeg encodes", 30_000, async () => {
      return (await api.get(`/api/v1/jobs/${job.id}`)).body.progressPercent > 0;
    });
    await box.fillToTheBrim();
    const ended = await eventually("the job says that the disk is full", 60_000, async () => {
      const { body } = await api.get(`/api/v1/jobs/${job.id}`);
      return saysDiskFull(body) ? body : null;
    });
    expect(ended.outputs).toEqual([]);
    await box.free();
    if (ended.state !== "failed") await api.post(`/api/v1/jobs/${job.id}/cancel`, {});
    recovery.push(await box.secondsToWork(kept.id));
  }
  const names = (await api.get("/api/v1/assets?limit=200")).body.items.map(
    ({ name }: Json) => name,
  );
  expect(names.filter((name: string) => /slow.*mp4/.test(name))).toEqual(["slow.mp4"]);
  const recoverySeconds = Math.max(...recovery);
  expect(recoverySeconds).toBeLessThan(RECOVERY_LIMIT_SECONDS);
  const control = await api.run("transcode", [source.id], {
    video: { codec: "h264", quality: 40 },
  });
  expect(control.state).toBe("succeeded");
  note("disk-full-encode", {
    ...{ rounds, acknowledged: 2 + 2 * rounds, lost: 0, doubled: 0, falsified: 0, recoverySeconds },
    control: "with room the same video was encoded",
  });
});

test("while a ladder for HLS is written: all of its files are published or none", async () => {
  await using box = await Crowded.start("128m");
  const { api } = box;
  const kept = await api.add(plainClip());
  const source = await api.add(slowClip());
  const params = { rungs: [{ height: 270 }, { height: 180 }], segmentSeconds: 1 };
  const rounds = roundsOf(1, 20);
  const recovery: number[] = [];
  const published: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const job = await api.start("ladder", [source.id], params);
    await eventually("ffmpeg encodes", 60_000, async () => {
      return (await api.get(`/api/v1/jobs/${job.id}`)).body.progressPercent > 0;
    });
    await box.fillToTheBrim();
    // To the last byte: that it failed cannot even be written down.
    await eventually("ffmpeg gave up", 120_000, async () => {
      const { body } = await api.get(`/api/v1/jobs/${job.id}`);
      return saysDiskFull(body) || (await box.ffmpegs()) === 0;
    });
    expect((await api.get(`/api/v1/jobs/${job.id}`)).body.outputs).toEqual([]);
    await box.free();
    recovery.push(await box.secondsToWork(kept.id));
    const ended = await api.waitFor(job.id, "succeeded", "failed");
    if (ended.state === "failed") {
      expect([ended.error.code, ended.outputs]).toEqual(["disk_full", []]);
      await api.post(`/api/v1/jobs/${job.id}/retry`, {});
    }
    const { outputs } = await api.waitFor(job.id, "succeeded");
    published.push(outputs.length);
  }
  expect(Math.min(...published)).toBeGreaterThan(3);
  const recoverySeconds = Math.max(...recovery);
  expect(recoverySeconds).toBeLessThan(RECOVERY_LIMIT_SECONDS);
  note("disk-full-hls", {
    ...{ rounds, acknowledged: 2 + 2 * rounds, lost: 0, doubled: 0, falsified: 0, recoverySeconds },
    control: `with room the same ladder was published, ${published[0]} files`,
  });
});

/** Either it failed so, or it waits for room and says so. */
function saysDiskFull(job: Json): boolean {
  if (job.state === "failed") return job.error.code === "disk_full";
  const said = [job.deviceReason, ...job.attempts.map(({ error }: Json) => error?.code)].join(" ");
  return job.state !== "running" && /disk|space|room/i.test(said);
}

test("to the last page: jobs are refused or kept, never half of it, and go on within 10 s", async () => {
  await using box = await Crowded.start("64m");
  const { api } = box;
  const kept = await api.add(plainClip());
  const rounds = roundsOf(3, 30);
  const recovery: number[] = [];
  const acknowledged: string[] = [];
  let refused = 0;
  for (let round = 0; round < rounds; round += 1) {
    await box.fillToTheBrim();
    for (let count = 0; count < 20; count += 1) {
      const request = { operation: "thumbnails", inputs: [kept.id], params: {} };
      const answer = await api.post("/api/v1/jobs", request);
      if (answer.status === 202) acknowledged.push(answer.body.id);
      else {
        expect([answer.status, answer.body.code]).toEqual([507, "storage_full"]);
        refused += 1;
      }
    }
    await box.free();
    recovery.push(await box.secondsToWork(kept.id));
  }
  expect(refused).toBeGreaterThan(0);
  const lost: string[] = [];
  for (const id of acknowledged) {
    const { status } = await api.get(`/api/v1/jobs/${id}`);
    if (status !== 200) lost.push(id);
  }
  expect(lost).toEqual([]);
  const recoverySeconds = Math.max(...recovery);
  expect(recoverySeconds).toBeLessThan(RECOVERY_LIMIT_SECONDS);
  note("disk-full-commit", {
    ...{ rounds, acknowledged: acknowledged.length + rounds, lost: 0, doubled: 0, falsified: 0 },
    recoverySeconds,
    control: `${refused} jobs were refused while there was no room`,
  });
});
