import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { checkedStates, failure, QueueGround } from "../../tests/queue/ground.ts";
import { ManualClock } from "../clock.ts";
import { openDatabase } from "../database/open.ts";
import { finalStates, type JobState, jobStates, transitions } from "./job.ts";
import { type Claim, Queue } from "./queue.ts";

const device = { id: "cpu" };

let ground: QueueGround;

beforeEach(() => {
  ground = new QueueGround({ random: () => 0, runsMax: 3, roomAfterFull: () => 1000 });
});

afterEach(() => ground.close());

describe("claiming", () => {
  test("takes the most urgent job first, then the oldest", () => {
    const [first, urgent, last] = [ground.add(), ground.add({ priority: 5 }), ground.add()];
    const order = [1, 2, 3].map(() => ground.claimed().jobId);
    expect(order).toEqual([urgent, first, last]);
    expect(ground.queue.claimNext(device)).toBeNull();
  });

  test("a job of low priority is passed for some hours and not for ever", () => {
    const low = ground.add({ priority: -10 });
    ground.clock.advance(99 * 60_000);
    const before = ground.add();
    ground.clock.advance(2 * 60_000);
    const after = ground.add();
    expect([1, 2, 3].map(() => ground.claimed().jobId)).toEqual([before, low, after]);
  });

  test("setting the clock back does not put new jobs before old ones, over a restart neither", () => {
    const first = ground.add();
    ground.clock.setWall(-86_400_000);
    const second = ground.add();
    ground.restart();
    const third = ground.add();
    expect([1, 2, 3].map(() => ground.claimed().jobId)).toEqual([first, second, third]);
  });

  test("gives a colleague's first job the next turn, whatever a batch has waiting", () => {
    const batch = Array.from({ length: 500 }, () => ground.add());
    expect([1, 2, 3].map(() => ground.claimed().jobId)).toEqual(batch.slice(0, 3));
    const single = ground.add({}, ground.bob);
    expect(ground.claimed().jobId).toBe(single);
    expect(ground.claimed().jobId).toBe(batch[3] ?? "");
  });

  test("gives each of 200 jobs to exactly one of two connections that race", () => {
    const ids = Array.from({ length: 200 }, () => ground.add());
    const otherDatabase = openDatabase(ground.folder);
    const other = new Queue(otherDatabase, new ManualClock());
    const taken: string[] = [];
    for (;;) {
      const claims = [ground.queue.claimNext(device), other.claimNext(device)];
      taken.push(...claims.flatMap((claim) => (claim === null ? [] : [claim.jobId])));
      if (claims.includes(null)) break;
    }
    otherDatabase.close();
    expect(taken.toSorted()).toEqual(ids);
  });

  test("reads the waiting jobs from the partial index, however many have finished", () => {
    for (const where of [
      "need = (+?1) AND owner_id = (+?2) AND rank > (+?3) ORDER BY rank LIMIT (+?4)",
      "need = (+?1) AND owner_id > (+?2) ORDER BY owner_id, rank LIMIT 1",
    ]) {
      const plan = ground.database
        .query<{ detail: string }, []>(
          `EXPLAIN QUERY PLAN SELECT id FROM job
           WHERE state = 'queued' AND wait_for IS NULL AND ${where}`,
        )
        .all()
        .map(({ detail }) => detail)
        .join();
      expect(plan).toMatch(
        /SEARCH job USING INDEX job_line \(need=\? AND state=\? AND owner_id[=>]\?/,
      );
      expect(plan).not.toContain("TEMP B-TREE");
    }
  });
});

describe("a claim whose job moved on", () => {
  test("finishes nothing: the output of a cancelled job is not recorded", () => {
    const id = ground.add();
    const claim = ground.claimed();
    expect(ground.queue.asks.cancel(ground.ann, id)).toBe("running");
    let recorded = false;
    const succeeded = ground.queue.succeed(claim, () => {
      recorded = true;
    });
    expect([succeeded, recorded, ground.job(id).state]).toEqual([false, false, "cancelled"]);
  });

  test("is void after a release: only the next claim's fence counts", () => {
    const { queue } = ground;
    const id = ground.add();
    const stale = ground.claimed();
    queue.release(stale);
    const fresh = ground.claimed();
    expect(fresh.fence).toBe(stale.fence + 1);
    expect(queue.fail(stale, failure())).toBe(false);
    expect(queue.noteRun(stale, { device: "cpu", deviceReason: "late" })).toBe(false);
    expect(queue.failForGood(stale, failure())).toBe(false);
    expect(ground.job(id).state).toBe("running");
    expect(queue.succeed(fresh, () => {})).toBe(true);
    expect(queue.succeed(fresh, () => {})).toBe(false);
  });

  test("records nothing when recording the outputs throws", () => {
    const id = ground.add();
    const claim = ground.claimed();
    expect(() =>
      ground.queue.succeed(claim, () => {
        throw new Error("disk");
      }),
    ).toThrow("disk");
    expect(ground.job(id).state).toBe("running");
    expect(ground.moves(id)).toEqual(["submit by ann → queued", "claim → running"]);
  });
});

describe("a run that failed", () => {
  const stalled = failure("stalled", true);

  test("is followed by another after a while, as often as the settings allow", () => {
    const id = ground.add();
    ground.queue.fail(ground.claimed(), stalled);
    const job = ground.job(id);
    expect([job.state, job.waitsFor, job.attempts[0]?.outcome]).toEqual([
      "queued",
      "retry",
      "failed",
    ]);
    expect(job.waitReason).toBe("Run 1 of at most 3 failed: It broke.");
    expect(Date.parse(job.notBefore ?? "") - ground.clock.nowMs()).toBe(10_000);
    expect(ground.queue.claimNext(device)).toBeNull();
  });

  test("is final when the media is to blame, and then nothing waits", () => {
    const id = ground.add();
    ground.queue.fail(ground.claimed(), failure());
    expect([ground.job(id).state, ground.job(id).waitsFor]).toEqual(["failed", null]);
  });

  test("on a full disk waits for room and not for time", () => {
    const id = ground.add();
    ground.queue.fail(ground.claimed(), failure("disk_full", true));
    expect([ground.job(id).state, ground.job(id).waitsFor]).toEqual(["waiting", "space"]);
    const [held] = ground.queue.waiting.held("space", 0, 10);
    expect([held?.jobId, held?.spaceBytes]).toEqual([id, 1000]);
  });
});

describe("a restart", () => {
  test("queues running jobs again and does not count the interrupted attempt", () => {
    const id = ground.add();
    ground.claimed();
    expect(ground.queue.recover([], true)).toBe(1);
    expect(ground.job(id).state).toBe("queued");
    ground.claimed();
    const job = ground.job(id);
    expect(job.attempt).toBe(1);
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(["interrupted", "running"]);
  });

  test("leaves those that do run alone", () => {
    const [id, other] = [ground.add(), ground.add()];
    ground.claimed();
    ground.claimed();
    expect(ground.queue.recover([id], false)).toBe(1);
    expect([ground.job(id).state, ground.job(other).state]).toEqual(["running", "queued"]);
  });

  test("fails a job with which the server died three times, and tells when", () => {
    const id = ground.add();
    const innocent = ground.add();
    for (let death = 1; death <= 3; death += 1) {
      expect(ground.job(id).state).toBe("queued");
      ground.queue.claim(device, id);
      ground.clock.advance(60_000);
      ground.queue.recover([], true);
    }
    const { state, error } = ground.job(id);
    expect([state, error?.code]).toEqual(["failed", "worker_lost"]);
    expect(error?.message).toContain("ended the server three times");
    expect(error?.log.match(/found dead 2026/g)?.length).toBe(3);
    expect(ground.job(innocent).state).toBe("queued");
    expect(ground.moves(id).at(-1)).toBe("recover → failed");
  });

  test("a shutdown is no death, and a person's retry begins to count anew", () => {
    const id = ground.add();
    for (let stop = 0; stop < 5; stop += 1) ground.queue.release(ground.claimed());
    expect(ground.job(id).state).toBe("queued");
    for (let death = 0; death < 2; death += 1) {
      ground.claimed();
      ground.queue.recover([], true);
    }
    ground.queue.asks.cancel(ground.ann, id);
    ground.queue.asks.retry(ground.ann, id);
    ground.claimed();
    ground.queue.recover([], true);
    expect(ground.job(id).state).toBe("queued");
  });
});

test("another user can neither cancel, retry, pause nor reorder a job", () => {
  const { asks } = ground.queue;
  const id = ground.add();
  expect(asks.cancel(ground.bob, id)).toBeNull();
  expect(asks.setPriority(ground.bob, id, 9)).toBe(false);
  expect(asks.pause(ground.bob, id)).toBeNull();
  expect(asks.setNotBefore(ground.bob, id, null)).toBe(false);
  expect(asks.setLabels(ground.bob, id, { a: "1" })).toBe(false);
  asks.cancel(ground.ann, id);
  expect(asks.retry(ground.bob, id)).toBe(false);
});

/** Brings a fresh job into a state by the queue's own functions; in several ways where the way matters. */
const reach: [JobState, () => string][] = [
  ["queued", () => ground.add()],
  [
    "waiting",
    () => {
      const id = ground.add();
      ground.queue.hold(id, "device", "No GPU can do it.");
      return id;
    },
  ],
  [
    "waiting",
    () => {
      const id = ground.add();
      ground.queue.asks.pause(ground.ann, id);
      return id;
    },
  ],
  [
    "waiting",
    () => {
      const before = ground.add();
      const id = ground.add({ after: [before] });
      predecessor = before;
      return id;
    },
  ],
  [
    "running",
    () => {
      const id = ground.add();
      ground.queue.claim(device, id);
      return id;
    },
  ],
  [
    "running",
    () => {
      const id = ground.add();
      ground.queue.claim(device, id);
      ground.queue.asks.pause(ground.ann, id);
      return id;
    },
  ],
  [
    "succeeded",
    () => {
      const id = ground.add();
      ground.queue.succeed(ground.claimed(), () => {});
      return id;
    },
  ],
  [
    "failed",
    () => {
      const id = ground.add();
      ground.queue.failForGood(ground.claimed(), failure());
      return id;
    },
  ],
  [
    "failed",
    () => {
      const before = ground.add();
      const id = ground.add({ after: [before] });
      ground.queue.claim(device, before);
      ground.queue.failForGood({ ...nothing, jobId: before, fence: 1 }, failure());
      ground.queue.asks.retry(ground.ann, before);
      return id;
    },
  ],
  [
    "cancelled",
    () => {
      const id = ground.add();
      ground.queue.asks.cancel(ground.ann, id);
      return id;
    },
  ],
  [
    "cancelled",
    () => {
      const before = ground.add();
      const id = ground.add({ after: [before] });
      ground.queue.asks.cancel(ground.ann, id);
      return id;
    },
  ],
];

const nothing = {
  ...{ ownerId: "", operation: "", params: {}, inputIds: [] },
  ...{ verify: null, anew: false, onlyOn: null },
};

let predecessor: string | null = null;

function endPredecessor(how: (claim: Claim) => unknown): void {
  if (predecessor === null) return;
  const claim = ground.queue.claim(device, predecessor);
  if (claim !== null) how(claim);
}

/** Every function that moves a job, tried from every state. */
const moves: Record<string, (id: string, claim: Claim) => unknown> = {
  claim: (id) => ground.queue.claim(device, id),
  hold: (id) => ground.queue.hold(id, "device", "No GPU can do it."),
  unhold: (id) => ground.queue.unhold(id, "All slots are at work."),
  succeed: (_id, claim) => ground.queue.succeed(claim, () => {}),
  fail: (_id, claim) => ground.queue.fail(claim, failure()),
  postpone: (_id, claim) => ground.queue.fail(claim, failure("stalled", true)),
  "make room": (_id, claim) => ground.queue.fail(claim, failure("disk_full", true)),
  release: (_id, claim) => ground.queue.release(claim),
  recover: () => ground.queue.recover([], true),
  "recover ": () => {
    ground.database.run("UPDATE job SET deaths = 2");
    ground.queue.recover([], true);
  },
  cancel: (id) => ground.queue.asks.cancel(ground.ann, id),
  retry: (id) => ground.queue.asks.retry(ground.ann, id),
  pause: (id) => ground.queue.asks.pause(ground.ann, id),
  resume: (id) => ground.queue.asks.resume(ground.ann, id),
  precede: () => endPredecessor((claim) => ground.queue.succeed(claim, () => {})),
  "precede ": () => endPredecessor((claim) => ground.queue.failForGood(claim, failure())),
  "precede  ": () => {
    if (predecessor !== null) ground.queue.asks.cancel(ground.ann, predecessor);
  },
};

test("the queue makes exactly the moves of the list, from every state", () => {
  const made = new Set<string>();
  for (const [from, make] of reach) {
    for (const [by, move] of Object.entries(moves)) {
      predecessor = null;
      const id = make();
      const fence = ground.job(id).attempts.at(-1)?.fence ?? 1;
      move(id, { ...nothing, jobId: id, fence });
      const { state } = ground.job(id);
      if (state !== from) made.add(`${from} → ${state} by ${by.trim()}`);
      ground.database.run("DELETE FROM job_after");
      ground.database.run("DELETE FROM job");
    }
  }
  const listed = transitions.map(({ from, to, by }) => `${from} → ${to} by ${by}`);
  expect([...made].toSorted()).toEqual(listed.toSorted());
});

test("the table accepts exactly the listed states, and an end needs its time", () => {
  const id = ground.add();
  const attempt = (state: string, finished: string | null) => () =>
    ground.database
      .query("UPDATE job SET state = ?, finished_at = ? WHERE id = ?")
      .run(state, finished, id);
  expect(attempt("exploded", null)).toThrow("CHECK");
  for (const state of finalStates) expect(attempt(state, null)).toThrow("CHECK");
  // Who waits, waits for something.
  expect(attempt("waiting", null)).toThrow("CHECK");
  expect(checkedStates(ground.database, "job")).toEqual([...jobStates]);
});
