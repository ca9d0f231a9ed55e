/** Jobs in numbers: those that are open now, and those that ended since somebody last asked. */
import type { Database } from "bun:sqlite";
import { jobsIn } from "./by-state.ts";
import { type JobState, transitions } from "./job.ts";

/** Open jobs that are alike. */
export interface OpenJobs {
  state: JobState;
  operation: string;
  /** Where they run; null for what does not run. */
  device: string | null;
  count: number;
  /** When the oldest of them was asked for, ISO 8601 UTC. */
  oldestAt: string;
}

/** Jobs that have not ended. */
export interface QueueLength {
  running: number;
  /** For their turn, or for something else. */
  waiting: number;
  /** When the oldest of those that wait was asked for, ISO 8601 UTC. */
  oldestWaitingAt: string | null;
}

export interface EndedJob {
  state: "succeeded" | "failed" | "cancelled";
  operation: string;
  device: string | null;
  /** From asking to the beginning of its last run; null when it never ran. */
  waitedSeconds: number | null;
  /** Of its last run; null when it never ran. */
  ranSeconds: number | null;
  /** Seconds of output per second of work, where that is known. */
  realtimeFactor: number | null;
  /** Code of its failure; null when it did not fail. */
  code: string | null;
}

/** Entries of the log that are read at once, and in one answer; the rest comes with the next one. */
const READ_AT_ONCE = 1_000;
const READ_MAX = 20_000;

const endStates = ["succeeded", "failed", "cancelled"] as const;
const isEnd = (state: string) => (endStates as readonly string[]).includes(state);

/** Words of the log for the moves that end a job. */
const endMoves: string = [
  ...new Set(transitions.flatMap(({ to, by }) => (isEnd(to) ? [`'${by}'`] : []))),
].join(", ");

interface EndedRow {
  id: number;
  state: EndedJob["state"];
  operation: string;
  device: string | null;
  waited: number | null;
  ran: number | null;
  factor: number | null;
  code: string | null;
}

export class JobTally {
  private readonly database: Database;
  /** The log as far as it was counted. */
  private toldId: number;

  /** Counts what ends from here on. */
  constructor(database: Database) {
    this.database = database;
    this.toldId = this.lastId();
  }

  /** Some 10 ms for each 10,000 open jobs. */
  open(): OpenJobs[] {
    return this.database
      .query<OpenJobs, []>(
        `SELECT state, operation, iif(state = 'running', device, NULL) AS device,
           count(*) AS count, min(created_at) AS oldestAt
         FROM ${jobsIn(["queued", "waiting", "running"], "state, operation, device, created_at")}
         GROUP BY 1, 2, 3`,
      )
      .all();
  }

  /** How long the queue is. Some milliseconds for each 10,000 open jobs. */
  queue(): QueueLength {
    const found = this.database
      .query<QueueLength, []>(
        `SELECT (SELECT count(*) FROM ${jobsIn(["running"], "seq")}) AS running,
           count(*) AS waiting, min(created_at) AS oldestWaitingAt
         FROM ${jobsIn(["queued", "waiting"], "created_at")}`,
      )
      .get();
    return found ?? { running: 0, waiting: 0, oldestWaitingAt: null };
  }

  /** What ended since the last call, the oldest first; a job that was retried and ended again is there again. */
  ended(): EndedJob[] {
    const jobs: EndedJob[] = [];
    const last = this.lastId();
    for (let read = 0; this.toldId < last && read < READ_MAX; read += READ_AT_ONCE) {
      const until = Math.min(last, this.toldId + READ_AT_ONCE);
      jobs.push(...this.endedBetween(this.toldId, until));
      this.toldId = until;
    }
    return jobs;
  }

  private endedBetween(after: number, until: number): EndedJob[] {
    const seconds = (from: string, to: string) =>
      `(julianday(${to}) - julianday(${from})) * 86400.0`;
    return this.database
      .query<EndedRow, [number, number]>(
        `SELECT event.id, event.state, operation, job.device,
           ${seconds("created_at", "job.started_at")} AS waited,
           ${seconds("job.started_at", "event.at")} AS ran,
           json_extract(job.error, '$.code') AS code,
           iif(event.state = 'succeeded', json_extract(attempt_proof, '$.realtimeFactor'), NULL) AS factor
         FROM event JOIN job ON job.id = event.subject
         WHERE event.id > ?1 AND event.id <= ?2 AND event.kind = 'job'
           AND event.state IN ('succeeded', 'failed', 'cancelled') AND event.what IN (${endMoves})
         ORDER BY event.id`,
      )
      .all(after, until)
      .map(({ state, operation, device, waited, ran, factor, code }) => ({
        ...{ state, operation, device, realtimeFactor: factor },
        waitedSeconds: waited === null ? null : Math.max(0, waited),
        ranSeconds: ran === null ? null : Math.max(0, ran),
        code: state === "failed" ? code : null,
      }));
  }

  private lastId(): number {
    const row = this.database
      .query<{ id: number | null }, []>("SELECT max(id) AS id FROM event")
      .get();
    return row?.id ?? 0;
  }
}
