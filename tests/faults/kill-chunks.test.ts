/**
 * Promised: a server that is killed near the end of a long encode encodes again no more than the chunks that ran.
 * Injected: SIGKILL at nine tenths of it, and at four tenths of a ladder. Counted: frames that were encoded again, by how often each part was begun.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Api, type Json } from "../api.ts";
import { Appliance, eventually } from "../appliance.ts";
import { ffmpeg } from "../clips.ts";
import { everything, testInLongForm } from "../support/long-form.ts";
import { brokenKinomill } from "./broken.ts";
import { note } from "./count.ts";
import { falsified, snapshot } from "./ledger.ts";

const LIMIT_MS = everything ? 3 * 3600_000 : 300_000;

/** In the long form an encode of ten minutes on two cores, in the chunks that are usual. */
const wish = everything
  ? { seconds: 720, size: "1280x720", speed: "balanced", chunkSeconds: 45 }
  : { seconds: 24, size: "640x360", speed: "best", chunkSeconds: 1 };

/**
 * Parts that run at the same time: the one slot of the CPU has four threads, and a part takes one while it is encoded. Beside
 * each of them one may run whose packets are looked at: it has given its thread back.
 */
const runningMax = 2 * Math.min(4, availableParallelism());

/** Keyframes near a place are taken for a cut: a part may be so much longer than the others. */
const longestPart = 1.4;

let folder: string;
let clip: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kill-chunks-"));
  clip = join(folder, "clip.mp4");
  const picture = `testsrc2=size=${wish.size}:rate=25:duration=${wish.seconds},noise=alls=12:allf=t`;
  const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-g", "25"];
  ffmpeg("-f", "lavfi", "-i", picture, ...x264, "-pix_fmt", "yuv420p", clip);
});

afterAll(() => rmSync(folder, { recursive: true }));

const isPart = ({ name }: Json) => /-part-\d+$/.test(name);

interface Counted {
  parts: number;
  /** Parts that ran when it was killed, and those that were begun again. */
  running: number;
  again: number;
  frames: number;
  framesAgain: number;
  faults: string[];
}

interface Encode {
  operation: string;
  params: object;
}

const film: Encode = {
  operation: "transcode",
  params: { speed: wish.speed, video: { codec: "h264", quality: 60 } },
};

/** @param share of the parts that are done when it is killed */
async function killAt(share: number, encode: Encode, executable?: string): Promise<Counted> {
  const environment = {
    KINOMILL_JOBS_CHUNK_SECONDS: String(wish.chunkSeconds),
    KINOMILL_JOBS_CPU_SLOTS: "1",
  };
  const options = { environment, ...(executable === undefined ? {} : { executable }) };
  await using first = await Appliance.start(options);
  const token = await first.token("ann");
  const api = new Api(first.url, token);
  const asset = await api.add(clip);
  const { id } = await api.start(encode.operation, [asset.id], encode.params);
  await eventually(`${share} of it is encoded`, LIMIT_MS, async () => {
    const { body } = await api.get(`/api/v1/jobs/${id}`);
    if (body.finishedAt !== null) throw new Error(`the job ${body.state} before it was killed`);
    const parts = body.steps.filter(isPart);
    const of = (state: string) => parts.filter((part: Json) => part.state === state).length;
    return of("done") >= Math.max(1, Math.floor(parts.length * share)) && of("running") > 0;
  });
  await first.end("SIGKILL");
  const then = snapshot(first.dataFolder);
  const faults = falsified(first.dataFolder, then);
  const running = then.steps.filter((step) => isPart(step) && step.state === "running").length;
  await using second = await Appliance.start({ ...options, folder: first.folder });
  const again = new Api(second.url, token);
  await eventually("the job ends", LIMIT_MS, async () => {
    const { body } = await again.get(`/api/v1/jobs/${id}`);
    if (body.state === "failed") throw new Error(body.error.message);
    return body.state === "succeeded";
  });
  const { body } = await again.get(`/api/v1/jobs/${id}`);
  await second.end("SIGTERM");
  const last = snapshot(second.dataFolder);
  faults.push(...falsified(second.dataFolder, last));
  const begun = new Map(last.steps.map(({ name, fence }) => [name, fence]));
  const parts = body.steps.filter(isPart).map(({ name, checks }: Json) => ({
    frames: Number(/Encoded (\d+) frames/.exec(checks.join(" "))?.[1]),
    again: (begun.get(name) ?? 0) - 1,
  }));
  const sum = (of: (part: { frames: number; again: number }) => number): number =>
    parts.reduce((total: number, part: { frames: number; again: number }) => total + of(part), 0);
  return {
    ...{ parts: parts.length, running, faults },
    again: parts.filter((part: { again: number }) => part.again > 0).length,
    frames: sum(({ frames }) => frames),
    framesAgain: sum(({ frames, again }) => frames * again),
  };
}

test(
  "killed at nine tenths of a long encode it encodes again what ran, at most two parts for each core",
  async () => {
    const { parts, running, frames, framesAgain, faults } = await killAt(0.9, film);
    const { seconds } = wish;
    expect(faults).toEqual([]);
    expect(parts).toBeGreaterThanOrEqual(10);
    expect(frames).toBe(seconds * 25);
    expect(running).toBeGreaterThan(0);
    expect(running).toBeLessThanOrEqual(runningMax);
    const longest = (frames / parts) * longestPart;
    expect(framesAgain).toBeGreaterThan(0);
    expect(framesAgain).toBeLessThanOrEqual(running * longest);
    const control = `without results being taken up all is encoded again; here ${framesAgain} of ${frames} frames were, in ${running} of ${parts} parts`;
    note("kill-chunks", {
      ...{ rounds: 1, acknowledged: 1, lost: 0, doubled: 0, falsified: 0, control },
    });
  },
  LIMIT_MS,
);

test(
  "killed in the middle of a long ladder it encodes again the parts that ran, and no others",
  async () => {
    const rungs = [{ height: 360 }, { height: 180, frameRate: 12.5 }];
    const params = { speed: everything ? "balanced" : "fast", segmentSeconds: 1, rungs };
    const counted = await killAt(0.4, { operation: "ladder", params });
    expect(counted.faults).toEqual([]);
    expect(counted.parts).toBeGreaterThanOrEqual(4);
    expect(counted.frames).toBe(wish.seconds * 25);
    expect(counted.running).toBeGreaterThan(0);
    expect(counted.running).toBeLessThanOrEqual(runningMax);
    expect(counted.again).toBeGreaterThan(0);
    expect(counted.again).toBeLessThanOrEqual(counted.running);
    const longest = (counted.frames / counted.parts) * longestPart;
    expect(counted.framesAgain).toBeLessThanOrEqual(counted.running * longest);
    expect(counted.framesAgain).toBeLessThan(counted.frames);
  },
  LIMIT_MS,
);

// In the usual run `kill.test.ts` has the same control: here it takes as long as all else.
testInLongForm(
  "control: without results being taken up the harness sees nearly all of it encoded again",
  async () => {
    const executable = await brokenKinomill(folder, [
      {
        file: "src/jobs/job-book.ts",
        from: "const damage = await folders.damage(jobId, name, kept.files);",
        to: 'const damage = String(await folders.damage(jobId, name, kept.files)) && "control";',
      },
    ]);
    const { frames, framesAgain } = await killAt(0.9, film, executable);
    expect(framesAgain).toBeGreaterThan(frames / 2);
  },
  LIMIT_MS,
);
