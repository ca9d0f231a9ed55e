/**
 * Pictures laid over films, and films that become several, on emulated GPUs: by the real ffmpeg of this
 * machine behind the fence, looked at by their pixels and by what reached the driver.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import type {
  Expectation,
  InputDescription,
  OutputDescription,
  RenderDescription,
  VideoEncode,
} from "../../src/media/description.ts";
import { type Device, detectToolchain } from "../../src/media/devices.ts";
import { dialectOf } from "../../src/media/dialect.ts";
import { gpuSkills } from "../../src/media/gpu-skill.ts";
import type { FilterChain } from "../../src/media/graph.ts";
import { type Avoided, placeOn } from "../../src/media/placement.ts";
import { probe } from "../../src/media/probe.ts";
import { LocalRunner } from "../../src/runners/local.ts";
import { needOf } from "../../src/runners/need.ts";
import { clip, ffmpeg } from "../clips.ts";
import { type BoxName, enterBox, gpuBox } from "../gpu-box.ts";

setDefaultTimeout(120_000);

const toolchain = await detectToolchain({ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe" });
const flags = { "storage.reserveBytes": 0, "ffmpeg.niceness": 0 };
const config = await loadConfig({ file: null, environment: {}, flags });
const { overlayCudaPads } = dialectOf(toolchain.release);

const root = mkdtempSync(join(tmpdir(), "engine-overlay-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Five frames of one colour. */
function film(color: string, size: string, ...more: string[]): string {
  const encoder = more.length > 0 ? more : ["-c:v", "libx264", "-pix_fmt", "yuv420p"];
  return clip(`${color}-${size}${more.at(-1) ?? ""}.mkv`, (path) =>
    ffmpeg("-f", "lavfi", "-i", `color=c=${color}:s=${size}:r=5:d=1`, ...encoder, path),
  );
}

/** A picture: its left half one colour, its right half that colour seen through by half. */
function still(color: string, size: string): string {
  const half = `geq=r=r(X\\,Y):g=g(X\\,Y):b=b(X\\,Y):a=if(lt(X\\,W/2)\\,255\\,128)`;
  return clip(`${color}-${size}.png`, (path) =>
    ffmpeg(
      ...["-f", "lavfi", "-i", `color=c=${color}:s=${size},format=rgba,${half}`],
      ...["-frames:v", "1", "-update", "1", path],
    ),
  );
}

function gpuOf(gpus: BoxName, uuid: string): Device {
  const computeCapability = gpus === "h200" ? "9.0" : "8.9";
  const skills = gpuSkills.filter(({ work }) => work === "decode" || gpus !== "h200");
  const traits = { uuid, computeCapability, memoryTotalBytes: null, skills };
  return { id: "gpu:0", kind: "gpu", title: gpus, slots: 1, traits };
}

async function inputOf(path: string, index: number): Promise<InputDescription> {
  const { video } = await probe(path, toolchain);
  if (video === null) throw new Error(`${path} has a picture`);
  const { codec, pixelFormat, bitDepth, width, height } = video;
  const picture = { codec, pixelFormat, bitDepth, width, height, rotation: 0, interlaced: false };
  const png = path.endsWith(".png");
  return { from: { asset: index }, picture, ...(png ? { still: "png" } : {}) };
}

interface Rendition {
  pad: string;
  width: number;
  height: number;
  more?: Partial<VideoEncode>;
}

function outputOf({ pad, width, height, more }: Rendition): OutputDescription {
  return {
    ...{ file: `${pad}.mkv`, container: "mkv", audio: [], subtitles: [] },
    ...{ metadataFrom: null, limitSeconds: null },
    video: {
      ...{ kind: "encode", source: { pad }, codec: "h264", rate: { quality: 90 }, speed: "fast" },
      ...{ pixelFormat: "yuv420p", gopFrames: 5, width, height },
      color: { primaries: null, transfer: null, space: null, range: null },
      ...more,
    },
  };
}

interface Work {
  sources: string[];
  graph: FilterChain[];
  renditions: Rendition[];
  gpus?: BoxName;
  avoided?: Avoided;
}

let jobs = 0;

async function render({ sources, graph, renditions, gpus = "twoL4", avoided }: Work) {
  using box = gpuBox({ gpus });
  using _inside = await enterBox(box);
  const description: RenderDescription = {
    inputs: await Promise.all(sources.map(inputOf)),
    graph,
    outputs: renditions.map(outputOf),
    expectedSeconds: 1,
  };
  const jobFolder = join(root, `job-${++jobs}`);
  mkdirSync(jobFolder);
  const device = gpuOf(gpus, box.uuid(0));
  const work = { kind: "render", description } as const;
  const expectations = renditions.map(
    ({ pad, width, height }): Expectation => ({
      ...{ file: `${pad}.mkv`, kind: "video", durationSeconds: 1 },
      ...{ video: { codec: "h264", width, height }, audioTracks: 0, audioCodecs: [] },
    }),
  );
  const outcome = await new LocalRunner({ toolchain, config }).run({
    ...{ device, work, assetPaths: sources, jobFolder, step: "render", expectations },
    ...(avoided === undefined ? {} : { avoided }),
    ...{ verify: "full", signal: new AbortController().signal, onProgress: () => {} },
  });
  if (outcome.kind !== "done" || outcome.proof === null) throw new Error(JSON.stringify(outcome));
  const events = box.logEvents();
  const count = (name: string) => events.filter(({ ev }) => ev === name).length;
  const { proof, deviceReason, outputs } = outcome;
  const need = needOf(work, placeOn(description, { device, toolchain }, avoided));
  return { proof, deviceReason, outputs, need, events, count };
}

/** The red, green and blue of pixels of the second frame of a file. */
function pixelsOf(path: string, width: number) {
  const argv = ["-i", path, "-vf", "select=eq(n\\,1)", "-frames:v", "1", "-pix_fmt", "rgb24"];
  const done = Bun.spawnSync(["ffmpeg", "-v", "error", ...argv, "-f", "rawvideo", "-"]);
  return (x: number, y: number) => [...done.stdout.subarray((y * width + x) * 3).subarray(0, 3)];
}

function near(found: number[], wanted: number[]): boolean {
  return found.every((value, index) => Math.abs(value - (wanted[index] ?? -99)) <= 14);
}

const red = [255, 0, 0];
const blue = [0, 0, 255];
const purple = [128, 0, 128];
const input = (index: number) => ({ input: index, stream: 0 });

/** A picture of 64×32 at 100, 60 over a film of one width. */
function expectLaid(path: string, width: number): void {
  const at = pixelsOf(path, width);
  const looks: [x: number, y: number, color: number[]][] = [
    ...(
      [
        [102, 62, blue],
        [128, 88, blue],
        [136, 62, purple],
        [161, 89, purple],
      ] as const
    ).map(([x, y, color]): [number, number, number[]] => [x, y, color]),
    [96, 70, red],
    [168, 70, red],
    [110, 56, red],
    [110, 96, red],
  ];
  for (const [x, y, color] of looks) {
    const found = at(x, y);
    expect({ x, y, found: near(found, color) ? color : found }).toEqual({ x, y, found: color });
  }
}

describe("a still with alpha over a film", () => {
  const logo = () => still("blue", "64x32");
  const lay: FilterChain["filters"] = [
    { filter: "overlay", x: 100, y: 60 },
    { filter: "format", pixelFormats: ["yuv420p"] },
  ];
  const format: FilterChain["filters"][number] = { filter: "format", pixelFormats: ["yuv420p"] };
  const cases: Record<string, { source: string; graph: FilterChain[]; size: [number, number] }> = {
    "of 720 lines": {
      source: film("red", "1280x720"),
      graph: [{ from: [input(0), input(1)], filters: lay, to: "out" }],
      size: [1280, 720],
    },
    "of 1080 lines": {
      source: film("red", "1920x1080"),
      graph: [{ from: [input(0), input(1)], filters: lay, to: "out" }],
      size: [1920, 1080],
    },
    "scaled to 360 lines, the still by the CPU": {
      source: film("red", "1280x720"),
      graph: [
        {
          from: input(0),
          filters: [{ filter: "scale", width: 640, height: 360 }, format],
          to: "small",
        },
        {
          from: input(1),
          filters: [
            { filter: "scale", width: 64, height: 32 },
            { filter: "format", pixelFormats: ["yuva420p"] },
          ],
          to: "logo",
        },
        { from: [{ pad: "small" }, { pad: "logo" }], filters: lay, to: "out" },
      ],
      size: [640, 360],
    },
  };
  for (const [title, { source, graph, size }] of Object.entries(cases)) {
    test(title, async () => {
      const [width, height] = size;
      const picture = title.includes("CPU") ? still("blue", "128x64") : logo();
      const renditions = [{ pad: "out", width, height }];
      const result = await render({ sources: [source, picture], graph, renditions });
      const [output] = result.outputs;
      expect(output?.media?.video).toMatchObject({ width, height });
      expectLaid(output?.path ?? "", width);
      expect(result.count("nvdec_open")).toBe(1);
      expect(result.count("init")).toBe(1);
      if (overlayCudaPads) {
        expect(result.proof).toMatchObject({
          decoder: "NVDEC",
          filters: "CPU",
          encoder: "h264_nvenc",
        });
        expect(result.deviceReason).toEndWith(
          "a picture is laid over it, and the height that this ffmpeg makes of that on a GPU is wrong",
        );
        return;
      }
      expect(result.proof).toMatchObject({
        decoder: "NVDEC",
        filters: "CUDA",
        encoder: "h264_nvenc",
      });
      expect(result.deviceReason).toEndWith("frames never leave the card");
      // Nothing went down. That something came up is said once, however much it was: here it is the still.
      expect(result.count("copy_down")).toBe(0);
      expect(result.count("copy_up")).toBe(1);
    });
  }

  test("with ten bits, made eight", async () => {
    const ten = ["-c:v", "libx265", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p10le"];
    const result = await render({
      sources: [film("red", "640x360", ...ten), logo()],
      graph: [{ from: [input(0), input(1)], filters: lay, to: "out" }],
      renditions: [{ pad: "out", width: 640, height: 360 }],
    });
    // What the emulated NVDEC makes of HEVC is grey; the still is laid over it all the same.
    const at = pixelsOf(result.outputs[0]?.path ?? "", 640);
    expect(near(at(110, 70), blue)).toBe(true);
    expect(near(at(110, 56), blue)).toBe(false);
    expect(result.outputs[0]?.media?.video).toMatchObject({ pixelFormat: "yuv420p", height: 360 });
    expect(result.proof.filters).toBe(overlayCudaPads ? "CPU" : "CUDA");
  });

  test("where NVDEC failed before, both come up to one device", async () => {
    const result = await render({
      sources: [film("red", "1280x720"), logo()],
      graph: [
        { from: input(0), filters: [{ filter: "scale", width: 640, height: 360 }], to: "small" },
        { from: [{ pad: "small" }, input(1)], filters: lay, to: "out" },
      ],
      renditions: [{ pad: "out", width: 640, height: 360 }],
      avoided: { decode: true, filters: false },
    });
    expectLaid(result.outputs[0]?.path ?? "", 640);
    expect(result.proof.filters).toBe(overlayCudaPads ? "CPU" : "CUDA");
    expect(result.count("ctx")).toBe(1);
  });

  test("where the GPU has no encoder, the result comes down", async () => {
    const result = await render({
      sources: [film("red", "1280x720"), logo()],
      graph: [
        { from: input(0), filters: [{ filter: "scale", width: 640, height: 360 }], to: "small" },
        { from: [{ pad: "small" }, input(1)], filters: lay, to: "out" },
      ],
      renditions: [{ pad: "out", width: 640, height: 360 }],
      gpus: "h200",
    });
    expectLaid(result.outputs[0]?.path ?? "", 640);
    expect(result.proof).toMatchObject({ decoder: "NVDEC", encoder: "libx264" });
    expect(result.proof.filters).toBe(overlayCudaPads ? "CPU" : "CUDA");
  });
});

test("a film in a film", async () => {
  const result = await render({
    sources: [film("red", "1280x720"), film("blue", "640x360")],
    graph: [
      { from: input(1), filters: [{ filter: "scale", width: 160, height: 90 }], to: "small" },
      {
        from: [input(0), { pad: "small" }],
        filters: [
          { filter: "overlay", x: 1100, y: 20 },
          { filter: "format", pixelFormats: ["yuv420p"] },
        ],
        to: "out",
      },
    ],
    renditions: [{ pad: "out", width: 1280, height: 720 }],
  });
  const at = pixelsOf(result.outputs[0]?.path ?? "", 1280);
  const spots = [
    [1104, 24],
    [1255, 105],
    [1096, 24],
    [1104, 114],
  ].map(([x = 0, y = 0]) => at(x, y));
  expect(
    spots.map((found) => (near(found, blue) ? "blue" : near(found, red) ? "red" : found)),
  ).toEqual(["blue", "blue", "red", "red"]);
  expect(result.count("nvdec_open")).toBe(2);
  expect(result.need.decoders).toBe(2);
  expect(result.proof.filters).toBe(overlayCudaPads ? "CPU" : "CUDA");
  if (!overlayCudaPads) expect(result.count("copy_down") + result.count("copy_up")).toBe(0);
});

describe("one film becomes several", () => {
  const rungs: [string, number, number][] = [
    ["high", 640, 360],
    ["middle", 480, 270],
    ["low", 320, 180],
  ];
  const ladder: FilterChain[] = [
    { from: input(0), filters: [{ filter: "split", count: 3 }], to: ["a", "b", "c"] },
    ...rungs.map(
      ([to, width, height], index): FilterChain => ({
        from: { pad: "abc".charAt(index) },
        filters: [
          { filter: "scale", width, height },
          { filter: "format", pixelFormats: ["yuv420p"] },
        ],
        to,
      }),
    ),
  ];
  const renditions = rungs.map(([pad, width, height]) => ({ pad, width, height }));

  test("from one decoder to three sessions, and no frame leaves the card", async () => {
    const result = await render({ sources: [film("red", "1280x720")], graph: ladder, renditions });
    const sizes = result.events.filter(({ ev }) => ev === "init").map(({ w, h }) => [w, h]);
    expect(sizes.sort()).toEqual([
      [320, 180],
      [480, 270],
      [640, 360],
    ]);
    expect(result.count("nvdec_open")).toBe(1);
    expect(result.count("copy_down") + result.count("copy_up")).toBe(0);
    expect(result.outputs.map(({ media }) => media?.video?.height)).toEqual([360, 270, 180]);
    expect(result.need).toMatchObject({ sessions: 3, decoders: 1 });
    for (const [index, { path }] of result.outputs.entries()) {
      expect(near(pixelsOf(path, rungs[index]?.[1] ?? 0)(100, 100), red)).toBe(true);
    }
  });

  test("a branch in the size of the source is encoded beside a smaller one", async () => {
    const result = await render({
      sources: [film("red", "1280x720")],
      graph: [
        { from: input(0), filters: [{ filter: "split", count: 2 }], to: ["same", "b"] },
        { from: { pad: "b" }, filters: [{ filter: "scale", width: 320, height: 180 }], to: "low" },
      ],
      renditions: [
        { pad: "same", width: 1280, height: 720 },
        { pad: "low", width: 320, height: 180 },
      ],
    });
    expect(result.count("init")).toBe(2);
    expect(result.count("copy_down") + result.count("copy_up")).toBe(0);
  });

  test("each comes down for the CPU where the GPU has no encoder", async () => {
    const [high, , low] = renditions;
    const result = await render({
      sources: [film("red", "1280x720")],
      graph: [
        { from: input(0), filters: [{ filter: "split", count: 2 }], to: ["high", "b"] },
        { from: { pad: "b" }, filters: [{ filter: "scale", width: 320, height: 180 }], to: "low" },
      ],
      renditions: [
        { ...high, pad: "high", width: 1280, height: 720 },
        { pad: "low", width: 320, height: 180, ...low },
      ],
      gpus: "h200",
    });
    expect(result.outputs.map(({ media }) => media?.video?.height)).toEqual([720, 180]);
    expect(result.proof).toMatchObject({ decoder: "NVDEC", filters: "CUDA", encoder: "libx264" });
    expect(result.need).toMatchObject({ sessions: 0, decoders: 1 });
  });

  test("with keyframes at the same times", async () => {
    const more = { forcedKeyframes: { everySeconds: 0.4 }, gopFrames: 50 };
    const result = await render({
      sources: [film("red", "1280x720")],
      graph: ladder,
      renditions: renditions.map((rendition) => ({ ...rendition, more })),
    });
    for (const { path } of result.outputs) {
      const what = ["-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", path];
      const said = Bun.spawnSync(["ffprobe", "-v", "error", ...what]).stdout.toString();
      const keys = said.split("\n").filter((line) => line.includes("K"));
      expect(keys.map((line) => Number(line.split(",")[0]))).toEqual([0, 0.4, 0.8]);
    }
  });
});
