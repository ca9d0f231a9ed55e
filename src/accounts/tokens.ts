/** API tokens: for programs, without an end, revocable. */
import type { Database, Statement } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { databaseRefusal, transaction } from "../database/transaction.ts";
import { newId, newSecret } from "../identity.ts";
import { Refusal } from "../trouble.ts";
import { sha256 } from "./hashing.ts";
import type { Found } from "./recall.ts";
import { checkLabel, type User } from "./user.ts";
import { type Users, userColumns } from "./users.ts";

/** Every token begins so, which lets scanners of source code find a leaked one. */
export const tokenPrefix = "kmt_";

/** Tokens of one user, at most: the list is shown whole. */
const TOKENS_PER_USER = 100;

/** "Last used" may be this old: otherwise every request of a program would be a write with an fsync. */
const LAST_USED_PRECISION_MS = 60_000;

export interface Token {
  id: string;
  label: string;
  /** ISO 8601 UTC. */
  createdAt: string;
  /** To the minute; null when it was never used. */
  lastUsedAt: string | null;
}

interface TokenUse extends User {
  token: string;
  tokenId: string;
  lastUsedAt: string | null;
}

export class Tokens {
  private readonly db: Database;
  private readonly clock: Clock;
  private readonly users: Users;
  /** Prepared once: every request of a program runs it. */
  private readonly bySecret: Statement<TokenUse, [string]>;

  constructor(db: Database, clock: Clock, users: Users) {
    this.db = db;
    this.clock = clock;
    this.users = users;
    this.bySecret = db.prepare(
      `SELECT ${userColumns}, token.label AS token, token.id AS tokenId, token.last_used_at AS lastUsedAt
       FROM token JOIN user ON user.id = token.user_id WHERE token.secret_sha256 = ?`,
    );
  }

  /**
   * The secret is shown this once; the database has its SHA-256.
   * @throws Refusal 404 `no_such_user`, 422 `invalid_label`, 409 `too_many_tokens`
   */
  create(userName: string, label: string): { id: string; secret: string } {
    const kept = checkLabel(label);
    const id = newId("token");
    const secret = `${tokenPrefix}${newSecret()}`;
    return transaction(this.db, () => {
      const user = this.users.find(userName);
      if (user === null) {
        throw new Refusal(404, "no_such_user", `There is no user named ${userName}.`);
      }
      if (this.list(user.id).length >= TOKENS_PER_USER) {
        const sentence = `${user.name} has ${TOKENS_PER_USER} tokens already. Revoke one first.`;
        throw new Refusal(409, "too_many_tokens", sentence);
      }
      this.db
        .query(
          "INSERT INTO token (id, user_id, label, secret_sha256, created_at) VALUES (?, ?, ?, ?, ?)",
        )
        .run(id, user.id, kept, sha256(secret), isoTime(this.clock.nowMs()));
      return { id, secret };
    });
  }

  /** A user's tokens in the order of creation, without their secrets. */
  list(userId: string): Token[] {
    return this.db
      .query<Token, [string]>(
        `SELECT id, label, created_at AS createdAt, last_used_at AS lastUsedAt
         FROM token WHERE user_id = ? ORDER BY id`,
      )
      .all(userId);
  }

  /** Ends the token at once. False when this user has no such token. */
  revoke(userId: string, id: string): boolean {
    return (
      this.db.query("DELETE FROM token WHERE id = ? AND user_id = ?").run(id, userId).changes === 1
    );
  }

  /** Whose token this is; null when it was revoked or never was. Notes the use, to the minute. */
  find(secret: string): Found | null {
    if (!secret.startsWith(tokenPrefix)) return null;
    const row = this.bySecret.get(sha256(secret));
    if (row === null) return null;
    const { tokenId, lastUsedAt, ...user } = row;
    return { user, untilMs: this.noteUse(tokenId, lastUsedAt) + LAST_USED_PRECISION_MS };
  }

  /** Gives the time that is noted now. */
  private noteUse(id: string, lastUsedAt: string | null): number {
    const nowMs = this.clock.nowMs();
    const lastMs = lastUsedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(lastUsedAt);
    // A clock that was set back counts as old too; the next use then puts the column right.
    if (Math.abs(nowMs - lastMs) < LAST_USED_PRECISION_MS) return lastMs;
    try {
      this.db.query("UPDATE token SET last_used_at = ? WHERE id = ?").run(isoTime(nowMs), id);
    } catch (cause) {
      // On a full disk or a busy database programs must still be able to read.
      if (databaseRefusal(cause) === null) throw cause;
    }
    return nowMs;
  }
}
