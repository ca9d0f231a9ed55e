/** Secrets in the database, sealed: those that an admin gives a name, and what other tables hold of secrets. */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { transaction } from "../database/transaction.ts";
import { Refusal } from "../trouble.ts";
import { type Opened, open, type SealingKey, seal } from "./sealing.ts";

/** What a secret may be called. Names of Kinomill's own have a slash. */
const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Keys, tokens and PEM files are far shorter. */
export const SECRET_BYTES_MAX = 16_384;

/** More are a mistake. */
const SECRETS_MAX = 200;

/** What may be told of a secret. */
export interface SecretFacts {
  name: string;
  changedAt: string;
  state: Opened["kind"];
}

interface Row {
  name: string;
  sealed: Uint8Array;
  changed_at: string;
}

/** Seals and opens for a purpose: `import:as_…`. */
export type Sealer = Pick<Vault, "seal" | "open">;

export class Vault {
  private readonly database: Database;
  private readonly clock: Pick<Clock, "nowMs">;
  private readonly keys: readonly SealingKey[];

  /** @param keys the first seals, all open; with none nothing can be sealed */
  constructor(database: Database, clock: Pick<Clock, "nowMs">, keys: readonly SealingKey[]) {
    this.database = database;
    this.clock = clock;
    this.keys = keys;
  }

  seal(purpose: string, text: string): Uint8Array {
    const [key] = this.keys;
    if (key === undefined) throw new Error("invariant broken: sealing without a key");
    return seal(key, purpose, text);
  }

  open(purpose: string, sealed: Uint8Array): Opened {
    return open(this.keys, purpose, sealed);
  }

  /** Null when there is none of this name. */
  get(name: string): Opened | null {
    const row = this.database
      .query<Row, [string]>("SELECT * FROM sealed_secret WHERE name = ?1")
      .get(name);
    return row === null ? null : this.open(purposeOf(name), row.sealed);
  }

  /**
   * Takes a secret of an admin, in the place of one of this name.
   * @throws Refusal 400 `bad_usage` for a name or a value that cannot be, 409 `too_many_secrets`
   */
  set(name: string, value: string): void {
    refuseName(name);
    const length = Buffer.byteLength(value);
    if (length === 0 || length > SECRET_BYTES_MAX || value.includes("\0")) {
      const sentence = `A secret has 1 to ${SECRET_BYTES_MAX} bytes of text; this one has ${length}.`;
      throw new Refusal(400, "bad_usage", sentence);
    }
    transaction(this.database, () => {
      if (this.get(name) === null && this.list().length >= SECRETS_MAX) {
        const sentence = `There are ${SECRETS_MAX} secrets already. Remove some: kinomill secret list`;
        throw new Refusal(409, "too_many_secrets", sentence);
      }
      this.put(name, value);
    });
  }

  /** The same without a look at the name, for Kinomill's own. */
  put(name: string, value: string): void {
    this.database
      .query(
        `INSERT INTO sealed_secret (name, sealed, created_at, changed_at) VALUES (?1, ?2, ?3, ?3)
         ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, changed_at = excluded.changed_at`,
      )
      .run(name, this.seal(purposeOf(name), value), isoTime(this.clock.nowMs()));
  }

  /** Those of admins, by name. */
  list(): SecretFacts[] {
    return this.rows()
      .filter(({ name }) => !name.includes("/"))
      .map(({ name, changed_at, sealed }) => {
        return { name, changedAt: changed_at, state: this.open(purposeOf(name), sealed).kind };
      });
  }

  /** What all of them are, for whoever must keep them out of something. */
  values(): string[] {
    return this.rows().flatMap(({ name, sealed }) => {
      const opened = this.open(purposeOf(name), sealed);
      return opened.kind === "open" ? [opened.text] : [];
    });
  }

  /** False when there was none. */
  remove(name: string): boolean {
    refuseName(name);
    const sql = "DELETE FROM sealed_secret WHERE name = ?1";
    return this.database.query(sql).run(name).changes === 1;
  }

  /** Seals with the first key what another one had sealed: a credential has come. Answers how many. */
  reseal(): number {
    const [first] = this.keys;
    if (first === undefined || this.keys.length < 2) return 0;
    return transaction(this.database, () => {
      let count = 0;
      for (const { name, sealed } of this.rows()) {
        const opened = this.open(purposeOf(name), sealed);
        if (opened.kind !== "open" || opened.key === first) continue;
        this.put(name, opened.text);
        count += 1;
      }
      return count;
    });
  }

  private rows(): Row[] {
    const sql = "SELECT name, sealed, changed_at FROM sealed_secret ORDER BY name";
    return this.database.query<Row, []>(sql).all();
  }
}

function purposeOf(name: string): string {
  return `secret:${name}`;
}

function refuseName(name: string): void {
  if (nameForm.test(name)) return;
  const sentence =
    "The name of a secret has letters, digits, dots, dashes and underscores, 100 at most: bucket, storage.s3.secretAccessKey.";
  throw new Refusal(400, "bad_usage", sentence);
}
