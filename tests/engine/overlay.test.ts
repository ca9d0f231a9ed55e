/**
 * Pictures laid over films, and films that become several, on emulated GPUs: by the real ffmpeg of this
 * machine behind the fence, looked at by their pixels and by what reached the driver.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import type { FilterChain } from "../../src/media/graph.ts";

import {
  blue,
  expectLaid,
  film,
  input,
  near,
  overlayCudaPads,
  pixelsOf,
  red,
  render,
  root,
  still,
} from "./overlay-rig.ts";

setDefaultTimeout(120_000);

afterAll(() => rmSync(root, { recursive: true }));

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
    const more = { forcedKeyframes: { everySeconds: 0.4, segmentSeconds: 0.4 }, gopFrames: 50 };
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
