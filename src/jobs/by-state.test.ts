import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { QueueGround } from "../../tests/queue/ground.ts";
import { type IndexedState, jobsIn } from "./by-state.ts";
import { censusOf } from "./census.ts";
import { findRows, listJobs } from "./finding.ts";
import { jobStates, waitsFor } from "./job.ts";
import { placesInLine } from "./line.ts";
import { jobsAhead } from "./rows.ts";
import { Submission } from "./submission.ts";

let ground: QueueGround;

beforeEach(() => {
  ground = new QueueGround();
});

afterEach(() => ground.close());

const indexed = jobStates.filter((state): state is IndexedState => state !== "succeeded");

const everyStanding = [
  ...jobStates.filter((state) => state !== "waiting").map((state) => ({ state, wait: null })),
  ...waitsFor.map((wait) => ({
    state: wait === "time" || wait === "retry" ? ("queued" as const) : ("waiting" as const),
    wait,
  })),
];

/** A job of each kind of device in each state, for each thing that it can wait for. */
function fill(): void {
  for (const need of ["cpu", "gpu"] as const) {
    for (const { state, wait } of everyStanding) {
      const ended = state === "succeeded" || state === "failed" || state === "cancelled";
      ground.database
        .query(
          `UPDATE job SET state = ?2, wait_for = ?3, due_us = 1, fence = 1, started_at = 'now',
             finished_at = iif(?4, 'now', NULL), error = iif(?2 = 'failed', '{}', NULL) WHERE id = ?1`,
        )
        .run(ground.add({ need }), state, wait, ended);
    }
  }
}

test("each state is found, every job of it once, whatever it waits for", () => {
  fill();
  const seqs = (from: string) =>
    ground.database.query(`SELECT seq FROM ${from} ORDER BY seq`).values().flat();
  for (const state of indexed) {
    const right = seqs(`job WHERE +state = '${state}'`);
    expect(right.length).toBeGreaterThan(1);
    expect({ state, found: seqs(jobsIn([state], "seq")) }).toEqual({ state, found: right });
    const listed = listJobs(ground.database, {
      ...{ ownerId: ground.ann.id, limit: 100, after: null, states: [state] },
    });
    expect(listed.items.length).toBe(right.length);
  }
  expect(seqs(jobsIn(["queued", "waiting"], "seq"))).toEqual(
    seqs("job WHERE +state IN ('queued', 'waiting')"),
  );
  expect(seqs(jobsIn(indexed, "seq"))).toEqual(seqs("job WHERE +state <> 'succeeded'"));
});

/** The statements of `ask` that read jobs, and by which indexes. */
function readsOf(ask: () => void): string[] {
  const { database } = ground;
  const query = spyOn(database, "query");
  ask();
  const asked = new Set(query.mock.calls.map(([sql]) => sql));
  query.mockRestore();
  const plans = [...asked].flatMap((sql) =>
    database
      .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => detail),
  );
  return plans.filter((detail) => /^(SEARCH|SCAN) job\b/.test(detail));
}

test("who asks for them looks at no other job, however many have finished", () => {
  fill();
  const { database, queue, ann } = ground;
  const submission = new Submission({ database, queue, queuedPerUserMax: 100 } as never);
  const waiting = database.query<{ id: string }, []>("SELECT id FROM job").all();
  const asks: Record<string, () => unknown> = {
    list: () =>
      findRows(database, { ownerId: ann.id, limit: 5, after: null, states: [...indexed] }),
    census: () => censusOf(database, ann.id),
    quota: () => submission.refuseTooMany(ann.id, 1),
    estimate: () => jobsAhead(database, 0),
    places: () =>
      placesInLine(
        database,
        waiting.map(({ id }) => id),
      ),
    turns: () => [...queue.waiting.inTurn()],
    aside: () => queue.waiting.held("space", 0, 1),
  };
  for (const [name, ask] of Object.entries(asks)) {
    const reads = readsOf(ask);
    expect(reads.length).toBeGreaterThan(0);
    const others = reads.filter(
      (detail) =>
        // By its id or number: one job. The census counts all jobs last, as far as it may.
        !/INDEX job_(line|held|unsuccessful)\b/.test(detail) &&
        !/\((id|rowid)=\?\)$/.test(detail) &&
        !(name === "census" && detail.includes("COVERING INDEX job_by_o")),
    );
    expect({ name, others }).toEqual({ name, others: [] });
  }
});
