/** `kinomill backup now | list` and `kinomill restore`: work on the data folder, beside a server or without one. */
import { sizeText } from "../../views/quantities.ts";
import { missingBytes } from "../assets/missing-bytes.ts";
import { openShelf, takeBackup } from "../backup/backup.ts";
import { BucketShelf } from "../backup/bucket-shelf.ts";
import { restoreBackup } from "../backup/restore.ts";
import { backupState } from "../backup/state.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { openDatabase } from "../database/open.ts";
import { silentLog } from "../log.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";
import { openStores } from "./stores.ts";

type BackupOptions = CommonOptions & { json?: boolean };

/** Null where storage is the disk. */
function bucketShelf({ storage }: Config): BucketShelf | null {
  return storage.kind === "s3" ? new BucketShelf(storage.s3) : null;
}

/** Names of assets without bytes that are shown; the number says how many there are. */
const SHOWN_MAX = 20;

/** A command says by itself what it has to say. */
const beside = { clock: systemClock, log: silentLog() };

export async function backupNow(options: BackupOptions): Promise<number> {
  const config = await configOf(options);
  if (!(await Bun.file(`${config.data}/kinomill.sqlite`).exists())) {
    throw new Refusal(404, "no_database", `There is no database in ${config.data}. Give --data.`);
  }
  const backup = await takeBackup({ config, clock: systemClock, serving: false });
  if (options.json) console.log(JSON.stringify(backup, null, 2));
  else {
    console.log(`Made ${openShelf(config).pathOf(backup.name)} (${sizeText(backup.sizeBytes)}).`);
  }
  return exitCodes.done;
}

export async function listBackups(options: BackupOptions): Promise<number> {
  const config = await configOf(options);
  const state = await backupState(config, systemClock.nowMs(), null);
  if (options.json) console.log(JSON.stringify(state, null, 2));
  else {
    for (const { name, createdAt, sizeBytes } of state.backups) {
      console.log(`${name}\t${createdAt}\t${sizeText(sizeBytes)}`);
    }
    const here = new Set(state.backups.map(({ name }) => name));
    const there = (await bucketShelf(config)?.list()) ?? [];
    for (const { name, sizeBytes } of there.filter(({ name }) => !here.has(name))) {
      console.log(`${name}\tin the bucket alone\t${sizeText(sizeBytes)}`);
    }
    if (here.size + there.length === 0) {
      console.log("There is no backup yet: kinomill backup now.");
    }
  }
  for (const warning of state.warnings) console.error(`kinomill: ${warning}`);
  return exitCodes.done;
}

export async function restore(source: string, options: CommonOptions): Promise<number> {
  const config = await configOf(options);
  const { keptAside } = await restoreBackup({
    ...{ config, clock: systemClock, source },
    bucket: bucketShelf(config),
  });
  console.log(`Restored ${source}. Everybody logs in again; tokens work as they did.`);
  if (keptAside !== null) console.log(`The database of before is kept in ${keptAside}.`);
  await tellMissing(config);
  return exitCodes.done;
}

/** Opens the restored database, which brings it up to date, and says whose bytes are gone. */
async function tellMissing(config: Config): Promise<void> {
  const database = openDatabase(config.data);
  try {
    const missing = await missingBytes(database, openStores(config, database, beside).storage);
    if (missing.length === 0) {
      console.log("The bytes of all its assets are there.");
      return;
    }
    console.log(`The bytes of ${missing.length} assets are gone; deleting them clears the list:`);
    for (const { id, name } of missing.slice(0, SHOWN_MAX)) console.log(`  ${id}  ${name}`);
    if (missing.length > SHOWN_MAX) console.log(`  … and ${missing.length - SHOWN_MAX} more`);
  } finally {
    database.close();
  }
}
