/** Who did what in an admin's role, or to their own account: the trail that admins can read. */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { joined } from "../database/transaction.ts";

/** Acts that are kept; the oldest go. Some years of an ordinary box, and a few megabytes. */
export const ACTS_KEPT = 10_000;

/** Who acts: a person, perhaps through a token; or the command line of the host, which has no id. */
export interface Actor {
  id: string;
  name: string;
  /** Label of the token; absent: the person. */
  token?: string;
}

/** The command line works beside the server, with the rights of the host. */
export const commandLine: Actor = { id: "", name: "command line" };

/** What is noted. */
export const actKinds = [
  "setting.changed",
  ...(["user.created", "user.invited", "user.joined", "user.role"] as const),
  ...(["user.disabled", "user.enabled", "user.deleted", "user.allowance", "user.reset"] as const),
  ...([
    "account.password",
    "account.name",
    "session.ended",
    "token.created",
    "token.revoked",
  ] as const),
  ...(["preset.shared", "preset.unshared", "backup.made"] as const),
  ...([
    "storage.moved",
    "storage.stopped",
    "storage.checked",
    "sweep.made",
    "work.switched",
  ] as const),
] as const;
export type ActKind = (typeof actKinds)[number];

export interface Act {
  id: number;
  /** ISO 8601 UTC. */
  at: string;
  /** "" for the command line. */
  whoId: string;
  /** The name as it was then. */
  who: string;
  token: string | null;
  kind: ActKind;
  /** Of whom or what: a name, a setting's key. */
  subject: string;
  /** Before and after, or what else matters; never a secret. */
  detail: Record<string, unknown>;
}

interface Row extends Omit<Act, "detail"> {
  detail: string;
}

export interface ActFilter {
  kind?: ActKind | undefined;
  subject?: string | undefined;
  /** Only those before this id: further ones of a list. */
  before?: number | undefined;
  limit: number;
}

export class Acts {
  private readonly database: Database;
  private readonly clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  /** Notes it; inside a transaction as a part of that. */
  note(actor: Actor, kind: ActKind, subject: string, detail: Record<string, unknown> = {}): void {
    joined(this.database, () => {
      const { lastInsertRowid } = this.database
        .query(
          "INSERT INTO act (at, who_id, who, token, kind, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .run(
          ...([isoTime(this.clock.nowMs()), actor.id, actor.name, actor.token ?? null] as const),
          ...([kind, subject, JSON.stringify(detail)] as const),
        );
      this.database.query("DELETE FROM act WHERE id <= ?").run(Number(lastInsertRowid) - ACTS_KEPT);
    });
  }

  /** The newest first. */
  list({ kind, subject, before, limit }: ActFilter): Act[] {
    return this.database
      .query<Row, [string | null, string | null, number, number]>(
        `SELECT id, at, who_id AS whoId, who, token, kind, subject, detail FROM act
         WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR subject = ?2) AND id < ?3
         ORDER BY id DESC LIMIT ?4`,
      )
      .all(kind ?? null, subject ?? null, before ?? Number.MAX_SAFE_INTEGER, limit)
      .map(({ detail, ...row }) => ({ ...row, detail: JSON.parse(detail) as Act["detail"] }));
  }
}
