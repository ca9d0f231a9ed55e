/** The jobs that wait, read in the order in which they start. Each look costs by the persons, not by the jobs. */
import type { Database } from "bun:sqlite";
import { inLine } from "./by-state.ts";
import type { Need } from "./job.ts";
import { Shares } from "./order.ts";
import type { Claim } from "./queue.ts";
import type { JobRow } from "./rows.ts";

/** A job that may be claimed. */
export interface Candidate extends Omit<Claim, "fence"> {
  priority: number;
  need: Need;
  /** What it waits for besides its turn, as it was found out last: no device can do it, or no room for it. */
  held: "device" | "space" | null;
  /** Why it does not run, as it was noted last. */
  reason: string | null;
  /** Room on the disk that it was seen to need; null: not known. */
  spaceBytes: number | null;
}

/** Jobs of one person that are read at once: most rounds take fewer. */
const HEADS = 8;

/** As much of a waiting job as its turn depends on. */
interface Head {
  id: string;
  ownerId: string;
  need: Need;
  rank: number;
  priority: number;
}

const headColumns = "id, owner_id AS ownerId, need, rank, priority";

export class WaitingJobs {
  private readonly database: Database;
  /** Who has had how many turns. */
  readonly shares = new Shares();

  constructor(database: Database) {
    this.database = database;
  }

  /**
   * The jobs that may start now, in their order as if all that came before had started. Whoever reads may
   * claim them meanwhile.
   * @param closed kinds of which no more are wanted; asked before each job
   */
  *inTurn(closed: ReadonlySet<Need> = new Set()): Generator<Candidate> {
    for (const { id } of this.headsInTurn(closed, HEADS)) {
      const row = this.database.query<JobRow, [string]>("SELECT * FROM job WHERE id = ?1").get(id);
      if (row !== null) yield toCandidate(this.database, row);
    }
  }

  /** The job whose turn it is; null when none may start. */
  firstId(): string | null {
    for (const { id } of this.headsInTurn(new Set(), 1)) return id;
    return null;
  }

  /** @param atOnce jobs of one person that are read at once */
  private *headsInTurn(closed: ReadonlySet<Need>, atOnce: number): Generator<Head> {
    const lines = this.lines();
    this.shares.present(lines.map(([{ ownerId }]) => ownerId));
    const ahead = this.shares.ahead();
    for (;;) {
      const next = ahead.next(firstOfEach(lines, closed));
      if (next === null) return;
      ahead.charge(next);
      yield next;
      const place = lines.findIndex(([head]) => head === next);
      const [, ...rest] = lines[place] ?? [next];
      const [head, ...further] = rest.length > 0 ? rest : this.further(next, atOnce);
      if (head === undefined) lines.splice(place, 1);
      else lines[place] = [head, ...further];
    }
  }

  /** Of each kind and each person the job that comes first, by leaps over the index. */
  private lines(): Line[] {
    // Not one comparison of both columns: SQLite would look at every job of the person before.
    const next = this.database.query<Head, [Need, string]>(
      `SELECT ${headColumns} FROM job
       WHERE need = (+?1) AND owner_id > (+?2) AND ${inLine} ORDER BY owner_id, rank LIMIT 1`,
    );
    const lines: Line[] = [];
    for (const need of ["cpu", "gpu"] as const) {
      for (let head = next.get(need, ""); head !== null; head = next.get(need, head.ownerId)) {
        lines.push([head]);
      }
    }
    return lines;
  }

  private further({ ownerId, need, rank }: Head, atOnce: number): Head[] {
    return this.database
      .query<Head, [string, string, number, number]>(
        `SELECT ${headColumns} FROM job
         WHERE need = (+?1) AND owner_id = (+?2) AND ${inLine} AND rank > (+?3)
         ORDER BY rank LIMIT (+?4)`,
      )
      .all(need, ownerId, rank, atOnce);
  }

  /** Jobs that were put aside, because no device can do them or there is no room, by rank. */
  held(
    kind: "device" | "space",
    afterRank: number,
    limit: number,
  ): (Candidate & { rank: number })[] {
    return this.database
      .query<JobRow, [string, number, number]>(
        "SELECT * FROM job WHERE wait_for = (+?1) AND rank > (+?2) ORDER BY rank LIMIT (+?3)",
      )
      .all(kind, afterRank, limit)
      .map((row) => ({ ...toCandidate(this.database, row), rank: row.rank }));
  }
}

/** A person's waiting jobs of one kind, in their order, as far as they were read. */
type Line = [Head, ...Head[]];

/** Of each person the job that comes first, of whatever kind is not closed. */
function firstOfEach(lines: readonly Line[], closed: ReadonlySet<Need>): Iterable<Head> {
  const heads = new Map<string, Head>();
  for (const [head] of lines) {
    if (closed.has(head.need)) continue;
    const known = heads.get(head.ownerId);
    if (known === undefined || head.rank < known.rank) heads.set(head.ownerId, head);
  }
  return heads.values();
}

function toCandidate(database: Database, row: JobRow): Candidate {
  const { wait_for: waitFor } = row;
  return {
    jobId: row.id,
    ownerId: row.owner_id,
    operation: row.operation,
    params: JSON.parse(row.params) as Record<string, unknown>,
    inputIds: inputIdsOf(database, row.id),
    verify: row.verify,
    anew: row.anew === 1,
    onlyOn: row.own_need === null ? null : "cpu",
    priority: row.priority,
    need: row.need,
    held: waitFor === "device" || waitFor === "space" ? waitFor : null,
    reason: row.device_reason,
    spaceBytes: row.space_bytes,
  };
}

/** The assets that a job reads, in their order. */
export function inputIdsOf(database: Database, jobId: string): string[] {
  return database
    .query<{ asset_id: string }, [string]>(
      "SELECT asset_id FROM job_input WHERE job_id = (+?1) ORDER BY position",
    )
    .all(jobId)
    .map(({ asset_id }) => asset_id);
}
