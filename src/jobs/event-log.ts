/**
 * What happened, in the database: the history of each job, and what event streams are fed from. An entry is
 * written in the transaction that it tells of, so none is missing and none is made up. Bounded.
 */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";
import type { JobState } from "./job.ts";

/** Entries kept: the histories of the last twenty thousand jobs or so, about 40 MB. */
export const ENTRIES_MAX = 200_000;

/** Entries this old are not kept either, be they ever so few. */
export const ENTRY_AGE_MAX_MS = 90 * 24 * 3_600_000;

/** How many entries are written between two looks at what is too much. */
const PRUNE_EVERY = 1_000;

/** Entries that one look removes at most: some milliseconds. */
const PRUNED_MAX = 5_000;

/** How far back a stream that broke off can go on; beyond it the full state is sent instead. */
export const REPLAY_MAX = 10_000;

/** Entries of one job that are shown, the last ones. */
const HISTORY_MAX = 200;

export interface JobHappening {
  ownerId: string;
  jobId: string;
  /** The move of the state machine, or what else was done: "claim", "priority". */
  what: string;
  /** State of the job afterwards. */
  state: JobState;
  /** A person's name, with the token's where a program asked; "" for Kinomill itself. */
  who: string;
  /** Where and why, for a person; "" when `what` says it all. */
  sentence: string;
}

/** One line of a job's history. */
export interface HistoryEntry extends Pick<JobHappening, "what" | "state" | "who" | "sentence"> {
  /** ISO 8601 UTC. */
  at: string;
}

export interface LoggedEvent {
  id: number;
  ownerId: string;
  kind: "job" | "asset";
  /** Id of the job or asset. */
  subject: string;
  what: string;
}

const loggedColumns = "id, owner_id AS ownerId, kind, subject, what";

/** For `appendWhere`: @param condition of SQL on a row of `job`; its own parameters begin with ?7. */
export function entryWhere(condition: string): string {
  return `INSERT INTO event (owner_id, kind, subject, what, state, who, sentence, at, prior)
    SELECT owner_id, 'job', id, ?2, ?3, ?4, ?5, ?6, last_event FROM job WHERE id = ?1 AND ${condition}`;
}

export class EventLog {
  private readonly database: Database;
  private readonly clock: Clock;
  private sincePruned = 0;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  /** Call it inside the transaction that makes the change. The job stands in its table. */
  append({ ownerId, jobId, what, state, who, sentence }: JobHappening): void {
    this.database
      .query(
        `INSERT INTO event (owner_id, kind, subject, what, state, who, sentence, at, prior)
         VALUES (?1, 'job', ?2, ?3, ?4, ?5, ?6, ?7, (SELECT last_event FROM job WHERE id = ?2))`,
      )
      .run(ownerId, jobId, what, state, who, sentence, this.now());
    this.database.query("UPDATE job SET last_event = last_insert_rowid() WHERE id = ?1").run(jobId);
    this.count();
  }

  /**
   * The first entry of a job that is about to be inserted. The next statement inserts it, with
   * `last_event = last_insert_rowid()`.
   */
  appendFirst({ ownerId, jobId, what, state, who, sentence }: JobHappening): void {
    this.database
      .query(
        `INSERT INTO event (owner_id, kind, subject, what, state, who, sentence, at)
         VALUES (?1, 'job', ?2, ?3, ?4, ?5, ?6, ?7)`,
      )
      .run(ownerId, jobId, what, state, who, sentence, this.now());
    this.count();
  }

  /**
   * The entry of a move that is about to be made. The next statement makes it, under the same condition and with
   * `last_event = last_insert_rowid()`: a statement less than with `append`, for the moves that every job makes.
   * @param statement from `entryWhere`, @param values what its condition names from ?7 on
   * @returns false when the job does not meet the condition: nothing is written
   */
  appendWhere(
    statement: string,
    { jobId, what, state, who, sentence }: Omit<JobHappening, "ownerId">,
    ...values: number[]
  ): boolean {
    const written = this.database
      .query(statement)
      .run(jobId, what, state, who, sentence, this.now(), ...values).changes;
    if (written === 1) this.count();
    return written === 1;
  }

  private now(): string {
    return isoTime(this.clock.nowMs());
  }

  private count(): void {
    this.sincePruned += 1;
    if (this.sincePruned >= PRUNE_EVERY) this.prune();
  }

  /** What was committed after this entry, of everybody, the oldest first. */
  after(id: number, limit: number): LoggedEvent[] {
    return this.database
      .query<LoggedEvent, [number, number]>(
        `SELECT ${loggedColumns} FROM event WHERE id > (+?1) ORDER BY id LIMIT (+?2)`,
      )
      .all(id, limit);
  }

  /**
   * What one person missed since this entry, for each job and asset the last entry alone: what is told of it
   * is its present state. Null when the log does not reach back so far, or never was so far.
   */
  missed(ownerId: string, id: number): LoggedEvent[] | null {
    const { first, last } = this.bounds();
    if (id > last || id < first - 1 || id < last - REPLAY_MAX) return null;
    return this.database
      .query<LoggedEvent, [string, number]>(
        `SELECT max(id) AS id, owner_id AS ownerId, kind, subject, what FROM event
         WHERE id > ?2 AND owner_id = ?1 GROUP BY kind, subject ORDER BY max(id)`,
      )
      .all(ownerId, id);
  }

  /** Number of the last entry; 0 while there is none. */
  get lastId(): number {
    return this.bounds().last;
  }

  private bounds(): { first: number; last: number } {
    const found = this.database
      .query<{ first: number | null; last: number | null }, []>(
        "SELECT (SELECT min(id) FROM event) AS first, (SELECT max(id) FROM event) AS last",
      )
      .get();
    return { first: found?.first ?? 1, last: found?.last ?? 0 };
  }

  private isOlder(id: number, time: string): boolean {
    const query = this.database.query<{ at: string }, [number]>(
      "SELECT at FROM event WHERE id = ?1",
    );
    return (query.get(id)?.at ?? time) < time;
  }

  /** What happened to a job, the oldest first, as far as it is kept. */
  historyOf(jobId: string): HistoryEntry[] {
    return this.database
      .query<HistoryEntry, [string, number]>(
        `WITH RECURSIVE told (what, state, who, sentence, at, prior) AS (
           SELECT what, event.state, who, sentence, at, prior
           FROM job JOIN event ON event.id = last_event WHERE job.id = ?1
           UNION ALL
           SELECT event.what, event.state, event.who, event.sentence, event.at, event.prior
           FROM told JOIN event ON event.id = told.prior LIMIT ?2)
         SELECT what, state, who, sentence, at FROM told`,
      )
      .all(jobId, HISTORY_MAX)
      .reverse();
  }

  /** Removes what is too much or too old, a part at a time. The last entry stays: ids go on from it. */
  prune(): void {
    this.sincePruned = 0;
    const tooOld = isoTime(this.clock.nowMs() - ENTRY_AGE_MAX_MS);
    const { first, last } = this.bounds();
    if (first > last - ENTRIES_MAX && !this.isOlder(first, tooOld)) return;
    this.database
      .query(
        `DELETE FROM event WHERE id IN (
           SELECT id FROM (SELECT id, at FROM event ORDER BY id LIMIT ?3)
           WHERE id <= (SELECT max(id) FROM event) - ?1
             OR (at < ?2 AND id < (SELECT max(id) FROM event)))`,
      )
      .run(ENTRIES_MAX, tooOld, PRUNED_MAX);
  }
}
