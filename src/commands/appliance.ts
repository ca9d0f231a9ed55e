/** Opens the parts of the server in order and closes them in reverse. Nothing else knows them all. */
import { openAccounts } from "../accounts/accounts.ts";
import { openSweep } from "../assets/sweep.ts";
import { BucketShelf } from "../backup/bucket-shelf.ts";
import { BackupKeeper } from "../backup/keeper.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Config, LoadedConfig } from "../config.ts";
import { type Lock, lockDataFolder } from "../database/lock.ts";
import { makeLogRoom } from "../database/log-room.ts";
import { type Database, openDatabase } from "../database/open.ts";
import type { BucketDoor, PartHealth, Parts } from "../http/parts.ts";
import { Estates } from "../jobs/estate.ts";
import { WorkFigures } from "../jobs/figures.ts";
import { JobTally } from "../jobs/tally.ts";
import { changeLevel, type Log, logOf } from "../log.ts";
import type { LogRing } from "../log-ring.ts";
import { MachineLoad } from "../metrics/machine-load.ts";
import { Metrics } from "../metrics/metrics.ts";
import { operations } from "../operations/index.ts";
import { Settings, type SettingsParts } from "../settings/settings.ts";
import { figuresOf } from "./figures.ts";
import { openFront } from "./front.ts";
import {
  deviceReports,
  findingsReport,
  gpusReport,
  healthReport,
  lookAgain,
  systemReport,
  workReport,
} from "./report.ts";
import { SelfTestRun } from "./self-test-run.ts";
import { testStorage } from "./storage-test.ts";
import type { OpenStorage } from "./stores.ts";
import { serverBundle } from "./support-bundle.ts";
import { openVault } from "./vault.ts";
import { openWork, type WorkParts } from "./work.ts";

export interface Appliance {
  url: string;
  /** Of a certificate of this machine's own, as browsers show it; null for none. */
  fingerprint: string | null;
  /** One-time code for the first visitor; null when there is an admin already. */
  setupCode: string | null;
  /** Resolves when ffmpeg was looked at for the first time, also when there is none. */
  looked: Promise<void>;
  /** Each part that must work before work is accepted, as `/health/ready` tells it. */
  health(): Promise<PartHealth[]>;
  /** Drains and closes: running jobs go back into the queue. Resolves when every ffmpeg is gone. */
  close(): Promise<void>;
}

/**
 * @param ring keeps the newest lines of this log
 * @param inherited a listening socket that systemd opened
 * @throws Refusal `data_in_use`, `data_unusable`, `listen_failed` with what to do
 */
export async function openAppliance(
  loaded: LoadedConfig,
  log: Log,
  ring: LogRing,
  inherited: number | null = null,
): Promise<Appliance> {
  const { config } = loaded;
  const lock = lockDataFolder(config.data, `the server for ${config.listen}`);
  const undo: (() => Promise<void> | void)[] = [() => lock.release()];
  try {
    return await openParts({ loaded, log, ring, lock, inherited }, undo);
  } catch (cause) {
    await undoAll(undo);
    throw cause;
  }
}

/** The last that was opened is closed first. */
async function undoAll(undo: (() => Promise<void> | void)[]): Promise<void> {
  for (const step of undo.reverse()) await step();
}

/** Where copies of backups go; null where storage is the disk. */
function bucketOf(storage: OpenStorage, config: Config) {
  if (storage.kind === "disk") return null;
  return { shelf: new BucketShelf(config.storage.s3), writer: storage };
}

interface Opening {
  loaded: LoadedConfig;
  log: Log;
  ring: LogRing;
  lock: Lock;
  inherited: number | null;
}

/** With a key that came before the one that they were sealed with. */
function sealAnew(config: Config, database: Database, log: Log): void {
  const count = openVault(config, database).reseal();
  if (count > 0) log.info({ count }, "secrets are sealed with the new key now");
}

/** What the page said holds from here on; the log was opened before it was known. */
function openSettings(parts: SettingsParts): Settings {
  const settings = new Settings(parts);
  const { config } = settings;
  const follow = () => {
    changeLevel(parts.log, config.log.level);
  };
  follow();
  settings.follow(follow);
  return settings;
}

async function openParts(
  { loaded, log, ring, lock, inherited }: Opening,
  undo: (() => Promise<void> | void)[],
): Promise<Appliance> {
  const { config } = loaded;
  const clock = systemClock;
  const startedAtMs = clock.nowMs();
  const database = openDatabase(config.data);
  undo.push(() => database.close());
  sealAnew(config, database, log);
  const settings = openSettings({ database, clock, log, loaded });
  const accounts = openAccounts(database, clock, {
    get sessionDays() {
      return config.sessions.days;
    },
  });
  const tally = new JobTally(database);
  const metrics = new Metrics({
    clock,
    tally,
    operations: new Set(operations.map(({ name }) => name)),
    figures: (eventStreams) => figures(eventStreams),
  });
  const work = await openWork(config, log, database, (call, reason) =>
    metrics.noteStorageTrouble({ call, reason }),
  );
  undo.push(() => work.close());
  settings.follow(() => work.settingsChanged());
  const sweep = openSweep({
    ...{ database, clock, log: logOf(log, "retention"), library: work.library },
  });
  undo.push(() => sweep.stop());
  const backups = new BackupKeeper({
    ...{ config, clock, log: logOf(log, "backups"), bucket: bucketOf(work.primary, config) },
  });
  undo.push(() => backups.close());
  const selfTest = openSelfTest(work, { config, clock, log, database });
  undo.push(() => selfTest.close());
  const figures = figuresOf({ ...work, config, clock, startedAtMs, backups });
  const findingsOfBox = () => findingsReport({ ...work, config, clock, startedAtMs });
  const parts: Parts = {
    config,
    log: logOf(log, "http"),
    ring,
    clock,
    accounts,
    settings,
    ...shownOf(work),
    bucket: bucketDoor(work.primary, config),
    operations,
    ...boxParts(work, { clock, tally, metrics, selfTest }),
    backups,
    sweep,
    metrics,
    system: () => systemReport({ ...work, config, clock, startedAtMs }),
    devices: () => deviceReports(work),
    gpus: () => gpusReport(work),
    work: () => workReport(work),
    supportBundle: (withNames) =>
      serverBundle({ database, ring, settings, findings: findingsOfBox }, withNames),
    health: () => healthReport({ ...work, config, database, backups }),
  };
  const front = await openFront({ parts, config, clock, log, inherited });
  undo.push(() => front.close());
  lock.describe(`the server at ${front.server.url}`);
  backups.start();
  sweep.start();
  undo.push(roomInLog(database, config, log));
  metrics.start();
  undo.push(() => metrics.stop());
  const looked = work
    .start()
    .catch((cause: unknown) => log.error({ err: cause }, "start of the worker"));
  return {
    url: front.server.url,
    fingerprint: front.fingerprint,
    looked,
    health: parts.health,
    setupCode: accounts.issueSetupCode(),
    close: () => undoAll(undo),
  };
}

/** What HTTP is given of the parts that store and process. */
function shownOf(work: WorkParts) {
  const { library, uploads, directUploads, imports, jobs, trials, feed, storage } = work;
  const { migration, stock } = work;
  const { companions, gpuLoad, workSwitch } = work;
  return {
    ...{ library, uploads, directUploads, imports, jobs, feed, storage, migration, stock },
    ...{ whyNoGpu: () => work.gpus.whyNone(), sample: work.sample },
    ...{ presets: jobs.presets, trials, companions, gpuLoad, workSwitch },
    testStorage: () => testStorage(work.primary, work.bucketWatch),
    estates: new Estates({ database: work.database, library, onChange: () => feed.tell() }),
  };
}

/** Returns what ends it. */
function roomInLog(database: Database, { data }: Config, log: Log): () => Promise<void> {
  const room = new AbortController();
  const made = makeLogRoom(database, data, room.signal).catch((cause: unknown) =>
    log.warn({ err: cause }, "there is no room in the database's log"),
  );
  return () => {
    room.abort();
    return made;
  };
}

/** What the page of the box looks at and acts on. */
function boxParts(
  work: WorkParts,
  own: { clock: Clock; tally: JobTally; metrics: Metrics; selfTest: SelfTestRun },
) {
  const { clock, tally, metrics, selfTest } = own;
  return {
    machine: new MachineLoad({ clock, tally, lag: metrics.lag }),
    seats: () => work.slots.seats(),
    tryGpuAgain: (uuid: string) => work.gpus.tryAgain(uuid),
    lookAgain: () => lookAgain(work),
    selfTest,
  };
}

function openSelfTest(
  { slots, dispatch, device, gpus, toolbox }: WorkParts,
  { log, database, ...rest }: { config: Config; clock: Clock; log: Log; database: Database },
): SelfTestRun {
  return new SelfTestRun({
    ...{ ...rest, slots, dispatch, log: logOf(log, "selftest") },
    figures: new WorkFigures(database, rest.clock),
    toolchain: () => toolbox.toolchain(),
    devices: () => [device, ...gpus.devices()],
  });
}

function bucketDoor(storage: OpenStorage, { storage: { s3 } }: Config): BucketDoor | null {
  if (storage.kind !== "s3" || !s3.direct) return null;
  const { origins, cors } = storage;
  return { origins, corsAllows: (origin, method) => cors.allows(origin, method) };
}
