/** The worker and all that it needs on a data folder of its own, with a runner that a test steers. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Library } from "../../src/assets/library.ts";
import { systemClock } from "../../src/clock.ts";
import { loadConfig } from "../../src/config.ts";
import { type Database, openDatabase } from "../../src/database/open.ts";
import { newId, newSecret } from "../../src/identity.ts";
import type { Asker } from "../../src/jobs/asks.ts";
import { Experience } from "../../src/jobs/experience.ts";
import { Feed } from "../../src/jobs/feed.ts";
import { WorkFigures } from "../../src/jobs/figures.ts";
import type { Job, JobState } from "../../src/jobs/job.ts";
import { Jobs } from "../../src/jobs/jobs.ts";
import { LiveProgress } from "../../src/jobs/live.ts";
import { Queue } from "../../src/jobs/queue.ts";
import { Repeats } from "../../src/jobs/repeats.ts";
import { Room } from "../../src/jobs/room.ts";
import { StepRows } from "../../src/jobs/step-rows.ts";
import { WorkFolders } from "../../src/jobs/work-folders.ts";
import { Worker } from "../../src/jobs/worker.ts";
import { silentLog } from "../../src/log.ts";
import type { Toolchain } from "../../src/media/devices.ts";
import { noGpus, openBox } from "../../src/runners/box.ts";
import type { AttemptOutcome, AttemptRequest, Runner } from "../../src/runners/runner.ts";
import { openDiskStorage } from "../../src/storage/disk.ts";
import { media as mediaOf } from "../operations/specimen.ts";
import { until } from "./processes.ts";

const config = await loadConfig({ file: null, environment: {}, flags: {} });

const media = mediaOf({ durationSeconds: 2 });

export interface SteeredRun {
  request: AttemptRequest;
  end(outcome: AttemptOutcome): void;
}

/** Stands where ffmpeg would be: each run ends when the test says so, or when it is aborted. */
export class SteeredRunner implements Runner {
  readonly name = "steered";
  readonly runs: SteeredRun[] = [];
  readonly open = new Set<SteeredRun>();

  run(request: AttemptRequest): Promise<AttemptOutcome> {
    return new Promise((resolve) => {
      const run = {
        request,
        end: (outcome: AttemptOutcome) => {
          this.open.delete(run);
          resolve(outcome);
        },
      };
      this.open.add(run);
      this.runs.push(run);
      if (request.signal.aborted) run.end({ kind: "aborted" });
      else request.signal.addEventListener("abort", () => run.end({ kind: "aborted" }));
    });
  }

  /** Names of the steps that were begun, in order. */
  get begun(): string[] {
    return this.runs.map(({ request }) => request.step);
  }
}

export interface SteeredOptions {
  cpuSlots?: number;
  /** Of the ffmpeg that there would be. */
  version?: string;
  verify?: "quick" | "full";
  /** Runs that a job may have; 1: a failure is final. */
  runs?: number;
}

export class SteeredWork {
  readonly folder = mkdtempSync(join(tmpdir(), "kinomill-steered-"));
  readonly database: Database = openDatabase(this.folder);
  readonly ownerId = newId("user");
  runner = new SteeredRunner();
  private parts: { jobs: Jobs; worker: Worker; queue: Queue } | null = null;
  private library: Library | null = null;

  constructor() {
    const hash = "$argon2id$x";
    this.database
      .query(
        "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, 'ann', 'admin', ?, '2026-01-01T00:00:00.000Z')",
      )
      .run(this.ownerId, hash);
  }

  get jobs(): Jobs {
    if (this.parts === null) throw new Error("not started");
    return this.parts.jobs;
  }

  get worker(): Worker {
    if (this.parts === null) throw new Error("not started");
    return this.parts.worker;
  }

  /** Room that the disk seems to have. */
  freeBytes = 1e12;

  /** Opens all parts anew, as a start of the server does, and begins to work. */
  async start({
    cpuSlots = 2,
    version = "7.1",
    verify = "quick",
    runs = 1,
  }: SteeredOptions = {}): Promise<void> {
    this.runner = new SteeredRunner();
    const toolchain: Toolchain = {
      ...{ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe", version, hwaccels: new Set() },
      release: { major: 7, minor: 1 },
      encoders: new Set(["libx264", "aac"]),
      decoders: new Set(["h264", "aac"]),
      filters: new Set(["scale", "format"]),
    };
    const storage = openDiskStorage({
      ...{ folder: join(this.folder, "storage"), reserveBytes: 0, signingKey: newSecret() },
      ...{ publicPath: "/storage", clock: systemClock },
    });
    const common = { database: this.database, storage, clock: systemClock, log: silentLog() };
    const library = new Library({
      ...common,
      probe: () => Promise.resolve(media),
      uploadMaxBytes: 1e9,
      onChange: () => {},
    });
    const { dispatch } = openBox({
      config: { ...config, jobs: { ...config.jobs, cpuSlots } },
      ...{ clock: systemClock, runner: this.runner, toolchain: () => toolchain, gpus: noGpus },
    });
    const queue = new Queue(this.database, systemClock, { runsMax: runs });
    const feed = new Feed(systemClock, queue.ledger.log);
    const shared = {
      ...{ ...common, library, queue, feed, live: new LiveProgress() },
      stepRows: new StepRows(this.database, systemClock),
      folders: new WorkFolders(this.workFolder),
      planContext: () => toolchain,
      ffmpegVersion: () => toolchain.version,
    };
    const experience = new Experience({
      figures: new WorkFigures(this.database, systemClock),
      clock: systemClock,
      surroundings: { cores: 2, preview: dispatch.preview.bind(dispatch) },
    });
    const jobs = new Jobs({
      ...shared,
      surroundings: experience.surroundings,
      verify,
      onQueued: () => worker.wake(),
      onPlanned: (id, made) => worker.planned(id, made),
      onCancelled: (id) => worker.abort(id),
      onPaused: (id, paused) => worker.pause(id, paused),
      queuedPerUserMax: 1000,
    });
    const room = new Room({
      ...{ folder: this.folder, reserveBytes: 0, shareDone: () => 0 },
      freeBytes: () => this.freeBytes,
    });
    const worker = new Worker({
      ...{ ...shared, jobs, experience, dispatch, room, verify },
      repeats: new Repeats(this.database, library.records, { reuse: false }),
      onPublished: () => {},
    });
    this.parts = { jobs, worker, queue };
    this.library = library;
    await worker.recover();
    await library.recover();
    worker.start();
  }

  get workFolder(): string {
    return join(this.folder, "work");
  }

  async submit(operation: string, params: object): Promise<string> {
    const body = new Blob(["bytes"]).stream();
    const asset = await this.library?.upload(this.ownerId, "a.mp4", body, { declaredBytes: null });
    const inputs = asset === undefined ? [] : [asset.id];
    const { job } = await this.jobs.submit(this.ann, { operation, inputs, params }, null);
    return job.id;
  }

  /** Until what is wanted now was looked at: whatever starts of it has started. */
  async turn(): Promise<void> {
    await this.parts?.queue.commits.run(() => null);
    await this.parts?.queue.commits.run(() => null);
  }

  /** Whose jobs they are. */
  get ann(): Asker {
    return { id: this.ownerId, name: "ann" };
  }

  job(id: string): Job {
    return this.jobs.get(this.ownerId, id);
  }

  untilState(id: string, ...states: JobState[]): Promise<Job> {
    return until(`the job is ${states.join(" or ")}`, () => {
      const job = this.job(id);
      return states.includes(job.state) && !this.worker.isRunning(id) === (job.state !== "running")
        ? job
        : null;
    });
  }

  /** The run of a step, once it has begun. */
  running(step: string): Promise<SteeredRun> {
    return until(`${step} runs`, () => {
      return [...this.runner.open].find(({ request }) => request.step === step) ?? null;
    });
  }

  /** Ends the run of a step with all files that it was expected to make. */
  async succeed(step: string): Promise<void> {
    const { request, end } = await this.running(step);
    const folder = join(request.jobFolder, step);
    mkdirSync(folder, { recursive: true });
    const write = (file: string) => {
      const path = join(folder, file);
      writeFileSync(path, `${file} of ${step}`);
      return { file, path, sizeBytes: `${file} of ${step}`.length, media, checks: ["looked at"] };
    };
    if (request.work.kind === "analyse") write(request.work.file);
    const outputs = request.expectations.map(({ file }) => write(file));
    end({ kind: "done", outputs, deviceReason: "Because.", encoder: "steered", proof: null });
  }

  async close(): Promise<void> {
    await this.parts?.worker.stop();
    this.database.close();
    rmSync(this.folder, { recursive: true });
  }
}
