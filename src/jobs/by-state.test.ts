import { afterEach, beforeEach, expect, test } from "bun:test";
import { QueueGround } from "../../tests/queue/ground.ts";
import { type IndexedState, jobsIn } from "./by-state.ts";
import { listJobs } from "./finding.ts";
import { jobStates, waitsFor } from "./job.ts";

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

test("none of them is found by a look at all jobs", () => {
  for (const states of [...indexed.map((state) => [state]), indexed]) {
    const plan = ground.database
      .query<{ detail: string }, []>(
        `EXPLAIN QUERY PLAN SELECT count(*) FROM ${jobsIn(states, "seq")}`,
      )
      .all()
      .map(({ detail }) => detail);
    const reads = plan.filter((detail) => / job\b/.test(detail));
    expect(reads.length).toBeGreaterThan(0);
    for (const read of reads) expect(read).toMatch(/USING (COVERING )?INDEX job_/);
  }
});
