/** The server's backups: made when they are due, or when somebody asks. */
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../trouble.ts";
import { openShelf, takeBackup } from "./backup.ts";
import type { Backup } from "./shelf.ts";
import { type BackupState, backupState, momentOf, scheduleOf } from "./state.ts";

/** How often it is looked whether one is due. Nobody plans backups by the second. */
const LOOK_EVERY_MS = 30_000;

/** After an attempt that failed: a full disk does not empty itself in seconds. */
const AGAIN_AFTER_MS = 15 * 60_000;

export interface KeeperParts {
  config: Pick<Config, "data" | "backup" | "storage">;
  clock: Clock;
  log: Log;
}

export class BackupKeeper {
  private readonly parts: KeeperParts;
  private readonly startedAtMs: number;
  private readonly closing = new AbortController();
  private timer: Timer | null = null;
  private notBeforeMs = 0;
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
    return backup;
  }

  state(): Promise<BackupState> {
    const { config, clock } = this.parts;
    return backupState(config, clock.nowMs(), this.startedAtMs);
  }

  /** Makes one if it is due. Never rejects: what went wrong is logged, and tried again later. */
  async look(): Promise<void> {
    const { config, clock, log } = this.parts;
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
}
