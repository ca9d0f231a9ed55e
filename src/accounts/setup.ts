/** The first admin: made by whoever can read the one-time code in the server's log. */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { Refusal } from "../trouble.ts";
import { codeHash, randomCode } from "./codes.ts";
import type { PasswordHasher } from "./hashing.ts";
import { AttemptLimiter, peerKey } from "./limiter.ts";
import { checkName, checkPassword, type User } from "./user.ts";
import type { Users } from "./users.ts";

/** Wrong codes by one peer: a person mistypes a few times, a script does not stop. */
const limits = { attempts: 10, windowSeconds: 15 * 60 };

export class Setup {
  private readonly db: Database;
  private readonly clock: Clock;
  private readonly users: Users;
  private readonly hasher: PasswordHasher;
  private readonly limiter: AttemptLimiter;
  /** Once somebody has an account there is no way back, so the question needs no statement any more. */
  private done = false;
  /** The end of the line of those that know the code; nobody else gets into it. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(db: Database, clock: Clock, users: Users, hasher: PasswordHasher) {
    this.db = db;
    this.clock = clock;
    this.users = users;
    this.hasher = hasher;
    this.limiter = new AttemptLimiter(limits, clock);
  }

  /** True until the first user exists. */
  pending(): boolean {
    if (!this.done) this.done = this.users.count() > 0;
    return !this.done;
  }

  /**
   * A fresh code such as `7Q2KD-M04TX-9RWEA-H6BNZ`, which makes every earlier one worthless; null when
   * setup is done. It exists only here: the database keeps its SHA-256.
   */
  issueCode(): string | null {
    const code = randomCode();
    return transaction(this.db, () => {
      if (!this.pending()) return null;
      this.db
        .query("INSERT OR REPLACE INTO setup (id, code_sha256, created_at) VALUES (1, ?, ?)")
        .run(codeHash(code), isoTime(this.clock.nowMs()));
      return code;
    });
  }

  /**
   * Makes the admin and deletes the code in one transaction: of any number of askers one wins.
   * @throws Refusal 409 `already_set_up`, 403 `wrong_setup_code`, 429 `too_many_attempts`,
   *   422 `invalid_name` or `invalid_password`, 503 `busy`
   */
  async complete(code: string, name: string, password: string, peer: string): Promise<User> {
    if (!this.pending()) throw alreadySetUp();
    const takeBack = this.limiter.begin([peerKey(peer)]);
    const codeSha256 = codeHash(code);
    if (!this.isCode(codeSha256)) throw wrongCode();
    takeBack();
    const kept = checkName(name);
    const checked = checkPassword(password);
    // One after another: those that come behind the winner then need no hash to be told so.
    const mine = this.last.then(() => this.makeAdmin(codeSha256, kept, checked));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  private async makeAdmin(codeSha256: string, name: string, password: string): Promise<User> {
    if (!this.pending()) throw alreadySetUp();
    const passwordHash = await this.hasher.hash(password);
    return transaction(this.db, () => {
      if (!this.pending()) throw alreadySetUp();
      const { changes } = this.db.query("DELETE FROM setup WHERE code_sha256 = ?").run(codeSha256);
      if (changes !== 1) throw wrongCode();
      return this.users.insert(name, "admin", passwordHash);
    });
  }

  /** Compares hashes, so the time it takes tells nothing about the code. */
  private isCode(codeSha256: string): boolean {
    return this.db.query("SELECT 1 FROM setup WHERE code_sha256 = ?").get(codeSha256) !== null;
  }
}

function alreadySetUp(): Refusal {
  return new Refusal(409, "already_set_up", "Kinomill is set up already. Log in instead.");
}

function wrongCode(): Refusal {
  return new Refusal(
    403,
    "wrong_setup_code",
    "This is not the setup code. The current one is in the server's log; each start prints a new one.",
  );
}
