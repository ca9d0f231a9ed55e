/** The jobs that wait, read in the order in which they start. Each look costs by the persons, not by the jobs. */
import type { Database } from "bun:sqlite";
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

const claimable = "state = 'queued' AND wait_for IS NULL";

/** A person's waiting jobs of one kind, in their order. */
interface Line {
  ownerId: string;
  need: Need;
  heads: JobRow[];
}

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
    const lines = (["cpu", "gpu"] as const)
      .filter((need) => !closed.has(need))
      .flatMap((need) => this.persons(need).map((id) => this.line(id, need)));
    this.shares.present(lines.map(({ ownerId }) => ownerId));
    const ahead = this.shares.ahead();
    for (;;) {
      const open = lines.filter(({ heads, need }) => heads.length > 0 && !closed.has(need));
      const next = ahead.next(firstOfEach(open));
      if (next === null) return;
      const { line, row } = next;
      line.heads.shift();
      if (line.heads.length === 0) line.heads = this.heads(line, row.rank);
      ahead.charge(next);
      yield toCandidate(this.database, row);
    }
  }

  private line(ownerId: string, need: Need): Line {
    const line = { ownerId, need, heads: [] };
    return { ...line, heads: this.heads(line, null) };
  }

  /** Whoever has such jobs, by leaps over the index. */
  private persons(need: Need): string[] {
    return this.database
      .query<{ id: string }, [string]>(
        `WITH RECURSIVE person (id) AS (
           SELECT min(owner_id) FROM job WHERE need = ?1 AND ${claimable}
           UNION ALL
           SELECT (SELECT min(owner_id) FROM job
                   WHERE need = ?1 AND ${claimable} AND owner_id > person.id)
           FROM person WHERE person.id IS NOT NULL)
         SELECT id FROM person WHERE id IS NOT NULL`,
      )
      .all(need)
      .map(({ id }) => id);
  }

  private heads({ ownerId, need }: Line, afterRank: number | null): JobRow[] {
    return this.database
      .query<JobRow, [string, string, number, number]>(
        `SELECT * FROM job WHERE need = ?1 AND owner_id = ?2 AND ${claimable} AND rank > ?3
         ORDER BY rank LIMIT ?4`,
      )
      .all(need, ownerId, afterRank ?? Number.MIN_SAFE_INTEGER, HEADS);
  }

  /** Jobs that were put aside, because no device can do them or there is no room, by rank. */
  held(
    kind: "device" | "space",
    afterRank: number,
    limit: number,
  ): (Candidate & { rank: number })[] {
    return this.database
      .query<JobRow, [string, number, number]>(
        "SELECT * FROM job WHERE wait_for = ?1 AND rank > ?2 ORDER BY rank LIMIT ?3",
      )
      .all(kind, afterRank, limit)
      .map((row) => ({ ...toCandidate(this.database, row), rank: row.rank }));
  }
}

interface Head {
  ownerId: string;
  priority: number;
  line: Line;
  row: JobRow;
}

/** Of each person the job that comes first, of whatever kind. */
function firstOfEach(lines: readonly Line[]): Iterable<Head> {
  const heads = new Map<string, Head>();
  for (const line of lines) {
    const [row] = line.heads;
    if (row === undefined) continue;
    const known = heads.get(line.ownerId);
    if (known !== undefined && known.row.rank <= row.rank) continue;
    heads.set(line.ownerId, { ownerId: line.ownerId, priority: row.priority, line, row });
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
      "SELECT asset_id FROM job_input WHERE job_id = ?1 ORDER BY position",
    )
    .all(jobId)
    .map(({ asset_id }) => asset_id);
}
