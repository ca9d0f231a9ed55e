import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { ManualClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import type { Accounts } from "./accounts.ts";
import { issueCode, openTrial, password, refusalOf, type Trial } from "./trial.ts";

let trial: Trial;
let folder: string;
let db: Database;
let clock: ManualClock;
let accounts: Accounts;
beforeEach(() => {
  trial = openTrial();
  ({ folder, db, clock, accounts } = trial);
});
afterEach(() => trial.close());

const minute = 60_000;

/** Every byte that the data folder has on disk. */
function bytesOnDisk(): string {
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name)).toString("latin1"))
    .join("\n");
}

describe("tokens", () => {
  test("stand for their user until they are revoked", async () => {
    const ada = await accounts.createUser("Ada", "admin", password);
    const bob = await accounts.createUser("Bob", "member", password);
    const { id, secret } = accounts.createToken("ada", "backup script");
    expect(secret).toMatch(/^kmt_[\w-]{43}$/);
    expect(accounts.tokenUser(secret)).toMatchObject(ada);
    expect(accounts.sessionUser(secret)).toBeNull();
    expect(accounts.listTokens(bob.id)).toEqual([]);
    expect(accounts.revokeToken(bob.id, id)).toBe(false);
    expect(accounts.tokenUser(secret)).toMatchObject(ada);
    expect(accounts.revokeToken(ada.id, id)).toBe(true);
    expect(accounts.revokeToken(ada.id, id)).toBe(false);
    expect(accounts.tokenUser(secret)).toBeNull();
  });

  test("note their last use once a minute", async () => {
    const { id } = await accounts.createUser("Ada", "admin", password);
    const { secret } = accounts.createToken("Ada", "x");
    const lastUsed = () => accounts.listTokens(id)[0]?.lastUsedAt;
    expect(lastUsed()).toBeNull();
    accounts.tokenUser(secret);
    expect(lastUsed()).toBe("2026-01-01T00:00:00.000Z");
    clock.advance(minute - 1);
    accounts.tokenUser(secret);
    expect(lastUsed()).toBe("2026-01-01T00:00:00.000Z");
    clock.advance(1);
    accounts.tokenUser(secret);
    expect(lastUsed()).toBe("2026-01-01T00:01:00.000Z");
  });

  test("work while another process holds the write lock", async () => {
    const ada = await accounts.createUser("Ada", "admin", password);
    const { secret } = accounts.createToken("Ada", "x");
    const other = openDatabase(folder);
    db.run("PRAGMA busy_timeout = 0");
    other.run("BEGIN IMMEDIATE");
    expect(accounts.tokenUser(secret)).toMatchObject(ada);
    other.close();
  });

  test("need a user and a label, and are at most 100", async () => {
    const { id } = await accounts.createUser("Ada", "admin", password);
    const codeOf = async (user: string, label: string) =>
      (await refusalOf(() => accounts.createToken(user, label))).code;
    expect(await codeOf("nobody", "x")).toBe("no_such_user");
    expect(await codeOf("Ada", "")).toBe("invalid_label");
    expect(await codeOf("Ada", "x".repeat(101))).toBe("invalid_label");
    for (let index = 0; index < 100; index += 1) accounts.createToken("Ada", `token ${index}`);
    expect(await codeOf("Ada", "one more")).toBe("too_many_tokens");
    expect(
      accounts
        .listTokens(id)
        .map(({ label }) => label)
        .slice(0, 2),
    ).toEqual(["token 0", "token 1"]);
  });

  test("no text but the secret itself is anybody's token", async () => {
    await accounts.createUser("Ada", "admin", password);
    const { secret } = accounts.createToken("Ada", "x");
    const hash = db.query<{ h: string }, []>("SELECT secret_sha256 AS h FROM token").get()?.h ?? "";
    for (const other of [
      "",
      "kmt_",
      secret.slice(4),
      `${secret} `,
      secret.toLowerCase(),
      hash,
      `kmt_${hash}`,
    ]) {
      expect(accounts.tokenUser(other)).toBeNull();
    }
    fc.assert(fc.property(fc.string(), (text) => accounts.tokenUser(`kmt_${text}`) === null));
  });
});

test("no password, code or secret is anywhere in the files of the data folder", async () => {
  const code = issueCode(accounts);
  const setup = await accounts.completeSetup(code, "Canary-name", password);
  const login = await accounts.login("Canary-name", password, "192.0.2.1");
  const token = accounts.createToken("Canary-name", "x");
  const bytes = bytesOnDisk();
  // The same search finds what does belong there.
  expect(bytes).toContain("Canary-name");
  for (const secret of [
    password,
    code,
    code.replaceAll("-", ""),
    setup.secret,
    login.secret,
    token.secret,
    token.secret.slice("kmt_".length),
  ]) {
    expect(bytes.includes(secret)).toBe(false);
  }
});
