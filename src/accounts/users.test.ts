import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Database } from "../database/open.ts";
import { Refusal } from "../trouble.ts";
import type { Accounts } from "./accounts.ts";
import { nobodysHash, PasswordHasher } from "./hashing.ts";
import { openTrial, password, refusalOf, type Trial } from "./trial.ts";

let trial: Trial;
let db: Database;
let accounts: Accounts;
beforeEach(() => {
  trial = openTrial();
  ({ db, accounts } = trial);
});
afterEach(() => trial.close());

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
      db.run(
        "INSERT INTO user (id, name, role, password_hash, created_at) VALUES ('us_1', 'x', ?, ?, 'now')",
        [role, hash],
      );
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
