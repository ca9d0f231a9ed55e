/** What a person may keep, and for how long: the settings, and what an admin says of one person in their place. */
import type { Database } from "bun:sqlite";
import { bytesOf } from "../byte-words.ts";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { Refusal } from "../trouble.ts";
import type { Asset, AssetOrigin } from "./asset.ts";

/** The settings; 0 is never, or no limit. */
export interface RetentionSettings {
  /** Days that deleted things stay in the bin; 0: they are deleted at once. */
  binDays: number;
  /** Days after which what was brought in goes into the bin. */
  uploadDays: number;
  /** The same for what jobs made. */
  outputDays: number;
  /** Bytes that a person may keep, the bin included. */
  quotaBytes: number;
}

/** Everything stays, and what is deleted is gone at once. */
export const keepEverything: RetentionSettings = {
  ...{ binDays: 0, uploadDays: 0, outputDays: 0, quotaBytes: 0 },
};

/** What an admin allows one person; null: as the settings say. */
export interface Allowance {
  quotaBytes: number | null;
  uploadDays: number | null;
  outputDays: number | null;
}

/** What a person keeps, and may keep. */
export interface Usage {
  usedBytes: number;
  /** Of these: in the bin. */
  binnedBytes: number;
  /** The bin included. */
  assetCount: number;
  /** Null for no limit. */
  quotaBytes: number | null;
}

const DAY_MS = 86_400_000;

const columns = "quota_bytes AS quotaBytes, upload_days AS uploadDays, output_days AS outputDays";
const nothingSaid: Allowance = { quotaBytes: null, uploadDays: null, outputDays: null };

export class Allowances {
  readonly settings: RetentionSettings;
  private readonly database: Database;
  private readonly clock: Clock;

  constructor(database: Database, clock: Clock, settings: RetentionSettings) {
    this.database = database;
    this.clock = clock;
    this.settings = settings;
  }

  /** What an admin said of this person. */
  of(userId: string): Allowance {
    return (
      this.database
        .query<Allowance, [string]>(`SELECT ${columns} FROM allowance WHERE user_id = ?1`)
        .get(userId) ?? nothingSaid
    );
  }

  /** Changes what is named, and leaves the rest as it was said. */
  change(userId: string, change: Partial<Allowance>): Allowance {
    return transaction(this.database, () => {
      const next = { ...this.of(userId), ...change };
      this.database
        .query(
          `INSERT OR REPLACE INTO allowance (user_id, quota_bytes, upload_days, output_days)
           VALUES (?1, ?2, ?3, ?4)`,
        )
        .run(userId, next.quotaBytes, next.uploadDays, next.outputDays);
      return next;
    });
  }

  usage(userId: string): Usage {
    const kept = this.kept(userId);
    const binned = this.database
      .query<{ bytes: number }, [string]>(
        "SELECT coalesce(sum(size_bytes), 0) AS bytes FROM asset WHERE owner_id = ?1 AND state = 'binned'",
      )
      .get(userId);
    return {
      usedBytes: kept.bytes,
      binnedBytes: binned?.bytes ?? 0,
      assetCount: kept.assets,
      quotaBytes: this.quotaOf(userId),
    };
  }

  /** @throws Refusal 413 `quota_exceeded` when so many more bytes are too many; 0: when there is no room for any */
  refuseBeyond(userId: string, moreBytes: number): void {
    const quotaBytes = this.quotaOf(userId);
    if (quotaBytes === null) return;
    const { bytes } = this.kept(userId);
    if (bytes + Math.max(1, moreBytes) <= quotaBytes) return;
    const more = moreBytes === 0 ? "" : ` This would be ${moreBytes} more.`;
    throw new Refusal(
      413,
      "quota_exceeded",
      `You keep ${bytes} bytes of the ${quotaBytes} that you may.${more} Delete what is not needed and empty the bin, or ask an admin for a larger quota.`,
    );
  }

  /** When an asset goes into the bin by itself; null for never. */
  expiryOf(userId: string, origin: AssetOrigin, fromMs = this.clock.nowMs()): string | null {
    const days = this.daysOf(userId, origin);
    return days === 0 ? null : isoTime(fromMs + days * DAY_MS);
  }

  /** When an asset of now was made, and when it goes. */
  timesOf(userId: string, origin: AssetOrigin): Pick<Asset, "createdAt" | "expiresAt"> {
    const nowMs = this.clock.nowMs();
    return { createdAt: isoTime(nowMs), expiresAt: this.expiryOf(userId, origin, nowMs) };
  }

  private daysOf(userId: string, origin: AssetOrigin): number {
    const { uploadDays, outputDays } = this.of(userId);
    if (origin.kind !== "job") return uploadDays ?? this.settings.uploadDays;
    const job = this.database
      .query<{ days: number | null }, [string]>("SELECT expire_days AS days FROM job WHERE id = ?1")
      .get(origin.jobId);
    return job?.days ?? outputDays ?? this.settings.outputDays;
  }

  private quotaOf(userId: string): number | null {
    const bytes = this.of(userId).quotaBytes ?? this.settings.quotaBytes;
    return bytes === 0 ? null : bytes;
  }

  private kept(userId: string): { bytes: number; assets: number } {
    const row = this.database
      .query<{ bytes: number; assets: number }, [string]>(
        "SELECT size_bytes AS bytes, assets FROM asset_usage WHERE owner_id = ?1",
      )
      .get(userId);
    return row ?? { bytes: 0, assets: 0 };
  }
}

/**
 * A quota in words: "100G", "none" for no limit (0), "default" for what the settings say (null).
 * @throws Refusal 400 `bad_usage`
 */
export function quotaOf(size: string): number | null {
  if (size === "default") return null;
  if (size === "none") return 0;
  const bytes = bytesOf(size);
  if (bytes !== null && bytes > 0) return bytes;
  throw new Refusal(
    400,
    "bad_usage",
    `${size.slice(0, 40)} is no size: give a number of bytes, one like 500M, 100G or 2TiB, none, or default.`,
  );
}
