/**
 * Media that lies about itself, through the whole product: each ends in a right output or in a clear
 * failure, within its limits, and the API answers meanwhile.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Api, type Json } from "../api.ts";
import { Appliance, eventually } from "../appliance.ts";
import { ffprobe } from "../clips.ts";
import { pngBomb } from "../support/pictures.ts";
import * as clips from "./clips.ts";
import { Prober } from "./prober.ts";

/** Seconds that one run of ffmpeg may take here; the longest source has 8 s at 64×48. */
const wallLimitSeconds = 20;

/** A queue of all jobs on two busy cores. */
const allJobsMs = 180_000;

const encode = { video: { codec: "h264", quality: 20 }, speed: "fast" };
const works = {
  copy: ["transcode", {}],
  encode: ["transcode", encode],
  thumbnails: ["thumbnails", { poster: {}, sprite: {} }],
} as const;
type Work = keyof typeof works;

/** What an output is to an independent ffprobe. */
interface Result {
  durationSeconds: number;
  pictureSeconds: number;
  soundSeconds: number;
  frames: number;
  /** Sizes of all frames, each once. */
  sizes: string[];
}

/** A right output, or a failure whose sentence says what was wrong. */
type Ending = { result: Partial<Result> } | { code: string; says: RegExp };

const tooShort = (found: string, wanted: string): Ending => ({
  code: "output_rejected",
  says: new RegExp(`it lasts ${found} s instead of ${wanted} s\\.$`),
});
const damaged: Ending = { code: "media_undecodable", says: /^The source cannot be decoded/ };
const noPicture: Ending = { code: "output_rejected", says: /poster.*it was not written\.$/ };
const pictures: Ending = { result: {} };
const both = (ending: Ending) => ({ copy: ending, encode: ending });

/** Each lie, and how each work on it ends. */
const lies: [what: string, make: () => string, endings: Partial<Record<Work, Ending>>][] = [
  [
    "an MP4 of 2 s that says 60 s",
    clips.tooLongHeader,
    { ...both(tooShort("2\\.0\\d", "60.00")), thumbnails: noPicture },
  ],
  [
    "a Matroska of 2 s that says 60 s",
    clips.tooLongMatroska,
    { ...both(tooShort("2\\.00", "60.00")) },
  ],
  [
    "a Matroska of 8 s that says half a second",
    clips.tooShortMatroska,
    { ...both(tooShort("5\\.5\\d", "0.50")), thumbnails: pictures },
  ],
  [
    "an MP4 whose second half is not there",
    clips.cutOff,
    { ...both(tooShort("2\\.\\d\\d", "4.00")), thumbnails: pictures },
  ],
  [
    "an MP4 whose index points nowhere for its second half",
    clips.brokenIndex,
    {
      copy: { code: "output_rejected", says: /it cannot be decoded\.$/ },
      encode: damaged,
      thumbnails: damaged,
    },
  ],
  [
    "a Matroska without its list of keyframes",
    clips.withoutCues,
    {
      ...both({ result: { durationSeconds: 4, pictureSeconds: 4, soundSeconds: 4, frames: 100 } }),
    },
  ],
  [
    "a minute of nothing between two halves",
    clips.jumpsForward,
    {
      ...both({ result: { durationSeconds: 64, pictureSeconds: 64, frames: 100 } }),
      thumbnails: pictures,
    },
  ],
  [
    "frames that lie in the past of those before",
    clips.jumpsBack,
    { ...both({ result: { durationSeconds: 4, pictureSeconds: 4 } }) },
  ],
  [
    "two recordings in one file",
    clips.clockBeginsAnew,
    { ...both(tooShort("\\d\\.\\d\\d", "2.03")) },
  ],
  [
    "a picture that changes its size",
    clips.otherSize,
    {
      copy: { result: { durationSeconds: 4, frames: 100, sizes: ["160x120", "320x180"] } },
      encode: { result: { durationSeconds: 4, frames: 100, sizes: ["160x120"] } },
      thumbnails: pictures,
    },
  ],
  [
    "a picture that changes its rate",
    clips.otherRate,
    {
      ...both({ result: { durationSeconds: 4, pictureSeconds: 4, frames: 150 } }),
    },
  ],
  [
    "sound that stops in the middle",
    clips.soundStops,
    {
      ...both({ result: { durationSeconds: 4, pictureSeconds: 4, soundSeconds: 2, frames: 100 } }),
    },
  ],
  [
    "a picture that stops before the sound",
    clips.pictureStops,
    {
      ...both({ result: { durationSeconds: 5, pictureSeconds: 2, soundSeconds: 5, frames: 50 } }),
    },
  ],
  [
    "two frames ten hours apart",
    clips.tenHours,
    { ...both({ result: { durationSeconds: 36_000, frames: 2 } }), thumbnails: pictures },
  ],
];

let appliance: Appliance;
let api: Api;
let prober: Prober;
/** Jobs at their end, by `WHAT WORK`. */
const jobs = new Map<string, Json>();

beforeAll(async () => {
  const limit = { KINOMILL_JOBS_WALL_LIMIT_SECONDS: String(wallLimitSeconds) };
  const sources = lies.map(([, make]) => make());
  appliance = await Appliance.start({ environment: limit });
  api = new Api(appliance.url, await appliance.token("ann"));
  prober = new Prober(api);
  const started: [string, string][] = [];
  for (const [index, [what, , endings]] of lies.entries()) {
    const asset = await api.add(sources[index] ?? "");
    for (const work of Object.keys(endings) as Work[]) {
      const [operation, params] = works[work];
      const job = await api.start(operation, [asset.id], params);
      started.push([`${what} ${work}`, job.id]);
    }
  }
  const end = performance.now() + allJobsMs;
  for (const [name, id] of started) {
    const ended = await eventually(`${name} ends`, end - performance.now(), async () => {
      const { body } = await api.get(`/api/v1/jobs/${id}`);
      return ["succeeded", "failed", "cancelled"].includes(body.state) ? body : null;
    });
    jobs.set(name, ended);
  }
  await prober.end();
}, 2 * allJobsMs);

afterAll(async () => {
  await appliance[Symbol.asyncDispose]();
});

/** Looks into an output with ffprobe alone. */
async function look(assetId: string): Promise<Result> {
  const path = join(appliance.folder, `${assetId}.bin`);
  await Bun.write(path, await api.download(assetId));
  const { format, streams } = ffprobe(path);
  const entries = ["-select_streams", "v:0", "-show_entries", "frame=width,height"];
  const argv = ["ffprobe", "-v", "error", ...entries, "-of", "csv=p=0:s=x", path];
  const lines = Bun.spawnSync(argv, { timeout: 30_000 }).stdout.toString().trim().split("\n");
  // ffprobe ends a line with another separator where a frame has side data.
  const frames = lines.map((line) => line.replace(/x$/, "")).filter((line) => line !== "");
  const secondsOf = (kind: string) =>
    Number(streams.find(({ codec_type }) => codec_type === kind)?.["duration"] ?? 0);
  return {
    durationSeconds: Number(format["duration"]),
    pictureSeconds: secondsOf("video"),
    soundSeconds: secondsOf("audio"),
    frames: frames.length,
    sizes: [...new Set(frames)],
  };
}

/** A frame of these sources lasts 40 ms, a packet of sound 21 ms. */
const secondsTolerance = 0.1;

function expectResult(found: Result, wanted: Partial<Result>): void {
  for (const key of ["durationSeconds", "pictureSeconds", "soundSeconds"] as const) {
    const seconds = wanted[key];
    if (seconds !== undefined) {
      expect(Math.abs(found[key] - seconds), `${key} ${found[key]}`).toBeLessThan(secondsTolerance);
    }
  }
  if (wanted.frames !== undefined) expect(found.frames).toBe(wanted.frames);
  if (wanted.sizes !== undefined) expect(found.sizes).toEqual(wanted.sizes);
}

describe.each(lies)("%s", (what, _make, endings) => {
  test.each(Object.entries(endings))("%s", async (work, ending) => {
    const job = jobs.get(`${what} ${work}`);
    if ("code" in ending) {
      expect([job.state, job.error?.code]).toEqual(["failed", ending.code]);
      expect(job.error.message).toMatch(ending.says);
      expect(job.error.hint).toMatch(/^[A-Z].{15,}\.$/s);
      expect(job.outputs).toEqual([]);
      return;
    }
    expect([job.state, job.error]).toEqual(["succeeded", null]);
    if (work !== "thumbnails") expectResult(await look(job.outputs[0]), ending.result);
    else expect(job.outputs.length).toBe(3);
  });
});

describe("a bomb is refused when it is uploaded:", () => {
  test("900 tracks", async () => {
    const answer = await api.upload("x.mkv", await Bun.file(clips.manyTracks()).bytes());
    expect([answer.status, answer.body.code]).toEqual([422, "not_media"]);
    expect(answer.body.detail).toBe(
      "It has more than 64 tracks. Remove those that are not needed.",
    );
  });

  test("a picture of 60,000 pixels a side in 2 MB", async () => {
    const body = pngBomb(60_000, 4);
    expect(body.length).toBeLessThan(2_000_000);
    const started = performance.now();
    const answer = await api.upload("x.png", body);
    expect([answer.status, answer.body.code]).toEqual([422, "not_media"]);
    expect(answer.body.detail).toContain("which is too large.");
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

test("the API answered all the while, 95 of 100 times within 200 ms", () => {
  expect(prober.times.length).toBeGreaterThan(50);
  expect(prober.percentile(0.95)).toBeLessThanOrEqual(200);
});
