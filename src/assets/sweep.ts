/**
 * What goes by itself: what has expired into the bin, and what was long enough in the bin for ever. A part at a time,
 * so that a sweep of a hundred thousand assets holds nobody up.
 */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../trouble.ts";
import type { Library } from "./library.ts";

/** One that a sweep takes, or would take. */
export interface Swept {
  id: string;
  ownerId: string;
  name: string;
  sizeBytes: number;
  /** When it expired, or when it went into the bin. */
  since: string;
}

export interface SweepReport {
  /** Expired: into the bin, or for ever where there is none. */
  expired: Swept[];
  /** Long enough in the bin: for ever. */
  deleted: Swept[];
  /** Expired, but an unfinished job reads it: it goes when that has ended. */
  inUse: number;
  /** Whether there is more than one round takes. */
  more: boolean;
}

export interface SweepParts {
  database: Database;
  clock: Clock;
  log: Log;
  /** Days in the bin. */
  binDays: number;
  /** Deletes as a person would: false when a job reads it, or it is gone. */
  bin(ownerId: string, id: string): Promise<boolean>;
  deleteForever(ownerId: string, id: string): Promise<boolean>;
}

/** Assets of each kind in one round: a second or two of deleting. */
export const ROUND_MAX = 500;

const EVERY_MS = 10 * 60_000;
/** Between two rounds of one sweep, in which everybody else has their turn. */
const PAUSE_MS = 200;
const DAY_MS = 86_400_000;

/** The sweep of a library. */
export function openSweep(
  parts: Pick<SweepParts, "database" | "clock" | "log"> & { library: Library },
): Sweep {
  const { library } = parts;
  const taking = (how: { forever?: boolean }) => (ownerId: string, id: string) =>
    library.delete(ownerId, id, how).then(
      () => true,
      (cause: unknown) => {
        // A person was faster, or a job began to read it.
        if (cause instanceof Refusal) return false;
        throw cause;
      },
    );
  return new Sweep({
    ...{ ...parts, bin: taking({}), deleteForever: taking({ forever: true }) },
    get binDays() {
      return library.allowances.settings.binDays;
    },
  });
}

export class Sweep {
  private readonly parts: SweepParts;
  private timer: Timer | null = null;
  private running: Promise<SweepReport> | null = null;
  private stopped = false;

  constructor(parts: SweepParts) {
    this.parts = parts;
  }

  /** Sweeps now, and then every ten minutes. */
  start(): void {
    this.schedule(0);
  }

  /** Resolves when a round that runs has come to a place where it can stop. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.running?.catch(() => undefined);
  }

  /** What a round would take now. */
  plan(): SweepReport {
    const now = this.parts.clock.nowMs();
    const expired = this.expired(isoTime(now));
    const deleted = this.old(isoTime(now - this.parts.binDays * DAY_MS));
    return {
      expired: expired.free,
      deleted,
      inUse: expired.inUse,
      more: expired.free.length === ROUND_MAX || deleted.length === ROUND_MAX,
    };
  }

  /** One round, and what it took. @throws Refusal 409 `sweeping` while another one runs */
  async round(): Promise<SweepReport> {
    if (this.running !== null) {
      throw new Refusal(409, "sweeping", "A sweep is under way. Look again in a moment.");
    }
    this.running = this.carryOut(this.plan());
    try {
      return await this.running;
    } finally {
      this.running = null;
    }
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.tick(), delayMs);
  }

  private async tick(): Promise<void> {
    let more = false;
    try {
      ({ more } = await this.round());
    } catch (cause) {
      if (!(cause instanceof Refusal)) {
        this.parts.log.error({ err: cause }, "assets could not be swept; the next sweep tries");
      }
    }
    this.schedule(more ? PAUSE_MS : EVERY_MS);
  }

  private async carryOut(plan: SweepReport): Promise<SweepReport> {
    const { bin, deleteForever, log } = this.parts;
    const take = async (all: Swept[], act: (ownerId: string, id: string) => Promise<boolean>) => {
      const taken: Swept[] = [];
      for (const asset of all) {
        if (this.stopped) break;
        if (await act(asset.ownerId, asset.id)) taken.push(asset);
      }
      return taken;
    };
    const expired = await take(plan.expired, bin);
    const deleted = await take(plan.deleted, deleteForever);
    const freedBytes = deleted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (expired.length + deleted.length > 0) {
      const facts = { expired: expired.length, deleted: deleted.length, freedBytes };
      log.info({ ...facts, inUse: plan.inUse, more: plan.more }, "assets were swept");
    }
    // A round that could take nothing would not take more the next time.
    return { ...plan, expired, deleted, more: plan.more && expired.length + deleted.length > 0 };
  }

  private expired(now: string): { free: Swept[]; inUse: number } {
    const rows = this.parts.database
      .query<Swept & { used: number }, [string, number]>(
        `SELECT id, owner_id AS ownerId, name, size_bytes AS sizeBytes, expires_at AS since,
           EXISTS (SELECT 1 FROM job_input JOIN job ON job.id = job_input.job_id
             WHERE job_input.asset_id = asset.id AND job.state IN ('queued', 'waiting', 'running')) AS used
         FROM asset WHERE state = 'ready' AND expires_at <= ?1
         ORDER BY used, expires_at LIMIT ?2`,
      )
      .all(now, ROUND_MAX);
    const free = rows.filter(({ used }) => used === 0).map(({ used: _, ...asset }) => asset);
    return { free, inUse: rows.length - free.length };
  }

  private old(before: string): Swept[] {
    return this.parts.database
      .query<Swept, [string, number]>(
        `SELECT id, owner_id AS ownerId, name, size_bytes AS sizeBytes, binned_at AS since
         FROM asset WHERE state = 'binned' AND binned_at <= ?1 ORDER BY binned_at LIMIT ?2`,
      )
      .all(before, ROUND_MAX);
  }
}
