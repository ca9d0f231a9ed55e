/** The newest lines of the log: what is kept, what is found, and that no secret comes in. */
import { expect, test } from "bun:test";
import { logOf, openLog } from "./log.ts";
import { LOG_RECORDS_MAX, type LogRecord, LogRing } from "./log-ring.ts";

const at = "2026-11-29T12:00:00.000Z";

function push(ring: LogRing, said: Record<string, unknown>): void {
  ring.push(JSON.stringify({ level: "info", time: at, service: "kinomill", msg: "job", ...said }));
}

const messages = (records: readonly LogRecord[]) => records.map(({ message }) => message);

test("a line has its level, part, message and facts, and no noise", () => {
  const ring = new LogRing("run");
  push(ring, { level: "warn", part: "jobs", job: "jb_1", state: "failed", msg: "ended" });
  ring.push("not JSON");
  ring.push('{"level":"shout","time":"x"}');
  expect(ring.newest({}, 10)).toEqual([
    {
      ...{ id: "run-1", at, level: "warn", part: "jobs", message: "ended" },
      facts: { job: "jb_1", state: "failed" },
    },
  ]);
  expect(ring.parts()).toEqual(["jobs"]);
});

test("the filters", () => {
  const ring = new LogRing("run");
  push(ring, { msg: "one", level: "debug" });
  push(ring, { msg: "two", part: "jobs", job: "jb_1" });
  push(ring, { msg: "three", part: "http", request: "rq_1", level: "error", path: "/Ümlaut" });
  const found = (filter: Parameters<LogRing["newest"]>[0]) => messages(ring.newest(filter, 10));
  expect(found({})).toEqual(["one", "two", "three"]);
  expect(found({ level: "info" })).toEqual(["two", "three"]);
  expect(found({ level: "warn" })).toEqual(["three"]);
  expect(found({ part: "jobs" })).toEqual(["two"]);
  expect(found({ part: "server" })).toEqual(["one"]);
  expect(found({ job: "jb_1" })).toEqual(["two"]);
  expect(found({ request: "rq_1" })).toEqual(["three"]);
  expect(found({ text: "ümlaut" })).toEqual(["three"]);
  expect(found({ text: "TW" })).toEqual(["two"]);
  expect(found({ text: "two", part: "http" })).toEqual([]);
});

test("older ones, and what came since; a line of another run says nothing", () => {
  const ring = new LogRing("run");
  for (const msg of ["1", "2", "3", "4"]) push(ring, { msg });
  expect(messages(ring.newest({}, 2))).toEqual(["3", "4"]);
  expect(messages(ring.newest({}, 2, "run-3"))).toEqual(["1", "2"]);
  expect(messages(ring.newest({}, 2, "old-3"))).toEqual(["3", "4"]);
  expect(messages(ring.since({}, "run-2", 10))).toEqual(["3", "4"]);
  expect(messages(ring.since({}, "old-2", 3))).toEqual(["2", "3", "4"]);
});

test("neither many lines nor long ones fill the memory", () => {
  const ring = new LogRing("run");
  for (let count = 0; count < LOG_RECORDS_MAX + 50; count += 1) push(ring, { msg: String(count) });
  const all = messages(ring.newest({}, 10_000));
  expect([all.length, all[0]]).toEqual([LOG_RECORDS_MAX, "50"]);
  for (let count = 0; count < 1_000; count += 1) push(ring, { err: { stack: "x".repeat(15_000) } });
  const left = ring.newest({}, 10_000);
  expect(JSON.stringify(left).length).toBeLessThan(5 * 1024 ** 2);
  push(ring, { job: "jb_1", err: { stack: "x".repeat(100_000) }, msg: "long" });
  expect(ring.newest({}, 1)[0]).toMatchObject({
    ...{ message: "long", facts: { job: "jb_1", shortened: true } },
  });
});

test("who follows hears of each line until it has enough", () => {
  const ring = new LogRing("run");
  const heard: string[] = [];
  const unfollow = ring.follow(({ message }) => heard.push(message));
  push(ring, { msg: "a" });
  unfollow();
  push(ring, { msg: "b" });
  expect(heard).toEqual(["a"]);
});

test("the ring has what the log prints: secrets are taken out of both", () => {
  const ring = new LogRing("run");
  const log = logOf(openLog("info", { terminal: false, ring }), "http");
  const canary = "kmt_canary-canary";
  log.info({ token: canary, user: { password: canary }, about: { secret: canary } }, "a test");
  log.debug("too little to be told");
  const [record, ...more] = ring.newest({}, 10);
  expect(more).toEqual([]);
  expect(record).toMatchObject({ part: "http", message: "a test", level: "info" });
  expect(JSON.stringify(record)).not.toContain("canary");
  expect(record?.facts["token"]).toBe("[redacted]");
});
