import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { failure, QueueGround } from "../../tests/queue/ground.ts";
import { cycleThrough } from "./predecessors.ts";

let ground: QueueGround;

beforeEach(() => {
  ground = new QueueGround();
});

afterEach(() => ground.close());

const run = (id: string) => {
  const claim = ground.queue.claim({ id: "cpu" }, id);
  if (claim === null) throw new Error("it cannot be claimed");
  return claim;
};

const stateOf = (id: string) => ground.job(id).state;

describe("a job that waits for others", () => {
  test("starts when all of them have succeeded, and says what it waits for", () => {
    const first = ground.add({ title: "Transcode: first.mp4" });
    const second = ground.add();
    const last = ground.add({ after: [first, second] });
    expect(ground.job(last)).toMatchObject({
      ...{ state: "waiting", waitsFor: "jobs", after: [first, second] },
      waitReason: "2 jobs have to be done before it.",
    });
    ground.queue.succeed(run(second), () => {});
    expect(stateOf(last)).toBe("waiting");
    expect(ground.queue.claim({ id: "cpu" }, last)).toBeNull();
    ground.queue.succeed(run(first), () => {});
    expect([stateOf(last), ground.job(last).waitsFor]).toEqual(["queued", null]);
    expect(ground.moves(last)).toEqual([
      ...["submit by ann → waiting", "precede → waiting", "precede → queued"],
    ]);
  });

  test("names the one that it waits for", () => {
    const first = ground.add({ title: "Transcode: first.mp4" });
    const last = ground.add({ after: [first] });
    expect(ground.job(last).waitReason).toBe("“Transcode: first.mp4” has to be done before it.");
  });

  test("does not wait for those that have succeeded already", () => {
    const first = ground.add();
    ground.queue.succeed(run(first), () => {});
    expect(stateOf(ground.add({ after: [first] }))).toBe("queued");
  });

  test("fails with it, and so do those behind, each with a sentence", () => {
    const first = ground.add({ title: "First" });
    const second = ground.add({ title: "Second", after: [first] });
    const third = ground.add({ after: [second, first] });
    const stranger = ground.add();
    ground.queue.failForGood(run(first), failure());
    expect([second, third, stranger].map(stateOf)).toEqual(["failed", "failed", "queued"]);
    const { error } = ground.job(second);
    expect([error?.code, error?.message]).toEqual([
      "predecessor_failed",
      "“First” failed, and this job waited for it.",
    ]);
    expect(error?.hint).toContain("Retry the job before it");
  });

  test("is cancelled with it", () => {
    const first = ground.add({ title: "First" });
    const second = ground.add({ after: [first] });
    const third = ground.add({ after: [second] });
    ground.queue.asks.cancel(ground.ann, first);
    expect([second, third].map(stateOf)).toEqual(["cancelled", "cancelled"]);
    expect(ground.queue.ledger.log.historyOf(second).at(-1)?.sentence).toBe(
      "“First” was cancelled, and this job waited for it.",
    );
  });

  test("waits on while another run of it comes by itself", () => {
    const first = ground.add();
    const second = ground.add({ after: [first] });
    ground.queue.fail(run(first), failure("stalled", true));
    expect([first, second].map(stateOf)).toEqual(["queued", "waiting"]);
  });

  test("is retried after the one before it", () => {
    const first = ground.add();
    const second = ground.add({ after: [first] });
    ground.queue.failForGood(run(first), failure());
    ground.queue.asks.retry(ground.ann, first);
    ground.queue.asks.retry(ground.ann, second);
    expect([first, second].map(stateOf)).toEqual(["queued", "waiting"]);
    ground.queue.succeed(run(first), () => {});
    expect(stateOf(second)).toBe("queued");
  });

  test("can be paused and given a time besides: it starts when nothing holds it up any more", () => {
    const first = ground.add();
    const notBefore = new Date(ground.clock.nowMs() + 60_000).toISOString();
    const second = ground.add({ after: [first], notBefore });
    ground.queue.asks.pause(ground.ann, second);
    expect(ground.job(second).waitsFor).toBe("jobs");
    ground.queue.succeed(run(first), () => {});
    expect(ground.job(second).waitsFor).toBe("person");
    ground.queue.asks.resume(ground.ann, second);
    expect(ground.job(second)).toMatchObject({
      ...{ state: "queued", waitsFor: "time", notBefore },
      waitReason: "It is to start not before 2026-01-01 00:01 UTC.",
    });
  });
});

test("a circle is found with the way around it, however long", () => {
  const [a, b, c] = [ground.add(), ground.add(), ground.add()];
  ground.queue.asks.setAfter(ground.ann, b, [a]);
  ground.queue.asks.setAfter(ground.ann, c, [b, a]);
  expect(cycleThrough(ground.queue.ledger, c, a)).toBeNull();
  expect(cycleThrough(ground.queue.ledger, a, b)).toEqual([a, b, a]);
  expect(cycleThrough(ground.queue.ledger, a, c)?.length).toBeWithin(3, 5);
  expect(cycleThrough(ground.queue.ledger, a, a)).toEqual([a, a]);
});
