/** `kinomill users …` and `kinomill tokens …`: work on the data folder, server or no server. */
import { openAccounts } from "../accounts/accounts.ts";
import { systemClock } from "../clock.ts";
import { openDatabase } from "../database/open.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";

type Accounts = ReturnType<typeof openAccounts>;

async function withAccounts(
  options: CommonOptions,
  work: (accounts: Accounts) => Promise<void> | void,
): Promise<number> {
  const config = await configOf(options);
  const database = openDatabase(config.data);
  try {
    await work(openAccounts(database, systemClock, { sessionDays: config.sessions.days }));
    return exitCodes.done;
  } finally {
    database.close();
  }
}

export async function createUser(
  name: string,
  options: CommonOptions & { role: "admin" | "member"; passwordStdin?: boolean },
): Promise<number> {
  if (!options.passwordStdin) {
    throw new Refusal(
      400,
      "bad_usage",
      "Give the password on standard input with --password-stdin: on the command line others could read it.",
    );
  }
  const password = (await Bun.stdin.text()).replace(/\r?\n$/, "");
  return withAccounts(options, async (accounts) => {
    const user = await accounts.createUser(name, options.role, password);
    console.log(`Made the ${user.role} ${user.name}.`);
  });
}

export function listUsers(options: CommonOptions): Promise<number> {
  return withAccounts(options, (accounts) => {
    for (const { name, role, createdAt } of accounts.listUsers()) {
      console.log(`${name}\t${role}\tsince ${createdAt}`);
    }
  });
}

export function createToken(
  options: CommonOptions & { user: string; name: string },
): Promise<number> {
  return withAccounts(options, (accounts) => {
    const { secret } = accounts.createToken(options.user, options.name);
    console.log(secret);
  });
}
