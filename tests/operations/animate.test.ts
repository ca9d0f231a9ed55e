/** `animate` with the real ffmpeg: what a browser would show, frame by frame. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { statSync } from "node:fs";
import { turnedCopy } from "../clips.ts";
import { toolchain } from "../support/toolchain.ts";
import { alphaIn, psnr, readMoving } from "./moving-pictures.ts";
import { picture, Rehearsal, x264 } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const animate = async (params: unknown, source: string) => {
  const made = await work(stage.folder, "animate", params, [source]);
  const [path = ""] = made.paths;
  return { ...made, path, media: made.media[0], moving: await readMoving(path) };
};

/** Left half transparent, above right a hole, the rest moves. */
const alpha = "if(lt(X,80)+gt(X,120)*lt(Y,30),0,255)";
const holed = stage.make(
  "holed.mov",
  ...["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=2,format=rgba"],
  ...["-vf", `geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='${alpha}'`, "-c:v", "png"],
);
const film = stage.make("film.mp4", ...picture("160x120", 3), ...x264, "-crf", "10");

/** Frames of the source at a rate, as they should look. */
const wanted = async (source: string, rate: number, more = "") => {
  const path = stage.make(
    `wanted-${Math.random()}.mov`,
    ...[
      ...["-i", source, "-vf", `${more}fps=${rate}:start_time=0:eof_action=pass`, "-c:v", "png"],
      ...["-pix_fmt", "rgba"],
    ],
  );
  return await readMoving(path);
};

/** PSNR that each reaches on the test picture: a palette of 256, lossy, lossless. */
const closeness = { gif: 28, webp: 32, apng: 55, avif: 32 };
const formats = (["gif", "webp", "apng", "avif"] as const).filter(
  (format) => format !== "avif" || toolchain.release.major >= 6,
);

describe("a film with transparency", () => {
  for (const format of formats.filter((each) => each !== "avif")) {
    test(`as ${format} has its frames, its time, its holes and its loops`, async () => {
      const params = { format, frameRate: 10, quality: 90, loop: 3 };
      const { moving, media } = await animate(params, holed);
      expect(media).toMatchObject({ container: format, kind: "video" });
      expect(moving).toMatchObject({ width: 160, height: 120, plays: 3 });
      expect(moving.frames).toHaveLength(20);
      const seconds = moving.durations.reduce((sum, duration) => sum + duration, 0);
      expect(Math.abs(seconds - 2)).toBeLessThan(0.011);
      const { frames } = await wanted(holed, 10);
      expect(frames).toHaveLength(20);
      for (const [index, frame] of moving.frames.entries()) {
        const source = frames[index];
        if (source === undefined) throw new Error("as many frames as the source");
        expect(psnr(frame, source)).toBeGreaterThan(closeness[format]);
        expect(alphaIn(moving, frame, [0, 0, 78, 120])).toEqual([0, 0]);
        expect(alphaIn(moving, frame, [123, 0, 37, 28])).toEqual([0, 0]);
        expect(alphaIn(moving, frame, [82, 34, 76, 86])).toEqual([255, 255]);
      }
    });
  }

  test("in VP9, whose transparency is a stream of its own, keeps it too", async () => {
    const vp9 = [
      "-c:v",
      "libvpx-vp9",
      "-pix_fmt",
      "yuva420p",
      "-auto-alt-ref",
      "0",
      "-cpu-used",
      "8",
    ];
    const source = stage.make(
      "holed.webm",
      "-i",
      holed,
      "-t",
      "1",
      ...vp9,
      "-crf",
      "20",
      "-b:v",
      "0",
    );
    const { moving } = await animate({ format: "webp", frameRate: 5 }, source);
    expect(moving.frames).toHaveLength(5);
    for (const frame of moving.frames) {
      expect(alphaIn(moving, frame, [0, 0, 76, 120])[1]).toBeLessThan(8);
      expect(alphaIn(moving, frame, [84, 36, 74, 82])[0]).toBeGreaterThan(247);
    }
  });
});

describe("a piece of a film", () => {
  for (const format of formats) {
    test(`as ${format} begins and ends where it was asked to`, async () => {
      const params = { format, frameRate: 12.5, from: 1, to: 2, quality: 90 };
      const { moving, media } = await animate(params, film);
      expect(media?.kind).toBe("video");
      const { frames } = await wanted(film, 12.5, "trim=1:2,setpts=PTS-STARTPTS,");
      // An odd last slot is filled by what there is.
      expect(moving.frames).toHaveLength(frames.length);
      expect(Math.abs((media?.durationSeconds ?? 0) - 1)).toBeLessThan(0.06);
      for (const at of [0, frames.length - 1]) {
        const [found, source] = [moving.frames[at], frames[at]];
        if (found === undefined || source === undefined)
          throw new Error("they have as many frames");
        expect(psnr(found, source)).toBeGreaterThan(closeness[format] - 1);
        // It is nearer to its own picture than to the next: the time is right to the frame.
        const other = frames[at === 0 ? 1 : at - 1];
        if (other === undefined) throw new Error("they have several frames");
        expect(psnr(found, source)).toBeGreaterThan(psnr(found, other) + 3);
      }
    });
  }
});

test("nothing is made larger or faster than the source, and for ever is for ever", async () => {
  const params = { format: "apng", width: 480, frameRate: 60, to: 0.4 };
  const { moving, plan } = await animate(params, film);
  expect(moving).toMatchObject({ width: 160, height: 120, plays: 0 });
  expect(moving.frames).toHaveLength(10);
  expect(plan.notes).toEqual(["25 frames per second: the source has no more."]);
});

test("once is once", async () => {
  for (const format of ["gif", "apng"]) {
    const { moving } = await animate({ format, to: 0.4, width: 64, loop: 1 }, film);
    expect([moving.plays, moving.width]).toEqual([1, 64]);
  }
});

test("a turned film stands upright", async () => {
  const source = stage.make("turned.mp4", ...turnedCopy(film, 90));
  const { moving } = await animate({ format: "webp", to: 0.4, width: 60 }, source);
  expect([moving.width, moving.height]).toEqual([60, 80]);
});

test("colours stay in every format, of HD's matrix and of full range", async () => {
  const flat = (name: string, filter: string, ...more: string[]) =>
    stage.make(
      name,
      ...["-f", "lavfi", "-i", "color=0xc03020:size=64x36:rate=10:duration=0.4,format=rgb24"],
      ...["-vf", filter, ...x264, "-crf", "5", "-bf", "0", ...more],
    );
  const sources = [
    flat(
      "hd.mp4",
      "scale=out_color_matrix=bt709,setparams=colorspace=bt709",
      "-colorspace",
      "bt709",
    ),
    flat("full.mp4", "scale=out_range=pc,format=yuvj420p", "-pix_fmt", "yuvj420p"),
  ];
  for (const source of sources) {
    for (const format of formats.filter((each) => each !== "avif")) {
      const { moving, path } = await animate({ format, quality: 95 }, source);
      // Nothing moves: WebP is a still then.
      const [frame] = moving.frames.length > 0 ? moving.frames : (await readMoving(path)).frames;
      for (const [channel, level] of [0xc0, 0x30, 0x20].entries()) {
        expect(Math.abs((frame?.[(18 * 64 + 32) * 4 + channel] ?? -99) - level)).toBeLessThan(6);
      }
    }
  }
});

describe("a size at most", () => {
  for (const format of ["gif", "webp"] as const) {
    test(`is kept by ${format}, with its transparency, and each try is told`, async () => {
      const whole = await animate({ format, frameRate: 15 }, holed);
      const maxBytes = Math.round(statSync(whole.path).size * 0.4);
      const { path, moving, checks } = await animate({ format, maxBytes }, holed);
      expect(statSync(path).size).toBeLessThanOrEqual(maxBytes);
      const tries = checks.filter((check) => check.startsWith("Try "));
      expect(tries.length).toBeGreaterThan(1);
      expect(tries.length).toBeLessThanOrEqual(8);
      expect(tries[0]).toContain("160×120, 15 frames per second");
      expect(tries.at(-1)).toEndWith(", which fits");
      const part = moving.width / 160;
      for (const frame of moving.frames) {
        const inside = (numbers: number[]) => numbers.map((number) => Math.round(number * part));
        const [x = 0, y = 0, width = 0, height = 0] = inside([0, 0, 74, 118]);
        expect(alphaIn(moving, frame, [x, y, width, height])[1]).toBeLessThan(8);
        const [left = 0, top = 0, wide = 0, high = 0] = inside([88, 42, 66, 70]);
        expect(alphaIn(moving, frame, [left, top, wide, high])[0]).toBeGreaterThan(247);
      }
    });
  }

  test("that nothing reaches fails with what was tried", async () => {
    const tooSmall = animate({ format: "gif", maxBytes: 1000 }, film);
    await expect(tooSmall).rejects.toThrow("The smallest try is still larger than 1.0 kB");
  });
});
