import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { QueueGround } from "../../tests/queue/ground.ts";
import { findRows, type JobFilter, LOOKED_MAX } from "./finding.ts";
import { indexedSeq, indexNext, SearchIndex } from "./search-index.ts";

let ground: QueueGround;

beforeEach(() => {
  ground = new QueueGround();
});

afterEach(() => ground.close());

function find(filter: Partial<JobFilter>) {
  const usual = { ownerId: ground.ann.id, limit: 50, after: null };
  return findRows(ground.database, { ...usual, ...filter });
}

const idsOf = (filter: Partial<JobFilter>) => find(filter).rows.map(({ id }) => id);

const titled = (name: string) => ground.add({ title: `Transcode: ${name}` });

describe("a search", () => {
  test("finds any part of three characters or more, the same before and after the index", () => {
    const [clip, other] = [titled("Holiday_2024-final.MOV"), titled("interview.wav")];
    const labelled = ground.add({ labels: { ticket: "KM-1042" } });
    const look = () => [
      idsOf({ text: "day_2024" }),
      idsOf({ text: "FINAL.mov" }),
      idsOf({ text: "1042" }),
      idsOf({ text: "view" }),
      idsOf({ text: "zzz" }),
      idsOf({ text: 'a"b' }),
    ];
    const expected = [[clip], [clip], [labelled], [other], [], []];
    expect(look()).toEqual(expected);
    expect(indexNext(ground.database)).toBe(3);
    expect(look()).toEqual(expected);
    const late = titled("holiday again");
    expect(idsOf({ text: "holiday" })).toEqual([late, clip]);
    expect(idsOf({ text: "wa" })).toEqual([other]);
  });

  test("follows a change of labels, indexed or not", () => {
    const id = ground.add({ labels: { place: "Bergen" } });
    indexNext(ground.database);
    ground.queue.asks.setLabels(ground.ann, id, { place: "Tromsø" });
    expect([idsOf({ text: "Bergen" }), idsOf({ text: "Tromsø" })]).toEqual([[], [id]]);
    expect(idsOf({ labels: [["place", "Tromsø"]] })).toEqual([id]);
    expect(idsOf({ labels: [["place", "Bergen"]] })).toEqual([]);
  });

  test("is filled behind the jobs, a part at a time", async () => {
    ground.database.transaction(() => {
      for (let n = 0; n < 450; n += 1) titled(`clip ${n}`);
    })();
    const index = new SearchIndex(ground.database);
    index.wake();
    const deadline = performance.now() + 10_000;
    while (indexedSeq(ground.database) < 450 && performance.now() < deadline) await Bun.sleep(10);
    index.stop();
    expect(indexedSeq(ground.database)).toBe(450);
    expect(idsOf({ text: "clip 449" }).length).toBe(1);
  });
});

describe("a list", () => {
  test("has the newest first whatever the clock did, and goes on where a page ended", () => {
    const ids = [ground.add()];
    ground.clock.setWall(-86_400_000);
    ids.push(ground.add(), ground.add());
    const first = find({ limit: 2 });
    expect(first.rows.map(({ id }) => id)).toEqual(ids.slice(1).reverse());
    expect(idsOf({ limit: 2, after: first.next })).toEqual(ids.slice(0, 1));
    expect(idsOf({ after: "jb_nobody" })).toEqual([]);
  });

  test("looks at so many jobs and no more; the next call goes on", () => {
    ground.database.transaction(() => {
      const needle = { operation: "thumbnails", device: "x" };
      ground.add(needle);
      for (let n = 0; n < LOOKED_MAX + 10; n += 1) ground.add();
    })();
    const filter = { text: "zz" };
    const first = find(filter);
    expect([first.rows.length, first.next === null]).toEqual([0, false]);
    const second = find({ ...filter, after: first.next });
    expect([second.rows.length, second.next]).toEqual([0, null]);
  });

  test("reads every leading condition from an index, without sorting", () => {
    const plans = [
      "SELECT seq FROM job WHERE owner_id = 'a' AND seq BETWEEN 1 AND 9 ORDER BY seq DESC LIMIT 9",
      "SELECT seq FROM job WHERE owner_id = 'a' AND operation = 'b' AND seq BETWEEN 1 AND 9 ORDER BY seq DESC LIMIT 9",
      "SELECT seq FROM job WHERE owner_id = 'a' AND device = 'b' AND seq BETWEEN 1 AND 9 ORDER BY seq DESC LIMIT 9",
      "SELECT seq FROM job WHERE state = 'failed' AND owner_id = 'a' AND seq BETWEEN 1 AND 9 ORDER BY seq DESC LIMIT 9",
      "SELECT seq FROM job WHERE state = 'running' AND owner_id = 'a' AND seq BETWEEN 1 AND 9 ORDER BY seq DESC LIMIT 9",
      "SELECT seq FROM job_label WHERE owner_id = 'a' AND name = 'b' AND value = 'c' AND seq BETWEEN 1 AND 9 ORDER BY seq DESC LIMIT 9",
    ].map((sql) =>
      ground.database
        .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => detail)
        .join(),
    );
    for (const plan of plans) {
      expect(plan).toContain("SEARCH");
      expect(plan).not.toContain("TEMP B-TREE");
    }
  });
});
