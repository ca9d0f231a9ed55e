import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { audio, everything, hdr10Video, media, video } from "../../tests/operations/specimen.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import { Failure } from "../trouble.ts";
import type { RenderDescription, VideoEncode } from "./description.ts";
import type { Device, Toolchain } from "./devices.ts";
import { dialectOf } from "./dialect.ts";
import type { HdrMetadata, MediaInfo } from "./media.ts";
import { renderArgv } from "./render.ts";
import { safeInputFlags } from "./safety.ts";

const device: Device = { id: "cpu", kind: "cpu", title: "CPU, 8 cores", slots: 1 };
const toolchain: Toolchain = {
  ffmpegPath: "/usr/bin/ffmpeg",
  ffprobePath: "/usr/bin/ffprobe",
  version: "5.1.9-0+deb12u1",
  release: { major: 5, minor: 1 },
  encoders: everything.encoders,
  decoders: new Set(),
  filters: everything.filters,
  hwaccels: new Set(),
};
const files = {
  resolve: (ref: object) => ("asset" in ref ? "/data/ab/as_1" : "/jobs/jb_1/step/file"),
  outputFolder: "/jobs/jb_1/100%/out",
};

function describeJob(name: string, params: unknown, source: MediaInfo): RenderDescription {
  const operation = findOperation(name);
  const inputs = [{ name: "match.mov", media: source }];
  const plan = planFor(operation, parseParams(operation, params), inputs, everything);
  const work = plan.steps[0]?.work;
  if (work?.kind !== "render") throw new Error("the first step renders");
  return work.description;
}

/** The argv without the safety flags, which stand before every input and have tests of their own. */
function argvOf(description: RenderDescription, tools = toolchain): string[] {
  const { argv } = renderArgv(description, { device, toolchain: tools }, files);
  const flags = safeInputFlags();
  const inputs = argv.filter((word) => word === "-i").length;
  expect(argv.join(" ").split(flags.join(" ")).length - 1).toBe(inputs);
  return argv.join("\n").replaceAll(flags.join("\n"), "SAFE").split("\n");
}

describe("the argv", () => {
  const ac3 = audio({ codec: "ac3", channels: 6, channelLayout: "5.1(side)", language: "eng" });
  const mastered = {
    mastering: {
      red: [0.68, 0.32],
      green: [0.265, 0.69],
      blue: [0.15, 0.06],
      white: [0.3127, 0.329],
      minNits: 0.0001,
      maxNits: 1000,
    },
    light: { maxContentNits: 1000, maxAverageNits: 400 },
  } satisfies HdrMetadata;
  const hdr = media({ video: { ...hdr10Video, hdrMetadata: mastered }, audio: [] });
  const uneven = video({ variableFrameRate: true, width: 720, height: 576, interlaced: true });
  const cases: [title: string, operation: string, params: unknown, source: MediaInfo][] = [
    ["H.264 at 720p in MP4", "transcode", { video: { maxHeight: 720 } }, media({ audio: [ac3] })],
    ["HEVC with HDR10", "transcode", { video: { codec: "hevc", quality: 70 } }, hdr],
    ["AV1 with HDR10", "transcode", { video: { codec: "av1" }, speed: "best" }, hdr],
    ["HDR to SDR", "transcode", { hdr: "sdr" }, hdr],
    ["VP9 and Opus in WebM", "transcode", { container: "webm" }, media({ audio: [ac3] })],
    ["a bit rate", "transcode", { video: { codec: "vp9", bitRate: 2_000_000 } }, media()],
    [
      "a cut of uneven fields",
      "transcode",
      { container: "mkv", from: 1.5, to: 3, video: { maxHeight: 480 }, metadata: "strip" },
      media({ video: uneven }),
    ],
    ["a copy", "transcode", { video: { codec: "copy" } }, media({ video: hdr10Video })],
    ["sound alone", "transcode", { video: { codec: "none" }, audio: { codec: "mp3" } }, media()],
    ["a poster at a time", "thumbnails", { poster: { at: 12 } }, media()],
    ["the best poster", "thumbnails", { format: "webp" }, media()],
    ["one sheet of keyframes", "thumbnails", { sprite: { every: 30 } }, media()],
    [
      "numbered sheets",
      "thumbnails",
      { format: "png", sprite: { every: 1, columns: 4 } },
      media({ video: hdr10Video }),
    ],
  ];
  for (const [title, operation, params, source] of cases) {
    test(`of ${title}`, () => {
      expect(argvOf(describeJob(operation, params, source)).join("\n")).toMatchSnapshot();
    });
  }

  test("says what does the work and where", () => {
    const said = (params: unknown, source = media()) => {
      const description = describeJob("transcode", params, source);
      const { encoder, deviceReason } = renderArgv(description, { device, toolchain }, files);
      return [encoder, deviceReason];
    };
    expect(said({ video: { codec: "av1" } })).toEqual([
      "libsvtav1",
      "AV1 with libsvtav1 on CPU, 8 cores",
    ]);
    expect(said({})).toEqual([null, "The streams are copied: nothing is encoded"]);
    expect(said({ audio: { codec: "mp3" } })[1]).toContain("Only sound is encoded");
  });

  test("never holds a text of the user's or of the file's", () => {
    const evil = fc.string({ unit: "binary", minLength: 4 }).map((text) => `#${text}`);
    fc.assert(
      fc.property(evil, (text) => {
        const source = media({
          video: video({ colorPrimaries: text, colorTransfer: text, colorSpace: text }),
          audio: [audio({ language: text, title: text, codec: text, channelLayout: text })],
          chapters: [{ startSeconds: 0, endSeconds: 1, title: text }],
        });
        const operation = findOperation("transcode");
        const params = parseParams(operation, { video: { quality: 50 } });
        const plan = planFor(operation, params, [{ name: text, media: source }], everything);
        const work = plan.steps[0]?.work;
        if (work?.kind !== "render") throw new Error("renders");
        const { argv } = renderArgv(work.description, { device, toolchain }, files);
        expect(argv.join("\n")).not.toContain(text);
      }),
    );
  });
});

describe("encoders", () => {
  const description = describeJob("transcode", { video: { codec: "av1" } }, media());
  const without = (name: string): Toolchain => ({
    ...toolchain,
    encoders: new Set([...toolchain.encoders].filter((encoder) => encoder !== name)),
  });

  test("libaom steps in for SVT-AV1", () => {
    const argv = argvOf(description, without("libsvtav1"));
    expect(argv).toContain("libaom-av1");
    expect(argv).toContain("-cpu-used");
  });

  test("a missing one is the job's trouble, with a hint", () => {
    const hevc = describeJob("transcode", { video: { codec: "hevc" } }, media());
    const render = () => argvOf(hevc, without("libx265"));
    expect(render).toThrow(Failure);
    expect(render).toThrow("cannot encode HEVC");
  });

  test("H.264 and HEVC always say their B-frames, keyframes and profile", () => {
    for (const codec of ["h264", "hevc"]) {
      const argv = argvOf(describeJob("transcode", { video: { codec, quality: 50 } }, media()));
      for (const option of ["-bf", "-g", "-keyint_min", "-profile:v", "-pix_fmt"]) {
        expect(argv).toContain(option);
      }
    }
  });
});

describe("a broken description is a bug of ours", () => {
  const right = describeJob("transcode", { video: { quality: 50 } }, media());
  const [output] = right.outputs;
  if (output?.video?.kind !== "encode") throw new Error("it encodes");
  const encode: VideoEncode = output.video;
  const cases: [words: string, description: RenderDescription][] = [
    ["is plain", { ...right, outputs: [{ ...output, file: "../x.mp4" }] }],
    ["is plain", { ...right, outputs: [{ ...output, file: "-y.mp4" }] }],
    ["is there to be mapped", { ...right, graph: [] }],
    ["every pad is mapped", { ...right, outputs: [{ ...output, video: null }] }],
    [
      "is there to be mapped",
      { ...right, outputs: [output, { ...output, file: "b.mp4", video: encode }] },
    ],
    ["is a time", { ...right, inputs: [{ from: { asset: 0 }, seekSeconds: -1 }] }],
    ["is a time", { ...right, outputs: [{ ...output, limitSeconds: -1 }] }],
  ];
  for (const [words, description] of cases) {
    test(words, () => expect(() => argvOf(description)).toThrow(words));
  }
});

test("frames get their times by the option that the release has", () => {
  expect(dialectOf({ major: 5, minor: 1 }).frameTiming).toBe("-fps_mode");
  expect(dialectOf({ major: 9, minor: 0 }).frameTiming).toBe("-fps_mode");
  expect(dialectOf({ major: 5, minor: 0 }).frameTiming).toBe("-vsync");
});
