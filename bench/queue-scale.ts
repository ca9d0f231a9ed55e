/** The queue with many jobs in it: ten thousand that wait, a million that have finished. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/clock.ts";
import { type Database, openDatabase } from "../src/database/open.ts";
import { newId } from "../src/identity.ts";
import { type JobFilter, listJobs } from "../src/jobs/finding.ts";
import { Queue } from "../src/jobs/queue.ts";
import { SteeredWork } from "../tests/support/steered-work.ts";
import { type Extent, type Figure, median, milliseconds, percentile } from "./figure.ts";
import { queueRestart } from "./queue-restart.ts";

const QUEUED = 10_000;

/** Names of the columns that a finished job has another value in than a queued one. */
export const finished = {
  state: "'succeeded'",
  fence: "1",
  started_at: "'2026-01-01T00:00:00.000Z'",
  finished_at: "'2026-01-01T00:01:00.000Z'",
  device: "iif(seq % 3 = 0, 'gpu:0', 'cpu')",
};

interface Store {
  database: Database;
  queue: Queue;
  ownerId: string;
  close(): void;
}

/** A database with so many jobs that have finished, and behind them those that wait. */
function fill(finishedJobs: number): Store {
  const folder = mkdtempSync(join(tmpdir(), "scale-"));
  const database = openDatabase(folder);
  database.run("PRAGMA synchronous = OFF");
  const ownerId = newId("user");
  database
    .query(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, 'ann', 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
    )
    .run(ownerId);
  insert(database, ownerId, { from: 1, count: finishedJobs, values: finished });
  insert(database, ownerId, { from: finishedJobs + 1, count: QUEUED, values: {} });
  database.run(
    `INSERT INTO job_search (rowid, text) SELECT seq, title || ' ' || labels FROM job;
     UPDATE job_search_mark SET seq = (SELECT max(seq) FROM job);`,
  );
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  const close = () => {
    database.close();
    rmSync(folder, { recursive: true });
  };
  return { database, queue: new Queue(database, systemClock), ownerId, close };
}

/** So many jobs that differ in these columns, numbered from `from` on. */
export function insert(
  database: Database,
  ownerId: string,
  { from, count, values }: { from: number; count: number; values: Record<string, string> },
): void {
  const names = Object.keys(values).map((name) => `, ${name}`);
  const given = Object.values(values).map((value) => `, ${value}`);
  database
    .query(
      `WITH RECURSIVE n (seq) AS (SELECT ?2 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?2 + ?3 - 1)
       INSERT INTO job (id, owner_id, operation, title, params, labels, created_at, seq, rank
         ${names.includes(", state") ? "" : ", state"}${names.join("")})
       SELECT printf('jb_%032x', seq), ?1, iif(seq % 5 = 0, 'thumbnails', 'transcode'),
         'Transcode: holiday ' || seq || ' final.mov', '{}', json_object('ticket', seq % 1000),
         '2026-01-01T00:00:00.000Z', seq, seq ${names.includes(", state") ? "" : ", 'queued'"}${given.join("")}
       FROM n`,
    )
    .run(ownerId, from, count);
  database.run(
    `INSERT OR IGNORE INTO job_label (owner_id, name, value, seq)
     SELECT owner_id, 'ticket', labels ->> 'ticket', seq FROM job WHERE seq >= ${from}`,
  );
}

/** Milliseconds for each claim of the next job. */
function claimTimes({ queue }: Store, count: number): number[] {
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const started = performance.now();
    const claim = queue.claimNext({ id: "cpu" });
    times.push(performance.now() - started);
    if (claim === null) throw new Error("nothing to claim");
  }
  return times;
}

const filters: Partial<JobFilter>[] = [
  {},
  { states: ["queued", "waiting", "running"] },
  { states: ["queued"] },
  { states: ["failed"] },
  { states: ["succeeded"] },
  { operation: "thumbnails" },
  { device: "gpu:0", operation: "transcode" },
  { labels: [["ticket", "42"]] },
  { labels: [["ticket", "42"]], text: "777042" },
  { text: "holiday 123456" },
  { text: "holiday" },
  { text: "final.mov", states: ["queued"] },
  { text: "no such words" },
];

function listTimes({ database, ownerId }: Store, rounds: number): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const filter of filters) {
      const name = JSON.stringify(filter);
      const started = performance.now();
      listJobs(database, { ownerId, limit: 50, after: null, ...filter });
      times.set(name, [...(times.get(name) ?? []), performance.now() - started]);
    }
  }
  return times;
}

/** Milliseconds for calls that ask for a thousand jobs each. */
async function bulkTimes(rounds: number): Promise<number[]> {
  const work = new SteeredWork();
  work.database.run("PRAGMA synchronous = FULL");
  await work.start({ cpuSlots: 1 });
  const first = await work.submit("thumbnails", {});
  const [input = ""] = work.job(first).inputs;
  const request = { operation: "thumbnails", inputs: [input], params: {} };
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    work.database.run("DELETE FROM job");
    const started = performance.now();
    await work.jobs.submitMany(work.ann, Array(1000).fill(request), null);
    times.push(performance.now() - started);
  }
  await work.close();
  return times;
}

export async function queueScale(extent: Extent): Promise<Figure[]> {
  const { quick } = extent;
  const many = quick ? 20_000 : 1_000_000;
  const few = fill(1_000);
  const fewClaims = claimTimes(few, 500);
  few.close();
  const full = fill(many);
  const fullClaims = claimTimes(full, 500);
  const lists = listTimes(full, quick ? 3 : 50);
  full.close();
  const slowest = [...lists].toSorted(([, a], [, b]) => percentile(b, 99) - percentile(a, 99))[0];
  const [slowestName, slowestTimes] = slowest ?? ["", []];
  const bulk = await bulkTimes(quick ? 2 : 9);
  const restart = await queueRestart(extent);
  const finishedText = `${many.toLocaleString("en")} finished`;
  return [
    {
      what: `a claim with ${QUEUED.toLocaleString("en")} queued and ${finishedText}, median`,
      ours: milliseconds(median(fullClaims)),
      other: `${milliseconds(median(fewClaims))}, with 1,000 finished`,
      value: median(fullClaims) / median(fewClaims),
      target: { atMost: 1.5 },
    },
    {
      what: `the slowest of ${filters.length} lists and searches with as many, p99 in ms`,
      ours: `${milliseconds(percentile(slowestTimes, 99))} (${slowestName}; median ${milliseconds(median(slowestTimes))})`,
      other: null,
      value: percentile(slowestTimes, 99),
      target: { atMost: 50 },
    },
    {
      what: "1,000 jobs in one call, median in ms",
      ours: `${milliseconds(median(bulk))} (worst ${milliseconds(Math.max(...bulk))})`,
      other: null,
      value: median(bulk),
      target: { atMost: 300 },
    },
    restart,
  ];
}
