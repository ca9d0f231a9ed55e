/**
 * What is seen and heard where chunks meet, next to one pass: as sharp, as large, as much in time, and filters that
 * go by time go on as if nothing were there.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testInLongForm } from "../support/long-form.ts";
import { onsets, samples } from "./hearing.ts";
import { errors, joinsOf, pictureBytes, psnrDb } from "./joins.ts";
import { run } from "./rehearsal.ts";
import { frames, mean, work } from "./workshop.ts";

setDefaultTimeout(900_000);

const root = mkdtempSync(join(tmpdir(), "joins-test-"));
afterAll(() => rmSync(root, { recursive: true }));

const rate = 25;

const made = new Map<string, string>();
function source(name: string, ...argv: string[]): string {
  const known = made.get(name);
  if (known !== undefined) return known;
  const path = join(root, name);
  run([...argv, path]);
  made.set(name, path);
  return path;
}

const lavfi = (graph: string) => ["-f", "lavfi", "-i", graph];
const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-g", "50"];
const planes = [...x264, "-pix_fmt", "yuv420p"];

/** Everything moves, at every scale, with the grain of a camera. */
const film = (seconds: number, size: string) =>
  source(
    `film-${seconds}.mp4`,
    ...lavfi(`mandelbrot=s=${size}:rate=${rate},noise=alls=6:allf=t:all_seed=7`),
    ...["-t", String(seconds), ...planes],
  );

/** How much worse the half seconds around each join may be than the same frames of one pass. */
const mostDb = 0.5;
const mostBytes = 1.02;

interface Case {
  codec: string;
  speed: string;
  /** What the plan would choose for 1080p: from the frames that a core encodes in 45 s. */
  filmSeconds: number;
}

async function asGoodAsOnePass({ codec, speed, filmSeconds }: Case, path: string) {
  const params = { speed, video: { codec, quality: 65 } };
  const chunks = { seconds: 45, cores: 2, filmSeconds };
  const {
    paths: [whole = ""],
  } = await work(root, "transcode", params, [path]);
  const cut = await work(root, "transcode", params, [path], undefined, chunks);
  const [many = ""] = cut.paths;
  const joins = joinsOf(cut);
  expect(joins.length).toBeGreaterThan(0);
  const [ours, theirs] = [errors(many, path), errors(whole, path)];
  expect(ours).toHaveLength(theirs.length);
  for (const at of joins) {
    for (const [from, to] of [
      [at - rate / 2, at],
      [at, at + rate / 2],
    ] as const) {
      const [a, b] = [Math.floor(from), Math.floor(to)];
      const worse = psnrDb(theirs.slice(a, b)) - psnrDb(ours.slice(a, b));
      expect(worse, `frames ${a} to ${b}`).toBeLessThan(mostDb);
    }
  }
  expect(pictureBytes(many) / pictureBytes(whole)).toBeLessThan(mostBytes);
}

describe("around a join the picture is as sharp as in one pass, and no larger:", () => {
  const short: Case[] = [
    { codec: "h264", speed: "balanced", filmSeconds: 10 },
    { codec: "hevc", speed: "fast", filmSeconds: 10 },
  ];
  for (const each of short) {
    test(`${each.codec}, ${each.speed}`, async () => {
      await asGoodAsOnePass(each, film(20, "192x108"));
    });
  }
  const long: Case[] = [
    { codec: "h264", speed: "fast", filmSeconds: 20 },
    { codec: "h264", speed: "balanced", filmSeconds: 12 },
    { codec: "hevc", speed: "fast", filmSeconds: 16 },
    { codec: "hevc", speed: "balanced", filmSeconds: 10 },
    { codec: "av1", speed: "fast", filmSeconds: 10 },
    { codec: "av1", speed: "balanced", filmSeconds: 8 },
    { codec: "vp9", speed: "fast", filmSeconds: 7 },
    { codec: "vp9", speed: "balanced", filmSeconds: 6 },
  ];
  for (const each of long) {
    testInLongForm(`${each.codec}, ${each.speed}, at 360 lines`, async () => {
      await asGoodAsOnePass(each, film(40, "640x360"));
    });
  }
});

describe("a clap is heard when it is seen,", () => {
  /** White for two frames at every whole second, with a click. */
  const claps = () =>
    source(
      "claps.mkv",
      ...lavfi(
        `color=c=black:s=192x108:r=${rate}:d=5,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.07)'`,
      ),
      ...lavfi("aevalsrc='0.8*sin(2*PI*1000*t)*lt(mod(t,1),0.05)':s=48000:d=5"),
      ...[...planes, "-c:a", "pcm_s16le"],
    );
  const cases: [string, object][] = [
    ["AAC in Matroska", { container: "mkv", audio: { codec: "aac" } }],
    [
      "Opus in WebM",
      { container: "webm", video: { codec: "vp9", quality: 65 }, audio: { codec: "opus" } },
    ],
    ["AAC in MP4", { container: "mp4", audio: { codec: "aac" } }],
    ["MP3 in MP4", { container: "mp4", audio: { codec: "mp3" } }],
  ];
  for (const [index, [name, more]] of cases.entries()) {
    const tried = index === 0 ? test : testInLongForm;
    tried(name, async () => {
      const chunks = { seconds: 45, cores: 2, filmSeconds: 1.7 };
      const params = { speed: "fast", video: { quality: 65 }, ...more };
      const whole = await work(root, "transcode", params, [claps()]);
      const cut = await work(root, "transcode", params, [claps()], undefined, chunks);
      expect(joinsOf(cut).length).toBeGreaterThan(1);
      const [of, than] = [offsets(cut.paths[0] ?? ""), offsets(whole.paths[0] ?? "")];
      expect(of).toHaveLength(5);
      for (const [at, offset] of of.entries()) {
        expect(Math.abs(offset - (than[at] ?? Number.NaN)), `clap ${at}`).toBeLessThan(0.005);
      }
    });
  }
});

/** Seconds from each flash to its click, by the times that the file itself gives to both. */
function offsets(path: string): number[] {
  const argv = ["-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time"];
  const times = Bun.spawnSync(["ffprobe", ...argv, "-of", "csv=p=0", path])
    .stdout.toString()
    .split("\n")
    .flatMap((line) => (line === "" ? [] : Number.parseFloat(line)));
  const bright = frames(path).map((frame) => (mean(frame, 192, [64, 36, 64, 36])[0] ?? 0) > 120);
  const flashes = bright.flatMap((now, index) =>
    now && !bright[index - 1] ? (times[index] ?? []) : [],
  );
  // Silence is put before a track that begins later, so that samples count from zero.
  const clicks = onsets(samples(path, { more: ["-af", "aresample=async=1:first_pts=0"] }), 6000);
  return clicks.map((click, index) => click - (flashes[index] ?? Number.NaN));
}

describe("what goes by time goes on over a join:", () => {
  /** Another picture at every frame. */
  const moving = () =>
    source("moving.mp4", ...lavfi(`testsrc2=s=320x180:r=${rate}:d=4`), ...planes);
  const chunks = { seconds: 45, cores: 2, filmSeconds: 2 };

  /** Each frame is that of one pass and not its neighbour. */
  async function same(operation: string, params: object, sources: string[]) {
    const {
      paths: [whole = ""],
    } = await work(root, operation, params, sources);
    const cut = await work(root, operation, params, sources, undefined, chunks);
    const [many = ""] = cut.paths;
    expect(joinsOf(cut)).toHaveLength(1);
    const off = errors(many, whole);
    expect(off).toHaveLength(4 * rate);
    const beside = errors(many, whole, 1);
    const worst = Math.max(...off);
    expect(worst).toBeLessThan(12);
    for (const at of joinsOf(cut)) {
      for (const error of beside.slice(at - 3, at + 3)) expect(error).toBeGreaterThan(4 * worst);
    }
  }

  test("the window of reframe", async () => {
    const keyframes = [
      { time: 0, x: 0.2, y: 0.5 },
      { time: 4, x: 0.8, y: 0.5, zoom: 1.5 },
    ];
    await same("reframe", { aspect: "1:1", effort: "fast", quality: 95, keyframes }, [moving()]);
  });

  test("what overlay lays over it, for a time and on a path", async () => {
    const logo = source("logo.png", ...lavfi("color=0xff0000:s=40x40"), "-frames:v", "1");
    const oval = { y: 0.5, radiusX: 0.2, radiusY: 0.3 };
    const keyframes = [
      { time: 1, x: 0.2, ...oval },
      { time: 3.5, x: 0.8, ...oval },
    ];
    const spot = { x: 0.3, y: 0.4 };
    const items = [
      { kind: "image", input: 2, width: 20, position: spot, from: 1.8, to: 3.2 },
      { kind: "highlight", keyframes, dim: 0.6 },
    ];
    await same("overlay", { items, speed: "fast", quality: 95 }, [moving(), logo]);
  });

  test("burnt captions that stand over it", async () => {
    const captions = join(root, "over.srt");
    const cue = "1\n00:00:01,800 --> 00:00:02,200\nOver a join\n";
    writeFileSync(captions, cue);
    await same("captions", { action: "burn", speed: "fast", quality: 95 }, [moving(), captions]);
  });
});
