/**
 * For tests: a whole site on real accounts, library, queue and disk, in a folder of its own. Only
 * ffmpeg is played: a file that begins with "FILM" is media and no worker takes jobs.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Accounts, openAccounts } from "../../src/accounts/accounts.ts";
import { Companions } from "../../src/assets/companions.ts";
import { Library } from "../../src/assets/library.ts";
import { Stocktaking } from "../../src/assets/stocktaking.ts";
import { openSweep } from "../../src/assets/sweep.ts";
import { BackupKeeper } from "../../src/backup/keeper.ts";
import { ManualClock } from "../../src/clock.ts";
import { testStorage } from "../../src/commands/storage-test.ts";
import { type Config, loadConfig } from "../../src/config.ts";
import { type Database, openDatabase } from "../../src/database/open.ts";
import type { Parts } from "../../src/http/parts.ts";
import { createSite, type Site } from "../../src/http/server.ts";
import { newSecret } from "../../src/identity.ts";
import { allowedFrom } from "../../src/ingest/addresses.ts";
import { Gate } from "../../src/ingest/gate.ts";
import { ImportRows } from "../../src/ingest/import-rows.ts";
import { Importer } from "../../src/ingest/importer.ts";
import { Uploads } from "../../src/ingest/uploads.ts";
import { Estates } from "../../src/jobs/estate.ts";
import { Feed } from "../../src/jobs/feed.ts";
import { Jobs } from "../../src/jobs/jobs.ts";
import { LiveProgress } from "../../src/jobs/live.ts";
import { Queue } from "../../src/jobs/queue.ts";
import { Sample } from "../../src/jobs/sample.ts";
import { JobTally } from "../../src/jobs/tally.ts";
import { Trials } from "../../src/jobs/trials.ts";
import { WorkSwitch } from "../../src/jobs/work-mode.ts";
import { silentLog } from "../../src/log.ts";
import { LogRing } from "../../src/log-ring.ts";
import { cpuDevice } from "../../src/media/devices.ts";
import { GpuLoad } from "../../src/media/gpu-load.ts";
import type { Placement } from "../../src/media/placement.ts";
import { noFigures } from "../../src/media/work-figures.ts";
import { MachineLoad } from "../../src/metrics/machine-load.ts";
import { Metrics } from "../../src/metrics/metrics.ts";
import { planCompanion } from "../../src/operations/companions.ts";
import { operations } from "../../src/operations/index.ts";
import type { Dispatch } from "../../src/runners/dispatch.ts";
import type { AttemptOutcome } from "../../src/runners/runner.ts";
import { Settings } from "../../src/settings/settings.ts";
import { openDiskStorage } from "../../src/storage/disk.ts";
import { Refusal } from "../../src/trouble.ts";
import { media, video } from "../operations/specimen.ts";
import { freshVault } from "../support/fresh-vault.ts";

export const password = "correct horse battery";

export type Name = "ann" | "bob";

export interface SiteRig {
  folder: string;
  database: Database;
  clock: ManualClock;
  accounts: Accounts;
  library: Library;
  queue: Queue;
  feed: Feed;
  parts: Parts;
  site: Site;
  /** The admin ann and the member bob, each with a token and a session. */
  people: Record<Name, Somebody>;
  /** A request to the site without a socket. */
  ask(path: string, options?: AskOptions): Promise<Response>;
  close(): void;
}

export interface Somebody {
  id: string;
  token: string;
  session: string;
}

export interface AskOptions {
  method?: string;
  /** With the token of this person. */
  as?: Name;
  /** With the cookie of this person, as a browser on the own page. */
  browser?: Name;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  json?: unknown;
  form?: Record<string, string>;
}

export const film = media({
  durationSeconds: 2,
  bitRate: 100_000,
  video: video({ width: 320, height: 240 }),
  audio: [],
});

/** Nothing runs here: a step waits until it is called off. */
const idleDispatch = {
  carryOut: ({ signal }: { signal: AbortSignal }) => {
    const { promise, resolve } = Promise.withResolvers<AttemptOutcome>();
    if (signal.aborted) resolve({ kind: "aborted" });
    signal.addEventListener("abort", () => resolve({ kind: "aborted" }), { once: true });
    return promise;
  },
} as unknown as Dispatch;

const abilities = {
  encoders: new Set(["libx264", "libx265", "libvpx-vp9", "aac", "libopus", "mjpeg", "libwebp"]),
  filters: new Set(["scale", "fps", "tile", "zscale", "tonemap"]),
};

/**
 * Open it once per test file: hashing passwords takes most of a second.
 * @param start `new` leaves it without accounts, as at the first start; the people are nobody then.
 */
const allOnCpu: Placement = { decode: "cpu", filters: "cpu", encode: "cpu", because: "" };

export async function openSite(
  overrides: Partial<Config> = {},
  start: "inhabited" | "new" = "inhabited",
): Promise<SiteRig> {
  const folder = mkdtempSync(join(tmpdir(), "kinomill-http-"));
  const sources = { file: null, environment: {}, flags: { data: folder, listen: "127.0.0.1:0" } };
  const config = { ...(await loadConfig(sources)), ...overrides };
  const database = openDatabase(folder);
  const clock = new ManualClock();
  const loaded = { config, origins: new Map(), file: null };
  const settings = new Settings({ database, clock, log: silentLog(), loaded });
  const accounts = openAccounts(database, clock, { sessionDays: 30 });
  const storage = openDiskStorage({
    folder: join(folder, "storage"),
    reserveBytes: 0,
    signingKey: newSecret(),
    publicPath: "/storage",
    clock,
  });
  const queue = new Queue(database, clock);
  const feed = new Feed(clock, queue.ledger.log);
  const library = openLibrary({ database, clock, storage, feed, config });
  const jobs = new Jobs({
    database,
    clock,
    log: silentLog(),
    library,
    queue,
    feed,
    live: new LiveProgress(),
    planContext: () => abilities,
    surroundings: {
      cores: 2,
      figures: noFigures,
      preview: () => ({
        ...{ device: cpuDevice(1), reason: "There is no GPU.", placement: allOnCpu, atOnce: 1 },
      }),
    },
    verify: "auto",
    onQueued: () => undefined,
    onPlanned: () => undefined,
    onCancelled: () => undefined,
    onPaused: () => undefined,
    queuedPerUserMax: config.jobs.queuedPerUser,
  });
  const workSwitch = new WorkSwitch(database, clock);
  const { keepHours, unfinishedPerUser } = config.uploads;
  const uploads = new Uploads({
    ...{ database, clock, log: silentLog(), library, keepHours, unfinishedPerUser },
    folder: join(folder, "uploads"),
    reserveBytes: 0,
  });
  const imports = openImporter({ database, clock, library, feed, folder, config });
  const metrics = new Metrics({
    ...{ clock, tally: new JobTally(database) },
    operations: new Set(operations.map(({ name }) => name)),
    figures: async (eventStreams) => ({ ...figuresOfRig, eventStreams }),
  });
  const trials = new Trials({
    ...{ library, storage, clock, log: silentLog(), planContext: () => abilities },
    folder: join(folder, "trials"),
    dispatch: idleDispatch,
  });
  const parts: Parts = {
    trials,
    sample: new Sample({
      ...{ config, dispatch: idleDispatch, folder: join(folder, "sample"), log: silentLog() },
      toolchain: () => {
        throw new Refusal(503, "ffmpeg_missing", "There is no ffmpeg here.");
      },
    }),
    whyNoGpu: () => "This machine has no NVIDIA GPU.",
    metrics,
    ring: new LogRing(),
    ...{ config, log: silentLog(), clock, accounts, settings, library, imports, jobs, feed },
    ...{ uploads, storage, bucket: null, directUploads: null, operations, migration: null },
    presets: jobs.presets,
    testStorage: () => testStorage(storage, null),
    estates: new Estates({ database, library, onChange: () => feed.tell() }),
    gpuLoad: new GpuLoad({ clock, tool: join(folder, "nvidia-smi") }),
    machine: new MachineLoad({ clock, tally: new JobTally(database), lag: metrics.lag }),
    seats: () => [],
    tryGpuAgain: () => false,
    lookAgain: async () => undefined,
    selfTest: { state: () => ({ runningSince: null, last: null }), start: (onEnd) => onEnd() },
    workSwitch,
    companions: openCompanions({ database, clock, storage, feed, library, folder }),
    stock: new Stocktaking({ database, storage, clock, log: silentLog(), library }),
    sweep: openSweep({ database, clock, log: silentLog(), library }),
    supportBundle: async () => ({ name: "bundle", bytes: new Uint8Array([1, 2, 3]) }),
    backups: new BackupKeeper({ config, clock, log: silentLog() }),
    work: () => ({ ...workSwitch.state(), running: 0 }),
    system: () => Promise.resolve({ ...systemOfRig, work: parts.work() }),
    devices: () => systemOfRig.devices,
    gpus: () => systemOfRig.gpus,
    health: () => Promise.resolve([{ part: "database", ok: true, sentence: "" }]),
  };
  const site = createSite(parts);
  const people = start === "new" ? { ann: nobody, bob: nobody } : await inhabit(accounts);
  const close = () => {
    site.streams.closeAll();
    database.close();
    rmSync(folder, { recursive: true });
  };
  const opened = { folder, database, clock, accounts, library, queue, feed, parts, site, people };
  return { ...opened, ask: asker(site, people), close };
}

/** With a runner that makes nothing: tests of HTTP put what they need into rows and storage. */
function openCompanions(parts: {
  clock: ManualClock;
  storage: ReturnType<typeof openDiskStorage>;
  feed: Feed;
  library: Library;
  folder: string;
  database: Database;
}): Companions {
  const { library, feed, folder } = parts;
  return new Companions({
    ...parts,
    ...{ log: silentLog(), records: library.records, rows: library.companions },
    ...{ device: cpuDevice(1), workFolder: join(folder, "companions"), proxiesMaxBytes: 1e9 },
    runner: { name: "idle", run: () => new Promise(() => undefined) },
    plan: (kind, of) => planCompanion(kind, of, abilities),
    expectSeconds: () => 12,
    onChange: (ownerId, assetId, standing) => feed.companion(ownerId, assetId, standing),
  });
}

function openLibrary(parts: {
  database: Database;
  clock: ManualClock;
  storage: ReturnType<typeof openDiskStorage>;
  feed: Feed;
  config: Config;
}): Library {
  return new Library({
    ...parts,
    log: silentLog(),
    uploadMaxBytes: parts.config.uploads.maxBytes,
    retention: parts.config.retention,
    probe: async (path) => {
      if ((await Bun.file(path).slice(0, 4).text()) === "FILM") return film;
      throw new Refusal(422, "not_media", "This is not a media file that Kinomill can read.");
    },
    onChange: () => parts.feed.tell(),
  });
}

/** Takes links and, until it is started, fetches none. */
function openImporter(parts: {
  database: Database;
  clock: ManualClock;
  library: Library;
  feed: Feed;
  folder: string;
  config: Config;
}): Importer {
  const { database, clock, feed, folder, config } = parts;
  return new Importer({
    ...parts,
    rows: new ImportRows(database, clock, freshVault(database)),
    buckets: null,
    gate: new Gate({ allowed: allowedFrom(config.imports.allowPrivate) }),
    log: silentLog(),
    folder: join(folder, "imports"),
    reserveBytes: 0,
    limits: {
      maxBytes: config.imports.maxBytes,
      limitSeconds: 60,
      pace: { windowMs: 60_000, bytesPerSecondMin: 1 },
      pauseMs: 1,
    },
    atOnce: 2,
    atOncePerUser: 2,
    openPerUserMax: config.imports.waitingPerUser,
    onChange: () => feed.tell(),
    onProgress: (ownerId, id) => feed.importing(ownerId, id),
    onEnd: (id) => feed.ended(id),
  });
}

export const systemOfRig = {
  version: "0.1.0",
  commit: "test",
  startedAt: "2026-01-01T00:00:00.000Z",
  uptimeSeconds: 1,
  devices: [{ id: "cpu", kind: "cpu" as const, title: "CPU, 2 cores", slots: 1, busy: 0 }],
  gpus: { state: "none" as const, sentence: "This machine has no NVIDIA GPU.", remedy: null },
  ffmpeg: {
    version: "5.1.9",
    problem: null,
    encoders: ["libx264"],
    filters: [],
    hwaccels: [],
    abilities: [{ ability: "H.264 encoding", by: "libx264", remedy: null }],
  },
  storage: {
    ...{ kind: "disk" as const, freeBytes: 1000, usedBytes: 10, assetCount: 1 },
    ...{ state: "ok" as const, sentence: "", cache: null },
  },
  disks: [
    {
      holds: ["data" as const, "storage" as const],
      totalBytes: 2000,
      usedBytes: 900,
      freeBytes: 1100,
    },
  ],
  versions: {
    ...{ bun: "1.4.5", system: "Debian GNU/Linux 12 (bookworm)", kernel: "6.1.0", schema: 17 },
    architecture: "x64",
  },
  sandbox: { layers: ["limits"], missing: [] },
  findings: [],
  work: { mode: "running" as const, since: null, running: 0 },
  limits: { uploadMaxBytes: 1, requestMaxBytes: 1, cpuSlots: 1 },
};

const figuresOfRig = {
  ...{ version: "0.1.0", commit: "test", startedAtMs: 0, workMode: "running" },
  devices: [
    { id: "cpu", title: "CPU, 2 cores", slots: 1, busy: 0, inService: null, load: null },
    { id: "gpu:0", title: "NVIDIA L4", slots: 3, busy: 1, inService: true, load: null },
  ],
  storage: { usedBytes: 10, assetCount: 1, freeBytes: null },
  ...{ unfinishedUploads: 2, newestBackupMs: null, findings: { ok: 3, warning: 1, fault: 0 } },
};

const nobody: Somebody = { id: "", token: "", session: "" };

async function inhabit(accounts: Accounts): Promise<Record<Name, Somebody>> {
  await accounts.createUser("ann", "admin", password);
  await accounts.createUser("bob", "member", password);
  return { ann: await somebody(accounts, "ann"), bob: await somebody(accounts, "bob") };
}

async function somebody(accounts: Accounts, name: string): Promise<Somebody> {
  const login = await accounts.login(name, password, "127.0.0.1");
  const { secret } = accounts.createToken(name, "test");
  return { id: login.user.id, token: secret, session: login.secret };
}

function asker(site: Site, people: Record<Name, Somebody>): SiteRig["ask"] {
  return (path, options = {}) => {
    const headers = new Headers({ host: "localhost" });
    if (options.as !== undefined)
      headers.set("authorization", `Bearer ${people[options.as].token}`);
    if (options.browser !== undefined) {
      headers.set("cookie", `kinomill_session=${people[options.browser].session}`);
      headers.set("origin", "http://localhost");
    }
    let body = options.body ?? null;
    if (options.json !== undefined) {
      headers.set("content-type", "application/json");
      body = JSON.stringify(options.json);
    }
    if (options.form !== undefined) {
      headers.set("content-type", "application/x-www-form-urlencoded");
      body = new URLSearchParams(options.form).toString();
    }
    for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
    const method = options.method ?? (body === null ? "GET" : "POST");
    const request = new Request(`http://localhost${path}`, { method, headers, body });
    const connection = { peer: () => "127.0.0.1", tls: false, allowSilence: () => undefined };
    return Promise.resolve(site.handle(request, connection));
  };
}

/** Stores a film of this person and gives its id. */
export async function addFilm(
  rig: SiteRig,
  owner: Name,
  name = "match.mp4",
  bytes = "FILM0123456789",
) {
  const body = new Blob([bytes]).stream();
  const asset = await rig.library.upload(rig.people[owner].id, name, body, { declaredBytes: null });
  return asset.id;
}
