import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
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

  test("is the same before, while and after its indexes are filled", () => {
    const kinds = [
      { operation: "clip", device: "gpu:0" },
      { operation: "clip", device: "cpu" },
      { operation: "check", device: "gpu:1" },
    ] as const;
    const made = Array.from({ length: 12 }, (_, n) => {
      const kind = kinds[n % kinds.length] ?? kinds[0];
      const id = ground.add({ operation: kind.operation });
      ground.database.query("UPDATE job SET device = ?2 WHERE id = ?1").run(id, kind.device);
      return { id, ...kind };
    }).reverse();
    const wanted = (filter: Partial<JobFilter>) =>
      made
        .filter(({ operation }) => filter.operation === undefined || filter.operation === operation)
        .filter(({ device }) => filter.device === undefined || filter.device === device)
        .map(({ id }) => id);
    const filters = [
      ...[{ operation: "clip" }, { operation: "none" }, { device: "gpu:0" }, { device: "cpu" }],
      ...[
        { operation: "clip", device: "gpu:0" },
        { operation: "check", device: "gpu:0" },
      ],
    ];
    for (const filed of [0, 5, 12]) {
      indexNext(ground.database, filed - indexedSeq(ground.database));
      expect(indexedSeq(ground.database)).toBe(filed);
      for (const filter of filters) {
        expect({ filed, filter, found: idsOf(filter) }).toEqual({
          ...{ filed, filter, found: wanted(filter) },
        });
        const pages = [find({ ...filter, limit: 3 })];
        for (let next = pages[0]?.next; next; next = pages.at(-1)?.next) {
          pages.push(find({ ...filter, limit: 3, after: next }));
        }
        expect(pages.flatMap(({ rows }) => rows.map(({ id }) => id))).toEqual(wanted(filter));
      }
    }
  });

  test("reads every leading condition from an index, without sorting", () => {
    indexNext(ground.database);
    const expected: [Partial<JobFilter>, string][] = [
      [{}, "job_by_owner"],
      [{ operation: "clip" }, "job_by_operation"],
      [{ device: "gpu:0" }, "job_by_device"],
      [{ states: ["running"] }, "job_line (need=? AND state=? AND owner_id=?)"],
      [{ states: ["failed"] }, "job_unsuccessful"],
      [{ labels: [["name", "value"]] }, "PRIMARY KEY"],
    ];
    const query = spyOn(ground.database, "query");
    for (const [filter, index] of expected) {
      query.mockClear();
      find(filter);
      const asked = query.mock.calls.map(([sql]) => sql).filter((sql) => sql.includes("AS found"));
      const plan = asked
        .flatMap((sql) =>
          ground.database
            .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
            .all()
            .map(({ detail }) => detail),
        )
        .join("; ");
      expect(plan).toContain("SEARCH");
      expect(plan).toContain(index);
      if (filter.states === undefined) expect(plan).not.toContain("TEMP B-TREE");
    }
    query.mockRestore();
  });
});
