/** `kinomill users …` and `kinomill tokens …`: work on the data folder, server or no server. */
import { type Accounts, openAccounts, type User } from "../accounts/accounts.ts";
import { type Scope, scopes } from "../accounts/scopes.ts";
import { systemClock } from "../clock.ts";
import { openDatabase } from "../database/open.ts";
import { type ActKind, Acts, commandLine } from "../settings/acts.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";

type Note = (kind: ActKind, subject: string, detail?: Record<string, unknown>) => void;

async function withAccounts(
  options: CommonOptions,
  work: (accounts: Accounts, note: Note) => Promise<void> | void,
): Promise<number> {
  const config = await configOf(options);
  const database = openDatabase(config.data);
  try {
    const acts = new Acts(database, systemClock);
    const accounts = openAccounts(database, systemClock, { sessionDays: config.sessions.days });
    await work(accounts, (kind, subject, detail) => acts.note(commandLine, kind, subject, detail));
    return exitCodes.done;
  } finally {
    database.close();
  }
}

function named(accounts: Accounts, name: string): User {
  const user = accounts.findUser(name);
  if (user === null) throw new Refusal(404, "no_such_user", `There is no user named ${name}.`);
  return user;
}

type Role = User["role"];

export async function createUser(
  name: string,
  options: CommonOptions & { role: Role; passwordStdin?: boolean },
): Promise<number> {
  if (!options.passwordStdin) {
    throw new Refusal(
      400,
      "bad_usage",
      "Give the password on standard input with --password-stdin: on the command line others could read it. Or let them set one themselves: kinomill users invite.",
    );
  }
  const password = (await Bun.stdin.text()).replace(/\r?\n$/, "");
  return withAccounts(options, async (accounts, note) => {
    const user = await accounts.createUser(name, options.role, password);
    note("user.created", user.name, { role: user.role });
    console.log(`Made the ${user.role} ${user.name}.`);
  });
}

/** Somebody new, or a new password for somebody who has lost theirs: prints the code. */
export function inviteUser(name: string, options: CommonOptions & { role: Role }): Promise<number> {
  return withAccounts(options, (accounts, note) => {
    const known = accounts.findUser(name);
    const { user, code, expiresAt } =
      known === null ? accounts.invite(name, options.role) : accounts.inviteAgain(known.id);
    note(known === null ? "user.invited" : "user.reset", user.name);
    console.log(code);
    console.error(
      `With this code ${user.name} sets a password at /invitation on the page, until ${expiresAt}.`,
    );
  });
}

export function listUsers(options: CommonOptions & { json?: boolean }): Promise<number> {
  return withAccounts(options, (accounts) => {
    const people = accounts.listPeople();
    if (options.json) console.log(JSON.stringify(people, null, 2));
    else {
      for (const { name, role, createdAt, disabledAt, hasPassword, lastSeenAt } of people) {
        const state = disabledAt !== null ? "\tdisabled" : hasPassword ? "" : "\tinvited";
        const seen = lastSeenAt === null ? "never seen" : `last seen ${lastSeenAt}`;
        console.log(`${name}\t${role}\tsince ${createdAt}\t${seen}${state}`);
      }
    }
  });
}

export function changeRole(name: string, role: Role, options: CommonOptions): Promise<number> {
  return withAccounts(options, (accounts, note) => {
    const user = named(accounts, name);
    accounts.setRole(user.id, role);
    note("user.role", user.name, { before: user.role, after: role });
    console.log(`${user.name} is ${role === "admin" ? "an admin" : "a member"}.`);
  });
}

/** Both ways: nobody comes in, or they may again. */
export function disableUser(disabled: boolean) {
  return (name: string, options: CommonOptions): Promise<number> =>
    withAccounts(options, (accounts, note) => {
      const user = named(accounts, name);
      accounts.setDisabled(user.id, disabled);
      note(disabled ? "user.disabled" : "user.enabled", user.name);
      console.log(`${user.name} ${disabled ? "cannot log in any more" : "may log in again"}.`);
    });
}

type TokenOptions = CommonOptions & {
  user: string;
  name: string;
  scopes?: string;
  days?: string;
};

export function createToken(options: TokenOptions): Promise<number> {
  return withAccounts(options, (accounts, note) => {
    const wish = {
      label: options.name,
      ...(options.scopes === undefined ? {} : { scopes: scopesIn(options.scopes) }),
      days: options.days === undefined ? null : Number(options.days),
    };
    const { secret } = accounts.createToken(options.user, wish);
    note("token.created", wish.label, { user: options.user, scopes: wish.scopes ?? scopes });
    console.log(secret);
  });
}

function scopesIn(text: string): Scope[] {
  const words = text.split(",").map((word) => word.trim());
  const strange = words.filter((word) => !scopes.some((scope) => scope === word));
  if (strange.length === 0) return words as Scope[];
  const sentence = `There is no scope ${strange.join(", ")}; there are ${scopes.join(", ")}.`;
  throw new Refusal(400, "bad_usage", sentence);
}

export function listTokens(options: CommonOptions & { user: string }): Promise<number> {
  return withAccounts(options, (accounts) => {
    for (const token of accounts.listTokens(named(accounts, options.user).id)) {
      const used = token.lastUsedAt === null ? "never used" : `last used ${token.lastUsedAt}`;
      const ends = token.expiresAt === null ? "no end" : `until ${token.expiresAt}`;
      console.log([token.id, token.label, token.scopes.join(","), used, ends].join("\t"));
    }
  });
}

export function revokeToken(
  id: string,
  options: CommonOptions & { user: string },
): Promise<number> {
  return withAccounts(options, (accounts, note) => {
    const { id: userId } = named(accounts, options.user);
    const label = accounts.listTokens(userId).find((token) => token.id === id)?.label ?? id;
    if (!accounts.revokeToken(userId, id)) {
      throw new Refusal(404, "not_found", `${options.user} has no token ${id}.`);
    }
    note("token.revoked", label, { user: options.user });
    console.log(`Revoked ${label}.`);
  });
}
