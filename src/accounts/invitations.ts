/** Codes with which people set their password themselves: the first one, or another in the place of a lost one. */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { Refusal } from "../trouble.ts";
import { codeHash, randomCode } from "./codes.ts";
import type { PasswordHasher } from "./hashing.ts";
import { AttemptLimiter, peerKey } from "./limiter.ts";
import { checkName, checkPassword, type Role, type User } from "./user.ts";
import { type Users, userColumns } from "./users.ts";

/** Days in which it must be used: over a holiday, and not for ever in somebody's mailbox. */
export const INVITATION_DAYS = 7;

/** Wrong codes by one peer: a person mistypes a few times, a script does not stop. */
const limits = { attempts: 10, windowSeconds: 15 * 60 };

export interface Invitation {
  user: User;
  /** Shown this once; the database keeps its SHA-256. */
  code: string;
  /** ISO 8601 UTC. */
  expiresAt: string;
}

export class Invitations {
  private readonly db: Database;
  private readonly clock: Clock;
  private readonly users: Users;
  private readonly hasher: PasswordHasher;
  private readonly limiter: AttemptLimiter;

  constructor(db: Database, clock: Clock, users: Users, hasher: PasswordHasher) {
    this.db = db;
    this.clock = clock;
    this.users = users;
    this.hasher = hasher;
    this.limiter = new AttemptLimiter(limits, clock);
  }

  /** A new account without a password. @throws Refusal 422 `invalid_name`, 409 `name_taken`, `too_many_users` */
  invite(name: string, role: Role): Invitation {
    const kept = checkName(name);
    return transaction(this.db, () => this.issue(this.users.insert(kept, role, null)));
  }

  /** A code for somebody who has an account; earlier ones are worthless. @throws Refusal 404 `no_such_user` */
  renew(userId: string): Invitation {
    return transaction(this.db, () => this.issue(this.users.get(userId)));
  }

  /** Whose code this is; null when it was used, ran out or never was. @throws Refusal 429 `too_many_attempts` */
  look(code: string, peer: string): User | null {
    const takeBack = this.limiter.begin([peerKey(peer)]);
    const user = this.find(codeHash(code));
    if (user !== null) takeBack();
    return user;
  }

  /**
   * Sets the password; the code is used up. Of any number of askers one wins.
   * @throws Refusal 403 `wrong_code`, 422 `invalid_password`, 429 `too_many_attempts`, 503 `busy`
   */
  async accept(code: string, password: string, peer: string): Promise<User> {
    if (this.look(code, peer) === null) throw wrongCode();
    const passwordHash = await this.hasher.hash(checkPassword(password));
    return transaction(this.db, () => {
      const user = this.find(codeHash(code));
      if (user === null) throw wrongCode();
      this.db.query("DELETE FROM invitation WHERE user_id = ?").run(user.id);
      this.users.setPassword(user.id, passwordHash);
      return user;
    });
  }

  private issue(user: User): Invitation {
    const code = randomCode();
    const nowMs = this.clock.nowMs();
    const expiresAt = isoTime(nowMs + INVITATION_DAYS * 86_400_000);
    this.db
      .query(
        "INSERT OR REPLACE INTO invitation (user_id, code_sha256, created_at, expires_at) VALUES (?, ?, ?, ?)",
      )
      .run(user.id, codeHash(code), isoTime(nowMs), expiresAt);
    return { user, code, expiresAt };
  }

  private find(hash: string): User | null {
    return this.db
      .query<User, [string, string]>(
        `SELECT ${userColumns} FROM invitation JOIN user ON user.id = invitation.user_id
         WHERE code_sha256 = ?1 AND expires_at > ?2 AND disabled_at IS NULL AND deleted_at IS NULL`,
      )
      .get(hash, isoTime(this.clock.nowMs()));
  }
}

function wrongCode(): Refusal {
  return new Refusal(
    403,
    "wrong_code",
    "This code is not valid: it was used, it ran out, or it was mistyped. Ask an admin for another one.",
  );
}
