import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { ManualClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { Refusal } from "../trouble.ts";
import { type Accounts, openAccounts } from "./accounts.ts";
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

describe("setup", () => {
  test("the code makes the first admin, logs in, and works once", async () => {
    expect(accounts.setupPending()).toBe(true);
    const code = issueCode(accounts);
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/);
    const { user, secret, expiresAt } = await accounts.completeSetup(code, "Ada", password);
    expect(user).toMatchObject({
      name: "Ada",
      role: "admin",
      createdAt: "2026-01-01T00:00:00.000Z",
    });
    expect(expiresAt).toBe("2026-01-31T00:00:00.000Z");
    expect(accounts.sessionUser(secret)).toEqual(user);
    expect(accounts.setupPending()).toBe(false);
    expect(accounts.issueSetupCode()).toBeNull();
    expect(db.query("SELECT * FROM setup").all()).toEqual([]);
    const refusal = await refusalOf(() => accounts.completeSetup(code, "Eve", password));
    expect([refusal.status, refusal.code]).toEqual([409, "already_set_up"]);
  });

  test("a code is read as it was meant: letter case, blanks, dashes and misread letters", async () => {
    const typed = ` ${issueCode(accounts).toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l")} `;
    expect((await accounts.completeSetup(typed, "Ada", password)).user.role).toBe("admin");
  });

  test("a new code makes the earlier one worthless, and codes differ", async () => {
    const first = issueCode(accounts);
    const second = issueCode(accounts);
    expect(second).not.toBe(first);
    const refusal = await refusalOf(() => accounts.completeSetup(first, "Ada", password));
    expect([refusal.status, refusal.code]).toEqual([403, "wrong_setup_code"]);
    await accounts.completeSetup(second, "Ada", password);
  });

  test("a code that is replaced while its password is being hashed makes nobody", async () => {
    const setup = accounts.completeSetup(issueCode(accounts), "Ada", password);
    const second = issueCode(accounts);
    expect((await refusalOf(() => setup)).code).toBe("wrong_setup_code");
    expect(accounts.listUsers()).toEqual([]);
    await accounts.completeSetup(second, "Ada", password);
  });

  test("without an issued code nothing is accepted, not even an empty one", async () => {
    for (const code of ["", "-", "00000-00000-00000-00000"]) {
      const refusal = await refusalOf(() => accounts.completeSetup(code, "Ada", password));
      expect(refusal.code).toBe("wrong_setup_code");
    }
  });

  test("a faulty name or password spends neither the code nor the attempts", async () => {
    const code = issueCode(accounts);
    for (let round = 0; round < 20; round += 1) {
      const refusal = await refusalOf(() => accounts.completeSetup(code, "Ada", "short"));
      expect([refusal.status, refusal.code]).toEqual([422, "invalid_password"]);
    }
    expect((await refusalOf(() => accounts.completeSetup(code, "\n", password))).code).toBe(
      "invalid_name",
    );
    await accounts.completeSetup(code, "Ada", password);
  });

  test("of 50 that ask at once with the right code exactly one wins", async () => {
    const code = issueCode(accounts);
    const askers = Array.from({ length: 50 }, (_, index) =>
      accounts.completeSetup(code, `user ${index}`, password, `192.0.2.${index}`).then(
        () => "won",
        (cause: unknown) => (cause instanceof Refusal ? cause.code : String(cause)),
      ),
    );
    const outcomes = Object.groupBy(await Promise.all(askers), (outcome) => outcome);
    expect(outcomes["won"]).toHaveLength(1);
    expect(outcomes["already_set_up"]).toHaveLength(49);
    expect(accounts.listUsers()).toHaveLength(1);
  });

  test("two processes that set up at once make one admin", async () => {
    const otherDb = openDatabase(folder);
    const other = openAccounts(otherDb, clock, { sessionDays: 30 });
    const code = issueCode(accounts);
    const outcomes = await Promise.allSettled([
      accounts.completeSetup(code, "Ada", password),
      other.completeSetup(code, "Eve", password),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(accounts.listUsers()).toHaveLength(1);
    otherDb.close();
  });

  test("a peer that keeps guessing has to wait; another peer does not", async () => {
    const code = issueCode(accounts);
    const guess = (peer: string) =>
      refusalOf(() => accounts.completeSetup("WRONG", "Eve", password, peer));
    for (let round = 0; round < 10; round += 1) expect((await guess("192.0.2.1")).status).toBe(403);
    const refusal = await guess("192.0.2.1");
    expect([refusal.status, refusal.code]).toEqual([429, "too_many_attempts"]);
    expect(refusal.headers["Retry-After"]).toBe("900");
    expect((await guess("192.0.2.2")).status).toBe(403);
    clock.advance(15 * minute);
    await accounts.completeSetup(code, "Ada", password, "192.0.2.1");
  });

  test("a user made on the command line ends setup, and the code with it", async () => {
    const code = issueCode(accounts);
    await accounts.createUser("Ada", "admin", password);
    expect(accounts.setupPending()).toBe(false);
    expect((await refusalOf(() => accounts.completeSetup(code, "Eve", password))).status).toBe(409);
    expect(db.query("SELECT * FROM setup").all()).toEqual([]);
  });
});
