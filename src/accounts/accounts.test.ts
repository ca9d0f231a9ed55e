import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ManualClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { Refusal } from "../trouble.ts";
import { type Accounts, openAccounts } from "./accounts.ts";
import { nobodysHash, PasswordHasher } from "./hashing.ts";

let folder: string;
let db: Database;
let clock: ManualClock;
let accounts: Accounts;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-accounts-"));
  db = openDatabase(folder);
  clock = new ManualClock();
  accounts = openAccounts(db, clock, { sessionDays: 30 });
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

const password = "correct horse battery";
const day = 86_400_000;
const minute = 60_000;

async function refusalOf(work: () => unknown): Promise<Refusal> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof Refusal) return cause;
    throw cause;
  }
  throw new Error("nothing was refused");
}

function issueCode(): string {
  const code = accounts.issueSetupCode();
  if (code === null) throw new Error("setup is done");
  return code;
}

/** Every byte that the data folder has on disk. */
function bytesOnDisk(): string {
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name)).toString("latin1"))
    .join("\n");
}

describe("setup", () => {
  test("the code makes the first admin, logs in, and works once", async () => {
    expect(accounts.setupPending()).toBe(true);
    const code = issueCode();
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
    const typed = ` ${issueCode().toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l")} `;
    expect((await accounts.completeSetup(typed, "Ada", password)).user.role).toBe("admin");
  });

  test("a new code makes the earlier one worthless, and codes differ", async () => {
    const first = issueCode();
    const second = issueCode();
    expect(second).not.toBe(first);
    const refusal = await refusalOf(() => accounts.completeSetup(first, "Ada", password));
    expect([refusal.status, refusal.code]).toEqual([403, "wrong_setup_code"]);
    await accounts.completeSetup(second, "Ada", password);
  });

  test("a code that is replaced while its password is being hashed makes nobody", async () => {
    const setup = accounts.completeSetup(issueCode(), "Ada", password);
    const second = issueCode();
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
    const code = issueCode();
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
    const code = issueCode();
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
    const code = issueCode();
    const outcomes = await Promise.allSettled([
      accounts.completeSetup(code, "Ada", password),
      other.completeSetup(code, "Eve", password),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(accounts.listUsers()).toHaveLength(1);
    otherDb.close();
  });

  test("a peer that keeps guessing has to wait; another peer does not", async () => {
    const code = issueCode();
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
    const code = issueCode();
    await accounts.createUser("Ada", "admin", password);
    expect(accounts.setupPending()).toBe(false);
    expect((await refusalOf(() => accounts.completeSetup(code, "Eve", password))).status).toBe(409);
    expect(db.query("SELECT * FROM setup").all()).toEqual([]);
  });
});

describe("users", () => {
  test("are found by name whatever the letter case or the Unicode form", async () => {
    const user = await accounts.createUser("Zoe\u0301", "member", password);
    expect(user.name).toBe("Zo\u00e9");
    expect(accounts.findUser("ZO\u00e9")).toEqual(user);
    expect(accounts.findUser("zoe\u0301")).toEqual(user);
    expect(accounts.findUser("Zoe")).toBeNull();
    const refusal = await refusalOf(() => accounts.createUser("zo\u00e9", "member", password));
    expect([refusal.status, refusal.code]).toEqual([409, "name_taken"]);
    expect(accounts.listUsers()).toEqual([user]);
  });

  test("two of the same name made at once are one", async () => {
    const make = () => accounts.createUser("Ada", "member", password);
    const outcomes = await Promise.allSettled([make(), make()]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  test("names keep to the rules, for any text", async () => {
    let hashes = 0;
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 80 }), async (text) => {
        const name = text.normalize("NFC");
        const length = [...name].length;
        const good =
          length >= 1 &&
          length <= 64 &&
          name === name.trim() &&
          !/[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(name);
        // The faulty password tells a good name from a bad one without the price of a hash.
        const refusal = await refusalOf(() => accounts.createUser(text, "member", "short"));
        hashes += 1;
        return refusal.code === (good ? "invalid_password" : "invalid_name");
      }),
      { numRuns: 2_000 },
    );
    expect(hashes).toBeGreaterThanOrEqual(2_000);
  });

  test("names at the edges of the rules", async () => {
    const codeOf = async (name: string) =>
      (await refusalOf(() => accounts.createUser(name, "member", "short"))).code;
    for (const good of [
      "a",
      "x".repeat(64),
      "🎬".repeat(64),
      "O'Brien; DROP TABLE user",
      "../..",
      "<b>",
    ]) {
      expect(await codeOf(good)).toBe("invalid_password");
    }
    for (const bad of [
      "",
      " ",
      "x".repeat(65),
      "a\nb",
      "a\0b",
      "a\u202eb",
      "\ud800",
      " a",
      "a\u2028b",
    ]) {
      expect(await codeOf(bad)).toBe("invalid_name");
    }
  });

  test("passwords have 10 to 256 characters, and the refusal does not repeat them", async () => {
    for (const bad of [
      "",
      "123456789",
      "x".repeat(257),
      "x".repeat(1_000_000),
      "zero\0zero\0zero",
    ]) {
      const refusal = await refusalOf(() => accounts.createUser("Ada", "member", bad));
      expect(refusal.code).toBe("invalid_password");
      expect(refusal.errors).toEqual([
        { path: "password", message: "must have 10 to 256 characters" },
      ]);
    }
    await accounts.createUser("Ada", "member", "🎬".repeat(256));
    expect((await accounts.login("Ada", "🎬".repeat(256), "::1")).user.name).toBe("Ada");
  });

  test("the database takes no other role and no other kind of hash", () => {
    const insert = (role: string, hash: string) =>
      db.run("INSERT INTO user VALUES ('us_1', 'x', ?, ?, 'now')", [role, hash]);
    expect(() => insert("root", "$argon2id$x")).toThrow("CHECK");
    expect(() => insert("admin", password)).toThrow("CHECK");
  });
});

describe("passwords", () => {
  test("are hashed with argon2id at OWASP's least, and nobody's hash costs the same", async () => {
    await accounts.createUser("Ada", "member", password);
    const row = db.query<{ hash: string }, []>("SELECT password_hash AS hash FROM user").get();
    const cost = "$argon2id$v=19$m=19456,t=2,p=1$";
    expect(row?.hash.slice(0, cost.length)).toBe(cost);
    expect(nobodysHash.slice(0, cost.length)).toBe(cost);
    expect(nobodysHash).toHaveLength(row?.hash.length ?? 0);
    expect(await Bun.password.verify("anything", nobodysHash)).toBe(false);
  });

  test("are hashed two at a time, with a bounded line", async () => {
    const hasher = new PasswordHasher();
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, () =>
        hasher.verify("x", "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA").then(
          () => "ran",
          (cause: unknown) => (cause instanceof Refusal ? cause.code : "error"),
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === "busy")).toHaveLength(40 - 34);
    // The line is empty again: the next one is served.
    expect(await hasher.verify("x", await hasher.hash("x"))).toBe(true);
  });
});

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
      db.run("INSERT INTO session VALUES (?, ?, ?, 'now', ?)", [
        `se_z${index}`,
        user.id,
        index.toString().padStart(64, "0"),
        now,
      ]);
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

describe("tokens", () => {
  test("stand for their user until they are revoked", async () => {
    const ada = await accounts.createUser("Ada", "admin", password);
    const bob = await accounts.createUser("Bob", "member", password);
    const { id, secret } = accounts.createToken("ada", "backup script");
    expect(secret).toMatch(/^kmt_[\w-]{43}$/);
    expect(accounts.tokenUser(secret)).toEqual(ada);
    expect(accounts.sessionUser(secret)).toBeNull();
    expect(accounts.listTokens(bob.id)).toEqual([]);
    expect(accounts.revokeToken(bob.id, id)).toBe(false);
    expect(accounts.tokenUser(secret)).toEqual(ada);
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
    expect(accounts.tokenUser(secret)).toEqual(ada);
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
  const code = issueCode();
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
