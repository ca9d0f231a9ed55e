/** The queues that ours is compared with, each as it is used, with empty jobs. */
import { Database } from "bun:sqlite";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const modules = join(import.meta.dir, "peers/node_modules");

/** As much of plainjob as is used here. */
interface Plainjob {
  bun(database: Database): { pragma(statement: string): void };
  defineQueue(options: { connection: unknown; logger: unknown }): {
    add(type: string, data: unknown): { id: number };
    getAndMarkJobAsProcessing(type: string): { id: number } | undefined;
    markJobAsDone(id: number): void;
    close(): void;
  };
}

/** As much of BullMQ as is used here. */
interface BullMq {
  Queue: new (
    name: string,
    options: object,
  ) => { add(name: string, data: object): Promise<unknown>; close(): Promise<void> };
  Worker: new (
    name: string,
    work: () => Promise<void>,
    options: object,
  ) => {
    on(event: "completed", listener: () => void): void;
    close(): Promise<void>;
  };
}

/** As much of ioredis as is used here. */
interface Ioredis {
  default: new (port: number, host: string, options: object) => { disconnect(): void };
}

export function peersInstalled(): boolean {
  return existsSync(join(modules, "plainjob"));
}

/** Jobs per second, asked for one after another and then worked off one after another. */
export async function plainjob(jobs: number, synchronous: "FULL" | "default"): Promise<number> {
  const library = (await import(join(modules, "plainjob/dist/plainjob.js"))) as Plainjob;
  const folder = mkdtempSync(join(tmpdir(), "plainjob-"));
  const connection = library.bun(new Database(join(folder, "queue.db"), { strict: true }));
  const silent = { error() {}, warn() {}, info() {}, debug() {} };
  const queue = library.defineQueue({ connection, logger: silent });
  if (synchronous === "FULL") connection.pragma("synchronous = FULL");
  const started = performance.now();
  for (let n = 0; n < jobs; n += 1) queue.add("empty", {});
  for (let n = 0; n < jobs; n += 1) {
    const job = queue.getAndMarkJobAsProcessing("empty");
    if (job === undefined) throw new Error("plainjob lost a job");
    queue.markJobAsDone(job.id);
  }
  const seconds = (performance.now() - started) / 1000;
  queue.close();
  rmSync(folder, { recursive: true });
  return jobs / seconds;
}

const REDIS_PORT = 17603;
const START_LIMIT_MS = 10_000;

/** Jobs per second with BullMQ on a Redis that syncs before it answers. */
export function bullmq(jobs: number): Promise<number> {
  return onRedis((library) => workOff(library, jobs));
}

/** Milliseconds from asking BullMQ on such a Redis for a job to the begin of its work, with an idle worker. */
export function bullmqPickUps(rounds: number, pauseMs: number): Promise<number[]> {
  return onRedis((library) => pickUps(library, rounds, pauseMs));
}

async function onRedis<T>(work: (library: BullMq) => Promise<T>): Promise<T> {
  const library = (await import(join(modules, "bullmq/dist/esm/index.js"))) as BullMq;
  const folder = mkdtempSync(join(tmpdir(), "bullmq-"));
  const listen = ["--port", String(REDIS_PORT), "--bind", "127.0.0.1", "--dir", folder];
  const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
  const redis = Bun.spawn(["redis-server", ...listen, ...durable], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  try {
    await redisAnswers();
    return await work(library);
  } finally {
    redis.kill();
    await redis.exited;
    rmSync(folder, { recursive: true });
  }
}

async function redisAnswers(): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (performance.now() < deadline) {
    const socket = await Bun.connect({
      ...{ hostname: "127.0.0.1", port: REDIS_PORT },
      socket: { data() {} },
    }).catch(() => null);
    if (socket !== null) {
      socket.end();
      return;
    }
    await Bun.sleep(20);
  }
  throw new Error("redis-server does not answer");
}

/** A queue, and a worker for it; each has a connection of its own, for the worker's waits for jobs. */
async function opened(
  { Queue, Worker }: BullMq,
  work: () => Promise<void>,
): Promise<{
  queue: InstanceType<BullMq["Queue"]>;
  worker(): InstanceType<BullMq["Worker"]>;
  close(): Promise<void>;
}> {
  const { default: Redis } = (await import(join(modules, "ioredis/built/index.js"))) as Ioredis;
  const connect = () => new Redis(REDIS_PORT, "127.0.0.1", { maxRetriesPerRequest: null });
  const connections = [connect(), connect()];
  const queue = new Queue("empty", { connection: connections[0] });
  let worker: InstanceType<BullMq["Worker"]> | null = null;
  return {
    queue,
    worker: () => {
      worker = new Worker("empty", work, { connection: connections[1], concurrency: 1 });
      return worker;
    },
    close: async () => {
      await worker?.close();
      await queue.close();
      for (const each of connections) each.disconnect();
    },
  };
}

async function workOff(library: BullMq, jobs: number): Promise<number> {
  const { queue, worker, close } = await opened(library, async () => {});
  const started = performance.now();
  for (let n = 0; n < jobs; n += 1) await queue.add("empty", {});
  const { promise, resolve } = Promise.withResolvers<void>();
  let done = 0;
  worker().on("completed", () => {
    done += 1;
    if (done === jobs) resolve();
  });
  await promise;
  const seconds = (performance.now() - started) / 1000;
  await close();
  return jobs / seconds;
}

async function pickUps(library: BullMq, rounds: number, pauseMs: number): Promise<number[]> {
  const measured: number[] = [];
  let asked = 0;
  const { queue, worker, close } = await opened(library, async () => {
    measured.push(performance.now() - asked);
  });
  let completed: () => void = () => {};
  worker().on("completed", () => completed());
  for (let round = 0; round < rounds; round += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    completed = resolve;
    asked = performance.now();
    await queue.add("empty", {});
    await promise;
    await Bun.sleep(pauseMs);
  }
  await close();
  return measured;
}
