/**
 * What every move of a job goes through: the database, the clocks, and the log in which it is written down
 * in the same transaction.
 */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import { Commits } from "../database/commits.ts";
import { jobsIn } from "./by-state.ts";
import { EventLog } from "./event-log.ts";
import type { JobState } from "./job.ts";
import { QueueClock } from "./queue-clock.ts";
import { standingOf } from "./standing.ts";

/** Kinomill itself, in the log of what happened. */
export const nobody = "";

/** What a move tells of the row that it moved. */
export interface Moved {
  id: string;
  owner_id: string;
  state: JobState;
}

export class Ledger {
  readonly database: Database;
  readonly clock: Clock;
  readonly queueClock: QueueClock;
  readonly commits: Commits;
  readonly log: EventLog;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
    this.queueClock = new QueueClock(clock, lastAskedUs(database));
    this.commits = new Commits(database);
    this.log = new EventLog(database, clock);
  }

  now(): string {
    return isoTime(this.clock.nowMs());
  }

  /** Notes a move. Call it inside its transaction. */
  write({ id, owner_id, state }: Moved, what: string, who: string, sentence = ""): void {
    this.log.append({ ownerId: owner_id, jobId: id, what, state, who, sentence });
  }

  /**
   * Brings a job that does not run to where it belongs, after something that holds it up came or went:
   * queued ↔ waiting. Call it inside the transaction of the change.
   * @param wish what was asked for besides, a sentence for the log
   */
  settle(jobId: string, what: string, who: string, wish = ""): void {
    const row = this.database
      .query<SettlingRow, [string]>(
        `SELECT id, owner_id, predecessors_left, paused_at, not_before,
           (SELECT before.title FROM job_after JOIN job AS before ON before.id = after_id
            WHERE job_id = job.id AND before.state <> 'succeeded' LIMIT 1) AS predecessor_title
         FROM job WHERE id = ?1 AND state IN ('queued', 'waiting')`,
      )
      .get(jobId);
    if (row === null) return;
    const standing = standingOf(
      {
        predecessorsLeft: row.predecessors_left,
        predecessorTitle: row.predecessor_title,
        pausedBy: row.paused_at === null ? null : what === "pause" ? who : "",
        notBefore: row.not_before,
      },
      this.now(),
    );
    this.database
      .query(
        `UPDATE job SET state = ?2, wait_for = ?3, device_reason = ?4
         WHERE id = ?1 AND state IN ('queued', 'waiting')`,
      )
      .run(jobId, standing.state, standing.waitsFor, standing.reason);
    this.write(
      { ...row, state: standing.state },
      what,
      who,
      `${wish} ${standing.reason ?? ""}`.trim(),
    );
  }
}

interface SettlingRow {
  id: string;
  owner_id: string;
  predecessors_left: number;
  paused_at: string | null;
  not_before: string | null;
  predecessor_title: string | null;
}

/** The latest time of asking among the jobs that have not ended: the queue's clock goes on from there. */
function lastAskedUs(database: Database): number {
  return (
    database
      .query<{ us: number | null }, []>(
        `SELECT max(rank + priority * 600000000) AS us
         FROM ${jobsIn(["queued", "waiting", "running"], "rank, priority")}`,
      )
      .get()?.us ?? 0
  );
}
