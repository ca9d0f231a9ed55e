import { describe, expect, test } from "bun:test";
import { ManualClock } from "../clock.ts";
import { askedUsOf, rankOf, Shares } from "./order.ts";
import { QueueClock } from "./queue-clock.ts";

const MINUTE_US = 60_000_000;

describe("among the jobs of one person", () => {
  test("the higher priority comes first, then the older", () => {
    expect(rankOf(2, 1)).toBeLessThan(rankOf(1, 0));
    expect(rankOf(1, 0)).toBeLessThan(rankOf(2, 0));
  });

  test("a point is worth ten minutes, so the lowest priority is not passed for ever", () => {
    const low = rankOf(0, -100);
    expect(rankOf(1999 * MINUTE_US, 100)).toBeLessThan(low);
    expect(rankOf(2001 * MINUTE_US, 100)).toBeGreaterThan(low);
    expect(askedUsOf(rankOf(77, 13), 13)).toBe(77);
  });
});

/** Plays out who starts when each has these many jobs of a priority, a free place at a time. */
function play(shares: Shares, queues: Record<string, number[]>, starts: number): string {
  const left = new Map(Object.entries(queues).map(([name, jobs]) => [name, [...jobs]]));
  let order = "";
  for (let n = 0; n < starts; n += 1) {
    const heads = [...left].flatMap(([ownerId, jobs]) =>
      jobs[0] === undefined ? [] : [{ ownerId, priority: jobs[0] }],
    );
    shares.present(heads.map(({ ownerId }) => ownerId));
    const next = shares.next(heads);
    if (next === null) break;
    left.get(next.ownerId)?.shift();
    shares.charge(next);
    order += next.ownerId;
  }
  return order;
}

const batch = (count: number, priority = 0) => Array<number>(count).fill(priority);

describe("between persons", () => {
  test("a colleague's first job starts next, whatever a batch has waiting", () => {
    const shares = new Shares();
    expect(play(shares, { a: batch(500) }, 40)).toBe("a".repeat(40));
    expect(play(shares, { a: batch(460), b: batch(3) }, 7)).toBe("bababaa");
  });

  test("three share evenly, and nobody saves turns up by waiting", () => {
    const shares = new Shares();
    play(shares, { a: batch(100) }, 100);
    const order = play(shares, { a: batch(50), b: batch(50), c: batch(50) }, 30);
    for (const name of "abc") expect(order.split(name).length - 1).toBe(10);
  });

  test("work of low priority gets what the others leave, but never nothing", () => {
    const order = play(new Shares(), { a: batch(100, -50), b: batch(200) }, 100);
    expect(order.startsWith("b".repeat(31))).toBe(true);
    expect(order.split("a").length - 1).toBe(3);
  });

  test("waiting with work of low priority earns no turns for other work", () => {
    const shares = new Shares();
    play(shares, { a: batch(5, -100), b: batch(400) }, 300);
    expect(play(shares, { a: batch(50), b: batch(50) }, 20).split("a").length - 1).toBe(10);
  });

  test("an urgent job waits for one turn of a colleague at most", () => {
    const shares = new Shares();
    play(shares, { a: batch(10) }, 10);
    expect(play(shares, { a: batch(1, 50), b: batch(5) }, 3)).toContain("a");
    expect(play(new Shares(), { a: batch(1, 50), b: batch(5) }, 1)).toBe("a");
  });

  test("a copy goes ahead without the original", () => {
    const shares = new Shares();
    const ahead = shares.ahead();
    play(ahead, { a: batch(5) }, 5);
    expect(play(shares, { a: batch(5), b: batch(5) }, 2)).toMatch(/ab|ba/);
  });
});

test("the queue's clock never goes back, not even over a restart with a clock that was set back", () => {
  class Jumping extends ManualClock {
    jumpMs = 0;
    override nowMs() {
      return super.nowMs() + this.jumpMs;
    }
  }
  const clock = new Jumping();
  const queueClock = new QueueClock(clock);
  const first = queueClock.nextUs();
  expect(queueClock.nextUs()).toBe(first + 1);
  clock.jumpMs = -86_400_000;
  clock.advance(10);
  expect(queueClock.nextUs()).toBe(first + 10_000);
  const restarted = new QueueClock(clock, first + 10_000);
  clock.advance(5);
  expect(restarted.nextUs()).toBe(first + 15_000);
  clock.jumpMs = 86_400_000;
  expect(restarted.nextUs()).toBe(first + 15_001);
});
