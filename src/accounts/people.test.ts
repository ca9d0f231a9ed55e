import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Accounts } from "./accounts.ts";
import { scopeNeeded, scopes } from "./scopes.ts";
import { openTrial, password, refusalOf, type Trial } from "./trial.ts";

let trial: Trial;
let accounts: Accounts;
beforeEach(() => {
  trial = openTrial();
  ({ accounts } = trial);
});
afterEach(() => trial.close());

const at = { peer: "192.0.2.1", device: "Firefox" };
const codeOf = async (work: () => unknown) => (await refusalOf(work)).code;

describe("an invitation", () => {
  test("lets somebody set a password, once, and comes in with it", async () => {
    const { user, code } = accounts.invite("Ada", "member");
    expect(await codeOf(() => accounts.login("Ada", password, "::1"))).toBe("wrong_credentials");
    expect(accounts.listPeople()).toMatchObject([{ name: "Ada", hasPassword: false }]);
    expect(accounts.invited(code.toLowerCase().replaceAll("-", " "), "::1")).toEqual(user);
    expect(await codeOf(() => accounts.acceptInvitation(code, "short", at))).toBe(
      "invalid_password",
    );
    const login = await accounts.acceptInvitation(code, password, at);
    expect(accounts.sessionUser(login.secret)).toEqual(user);
    expect(await codeOf(() => accounts.acceptInvitation(code, password, at))).toBe("wrong_code");
    expect((await accounts.login("ada", password, "::1")).user).toEqual(user);
    expect(accounts.listPeople()).toMatchObject([{ hasPassword: true, invitedUntil: null }]);
  });

  test("ends after a week, with a newer one, and with the account", async () => {
    await accounts.createUser("Root", "admin", password);
    const first = accounts.invite("Ada", "member");
    const second = accounts.inviteAgain(first.user.id);
    expect(accounts.invited(first.code, "::1")).toBeNull();
    expect(accounts.invited(second.code, "::1")).not.toBeNull();
    accounts.setDisabled(first.user.id, true);
    expect(accounts.invited(second.code, "::1")).toBeNull();
    accounts.setDisabled(first.user.id, false);
    trial.clock.advance(7 * 86_400_000);
    expect(accounts.invited(second.code, "::1")).toBeNull();
  });

  test("for a lost password ends every login, and the present password works until then", async () => {
    const { id } = await accounts.createUser("Ada", "admin", password);
    const login = await accounts.login("Ada", password, "::1");
    const { code } = accounts.inviteAgain(id);
    expect(accounts.sessionUser(login.secret)).not.toBeNull();
    await accounts.acceptInvitation(code, "another good one", at);
    expect(accounts.sessionUser(login.secret)).toBeNull();
    expect(await codeOf(() => accounts.login("Ada", password, "::1"))).toBe("wrong_credentials");
  });

  test("is not guessed: wrong codes have a limit per peer", async () => {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      expect(accounts.invited("7Q2KD-M04TX-9RWEA-H6BNZ", "192.0.2.9")).toBeNull();
    }
    expect(await codeOf(() => accounts.invited("7Q2KD", "192.0.2.9"))).toBe("too_many_attempts");
  });
});

describe("somebody who is disabled", () => {
  test("comes in by nothing, is told so with the right password alone, and comes back", async () => {
    await accounts.createUser("Root", "admin", password);
    const { id } = await accounts.createUser("Ada", "member", password);
    const login = await accounts.login("Ada", password, "::1");
    const token = accounts.createToken("Ada", "robot");
    expect(accounts.tokenUser(token.secret)).not.toBeNull();
    accounts.setDisabled(id, true);
    expect(accounts.sessionUser(login.secret)).toBeNull();
    expect(accounts.tokenUser(token.secret)).toBeNull();
    expect(await codeOf(() => accounts.login("Ada", "not her password", "::1"))).toBe(
      "wrong_credentials",
    );
    expect(await codeOf(() => accounts.login("Ada", password, "::1"))).toBe("disabled");
    accounts.setDisabled(id, false);
    expect(accounts.tokenUser(token.secret)).not.toBeNull();
    expect(accounts.sessionUser(login.secret)).toBeNull();
  });
});

describe("the last admin who can log in", () => {
  test("is not demoted, disabled or removed; one who was only invited does not count", async () => {
    const { id } = await accounts.createUser("Root", "admin", password);
    const { user, code } = accounts.invite("Ada", "admin");
    const ways = [
      () => accounts.setRole(id, "member"),
      () => accounts.setDisabled(id, true),
      () => accounts.removeUser(id),
      () => accounts.refuseLastAdmin(id),
    ];
    for (const way of ways) expect(await codeOf(way)).toBe("last_admin");
    await accounts.acceptInvitation(code, password, at);
    accounts.setRole(id, "member");
    expect(await codeOf(() => accounts.removeUser(user.id))).toBe("last_admin");
  });
});

test("whoever is removed is nobody, and the name is free", async () => {
  await accounts.createUser("Root", "admin", password);
  const { id } = await accounts.createUser("Ada", "member", password);
  const { secret } = await accounts.login("Ada", password, "::1");
  accounts.removeUser(id);
  expect(accounts.sessionUser(secret)).toBeNull();
  expect(accounts.listUsers().map(({ name }) => name)).toEqual(["Root"]);
  expect(accounts.findUser("Ada")).toBeNull();
  expect(accounts.findUser(id)).toBeNull();
  expect(await codeOf(() => accounts.login("Ada", password, "::1"))).toBe("wrong_credentials");
  expect(await codeOf(() => accounts.setRole(id, "admin"))).toBe("no_such_user");
  expect((await accounts.createUser("Ada", "member", password)).id).not.toBe(id);
});

describe("one's own logins", () => {
  test("say where, when and which; one or all others end", async () => {
    const { id } = await accounts.createUser("Ada", "member", password);
    const [one, two, three] = [
      await accounts.login("Ada", password, at),
      await accounts.login("Ada", password, { peer: "::1", device: "x".repeat(400) }),
      await accounts.login("Ada", password, "::1"),
    ];
    trial.clock.advance(120_000);
    accounts.sessionUser(one.secret);
    const list = accounts.listSessions(id, one.secret);
    expect(list.map(({ current, peer, device }) => [current, peer, device.length])).toEqual([
      [false, "::1", 0],
      [false, "::1", 300],
      [true, "192.0.2.1", 7],
    ]);
    const now = new Date(trial.clock.nowMs()).toISOString();
    expect(list[2]?.lastUsedAt).toBe(now);
    expect(accounts.listPeople()[0]?.lastSeenAt).toBe(now);
    expect(accounts.endSession("us_other", list[0]?.id ?? "")).toBe(false);
    expect(accounts.endSession(id, list[0]?.id ?? "")).toBe(true);
    expect(accounts.sessionUser(three.secret)).toBeNull();
    expect(accounts.endOtherSessions(id, one.secret)).toBe(1);
    expect([one, two].map(({ secret }) => accounts.sessionUser(secret) !== null)).toEqual([
      ...[true, false],
    ]);
  });

  test("end with a new password, but for the one that changed it", async () => {
    const user = await accounts.createUser("Ada", "member", password);
    const [here, there] = [
      await accounts.login("Ada", password, at),
      await accounts.login("Ada", password, at),
    ];
    const change = (present: string, next: string) =>
      accounts.changePassword(user, { present, next, keep: here.secret, peer: "::1" });
    expect(await codeOf(() => change("wrong", "another good one"))).toBe("wrong_password");
    expect(await codeOf(() => change(password, "short"))).toBe("invalid_password");
    await change(password, "another good one");
    expect(accounts.sessionUser(here.secret)).not.toBeNull();
    expect(accounts.sessionUser(there.secret)).toBeNull();
    expect((await accounts.login("Ada", "another good one", "::1")).user.id).toBe(user.id);
    for (let attempt = 0; attempt < 9; attempt += 1) await refusalOf(() => change("no", password));
    expect(await codeOf(() => change("another good one", "1234567890a"))).toBe("too_many_attempts");
  });
});

describe("a token", () => {
  test("has scopes and an end, and without admin its owner is a member through it", async () => {
    await accounts.createUser("Ada", "admin", password);
    const { secret } = accounts.createToken("Ada", {
      ...{ label: "robot", scopes: ["jobs", "read"], days: 2 },
    });
    expect(accounts.tokenUser(secret)).toMatchObject({ role: "member", scopes: ["read", "jobs"] });
    trial.clock.advance(2 * 86_400_000 - 1);
    expect(accounts.tokenUser(secret)).not.toBeNull();
    trial.clock.advance(1);
    expect(accounts.tokenUser(secret)).toBeNull();
    const whole = accounts.createToken("Ada", "whole");
    expect(accounts.tokenUser(whole.secret)).toMatchObject({ role: "admin", scopes });
    const wish = { label: "x", scopes: [] };
    expect(await codeOf(() => accounts.createToken("Ada", wish))).toBe("invalid_scopes");
    expect(await codeOf(() => accounts.createToken("Ada", { label: "x", days: 0 }))).toBe(
      "invalid_days",
    );
  });

  test.each([
    ["GET", "/api/v1/assets", "read"],
    ["GET", "/", "read"],
    ["GET", "/api/v1/something/new", "read"],
    ["POST", "/api/v1/something/new", "write"],
    ["POST", "/api/v1/assets", "write"],
    ["PUT", "/api/v1/presets/x", "write"],
    ["POST", "/api/v1/jobs", "jobs"],
    ["DELETE", "/api/v1/jobs/x", "jobs"],
    ["POST", "/ui/jobs", "jobs"],
    ["POST", "/ui/tries", "jobs"],
    ["POST", "/api/v1/jobsandmore", "write"],
    ["GET", "/api/v1/me", "read"],
    ["GET", "/api/v1/me/tokens", "account"],
    ["PUT", "/api/v1/me/password", "account"],
    ["PATCH", "/api/v1/settings", "admin"],
    ["DELETE", "/api/v1/users/x", "admin"],
    ["POST", "/api/v1/system/sweep", "admin"],
    ["POST", "/settings/people", "admin"],
    ["POST", "/settings/account/tokens", "account"],
  ] as const)("needs for %s %s the scope %s", (method, path, scope) => {
    expect(scopeNeeded(method, path)).toBe(scope);
  });
});
