/** API tokens: for programs, with scopes, perhaps with an end, revocable. */
import type { Database, Statement } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { newId, newSecret } from "../identity.ts";
import { Refusal } from "../trouble.ts";
import { sha256 } from "./hashing.ts";
import type { Found } from "./recall.ts";
import { type Scope, scopes, scopesOf } from "./scopes.ts";
import { checkLabel, type User } from "./user.ts";
import { mayEnter, SEEN_PRECISION_MS, type Users, userColumns } from "./users.ts";

/** Every token begins so, which lets scanners of source code find a leaked one. */
export const tokenPrefix = "kmt_";

/** Tokens of one user, at most: the list is shown whole. */
const TOKENS_PER_USER = 100;

/** Days that a token may be made for; longer is for ever. */
export const TOKEN_DAYS_MAX = 3650;

export interface Token {
  id: string;
  label: string;
  /** ISO 8601 UTC. */
  createdAt: string;
  /** To the minute; null when it was never used. */
  lastUsedAt: string | null;
  scopes: Scope[];
  /** Null: it does not end by itself. */
  expiresAt: string | null;
}

/** What a token shall be. */
export interface TokenWish {
  label: string;
  /** At least one. */
  scopes?: readonly Scope[];
  /** Null: for ever. */
  days?: number | null;
}

interface TokenUse extends User {
  token: string;
  tokenId: string;
  lastUsedAt: string | null;
  granted: string;
  expiresAt: string | null;
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
      `SELECT ${userColumns}, token.label AS token, token.id AS tokenId, token.last_used_at AS lastUsedAt,
         token.scopes AS granted, token.expires_at AS expiresAt
       FROM token JOIN user ON user.id = token.user_id WHERE token.secret_sha256 = ? AND ${mayEnter}`,
    );
  }

  /**
   * The secret is shown this once; the database has its SHA-256.
   * @param wish.scopes absent: everything that the user may, now and later
   * @throws Refusal 404 `no_such_user`, 422 `invalid_label`, `invalid_scopes`, `invalid_days`, 409 `too_many_tokens`
   */
  create(userName: string, wish: TokenWish): { id: string; secret: string } {
    const kept = checkLabel(wish.label);
    const granted = checkedScopes(wish.scopes ?? scopes);
    const expiresAt = this.endOf(wish.days ?? null);
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
          `INSERT INTO token (id, user_id, label, secret_sha256, created_at, scopes, expires_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          ...([id, user.id, kept, sha256(secret)] as const),
          ...([isoTime(this.clock.nowMs()), granted.join(" "), expiresAt] as const),
        );
      return { id, secret };
    });
  }

  /** A user's tokens in the order of creation, without their secrets. */
  list(userId: string): Token[] {
    return this.db
      .query<Omit<Token, "scopes"> & { scopes: string }, [string]>(
        `SELECT id, label, created_at AS createdAt, last_used_at AS lastUsedAt, scopes,
           expires_at AS expiresAt
         FROM token WHERE user_id = ? ORDER BY id`,
      )
      .all(userId)
      .map((row) => ({ ...row, scopes: scopesOf(row.scopes) }));
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
    const { tokenId, lastUsedAt, granted, expiresAt, ...user } = row;
    const endMs = expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
    if (endMs <= this.clock.nowMs()) return null;
    const lastMs = lastUsedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(lastUsedAt);
    const notedMs = this.users.noteSeen(user.id, lastMs, () => {
      const now = isoTime(this.clock.nowMs());
      this.db.query("UPDATE token SET last_used_at = ? WHERE id = ?").run(now, tokenId);
    });
    const may = scopesOf(granted);
    const role = may.includes("admin") ? user.role : "member";
    const untilMs = Math.min(endMs, notedMs + SEEN_PRECISION_MS);
    return { user: { ...user, role, scopes: may }, untilMs };
  }

  private endOf(days: number | null): string | null {
    if (days === null) return null;
    if (Number.isInteger(days) && days >= 1 && days <= TOKEN_DAYS_MAX) {
      return isoTime(this.clock.nowMs() + days * 86_400_000);
    }
    const message = `must be 1 to ${TOKEN_DAYS_MAX} days, or for ever`;
    throw new Refusal(422, "invalid_days", `The life of a token ${message}.`, {
      errors: [{ path: "days", message }],
    });
  }
}

function checkedScopes(wanted: readonly Scope[]): Scope[] {
  const kept = scopes.filter((scope) => wanted.includes(scope));
  if (kept.length > 0) return kept;
  const message = "must be chosen: a token without any may do nothing";
  throw new Refusal(422, "invalid_scopes", `The scopes of a token ${message}.`, {
    errors: [{ path: "scopes", message }],
  });
}
