import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { newId } from "../identity.ts";
import { Failure } from "../trouble.ts";
import { finalStates, type JobState, jobStates, transitions } from "./job.ts";
import { type Claim, Queue } from "./queue.ts";
import { findJob } from "./rows.ts";

const device = { id: "cpu" };
const failure = new Failure("stalled", "It stalled.", { hint: "Try again." }).report;

let folder: string;
let database: Database;
let queue: Queue;
let ownerId: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-queue-"));
  database = openDatabase(folder);
  queue = new Queue(database, new ManualClock());
  ownerId = newId("user");
  database
    .query("INSERT INTO user VALUES (?, 'ann', 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')")
    .run(ownerId);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function add(priority = 0): string {
  const id = newId("job");
  queue.insert({
    id,
    ownerId,
    operation: "transcode",
    title: "Transcode: a.mp4",
    params: {},
    inputIds: [newId("asset")],
    labels: {},
    priority,
    notes: [],
    steps: [],
    idempotency: null,
  });
  return id;
}

function claimed(): Claim {
  const claim = queue.claim(device);
  if (claim === null) throw new Error("nothing to claim");
  return claim;
}

function stateOf(id: string): JobState | undefined {
  return findJob(database, ownerId, id)?.state;
}

describe("claiming", () => {
  test("takes the most urgent job first, then the oldest", () => {
    const [first, urgent, last] = [add(), add(5), add()];
    expect([claimed().jobId, claimed().jobId, claimed().jobId]).toEqual([urgent, first, last]);
    expect(queue.claim(device)).toBeNull();
  });

  test("gives each of 200 jobs to exactly one of two connections that race", () => {
    const ids = Array.from({ length: 200 }, () => add());
    const otherDatabase = openDatabase(folder);
    const other = new Queue(otherDatabase, new ManualClock());
    const taken: string[] = [];
    for (;;) {
      const claims = [queue.claim(device), other.claim(device)];
      taken.push(...claims.flatMap((claim) => (claim === null ? [] : [claim.jobId])));
      if (claims.includes(null)) break;
    }
    otherDatabase.close();
    expect(taken.toSorted()).toEqual(ids);
  });

  test("uses the partial index, however many jobs have finished", () => {
    const plan = database
      .query<{ detail: string }, []>(
        `EXPLAIN QUERY PLAN
         SELECT id FROM job WHERE state IN ('queued', 'waiting') ORDER BY priority DESC, id LIMIT 1`,
      )
      .all();
    expect(plan.map(({ detail }) => detail).join()).toContain("job_claimable");
    expect(plan.map(({ detail }) => detail).join()).not.toContain("TEMP B-TREE");
  });
});

describe("a claim whose job moved on", () => {
  test("finishes nothing: the output of a cancelled job is not recorded", () => {
    const id = add();
    const claim = claimed();
    expect(queue.cancel(ownerId, id)).toBe("running");
    let recorded = false;
    const succeeded = queue.succeed(claim, () => {
      recorded = true;
    });
    expect([succeeded, recorded, stateOf(id)]).toEqual([false, false, "cancelled"]);
  });

  test("is void after a release: only the next claim's fence counts", () => {
    const id = add();
    const stale = claimed();
    queue.release(stale);
    const fresh = claimed();
    expect(fresh.fence).toBe(stale.fence + 1);
    expect(queue.fail(stale, failure)).toBe(false);
    expect(queue.noteRun(stale, { device: "cpu", deviceReason: "late" })).toBe(false);
    expect(stateOf(id)).toBe("running");
    expect(queue.succeed(fresh, () => {})).toBe(true);
    expect(queue.succeed(fresh, () => {})).toBe(false);
  });

  test("records nothing when recording the outputs throws", () => {
    const id = add();
    const claim = claimed();
    expect(() =>
      queue.succeed(claim, () => {
        throw new Error("disk");
      }),
    ).toThrow("disk");
    expect(stateOf(id)).toBe("running");
  });
});

test("a restart queues running jobs again and does not count the interrupted attempt", () => {
  const id = add();
  claimed();
  expect(queue.recover()).toBe(1);
  expect(stateOf(id)).toBe("queued");
  claimed();
  const job = findJob(database, ownerId, id);
  expect(job?.attempt).toBe(1);
  expect(job?.attempts.map(({ outcome }) => outcome)).toEqual(["interrupted", "running"]);
});

test("another user can neither cancel, retry nor reorder a job", () => {
  const id = add();
  const stranger = newId("user");
  expect(queue.cancel(stranger, id)).toBeNull();
  expect(queue.setPriority(stranger, id, 9)).toBe(false);
  queue.cancel(ownerId, id);
  expect(queue.retry(stranger, id)).toBe(false);
});

/** Brings a fresh job into a state by the queue's own functions. */
const reach: Record<JobState, () => string> = {
  queued: () => add(),
  waiting: () => {
    const id = add();
    queue.hold(id, "No GPU can do it.");
    return id;
  },
  running: () => {
    add();
    return claimed().jobId;
  },
  succeeded: () => {
    const id = add();
    queue.succeed(claimed(), () => {});
    return id;
  },
  failed: () => {
    const id = add();
    queue.fail(claimed(), failure);
    return id;
  },
  cancelled: () => {
    const id = add();
    queue.cancel(ownerId, id);
    return id;
  },
};

/** Every function that moves a job, tried from every state. */
const moves: Record<string, (id: string, claim: Claim) => unknown> = {
  claim: () => queue.claim(device),
  hold: (id) => queue.hold(id, "No GPU can do it."),
  unhold: (id) => queue.unhold(id, "All slots are at work."),
  succeed: (_id, claim) => queue.succeed(claim, () => {}),
  fail: (_id, claim) => queue.fail(claim, failure),
  release: (_id, claim) => queue.release(claim),
  cancel: (id) => queue.cancel(ownerId, id),
  retry: (id) => queue.retry(ownerId, id),
};

test("the queue makes exactly the moves of the list, from every state", () => {
  const made: string[] = [];
  for (const [from, make] of Object.entries(reach)) {
    for (const [by, move] of Object.entries(moves)) {
      const id = make();
      const fence = findJob(database, ownerId, id)?.attempts.at(-1)?.fence ?? 1;
      move(id, {
        jobId: id,
        ownerId,
        operation: "",
        params: {},
        inputIds: [],
        verify: null,
        fence,
      });
      const to = stateOf(id);
      if (to !== from) made.push(`${from} → ${to} by ${by}`);
      database.run("DELETE FROM job");
    }
  }
  const listed = transitions.map(({ from, to, by }) => `${from} → ${to} by ${by}`);
  expect(made.toSorted()).toEqual(listed.toSorted());
});

test("the table accepts exactly the listed states, and an end needs its time", () => {
  const id = add();
  const attempt = (state: string, finished: string | null) => () =>
    database
      .query("UPDATE job SET state = ?, finished_at = ? WHERE id = ?")
      .run(state, finished, id);
  expect(attempt("exploded", null)).toThrow("CHECK");
  for (const state of finalStates) expect(attempt(state, null)).toThrow("CHECK");
  const sql = database
    .query<{ sql: string }, []>("SELECT sql FROM sqlite_schema WHERE name = 'job'")
    .get()?.sql;
  const check = /CHECK \(state IN \(([^)]*)\)\)/.exec(sql ?? "")?.[1];
  expect(check?.split(",").map((text) => text.trim().slice(1, -1))).toEqual([...jobStates]);
});
