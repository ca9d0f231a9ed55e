/** Who may come in: the one door to users, setup, sessions and tokens. */
import type { Database } from "bun:sqlite";
import type { Clock } from "../clock.ts";
import { PasswordHasher } from "./hashing.ts";
import type { AttemptLimits } from "./limiter.ts";
import { Recall } from "./recall.ts";
import { type Login, Sessions } from "./sessions.ts";
import { Setup } from "./setup.ts";
import { type Token, Tokens } from "./tokens.ts";
import type { Role, User } from "./user.ts";
import { Users } from "./users.ts";

export type { Login } from "./sessions.ts";
export type { Token } from "./tokens.ts";
export { type Role, roles, type User } from "./user.ts";

export interface AccountsOptions {
  /** Days after which a login on the page ends; it may change, and then holds for new ones. */
  sessionDays: number;
  /** Failed logins per account and per peer; default 10 in 15 minutes. */
  loginLimits?: AttemptLimits;
}

/** Names, codes, passwords and secrets are checked here; whoever calls only hands them in. */
export interface Accounts {
  /** True until the first user exists; cheap enough for every request. */
  setupPending(): boolean;

  /** A fresh one-time code for the log, which replaces earlier ones; null when setup is done. */
  issueSetupCode(): string | null;

  /**
   * Makes the first admin and logs in. Of any number of askers one wins.
   * @param peer address of the other end of the connection, for the limit on wrong codes
   * @throws Refusal 409 `already_set_up`, 403 `wrong_setup_code`, 429 `too_many_attempts`,
   *   422 `invalid_name` or `invalid_password`, 503 `busy`
   */
  completeSetup(code: string, name: string, password: string, peer?: string): Promise<Login>;

  /**
   * @throws Refusal 422 `invalid_name` or `invalid_password`, 409 `name_taken` or `too_many_users`,
   *   503 `busy`
   */
  createUser(name: string, role: Role, password: string): Promise<User>;

  /** In the order of creation. */
  listUsers(): User[];

  /** By name, letter case of a–z aside; null when there is none. */
  findUser(name: string): User | null;

  /**
   * @param peer address of the other end of the connection, never a header's word
   * @throws Refusal 401 `wrong_credentials`, 429 `too_many_attempts` with `Retry-After`, 503 `busy`
   */
  login(name: string, password: string, peer: string): Promise<Login>;

  /** Ends a session; one that is not there is fine. */
  logout(secret: string): void;

  /** Whose session this is; null when it ended or never was. */
  sessionUser(secret: string): User | null;

  /** Deletes ended sessions and says how many. Logins do it too, so nobody has to call it. */
  sweepSessions(): number;

  /**
   * The secret (`kmt_…`) is given this once.
   * @throws Refusal 404 `no_such_user`, 422 `invalid_label`, 409 `too_many_tokens`
   */
  createToken(userName: string, label: string): { id: string; secret: string };

  /** A user's tokens in the order of creation, without their secrets. */
  listTokens(userId: string): Token[];

  /** Ends a token at once; false when this user has no such token. */
  revokeToken(userId: string, id: string): boolean;

  /** Whose token this is; null when it was revoked or never was. */
  tokenUser(secret: string): User | null;
}

export function openAccounts(db: Database, clock: Clock, options: AccountsOptions): Accounts {
  const hasher = new PasswordHasher();
  const users = new Users(db, clock, hasher);
  const setup = new Setup(db, clock, users, hasher);
  const sessions = new Sessions(db, clock, users, {
    get days() {
      return options.sessionDays;
    },
    ...(options.loginLimits === undefined ? {} : { limits: options.loginLimits }),
  });
  const tokens = new Tokens(db, clock, users);
  const knownSessions = new Recall(clock);
  const knownTokens = new Recall(clock);
  /** After anything that may have ended somebody's way in. */
  const forgetting = <T>(result: T): T => {
    knownSessions.forget();
    knownTokens.forget();
    return result;
  };
  return {
    setupPending: () => setup.pending(),
    issueSetupCode: () => setup.issueCode(),
    completeSetup: async (code, name, password, peer = "") =>
      sessions.open(await setup.complete(code, name, password, peer)),
    createUser: (name, role, password) => users.create(name, role, password),
    listUsers: () => users.list(),
    findUser: (name) => users.find(name),
    login: (name, password, peer) => sessions.login(name, password, peer).then(forgetting),
    logout: (secret) => forgetting(sessions.logout(secret)),
    sessionUser: (secret) => knownSessions.user(secret, () => sessions.find(secret)),
    sweepSessions: () => sessions.sweep(),
    createToken: (userName, label) => tokens.create(userName, label),
    listTokens: (userId) => tokens.list(userId),
    revokeToken: (userId, id) => forgetting(tokens.revoke(userId, id)),
    tokenUser: (secret) => knownTokens.user(secret, () => tokens.find(secret)),
  };
}
