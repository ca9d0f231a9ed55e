/** `cutout` with the real ffmpeg: what is seen, what is seen through, and what is heard with it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpeg } from "../clips.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import { emulatedGpu } from "./emulated.ts";
import { alphaIn, type Moving, readMoving } from "./moving-pictures.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(120_000);
const folder = mkdtempSync(join(tmpdir(), "cutout-"));
afterAll(() => rmSync(folder, { recursive: true }));

const source = join(folder, "screen.mp4");
const soft = join(folder, "soft.mp4");
const image = join(folder, "back.png");

/**
 * A grey box of 80×80 at 60,40 before a green screen of 200×160 in HD's matrix; at one second it turns red for
 * 0.2 s, and a tone is heard for as long.
 */
beforeAll(() => {
  const flash = "drawbox=60:40:80:80:0xd02020:fill:enable='between(t,1,1.19)'";
  const box = `drawbox=60:40:80:80:0x808080:fill,${flash}`;
  const hd = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,setparams=colorspace=bt709";
  const screen = "color=0x00b140:size=200x160:rate=25:duration=2,format=gbrp";
  const tone = "aevalsrc='sin(2*PI*1000*t)*between(t,1,1.2)':sample_rate=48000:duration=2";
  const coded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "8", "-colorspace", "bt709"];
  ffmpeg(
    ...["-f", "lavfi", "-i", `${screen},${box},${hd}`, "-f", "lavfi", "-i", tone, ...coded],
    ...["-c:a", "aac", "-b:a", "128k", source],
  );
  // The edge is green and grey in one, as a real one is.
  const blurred = `${screen},drawbox=60:40:80:80:0x808080:fill,gblur=sigma=3,${hd}`;
  ffmpeg("-f", "lavfi", "-i", blurred, "-t", "0.4", ...coded, soft);
  const halves = "color=0x3050c0:size=300x200,format=rgb24,drawbox=150:0:150:200:0xf0d020:fill";
  ffmpeg("-f", "lavfi", "-i", halves, "-frames:v", "1", image);
});

const outside = [2, 2, 50, 150] as const;
const inside = [66, 46, 68, 68] as const;

const cutout = async (params: object, ...sources: string[]) => {
  const made = await work(folder, "cutout", { speed: "fast", ...params }, sources);
  const [path = ""] = made.paths;
  return { ...made, path, media: made.media[0] };
};

/** Red, green, blue of a pixel. */
function at({ width }: Moving, frame: Buffer | undefined, x: number, y: number): number[] {
  return [...(frame ?? []).slice((y * width + x) * 4, (y * width + x) * 4 + 3)];
}

function near(found: number[], wanted: number[], tolerance: number): void {
  for (const [index, level] of wanted.entries()) {
    expect(Math.abs((found[index] ?? -99) - level)).toBeLessThanOrEqual(tolerance);
  }
}

describe("transparency", () => {
  const formats = [
    ["webm", "vp9", ["-c:v", "libvpx-vp9"]],
    ["mov", "prores", []],
    ["webp", "webp", []],
  ] as const;
  for (const [format, codec, flags] of formats) {
    test(`survives in ${format}`, async () => {
      const { path, media } = await cutout({ format, quality: 80 }, source);
      expect(media?.video).toMatchObject({ codec, alpha: true, width: 200, height: 160 });
      const moving = await readMoving(path, [...flags]);
      // WebP needs no second picture for what stands still.
      if (format !== "webp") expect(moving.frames).toHaveLength(50);
      for (const frame of moving.frames) {
        expect(alphaIn(moving, frame, outside)[1]).toBeLessThanOrEqual(2);
        expect(alphaIn(moving, frame, inside)[0]).toBeGreaterThanOrEqual(253);
      }
      near(at(moving, moving.frames[0], 100, 80), [0x80, 0x80, 0x80], 4);
    });
  }

  test("is soft where the edge is, and nothing there is green any more", async () => {
    const greenest = async (spill: number) => {
      const key = { spill, similarity: 0.1, blend: 0.15 };
      const { path } = await cutout({ key, format: "mov" }, soft);
      const moving = await readMoving(path);
      const frame = moving.frames[2] ?? Buffer.alloc(0);
      let most = 0;
      let partly = 0;
      for (let pixel = 0; pixel < frame.length; pixel += 4) {
        const [red = 0, green = 0, blue = 0, alpha = 0] = frame.subarray(pixel, pixel + 4);
        if (alpha > 10) most = Math.max(most, green - (red + blue) / 2);
        if (alpha > 10 && alpha < 245) partly += 1;
      }
      expect(partly).toBeGreaterThan(300);
      return most;
    };
    expect(await greenest(1)).toBeLessThan(6);
    expect(await greenest(0)).toBeGreaterThan(40);
  });
});

describe("another background", () => {
  const tones = (path: string) => readMoving(path);

  test("is the colour asked for, in HD's matrix, and the subject keeps its own", async () => {
    const output = { kind: "colour", colour: "#3050c0" };
    const { path, media, encoders } = await cutout({ output, quality: 85 }, source);
    expect(encoders).toEqual(["libx264"]);
    expect(media?.video).toMatchObject({ codec: "h264", alpha: false, colorSpace: "bt709" });
    const moving = await tones(path);
    expect(moving.frames).toHaveLength(50);
    near(at(moving, moving.frames[5], 20, 80), [0x30, 0x50, 0xc0], 5);
    near(at(moving, moving.frames[5], 100, 80), [0x80, 0x80, 0x80], 5);
    // At the very edge, too, no green is left between the two.
    for (const x of [56, 58, 59, 60, 61, 63]) {
      const [red = 0, green = 0, blue = 0] = at(moving, moving.frames[5], x, 80);
      expect(green - Math.max(red, blue)).toBeLessThan(14);
    }
  });

  test("is the picture of the second input, which fills the frame", async () => {
    const { path } = await cutout({ output: { kind: "image" }, quality: 85 }, source, image);
    const moving = await tones(path);
    expect(moving.frames).toHaveLength(50);
    for (const index of [0, 49]) {
      near(at(moving, moving.frames[index], 20, 10), [0x30, 0x50, 0xc0], 6);
      near(at(moving, moving.frames[index], 190, 150), [0xf0, 0xd0, 0x20], 6);
      near(at(moving, moving.frames[index], 100, 80), [0x80, 0x80, 0x80], 5);
    }
  });

  test("is the source's own, blurred behind a sharp subject", async () => {
    const output = { kind: "blur", strength: 10 };
    const { path } = await cutout({ output, quality: 85, key: { spill: 0 } }, source);
    const moving = await tones(path);
    const frame = moving.frames[5];
    near(at(moving, frame, 5, 5), [0x00, 0xb1, 0x40], 6);
    near(at(moving, frame, 64, 80), [0x80, 0x80, 0x80], 6);
    // Beside the sharp edge the screen holds some of the blurred box.
    const [red = 0] = at(moving, frame, 54, 80);
    expect(red).toBeGreaterThan(25);
    expect(red).toBeLessThan(80);
  });
});

test("sound and picture stay together", async () => {
  for (const params of [{ format: "webm" }, { output: { kind: "colour" } }]) {
    const { path, media } = await cutout(params, source);
    expect(media?.audio).toHaveLength(1);
    const moving = await readMoving(path, params.format === "webm" ? ["-c:v", "libvpx-vp9"] : []);
    const red = moving.frames.findIndex((frame) => {
      const [r = 0, g = 0] = at(moving, frame, 100, 80);
      return r - g > 80;
    });
    const argv = ["-v", "error", "-i", path, "-ac", "1", "-ar", "48000", "-f", "f32le", "-"];
    const raw = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv]).stdout;
    const samples = new Float32Array(raw.buffer, raw.byteOffset, Math.floor(raw.length / 4));
    const loud = samples.findIndex((sample) => Math.abs(sample) > 0.3) / 48_000;
    expect(Math.abs(red / 25 - loud)).toBeLessThan(0.04);
  }
});

test("NVENC encodes what is opaque, on a box that has it", async () => {
  using box = gpuBox({ gpus: "twoL4" });
  using _inside = await enterBox(box);
  const params = { output: { kind: "colour" } };
  const { encoders } = await work(folder, "cutout", params, [source], emulatedGpu(box.uuid(0)));
  expect(encoders).toEqual(["h264_nvenc"]);
  expect(box.logEvents().filter(({ ev }) => ev === "init")).toHaveLength(1);
});
