/** `kinomill storage check`: compares records and storage, through a server or without one. */
import { sizeText } from "../../views/quantities.ts";
import { type StockReport, Stocktaking, type StockWish } from "../assets/stocktaking.ts";
import { systemClock } from "../clock.ts";
import { silentLog } from "../log.ts";
import { exitCodes } from "./exit.ts";
import { offline } from "./offline.ts";
import type { CommonOptions } from "./program.ts";
import { ask, type ServerOptions } from "./server-call.ts";
import { configOf } from "./settings.ts";

type CheckOptions = CommonOptions &
  ServerOptions & { repair?: boolean; deep?: boolean; json?: boolean; offline?: boolean };

const PATH = "/system/storage/check";
const ASK_EVERY_MS = 500;

/** All is well, or was put right: exit code 0. */
export async function checkStorage(options: CheckOptions): Promise<number> {
  const wish = { repair: options.repair === true, deep: options.deep === true };
  const report = options.offline ? await here(options, wish) : await byServer(options, wish);
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else tell(report);
  if (report.problem !== null) console.error(`kinomill: ${report.problem}`);
  return report.state === "done" && isWell(report) ? exitCodes.done : exitCodes.failed;
}

async function byServer(options: CheckOptions, wish: StockWish): Promise<StockReport> {
  let report = await ask<StockReport>(options, "POST", PATH, wish);
  while (report.state === "running") {
    await Bun.sleep(ASK_EVERY_MS);
    report = await ask<StockReport>(options, "GET", PATH);
  }
  return report;
}

async function here(options: CheckOptions, wish: StockWish): Promise<StockReport> {
  const config = await configOf(options);
  return await offline(config, "a check of the storage", async (parts) => {
    const stock = new Stocktaking({ ...parts, clock: systemClock, log: silentLog() });
    stock.start(wish);
    return await stock.ended();
  });
}

function isWell({ orphans, missing, damaged, repaired }: StockReport): boolean {
  const orphansLeft = orphans.objects - repaired.orphans;
  return orphansLeft + missing.assets - repaired.binned + damaged.assets === 0;
}

function tell(report: StockReport): void {
  const { objects, orphans, foreign, missing, damaged, repaired } = report;
  for (const { id, name, fault } of [...missing.faults, ...damaged.faults]) {
    console.log(`${id}\t${name}\t${fault}`);
  }
  for (const key of orphans.keys) console.log(`${key}\tbelongs to no asset`);
  console.log(
    `${objects} objects. ${missing.assets} assets without bytes, ${damaged.assets} damaged, ${orphans.objects} objects without an asset (${sizeText(orphans.bytes)}).`,
  );
  if (foreign > 0) console.log(`${foreign} more are not Kinomill's and stay.`);
  if (report.repair) {
    console.log(
      `Put right: ${repaired.orphans} objects deleted, ${repaired.binned} assets without bytes moved into the bin.`,
    );
  }
}
