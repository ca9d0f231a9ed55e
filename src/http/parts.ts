/** What the HTTP side is given: the parts of the product behind the calls, as narrow as it uses them. */
import type { TestedView } from "../../views/self-test.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { Companions } from "../assets/companions.ts";
import type { Library } from "../assets/library.ts";
import type { Migration } from "../assets/migration.ts";
import type { Stocktaking } from "../assets/stocktaking.ts";
import type { Sweep } from "../assets/sweep.ts";
import type { BackupKeeper } from "../backup/keeper.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Finding } from "../doctor/finding.ts";
import type { DirectUploads } from "../ingest/direct-uploads.ts";
import type { Importer } from "../ingest/importer.ts";
import type { Uploads } from "../ingest/uploads.ts";
import type { Estates } from "../jobs/estate.ts";
import type { Feed } from "../jobs/feed.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Presets } from "../jobs/presets.ts";
import type { Sample } from "../jobs/sample.ts";
import type { Trials } from "../jobs/trials.ts";
import type { WorkState, WorkSwitch } from "../jobs/work-mode.ts";
import type { Log } from "../log.ts";
import type { LogRing } from "../log-ring.ts";
import type { AbilityReport, Device } from "../media/devices.ts";
import type { GpuReport, GpuState } from "../media/gpu.ts";
import type { GpuLoad } from "../media/gpu-load.ts";
import type { MachineLoad } from "../metrics/machine-load.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Operation } from "../operations/operation.ts";
import type { Seat } from "../runners/slots.ts";
import type { Settings } from "../settings/settings.ts";
import type { Storage } from "../storage/storage.ts";

/** What this side asks of the jobs. */
export type AskedOfJobs =
  | ("submit" | "submitMany" | "estimate" | "get" | "history" | "list")
  | ("census" | "outlook" | "survey")
  | ("cancel" | "cancelMany" | "retry" | "retryMany" | "pause" | "resume" | "change");

/** What this side asks of the library. */
export type AskedOfLibrary =
  | ("upload" | "take" | "equalOf" | "uploadsRefused" | "get" | "list" | "outputOf" | "delete")
  | ("restore" | "change" | "emptyBin" | "getKept" | "allowances" | "count" | "catalogue");

/** What this side needs of the accounts. */
export type AccountsPart = Omit<Accounts, "issueSetupCode" | "sweepSessions">;

/** What `GET /system` tells of a GPU beside what every device has. */
export type GpuFacts = Omit<GpuReport, "id" | "title" | "sentence">;

/** The CPU or a GPU, as `GET /system` tells of it. */
export type DeviceReport = Device & {
  /** Slots that work now. */
  busy: number;
  /** Why it is used, or why not, in a plain sentence; absent when there is nothing to say. */
  reason?: string;
  /** Of a GPU: what it is, and what it can do or why not. */
  gpu?: GpuFacts;
};

/** Whether the box works, and how many jobs run now; those that a pause has stopped are among them. */
export type WorkReport = WorkState & { running: number };

/** A file system, and what of Kinomill lies on it. */
export interface DiskReport {
  holds: ("data" | "storage" | "cache" | "backups")[];
  totalBytes: number;
  usedBytes: number;
  /** What may still be written, the reserve included. */
  freeBytes: number;
}

/** What the server is made of and runs on. */
export interface VersionsReport {
  bun: string;
  /** "Debian GNU/Linux 12 (bookworm)" */
  system: string;
  kernel: string;
  architecture: string;
  /** Number of the newest migration of the database. */
  schema: number;
}

export interface SelfTestReport {
  at: string;
  /** Why none of the devices was tested; null when they were. */
  problem: string | null;
  devices: TestedView[];
}

export interface SelfTestState {
  /** Null while none runs. */
  runningSince: string | null;
  /** Null before the first. */
  last: SelfTestReport | null;
}

/** `GET /system`. No paths of the host. */
export interface SystemReport {
  version: string;
  commit: string;
  startedAt: string;
  uptimeSeconds: number;
  devices: DeviceReport[];
  /** Whether GPUs were found; why not and what to do. */
  gpus: Pick<GpuState, "sentence" | "remedy"> & { state: GpuState["kind"] };
  ffmpeg: {
    /** Null when it cannot be started; `problem` then says why and what to do. */
    version: string | null;
    problem: string | null;
    encoders: string[];
    filters: string[];
    hwaccels: string[];
    /** What this ffmpeg can do and what it lacks, each with what to install. */
    abilities: AbilityReport[];
  };
  storage: {
    kind: "disk" | "s3";
    /** Bytes free for uploads; null when unknown. */
    freeBytes: number | null;
    /** Bytes and number of all assets of all users. */
    usedBytes: number;
    assetCount: number;
    /** Whether it takes and gives bytes; the sentence says why not. */
    state: "ok" | "fault";
    sentence: string;
    /** Copies of what lies in a bucket; null where storage is the disk. */
    cache: { usedBytes: number; maxBytes: number } | null;
  };
  disks: DiskReport[];
  versions: VersionsReport;
  /** What keeps ffmpeg in its place on this box, and in words what is missing. */
  sandbox: { layers: string[]; missing: string[] };
  /** Whether the box works: a person's switch. */
  work: WorkReport;
  /** What the doctor finds; the same list as `kinomill doctor`, without what only a command may try. */
  findings: readonly Finding[];
  limits: { uploadMaxBytes: number; requestMaxBytes: number; cpuSlots: number };
}

/** One part of the product that must work before work is accepted. */
export interface PartHealth {
  part: string;
  ok: boolean;
  /** For the operator: what is wrong and what to do; "" when all is well. With `ok` it is a warning. */
  sentence: string;
}

export interface Parts {
  config: Config;
  log: Log;
  /** The newest lines of the log of the whole server. */
  ring: Pick<LogRing, "newest" | "since" | "follow" | "parts" | "last">;
  clock: Clock;
  accounts: AccountsPart;
  /** What holds of the settings, and changes of them; with the trail of what admins did. */
  settings: Pick<Settings, "list" | "change" | "revision" | "restartNeeded" | "file" | "acts">;
  library: Pick<Library, AskedOfLibrary>;
  /** What is kept beside assets for looking at them. */
  companions: Pick<Companions, "find" | "want" | "lost" | "noteUse">;
  /** What goes by itself. */
  sweep: Pick<Sweep, "plan" | "round">;
  uploads: Uploads;
  /** Uploads into the bucket; null where bytes come to this server. */
  directUploads: DirectUploads | null;
  imports: Pick<Importer, "add" | "find" | "list" | "cancel" | "retry">;
  jobs: Pick<Jobs, AskedOfJobs>;
  /** What becomes of the files of somebody who goes. */
  estates: Pick<Estates, "of" | "give" | "deleteAll" | "refuseUnfinished">;
  presets: Pick<
    Presets,
    "list" | "mine" | "share" | "takeAll" | "get" | "create" | "replace" | "delete"
  >;
  /** The sample of the first visit. */
  sample: Pick<Sample, "start" | "state" | "film">;
  /** Why no GPU is in service, a plain sentence; "" when one is. */
  whyNoGpu(): string;
  /** Ten seconds of a file tried out. */
  trials: Pick<Trials, "start" | "find" | "end">;
  feed: Pick<Feed, "subscribe" | "since" | "latestId">;
  storage: Pick<Storage, "kind" | "open" | "stat" | "hold" | "put" | "presign" | "freeBytes"> &
    Presigned;
  /** Where readers get bytes without this server; null when there is no such place. */
  bucket: BucketDoor | null;
  /** Brings over what lies in the storage before; null when nothing does. */
  migration: Pick<Migration, "start" | "stop" | "report"> | null;
  operations: readonly Operation[];
  /** What the machine and the server are doing. */
  machine: Pick<MachineLoad, "latest" | "history" | "watch" | "onSample" | "sampleNow">;
  /** Every place on a device that is taken. */
  seats(): Seat[];
  /** Tries a GPU that is out of service now; false when it is in service. */
  tryGpuAgain(uuid: string): boolean;
  /** Looks at tools, GPUs and storage once more; takes some seconds at most. Never rejects. */
  lookAgain(): Promise<void>;
  selfTest: {
    state(): SelfTestState;
    /**
     * Begins; `onEnd` is called when it is over.
     * @param quick a tenth of the film, in one session
     * @throws Refusal 409 `busy`, 503 `tool_missing`
     */
    start(onEnd: () => void, quick: boolean): void;
  };
  /** What the GPUs are doing. */
  gpuLoad: Pick<GpuLoad, "latest" | "history" | "watch" | "onSample" | "sampleNow">;
  /** Pauses, drains and continues all work. */
  workSwitch: Pick<WorkSwitch, "set" | "follow">;
  /** Writes, reads and deletes a small object; of a bucket more. Never rejects for trouble with it. */
  testStorage(): Promise<StorageTrial[]>;
  /** Compares records and storage. */
  stock: Pick<Stocktaking, "start" | "report">;
  backups: Pick<BackupKeeper, "take" | "state">;
  /** Facts for somebody who helps from afar: a name and a gzipped tar. */
  supportBundle(withNames: boolean): Promise<{ name: string; bytes: Uint8Array }>;
  metrics: Pick<Metrics, "http" | "text" | "contentType">;
  /** The same of `system()`, without waiting. */
  work(): WorkReport;
  system(): Promise<SystemReport>;
  /** The devices of `system()` alone, without waiting. */
  devices(): DeviceReport[];
  /** The same of its `gpus`. */
  gpus(): SystemReport["gpus"];
  health(): Promise<PartHealth[]>;
}

/** One thing of the storage that was tried. */
export interface StorageTrial {
  step: string;
  level: "ok" | "warning" | "fault";
  meaning: string;
  remedy: string | null;
}

/** The side of a storage without presigned URLs of its own: this server answers them. */
export interface Presigned {
  /** What a signed URL allows, or null when signature, expiry or method do not fit. */
  verifyPresigned?(method: string, url: URL): PresignedAccess | null;
}

/** A bucket that browsers and programs can reach. */
export interface BucketDoor {
  /** Scheme, host and port of its addresses. */
  origins: readonly string[];
  /** Whether scripts of pages of this origin may read from it. */
  corsAllows(origin: string, method: "GET" | "PUT"): Promise<boolean>;
}

export interface PresignedAccess {
  key: string;
  contentType: string | null;
  contentDisposition: string | null;
}
