import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { QueueGround } from "../../tests/queue/ground.ts";
import type { Progress } from "../media/progress.ts";
import { ENTRIES_MAX, ENTRY_AGE_MAX_MS, EventLog, REPLAY_MAX } from "./event-log.ts";
import { Feed, type FeedEvent, PROGRESS_INTERVAL_MS } from "./feed.ts";

const progress: Progress = {
  percent: 1,
  frame: null,
  fps: null,
  outputSeconds: null,
  speed: null,
  etaSeconds: null,
  sizeBytes: null,
};

let ground: QueueGround;
let feed: Feed;

beforeEach(() => {
  ground = new QueueGround();
  feed = new Feed(ground.clock, ground.queue.ledger.log);
});

afterEach(() => ground.close());

const idsOf = (events: FeedEvent[] | null) =>
  events?.map((event) => ("assetId" in event ? event.assetId : event.jobId));

/** Entries of nobody in particular, as many as asked for. */
function fill(count: number, at = ground.queue.ledger.now()): void {
  ground.database
    .query(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
       INSERT INTO event (owner_id, kind, subject, what, state, who, sentence, at)
       SELECT 'us_x', 'job', 'jb_x', 'claim', 'running', '', '', ?2 FROM n`,
    )
    .run(count, at);
}

describe("the feed", () => {
  test("tells an owner only what is the owner's, until the subscription ends", () => {
    const heard: FeedEvent[] = [];
    const end = feed.subscribe(ground.ann.id, (event) => heard.push(event));
    const id = ground.add();
    ground.add({}, ground.bob);
    feed.tell();
    end();
    ground.add();
    feed.tell();
    expect(idsOf(heard)).toEqual([id]);
    expect(heard[0]?.id).toBe(1);
  });

  test("tells nothing of what was rolled back", () => {
    const heard: FeedEvent[] = [];
    feed.subscribe(ground.ann.id, (event) => heard.push(event));
    ground.database.run("BEGIN");
    ground.add();
    ground.database.run("ROLLBACK");
    feed.tell();
    expect(heard).toEqual([]);
  });

  test("tells of assets that come, change and go, in the transaction that does it", () => {
    const heard: FeedEvent[] = [];
    feed.subscribe(ground.ann.id, (event) => heard.push(event));
    ground.database
      .query(
        `INSERT INTO asset (id, owner_id, name, state, size_bytes, sha256, mime_type, kind, origin,
           thumbnail_state, created_at)
         VALUES ('as_1', ?, 'a.mp4', 'ready', 1, ?, 'video/mp4', 'video', '{}', 'wanted', '2026')`,
      )
      .run(ground.ann.id, "0".repeat(64));
    ground.database.run("UPDATE asset SET thumbnail_state = 'ready'");
    ground.database.run("UPDATE asset SET state = 'deleting'");
    feed.tell();
    expect(heard.map((event) => event.type === "asset" && event.change)).toEqual([
      "added",
      "changed",
      "deleted",
    ]);
  });

  test("lets progress of one job through at most every 500 ms", () => {
    let heard = 0;
    feed.subscribe(ground.ann.id, () => {
      heard += 1;
    });
    for (let ms = 0; ms < 2000; ms += 100) {
      feed.progress(ground.ann.id, "jb_1", progress);
      feed.progress(ground.ann.id, "jb_2", progress);
      ground.clock.advance(100);
    }
    expect(heard).toBe((2 * 2000) / PROGRESS_INTERVAL_MS);
  });
});

describe("what was missed", () => {
  test("is given back, each job once with its last entry, also after a restart", () => {
    const first = ground.add();
    const start = feed.latestId;
    ground.claimed();
    const second = ground.add();
    ground.add({}, ground.bob);
    ground.queue.asks.cancel(ground.ann, first);
    const missed = feed.since(ground.ann.id, start);
    expect(idsOf(missed)).toEqual([second, first]);
    ground.restart();
    const after = new Feed(ground.clock, ground.queue.ledger.log);
    expect(after.since(ground.ann.id, start)).toEqual(missed);
    expect(after.since(ground.ann.id, after.latestId)).toEqual([]);
  });

  test("is null when the log does not reach so far back, or never was so far", () => {
    ground.add();
    const start = feed.latestId;
    expect(feed.since(ground.ann.id, start + 5)).toBeNull();
    fill(REPLAY_MAX + 1);
    expect(feed.since(ground.ann.id, start)).toBeNull();
    expect(feed.since(ground.ann.id, start + 1)).toEqual([]);
  });
});

describe("the log", () => {
  test("keeps so many entries and no more, and its numbers go on rising", () => {
    fill(ENTRIES_MAX + 3000);
    const { log } = ground.queue.ledger;
    log.prune();
    const count = () =>
      ground.database.query<{ n: number }, []>("SELECT count(*) AS n FROM event").get()?.n;
    expect(count()).toBe(ENTRIES_MAX);
    expect(log.lastId).toBe(ENTRIES_MAX + 3000);
    ground.add();
    expect(log.lastId).toBe(ENTRIES_MAX + 3001);
  });

  test("keeps nothing for longer than its time, but for its last entry", () => {
    fill(10);
    ground.clock.advance(ENTRY_AGE_MAX_MS + 1000);
    const log = new EventLog(ground.database, ground.clock);
    log.prune();
    expect(log.after(0, 100).map(({ id }) => id)).toEqual([10]);
  });

  test("is pruned by those who write into it", () => {
    fill(ENTRIES_MAX + 500);
    for (let n = 0; n < 1000; n += 1) ground.add();
    expect(ground.queue.ledger.log.after(0, 1)[0]?.id).toBe(1501);
  });

  test("has the history of a job: when, what, who and why", () => {
    const id = ground.add();
    ground.queue.hold(id, "device", "No GPU can do it.");
    ground.clock.advance(1000);
    const program = { ...ground.ann, token: "ci" };
    ground.queue.asks.setPriority(program, id, 7);
    ground.queue.asks.cancel(ground.ann, id);
    expect(ground.queue.ledger.log.historyOf(id)).toEqual([
      { at: at(0), what: "submit", state: "queued", who: "ann", sentence: "" },
      { at: at(0), what: "hold", state: "waiting", who: "", sentence: "No GPU can do it." },
      {
        ...{ at: at(1), what: "priority", state: "waiting" },
        ...{ who: "ann (token ci)", sentence: "From 0 to 7." },
      },
      { at: at(1), what: "cancel", state: "cancelled", who: "ann", sentence: "It was waiting." },
    ]);
  });

  const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;
});
