/** Of a long film the keyframes that a sprite shows are picked before they are decoded: it shows what it did before. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import type { RenderDescription } from "../../src/media/description.ts";
import { cpuDevice } from "../../src/media/devices.ts";
import { dialectOf } from "../../src/media/dialect.ts";
import type { MediaInfo, VideoStream } from "../../src/media/media.ts";
import { probe } from "../../src/media/probe.ts";
import { renderArgv } from "../../src/media/render.ts";
import { sparseInput } from "../../src/operations/evenly.ts";
import { findOperation, parseParams, planFor } from "../../src/operations/index.ts";
import { LocalRunner } from "../../src/runners/local.ts";
import { ffmpeg } from "../clips.ts";
import { toolchain } from "../support/toolchain.ts";
import { Rehearsal, x264 } from "./rehearsal.ts";
import { media, video } from "./specimen.ts";

setDefaultTimeout(120_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const knowsTimes = dialectOf(toolchain.release).copiedSeconds !== null;

/** The grey clock for so many seconds, its keyframes where x264 is told to put them. */
function clock(name: string, seconds: number, keyframes: string[]): string {
  return stage.make(
    name,
    ...["-f", "lavfi", "-i", `nullsrc=size=64x36:rate=25:duration=${seconds}`],
    ...["-vf", "format=yuv420p,geq=lum='16+mod(2*floor(T)\\,200)':cb=128:cr=128"],
    ...[...x264, "-keyint_min", "1", "-sc_threshold", "0", "-bf", "0", ...keyframes],
  );
}

const every = (seconds: number) => ["-g", String(seconds * 25)];

/** What is kept of a film's keyframes, in seconds. */
function kept(path: string, everySeconds: number, wholeSeconds: number): number[] {
  const description: RenderDescription = {
    inputs: [{ from: { asset: 0 }, keyframesOnly: true }],
    graph: [],
    outputs: [
      {
        ...{ file: "kept.mkv", container: "mkv", isIntermediate: true, audio: [], subtitles: [] },
        ...{ metadataFrom: null, limitSeconds: null },
        video: {
          ...{ kind: "copy", source: { input: 0, stream: 0 }, codec: "h264" },
          moments: { everySeconds, wholeSeconds, startsAtSeconds: 0 },
        },
      },
    ],
    expectedSeconds: null,
  };
  const files = { resolve: () => path, outputFolder: stage.folder };
  ffmpeg(...renderArgv(description, { device: cpuDevice(1), toolchain }, files).argv);
  const argv = ["-show_entries", "packet=pts_time", "-of", "csv=p=0", `${stage.folder}/kept.mkv`];
  const said = Bun.spawnSync(["ffprobe", "-v", "error", ...argv]).stdout.toString();
  return said
    .trim()
    .split("\n")
    .map((line) => Math.round(Number.parseFloat(line) * 100) / 100);
}

test.if(knowsTimes)(
  "the last keyframe before the middle of each stretch is kept, and the last of all",
  () => {
    // Keyframes at 0, 2, 4 …; middles at 10, 30, 50 and the end. Until a distance was seen all are kept.
    expect(kept(clock("even.mp4", 75, every(2)), 20, 75)).toEqual([0, 8, 28, 48, 68, 74]);
    expect(kept(clock("even.mkv", 75, every(2)), 20, 75)).toEqual([0, 8, 28, 48, 68, 74]);
  },
);

const at = [0, 1, 2, 9, 10.4, 19, 27, 28, 29.2, 31, 47, 49, 52, 66, 69];

test.if(knowsTimes)("where distances change, none that matters is left out", () => {
  const forced = ["-g", "9999", "-force_key_frames", at.join(",")];
  const found = kept(clock("odd.mp4", 75, forced), 20, 75);
  for (const middle of [10, 30, 50, 70]) {
    const last = at.findLast((time) => time < middle);
    expect(found.some((time) => Math.abs(time - (last ?? 0)) < 0.05)).toBe(true);
  }
  expect(found.length).toBeLessThan(at.length);
});

const flags = { "storage.reserveBytes": 0, "ffmpeg.niceness": 0 };
const config = await loadConfig({ file: null, environment: {}, flags });
const runner = new LocalRunner({ toolchain, config });
let jobs = 0;

/** A sprite of five pictures, as the plan has it or with what it asks for of a large film. */
async function sprite(film: string, picks: boolean) {
  const media = await probe(film, toolchain);
  const operation = findOperation("thumbnails");
  const params = parseParams(operation, { sprite: { every: 20, width: 32, columns: 5 } });
  const [step] = planFor(operation, params, [{ name: "film", media }], toolchain).steps;
  const work = step?.work;
  if (work?.kind !== "render") throw new Error("a sprite is rendered");
  const [input] = work.description.inputs;
  if (input?.keyframesOnly !== true || input.moments !== undefined) throw new Error("it is small");
  const { durationSeconds: wholeSeconds, video } = media;
  if (wholeSeconds === null) throw new Error("it has a length");
  const { startsAtSeconds = 0 } = video ?? {};
  const moments = { everySeconds: 20, wholeSeconds, startsAtSeconds };
  const inputs = [picks ? { ...input, moments } : input];
  const jobFolder = join(stage.folder, `job-${++jobs}`);
  mkdirSync(jobFolder);
  const outcome = await runner.run({
    ...{ device: cpuDevice(1), step: "sprite", assetPaths: [film], jobFolder },
    work: { ...work, description: { ...work.description, inputs } },
    expectations: step?.outputs.map(({ expectation }) => expectation) ?? [],
    ...{ verify: "quick", onProgress: () => {}, signal: new AbortController().signal },
  });
  if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
  expect(readdirSync(join(jobFolder, "sprite"))).toEqual(["sprite-1.image"]);
  const [output] = outcome.outputs;
  return { bytes: readFileSync(output?.path ?? ""), checks: output?.checks ?? [] };
}

const everyFrame = /Decoded every frame of the source/;
const early = ["-f", "lavfi", "-i", "sine=d=100"];

test.each([
  ["keyframes two seconds apart", "whole.mp4", every(2)],
  ["Matroska", "whole.mkv", every(2)],
  // ffmpeg's times of MP4's keyframes alone are some frames off then: none lies near a middle.
  ["B-frames", "b-frames.mp4", [...every(4.2), "-bf", "3"]],
  ["uneven distances", "uneven.mp4", ["-g", "9999", "-force_key_frames", at.join(",")]],
  ["a picture that begins after its sound", "late.mkv", every(2)],
])("a sprite by picked keyframes is the same: %s", async (_, name, keyframes) => {
  const film = name === "late.mkv" ? late(name, keyframes) : clock(name, 100, keyframes);
  const [plain, picked] = [await sprite(film, false), await sprite(film, true)];
  expect(picked.checks).toEqual(plain.checks);
  expect(picked.checks.some((check) => everyFrame.test(check))).toBe(false);
  expect(picked.bytes.equals(plain.bytes)).toBe(true);
});

/** Its picture begins 0.7 s after its sound. */
function late(name: string, keyframes: string[]): string {
  const film = clock("early.mp4", 99, keyframes);
  const from = [...early, "-itsoffset", "0.7", "-i", film];
  return stage.make(name, ...from, "-map", "1:v", "-map", "0:a", "-c:v", "copy");
}

test("open groups and a single keyframe are still found out", async () => {
  const open = ["-g", "125", "-keyint_min", "125", "-bf", "3", "-x264-params", "open-gop=1"];
  for (const [name, keyframes] of [
    ["open.mp4", open],
    ["endless.mp4", ["-g", "9999"]],
  ] as const) {
    const film = clock(name, 100, [...keyframes]);
    const [plain, picked] = [await sprite(film, false), await sprite(film, true)];
    expect(picked.checks.some((check) => everyFrame.test(check))).toBe(true);
    expect(picked.bytes.equals(plain.bytes)).toBe(true);
  }
});

test("what is worth it: many keyframes of a large picture, in a container with an index", () => {
  const picksOf = (about: Partial<VideoStream>, more: Partial<MediaInfo> = {}) => {
    const film = media({ durationSeconds: 3600, video: video(about), ...more });
    const wanted = { keyframesOnly: true, count: 100, every: 36, seconds: 3600 };
    return sparseInput(film, film.video ?? video(), wanted).moments !== undefined;
  };
  expect(picksOf({})).toBe(true);
  expect(picksOf({ width: 320, height: 180 })).toBe(false);
  expect(picksOf({ keyframeSeconds: 30 })).toBe(false);
  expect(picksOf({ rotation: 90 })).toBe(false);
  expect(picksOf({}, { container: "mpegts" })).toBe(false);
});
