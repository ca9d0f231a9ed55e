/** The server's backups: made when they are due, or when somebody asks. */
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../trouble.ts";
import { openShelf, takeBackup } from "./backup.ts";
import type { BucketShelf, BucketWriter } from "./bucket-shelf.ts";
import type { Backup } from "./shelf.ts";
import { type BackupState, backupState, momentOf, scheduleOf } from "./state.ts";

/** How often it is looked whether one is due. Nobody plans backups by the second. */
const LOOK_EVERY_MS = 30_000;

/** After an attempt that failed: a full disk does not empty itself in seconds. */
const AGAIN_AFTER_MS = 15 * 60_000;

/** What the command line has made beside the server is copied within this time; each look is a request that costs. */
const MIRROR_EVERY_MS = 3_600_000;

export interface KeeperParts {
  config: Pick<Config, "data" | "backup" | "storage">;
  clock: Clock;
  log: Log;
  /** Where storage is a bucket: copies go there. */
  bucket?: { shelf: BucketShelf; writer: BucketWriter } | null;
}

export class BackupKeeper {
  private readonly parts: KeeperParts;
  private readonly startedAtMs: number;
  private readonly closing = new AbortController();
  private timer: Timer | null = null;
  private notBeforeMs = 0;
  private mirrorNotBeforeMs = 0;
  private mirrorProblem: string | null = null;
  private mirroring: Promise<void> | null = null;
  private running: Promise<unknown> | null = null;

  constructor(parts: KeeperParts) {
    this.parts = parts;
    this.startedAtMs = parts.clock.nowMs();
  }

  /** From now on backups are made when they are due; one that was missed while the server was off is made up for. */
  start(): void {
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    void this.look();
  }

  /** Ends one that is being made; nothing of it is kept. */
  async close(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.closing.abort(new Refusal(503, "stopping", "Kinomill is stopping."));
    await this.running;
    await this.mirroring;
  }

  /** @throws Refusal as `takeBackup` */
  async take(): Promise<Backup> {
    const { config, clock, log } = this.parts;
    const { signal } = this.closing;
    const making = takeBackup({ config, clock, serving: true, signal });
    const running = making.then(
      () => undefined,
      () => undefined,
    );
    this.running = running;
    const backup = await making.finally(() => {
      if (this.running === running) this.running = null;
    });
    const last = await openShelf(config).lastAttempt();
    const facts = { backup: backup.name, sizeBytes: backup.sizeBytes, tookMs: last?.tookMs };
    log.info({ ...facts, writersWaitMs: last?.writersWaitMs }, "a backup of the database is made");
    this.mirrorNotBeforeMs = 0;
    void this.mirror();
    return backup;
  }

  state(): Promise<BackupState> {
    const { config, clock } = this.parts;
    const bucket = this.parts.bucket ? { problem: this.mirrorProblem } : null;
    return backupState(config, clock.nowMs(), this.startedAtMs, bucket);
  }

  /** Makes one if it is due. Never rejects: what went wrong is logged, and tried again later. */
  async look(): Promise<void> {
    const { config, clock, log } = this.parts;
    void this.mirror();
    if (this.running !== null || clock.nowMs() < this.notBeforeMs) return;
    try {
      const newestMs = momentOf((await openShelf(config).list())[0]);
      const nowMs = clock.nowMs();
      const dueMs = scheduleOf(config).nextMs(newestMs ?? this.startedAtMs, nowMs);
      if (dueMs === null || dueMs > nowMs || this.closing.signal.aborted) return;
      await this.take();
      for (const warning of (await this.state()).warnings) log.warn(warning);
    } catch (cause) {
      if (this.closing.signal.aborted) return;
      this.notBeforeMs = clock.nowMs() + AGAIN_AFTER_MS;
      if (cause instanceof Refusal) log.warn({ code: cause.code }, cause.message);
      else log.error({ err: cause }, "a backup of the database could not be made");
    }
  }

  /** Copies into the bucket what is not there yet. Never rejects; what went wrong is a warning until it went well. */
  mirror(): Promise<void> {
    const { bucket, clock } = this.parts;
    const idle = this.mirroring === null && !this.closing.signal.aborted;
    if (!bucket || !idle || clock.nowMs() < this.mirrorNotBeforeMs) {
      return this.mirroring ?? Promise.resolve();
    }
    this.mirroring = this.copyAll(bucket).finally(() => {
      this.mirroring = null;
    });
    return this.mirroring;
  }

  private async copyAll({ shelf, writer }: NonNullable<KeeperParts["bucket"]>): Promise<void> {
    const { config, clock, log } = this.parts;
    try {
      const copied = await shelf.mirror(openShelf(config), config.backup.keep, writer);
      if (copied.length > 0) log.info({ backups: copied }, "backups were copied into the bucket");
      this.mirrorProblem = null;
      this.mirrorNotBeforeMs = clock.nowMs() + MIRROR_EVERY_MS;
    } catch (cause) {
      const why = cause instanceof Refusal ? cause.message : "The log says why.";
      this.mirrorProblem = `Backups of the database could not be copied into the bucket. ${why}`;
      this.mirrorNotBeforeMs = clock.nowMs() + AGAIN_AFTER_MS;
      if (!(cause instanceof Refusal)) log.error({ err: cause }, "copy of backups into the bucket");
      else log.warn({ code: cause.code }, this.mirrorProblem);
    }
  }
}
