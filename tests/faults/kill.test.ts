/**
 * Promised: kill -9 at any moment loses, doubles and falsifies nothing, and what was done is not done again.
 * Injected: SIGKILL at random moments while jobs of several steps run. Counted: jobs, steps, attempts, outputs, bytes.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api, type Json } from "../api.ts";
import { Appliance, eventually } from "../appliance.ts";
import { plainClip } from "../clips.ts";
import { everything } from "../support/long-form.ts";
import { brokenKinomill } from "./broken.ts";
import { note } from "./count.ts";
import { AttemptLedger, falsified, objectsOf, type Snapshot, snapshot } from "./ledger.ts";

/** Kills that a release has to stand; `script/test` tries some of them. */
const KILLS = everything ? 1_000 : 25;

/** One kill in the usual run takes a start of the server and a part of a step: less than a second. */
const LIMIT_MS = everything ? 6 * 3600_000 : 600_000;

/** For a job that is run again at the end, on a busy machine. */
const REST_LIMIT_MS = 30_000;

/** Four pieces side by side and two texts; then a chain of three steps. */
const clips = {
  ranges: [0, 0.5, 1, 1.5].map((from) => ({ from, to: from + 0.5, name: `at ${from}` })),
};
const levelled = { audio: { loudness: -16 }, video: { codec: "h264", quality: 50 } };
const batch = [
  { operation: "clip", params: clips, outputs: 6 },
  { operation: "transcode", params: levelled, outputs: 1 },
];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kill-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Killed {
  ledger: AttemptLedger;
  last: Snapshot;
  /** Outputs that each acknowledged job has to have. */
  acknowledged: Map<string, number>;
  faults: string[];
  appliance: Appliance;
}

/** Keeps work in the queue and kills the server so often; then lets it finish. */
async function killAtRandom(kills: number, executable?: string): Promise<Killed> {
  const options = {
    environment: { KINOMILL_JOBS_CPU_SLOTS: "2" },
    ...(executable === undefined ? {} : { executable }),
  };
  let appliance = await Appliance.start(options);
  const token = await appliance.token("ann");
  let api = new Api(appliance.url, token);
  const asset = await api.add(plainClip());
  const acknowledged = new Map<string, number>();
  const ledger = new AttemptLedger();
  const faults: string[] = [];
  const submit = async () => {
    for (const { operation, params, outputs } of batch) {
      acknowledged.set((await api.start(operation, [asset.id], params)).id, outputs);
    }
  };
  await submit();
  const stepMs = await measureStep(api, asset.id);
  for (let kill = 0; kill < kills; kill += 1) {
    const { body } = await api.get("/api/v1/jobs?limit=200");
    const open = body.items.filter(({ state }: Json) => state === "queued" || state === "running");
    if (open.length < batch.length) await submit();
    await Bun.sleep(Math.random() * stepMs);
    await appliance.end("SIGKILL");
    const now = snapshot(appliance.dataFolder);
    ledger.note(now);
    faults.push(...falsified(appliance.dataFolder, now));
    appliance = await Appliance.start({ ...options, folder: appliance.folder });
    api = new Api(appliance.url, token);
  }
  const gaveUp: string[] = [];
  for (const id of acknowledged.keys()) {
    const { state, error } = await api.waitFor(id, "succeeded", "failed");
    // It was there at three deaths in a row, and so it waits for a person, who has it run again.
    if (state === "failed" && error.code === "worker_lost") gaveUp.push(id);
  }
  for (const id of gaveUp) await api.post(`/api/v1/jobs/${id}/retry`, {});
  for (const id of gaveUp) {
    await eventually(`job ${id} ends`, REST_LIMIT_MS * gaveUp.length, async () => {
      const { body } = await api.get(`/api/v1/jobs/${id}`);
      return body.finishedAt !== null;
    });
  }
  await appliance.end("SIGTERM");
  const last = snapshot(appliance.dataFolder);
  faults.push(...falsified(appliance.dataFolder, last));
  return { ledger, last, acknowledged, faults, appliance };
}

/** About how long a step takes on this machine now: a kill shall meet each part of it. */
async function measureStep(api: Api, assetId: string): Promise<number> {
  const { id } = await api.start("transcode", [assetId], { video: { codec: "h264" } });
  const { startedAt, finishedAt } = await api.waitFor(id, "succeeded");
  return Math.max(200, Date.parse(finishedAt) - Date.parse(startedAt));
}

test(
  `${KILLS} kills at random moments lose, double and falsify nothing, and no step that was done is done again`,
  async () => {
    const { ledger, last, acknowledged, faults, appliance } = await killAtRandom(KILLS);
    try {
      expect(faults).toEqual([]);
      const lost = [...acknowledged.keys()].filter((id) => last.jobs.every((job) => job.id !== id));
      expect(lost).toEqual([]);
      expect(last.jobs.filter(({ state }) => state !== "succeeded")).toEqual([]);
      const made = (id: string) => last.assets.filter(({ job_id }) => job_id === id).length;
      expect([...acknowledged].filter(([id, outputs]) => made(id) !== outputs)).toEqual([]);
      expect(ledger.redone).toEqual([]);
      expect(ledger.unexplained(last)).toEqual([]);
      // Nothing is left over: every object belongs to an asset, every folder to a job.
      const known = new Set(last.assets.flatMap(({ id }) => [id, `${id}.thumbnail`]));
      expect([...objectsOf(appliance.dataFolder).keys()].filter((key) => !known.has(key))).toEqual(
        [],
      );
      expect(readdirSync(join(appliance.dataFolder, "work"))).toEqual([]);
      // It was not for lack of trying.
      expect(ledger.killedSteps).toBeGreaterThan(KILLS / 5);
      const counted = { lost: 0, doubled: 0, falsified: 0 };
      const control = "without results being taken up, steps are seen to be done again";
      note("kill", { rounds: KILLS, acknowledged: acknowledged.size, ...counted, control });
    } finally {
      await appliance[Symbol.asyncDispose]();
    }
  },
  LIMIT_MS,
);

test(
  "control: the harness sees steps that are done again when results are not taken up",
  async () => {
    const executable = await brokenKinomill(folder, [
      {
        file: "src/jobs/job-book.ts",
        from: "const damage = await folders.damage(jobId, name, kept.files);",
        to: 'const damage = String(await folders.damage(jobId, name, kept.files)) && "control";',
      },
    ]);
    const { ledger, last, appliance } = await killAtRandom(2, executable);
    await appliance[Symbol.asyncDispose]();
    expect([...ledger.redone, ...ledger.unexplained(last)]).not.toEqual([]);
  },
  LIMIT_MS,
);
