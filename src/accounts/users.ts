/** Users in the database: make, find, list, change, and check a password. */
import type { Database } from "bun:sqlite";
import { SQLiteError } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { databaseRefusal, transaction, unhurried } from "../database/transaction.ts";
import { newId } from "../identity.ts";
import { Refusal } from "../trouble.ts";
import { nobodysHash, type PasswordHasher } from "./hashing.ts";
import {
  checkName,
  checkPassword,
  normalPassword,
  type Person,
  type Role,
  type User,
} from "./user.ts";

/** A user's columns as `User` has them, for every statement that gives one. */
export const userColumns =
  "user.id AS id, user.name AS name, user.role AS role, user.created_at AS createdAt";

/** Who may come in, for every statement that lets somebody in. */
export const mayEnter = "user.disabled_at IS NULL AND user.deleted_at IS NULL";

/** Users of one box, at most: the list is shown whole. */
const USER_LIMIT = 1_000;

/** "Last seen" may be this old: otherwise every request would be a write. */
export const SEEN_PRECISION_MS = 60_000;

interface PersonRow extends Omit<Person, "hasPassword"> {
  hasPassword: number;
}

export class Users {
  private readonly db: Database;
  private readonly clock: Clock;
  private readonly hasher: PasswordHasher;

  constructor(db: Database, clock: Clock, hasher: PasswordHasher) {
    this.db = db;
    this.clock = clock;
    this.hasher = hasher;
  }

  /** @throws Refusal 422 `invalid_name`, `invalid_password`, 409 `name_taken`, 409 `too_many_users`, 503 `busy` */
  async create(name: string, role: Role, password: string): Promise<User> {
    const kept = checkName(name);
    if (this.find(kept) !== null) throw nameTaken(kept);
    const passwordHash = await this.hasher.hash(checkPassword(password));
    return transaction(this.db, () => {
      const user = this.insert(kept, role, passwordHash);
      // Whoever can make a user on the command line is the owner: the code has done its work.
      this.db.run("DELETE FROM setup");
      return user;
    });
  }

  /** Inserts a checked name; for use inside a transaction. @param passwordHash null: nobody can log in yet */
  insert(name: string, role: Role, passwordHash: string | null): User {
    if (this.list().length >= USER_LIMIT) {
      throw new Refusal(409, "too_many_users", `This box has its ${USER_LIMIT} users already.`);
    }
    const user: User = { id: newId("user"), name, role, createdAt: isoTime(this.clock.nowMs()) };
    try {
      this.db
        .query(
          "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?)",
        )
        .run(user.id, name, role, passwordHash ?? nobodysHash, user.createdAt);
    } catch (cause) {
      if (cause instanceof SQLiteError && cause.code === "SQLITE_CONSTRAINT_UNIQUE") {
        throw nameTaken(name);
      }
      throw cause;
    }
    return user;
  }

  /** All that there ever were: while it is 0, the box is not set up. */
  count(): number {
    return this.db.query<{ n: number }, []>("SELECT count(*) AS n FROM user").get()?.n ?? 0;
  }

  /** In the order of creation. */
  list(): User[] {
    return this.db
      .query<User, []>(`SELECT ${userColumns} FROM user WHERE deleted_at IS NULL ORDER BY id`)
      .all();
  }

  /** The same with what admins see besides. */
  people(): Person[] {
    return this.db
      .query<PersonRow, [string]>(
        `SELECT ${userColumns}, disabled_at AS disabledAt, last_seen_at AS lastSeenAt,
           invitation.expires_at AS invitedUntil, password_hash <> ?1 AS hasPassword
         FROM user LEFT JOIN invitation ON invitation.user_id = user.id
         WHERE deleted_at IS NULL ORDER BY user.id`,
      )
      .all(nobodysHash)
      .map((row) => ({ ...row, hasPassword: row.hasPassword === 1 }));
  }

  /** By name, letter case of a–z aside; null when there is none. */
  find(name: string): User | null {
    return this.db
      .query<User, [string]>(
        `SELECT ${userColumns} FROM user WHERE name = ? AND deleted_at IS NULL`,
      )
      .get(name.normalize("NFC"));
  }

  /** @throws Refusal 404 `no_such_user` */
  get(id: string): User {
    const user = this.db
      .query<User, [string]>(`SELECT ${userColumns} FROM user WHERE id = ? AND deleted_at IS NULL`)
      .get(id);
    if (user === null) throw new Refusal(404, "no_such_user", "There is no such user.");
    return user;
  }

  /**
   * The user with this name and password, or null. Takes the same time whether the name or the password
   * is wrong. @throws Refusal 503 `busy`, 403 `disabled` where all is right and an admin does not want it
   */
  async verify(name: string, password: string): Promise<User | null> {
    const row = this.db
      .query<User & { passwordHash: string; disabledAt: string | null }, [string]>(
        `SELECT ${userColumns}, password_hash AS passwordHash, disabled_at AS disabledAt
         FROM user WHERE name = ? AND deleted_at IS NULL`,
      )
      .get(name.normalize("NFC"));
    const normal = normalPassword(password);
    const matches = await this.hasher.verify(normal ?? "-", row?.passwordHash ?? nobodysHash);
    if (row === null || normal === null || !matches) return null;
    const { passwordHash: _, disabledAt, ...user } = row;
    if (disabledAt !== null) {
      throw new Refusal(403, "disabled", "This account is disabled. Ask an admin of this box.");
    }
    return user;
  }

  /** For use inside a transaction; the hash was made before it. */
  setPassword(id: string, passwordHash: string): void {
    this.db.query("UPDATE user SET password_hash = ? WHERE id = ?").run(passwordHash, id);
  }

  /** @throws Refusal 404 `no_such_user`, 409 `last_admin` */
  setRole(id: string, role: Role): User {
    return transaction(this.db, () => {
      const user = this.get(id);
      if (role !== "admin") this.refuseLastAdmin(user);
      this.db.query("UPDATE user SET role = ? WHERE id = ?").run(role, id);
      return { ...user, role };
    });
  }

  /** Disabled, nobody comes in: logins end, tokens rest. @throws Refusal 404 `no_such_user`, 409 `last_admin` */
  setDisabled(id: string, disabled: boolean): User {
    return transaction(this.db, () => {
      const user = this.get(id);
      if (disabled) this.refuseLastAdmin(user);
      const at = disabled ? isoTime(this.clock.nowMs()) : null;
      this.db.query("UPDATE user SET disabled_at = ? WHERE id = ?").run(at, id);
      if (disabled) this.db.query("DELETE FROM session WHERE user_id = ?").run(id);
      return user;
    });
  }

  /**
   * Takes somebody away whose files are cared for: logins, tokens, codes, presets and allowance go, the name is free.
   * @throws Refusal 404 `no_such_user`, 409 `last_admin`
   */
  remove(id: string): User {
    return transaction(this.db, () => {
      const user = this.get(id);
      this.refuseLastAdmin(user);
      for (const table of ["session", "token", "invitation", "allowance"]) {
        this.db.query(`DELETE FROM ${table} WHERE user_id = ?`).run(id);
      }
      this.db.query("DELETE FROM preset WHERE owner_id = ?").run(id);
      this.db
        .query(
          `UPDATE user SET name = id, role = 'member', password_hash = ?2, deleted_at = ?3,
             disabled_at = ?3, last_seen_at = NULL WHERE id = ?1`,
        )
        .run(id, nobodysHash, isoTime(this.clock.nowMs()));
      return user;
    });
  }

  /** Notes that somebody was here, not at every request. @param lastMs what was noted last */
  noteSeen(id: string, lastMs: number, also: () => void): number {
    const nowMs = this.clock.nowMs();
    // A clock that was set back counts as old too; the next use then puts the column right.
    if (Math.abs(nowMs - lastMs) < SEEN_PRECISION_MS) return lastMs;
    try {
      unhurried(this.db, () => {
        this.db.query("UPDATE user SET last_seen_at = ? WHERE id = ?").run(isoTime(nowMs), id);
        also();
      });
    } catch (cause) {
      // On a full disk or a busy database people and programs must still be able to read.
      if (databaseRefusal(cause) === null) throw cause;
    }
    return nowMs;
  }

  /** Somebody must be able to let others in again. */
  refuseLastAdmin(user: User): void {
    if (user.role !== "admin") return;
    const others = this.db
      .query<{ n: number }, [string, string]>(
        `SELECT count(*) AS n FROM user
         WHERE role = 'admin' AND id <> ?1 AND ${mayEnter} AND password_hash <> ?2`,
      )
      .get(user.id, nobodysHash);
    if ((others?.n ?? 0) > 0) return;
    throw new Refusal(
      409,
      "last_admin",
      `${user.name} is the last admin who can log in. Make somebody else an admin first.`,
    );
  }
}

function nameTaken(name: string): Refusal {
  return new Refusal(409, "name_taken", `There is a user named ${name} already. Choose another.`);
}
