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
import { mayEnter, type Users, userColumns } from "./users.ts";

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

/** Where a login was made. */
export interface Entrance {
  /** Address of the other end of the connection, never a header's word. */
  peer: string;
  /** What the browser calls itself; "" when it does not say. */
  device?: string;
}

/** Characters of a browser's name for itself that are kept. */
const DEVICE_LENGTH_MAX = 300;

/** A login as its owner sees it. Times are ISO 8601 UTC. */
export interface Session {
  id: string;
  createdAt: string;
  expiresAt: string;
  /** To the minute. */
  lastUsedAt: string | null;
  peer: string;
  device: string;
  /** Whether it is the one that asks. */
  current: boolean;
}

interface Living extends User {
  sessionId: string;
  expiresAt: string;
  lastUsedAt: string | null;
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
  private readonly living: Statement<Living, [string, string]>;

  constructor(db: Database, clock: Clock, users: Users, options: SessionOptions) {
    this.db = db;
    this.clock = clock;
    this.users = users;
    this.limiter = new AttemptLimiter(options.limits ?? defaultLimits, clock);
    this.options = options;
    this.living = db.prepare(
      `SELECT ${userColumns}, session.id AS sessionId, session.expires_at AS expiresAt,
         session.last_used_at AS lastUsedAt
       FROM session JOIN user ON user.id = session.user_id
       WHERE session.secret_sha256 = ? AND session.expires_at > ? AND ${mayEnter}`,
    );
  }

  /**
   * An unknown name and a wrong password get the same answer after the same time.
   * @throws Refusal 401 `wrong_credentials`, 403 `disabled`, 429 `too_many_attempts`, 503 `busy`
   */
  async login(name: string, password: string, entrance: Entrance): Promise<Login> {
    const { peer } = entrance;
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
    return this.open(user, entrance);
  }

  /**
   * Whether this is the user's password; wrong ones count as failed logins do.
   * @throws Refusal 429 `too_many_attempts`, 503 `busy`
   */
  async confirm({ name }: User, password: string, peer: string): Promise<boolean> {
    const account = name.normalize("NFC").toLowerCase().slice(0, 64);
    const takeBack = this.limiter.begin([`account ${account}`, `peer ${peerKey(peer)}`]);
    let right = false;
    try {
      right = (await this.users.verify(name, password)) !== null;
    } catch (cause) {
      takeBack();
      throw cause;
    }
    if (right) takeBack();
    return right;
  }

  /** A session without a password: for the one who has just set the box up. */
  open(user: User, { peer, device = "" }: Entrance): Login {
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
          `INSERT INTO session (id, user_id, secret_sha256, created_at, expires_at, peer, device)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          ...([newId("session"), user.id, sha256(secret), isoTime(nowMs), expiresAt] as const),
          ...([peer.slice(0, 64), device.slice(0, DEVICE_LENGTH_MAX).toWellFormed()] as const),
        );
    });
    return { user, secret, expiresAt };
  }

  /** Whose session this is; null when it ended, never was or was logged out. */
  find(secret: string): Found | null {
    const row = this.living.get(sha256(secret), isoTime(this.clock.nowMs()));
    if (row === null) return null;
    const { sessionId, expiresAt, lastUsedAt, ...user } = row;
    const lastMs = lastUsedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(lastUsedAt);
    this.users.noteSeen(user.id, lastMs, () => {
      const now = isoTime(this.clock.nowMs());
      this.db.query("UPDATE session SET last_used_at = ? WHERE id = ?").run(now, sessionId);
    });
    return { user, untilMs: Date.parse(expiresAt) };
  }

  /** A user's logins that have not ended, the newest first. @param secret of the one that asks; null: none of them */
  list(userId: string, secret: string | null): Session[] {
    const own = secret === null ? "" : sha256(secret);
    return this.db
      .query<Omit<Session, "current"> & { hash: string }, [string, string]>(
        `SELECT id, created_at AS createdAt, expires_at AS expiresAt, last_used_at AS lastUsedAt,
           peer, device, secret_sha256 AS hash
         FROM session WHERE user_id = ? AND expires_at > ? ORDER BY id DESC`,
      )
      .all(userId, isoTime(this.clock.nowMs()))
      .map(({ hash, ...session }) => ({ ...session, current: hash === own }));
  }

  /** Ends one of a user's logins; false when there is none of that id. */
  end(userId: string, id: string): boolean {
    return (
      this.db.query("DELETE FROM session WHERE user_id = ? AND id = ?").run(userId, id).changes ===
      1
    );
  }

  /** Ends all logins of a user but the one of this secret; null: all of them. How many ended. */
  endOthers(userId: string, secret: string | null): number {
    const kept = secret === null ? "" : sha256(secret);
    return this.db
      .query("DELETE FROM session WHERE user_id = ? AND secret_sha256 <> ?")
      .run(userId, kept).changes;
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
