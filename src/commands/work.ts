/** The parts that store and process: everything between the database and HTTP. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Asset } from "../assets/asset.ts";
import { Companions } from "../assets/companions.ts";
import { Library } from "../assets/library.ts";
import type { Migration } from "../assets/migration.ts";
import { Stocktaking } from "../assets/stocktaking.ts";
import { Thumbnailer } from "../assets/thumbnailer.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/open.ts";
import { DirectUploadRows } from "../ingest/direct-upload-rows.ts";
import type { DirectUploads } from "../ingest/direct-uploads.ts";
import type { Importer } from "../ingest/importer.ts";
import type { Uploads } from "../ingest/uploads.ts";
import { Experience } from "../jobs/experience.ts";
import { Feed } from "../jobs/feed.ts";
import { WorkFigures } from "../jobs/figures.ts";
import { Jobs } from "../jobs/jobs.ts";
import { LiveProgress } from "../jobs/live.ts";
import { Queue } from "../jobs/queue.ts";
import { Repeats } from "../jobs/repeats.ts";
import { Room } from "../jobs/room.ts";
import type { Sample } from "../jobs/sample.ts";
import { SearchIndex } from "../jobs/search-index.ts";
import { StepRows } from "../jobs/step-rows.ts";
import type { Trials } from "../jobs/trials.ts";
import { WorkFolders } from "../jobs/work-folders.ts";
import { WorkSwitch, whyNothingStarts } from "../jobs/work-mode.ts";
import { Worker } from "../jobs/worker.ts";
import { type Log, logOf } from "../log.ts";
import { type Device, detectToolchain, type Toolchain } from "../media/devices.ts";
import { expectedWorkSeconds, onCpu } from "../media/expected-work.ts";
import { knownFenceLayers, whyNoUploads } from "../media/fence-layers.ts";
import { GpuLoad } from "../media/gpu-load.ts";
import { Gpus } from "../media/gpus.ts";
import { continueRuns, pauseRuns } from "../media/pause.ts";
import { probe } from "../media/probe.ts";
import { Toolbox } from "../media/toolbox.ts";
import { ToolchainMemory } from "../media/toolchain-memory.ts";
import { planCompanion } from "../operations/companions.ts";
import type { PlanContext } from "../operations/operation.ts";
import { openBox } from "../runners/box.ts";
import type { Dispatch } from "../runners/dispatch.ts";
import { LocalRunner } from "../runners/local.ts";
import type { Slots } from "../runners/slots.ts";
import { BucketWatch } from "../storage/s3-watch.ts";
import { watched } from "../storage/watched.ts";
import { type OpenStorage, openStores, type Stores } from "./stores.ts";
import { openTrials } from "./trials.ts";
import { openDirectUploads, openImports, openUploads } from "./ways-in.ts";

/** A file that came whole is looked into within this time; the next start does it otherwise. */
const UPLOADS_STOP_MS = 5_000;

/** What stands below the library and the jobs. */
interface Base {
  config: Config;
  log: Log;
  clock: Clock;
  database: Database;
  queue: Queue;
  live: LiveProgress;
  room: Room;
  searchIndex: SearchIndex;
  feed: Feed;
  storage: Stores["storage"];
  /** Where new objects come: that of the settings. */
  primary: OpenStorage;
  /** Brings over what lies in the storage before; null when nothing does. */
  migration: Migration | null;
  /** Null where no bucket is in use. */
  bucketWatch: BucketWatch | null;
  toolbox: Toolbox;
  gpus: Gpus;
  gpuLoad: GpuLoad;
  device: Device;
  runner: LocalRunner;
  dispatch: Dispatch;
  slots: Slots;
  /** To be called after a change of the settings: what waits may fit now. */
  settingsChanged(): void;
  workSwitch: WorkSwitch;
}

export interface WorkParts extends Base {
  /** Makes what is kept beside assets. */
  companions: Companions;
  /** Compares records and storage. */
  stock: Stocktaking;
  library: Library;
  uploads: Uploads;
  /** Into the bucket; null where storage is none, or nobody else may reach it. */
  directUploads: DirectUploads | null;
  imports: Importer;
  jobs: Jobs;
  /** Ten seconds of a file tried out. */
  trials: Trials;
  /** The sample of the first visit. */
  sample: Sample;
  worker: Worker;
  /** Looks at ffmpeg, then starts to work. Resolves after the first look. */
  start(): Promise<void>;
  /** Ends all work; resolves when every ffmpeg is gone. */
  close(): Promise<void>;
}

/**
 * Opens the parts and finishes what a crash interrupted. Nothing runs before `start`.
 * @param onStorageTrouble hears of every call of the storage that failed
 */
export async function openWork(
  config: Config,
  log: Log,
  database: Database,
  onStorageTrouble: (call: string, reason: string) => void,
): Promise<WorkParts> {
  const base = openBase(config, log, database, onStorageTrouble);
  const { feed, toolbox, gpus, gpuLoad } = base;
  // The three know each other only through these calls.
  const onAsset = () => {
    feed.tell();
    thumbnailer.wake();
  };
  const library = openLibrary(base, onAsset);
  const thumbnailer = openThumbnailer(base, library);
  const companions = openCompanions(base, library);
  const uploads = openUploads(base, library);
  const directUploads = openDirectUploads(base, library);
  const { jobs, worker } = openJobs(base, library, onAsset);
  const [trials, sample] = await openTrials(base, library, planContextOf(base));
  await worker.recover();
  await recoverLibrary(base, library);
  await uploads.recover();
  const imports = openImports(base, library);
  const start = () => {
    uploads.start();
    base.migration?.open();
    base.bucketWatch?.start();
    return toolbox.open((toolchain) => {
      worker.start();
      // Behind ffprobe, which looks into what comes.
      void uploads.finishLeft();
      directUploads?.start();
      void imports.start();
      // What a server before this one did not come to.
      base.searchIndex.wake();
      thumbnailer.wake();
      companions.wake();
      // Behind everything: it takes seconds, and nothing waits for it.
      void gpus
        .open(toolchain)
        .catch((cause: unknown) => logOf(log, "gpus").error({ err: cause }, "look at GPUs"));
    });
  };
  const stock = new Stocktaking({ ...base, log: logOf(log, "storage"), library });
  const close = async () => {
    toolbox.close();
    base.searchIndex.stop();
    // What stands still will not end by itself.
    const paused = base.workSwitch.state().mode === "paused";
    const drainSeconds = paused ? 0 : config.jobs.drainSeconds;
    await Promise.all([
      worker.stop(drainSeconds),
      imports.stop(),
      base.migration?.close(),
      stock.close(),
      base.bucketWatch?.stop(),
      thumbnailer.stop(),
      companions.stop(),
      ...[trials.close(), sample.clear()],
      uploads.stop(UPLOADS_STOP_MS),
      directUploads?.stop(UPLOADS_STOP_MS),
      gpus.close(),
      gpuLoad.close(),
    ]);
  };
  return {
    ...{
      ...base,
      companions,
      stock,
      library,
      uploads,
      directUploads,
      imports,
      jobs,
      trials,
      sample,
      worker,
    },
    ...{ start, close },
  };
}

function openBase(
  config: Config,
  log: Log,
  database: Database,
  onStorageTrouble: (call: string, reason: string) => void,
): Base {
  const clock = systemClock;
  const paths = toolPaths(config);
  const memory = new ToolchainMemory(join(config.data, "toolchain.json"), paths);
  const toolbox = new Toolbox(() => detectToolchain(paths), memory);
  const toolchain = () => toolbox.toolchain();
  const runner = new LocalRunner({ toolchain, config });
  const { leaveAlone } = config.gpu;
  const gpus = new Gpus({
    ...{ leaveAlone, clock },
    get maxJobs() {
      return config.gpu.maxJobs;
    },
  });
  const gpuLoad = new GpuLoad({ clock });
  const { cpu, ...box } = openBox({ config, clock, runner, toolchain, gpus, gpuLoad });
  const workSwitch = new WorkSwitch(database, clock);
  workSwitch.follow(({ mode }) => {
    if (mode === "paused") pauseRuns();
    else continueRuns();
    box.dispatch.close(whyNothingStarts(mode));
  });
  const live = new LiveProgress();
  const room = new Room({
    folder: config.data,
    get reserveBytes() {
      return config.storage.reserveBytes;
    },
    shareDone: (jobId) => live.shareOf(jobId),
  });
  const queue = new Queue(database, clock, {
    get runsMax() {
      return config.jobs.runs;
    },
    roomAfterFull: (jobId) => room.afterFull(jobId),
  });
  const stores = openStores(config, database, { clock, log: logOf(log, "storage") });
  return {
    config,
    log,
    clock,
    database,
    workSwitch,
    ...{ queue, live, room, searchIndex: new SearchIndex(database) },
    feed: new Feed(clock, queue.ledger.log),
    ...stores,
    storage: watched(stores.storage, onStorageTrouble),
    bucketWatch: bucketWatchOf(stores, { database, log: logOf(log, "storage"), clock }),
    toolbox,
    ...{ gpus, gpuLoad, runner, ...box },
    device: cpu,
  };
}

function bucketWatchOf(
  { primary }: Stores,
  { database, log, clock }: Pick<Base, "database" | "log" | "clock">,
): BucketWatch | null {
  if (primary.kind === "disk") return null;
  const rows = new DirectUploadRows(database, clock);
  const isWanted = ({ uploadId }: { uploadId: string }) => rows.hasParts(uploadId);
  return new BucketWatch({ bucket: primary.bucket, log, clock, isWanted });
}

function toolPaths(config: Config): { ffmpegPath: string; ffprobePath: string } {
  return { ffmpegPath: config.ffmpeg.path, ffprobePath: config.ffmpeg.ffprobePath };
}

function openLibrary(base: Base, onChange: (asset: Asset) => void): Library {
  return new Library({
    ...base,
    log: logOf(base.log, "library"),
    probe: (path) => probe(path, toolPaths(base.config)),
    get uploadMaxBytes() {
      return base.config.uploads.maxBytes;
    },
    uploadsRefused: whyNoUploads(knownFenceLayers(), base.config.uploads.allowWithoutSandbox),
    retention: base.config.retention,
    onChange,
  });
}

function openThumbnailer(base: Base, library: Library): Thumbnailer {
  return new Thumbnailer({
    ...base,
    log: logOf(base.log, "thumbnails"),
    records: library.records,
    workFolder: join(base.config.data, "thumbnails"),
    onMade: () => base.feed.tell(),
  });
}

/** The lowest priority of the processor: jobs come first, whatever their own is. */
const COMPANION_NICENESS = 19;

function openCompanions(base: Base, library: Library): Companions {
  const { config, toolbox, feed } = base;
  const modest = { ...config, ffmpeg: { ...config.ffmpeg, niceness: COMPANION_NICENESS } };
  const place = onCpu(availableParallelism());
  return new Companions({
    ...base,
    records: library.records,
    rows: library.companions,
    runner: new LocalRunner({ toolchain: () => toolbox.toolchain(), config: modest }),
    workFolder: join(config.data, "companions"),
    proxiesMaxBytes: config.storage.proxiesMaxBytes,
    plan: (kind, media) => planCompanion(kind, media, toolbox.toolchain()),
    expectSeconds: ({ work }, media) => expectedWorkSeconds(work, [media], place),
    onChange: (ownerId, assetId, standing) => feed.companion(ownerId, assetId, standing),
  });
}

/** What plans depend on; one value as long as the ffmpeg stays the same. */
function planContextOf({ toolbox, config }: Base): () => PlanContext {
  const cores = availableParallelism();
  let known: { toolchain: Toolchain; seconds: number; context: PlanContext } | null = null;
  return () => {
    const toolchain = toolbox.toolchain();
    const seconds = config.jobs.chunkSeconds;
    if (known?.toolchain !== toolchain || known.seconds !== seconds) {
      known = { toolchain, seconds, context: { ...toolchain, chunks: { seconds, cores } } };
    }
    return known.context;
  };
}

/** A bucket that does not answer must not keep the server from starting. */
async function recoverLibrary({ bucketWatch, log }: Base, library: Library): Promise<void> {
  const recovered = library.recover();
  if (bucketWatch === null) await recovered;
  else recovered.catch((cause: unknown) => log.warn({ err: cause }, "recovery of the library"));
}

function openJobs(
  base: Base,
  library: Library,
  onPublished: (asset: Asset) => void,
): { jobs: Jobs; worker: Worker } {
  const shared = {
    ...base,
    log: logOf(base.log, "jobs"),
    library,
    stepRows: new StepRows(base.database, base.clock),
    folders: new WorkFolders(join(base.config.data, "work")),
    planContext: planContextOf(base),
    ffmpegVersion: () => base.toolbox.toolchain().version,
  };
  const { config } = base;
  const experience = openExperience(base);
  const jobs = new Jobs({
    ...shared,
    surroundings: experience.surroundings,
    get verify() {
      return config.jobs.verify;
    },
    get queuedPerUserMax() {
      return config.jobs.queuedPerUser;
    },
    onQueued: () => {
      worker.wake();
      base.searchIndex.wake();
    },
    onPlanned: (id, made) => worker.planned(id, made),
    onCancelled: (jobId) => worker.abort(jobId),
    onPaused: (jobId, paused) => worker.pause(jobId, paused),
  });
  const worker = new Worker({
    ...shared,
    jobs,
    experience,
    repeats: new Repeats(base.database, library.records, config.jobs),
    get verify() {
      return config.jobs.verify;
    },
    onPublished,
  });
  return { jobs, worker };
}

/** The server learns from its own jobs how long work takes here. */
function openExperience({ database, clock, dispatch, workSwitch }: Base): Experience {
  const experience = new Experience({
    figures: new WorkFigures(database, clock),
    clock,
    surroundings: {
      cores: availableParallelism(),
      preview: (work, history) => dispatch.preview(work, history),
    },
  });
  workSwitch.follow(() => experience.interrupt());
  return experience;
}
