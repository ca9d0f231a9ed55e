/** Errors to a receiver of the Sentry protocol: what arrives, what does not, and that nothing waits for it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import pino from "pino";
import { ManualClock } from "../clock.ts";
import type { LogRecord } from "../log-ring.ts";
import { ErrorReports, receiverOf } from "./error-reports.ts";

interface Got {
  path: string;
  headers: Headers;
  lines: Record<string, never>[];
  text: string;
}

const got: Got[] = [];
let answer: (request: Request) => Response | Promise<Response>;
let server: Bun.Server<undefined>;

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    fetch: async (request) => {
      const text = await request.text();
      const lines = text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      got.push({ path: new URL(request.url).pathname, headers: request.headers, lines, text });
      return answer(request);
    },
  });
});
afterAll(() => server.stop(true));
beforeEach(() => {
  got.length = 0;
  answer = () => new Response("{}");
});

const key = "CANARYkey0123456789";
const record = (more: Partial<LogRecord> = {}): LogRecord => ({
  ...{ id: "x-1", at: "2026-01-01T00:00:00.000Z", level: "error", part: "jobs" },
  ...{ message: "a job met an error of ours", facts: {} },
  ...more,
});

function open(more: { answerLimitMs?: number; dsn?: string } = {}) {
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const dsn = more.dsn ?? `http://${key}@127.0.0.1:${server.port}/sub/7`;
  const reports = new ErrorReports({
    ...{ receiver: receiverOf(dsn), clock, log, secrets: ["CANARYsecret"] },
    answerLimitMs: more.answerLimitMs ?? 5_000,
  });
  return { reports, clock, lines };
}

test("a DSN is read, and what is none is refused without being repeated", () => {
  expect(receiverOf("https://abc@errors.example.com/7")).toEqual({
    url: "https://errors.example.com/api/7/envelope/",
    key: "abc",
  });
  expect(receiverOf("https://abc@e.example:8443/a/b/12").url).toBe(
    "https://e.example:8443/a/b/api/12/envelope/",
  );
  for (const dsn of [
    "CANARY",
    "https://e.example/7",
    "https://CANARY@e.example/x",
    "ftp://CANARY@e.example/7",
  ]) {
    expect(() => receiverOf(dsn)).toThrow("log.errorDsn is not the DSN");
    expect(() => receiverOf(dsn)).not.toThrow("CANARY");
  }
});

describe("an error", () => {
  test("arrives as an event, with its stack and where it was", async () => {
    const { reports } = open();
    const stack =
      "Error: broken\n    at inner (/src/a.ts:3:7)\n    at async outer (/node_modules/b.ts:9:1)";
    const facts = { err: { type: "TypeError", message: "broken", stack }, job: "jb_1" };
    reports.take(record({ facts }));
    await reports.close(10_000);
    expect(got).toHaveLength(1);
    const [{ path, headers, lines }] = got as [Got];
    expect(path).toBe("/sub/api/7/envelope/");
    expect(headers.get("content-type")).toBe("application/x-sentry-envelope");
    expect(headers.get("x-sentry-auth")).toContain(`sentry_key=${key}`);
    const [head, item, event] = lines as unknown as Record<string, unknown>[];
    expect(head?.["event_id"]).toMatch(/^[0-9a-f]{32}$/);
    expect(item?.["type"]).toBe("event");
    expect(item?.["length"]).toBe(Buffer.byteLength(JSON.stringify(event)));
    expect(event).toMatchObject({
      ...{ level: "error", logger: "jobs", extra: { job: "jb_1" } },
      logentry: { formatted: "a job met an error of ours" },
      exception: { values: [{ type: "TypeError", value: "broken" }] },
    });
    const { frames } = (
      event as never as {
        exception: { values: [{ stacktrace: { frames: { lineno: number }[] } }] };
      }
    ).exception.values[0].stacktrace;
    expect(frames.map(({ lineno }) => lineno)).toEqual([9, 3]);
  });

  test("says no secret, no address and no fact that may name somebody", async () => {
    const { reports } = open();
    const facts = {
      err: {
        message:
          "CANARYsecret kmt_CANARY0123456789 ann@mail.example 203.0.113.9 https://x.example/?sig=CANARY",
      },
      ...{ name: "CANARYfilm.mp4", url: "https://CANARY.example/", peer: "203.0.113.9" },
    };
    reports.take(record({ facts }));
    await reports.close(10_000);
    expect(got).toHaveLength(1);
    expect(got[0]?.text).not.toMatch(/CANARY|203\.0\.113|mail\.example/);
  });

  test("is one: warnings and all below stay here", async () => {
    const { reports } = open();
    for (const level of ["warn", "info", "debug", "trace"] as const)
      reports.take(record({ level }));
    await reports.close(1_000);
    expect(got).toEqual([]);
  });
});

describe("a receiver", () => {
  test("that hangs is waited for until the limit, and what comes meanwhile is bounded", async () => {
    answer = () => new Promise(() => undefined);
    const { reports, lines } = open({ answerLimitMs: 50 });
    for (let count = 0; count < 1_000; count += 1) reports.take(record());
    await reports.close(10_000);
    expect(got).toHaveLength(1);
    expect(lines.filter((line) => line.includes("does not answer"))).toHaveLength(1);
  });

  test("that has enough is left alone for as long as it says", async () => {
    answer = () => new Response("", { status: 429, headers: { "retry-after": "120" } });
    const { reports, clock, lines } = open();
    const sent = async (count: number) => {
      reports.take(record());
      const deadline = performance.now() + 10_000;
      while (
        (reports as never as { sending: unknown }).sending !== null &&
        performance.now() < deadline
      )
        await Bun.sleep(1);
      expect(got).toHaveLength(count);
    };
    await sent(1);
    clock.advance(100_000);
    await sent(1);
    clock.advance(30_000);
    answer = () => new Response("{}");
    await sent(2);
    expect(lines.filter((line) => line.includes("429"))).toHaveLength(1);
    await reports.close(1_000);
  });

  test("that is not there, or leads elsewhere, stops nothing", async () => {
    const gone = open({ dsn: `http://${key}@127.0.0.1:9/7` });
    gone.reports.take(record());
    await gone.reports.close(10_000);
    expect(gone.lines.join("")).toContain("does not answer");
    expect(gone.lines.join("")).not.toContain(key);
    answer = () =>
      new Response(null, { status: 307, headers: { location: "http://127.0.0.1:9/" } });
    const elsewhere = open();
    elsewhere.reports.take(record());
    await elsewhere.reports.close(10_000);
    expect(got).toHaveLength(1);
  });

  test("gets no more in an hour than makes sense", async () => {
    const { reports, clock } = open();
    for (let round = 0; round < 30; round += 1) {
      for (let count = 0; count < 10; count += 1) reports.take(record());
      const deadline = performance.now() + 10_000;
      while (
        (reports as never as { sending: unknown }).sending !== null &&
        performance.now() < deadline
      )
        await Bun.sleep(1);
    }
    expect(got).toHaveLength(200);
    clock.advance(3_700_000);
    reports.take(record());
    await reports.close(10_000);
    expect(got).toHaveLength(201);
  });
});
