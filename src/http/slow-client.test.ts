/** Event streams over a real socket: who does not read is dropped, and costs the others and the server nothing. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { until } from "../../tests/support/processes.ts";
import { type Send, Streams } from "./stream.ts";
import type { Visit } from "./visit.ts";

const MESSAGE = "x".repeat(64 * 1024);

/** What the kernel holds for a client that does not read, on loopback some 4 MB, and what we hold besides. */
const DROPPED_AFTER_BYTES_MAX = 32 * 1024 ** 2;

const visit: Visit = {
  ...{ id: "rq_1", path: "/", method: "GET", credential: { kind: "none" } },
  ...{
    answer: null,
    route: null,
    idWasSent: false,
    takesFile: false,
    failure: null,
    peer: () => "127.0.0.1",
    ...{ host: "localhost", tls: false, base: "" },
    allowSilence: () => undefined,
  },
  user: { id: "us_1", name: "ann", role: "member", createdAt: "" },
};

let streams: Streams;
let server: Bun.Server<undefined>;
let sends: Send[];
let ended: number;

beforeEach(() => {
  streams = new Streams();
  sends = [];
  ended = 0;
  const open = () =>
    streams.open(
      visit,
      () => true,
      (send) => {
        sends.push(send);
        return () => {
          ended += 1;
        };
      },
    );
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch: open });
});

afterEach(async () => {
  streams.closeAll();
  await server.stop(true);
});

/** A client that reads all that comes, or stops at the first byte. */
async function connect(reads: boolean) {
  const client = { receivedBytes: 0, close: () => {} };
  const before = sends.length;
  const socket = await Bun.connect({
    ...{ hostname: "127.0.0.1", port: server.port ?? 0 },
    socket: {
      open: (opened) => void opened.write("GET / HTTP/1.1\r\nHost: kinomill\r\n\r\n"),
      data: (from, bytes) => {
        client.receivedBytes += bytes.byteLength;
        if (!reads) from.pause();
      },
    },
  });
  client.close = () => socket.end();
  await until("the stream is open", () => (sends.length > before ? true : null));
  return client;
}

/** Sends to all as long as `more` says so; the bytes that each was sent. */
async function sendWhile(more: (sentBytes: number) => boolean): Promise<number> {
  let sentBytes = 0;
  while (more(sentBytes)) {
    for (const send of sends) send({ data: MESSAGE });
    sentBytes += MESSAGE.length;
    await Bun.sleep(0);
  }
  return sentBytes;
}

test("a client that does not read is dropped; one beside it that reads misses nothing", async () => {
  const reader = await connect(true);
  const sleeper = await connect(false);
  const before = process.memoryUsage.rss();
  const sentBytes = await sendWhile((sent) => streams.count > 1 && sent < DROPPED_AFTER_BYTES_MAX);
  expect([streams.count, ended]).toEqual([1, 1]);
  // It waited for nobody: what the sleeper did not take is not kept.
  expect(process.memoryUsage.rss() - before).toBeLessThan(DROPPED_AFTER_BYTES_MAX);
  await until("all of it arrives", () => (reader.receivedBytes > sentBytes ? true : null));
  expect(sleeper.receivedBytes).toBeLessThan(sentBytes);
  sleeper.close();
  // It may come again, and is told how things are.
  const again = await connect(true);
  sends.at(-1)?.({ data: MESSAGE });
  await until("it hears again", () => (again.receivedBytes > MESSAGE.length ? true : null));
  expect(streams.count).toBe(2);
  reader.close();
  again.close();
});

test("control: one that reads is not dropped by ten times as much", async () => {
  const reader = await connect(true);
  const sentBytes = await sendWhile((sent) => sent < 10 * 4 * 1024 ** 2);
  await until("all of it arrives", () => (reader.receivedBytes > sentBytes ? true : null));
  expect([streams.count, ended]).toEqual([1, 0]);
  reader.close();
});
