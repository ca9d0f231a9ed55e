/** What starts, what waits and why, with everything real but ffmpeg. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { until } from "../../tests/support/processes.ts";
import { SteeredWork } from "../../tests/support/steered-work.ts";
import { Failure } from "../trouble.ts";

const encode = { video: { quality: 40 }, audio: { codec: "none" } };
const stalled = new Failure("stalled", "It stalled.", { retryable: true }).report;
const diskFull = new Failure("disk_full", "The disk is full.", { retryable: true }).report;

let work: SteeredWork;

beforeEach(async () => {
  work = new SteeredWork();
  await work.start({ cpuSlots: 1, runs: 3 });
});

afterEach(() => work.close());

const submit = () => work.submit("transcode", encode);
const begun = (count: number) =>
  until(`${count} runs began`, () => work.runner.begun.length >= count || null);

const waits = (id: string) => {
  const { state, waitsFor, waitReason } = work.job(id);
  return { state, waitsFor, waitReason };
};

describe("pausing", () => {
  test("a running job stands still and lends its place; resumed it goes on beside the other", async () => {
    const first = await submit();
    const second = await submit();
    const { request } = await work.running("transcode");
    expect([work.job(first).state, work.job(second).state]).toEqual(["running", "queued"]);
    const paused = work.jobs.pause(work.ann, first);
    expect([paused.state, paused.pausedAt === null]).toEqual(["running", false]);
    expect(request.rest?.paused).toBe(true);
    await begun(2);
    expect(work.job(second).state).toBe("running");
    work.jobs.resume(work.ann, first);
    expect([request.rest?.paused, work.job(first).pausedAt]).toEqual([false, null]);
    const third = await submit();
    await work.turn();
    expect(work.job(third).state).toBe("queued");
  });

  test("a job that waits does not start until it is resumed, and says who paused it", async () => {
    await submit();
    await begun(1);
    const id = await submit();
    work.jobs.pause(work.ann, id);
    expect(waits(id)).toEqual({
      ...{ state: "waiting", waitsFor: "person" },
      waitReason: "Paused by ann before it began. Resume it to let it start.",
    });
    await work.succeed("transcode");
    await work.turn();
    expect(work.runner.begun.length).toBe(1);
    work.jobs.resume(work.ann, id);
    await begun(2);
  });

  test("two who want opposite things are told what happened", async () => {
    const id = await submit();
    await begun(1);
    work.jobs.pause(work.ann, id);
    expect(() => work.jobs.pause(work.ann, id)).toThrow("paused already");
    work.jobs.resume(work.ann, id);
    expect(() => work.jobs.resume(work.ann, id)).toThrow("nothing to resume");
    expect(() => work.jobs.retry(work.ann, id)).toThrow("Cancel it first");
    work.jobs.cancel(work.ann, id);
    expect(() => work.jobs.cancel(work.ann, id)).toThrow("cancelled already");
    expect(() => work.jobs.pause(work.ann, id)).toThrow("cancelled already");
  });

  test("a stop of the server keeps a paused job paused", async () => {
    const id = await submit();
    await begun(1);
    work.jobs.pause(work.ann, id);
    await work.worker.stop();
    expect(waits(id)).toMatchObject({ state: "waiting", waitsFor: "person" });
    expect(work.job(id).attempt).toBe(0);
    await work.start({ cpuSlots: 1 });
    await work.turn();
    expect(work.runner.begun.length).toBe(0);
    work.jobs.resume(work.ann, id);
    await begun(1);
  });
});

describe("room on the disk", () => {
  test("is waited for with a sentence, and the job goes on by itself when there is some", async () => {
    work.freeBytes = 1000;
    const id = await submit();
    const { state, waitsFor, waitReason } = await until("it waits", () =>
      work.job(id).waitsFor === "space" ? waits(id) : null,
    );
    expect([state, waitsFor]).toEqual(["waiting", "space"]);
    expect(waitReason).toMatch(/^It needs about \d+ MB on the disk, and 1 MB are free for it/);
    work.freeBytes = 1e12;
    const since = performance.now();
    await begun(1);
    expect(performance.now() - since).toBeLessThan(10_000);
  });

  test("that ran out in the middle is waited for, and is more than before", async () => {
    const id = await submit();
    const { end } = await work.running("transcode");
    work.freeBytes = 5_000_000;
    end({ kind: "failed", report: diskFull, fault: null });
    await until("it waits", () => work.job(id).waitsFor === "space" || null);
    expect(work.job(id).attempts[0]?.error?.code).toBe("disk_full");
    work.freeBytes = 1e12;
    await begun(2);
    await work.succeed("transcode");
    expect((await work.untilState(id, "succeeded")).attempts.length).toBe(2);
  });
});

test("a failure that may pass is followed by another run, and the job says which it is", async () => {
  const id = await submit();
  (await work.running("transcode")).end({ kind: "failed", report: stalled, fault: null });
  await until("it backs off", () => work.job(id).waitsFor === "retry" || null);
  expect(waits(id).waitReason).toBe("Run 1 of at most 3 failed: It stalled.");
  // The wait itself is proven with a clock that is moved by hand.
  work.database.run("UPDATE job SET due_us = 0");
  await begun(2);
  await work.succeed("transcode");
  const job = await work.untilState(id, "succeeded");
  expect(job.attempts.map(({ outcome }) => outcome)).toEqual(["failed", "succeeded"]);
  const told = work.jobs.history(work.ownerId, id).map(({ what }) => what);
  expect(told).toEqual(["submit", "claim", "postpone", "wake", "claim", "succeed"]);
});

test("a claim that cannot be written starts nothing, and is tried again by itself", async () => {
  work.database.run(
    `CREATE TEMP TRIGGER full_disk BEFORE UPDATE OF fence ON job
     BEGIN SELECT raise(ABORT, 'disk full'); END`,
  );
  const id = await submit();
  await work.turn();
  expect([work.job(id).state, work.runner.begun.length]).toEqual(["queued", 0]);
  work.database.run("DROP TRIGGER full_disk");
  await begun(1);
  expect(work.job(id).state).toBe("running");
});
