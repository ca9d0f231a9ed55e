import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { media as mediaOf } from "../../tests/operations/specimen.ts";
import { Library } from "../assets/library.ts";
import { AssetRecords } from "../assets/records.ts";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { newId, newSecret } from "../identity.ts";
import { silentLog } from "../log.ts";
import type { Toolchain } from "../media/devices.ts";
import { noGpus, openBox } from "../runners/box.ts";
import type { AttemptOutcome, AttemptRequest, Runner } from "../runners/runner.ts";
import { type DiskStorage, openDiskStorage } from "../storage/disk.ts";
import { Experience } from "./experience.ts";
import { Feed } from "./feed.ts";
import { WorkFigures } from "./figures.ts";
import type { Job, JobState } from "./job.ts";
import { Jobs } from "./jobs.ts";
import { LiveProgress } from "./live.ts";
import { Queue } from "./queue.ts";
import { Repeats } from "./repeats.ts";
import { Room } from "./room.ts";
import { StepRows } from "./step-rows.ts";
import type { JobRequest } from "./submission.ts";
import { WorkFolders } from "./work-folders.ts";
import { Worker } from "./worker.ts";

const config = await loadConfig({ file: null, environment: {}, flags: {} });

const toolchain: Toolchain = {
  ...{ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe", version: "7.1" },
  release: { major: 7, minor: 1 },
  encoders: new Set(["libx264", "aac"]),
  decoders: new Set(["h264"]),
  filters: new Set(["scale", "format"]),
  hwaccels: new Set(),
};

const media = mediaOf({ audio: [], durationSeconds: 2 });

/** Stands where ffmpeg would be: each run ends when the test says so, or when it is aborted. */
class SteeredRunner implements Runner {
  readonly name = "steered";
  /** Runs that were not ended. */
  open = 0;
  readonly runs: { request: AttemptRequest; end(outcome: AttemptOutcome): void }[] = [];

  run(request: AttemptRequest): Promise<AttemptOutcome> {
    return new Promise((resolve) => {
      const end = (outcome: AttemptOutcome) => {
        this.open -= 1;
        resolve(outcome);
      };
      this.open += 1;
      request.signal.addEventListener("abort", () => end({ kind: "aborted" }));
      this.runs.push({ request, end });
    });
  }

  /** Ends the last run with the files that it was expected to make. */
  succeed(): void {
    const run = this.runs.at(-1);
    if (run === undefined) throw new Error("nothing runs");
    const { jobFolder, step, expectations } = run.request;
    mkdirSync(join(jobFolder, step), { recursive: true });
    const outputs = expectations.map(({ file }) => {
      const path = join(jobFolder, step, file);
      writeFileSync(path, "the bytes of an output");
      return { file, path, sizeBytes: 22, media, checks: ["looked at"] };
    });
    run.end({ kind: "done", outputs, deviceReason: "Because.", encoder: "steered", proof: null });
  }
}

let folder: string;
let database: Database;
let runner: SteeredRunner;
let jobs: Jobs;
let worker: Worker;
let ownerId: string;
let assetId: string;
let storage: DiskStorage;
let library: Library;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-worker-"));
  database = openDatabase(folder);
  ownerId = newId("user");
  database
    .query(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, 'ann', 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
    )
    .run(ownerId);
  runner = new SteeredRunner();
  const queue = new Queue(database, systemClock);
  const feed = new Feed(systemClock, queue.ledger.log);
  storage = openDiskStorage({
    folder: join(folder, "storage"),
    reserveBytes: 0,
    signingKey: newSecret(),
    publicPath: "/storage",
    clock: systemClock,
  });
  library = new Library({
    database,
    storage,
    clock: systemClock,
    log: silentLog(),
    probe: async () => media,
    uploadMaxBytes: 1e9,
    onChange: () => {},
  });
  const shared = {
    database,
    storage,
    library,
    feed,
    queue,
    live: new LiveProgress(),
    clock: systemClock,
    log: silentLog(),
    stepRows: new StepRows(database, systemClock),
    folders: new WorkFolders(join(folder, "work")),
    planContext: () => toolchain,
    ffmpegVersion: () => toolchain.version,
  };
  const { dispatch } = openBox({
    config: { ...config, jobs: { ...config.jobs, cpuSlots: 2 } },
    clock: systemClock,
    runner,
    toolchain: () => toolchain,
    gpus: noGpus,
  });
  const preview = dispatch.preview.bind(dispatch);
  const experience = new Experience({
    figures: new WorkFigures(database, systemClock),
    clock: systemClock,
    surroundings: { cores: 2, preview },
  });
  jobs = new Jobs({
    ...shared,
    surroundings: experience.surroundings,
    verify: "quick",
    onQueued: () => worker.wake(),
    onPlanned: (id, made) => worker.planned(id, made),
    onCancelled: (id) => worker.abort(id),
    onPaused: (id, paused) => worker.pause(id, paused),
    queuedPerUserMax: 1000,
  });
  worker = new Worker({
    ...shared,
    jobs,
    experience,
    dispatch,
    room: new Room({ folder, reserveBytes: 0, shareDone: () => 0 }),
    verify: "quick",
    repeats: new Repeats(database, library.records, { reuse: true }),
    onPublished: () => {},
  });
  await worker.recover();
  const body = new Blob(["bytes"]).stream();
  assetId = (await library.upload(ownerId, "a.mp4", body, { declaredBytes: null })).id;
});

afterEach(async () => {
  await worker.stop();
  database.close();
  rmSync(folder, { recursive: true });
});

const ann = () => ({ id: ownerId, name: "ann" });

async function submit(more: Partial<JobRequest> = {}): Promise<Job> {
  const params = { video: { quality: 40 } };
  const request = { operation: "transcode", inputs: [assetId], params, reuse: false, ...more };
  return (await jobs.submit(ann(), request, null)).job;
}

async function until(id: string, ...states: JobState[]): Promise<Job> {
  const deadline = performance.now() + 5000;
  for (;;) {
    const job = jobs.get(ownerId, id);
    if (states.includes(job.state)) return job;
    if (performance.now() > deadline) throw new Error(`job is still ${job.state}`);
    await Bun.sleep(1);
  }
}

async function runsBegun(count: number): Promise<void> {
  const deadline = performance.now() + 5000;
  while (runner.runs.length < count) {
    if (performance.now() > deadline) throw new Error(`${runner.runs.length} runs began`);
    await Bun.sleep(1);
  }
}

function storedKeys(): string[] {
  return readdirSync(join(folder, "storage", "objects"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

describe("the worker", () => {
  test("fills its slots, no more, and takes the next job when one is free", async () => {
    worker.start();
    const ids = (await Promise.all([submit(), submit(), submit()])).map(({ id }) => id);
    await runsBegun(2);
    expect(ids.map((id) => jobs.get(ownerId, id).state)).toEqual(["running", "running", "queued"]);
    runner.succeed();
    await runsBegun(3);
    expect(runner.open).toBe(2);
  });

  test("publishes what was proven and clears its folder", async () => {
    worker.start();
    const { id } = await submit();
    await runsBegun(1);
    runner.succeed();
    const job = await until(id, "succeeded", "failed");
    expect(job.error).toBeNull();
    expect([job.outputs.length, job.progressPercent, job.deviceReason]).toEqual([
      1,
      100,
      "Because. This machine has no NVIDIA GPU.",
    ]);
    expect(job.steps[0]?.checks).toEqual(["looked at"]);
    expect(storedKeys().toSorted()).toEqual([assetId, ...job.outputs].toSorted());
    await worker.stop();
    expect(readdirSync(join(folder, "work"))).toEqual([]);
  });

  test("keeps nothing of a job that was cancelled while its output was being published", async () => {
    worker.start();
    const { id } = await submit();
    await runsBegun(1);
    runner.succeed();
    jobs.cancel(ann(), id);
    await worker.stop();
    expect(jobs.get(ownerId, id).outputs).toEqual([]);
    expect(storedKeys()).toEqual([assetId]);
    expect(new AssetRecords(database, systemClock).leftIntents()).toEqual([]);
  });

  test("puts running jobs back when it stops", async () => {
    worker.start();
    const { id } = await submit();
    await runsBegun(1);
    await worker.stop();
    const job = jobs.get(ownerId, id);
    expect([job.state, job.attempt, job.attempts[0]?.outcome]).toEqual([
      "queued",
      0,
      "interrupted",
    ]);
  });

  test("requeues a job whose end could not be written, once the disk takes writes again", async () => {
    worker.start();
    const { id } = await submit();
    await runsBegun(1);
    // A trigger that fails stands for a disk that does not take the write.
    database.run(
      `CREATE TEMP TRIGGER full_disk BEFORE UPDATE OF state ON job
       BEGIN SELECT raise(ABORT, 'disk full'); END`,
    );
    runner.runs[0]?.end({
      kind: "failed",
      report: { code: "stalled", message: "m", hint: "", retryable: true, log: "" },
      fault: null,
    });
    const deadline = performance.now() + 5000;
    while (worker.busySlots > 0 && performance.now() < deadline) await Bun.sleep(1);
    expect(jobs.get(ownerId, id).state).toBe("running");
    database.run("DROP TRIGGER full_disk");
    // By itself, within some seconds.
    await runsBegun(2);
    runner.succeed();
    expect((await until(id, "succeeded", "failed")).state).toBe("succeeded");
  });
});

describe("a job that was done before", () => {
  async function done(more: Partial<JobRequest> = {}): Promise<Job> {
    const begun = runner.runs.length;
    const { id } = await submit(more);
    await runsBegun(begun + 1);
    runner.succeed();
    return await until(id, "succeeded");
  }

  test("is done at once, also where no place is free, with outputs of its own that outlive the first's", async () => {
    worker.start();
    const first = await done();
    const busy = await Promise.all([submit(), submit()]);
    await runsBegun(3);
    const { id } = await submit({ reuse: true });
    const repeated = await until(id, "succeeded");
    expect(runner.runs.length).toBe(3);
    expect(busy.map((job) => jobs.get(ownerId, job.id).state)).toEqual(["running", "running"]);
    expect(repeated.deviceReason).toContain(`job ${first.id} did the same`);
    expect([repeated.steps, repeated.progressPercent]).toEqual([[], 100]);
    const [one, other] = [first.outputs[0] ?? "", repeated.outputs[0] ?? ""];
    expect(one).not.toBe(other);
    const [made, copied] = [library.get(ownerId, one), library.get(ownerId, other)];
    const { createdAt } = copied;
    expect(copied.origin).toMatchObject({ kind: "job", jobId: id });
    expect(copied).toEqual({ ...made, id: other, origin: copied.origin, createdAt });
    await library.delete(ownerId, one);
    expect(storedKeys()).toContain(other);
    expect(new AssetRecords(database, systemClock).leftIntents()).toEqual([]);
  });

  test("runs again when its outputs are gone, and then stands for the next", async () => {
    worker.start();
    const first = await done();
    await library.delete(ownerId, first.outputs[0] ?? "");
    const again = await done({ reuse: true });
    expect(again.deviceReason).not.toContain("did the same");
    const { id } = await submit({ reuse: true });
    expect((await until(id, "succeeded")).deviceReason).toContain(`job ${again.id}`);
  });

  test("runs when a copy of its bytes is gone from storage, and says where it ran", async () => {
    worker.start();
    const first = await done();
    await storage.delete(first.outputs[0] ?? "");
    const again = await done({ reuse: true });
    expect(again.deviceReason).toBe("Because. This machine has no NVIDIA GPU.");
    expect(again.steps.length).toBe(1);
  });

  test("runs for other bytes, other parameters, another proof, another person, and who wants it anew", async () => {
    worker.start();
    await done();
    const bytes = new Blob(["other bytes"]).stream();
    const other = await library.upload(ownerId, "a.mp4", bytes, { declaredBytes: null });
    await done({ inputs: [other.id], reuse: true });
    await done({ params: { video: { quality: 41 } }, reuse: true });
    await done({ verify: "full", reuse: true });
    await done({ reuse: false });
    const repeats = new Repeats(database, library.records, { reuse: true });
    const key = database.query<{ key: string }, []>("SELECT key FROM repeat").get()?.key ?? "";
    expect(repeats.find({ ownerId, anew: false }, key)?.assets.length).toBe(1);
    expect(repeats.find({ ownerId: "us_other", anew: false }, key)).toBeNull();
    expect(repeats.find({ ownerId, anew: true }, key)).toBeNull();
    const off = new Repeats(database, library.records, { reuse: false });
    expect(off.find({ ownerId, anew: false }, key)).toBeNull();
  });

  test("is known by its bytes: the same file added twice is one", async () => {
    worker.start();
    const first = await done();
    const bytes = new Blob(["bytes"]).stream();
    const twin = await library.upload(ownerId, "a.mp4", bytes, { declaredBytes: null });
    const { id } = await submit({ inputs: [twin.id], reuse: true });
    expect((await until(id, "succeeded")).deviceReason).toContain(`job ${first.id}`);
  });
});

test("a job that was done tells how long the next will take, and each job what was expected of it", async () => {
  worker.start();
  const wish = { operation: "transcode", inputs: [assetId], params: { video: { quality: 40 } } };
  expect(jobs.estimate(ownerId, wish).basis).toBe("a first guess; it learns from finished jobs");
  for (let done = 1; done <= 3; done += 1) {
    const { id } = await submit();
    await runsBegun(done);
    const running = jobs.get(ownerId, id);
    expect(running.etaSeconds).toBe(running.predicted?.predictedSeconds ?? -1);
    runner.succeed();
    const job = await until(id, "succeeded");
    expect(job.predicted?.basis).toBe(
      done === 1 ? "a first guess; it learns from finished jobs" : jobsLike(done - 1),
    );
  }
  const estimate = jobs.estimate(ownerId, wish);
  expect(estimate.basis).toBe(jobsLike(3));
  // Each took some hundredths of a second and left 22 bytes.
  expect(estimate.predictedSeconds).toBeLessThan(1);
  expect(estimate.predictedBytes).toBeGreaterThan(10);
  expect(estimate.predictedBytes).toBeLessThan(20_000);
});

const jobsLike = (count: number) =>
  `from ${count} ${count === 1 ? "job" : "jobs"} like it on this box`;
