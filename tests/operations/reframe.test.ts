/** `reframe` with the real ffmpeg: where the picture is on every frame, what lies behind it, how long it takes. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { turnedCopy } from "../clips.ts";
import { frameTimes, pixelAt, Rehearsal, sine, x264 } from "./rehearsal.ts";
import { frames, type Made, work } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

/** Coarse enough to be quick, fine enough that a marker stays a marker. */
const quick = { effort: "fast", quality: 70 };

/** A white square of 8×8 pixels, its centre at `x`, `y`, on grey stripes; it stands still. */
function marked(name: string, size: string, at: { x: number; y: number }, ...more: string[]) {
  const box = `drawbox=x=${at.x - 4}:y=${at.y - 4}:w=8:h=8:c=white:t=fill`;
  const stripes = "drawgrid=w=16:h=16:t=1:c=gray";
  const source = `color=c=0x202020:s=${size}:r=25:d=4,${stripes},${box}`;
  return stage.make(name, "-f", "lavfi", "-i", source, ...more, ...x264, "-crf", "10");
}

interface Point {
  x: number;
  y: number;
}

/** The centre of what is bright. */
function markerIn(frame: Uint8Array, width: number): Point {
  let [sum, x, y] = [0, 0, 0];
  for (const [index, value] of frame.entries()) {
    const weight = Math.max(0, value - 170);
    sum += weight;
    x += weight * ((index % width) + 0.5);
    y += weight * (Math.floor(index / width) + 0.5);
  }
  return { x: x / sum, y: y / sum };
}

interface At {
  time: number;
  x?: number;
  y?: number;
  zoom?: number;
  ease?: "linear" | "in" | "out" | "in-out" | "hold";
}

const curves = {
  linear: (part: number) => part,
  in: (part: number) => part ** 2,
  out: (part: number) => 1 - (1 - part) ** 2,
  "in-out": (part: number) => 3 * part ** 2 - 2 * part ** 3,
  hold: () => 0,
};

/** What the keyframes say of a time. */
function wishAt(keyframes: readonly At[], time: number) {
  const of = ({ x = 0.5, y = 0.5, zoom = 1 }: At) => ({ x, y, zoom });
  const index = keyframes.findLastIndex((at) => at.time <= time);
  const before = keyframes[Math.max(0, index)] ?? { time: 0 };
  const next = keyframes[index + 1];
  if (index < 0 || next === undefined) return of(before);
  const part = curves[before.ease ?? "in-out"]((time - before.time) / (next.time - before.time));
  const [a, b] = [of(before), of(next)];
  const mix = (from: number, to: number) => from + (to - from) * part;
  return { x: mix(a.x, b.x), y: mix(a.y, b.y), zoom: mix(a.zoom, b.zoom) };
}

/** Where a point of the source must be seen in a result of this size. */
function seenAt(point: Point, keyframes: readonly At[], time: number, source: Size, result: Size) {
  const { x, y, zoom } = wishAt(keyframes, time);
  const ratio = result.width / result.height;
  const width = Math.min(source.width, source.height * ratio) / zoom;
  const height = width / ratio;
  const scale = result.width / width;
  const inside = (centre: number, side: number, whole: number) =>
    Math.min(Math.max(centre * whole, side / 2), whole - side / 2) - side / 2;
  return {
    x: (point.x - inside(x, width, source.width)) * scale,
    y: (point.y - inside(y, height, source.height)) * scale,
  };
}

interface Size {
  width: number;
  height: number;
}

/** The furthest that the marker is from its place on any frame, in pixels of the result. */
function worstMiss(made: Made, point: Point, keyframes: readonly At[], source: Size): number {
  const [path = ""] = made.paths;
  const size = made.media[0]?.video;
  if (!size) throw new Error("a picture was made");
  const times = frameTimes(path);
  const pictures = frames(path);
  expect(pictures).toHaveLength(times.length);
  const start = times[0] ?? 0;
  const misses = pictures.map((picture, index) => {
    const found = markerIn(picture, size.width);
    const wanted = seenAt(point, keyframes, (times[index] ?? 0) - start, source, size);
    return Math.hypot(found.x - wanted.x, found.y - wanted.y);
  });
  return Math.max(...misses);
}

const source = { width: 320, height: 180 };
const point = { x: 150, y: 80 };
const plain = marked("plain.mp4", "320x180", point);

describe("the crop is where its keyframes say, on every frame", () => {
  const pan = (ease: At["ease"]): At[] => [
    { time: 0.4, x: 0.36, ease: ease ?? "linear" },
    { time: 3.5, x: 0.58 },
  ];
  const cases: [title: string, params: object, keyframes: At[]][] = [
    ["evenly", {}, pan("linear")],
    ["slow at first", {}, pan("in")],
    ["slow at the end", {}, pan("out")],
    ["slow at both ends", {}, pan("in-out")],
    ["staying, then jumping", {}, pan("hold")],
    ["made smaller", { height: 90 }, pan("in-out")],
    ["enlarged", { height: 400, upscale: true }, pan("linear")],
    [
      "zooming while it moves",
      { aspect: "1:1" },
      [
        { time: 0, x: 0.4, y: 0.5, zoom: 1, ease: "in" },
        { time: 1.5, x: 0.45, y: 0.42, zoom: 3, ease: "linear" },
        { time: 2.5, x: 0.49, y: 0.47, zoom: 3, ease: "out" },
        { time: 3.6, x: 0.6, y: 0.7, zoom: 1.2 },
      ],
    ],
    [
      "zooming and made smaller",
      { aspect: "16:9", width: 200 },
      [
        { time: 0, zoom: 1.1, ease: "linear" },
        { time: 4, zoom: 2.6, x: 0.47, y: 0.44 },
      ],
    ],
    [
      "past the edge, where it stays inside",
      {},
      [
        { time: 0, x: 0.36, y: 0, ease: "linear" },
        { time: 3, x: 0.5, y: 1 },
      ],
    ],
  ];
  for (const [title, params, keyframes] of cases) {
    test(title, async () => {
      const made = await work(stage.folder, "reframe", { ...quick, ...params, keyframes }, [plain]);
      const miss = worstMiss(made, point, keyframes, source);
      expect(miss).toBeLessThan(2);
    });
  }

  test("of uneven distances, by each frame's own time", async () => {
    const uneven = "select='not(mod(n,3))+lt(n,10)',settb=1/1000";
    const path = stage.make(
      "uneven.mkv",
      ...["-i", plain, "-vf", uneven, "-fps_mode", "passthrough", ...x264, "-crf", "10"],
    );
    const keyframes = pan("linear");
    const made = await work(stage.folder, "reframe", { ...quick, keyframes }, [path]);
    expect(frameTimes(made.paths[0] ?? "")).toHaveLength(frameTimes(path).length);
    expect(worstMiss(made, point, keyframes, source)).toBeLessThan(2);
  });

  test("of a phone's video that is shown turned", async () => {
    const path = stage.make("turned.mp4", ...turnedCopy(plain, 270));
    const keyframes: At[] = [
      { time: 0, y: 0.3, ease: "linear" },
      { time: 4, y: 0.6 },
    ];
    const params = { ...quick, aspect: "1:1", keyframes };
    const made = await work(stage.folder, "reframe", params, [path]);
    expect(made.media[0]?.video).toMatchObject({ width: 180, height: 180, rotation: 0 });
    const shown = { x: source.height - point.y, y: point.x };
    expect(worstMiss(made, shown, keyframes, { width: 180, height: 320 })).toBeLessThan(2);
  });

  test("of pixels that are twice as wide as high", async () => {
    const path = marked("wide.mp4", "160x180", { x: 75, y: 80 }, "-vf", "setsar=2");
    const keyframes = pan("out");
    const made = await work(stage.folder, "reframe", { ...quick, keyframes }, [path]);
    expect(worstMiss(made, point, keyframes, source)).toBeLessThan(2);
  });

  test("with five hundred of them", async () => {
    const keyframes = Array.from({ length: 500 }, (_, index): At => {
      const turn = index / 40;
      const x = 0.47 + 0.05 * Math.sin(turn);
      return { time: index * 0.008, x, zoom: 1.3 + 0.2 * Math.cos(turn), ease: "linear" };
    });
    const made = await work(stage.folder, "reframe", { ...quick, keyframes }, [plain]);
    expect(worstMiss(made, point, keyframes, source)).toBeLessThan(2);
  });
});

describe("the whole picture in another shape", () => {
  const red = stage.make(
    "red.mp4",
    ...["-f", "lavfi", "-i", "color=c=red:s=320x180:r=5:d=1", ...x264],
  );
  const vertical = { ...quick, aspect: "9:16", width: 180 };

  test("stands on a colour, as it was asked for", async () => {
    const params = { ...vertical, background: "colour", colour: "#208040" };
    const made = await work(stage.folder, "reframe", params, [red]);
    const [path = ""] = made.paths;
    expect(made.media[0]?.video).toMatchObject({ width: 180, height: 320 });
    for (const y of [4, 100, 220, 316]) {
      const [r, g, b] = pixelAt(path, 90, y);
      expect(Math.max(Math.abs(r - 0x20), Math.abs(g - 0x80), Math.abs(b - 0x40))).toBeLessThan(6);
    }
    for (const y of [114, 160, 206]) expect(pixelAt(path, 90, y)[0]).toBeGreaterThan(240);
  });

  test("stands on a blurred copy of itself", async () => {
    const lines = "color=c=black:s=320x180:r=5:d=1,drawgrid=w=8:h=180:t=4:c=white";
    const striped = stage.make("striped.mp4", "-f", "lavfi", "-i", lines, ...x264);
    const params = { ...vertical, background: "blur" };
    const made = await work(stage.folder, "reframe", params, [striped]);
    const [picture] = frames(made.paths[0] ?? "");
    const contrast = (y: number) => {
      const row = picture?.subarray(y * 180 + 20, y * 180 + 160) ?? [];
      return Math.max(...row) - Math.min(...row);
    };
    expect(contrast(160)).toBeGreaterThan(180);
    expect(contrast(40)).toBeLessThan(60);
    expect(contrast(280)).toBeLessThan(60);
    // Not black: it is the picture that is behind it.
    expect(picture?.[40 * 180 + 90] ?? 0).toBeGreaterThan(60);
  });
});

describe("speed", () => {
  // A low tone; at 2.5 s a beep and a white flash of a tenth of a second.
  const tone = "(0.1+0.7*between(t\\,2.5\\,2.6))*sin(2*PI*440*t)";
  const clap = stage.make(
    "clap.mp4",
    ...["-f", "lavfi", "-i", "color=c=black:s=160x120:r=25:d=4"],
    ...["-f", "lavfi", "-i", `aevalsrc=${tone}:s=48000:d=4`],
    ...["-vf", "drawbox=c=white:t=fill:enable='between(t,2.499,2.599)'", ...x264, "-c:a", "aac"],
  );
  const params = { ...quick, aspect: "1:1" };

  const samplesOf = (path: string) => {
    const argv = ["-v", "error", "-i", path, "-ac", "1", "-ar", "48000", "-f", "f32le", "-"];
    const { buffer, byteOffset, byteLength } = Bun.spawnSync(["ffmpeg", ...argv]).stdout;
    return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  };
  /** By counting how often it passes zero upwards. */
  const pitch = (samples: Float32Array, from: number, to: number) => {
    const part = samples.subarray(from * 48_000, to * 48_000);
    const rises = part.filter(
      (value, index) => index > 0 && value >= 0 && (part[index - 1] ?? 0) < 0,
    );
    return rises.length / (to - from);
  };
  const flashIn = (path: string) => {
    const first = frames(path).findIndex((frame) => (frame[0] ?? 0) > 128);
    return frameTimes(path)[first] ?? Number.NaN;
  };
  const beepIn = (samples: Float32Array) =>
    samples.findIndex((value) => Math.abs(value) > 0.4) / 48_000;

  const cases: [
    title: string,
    speed: object[],
    seconds: number,
    clapAt: number,
    tone: [number, number],
  ][] = [
    ["slow motion", [{ from: 1, to: 2, factor: 0.5 }], 5, 3.5, [1.1, 2.9]],
    ["a tenth of the speed", [{ from: 3, to: 3.2, factor: 0.1 }], 5.8, 2.5, [3.2, 4.8]],
    ["ten times as fast", [{ from: 0, to: 2, factor: 10 }], 2.2, 0.7, [0.02, 0.18]],
    [
      "several stretches",
      [
        { from: 0, to: 1, factor: 0.8 },
        { from: 1, to: 1.5, factor: 4 },
        { from: 2, to: 4, factor: 2 },
      ],
      2.875,
      2.125,
      [0.1, 1.2],
    ],
  ];
  for (const [title, speed, seconds, clapAt, [from, to]] of cases) {
    test(`${title} keeps the pitch, and sound and picture together`, async () => {
      const made = await work(stage.folder, "reframe", { ...params, speed }, [clap]);
      const [path = ""] = made.paths;
      const samples = samplesOf(path);
      expect(made.media[0]?.durationSeconds).toBeCloseTo(seconds, 1);
      expect(frameTimes(path).length / 25).toBeCloseTo(seconds, 1);
      expect(Math.abs(pitch(samples, from, to) - 440)).toBeLessThan(10);
      expect(Math.abs(flashIn(path) - clapAt)).toBeLessThan(0.041);
      expect(Math.abs(beepIn(samples) - clapAt)).toBeLessThan(0.041);
      expect(Math.abs(beepIn(samples) - flashIn(path))).toBeLessThan(0.04);
    });
  }

  test("sound that ends before the picture leaves the pieces behind it silent", async () => {
    const path = stage.make(
      "short-sound.mp4",
      ...["-f", "lavfi", "-i", "color=c=black:s=160x120:r=25:d=4", ...sine(1)],
      ...[...x264, "-c:a", "aac"],
    );
    const speed = [{ from: 2, to: 3, factor: 0.5 }];
    const made = await work(stage.folder, "reframe", { ...params, speed }, [path]);
    expect(made.media[0]?.durationSeconds).toBeCloseTo(5, 1);
    expect(pitch(samplesOf(made.paths[0] ?? ""), 0.1, 0.9)).toBeCloseTo(440, -1);
  });
});
