import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { ManualClock } from "../clock.ts";
import type { Database } from "../database/open.ts";
import { type Accounts, openAccounts } from "./accounts.ts";
import { openTrial, password, refusalOf, type Trial } from "./trial.ts";

let trial: Trial;
let db: Database;
let clock: ManualClock;
let accounts: Accounts;
beforeEach(() => {
  trial = openTrial();
  ({ db, clock, accounts } = trial);
});
afterEach(() => trial.close());

const day = 86_400_000;
const minute = 60_000;

describe("sessions", () => {
  test("last as long as they should and not a millisecond longer", async () => {
    await accounts.createUser("Ada", "member", password);
    const { user, secret, expiresAt } = await accounts.login("ada", password, "192.0.2.1");
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(expiresAt).toBe("2026-01-31T00:00:00.000Z");
    clock.advance(30 * day - 1);
    expect(accounts.sessionUser(secret)).toEqual(user);
    clock.advance(1);
    expect(accounts.sessionUser(secret)).toBeNull();
    expect(accounts.sweepSessions()).toBe(1);
    expect(accounts.sweepSessions()).toBe(0);
  });

  test("end at logout, and only the one", async () => {
    await accounts.createUser("Ada", "member", password);
    const first = await accounts.login("Ada", password, "192.0.2.1");
    const second = await accounts.login("Ada", password, "192.0.2.1");
    accounts.logout(first.secret);
    accounts.logout("never was");
    expect(accounts.sessionUser(first.secret)).toBeNull();
    expect(accounts.sessionUser(second.secret)?.name).toBe("Ada");
  });

  test("an unknown name and a wrong password get the same answer", async () => {
    await accounts.createUser("Ada", "member", password);
    const wrong = await refusalOf(() => accounts.login("Ada", "wrong password", "192.0.2.1"));
    const unknown = await refusalOf(() => accounts.login("Eve", "wrong password", "192.0.2.1"));
    const huge = await refusalOf(() => accounts.login("Ada", "x".repeat(100_000), "192.0.2.1"));
    expect([wrong.status, wrong.code]).toEqual([401, "wrong_credentials"]);
    for (const other of [unknown, huge]) {
      expect({ ...other, message: other.message }).toEqual({ ...wrong, message: wrong.message });
    }
  });

  test("a user has at most 50; one more logs the oldest out", async () => {
    const user = await accounts.createUser("Ada", "member", password);
    const first = await accounts.login("Ada", password, "192.0.2.1");
    const now = new Date(clock.nowMs() + day).toISOString();
    for (let index = 0; index < 49; index += 1) {
      db.run(
        "INSERT INTO session (id, user_id, secret_sha256, created_at, expires_at) VALUES (?, ?, ?, 'now', ?)",
        [`se_z${index}`, user.id, index.toString().padStart(64, "0"), now],
      );
    }
    await accounts.login("Ada", password, "192.0.2.1");
    expect(accounts.sessionUser(first.secret)).toBeNull();
    expect(db.query("SELECT count(*) AS n FROM session").get()).toEqual({ n: 50 });
  });
});

describe("the limit on failed logins", () => {
  const limits = { attempts: 3, windowSeconds: 900 };
  beforeEach(async () => {
    accounts = openAccounts(db, clock, { sessionDays: 30, loginLimits: limits });
    await accounts.createUser("Ada", "member", password);
    await accounts.createUser("Bob", "member", password);
  });
  const fail = (name: string, peer: string) =>
    refusalOf(() => accounts.login(name, "wrong password", peer));

  test("holds per account from any number of peers, and says when to come back", async () => {
    for (let round = 0; round < 3; round += 1) {
      expect((await fail(round === 1 ? "ADA" : "Ada", `192.0.2.${round}`)).status).toBe(401);
      clock.advance(minute);
    }
    const refusal = await fail("Ada", "192.0.2.99");
    expect([refusal.status, refusal.code]).toEqual([429, "too_many_attempts"]);
    expect(refusal.headers["Retry-After"]).toBe("720");
    expect(refusal.message).toContain("12 minutes");
    // The right password does not get through either: else the limit would tell when it was guessed.
    expect((await refusalOf(() => accounts.login("Ada", password, "192.0.2.99"))).status).toBe(429);
    clock.advance(12 * minute);
    expect((await accounts.login("Ada", password, "192.0.2.99")).user.name).toBe("Ada");
  });

  test("holds per peer over all names, an IPv6 network being one peer", async () => {
    expect((await fail("Eve", "2001:db8:0:1::1")).status).toBe(401);
    expect((await fail("Mallory", "2001:db8:0:1:ffff::2")).status).toBe(401);
    expect((await fail("Bob", "2001:0db8::1:0:0:0:3")).status).toBe(401);
    expect((await fail("Ada", "2001:db8:0:1::4")).status).toBe(429);
    expect((await accounts.login("Ada", password, "2001:db8:0:2::1")).user.name).toBe("Ada");
  });

  test("does not count successes", async () => {
    for (let round = 0; round < 5; round += 1) await accounts.login("Ada", password, "192.0.2.1");
    expect((await fail("Ada", "192.0.2.1")).status).toBe(401);
  });

  test("a success does not forgive a peer its failures on other accounts", async () => {
    await fail("Ada", "192.0.2.1");
    await fail("Ada", "192.0.2.1");
    await accounts.login("Bob", password, "192.0.2.1");
    await fail("Eve", "192.0.2.1");
    expect((await fail("Eve", "192.0.2.1")).status).toBe(429);
  });

  test("is not slipped past by attempts in parallel", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => fail("Ada", `192.0.2.${index}`)),
    );
    expect(outcomes.filter(({ status }) => status === 401)).toHaveLength(3);
    expect(outcomes.filter(({ status }) => status === 429)).toHaveLength(17);
  });
});
