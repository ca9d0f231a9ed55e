/** For tests of the queue: a database of its own with users, a clock that is moved by hand, and jobs in it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../../src/clock.ts";
import { type Database, openDatabase } from "../../src/database/open.ts";
import { newId } from "../../src/identity.ts";
import type { Asker, NewJob } from "../../src/jobs/asks.ts";
import type { Job } from "../../src/jobs/job.ts";
import { type Claim, Queue, type RetryPolicy } from "../../src/jobs/queue.ts";
import { findJob } from "../../src/jobs/rows.ts";
import type { FailureCode, FailureReport } from "../../src/trouble.ts";
import { wordsIn } from "../architecture/states.ts";

/** A clock whose wall can be set without the time that passes: what `date -s` does. */
export class WallClock extends ManualClock {
  private offsetMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.offsetMs;
  }

  setWall(byMs: number): void {
    this.offsetMs += byMs;
  }
}

export class QueueGround {
  readonly folder = mkdtempSync(join(tmpdir(), "kinomill-queue-"));
  readonly database: Database = openDatabase(this.folder);
  readonly clock = new WallClock();
  readonly ann = this.addUser("ann");
  readonly bob = this.addUser("bob");
  queue: Queue;
  private readonly policy: Partial<RetryPolicy>;

  constructor(policy: Partial<RetryPolicy> = {}) {
    this.policy = policy;
    // What is durable is proven elsewhere; here it would only be waited for.
    this.database.run("PRAGMA synchronous = OFF");
    this.queue = new Queue(this.database, this.clock, policy);
  }

  /** The same database after a restart. */
  restart(): void {
    this.queue = new Queue(this.database, this.clock, this.policy);
  }

  addUser(name: string): Asker {
    const id = newId("user");
    this.database
      .query(
        "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, ?, 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
      )
      .run(id, name);
    return { id, name };
  }

  add(change: Partial<NewJob> = {}, asker: Asker = this.ann): string {
    const id = newId("job");
    this.queue.asks.insert(asker, {
      id,
      operation: "transcode",
      title: "Transcode: a.mp4",
      params: {},
      inputIds: [newId("asset")],
      labels: {},
      priority: 0,
      need: "cpu",
      notes: [],
      steps: [],
      verify: null,
      anew: false,
      after: [],
      notBefore: null,
      batch: null,
      idempotency: null,
      ...change,
    });
    return id;
  }

  claimed(): Claim {
    const claim = this.queue.claimNext({ id: "cpu" });
    if (claim === null) throw new Error("nothing to claim");
    return claim;
  }

  job(id: string): Job {
    const job = findJob(this.database, this.ann.id, id) ?? findJob(this.database, this.bob.id, id);
    if (job === null) throw new Error(`there is no job ${id}`);
    return job;
  }

  /** What happened to a job, in short. */
  moves(id: string): string[] {
    return this.queue.ledger.log
      .historyOf(id)
      .map(({ what, state, who }) => `${what}${who === "" ? "" : ` by ${who}`} → ${state}`);
  }

  close(): void {
    this.database.close();
    rmSync(this.folder, { recursive: true });
  }
}

export function failure(code: FailureCode = "media_undecodable", retryable = false): FailureReport {
  return { code, message: "It broke.", hint: "Mend it.", retryable, log: "" };
}

/** The states that a table accepts, in its order. */
export function checkedStates(database: Database, table: "job" | "step"): string[] {
  const made = database
    .query<{ sql: string }, [string]>("SELECT sql FROM sqlite_schema WHERE name = ?")
    .get(table);
  return wordsIn(made?.sql ?? "", "state");
}
