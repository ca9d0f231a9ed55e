/** `kinomill sweep` and `kinomill users quota`: what goes by itself, and who may keep how much. */
import { sizeText } from "../../views/quantities.ts";
import { openAccounts } from "../accounts/accounts.ts";
import { Allowances, quotaOf } from "../assets/allowances.ts";
import { openSweep, Sweep, type SweepReport, type Swept } from "../assets/sweep.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { openDatabase } from "../database/open.ts";
import { silentLog } from "../log.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import { type Offline, offline } from "./offline.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";

export async function sweepNow(
  options: CommonOptions & { dryRun?: boolean; json?: boolean },
): Promise<number> {
  const config = await configOf(options);
  const dryRun = options.dryRun === true;
  const report = dryRun
    ? planOf(config)
    : await offline(config, "a sweep", (parts) => sweepAll(parts));
  if (options.json) console.log(JSON.stringify({ dryRun, ...report }, null, 2));
  else tell(report, dryRun);
  return exitCodes.done;
}

/** Opens no storage and takes no lock: beside a server those are the server's. */
function planOf(config: Config): SweepReport {
  const database = openDatabase(config.data);
  const never = () => Promise.reject(new Error("invariant broken: a dry run takes nothing away"));
  const { binDays } = config.retention;
  const acts = { bin: never, deleteForever: never };
  try {
    return new Sweep({ database, clock: systemClock, log: silentLog(), binDays, ...acts }).plan();
  } finally {
    database.close();
  }
}

async function sweepAll({ database, library }: Offline): Promise<SweepReport> {
  const sweep = openSweep({ database, library, clock: systemClock, log: silentLog() });
  const all: SweepReport = { expired: [], deleted: [], inUse: 0, more: false };
  for (;;) {
    const { expired, deleted, inUse, more } = await sweep.round();
    all.expired.push(...expired);
    all.deleted.push(...deleted);
    if (!more) return { ...all, inUse };
  }
}

function tell({ expired, deleted, inUse, more }: SweepReport, dryRun: boolean): void {
  const would = dryRun ? "would go" : "went";
  tellOf(expired, `expired, ${would} into the bin`);
  tellOf(deleted, `long enough in the bin, ${would} for ever`);
  if (expired.length + deleted.length === 0) console.log("Nothing is due.");
  if (inUse > 0) console.log(`${inUse} have expired and wait for the jobs that read them.`);
  if (more) console.log("There is more than one round takes.");
}

function tellOf(all: Swept[], what: string): void {
  for (const { id, name, sizeBytes } of all) {
    console.log(`${id}\t${sizeText(sizeBytes)}\t${name}\t(${what})`);
  }
}

/** `size`: "100G", "none" for no limit, "default" for what the settings say. */
export async function setQuota(
  name: string,
  size: string,
  options: CommonOptions,
): Promise<number> {
  const quotaBytes = quotaOf(size);
  const config = await configOf(options);
  const database = openDatabase(config.data);
  try {
    const accounts = openAccounts(database, systemClock, { sessionDays: config.sessions.days });
    const user = accounts.findUser(name);
    if (user === null) throw new Refusal(404, "no_such_user", `There is no user ${name}.`);
    const allowances = new Allowances(database, systemClock, config.retention);
    allowances.change(user.id, { quotaBytes });
    const { usedBytes, quotaBytes: limit } = allowances.usage(user.id);
    const may = limit === null ? "as much as there is room for" : sizeText(limit);
    console.log(`${user.name} keeps ${sizeText(usedBytes)} and may keep ${may}.`);
    return exitCodes.done;
  } finally {
    database.close();
  }
}
