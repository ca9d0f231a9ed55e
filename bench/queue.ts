/** The queue by itself: empty jobs, durable, next to other queues on the same disk. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/clock.ts";
import { makeLogRoom } from "../src/database/log-room.ts";
import { openDatabase } from "../src/database/open.ts";
import { newId } from "../src/identity.ts";
import type { Asker, NewJob } from "../src/jobs/asks.ts";
import { type Claim, Queue } from "../src/jobs/queue.ts";
import { SteeredWork } from "../tests/support/steered-work.ts";
import { type Extent, type Figure, median, milliseconds } from "./figure.ts";
import { bullmq, bullmqPickUps, peersInstalled, plainjob } from "./peers.ts";

/** Who asks and who works at the same time, where it is more than one. */
const AT_ONCE = 16;

/** A worker is idle, and the disk too. */
const PAUSE_MS = 20;

const device = { id: "cpu" };

function emptyJob(): NewJob {
  return {
    ...{ id: newId("job"), operation: "empty", title: "Empty: nothing", params: {}, inputIds: [] },
    ...{ labels: {}, priority: 0, need: "cpu", notes: [], steps: [], verify: null, anew: false },
    ...{ after: [], notBefore: null, idempotency: null, batch: null },
  };
}

/** Runs `work` on a queue of its own in a new database, as the server opens it, with the log that it makes room for. */
async function onQueue<T>(work: (queue: Queue, asker: Asker) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "queue-"));
  const database = openDatabase(folder);
  try {
    await makeLogRoom(database, folder);
    const asker = { id: newId("user"), name: "bench" };
    database
      .query(
        "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, ?, 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
      )
      .run(asker.id, asker.name);
    return await work(new Queue(database, systemClock), asker);
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
}

/**
 * Jobs per second: all are asked for, each acknowledged when it is durable, then all are worked off.
 * @param atOnce askers, and then workers, that go on without waiting for each other
 */
function ours(jobs: number, atOnce: number): Promise<number> {
  return onQueue(async (queue, asker) => {
    const started = performance.now();
    await together(atOnce, jobs, async () => {
      await queue.commits.run(() => queue.asks.insert(asker, emptyJob()));
      return true;
    });
    await together(atOnce, jobs, worker(queue));
    return jobs / ((performance.now() - started) / 1000);
  });
}

/** One that ends its last job and claims its next in one transaction. */
function worker(queue: Queue): (held: { claim: Claim | null }) => Promise<boolean> {
  return async (held) => {
    const { claim } = held;
    held.claim = await queue.commits.run(() => {
      if (claim !== null) queue.succeed(claim, () => {});
      return queue.claimNext(device);
    });
    return held.claim !== null;
  };
}

/** So many loops of `turn` beside each other, until each of them has nothing left to do. */
async function together(
  count: number,
  turns: number,
  turn: (held: { claim: Claim | null }) => Promise<boolean>,
): Promise<void> {
  let left = turns + count;
  const loop = async () => {
    const held = { claim: null };
    while (left > 0) {
      left -= 1;
      if (!(await turn(held))) return;
    }
  };
  await Promise.all(Array.from({ length: count }, loop));
}

/**
 * Milliseconds from asking for a job of a real file to its claim, which is durable then, and to the begin of its run,
 * on a box where nothing else is to do.
 */
async function untilPickedUp(rounds: number): Promise<{ claimed: number[]; running: number[] }> {
  const work = new SteeredWork();
  work.database.run("PRAGMA synchronous = FULL");
  await makeLogRoom(work.database, work.folder);
  await work.start({ cpuSlots: 1 });
  const first = await work.submit("thumbnails", {});
  const [input] = work.job(first).inputs;
  work.jobs.cancel(work.ann, first);
  await work.untilState(first, "cancelled");
  const measured = { claimed: [] as number[], running: [] as number[] };
  let started = 0;
  let isClaimed = true;
  // What follows from the commit of a claim begins with telling of it.
  const announce = work.jobs.announce.bind(work.jobs);
  work.jobs.announce = (jobId) => {
    if (!isClaimed) measured.claimed.push(performance.now() - started);
    isClaimed = true;
    announce(jobId);
  };
  const begin = work.runner.run.bind(work.runner);
  let began: () => void = () => {};
  work.runner.run = (request) => {
    measured.running.push(performance.now() - started);
    began();
    return begin(request);
  };
  for (let round = 0; round < rounds; round += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    began = resolve;
    const request = { operation: "thumbnails", inputs: [input ?? ""], params: {} };
    isClaimed = false;
    started = performance.now();
    const { job } = await work.jobs.submit(work.ann, request, null);
    await promise;
    work.jobs.cancel(work.ann, job.id);
    await work.untilState(job.id, "cancelled");
  }
  await work.close();
  return measured;
}

/** Ours and theirs in turn, so that a machine which becomes busier counts for both. */
async function inTurn(
  rounds: number,
  first: () => Promise<number>,
  second: () => Promise<number>,
): Promise<{ ours: number; theirs: number; ratio: number }> {
  const pairs: [number, number][] = [];
  for (let round = 0; round < rounds; round += 1) pairs.push([await first(), await second()]);
  return {
    ours: median(pairs.map(([mine]) => mine)),
    theirs: median(pairs.map(([, other]) => other)),
    ratio: median(pairs.map(([mine, other]) => mine / other)),
  };
}

const perSecond = (value: number) => `${Math.round(value)}/s`;

export async function queue({ quick }: Extent): Promise<Figure[]> {
  if (!peersInstalled()) throw new Error("the other queues are missing: script/bootstrap --bench");
  const jobs = quick ? 100 : 1_000;
  const rounds = quick ? 1 : 5;
  const compared = async (
    what: string,
    other: string,
    atOnce: number,
    least: number,
    theirs: () => Promise<number>,
  ): Promise<Figure> => {
    const found = await inTurn(rounds, () => ours(jobs, atOnce), theirs);
    return {
      what,
      ours: perSecond(found.ours),
      other: `${perSecond(found.theirs)}, ${other}`,
      value: found.ratio,
      target: { atLeast: least },
    };
  };
  const pickUps = quick ? 10 : 200;
  const picked = await untilPickedUp(pickUps);
  const theirs = await bullmqPickUps(pickUps, PAUSE_MS);
  return [
    await compared("empty jobs, durable, one after another", "plainjob set to FULL", 1, 1.2, () =>
      plainjob(jobs, "FULL"),
    ),
    await compared("the same", "BullMQ on Redis with appendfsync always", 1, 1, () => bullmq(jobs)),
    await compared(
      `empty jobs, durable, ${AT_ONCE} askers and ${AT_ONCE} workers`,
      "plainjob as it comes, not durable",
      AT_ONCE,
      1,
      () => plainjob(jobs, "default"),
    ),
    {
      what: "a job from being asked for to being claimed by an idle worker, median in ms",
      ours: `${milliseconds(median(picked.claimed))} (worst ${milliseconds(Math.max(...picked.claimed))}); its run begins after ${milliseconds(median(picked.running))}`,
      other: `${milliseconds(median(theirs))}, BullMQ on the same Redis`,
      value: median(picked.claimed),
      target: { atMost: 3 },
    },
  ];
}
