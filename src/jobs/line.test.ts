import { afterEach, beforeEach, expect, test } from "bun:test";
import { QueueGround } from "../../tests/queue/ground.ts";
import { censusOf } from "./census.ts";
import { COUNTED_MAX } from "./job.ts";
import { placesInLine } from "./line.ts";

let ground: QueueGround;

beforeEach(() => {
  ground = new QueueGround();
});

afterEach(() => ground.close());

const placeOf = (id: string) => placesInLine(ground.database, [id]).get(id)?.place ?? null;

test("a place in the line is the one in which jobs are claimed, each kind of device apart", () => {
  const ids = [
    ground.add(),
    ground.add(),
    ground.add({ need: "gpu" }),
    ground.add({ priority: 9 }),
  ];
  expect(ids.map(placeOf)).toEqual([2, 3, 1, 1]);
  const [first = "", second = ""] = ids;
  ground.queue.asks.pause(ground.ann, first);
  expect([placeOf(first), placeOf(second)]).toEqual([null, 2]);
  ground.queue.asks.setPriority(ground.ann, second, 20);
  expect(placeOf(second)).toBe(1);
  expect(ground.queue.waiting.firstId()).toBe(second);
});

test("others who wait in the same line are told, for they take turns", () => {
  const id = ground.add();
  ground.add({ need: "gpu" }, ground.bob);
  expect(placesInLine(ground.database, [id]).get(id)).toEqual({ place: 1, others: 0 });
  for (let n = 0; n < 3; n += 1) ground.add({}, ground.bob);
  expect(placesInLine(ground.database, [id]).get(id)).toEqual({ place: 1, others: 1 });
});

test("the census counts each state of one person", () => {
  const ended = ground.add();
  ground.queue.asks.cancel(ground.ann, ended);
  ground.add();
  ground.add({}, ground.bob);
  ground.queue.succeed(ground.claimed(), () => {});
  ground.add();
  const none = { queued: 0, waiting: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 };
  expect(censusOf(ground.database, ground.ann.id)).toEqual({
    ...none,
    ...{ queued: 1, succeeded: 1, cancelled: 1 },
  });
  expect(censusOf(ground.database, ground.bob.id)).toEqual({ ...none, queued: 1 });
});

test("the census stops where nobody would read on, and claims nothing then", () => {
  const id = ground.add();
  ground.queue.asks.cancel(ground.ann, id);
  ground.database.run(
    `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${COUNTED_MAX + 5})
     INSERT INTO job (id, owner_id, operation, title, state, params, labels, created_at, seq, rank, finished_at)
     SELECT printf('jb_%032x', n), owner_id, operation, title, state, params, labels, created_at, seq + n, rank, finished_at
     FROM n, job WHERE id = '${id}'`,
  );
  const { cancelled, succeeded } = censusOf(ground.database, ground.ann.id);
  expect([cancelled, succeeded]).toEqual([COUNTED_MAX + 1, null]);
});
