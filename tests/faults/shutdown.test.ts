/**
 * Promised: interrupted by a stop is no attempt, what was done is kept, and the next start works at once. Injected:
 * SIGTERM with five jobs running; a start with ten thousand jobs queued. Counted: states, attempts, processes, time.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api, type Json } from "../api.ts";
import { Appliance, eventually } from "../appliance.ts";
import { slowClip } from "../clips.ts";
import { ffmpegsIn } from "../support/ffmpegs.ts";
import { dieWithQueued, untilFirstClaim } from "../support/full-queue.ts";
import { everything } from "../support/long-form.ts";
import { brokenKinomill } from "./broken.ts";
import { note, roundsOf } from "./count.ts";
import { snapshot } from "./ledger.ts";

const LIMIT_MS = everything ? 2 * 3600_000 : 240_000;

const RUNNING = 5;
const environment = { KINOMILL_JOBS_CPU_SLOTS: String(RUNNING), KINOMILL_JOBS_DRAIN_SECONDS: "2" };

/** An encode that takes longer than the drain, and two texts that are done at once. */
const params = { ranges: [{ from: 0, to: 13.5 }], effort: "best" };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shutdown-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A server with so many jobs that encode, ended by SIGTERM, and the token of whose jobs they are. */
async function stopWithRunning(server: Appliance): Promise<{ token: string; jobs: Json[] }> {
  const token = await server.token("ann");
  const api = new Api(server.url, token);
  const asset = await api.add(slowClip());
  const jobs: Json[] = [];
  for (let count = 0; count < RUNNING; count += 1) {
    jobs.push(await api.start("clip", [asset.id], params));
  }
  await eventually("all of them encode", 120_000, async () => {
    return (await ffmpegsIn(server.folder)).length >= RUNNING;
  });
  const begun = performance.now();
  expect(await server.end("SIGTERM")).toBe(0);
  // Two seconds to drain, five for requests, and the ends of the processes on a busy machine.
  expect(performance.now() - begun).toBeLessThan(15_000);
  return { token, jobs };
}

/** How each attempt at a job ended, and how often a failure was counted. */
function endsIn(dataFolder: string): { outcome: string; failures: number }[] {
  using database = new Database(join(dataFolder, "kinomill.sqlite"), { readwrite: true });
  return database
    .query<{ outcome: string; failures: number }, []>(
      "SELECT outcome, failures FROM attempt JOIN job ON job.id = job_id",
    )
    .all();
}

const uncounted = { outcome: "interrupted", failures: 0 };

test(
  "SIGTERM with five jobs running ends within the limit, puts them back uncounted, keeps what was done",
  async () => {
    const rounds = roundsOf(1, 20);
    for (let round = 0; round < rounds; round += 1) {
      await using first = await Appliance.start({ environment });
      const { token, jobs } = await stopWithRunning(first);
      expect(await ffmpegsIn(first.folder)).toEqual([]);
      const { steps, jobs: rows } = snapshot(first.dataFolder);
      expect(rows.map(({ state }) => state)).toEqual(Array(RUNNING).fill("queued"));
      expect(endsIn(first.dataFolder)).toEqual(Array(RUNNING).fill(uncounted));
      const kept = steps.filter(({ state, result }) => state === "done" && result !== null);
      expect(kept.map(({ name }) => name)).toEqual(
        Array.from({ length: RUNNING }, () => ["annotations-json", "annotations-csv"]).flat(),
      );
      expect(steps.filter(({ state }) => state === "pending").length).toBe(RUNNING);
      await using second = await Appliance.start({ folder: first.folder, environment });
      const again = new Api(second.url, token);
      for (const { id } of jobs) {
        const { body } = await again.get(`/api/v1/jobs/${id}`);
        expect(body.attempts[0].outcome).toBe("interrupted");
        expect(body.attempt).toBeLessThanOrEqual(1);
        await again.post(`/api/v1/jobs/${id}/cancel`, {});
      }
    }
    note("shutdown", {
      ...{ rounds, acknowledged: rounds * (RUNNING + 1), lost: 0, doubled: 0, falsified: 0 },
      control: "a server that takes the interruption for a failure is seen to count it",
    });
  },
  LIMIT_MS,
);

test(
  "control: the harness sees it when an interruption is counted as a failure",
  async () => {
    const executable = await brokenKinomill(folder, [
      {
        file: "src/jobs/queue.ts",
        from: '{ outcome: "interrupted", error: null }',
        to: '{ outcome: "failed", error: null }',
      },
    ]);
    await using server = await Appliance.start({ environment, executable });
    await stopWithRunning(server);
    expect(endsIn(server.dataFolder)).not.toContainEqual(uncounted);
  },
  LIMIT_MS,
);

const QUEUED = 10_000;
/** What is promised on a quiet machine; the suite itself shares the machine with other tests. */
const FIRST_CLAIM_MS = everything ? 1_000 : 5_000;

test("with ten thousand jobs queued the first is claimed soon after the start", async () => {
  await using first = await Appliance.start();
  await dieWithQueued(first, QUEUED);
  const tookMs = await untilFirstClaim(first.folder);
  console.log(`first claim ${tookMs} ms after the start, ${QUEUED} queued`);
  expect(tookMs).toBeLessThan(FIRST_CLAIM_MS);
}, 180_000);
