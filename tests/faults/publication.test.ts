/**
 * Promised: outputs are published all together or not at all, whatever the moment of a crash, and the work that was
 * done for them is not done again. Injected: SIGKILL at the Nth system call of a kind that writes, from the last
 * moment of the encode to the end of the job. Counted: outputs, attempts at each step, bytes, objects.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api, type Json } from "../api.ts";
import { Appliance, eventually } from "../appliance.ts";
import { plainClip } from "../clips.ts";
import { ffmpegsIn } from "../support/ffmpegs.ts";
import { everything } from "../support/long-form.ts";
import { brokenKinomill } from "./broken.ts";
import { note } from "./count.ts";
import { AttemptLedger, falsified, objectsOf, snapshot } from "./ledger.ts";

/**
 * System calls that change what a crash leaves behind (SQLite syncs by fsync), each with more than one thread makes of
 * them in one publication: strace counts by thread.
 */
const calls = { fsync: 40, link: 6, mkdir: 10, rename: 4, unlinkat: 10, pwrite64: 200 } as const;
type Call = keyof typeof calls;
type Point = [call: Call, nth: number];

/** In the record of the step, between two outputs, in their record, after it. */
const shortPoints: Point[] = [
  ["fsync", 2],
  ["link", 1],
  ["pwrite64", 24],
  ["rename", 1],
];

const LIMIT_MS = everything ? 6 * 3600_000 : 600_000;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "publication-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** One encode and two texts: three outputs. */
const request = { ranges: [{ from: 0.2, to: 1.8 }] };
const OUTPUTS = 3;

class Rig {
  readonly ledger = new AttemptLedger();
  readonly jobs: string[] = [];
  /** What was not as promised right after a kill, as sentences. */
  private readonly seen: string[] = [];
  private appliance: Appliance | null = null;
  private token = "";
  private assetId = "";
  private readonly executable: string | undefined;

  constructor(executable?: string) {
    this.executable = executable;
  }

  private get up(): Appliance {
    if (this.appliance === null) throw new Error("the server is not up");
    return this.appliance;
  }

  get api(): Api {
    return new Api(this.up.url, this.token);
  }

  get dataFolder(): string {
    return this.up.dataFolder;
  }

  async start(): Promise<void> {
    const again = this.appliance === null ? {} : { folder: this.appliance.folder };
    const executable = this.executable === undefined ? {} : { executable: this.executable };
    this.appliance = await Appliance.start({ ...again, ...executable });
    if (this.token !== "") return;
    this.token = await this.appliance.token("ann");
    this.assetId = (await this.api.add(plainClip())).id;
  }

  /** Kills the server at this call of the publication of a job. False when the job was done before. */
  async killAt([call, nth]: Point): Promise<boolean> {
    await eventually("pictures are made", 60_000, async () => {
      const { body } = await this.api.get("/api/v1/assets?limit=200");
      return body.items.every(({ thumbnail }: Json) => thumbnail !== "wanted");
    });
    const { id } = await this.api.start("clip", [this.assetId], request);
    this.jobs.push(id);
    const ffmpeg = await eventually("it encodes", 60_000, async () => {
      const [pid] = await ffmpegsIn(this.up.folder);
      if (pid === undefined) return null;
      process.kill(pid, "SIGSTOP");
      return pid;
    });
    const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${nth}`];
    const argv = ["strace", "-f", "-p", String(this.up.pid), "-o", "/dev/null", ...inject];
    const strace = Bun.spawn(argv, { stdio: ["ignore", "ignore", "pipe"] });
    await attached(strace.stderr);
    process.kill(ffmpeg, "SIGCONT");
    const ended = await eventually("it dies or the job is done", 120_000, async () => {
      if (this.up.ended) return "killed";
      const { body } = await this.api.get(`/api/v1/jobs/${id}`).catch(() => ({ body: {} }));
      return body.state === "succeeded" && this.isClear() ? "done" : null;
    });
    strace.kill("SIGKILL");
    await strace.exited;
    if (ended === "done") return false;
    const now = snapshot(this.dataFolder);
    this.ledger.note(now);
    this.seen.push(...falsified(this.dataFolder, now));
    await this.start();
    expect((await this.api.waitFor(id, "succeeded", "failed")).error).toBeNull();
    return true;
  }

  private isClear(): boolean {
    return readdirSync(join(this.dataFolder, "work")).length === 0;
  }

  /** What is not as promised, as sentences. */
  async faults(): Promise<string[]> {
    await eventually("all is cleared", 20_000, () => Promise.resolve(this.isClear()));
    await this.up.end();
    const last = snapshot(this.dataFolder);
    const made = (id: string) => last.assets.filter(({ job_id }) => job_id === id).length;
    const known = new Set(last.assets.flatMap(({ id }) => [id, `${id}.thumbnail`]));
    const strays = [...objectsOf(this.dataFolder).keys()].filter((key) => !known.has(key));
    return [
      ...this.seen,
      ...falsified(this.dataFolder, last),
      ...this.ledger.redone,
      ...this.ledger.unexplained(last),
      ...this.jobs
        .filter((id) => made(id) !== OUTPUTS)
        .map((id) => `${id} has ${made(id)} outputs`),
      ...strays.map((key) => `${key} belongs to nobody`),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.appliance?.[Symbol.asyncDispose]();
  }
}

/** Until strace says that it has every thread. */
async function attached(stderr: ReadableStream<Uint8Array>): Promise<void> {
  const reader = stderr.getReader();
  let text = "";
  while (!text.includes("attached")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`strace ended: ${text}`);
    text += new TextDecoder().decode(value);
  }
  reader.releaseLock();
}

test(
  "killed at each system call that writes, a publication happens once and nothing is encoded again",
  async () => {
    await using rig = new Rig();
    await rig.start();
    let kills = 0;
    for (const point of shortPoints) kills += Number(await rig.killAt(point));
    if (everything) {
      for (const [call, most] of Object.entries(calls)) {
        for (let nth = 1; nth <= most; nth += 1) {
          if (!(await rig.killAt([call as Call, nth]))) break;
          kills += 1;
        }
      }
    }
    expect(await rig.faults()).toEqual([]);
    expect(kills).toBeGreaterThanOrEqual(shortPoints.length);
    note("kill-at-write", {
      ...{ rounds: kills, acknowledged: rig.jobs.length, lost: 0, doubled: 0, falsified: 0 },
      control: "with outputs recorded before the job, half a publication is seen",
    });
  },
  LIMIT_MS,
);

test(
  "control: the harness sees it when outputs are recorded before the job is",
  async () => {
    const executable = await brokenKinomill(folder, [
      {
        file: "src/jobs/publication.ts",
        from: "queue.commits.run(() => queue.succeed(claim, record))",
        to: "(record(), queue.commits.run(() => queue.succeed(claim, () => {})))",
      },
    ]);
    await using rig = new Rig(executable);
    await rig.start();
    // Somewhere between the intents and the end of the job: each output is a transaction of its own now.
    for (const nth of [50, 54, 58, 62]) await rig.killAt(["pwrite64", nth]);
    expect((await rig.faults()).join()).toMatch(/outputs|not there/);
  },
  LIMIT_MS,
);
