/** The ways in for files: uploads in pieces, uploads into the bucket, imports from links; with limits that may change. */
import { join } from "node:path";
import type { Library } from "../assets/library.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/open.ts";
import { allowedFrom } from "../ingest/addresses.ts";
import { BucketLinks } from "../ingest/bucket-links.ts";
import { DirectUploads } from "../ingest/direct-uploads.ts";
import { Gate } from "../ingest/gate.ts";
import { ImportRows } from "../ingest/import-rows.ts";
import type { ImportLimits } from "../ingest/import-run.ts";
import { Importer } from "../ingest/importer.ts";
import { Uploads } from "../ingest/uploads.ts";
import type { Feed } from "../jobs/feed.ts";
import { type Log, logOf } from "../log.ts";
import type { OpenStorage, Stores } from "./stores.ts";
import { openVault } from "./vault.ts";

/** What they stand on. */
export interface WaysIn {
  config: Config;
  log: Log;
  clock: Clock;
  database: Database;
  feed: Feed;
  storage: Stores["storage"];
  /** Where new objects come. */
  primary: OpenStorage;
}

/** Uploads in pieces, kept on the disk until they are whole. */
export function openUploads({ config, ...base }: WaysIn, library: Library): Uploads {
  return new Uploads({
    ...{ ...base, log: logOf(base.log, "uploads"), library, folder: join(config.data, "uploads") },
    get reserveBytes() {
      return config.storage.reserveBytes;
    },
    get keepHours() {
      return config.uploads.keepHours;
    },
    get unfinishedPerUser() {
      return config.uploads.unfinishedPerUser;
    },
  });
}

/** Uploads that go into the bucket; null where storage is none, or nobody else may reach it. */
export function openDirectUploads({ primary, config, ...base }: WaysIn, library: Library) {
  if (primary.kind !== "s3" || !config.storage.s3.direct) return null;
  const { bucket } = primary;
  return new DirectUploads({
    ...{ ...base, log: logOf(base.log, "uploads"), library, bucket },
    get keepHours() {
      return config.uploads.keepHours;
    },
    get unfinishedPerUser() {
      return config.uploads.unfinishedPerUser;
    },
  });
}

/** Half a second before the second attempt: most breaks are over at once. */
const IMPORT_PAUSE_MS = 500;

/** Files that are fetched from links. */
export function openImports(base: WaysIn, library: Library): Importer {
  const { config, database, clock, log, feed, primary } = base;
  const { allowPrivate, buckets } = config.imports;
  return new Importer({
    ...{ clock, log: logOf(log, "imports"), library },
    rows: new ImportRows(database, clock, openVault(config, database)),
    gate: new Gate({ allowed: allowedFrom(allowPrivate) }),
    buckets: primary.kind === "s3" ? new BucketLinks(primary.bucket, buckets, clock) : null,
    folder: join(config.data, "imports"),
    get reserveBytes() {
      return config.storage.reserveBytes;
    },
    get limits() {
      return importLimits(config);
    },
    get atOnce() {
      return config.imports.atOnce;
    },
    get atOncePerUser() {
      return config.imports.atOncePerUser;
    },
    get openPerUserMax() {
      return config.imports.waitingPerUser;
    },
    onChange: () => feed.tell(),
    onProgress: (ownerId, id) => feed.importing(ownerId, id),
    onEnd: (id) => feed.ended(id),
  });
}

function importLimits({ imports, uploads }: Config): ImportLimits {
  const { limitSeconds, slowSeconds, bytesPerSecondMin } = imports;
  return {
    maxBytes: Math.min(imports.maxBytes, uploads.maxBytes),
    limitSeconds,
    pace: { windowMs: slowSeconds * 1000, bytesPerSecondMin },
    pauseMs: IMPORT_PAUSE_MS,
  };
}
