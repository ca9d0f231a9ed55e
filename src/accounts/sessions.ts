/** Logins on the page: a secret in a cookie, its SHA-256 in the database, an end. */
import type { Database, Statement } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { newId, newSecret } from "../identity.ts";
import { Refusal } from "../trouble.ts";
import { sha256 } from "./hashing.ts";
import { AttemptLimiter, type AttemptLimits, peerKey } from "./limiter.ts";
import type { Found } from "./recall.ts";
import type { User } from "./user.ts";
import { type Users, userColumns } from "./users.ts";

/** Failed logins per account and per peer: OWASP's order of size, and 960 guesses a day at most. */
const defaultLimits: AttemptLimits = { attempts: 10, windowSeconds: 15 * 60 };

/** Browsers that one user is logged in with; one more logs the oldest out. */
const SESSIONS_PER_USER = 50;

export interface Login {
  user: User;
  /** 256 random bits as base64url, for the cookie; kept nowhere else. */
  secret: string;
  /** ISO 8601 UTC. */
  expiresAt: string;
}

export interface SessionOptions {
  days: number;
  limits?: AttemptLimits;
}

export class Sessions {
  private readonly db: Database;
  private readonly clock: Clock;
  private readonly users: Users;
  private readonly limiter: AttemptLimiter;
  private readonly options: SessionOptions;
  /** Prepared once: every request of a browser runs it. */
  private readonly living: Statement<User & { expiresAt: string }, [string, string]>;

  constructor(db: Database, clock: Clock, users: Users, options: SessionOptions) {
    this.db = db;
    this.clock = clock;
    this.users = users;
    this.limiter = new AttemptLimiter(options.limits ?? defaultLimits, clock);
    this.options = options;
    this.living = db.prepare(
      `SELECT ${userColumns}, session.expires_at AS expiresAt FROM session JOIN user ON user.id = session.user_id
       WHERE session.secret_sha256 = ? AND session.expires_at > ?`,
    );
  }

  /**
   * An unknown name and a wrong password get the same answer after the same time.
   * @param peer address of the other end of the connection, never a header's word
   * @throws Refusal 401 `wrong_credentials`, 429 `too_many_attempts`, 503 `busy`
   */
  async login(name: string, password: string, peer: string): Promise<Login> {
    const account = name.normalize("NFC").toLowerCase().slice(0, 64);
    const takeBack = this.limiter.begin([`account ${account}`, `peer ${peerKey(peer)}`]);
    let user: User | null;
    try {
      user = await this.users.verify(name, password);
    } catch (cause) {
      // Nothing was tried: the line was too long.
      takeBack();
      throw cause;
    }
    if (user === null) {
      throw new Refusal(401, "wrong_credentials", "The name or the password is wrong.");
    }
    takeBack();
    return this.open(user);
  }

  /** A session without a password: for the one who has just set the box up. */
  open(user: User): Login {
    const nowMs = this.clock.nowMs();
    const expiresAt = isoTime(nowMs + this.options.days * 86_400_000);
    const secret = newSecret();
    transaction(this.db, () => {
      this.sweep();
      this.db
        .query(
          "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE user_id = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
        )
        .run(user.id, SESSIONS_PER_USER - 1);
      this.db
        .query(
          "INSERT INTO session (id, user_id, secret_sha256, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        )
        .run(newId("session"), user.id, sha256(secret), isoTime(nowMs), expiresAt);
    });
    return { user, secret, expiresAt };
  }

  /** Whose session this is; null when it ended, never was or was logged out. */
  find(secret: string): Found | null {
    const row = this.living.get(sha256(secret), isoTime(this.clock.nowMs()));
    if (row === null) return null;
    const { expiresAt, ...user } = row;
    return { user, untilMs: Date.parse(expiresAt) };
  }

  /** Ends the session; one that is not there is fine. */
  logout(secret: string): void {
    this.db.query("DELETE FROM session WHERE secret_sha256 = ?").run(sha256(secret));
  }

  /** Deletes the sessions that have ended and says how many; each login does it too. */
  sweep(): number {
    return this.db
      .query("DELETE FROM session WHERE expires_at <= ?")
      .run(isoTime(this.clock.nowMs())).changes;
  }
}
