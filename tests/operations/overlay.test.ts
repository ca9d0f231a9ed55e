/** `overlay` with the real ffmpeg: each thing is where and when it should be, by its pixels and samples. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ellipseAt } from "../../src/operations/highlight.ts";
import { overlaySchema } from "../../src/operations/overlay-schema.ts";
import { ffmpeg } from "../clips.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import { emulatedGpu } from "./emulated.ts";
import { type Box, frames, mean, work } from "./workshop.ts";

setDefaultTimeout(90_000);
const folder = mkdtempSync(join(tmpdir(), "overlay-"));
afterAll(() => rmSync(folder, { recursive: true }));

const width = 320;
const height = 240;
const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "4", "-pix_fmt", "yuv420p"];
const bt709 = ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"];

const made = new Map<string, string>();
function source(name: string, ...argv: string[]): string {
  const path = join(folder, name);
  if (!made.has(name)) ffmpeg(...argv, path);
  made.set(name, path);
  return path;
}

/** One grey all over: what is different was laid over it. */
const flat = (name: string, color: string, seconds: number) =>
  source(
    name,
    ...["-f", "lavfi", "-i", `color=${color}:s=${width}x${height}:r=25:d=${seconds}`],
    ...[...x264, ...bt709],
  );
const grey = () => flat("grey.mp4", "0x404040", 2);

/** Half of it is red, a quarter of it half as strong, the rest is not there. */
const logo = () =>
  source(
    "logo.png",
    ...["-f", "lavfi", "-i", "color=0xff0000:s=40x40,format=rgba"],
    ...["-vf", "geq=r=255:g=0:b=0:a='if(lt(X,20),255,if(lt(Y,20),128,0))'", "-frames:v", "1"],
  );

const best = { quality: 100, speed: "fast" } as const;

interface Overlaid {
  path: string;
  color: Uint8Array[];
  grey: Uint8Array[];
}
const done = new Map<string, Overlaid>();

/** The same is done once. */
async function overlaid(items: unknown[], ...sources: string[]): Promise<Overlaid> {
  const key = JSON.stringify([items, sources]);
  const known = done.get(key);
  if (known !== undefined) return known;
  const { paths } = await work(folder, "overlay", { items, ...best }, sources);
  const [path = ""] = paths;
  const all = { path, color: frames(path, "rgb24"), grey: frames(path) };
  done.set(key, all);
  return all;
}

const seenIn = (all: Uint8Array[], differs: (frame: Uint8Array) => boolean) =>
  all.flatMap((frame, index) => (differs(frame) ? [index] : []));

function near(found: readonly number[], wanted: readonly number[], tolerance: number) {
  for (const [index, value] of wanted.entries()) {
    expect(Math.abs((found[index] ?? -999) - value)).toBeLessThanOrEqual(tolerance);
  }
}

describe("an image", () => {
  const items = [
    { kind: "image", input: 2, width: 12.5, position: { x: 0.5, y: 0.5 }, from: 0.4, to: 1.2 },
  ];
  const solid: Box = [144, 104, 12, 32];
  const half: Box = [164, 104, 12, 12];
  const clear: Box = [164, 124, 12, 12];

  test("is there from its first frame until before its last, and nowhere else", async () => {
    const { color } = await overlaid(items, grey(), logo());
    expect(color).toHaveLength(50);
    const shown = seenIn(color, (frame) => (mean(frame, width, solid, 3)[0] ?? 0) > 150);
    expect(shown).toEqual(Array.from({ length: 20 }, (_, index) => 10 + index));
    for (const around of [
      [0, 0, 320, 96],
      [0, 146, 320, 94],
      [0, 96, 136, 50],
      [184, 96, 136, 50],
    ] as const) {
      near(mean(color[20] ?? new Uint8Array(), width, around, 3), [0x40, 0x40, 0x40], 2);
    }
  });

  test("has its colour, and its transparency is kept", async () => {
    const { color } = await overlaid(items, grey(), logo());
    const frame = color[20] ?? new Uint8Array();
    near(mean(frame, width, solid, 3), [255, 0, 0], 6);
    near(mean(frame, width, half, 3), [0x40 * 0.5 + 128, 0x20, 0x20], 8);
    near(mean(frame, width, clear, 3), [0x40, 0x40, 0x40], 3);
  });

  test("is as opaque as asked, and comes and goes evenly", async () => {
    const item = { ...items[0], opacity: 0.5, fade: 0.4 };
    const { color } = await overlaid([item], grey(), logo());
    const reds = color.map((frame) => mean(frame, width, solid, 3)[0] ?? 0);
    const strength = (red: number) => (red - 0x40) / (255 - 0x40);
    expect(Math.abs(strength(reds[20] ?? 0) - 0.5)).toBeLessThan(0.03);
    // Ten frames in, until 0.8 s; ten frames out, from there.
    for (const [index, share] of [
      [9, 0],
      [15, 0.25],
      [25, 0.25],
      [30, 0],
    ] as const) {
      expect(Math.abs(strength(reds[index] ?? 0) - share)).toBeLessThan(0.04);
    }
  });

  test("stands at each corner with its margin", async () => {
    for (const [position, x, y] of [
      ["top-left", 12, 12],
      ["bottom-right", 268, 188],
    ] as const) {
      const item = { kind: "image", input: 2, width: 12.5, position, margin: 5 };
      const { color } = await overlaid([item], grey(), logo());
      const frame = color[5] ?? new Uint8Array();
      near(mean(frame, width, [x + 2, y + 2, 16, 36], 3), [255, 0, 0], 6);
      near(mean(frame, width, [x - 8, y, 6, 40], 3), [0x40, 0x40, 0x40], 3);
    }
  });
});

describe("a text", () => {
  const bright = (frame: Uint8Array, box: Box) => {
    const [x, y, w, h] = box;
    let count = 0;
    for (let row = y; row < y + h; row += 1) {
      for (let column = x; column < x + w; column += 1) {
        if ((frame[row * width + column] ?? 0) > 180) count += 1;
      }
    }
    return count;
  };
  const whole: Box = [0, 0, width, height];

  test("is at its place and its time alone", async () => {
    const item = {
      kind: "text",
      text: "GOAL",
      size: 12,
      position: "bottom-left",
      from: 0.6,
      to: 1,
    };
    const all = (await overlaid([item], grey())).grey;
    const shown = seenIn(all, (frame) => bright(frame, whole) > 0);
    expect(shown).toEqual(Array.from({ length: 10 }, (_, index) => 15 + index));
    const frame = all[20] ?? new Uint8Array();
    expect(bright(frame, [5, 190, 120, 45])).toBeGreaterThan(200);
    expect(bright(frame, [5, 190, 120, 45])).toBe(bright(frame, whole));
  });

  test("at x and y stands with its side or its middle there", async () => {
    const left = { kind: "text", text: "MMMM", position: { x: 0.5, y: 0.5 }, align: "left" };
    const right = { ...left, align: "right" };
    const middle = { kind: "text", text: "MMMM", position: { x: 0.5, y: 0.5 } };
    const sides = async (item: unknown) => {
      const frame = (await overlaid([item], grey())).grey[3] ?? new Uint8Array();
      return [bright(frame, [0, 0, 160, height]), bright(frame, [160, 0, 160, height])] as const;
    };
    const [a, b] = await sides(left);
    expect(a).toBe(0);
    expect(b).toBeGreaterThan(50);
    const [c, d] = await sides(right);
    expect(c).toBeGreaterThan(50);
    expect(d).toBe(0);
    const [e, f] = await sides(middle);
    expect(Math.abs(e - f)).toBeLessThan(Math.max(e, f) * 0.3);
  });

  test("fades, and its box is as dark as asked", async () => {
    const item = { kind: "text", text: "I", size: 20, position: "top", fade: 0.4, to: 1.6 };
    const black = { color: "#000000", opacity: 0.5 };
    const all = (await overlaid([{ ...item, box: black, outline: 0 }], grey())).grey;
    // The box reaches a little beyond its line: beside the letter there is nothing else.
    const beside: Box = [148, 16, 5, 20];
    const dark = all.map((frame) => mean(frame, width, beside)[0] ?? 0);
    const outside = dark[45] ?? 0;
    expect(Math.abs((dark[20] ?? 0) - outside / 2)).toBeLessThan(6);
    expect(Math.abs((dark[5] ?? 0) - outside * 0.75)).toBeLessThan(8);
    expect(Math.abs((dark[35] ?? 0) - outside * 0.75)).toBeLessThan(8);
    expect(outside).toBeGreaterThan(55);
  });

  test("of 10,000 characters of every kind is drawn", async () => {
    const odd = "'\"\\N{\\b1}:,;[]%{}\\n\\h\n😀🏳️‍🌈 שלום عربي \u202eabc\u202c é\u0301 \\\\ ";
    const text = odd.repeat(Math.ceil(10_000 / odd.length)).slice(0, 9_999);
    const item = { kind: "text", text: text.toWellFormed(), size: 4, position: "center" };
    const all = (await overlaid([item], flat("grey-short.mp4", "0x404040", 0.4))).grey;
    const changed = (all[3] ?? new Uint8Array()).filter((level) => Math.abs(level - 0x40) > 30);
    expect(changed.length).toBeGreaterThan((width * height) / 5);
  });

  test("shows what looks like a tag as it is written", async () => {
    const looks = async (text: string) => {
      const item = { kind: "text", text, font: "mono", size: 12, position: "center", outline: 0 };
      return (await overlaid([item], flat("grey-short.mp4", "0x404040", 0.4))).grey[3] ?? [];
    };
    const inked = async (text: string) => bright(Uint8Array.from(await looks(text)), whole);
    const tag = await inked("{\\alpha&HFF&}x");
    // Every one of its fourteen characters has ink.
    expect(tag).toBeGreaterThan((await inked("x")) * 5);
    const [one, two] = [await looks("a\\Nb"), await looks("a\nb")];
    expect(bright(Uint8Array.from(one), [0, 0, width, 108])).toBe(0);
    expect(bright(Uint8Array.from(two), [0, 0, width, 118])).toBeGreaterThan(0);
  });
});

describe("a highlight", () => {
  const keyframes = [
    { time: 0.2, x: 0.2, y: 0.3, radiusX: 0.1, radiusY: 0.1, ease: "in-out" },
    { time: 1, x: 0.8, y: 0.7, radiusX: 0.2, radiusY: 0.25, ease: "out" },
    { time: 1.4, x: 0.3, y: 0.6, radiusX: 0.1, radiusY: 0.15, ease: "hold" },
    { time: 1.7, x: 0.6, y: 0.3, radiusX: 0.1, radiusY: 0.15, ease: "linear" },
    { time: 2, x: 0.4, y: 0.4, radiusX: 0.15, radiusY: 0.15 },
  ];

  /** Middle and radii of what is bright, from its area and its borders. */
  function measured(frame: Uint8Array, level: number) {
    let [left, right, top, bottom] = [width, 0, height, 0];
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        if ((frame[y * width + x] ?? 0) < level) continue;
        left = Math.min(left, x);
        right = Math.max(right, x + 1);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y + 1);
      }
    }
    return {
      x: (left + right) / 2,
      y: (top + bottom) / 2,
      radiusX: (right - left) / 2,
      radiusY: (bottom - top) / 2,
    };
  }

  for (const softness of [0, 2]) {
    test(`with an edge of ${softness} % is where the easing says, on every frame`, async () => {
      const item = { kind: "highlight", keyframes, dim: 1, ring: 0, softness };
      const white = flat("white.mp4", "0xffffff", 2.4);
      const all = (await overlaid([item], white)).grey;
      expect(all).toHaveLength(60);
      const [parsed] = overlaySchema.parse({ items: [item] }).items;
      if (parsed?.kind !== "highlight") throw new Error("it is a highlight");
      for (const [index, frame] of all.entries()) {
        const found = measured(frame, 128);
        const wanted = ellipseAt(parsed.keyframes, { width, height }, index / 25);
        for (const key of ["x", "y", "radiusX", "radiusY"] as const) {
          expect(Math.abs(found[key] - wanted[key]), `${key} of frame ${index}`).toBeLessThan(2);
        }
      }
    });
  }

  test("dims the rest as asked, up to the edges of the picture, in its time alone", async () => {
    const still = { time: 0, x: 0.5, y: 0.5, radiusX: 0.2, radiusY: 0.2 };
    const item = { kind: "highlight", keyframes: [still], dim: 0.6, ring: 0, from: 0.4, to: 1.6 };
    const all = (await overlaid([{ ...item, fade: 0.4 }], flat("white.mp4", "0xffffff", 2.4))).grey;
    const corners: Box[] = [
      [0, 0, 20, 20],
      [300, 0, 20, 20],
      [0, 220, 20, 20],
      [300, 220, 20, 20],
    ];
    for (const corner of corners) {
      const levels = all.map((frame) => mean(frame, width, corner)[0] ?? 0);
      near([levels[9] ?? 0, levels[25] ?? 0, levels[40] ?? 0], [255, 102, 255], 3);
      near([levels[15] ?? 0], [255 - 153 / 2], 6);
    }
    near(mean(all[25] ?? new Uint8Array(), width, [140, 100, 40, 40]), [255], 2);
  });

  test("has a ring of its colour around it", async () => {
    const still = { time: 0, x: 0.5, y: 0.5, radiusX: 0.25, radiusY: 0.25 };
    const item = { kind: "highlight", keyframes: [still], dim: 0, ring: 4, color: "#0000ff" };
    const { color } = await overlaid([item], flat("white.mp4", "0xffffff", 2.4));
    const frame = color[10] ?? new Uint8Array();
    const [red = 0, , blue = 0] = mean(frame, width, [237, 118, 6, 4], 3);
    expect(red).toBeLessThan(40);
    expect(blue).toBeGreaterThan(200);
    near(mean(frame, width, [150, 110, 20, 20], 3), [255, 255, 255], 3);
    near(mean(frame, width, [260, 110, 20, 20], 3), [255, 255, 255], 3);
  });
});

describe("a timecode", () => {
  const of = async (start: string, more: object = {}) =>
    (await overlaid([{ kind: "timecode", start, ...more }], grey())).grey;
  const box: Box = [9, 205, 130, 30];
  const cut = (frame: Uint8Array) => {
    const [x, y, w, h] = box;
    return Array.from({ length: h }, (_, row) =>
      frame.subarray((y + row) * width + x, (y + row) * width + x + w),
    ).flatMap((line) => [...line]);
  };
  const distance = (a: Uint8Array = new Uint8Array(), b: Uint8Array = new Uint8Array()) => {
    const [one, two] = [cut(a), cut(b)];
    return one.reduce((sum, value, index) => sum + Math.abs(value - (two[index] ?? 0)), 0);
  };

  test("counts frames on from its start", async () => {
    const [zero, later] = [await of("00:00:00:00"), await of("00:00:00:20")];
    for (const index of [0, 4, 5, 29]) {
      // Frame 25 of a second is the first of the next.
      const same = distance(zero[index + 20], later[index]);
      const other = distance(zero[index + 19], later[index]);
      expect(same * 5).toBeLessThan(other);
    }
  });

  test("is there in its time alone", async () => {
    const all = await of("01:00:00:00", { from: 0.4, to: 0.8 });
    const shown = seenIn(all, (frame) => cut(frame).some((level) => level > 200));
    expect(shown).toEqual(Array.from({ length: 10 }, (_, index) => 10 + index));
  });
});

describe("a picture in the picture", () => {
  /** White and a beep from its second 1 until 1.2, black and silent otherwise. */
  const clap = () =>
    source(
      "clap.mp4",
      ...["-f", "lavfi", "-i", "color=black:s=160x120:r=25:d=2"],
      ...["-f", "lavfi", "-i", "sine=f=1000:r=48000:d=2"],
      ...["-vf", "drawbox=c=white:t=fill:enable='between(t,0.99,1.19)'"],
      ...["-af", "volume=enable='not(between(t,1,1.2))':volume=0", ...x264, "-c:a", "aac"],
    );
  const silent = () =>
    source(
      "silent.mp4",
      ...["-f", "lavfi", "-i", `color=0x404040:s=${width}x${height}:r=25:d=3`],
      ...["-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo", "-shortest", ...x264, "-c:a", "aac"],
    );
  const item = { kind: "video", input: 2, start: 0.6, from: 0.8, volume: 1, width: 40 };

  const loud = (path: string) => {
    const argv = ["-v", "error", "-i", path, "-ac", "1", "-ar", "48000", "-f", "f32le", "-"];
    const bytes = Uint8Array.from(Bun.spawnSync(["ffmpeg", ...argv]).stdout);
    return new Float32Array(bytes.buffer).findIndex((value) => Math.abs(value) > 0.03) / 48_000;
  };

  test("plays from its time on, at its place, and its sound with it", async () => {
    const { path, grey: all } = await overlaid([item], silent(), clap());
    const inside: Box = [190, 140, 90, 70];
    const levels = all.map((frame) => mean(frame, width, inside)[0] ?? 0);
    const shown = seenIn(all, (frame) => Math.abs((mean(frame, width, inside)[0] ?? 0) - 64) > 5);
    // From 0.8 s on, for the 1.4 s that it still has.
    expect(shown[0]).toBe(20);
    expect(Math.abs((shown.at(-1) ?? 0) - 54)).toBeLessThanOrEqual(1);
    // Its second 1 is 0.4 s after it began.
    const flash = levels.findIndex((level) => level > 150);
    expect(flash).toBe(30);
    expect(Math.abs(loud(path) - flash / 25)).toBeLessThanOrEqual(0.04);
  });

  test("is heard also over a video without sound, for as long as that", async () => {
    const { path } = await overlaid([item], grey(), clap());
    expect(Math.abs(loud(path) - 1.2)).toBeLessThanOrEqual(0.04);
    expect(frames(path)).toHaveLength(50);
  });
});

test("on a GPU the encoder is NVENC, and the picture the same", async () => {
  using box = gpuBox({ gpus: "twoL4" });
  using _inside = await enterBox(box);
  const items = [
    { kind: "text", text: "GPU" },
    { kind: "image", input: 2 },
  ];
  const sources = [grey(), logo()];
  const device = emulatedGpu(box.uuid(0));
  const { encoders } = await work(folder, "overlay", { items, quality: 60 }, sources, device);
  expect(encoders).toEqual([null, "h264_nvenc"]);
});
