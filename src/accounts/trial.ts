/** What tests of accounts share: a fresh data folder with a clock that is moved by hand. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { Refusal } from "../trouble.ts";
import { type Accounts, openAccounts } from "./accounts.ts";

export interface Trial {
  folder: string;
  db: Database;
  clock: ManualClock;
  accounts: Accounts;
  close(): void;
}

/** Accounts without any user, in a folder of their own. */
export function openTrial(): Trial {
  const folder = mkdtempSync(join(tmpdir(), "kinomill-accounts-"));
  const db = openDatabase(folder);
  const clock = new ManualClock();
  return {
    folder,
    db,
    clock,
    accounts: openAccounts(db, clock, { sessionDays: 30 }),
    close: () => {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A password that is allowed. */
export const password = "correct horse battery";

/** A fresh setup code. */
export function issueCode(accounts: Accounts): string {
  const code = accounts.issueSetupCode();
  if (code === null) throw new Error("setup is done");
  return code;
}

/** The Refusal with which the work ends; anything else is thrown. */
export async function refusalOf(work: () => unknown): Promise<Refusal> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof Refusal) return cause;
    throw cause;
  }
  throw new Error("nothing was refused");
}
