/**
 * The indexes behind the search of jobs and behind lists by operation and device. They are filled a moment after the
 * jobs were asked for, a part at a time: cutting words into their parts costs more than all else about a job, and a page
 * of an index as much for two hundred jobs as for one. Whoever searches looks at the newest jobs without them.
 */
import type { Database } from "bun:sqlite";
import { transaction } from "../database/transaction.ts";

/** Jobs that one commit takes in: about ten milliseconds in which nothing else is answered. */
const JOBS_AT_ONCE = 200;

/** A moment of quiet between two parts. */
const PAUSE_MS = 100;

/** Shorter texts stand in no index of parts of three characters. */
export const SEARCHED_LENGTH_MIN = 3;

/** The last job that stands in the indexes, by its number. */
export function indexedSeq(database: Database): number {
  return (
    database.query<{ seq: number }, []>("SELECT seq FROM job_search_mark WHERE id = 1").get()
      ?.seq ?? 0
  );
}

/** A text as the index is asked for it, as one phrase: nothing in it has a meaning of its own. */
export function phraseOf(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** Takes the next jobs in. Returns how many there were. */
export function indexNext(database: Database, limit = JOBS_AT_ONCE): number {
  return transaction(database, (): number => {
    const rows = database
      .query<{ seq: number; text: string }, [number, number]>(
        "SELECT seq, title || ' ' || labels AS text FROM job WHERE seq > ?1 ORDER BY seq LIMIT ?2",
      )
      .all(indexedSeq(database), limit);
    const insert = database.query("INSERT INTO job_search (rowid, text) VALUES (?1, ?2)");
    for (const { seq, text } of rows) insert.run(seq, text);
    const last = rows.at(-1);
    if (last !== undefined) {
      database
        .query("UPDATE job SET filed = 1 WHERE seq > ?1 AND seq <= ?2 AND filed = 0")
        .run(indexedSeq(database), last.seq);
      database.query("UPDATE job_search_mark SET seq = ?1 WHERE id = 1").run(last.seq);
    }
    return rows.length;
  });
}

/** The labels of a job have changed. Call it inside the transaction that changes them. */
export function indexAgain(database: Database, seq: number): void {
  if (seq > indexedSeq(database)) return;
  database.query("DELETE FROM job_search WHERE rowid = ?1").run(seq);
  database
    .query(
      "INSERT INTO job_search (rowid, text) SELECT seq, title || ' ' || labels FROM job WHERE seq = ?1",
    )
    .run(seq);
}

export class SearchIndex {
  private readonly database: Database;
  private timer: Timer | null = null;
  private stopped = false;

  constructor(database: Database) {
    this.database = database;
  }

  /** There are new jobs. */
  wake(): void {
    if (this.timer !== null || this.stopped) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.work();
    }, PAUSE_MS);
  }

  private work(): void {
    try {
      if (indexNext(this.database) === JOBS_AT_ONCE) this.wake();
    } catch {
      // The disk takes no writes. What is not in the index is found without it; the next job wakes us.
    }
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }
}
