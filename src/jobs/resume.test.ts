/** A job that goes on takes up what was done: after a stop, a failure and a retry, and never what is not as it was. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../tests/support/processes.ts";
import { SteeredWork } from "../../tests/support/steered-work.ts";
import { newId } from "../identity.ts";
import { Failure } from "../trouble.ts";
import type { Job } from "./job.ts";
import { KEPT_AFTER_FAILURE_MS } from "./sweeper.ts";

const { report } = new Failure("stalled", "It stalled.", { hint: "", retryable: true });

let work: SteeredWork;

beforeEach(() => {
  work = new SteeredWork();
});

afterEach(() => work.close());

/** measure → try → transcode, where the picture is encoded. */
const levelled = { audio: { loudness: -16 }, video: { quality: 40 } };

const attempts = ({ steps }: Job) => steps.map((step) => step.attempts);
const states = ({ steps }: Job) => steps.map(({ state }) => state);
const lastNotes = ({ attempts: all }: Job) => all.at(-1)?.notes;

/** A job whose first two steps are done and whose last one runs. */
async function almostDone(): Promise<string> {
  const id = await work.submit("transcode", levelled);
  await work.succeed("measure");
  await work.succeed("try");
  await work.running("transcode");
  return id;
}

test("after a stop in the middle only what was not done runs again, and the job says so", async () => {
  await work.start();
  const id = await almostDone();
  await work.worker.stop();
  const stopped = work.job(id);
  expect([stopped.state, stopped.attempt]).toEqual(["queued", 0]);
  expect(states(stopped)).toEqual(["done", "done", "pending"]);
  await work.start();
  await work.succeed("transcode");
  const job = await work.untilState(id, "succeeded", "failed");
  expect(job.error).toBeNull();
  expect([work.runner.begun, attempts(job)]).toEqual([["transcode"], [1, 1, 2]]);
  expect(lastNotes(job)).toEqual(["2 of 3 steps were already done."]);
  expect(readdirSync(work.workFolder)).toEqual([]);
});

test("a retry of a failed job begins where it failed, also after a restart", async () => {
  await work.start();
  const id = await almostDone();
  (await work.running("transcode")).end({ kind: "failed", report, fault: null });
  const failed = await work.untilState(id, "failed");
  expect(states(failed)).toEqual(["done", "done", "failed"]);
  await work.worker.stop();
  await work.start();
  work.jobs.retry(work.ann, id);
  await work.succeed("transcode");
  const job = await work.untilState(id, "succeeded", "failed");
  expect([work.runner.begun, attempts(job)]).toEqual([["transcode"], [1, 1, 2]]);
});

test("a job whose steps were all done is published without a run", async () => {
  await work.start();
  const id = await almostDone();
  // Stands for a disk that does not take the record of the outputs.
  work.database.run(
    `CREATE TEMP TRIGGER full_disk BEFORE INSERT ON asset WHEN NEW.job_id IS NOT NULL
     BEGIN SELECT raise(ABORT, 'disk full'); END`,
  );
  await work.succeed("transcode");
  expect((await work.untilState(id, "failed")).outputs).toEqual([]);
  work.database.run("DROP TRIGGER full_disk");
  work.jobs.retry(work.ann, id);
  const job = await work.untilState(id, "succeeded");
  expect([work.runner.begun.length, job.outputs.length, lastNotes(job)]).toEqual([
    ...[3, 1],
    ["3 of 3 steps were already done."],
  ]);
});

test("a result that is not as it was is made again, and the job says which and why", async () => {
  const damages: [(path: string) => void, string][] = [
    [(path) => writeFileSync(path, "LOUDNESS.JSON OF MEASURE"), "is not what it was"],
    [(path) => writeFileSync(path, "short"), "has 5 bytes instead of"],
    [(path) => rmSync(path), "is not there any more"],
    [(path) => rmSync(join(path, ".."), { recursive: true }), "is not there any more"],
  ];
  for (const [damage, words] of damages) {
    await work.start();
    const id = await almostDone();
    await work.worker.stop();
    const folder = join(work.workFolder, id, "measure");
    const [file = ""] = readdirSync(folder);
    damage(join(folder, file));
    await work.start({ cpuSlots: 1 });
    await work.succeed("measure");
    await work.succeed("transcode");
    const job = await work.untilState(id, "succeeded", "failed");
    expect([work.runner.begun, attempts(job)]).toEqual([
      ["measure", "transcode"],
      [2, 1, 2],
    ]);
    const [done, lost = ""] = lastNotes(job) ?? [];
    expect(done).toBe("1 of 3 steps was already done.");
    expect(lost).toStartWith("“Measure the loudness” runs again: its result was damaged (");
    expect(lost).toContain(`${file} ${words}`);
    await work.worker.stop();
  }
});

test("another ffmpeg or another way to prove outputs makes all of it anew", async () => {
  for (const [version, verify] of [
    ["9.0", "quick"],
    ["7.1", "full"],
  ] as const) {
    await work.start();
    const id = await almostDone();
    await work.worker.stop();
    work.database.query("UPDATE job SET verify = ? WHERE id = ?").run(verify, id);
    await work.start({ version });
    for (const step of ["measure", "try", "transcode"]) await work.succeed(step);
    const job = await work.untilState(id, "succeeded", "failed");
    expect(attempts(job)).toEqual([2, 2, 2]);
    expect(lastNotes(job)?.[0]).toBe(
      "2 of its steps were done, and run again: the work, the ffmpeg or Kinomill is another one now.",
    );
    await work.worker.stop();
  }
});

test("cancelled and retried at once, the job begins from nothing, in a folder of its own", async () => {
  await work.start();
  const id = await almostDone();
  work.jobs.cancel(work.ann, id);
  work.jobs.retry(work.ann, id);
  for (const step of ["measure", "try", "transcode"]) await work.succeed(step);
  const job = await work.untilState(id, "succeeded", "failed");
  expect([job.error, attempts(job)]).toEqual([null, [2, 2, 2]]);
  expect(readdirSync(work.workFolder)).toEqual([]);
});

test("a start clears what nobody needs, and of what may go on all but the finished steps", async () => {
  await work.start({ cpuSlots: 8 });
  const [failed, stopped] = [await almostDone(), await almostDone()];
  const ends = [...work.runner.open].filter(({ request }) => request.jobFolder.endsWith(failed));
  for (const { end } of ends) end({ kind: "failed", report, fault: null });
  await work.untilState(failed, "failed");
  await work.worker.stop();
  const at = (...names: string[]) => join(work.workFolder, ...names);
  const strays = [newId("job"), `${failed}-3`, "gone-1-1"];
  for (const name of strays) mkdirSync(at(name, "transcode"), { recursive: true });
  for (const id of [failed, stopped]) mkdirSync(at(id, "transcode"), { recursive: true });
  await work.start();
  await until("strays are gone", () => strays.every((name) => !existsSync(at(name))));
  await until("half a step is gone", () => !existsSync(at(failed, "transcode")));
  expect(readdirSync(at(failed)).toSorted()).toEqual(["measure", "try"]);
  expect(readdirSync(at(stopped))).toContain("measure");
});

test("a day after it failed a job keeps nothing, and begins anew when it is retried", async () => {
  await work.start();
  const id = await almostDone();
  (await work.running("transcode")).end({ kind: "failed", report, fault: null });
  await work.untilState(id, "failed");
  await work.worker.stop();
  const longAgo = new Date(Date.now() - KEPT_AFTER_FAILURE_MS - 1000).toISOString();
  work.database.query("UPDATE job SET finished_at = ? WHERE id = ?").run(longAgo, id);
  await work.start();
  await until("it is cleared", () => !existsSync(join(work.workFolder, id)));
  expect(states(work.job(id))).toEqual(["done", "done", "failed"]);
  work.jobs.retry(work.ann, id);
  expect(states(work.job(id)).includes("done")).toBe(false);
  for (const step of ["measure", "try", "transcode"]) await work.succeed(step);
  expect((await work.untilState(id, "succeeded", "failed")).error).toBeNull();
});

test("where room is wanted, the job that failed first gives up its results first", async () => {
  await work.start();
  const ids: string[] = [];
  for (const _ of [1, 2]) {
    const id = await almostDone();
    (await work.running("transcode")).end({ kind: "failed", report, fault: null });
    await work.untilState(id, "failed");
    ids.push(id);
  }
  const there = () => ids.map((id) => existsSync(join(work.workFolder, id)));
  Object.defineProperty(work, "freeBytes", { get: () => (there()[0] ? 0 : 1e12) });
  const id = await work.submit("transcode", levelled);
  await work.running("measure");
  expect([there(), work.job(id).state]).toEqual([[false, true], "running"]);
});
