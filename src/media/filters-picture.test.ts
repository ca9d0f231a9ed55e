/** What is done to a picture, by its pixels: raw frames that the real ffmpeg makes, looked at. */
import { describe, expect, test } from "bun:test";
import { cpuPictures, type FilterChain, renderGraph, type VideoFilter } from "./graph.ts";

const width = 64;
const height = 48;
const rate = 10;

interface Pixel {
  red: number;
  green: number;
  blue: number;
  alpha: number;
}

interface Frame {
  seconds: number;
  at(x: number, y: number): Pixel;
}

/** A colour for so long. */
const plain = (color: string, seconds = 1, size = `${width}x${height}`) =>
  `color=c=${color}:s=${size}:r=${rate}:d=${seconds},format=rgba`;

/** The frames of the pad `out`, with their times. */
function seen(sources: string[], chains: FilterChain[]): Frame[] {
  const inputs = sources.flatMap((source) => ["-f", "lavfi", "-i", source]);
  // Says the time of every frame beside its pixels.
  const graph = `${renderGraph(chains)};[out]format=rgba,showinfo[Seen]`;
  const argv = ["-filter_complex", graph, "-map", "[Seen]", "-fps_mode", "passthrough"];
  const done = Bun.spawnSync(
    [
      "ffmpeg",
      "-nostdin",
      "-hide_banner",
      "-nostats",
      ...inputs,
      ...argv,
      "-f",
      "rawvideo",
      "pipe:1",
    ],
    { timeout: 60_000 },
  );
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
  const times = [...done.stderr.toString().matchAll(/pts_time:(\S+)/g)].map(([, time]) =>
    Number(time),
  );
  expect(done.stdout.length).toBe(times.length * width * height * 4);
  return times.map((seconds, index) => ({
    seconds,
    at: (x, y) => {
      const start = (index * height + y) * width * 4 + x * 4;
      const [red = 0, green = 0, blue = 0, alpha = 0] = done.stdout.subarray(start, start + 4);
      return { red, green, blue, alpha };
    },
  }));
}

const input = (index: number) => ({ input: index, stream: 0 });

/** One chain over all sources. */
function through(sources: string[], ...filters: VideoFilter[]): Frame[] {
  const from = sources.map((_, index) => input(index));
  return seen(sources, [{ from, filters, to: "out" }]);
}

/** Within what two conversions between RGB and YUV may change. */
function expectPixel(frame: Frame | undefined, x: number, y: number, wanted: Partial<Pixel>): void {
  const pixel = frame?.at(x, y);
  for (const [part, value] of Object.entries(wanted)) {
    const found = pixel?.[part as keyof Pixel] ?? Number.NaN;
    const near = Math.abs(found - value) <= 6;
    expect({ x, y, part, found: near ? value : found }).toEqual({ x, y, part, found: value });
  }
}

const red = { red: 255, green: 0, blue: 0 };
const blue = { red: 0, green: 0, blue: 255 };
const black = { red: 0, green: 0, blue: 0 };
const frameTimes = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => Math.round((from + index / rate) * 1000));
const times = (frames: Frame[]) => frames.map(({ seconds }) => Math.round(seconds * 1000));

describe("one picture on another", () => {
  test("lies where it shall, and nowhere else", () => {
    const frames = through([plain("red"), plain("blue", 1, "16x8")], {
      filter: "overlay",
      x: 20,
      y: 10,
    });
    expect(times(frames)).toEqual(frameTimes(10));
    for (const frame of frames) {
      expectPixel(frame, 20, 10, blue);
      expectPixel(frame, 35, 17, blue);
      expectPixel(frame, 18, 10, red);
      expectPixel(frame, 20, 8, red);
      expectPixel(frame, 37, 17, red);
      expectPixel(frame, 35, 19, red);
    }
  });

  test("may lie partly outside", () => {
    const [frame] = through([plain("red"), plain("blue", 1, "16x8")], {
      filter: "overlay",
      x: -8,
      y: 44,
    });
    expectPixel(frame, 0, 46, blue);
    expectPixel(frame, 6, 47, blue);
    expectPixel(frame, 10, 46, red);
  });

  test("is seen through as its alpha says", () => {
    const [frame] = through([plain("black"), plain("red@0.5", 1, "16x8")], {
      filter: "overlay",
      x: 0,
      y: 0,
    });
    expectPixel(frame, 4, 4, { red: 128, green: 0, blue: 0 });
    expectPixel(frame, 40, 40, black);
  });

  test("stays when it ends before, or is seen no more", () => {
    const sources = [plain("red"), plain("blue", 0.3, "16x8")];
    const stays = through(sources, { filter: "overlay", x: 0, y: 0 });
    const hides = through(sources, { filter: "overlay", x: 0, y: 0, atEnd: "hide" });
    expect([stays.length, hides.length]).toEqual([10, 10]);
    expectPixel(stays[9], 4, 4, blue);
    expectPixel(hides[2], 4, 4, blue);
    expectPixel(hides[5], 4, 4, red);
  });

  test("keeps ten bits when asked", () => {
    // 513 of 1023 lies between two steps of eight bits.
    const deep = `nullsrc=s=${width}x${height}:r=${rate}:d=0.1,format=yuv420p10le,geq=lum=513:cb=512:cr=512`;
    const luma = (bitDepth: 8 | 10) => {
      const chains: FilterChain[] = [
        {
          from: [input(0), input(1)],
          filters: [{ filter: "overlay", x: 0, y: 0, bitDepth }],
          to: "out",
        },
      ];
      const graph = `${renderGraph(chains)};[out]format=yuv420p10le[Seen]`;
      const sources = ["-f", "lavfi", "-i", deep, "-f", "lavfi", "-i", plain("blue", 0.1, "8x8")];
      const argv = [
        ...sources,
        "-filter_complex",
        graph,
        "-map",
        "[Seen]",
        "-f",
        "rawvideo",
        "pipe:1",
      ];
      const done = Bun.spawnSync(["ffmpeg", "-nostdin", "-v", "error", ...argv]);
      return done.stdout.readUInt16LE((40 * width + 40) * 2);
    };
    expect(luma(10)).toBe(513);
    expect(luma(8)).not.toBe(513);
  });

  test("opacity makes it fainter, also what has alpha", () => {
    const chains = (factor: number): FilterChain[] => [
      { from: input(1), filters: [{ filter: "opacity", factor }], to: "faint" },
      {
        from: [input(0), { pad: "faint" }],
        filters: [{ filter: "overlay", x: 0, y: 0 }],
        to: "out",
      },
    ];
    const half = seen([plain("black"), plain("red", 1, "16x8")], chains(0.5));
    expectPixel(half[0], 4, 4, { red: 128, green: 0, blue: 0 });
    const quarter = seen([plain("black"), plain("red@0.5", 1, "16x8")], chains(0.5));
    expectPixel(quarter[0], 4, 4, { red: 64, green: 0, blue: 0 });
    expect(() => renderGraph(chains(1.5))).toThrow("1.5 is an opacity");
  });
});

describe("pieces of film", () => {
  /** The red of frame n is 20 × n. */
  const counting = `color=c=black:s=${width}x${height}:r=${rate}:d=1,format=rgba,geq=r=20*N:g=0:b=0:a=255`;
  const counts = (frames: Frame[]) => frames.map((frame) => Math.round(frame.at(5, 5).red / 20));

  test("a trim has the frames from its start until before its end", () => {
    const frames = through([counting], { filter: "trim", startSeconds: 0.3, endSeconds: 0.6 });
    expect(counts(frames)).toEqual([3, 4, 5]);
    expect(times(frames)).toEqual(frameTimes(3));
  });

  test("a trim between two frames keeps the distance to the first", () => {
    const frames = through([counting], { filter: "trim", startSeconds: 0.25 });
    expect(counts(frames)).toEqual([3, 4, 5, 6, 7, 8, 9]);
    const [first = 0] = frames.map(({ seconds }) => seconds);
    // The clock of this source ticks ten times a second.
    expect(first).toBeOneOf([0, 0.1]);
    const fine = through([`${counting},settb=1/1000`], { filter: "trim", startSeconds: 0.25 });
    expect(times(fine).slice(0, 2)).toEqual([50, 150]);
  });

  test("speed moves the frames and neither drops nor makes one", () => {
    const source = `${counting},settb=1/1000`;
    const twice = through([source], { filter: "speed", factor: 2 });
    expect(times(twice)).toEqual([0, 50, 100, 150, 200, 250, 300, 350, 400, 450]);
    const half = through([source], { filter: "speed", factor: 0.5 });
    expect(times(half)).toEqual(frameTimes(10).map((time) => time * 2));
    expect(counts(half)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("joined films follow each other", () => {
    const frames = through([plain("red", 0.3), plain("blue", 0.2)], { filter: "concat", count: 2 });
    expect(times(frames)).toEqual(frameTimes(5));
    expectPixel(frames[2], 5, 5, red);
    expectPixel(frames[3], 5, 5, blue);
  });

  test("a crossfade blends one into the other, from where it is asked", () => {
    const crossfade: VideoFilter = { filter: "crossfade", seconds: 0.4, offsetSeconds: 0.6 };
    const frames = through([plain("red"), plain("blue")], crossfade);
    expect(times(frames)).toEqual(frameTimes(16));
    expectPixel(frames[5], 5, 5, red);
    expectPixel(frames[8], 5, 5, { red: 128, green: 0, blue: 128 });
    expectPixel(frames[11], 5, 5, blue);
  });

  test("a still becomes a film at its rate and of its length", () => {
    const still = `color=c=blue:s=${width}x${height}:r=25:d=0.04,format=rgba`;
    const frames = through([still], { filter: "loop", rate: "30", seconds: 0.5 });
    expect(frames).toHaveLength(15);
    expect(frames.at(-1)?.seconds).toBeCloseTo(14 / 30, 4);
    expectPixel(frames.at(-1), 5, 5, blue);
    const cinema = through([still], { filter: "loop", rate: "24000/1001", seconds: 1 });
    expect(cinema).toHaveLength(24);
  });

  test("a split gives every branch the same", () => {
    const chains: FilterChain[] = [
      { from: input(0), filters: [{ filter: "split", count: 2 }], to: ["a", "b"] },
      { from: [{ pad: "a" }, { pad: "b" }], filters: [{ filter: "concat", count: 2 }], to: "out" },
    ];
    expect(counts(seen([counting], chains))).toEqual([...Array(10).keys(), ...Array(10).keys()]);
  });
});

describe("looks", () => {
  test("a blur spreads an edge as wide as asked, and no wider", () => {
    const half = `${plain("black")},drawbox=x=32:y=0:w=32:h=48:color=white:t=fill`;
    const [frame] = through([half], { filter: "blur", sigma: 4 });
    expectPixel(frame, 2, 20, black);
    expectPixel(frame, 61, 20, { red: 255, green: 255, blue: 255 });
    expect(frame?.at(32, 20).red).toBeWithin(115, 155);
    // One sigma away: 84 % of the way.
    expect(frame?.at(36, 20).red).toBeWithin(200, 232);
  });

  test("a fade comes from a colour and goes to it", () => {
    const fades: VideoFilter[] = [
      { filter: "fade", direction: "in", startSeconds: 0, seconds: 0.4, to: "blue" },
      { filter: "fade", direction: "out", startSeconds: 0.6, seconds: 0.4, to: "#000000" },
    ];
    const frames = through([plain("red")], ...fades);
    expectPixel(frames[0], 5, 5, blue);
    expectPixel(frames[2], 5, 5, { red: 128, green: 0, blue: 128 });
    expectPixel(frames[5], 5, 5, red);
    expectPixel(frames[8], 5, 5, { red: 128, green: 0, blue: 0 });
  });

  test("a fade in alpha lets through what lies below", () => {
    const fade: VideoFilter = {
      filter: "fade",
      direction: "in",
      startSeconds: 0,
      seconds: 0.4,
      to: "alpha",
    };
    const frames = through([plain("red")], fade);
    expect(frames[0]?.at(5, 5).alpha).toBe(0);
    expect(frames[2]?.at(5, 5).alpha).toBeWithin(118, 138);
    expect(frames[5]?.at(5, 5).alpha).toBe(255);
  });

  test("no text stands where a colour shall", () => {
    const fade = (to: string): VideoFilter[] => [
      { filter: "fade", direction: "in", startSeconds: 0, seconds: 1, to },
    ];
    for (const text of ["red,drawtext=x", "red:alpha=1", "", "'"]) {
      const chain: FilterChain = { from: input(0), filters: fade(text), to: "out" };
      expect(() => cpuPictures([chain])).toThrow("is a colour");
    }
  });
});
