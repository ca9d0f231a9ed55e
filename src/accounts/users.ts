/** Users in the database: make, find, list, and check a password. */
import type { Database } from "bun:sqlite";
import { SQLiteError } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { newId } from "../identity.ts";
import { Refusal } from "../trouble.ts";
import { nobodysHash, type PasswordHasher } from "./hashing.ts";
import { checkName, checkPassword, normalPassword, type Role, type User } from "./user.ts";

/** A user's columns as `User` has them, for every statement that gives one. */
export const userColumns =
  "user.id AS id, user.name AS name, user.role AS role, user.created_at AS createdAt";

/** Users of one box, at most: the list is shown whole. */
const USER_LIMIT = 1_000;

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

  /** Inserts a checked name; for use inside a transaction. @throws Refusal 409 */
  insert(name: string, role: Role, passwordHash: string): User {
    if (this.count() >= USER_LIMIT) {
      throw new Refusal(409, "too_many_users", `This box has its ${USER_LIMIT} users already.`);
    }
    const user: User = { id: newId("user"), name, role, createdAt: isoTime(this.clock.nowMs()) };
    try {
      this.db
        .query(
          "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?)",
        )
        .run(user.id, name, role, passwordHash, user.createdAt);
    } catch (cause) {
      if (cause instanceof SQLiteError && cause.code === "SQLITE_CONSTRAINT_UNIQUE") {
        throw nameTaken(name);
      }
      throw cause;
    }
    return user;
  }

  count(): number {
    return this.db.query<{ n: number }, []>("SELECT count(*) AS n FROM user").get()?.n ?? 0;
  }

  /** In the order of creation. */
  list(): User[] {
    return this.db.query<User, []>(`SELECT ${userColumns} FROM user ORDER BY id`).all();
  }

  /** By name, letter case of a–z aside; null when there is none. */
  find(name: string): User | null {
    return this.db
      .query<User, [string]>(`SELECT ${userColumns} FROM user WHERE name = ?`)
      .get(name.normalize("NFC"));
  }

  /**
   * The user with this name and password, or null. Takes the same time whether the name or the password
   * is wrong. @throws Refusal 503 `busy`
   */
  async verify(name: string, password: string): Promise<User | null> {
    const row = this.db
      .query<User & { passwordHash: string }, [string]>(
        `SELECT ${userColumns}, password_hash AS passwordHash FROM user WHERE name = ?`,
      )
      .get(name.normalize("NFC"));
    const normal = normalPassword(password);
    const matches = await this.hasher.verify(normal ?? "-", row?.passwordHash ?? nobodysHash);
    if (row === null || normal === null || !matches) return null;
    const { passwordHash: _, ...user } = row;
    return user;
  }
}

function nameTaken(name: string): Refusal {
  return new Refusal(409, "name_taken", `There is a user named ${name} already. Choose another.`);
}
