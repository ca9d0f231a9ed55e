/**
 * Promised: one server has the data folder; a second one on it changes nothing. Injected: another server is started on
 * the data of one that works. Counted: its refusals, and what became of the job that ran.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api } from "../api.ts";
import { Appliance, eventually } from "../appliance.ts";
import { slowClip } from "../clips.ts";
import { ffmpegsIn } from "../support/ffmpegs.ts";
import { brokenKinomill } from "./broken.ts";
import { note, roundsOf } from "./count.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "second-server-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Intrusion {
  /** What the second servers said; "" for one that began to work. */
  refusals: string[];
  /** Outcomes of the attempts at the job that ran meanwhile. */
  outcomes: string[];
}

/** Starts second servers on the data of one whose job runs. */
async function intrude(rounds: number, executable?: string): Promise<Intrusion> {
  await using first = await Appliance.start();
  const api = new Api(first.url, await first.token("ann"));
  const source = await api.add(slowClip());
  const params = { video: { codec: "h264", quality: 90 }, speed: "best" };
  const job = await api.start("transcode", [source.id], params);
  await eventually("it encodes", 60_000, async () => (await ffmpegsIn(first.folder)).length > 0);
  const refusals: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const own = executable === undefined ? {} : { executable };
    const second = await Appliance.start({ folder: first.folder, ...own }).catch(String);
    refusals.push(typeof second === "string" ? second : "");
    if (typeof second !== "string") await second.end("SIGKILL");
  }
  const { body } = await api.get(`/api/v1/jobs/${job.id}`);
  await api.post(`/api/v1/jobs/${job.id}/cancel`, {});
  return { refusals, outcomes: body.attempts.map(({ outcome }: { outcome: string }) => outcome) };
}

test("a second server on the same data is refused, and the job that runs goes on", async () => {
  const rounds = roundsOf(2, 50);
  const { refusals, outcomes } = await intrude(rounds);
  for (const said of refusals) expect(said).toMatch(/in use by .*process \d+/s);
  expect(outcomes).toEqual(["running"]);
  note("second-server", {
    ...{ rounds, acknowledged: 2, lost: 0, doubled: 0, falsified: 0 },
    control: "without the lock the second one works, and takes the running job for its own",
  });
}, 180_000);

test("control: the harness sees it when the data folder is not locked", async () => {
  const executable = await brokenKinomill(folder, [
    { file: "src/database/lock.ts", from: 'db.run("BEGIN EXCLUSIVE");', to: "" },
  ]);
  const { refusals, outcomes } = await intrude(1, executable);
  expect(refusals).toEqual([""]);
  expect(outcomes).not.toEqual(["running"]);
}, 180_000);
