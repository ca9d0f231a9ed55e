/** Who may come in: the one door to users, setup, sessions, tokens and invitations. */
import type { Database } from "bun:sqlite";
import type { Clock } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { Refusal } from "../trouble.ts";
import { PasswordHasher } from "./hashing.ts";
import { type Invitation, Invitations } from "./invitations.ts";
import type { AttemptLimits } from "./limiter.ts";
import { Recall } from "./recall.ts";
import { type Entrance, type Login, type Session, Sessions } from "./sessions.ts";
import { Setup } from "./setup.ts";
import { type Token, Tokens, type TokenWish } from "./tokens.ts";
import { checkPassword, type Person, type Role, type User } from "./user.ts";
import { Users } from "./users.ts";

export type { Invitation } from "./invitations.ts";
export type { Entrance, Login, Session } from "./sessions.ts";
export type { Token, TokenWish } from "./tokens.ts";
export { type Person, type Role, roles, type User } from "./user.ts";

export interface AccountsOptions {
  /** Days after which a login on the page ends; it may change, and then holds for new ones. */
  sessionDays: number;
  /** Failed logins per account and per peer; default 10 in 15 minutes. */
  loginLimits?: AttemptLimits;
}

/** Names, codes, passwords and secrets are checked here; whoever calls only hands them in. */
export interface Accounts extends People, Keys {
  /** True until the first user exists; cheap enough for every request. */
  setupPending(): boolean;
  /** A fresh one-time code for the log, which replaces earlier ones; null when setup is done. */
  issueSetupCode(): string | null;
  /**
   * Makes the first admin and logs in. Of any number of askers one wins.
   * @throws Refusal 409 `already_set_up`, 403 `wrong_setup_code`, 429 `too_many_attempts`,
   *   422 `invalid_name` or `invalid_password`, 503 `busy`
   */
  completeSetup(
    code: string,
    name: string,
    password: string,
    entrance?: Entrance | string,
  ): Promise<Login>;
  /** @throws Refusal 401 `wrong_credentials`, 403 `disabled`, 429 `too_many_attempts` with `Retry-After`, 503 `busy` */
  login(name: string, password: string, entrance: Entrance | string): Promise<Login>;
  /** Ends a session; one that is not there is fine. */
  logout(secret: string): void;
  /** Whose session this is; null when it ended or never was. */
  sessionUser(secret: string): User | null;
  /** Whose token this is; null when it was revoked, ran out or never was. */
  tokenUser(secret: string): User | null;
  /** Deletes ended sessions and says how many. Logins do it too, so nobody has to call it. */
  sweepSessions(): number;
}

/** Who has an account: for admins. Whoever is no longer there is a Refusal 404 `no_such_user`. */
export interface People {
  /**
   * @throws Refusal 422 `invalid_name` or `invalid_password`, 409 `name_taken` or `too_many_users`,
   *   503 `busy`
   */
  createUser(name: string, role: Role, password: string): Promise<User>;
  /** An account whose password its owner sets with the code. @throws Refusal as `createUser` */
  invite(name: string, role: Role): Invitation;
  /** A code for another password; the present one works until it is used. */
  inviteAgain(userId: string): Invitation;
  /** Whose code this is; null when it is worth nothing. @throws Refusal 429 `too_many_attempts` */
  invited(code: string, peer: string): User | null;
  /**
   * Sets the password, ends every login and makes a new one.
   * @throws Refusal 403 `wrong_code`, 422 `invalid_password`, 429 `too_many_attempts`, 503 `busy`
   */
  acceptInvitation(code: string, password: string, entrance: Entrance): Promise<Login>;
  /** In the order of creation. */
  listUsers(): User[];
  /** The same with what admins see besides. */
  listPeople(): Person[];
  /** By name, letter case of a–z aside; null when there is none. */
  findUser(name: string): User | null;
  /** @throws Refusal 409 `last_admin` */
  setRole(userId: string, role: Role): User;
  /** @throws Refusal 409 `last_admin` */
  setDisabled(userId: string, disabled: boolean): User;
  /** Takes somebody away whose files are cared for already. @throws Refusal 409 `last_admin` */
  removeUser(userId: string): User;
  /** @throws Refusal 409 `last_admin` when nobody else could let others in */
  refuseLastAdmin(userId: string): void;
}

/** What somebody comes in with. */
export interface Keys {
  /**
   * Another password; every other login ends.
   * @param keep secret of the login that stays; null: none
   * @throws Refusal 403 `wrong_password`, 422 `invalid_password`, 429 `too_many_attempts`, 503 `busy`
   */
  changePassword(
    user: User,
    change: { present: string; next: string; keep: string | null; peer: string },
  ): Promise<void>;
  /** Logins that have not ended, the newest first. @param secret of the one that asks */
  listSessions(userId: string, secret: string | null): Session[];
  /** Ends one login; false when this user has no such. */
  endSession(userId: string, id: string): boolean;
  /** Ends all but the one of this secret; how many. */
  endOtherSessions(userId: string, secret: string | null): number;
  /**
   * The secret (`kmt_…`) is given this once.
   * @param wish its label, or more
   * @throws Refusal 404 `no_such_user`, 422 `invalid_label`, `invalid_scopes`, `invalid_days`, 409 `too_many_tokens`
   */
  createToken(userName: string, wish: string | TokenWish): { id: string; secret: string };
  /** A user's tokens in the order of creation, without their secrets. */
  listTokens(userId: string): Token[];
  /** Ends a token at once; false when this user has no such token. */
  revokeToken(userId: string, id: string): boolean;
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
  const knownSessions = new Recall(clock);
  const knownTokens = new Recall(clock);
  /** After anything that may have ended somebody's way in, or changed what they may. */
  const forgetting = <T>(result: T): T => {
    knownSessions.forget();
    knownTokens.forget();
    return result;
  };
  const rooms: Rooms = { db, hasher, users, sessions, forgetting };
  const tokens = new Tokens(db, clock, users);
  return {
    ...peopleOf(rooms, new Invitations(db, clock, users, hasher)),
    ...keysOf(rooms, tokens),
    setupPending: () => setup.pending(),
    issueSetupCode: () => setup.issueCode(),
    completeSetup: async (code, name, password, entrance = "") => {
      const at = entranceOf(entrance);
      return sessions.open(await setup.complete(code, name, password, at.peer), at);
    },
    login: (name, password, entrance) =>
      sessions.login(name, password, entranceOf(entrance)).then(forgetting),
    logout: (secret) => forgetting(sessions.logout(secret)),
    sessionUser: (secret) => knownSessions.user(secret, () => sessions.find(secret)),
    tokenUser: (secret) => knownTokens.user(secret, () => tokens.find(secret)),
    sweepSessions: () => sessions.sweep(),
  };
}

const entranceOf = (entrance: Entrance | string): Entrance =>
  typeof entrance === "string" ? { peer: entrance } : entrance;

interface Rooms {
  db: Database;
  hasher: PasswordHasher;
  users: Users;
  sessions: Sessions;
  forgetting: <T>(result: T) => T;
}

function peopleOf({ users, sessions, forgetting }: Rooms, invitations: Invitations): People {
  return {
    createUser: (name, role, password) => users.create(name, role, password),
    invite: (name, role) => invitations.invite(name, role),
    inviteAgain: (userId) => invitations.renew(userId),
    invited: (code, peer) => invitations.look(code, peer),
    acceptInvitation: async (code, password, entrance) => {
      const user = await invitations.accept(code, password, entrance.peer);
      forgetting(sessions.endOthers(user.id, null));
      return sessions.open(user, entrance);
    },
    listUsers: () => users.list(),
    listPeople: () => users.people(),
    findUser: (name) => users.find(name),
    setRole: (userId, role) => forgetting(users.setRole(userId, role)),
    setDisabled: (userId, disabled) => forgetting(users.setDisabled(userId, disabled)),
    removeUser: (userId) => forgetting(users.remove(userId)),
    refuseLastAdmin: (userId) => users.refuseLastAdmin(users.get(userId)),
  };
}

function keysOf({ db, hasher, users, sessions, forgetting }: Rooms, tokens: Tokens): Keys {
  return {
    changePassword: async (user, { present, next, keep, peer }) => {
      const checked = checkPassword(next);
      if (!(await sessions.confirm(user, present, peer))) throw wrongPassword();
      const passwordHash = await hasher.hash(checked);
      transaction(db, () => {
        users.setPassword(user.id, passwordHash);
        db.query("DELETE FROM invitation WHERE user_id = ?").run(user.id);
        sessions.endOthers(user.id, keep);
      });
      forgetting(undefined);
    },
    listSessions: (userId, secret) => sessions.list(userId, secret),
    endSession: (userId, id) => forgetting(sessions.end(userId, id)),
    endOtherSessions: (userId, secret) => forgetting(sessions.endOthers(userId, secret)),
    createToken: (userName, wish) =>
      tokens.create(userName, typeof wish === "string" ? { label: wish } : wish),
    listTokens: (userId) => tokens.list(userId),
    revokeToken: (userId, id) => forgetting(tokens.revoke(userId, id)),
  };
}

function wrongPassword(): Refusal {
  const message = "is not your present password";
  return new Refusal(403, "wrong_password", "The present password is wrong.", {
    errors: [{ path: "present", message }],
  });
}
