/**
 * Transcodes on emulated GPUs, as a job runs them: planned, rendered for the device, run by the real ffmpeg
 * of this machine behind the fence, and proven. What reached the driver is held against what was asked.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import type { VideoEncode } from "../../src/media/description.ts";
import type { Device } from "../../src/media/devices.ts";
import { gpuSkills } from "../../src/media/gpu-skill.ts";
import type { Avoided } from "../../src/media/placement.ts";
import { probe } from "../../src/media/probe.ts";
import { findOperation, parseParams, planFor } from "../../src/operations/index.ts";
import { LocalRunner } from "../../src/runners/local.ts";
import { ffmpeg } from "../clips.ts";
import { type BoxName, type DriverEvent, enterBox, gpuBox } from "../gpu-box.ts";
import { frameTimes } from "../operations/rehearsal.ts";
import { toolchain } from "../support/toolchain.ts";

setDefaultTimeout(120_000);

const flags = { "storage.reserveBytes": 0, "ffmpeg.niceness": 0 };
const config = await loadConfig({ file: null, environment: {}, flags });

const root = mkdtempSync(join(tmpdir(), "engine-render-"));
afterAll(() => rmSync(root, { recursive: true }));

const picture = (size: string, seconds = 1, rate = 25) => [
  ...["-f", "lavfi", "-i", `testsrc2=s=${size}:r=${rate}:d=${seconds}`],
];
const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p"];
const x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error"];

/** Each source with what its name says; one second, twenty-five frames. */
const sources: Record<string, (path: string) => void> = {
  "h264.mp4": (path) => ffmpeg(...picture("640x360"), ...x264, path),
  "hevc10.mp4": (path) => ffmpeg(...picture("320x240"), ...x265, "-pix_fmt", "yuv420p10le", path),
  "av1.mkv": (path) =>
    ffmpeg(
      ...picture("320x240"),
      "-c:v",
      "libsvtav1",
      "-preset",
      "12",
      "-svtav1-params",
      "lp=1",
      path,
    ),
  "high10.mp4": (path) => ffmpeg(...picture("640x360"), ...x264.slice(0, -1), "yuv420p10le", path),
  "prores.mov": (path) => ffmpeg(...picture("320x240"), "-c:v", "prores", path),
  "fields.ts": (path) =>
    ffmpeg(...picture("320x240", 1, 50), "-vf", "interlace", ...x264, "-x264opts", "tff=1", path),
  // Twenty-five a second, and of the first second every third is missing.
  "uneven.mp4": (path) => {
    const some = "select='not(not(mod(n,3)))+gt(n,24)'";
    ffmpeg(...picture("320x240", 2), "-vf", some, "-fps_mode", "vfr", ...x264, path);
  },
  "turned.mp4": (path) => {
    const upright = source("h264.mp4");
    // 5.1 writes the old tag, later ones the matrix.
    const old = toolchain.release.major < 6;
    const turn = old ? ["-metadata:s:v", "rotate=90"] : [];
    const display = old ? [] : ["-display_rotation", "90"];
    ffmpeg(...display, "-i", upright, "-c", "copy", ...turn, path);
  },
  "resized.ts": (path) => {
    const parts = ["640x360", "320x180"].map((size) => {
      const part = `${path}.${size}.ts`;
      ffmpeg(...picture(size), ...x264, part);
      return `file '${part}'\n`;
    });
    const list = `${path}.txt`;
    writeFileSync(list, parts.join(""));
    ffmpeg(...["-f", "concat", "-safe", "0", "-i", list, "-c", "copy", path]);
  },
};

const made = new Set<string>();

function source(name: string): string {
  const path = join(root, name);
  if (!made.has(name)) sources[name]?.(path);
  made.add(name);
  return path;
}

const titles: Partial<Record<BoxName, { title: string; computeCapability: string }>> = {
  twoL4: { title: "NVIDIA L4", computeCapability: "8.9" },
  h200: { title: "NVIDIA H200", computeCapability: "9.0" },
};

/** What the emulated GPU is able to do, as a probe would have found. */
function gpuOf(gpus: BoxName, uuid: string): Device {
  const { title, computeCapability } = titles[gpus] ?? { title: gpus, computeCapability: "8.9" };
  const skills = gpuSkills.filter(({ work, codec, bitDepth }) => {
    if (work === "encode" && gpus === "h200") return false;
    return !(work === "encode" && codec === "h264" && bitDepth === 10);
  });
  const traits = { uuid, computeCapability, memoryTotalBytes: null, skills };
  return { id: "gpu:0", kind: "gpu", title, slots: 1, traits };
}

interface Wish {
  gpus?: BoxName;
  params: Record<string, unknown>;
  avoided?: Avoided;
  environment?: Record<string, string>;
}

let jobs = 0;

/** One job on the first GPU of a box. Throws with what the job would say when it fails. */
async function transcode(name: string, wish: Wish) {
  const { gpus = "twoL4", params, avoided, environment = {} } = wish;
  const path = source(name);
  using box = gpuBox({ gpus });
  Object.assign(box.environment, environment);
  using _inside = await enterBox(box);
  const operation = findOperation("transcode");
  const inputs = [{ name, media: await probe(path, toolchain) }];
  const [step] = planFor(operation, parseParams(operation, params), inputs, toolchain).steps;
  if (step?.work.kind !== "render") throw new Error("transcode renders");
  const jobFolder = join(root, `job-${++jobs}`);
  mkdirSync(jobFolder);
  const outcome = await new LocalRunner({ toolchain, config }).run({
    device: gpuOf(gpus, box.uuid(0)),
    ...(avoided === undefined ? {} : { avoided }),
    work: step.work,
    assetPaths: [path],
    jobFolder,
    step: step.name,
    expectations: step.outputs.map(({ expectation }) => expectation),
    verify: "quick",
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
  const [output] = outcome.outputs;
  if (output === undefined || outcome.proof === null) throw new Error("one output, and its proof");
  const encode = step.work.description.outputs[0]?.video;
  if (encode?.kind !== "encode") throw new Error("it encodes");
  return { ...outcome, proof: outcome.proof, output, encode, events: box.logEvents() };
}

type Transcoded = Awaited<ReturnType<typeof transcode>>;

const named = (events: DriverEvent[], name: string) => events.filter(({ ev }) => ev === name);

/** The parameters of the one encoder that was prepared. */
function initOf({ events }: Transcoded): DriverEvent {
  const [init, ...more] = named(events, "init");
  if (init === undefined || more.length > 0) throw new Error("one encoder is prepared");
  return init;
}

/** What the plan asked for, in the driver's words. */
function asked({ codec, width, height, gopFrames }: VideoEncode) {
  return { codec, w: width, h: height, gop: gopFrames };
}

/** In every encode on an L4 at speed `balanced`: p6, high quality, variable rate, a quarter for the first pass. */
const always = {
  ...{ gpu: 0, preset: 6, tune: 1, rc: 1, multipass: 1 },
  ...{ aq: 1, taq: 1, lookahead: 20, bf: 3 },
  ...{ bitrate: 0, maxrate: 0 },
};

async function framesOf(result: Transcoded): Promise<number> {
  return frameTimes(result.output.path).length;
}

describe("all on the GPU", () => {
  const cases: [title: string, name: string, wish: Wish, cq: number][] = [
    ["H.264, scaled", "h264.mp4", { params: { video: { maxHeight: 270 } } }, 22],
    ["H.264, four times smaller", "h264.mp4", { params: { video: { maxHeight: 90 } } }, 22],
    [
      "the same size, with NVDEC's own surfaces",
      "h264.mp4",
      { params: { video: { quality: 50 } } },
      27,
    ],
    ["HEVC with ten bits", "hevc10.mp4", { params: { video: { codec: "hevc", quality: 40 } } }, 31],
    ["ten bits made eight", "hevc10.mp4", { params: { video: { codec: "h264" } } }, 22],
    ["from AV1 to HEVC", "av1.mkv", { params: { video: { codec: "hevc" } } }, 23],
    ["every other frame", "h264.mp4", { params: { video: { frameRate: 12.5 } } }, 22],
    ["a cut", "h264.mp4", { params: { video: { maxHeight: 180 }, from: 0.4 } }, 22],
  ];
  for (const [title, name, wish, cq] of cases) {
    test(title, async () => {
      const result = await transcode(name, wish);
      expect(initOf(result)).toMatchObject({ ...always, ...asked(result.encode), cq, bref: 2 });
      expect(named(result.events, "nvdec_open")).toHaveLength(1);
      // No frame left the card, and none was brought to it.
      expect(named(result.events, "copy_down")).toEqual([]);
      expect(named(result.events, "copy_up")).toEqual([]);
      expect(result.deviceReason).toEndWith("frames never leave the card");
      expect(result.proof).toMatchObject({ decoder: "NVDEC", filters: "CUDA" });
      expect(result.proof.sentence).toStartWith(
        "Decoded and encoded on NVIDIA L4 (NVDEC → CUDA filters → NVENC), ",
      );
    });
  }

  test("every frame arrives, in time", async () => {
    const whole = await transcode("h264.mp4", { params: { video: { maxHeight: 180 } } });
    expect(await framesOf(whole)).toBe(25);
    const halved = await transcode("h264.mp4", { params: { video: { frameRate: 12.5 } } });
    expect(await framesOf(halved)).toBe(13);
  });

  test("uneven distances between frames stay what they are", async () => {
    const result = await transcode("uneven.mp4", { params: { video: { maxHeight: 180 } } });
    expect(result.encode.variableFrameRate).toBe(true);
    expect(initOf(result)["bf"]).toBe(toolchain.release.major < 7 ? 0 : 3);
    const [first = 0, ...rest] = frameTimes(source("uneven.mp4"));
    const [start = 0, ...others] = frameTimes(result.output.path);
    const wanted = rest.map((time) => Math.round((time - first) * 1000));
    expect(others.map((time) => Math.round((time - start) * 1000))).toEqual(wanted);
  });

  test("AV1, where this ffmpeg has it: otherwise the CPU encodes, and says why", async () => {
    const result = await transcode("h264.mp4", {
      params: { video: { codec: "av1", maxHeight: 270 } },
    });
    if (!toolchain.encoders.has("av1_nvenc")) {
      expect(result.encoder).toBe("libsvtav1");
      expect(result.deviceReason).toContain("this ffmpeg has no av1_nvenc");
      return;
    }
    expect(initOf(result)).toMatchObject({ ...always, ...asked(result.encode), cq: 32 });
    expect(result.encoder).toBe("av1_nvenc");
    expect(named(result.events, "copy_down")).toEqual([]);
  });

  test("a bit rate has its peak and its buffer", async () => {
    const params = { video: { bitRate: 1_000_000 } };
    expect(initOf(await transcode("h264.mp4", { params }))).toMatchObject({
      ...{ rc: 1, cq: 0, bitrate: 1_000_000, maxrate: 1_500_000, bufsize: 3_000_000 },
    });
  });

  test("the speeds are p5 to p7, the best with two whole passes", async () => {
    for (const [speed, preset, multipass] of [
      ["fast", 5, 1],
      ["best", 7, 2],
    ] as const) {
      const result = await transcode("h264.mp4", { params: { speed, video: { quality: 50 } } });
      expect(initOf(result)).toMatchObject({ preset, multipass });
    }
  });

  test("a source that changes its size in the middle keeps the output's", async () => {
    const params = { video: { codec: "h264", maxHeight: 270 } };
    const result = await transcode("resized.ts", { params });
    expect(result.output.media?.video).toMatchObject({ width: 480, height: 270 });
    expect(await framesOf(result)).toBe(50);
    expect(named(result.events, "init")).toHaveLength(1);
    expect(named(result.events, "nvdec_open").map(({ w }) => w)).toEqual([640, 320]);
    expect(named(result.events, "copy_down")).toEqual([]);
  });
});

describe("a part on the CPU", () => {
  const turned = { container: "mkv", video: { codec: "h264", maxHeight: 320 } };
  const small = { video: { codec: "h264", maxHeight: 180 } };
  interface Mixed {
    name: string;
    wish: Wish;
    decoder: "NVDEC" | "CPU";
    filters: "CUDA" | "CPU";
    /** In the driver's log. */
    crossings: ("copy_up" | "copy_down")[];
    reason: string;
  }
  const cases: Record<string, Mixed> = {
    "a turned picture": {
      ...{ name: "turned.mp4", wish: { params: turned } },
      ...{ decoder: "NVDEC", filters: "CPU", crossings: ["copy_down"] },
      reason:
        "decoded by NVDEC, filtered by the CPU: the picture is turned upright, which is work for the CPU",
    },
    fields: {
      ...{ name: "fields.ts", wish: { params: small } },
      ...{ decoder: "NVDEC", filters: "CPU", crossings: ["copy_down"] },
      reason:
        "decoded by NVDEC, filtered by the CPU: the picture is deinterlaced, which is work for the CPU",
    },
    "what NVDEC does not take": {
      ...{ name: "prores.mov", wish: { params: small } },
      ...{ decoder: "CPU", filters: "CPU", crossings: [] },
      reason: "decoded and filtered by the CPU: prores is left to the CPU; the input is not 4:2:0",
    },
    "what NVDEC does not take, in 4:2:0": {
      ...{ name: "high10.mp4", wish: { params: small } },
      ...{ decoder: "CPU", filters: "CUDA", crossings: ["copy_up"] },
      reason: "decoded by the CPU, scaled by CUDA: this GPU does not decode H.264 with 10 bits",
    },
    "NVDEC failed before": {
      ...{ name: "h264.mp4", wish: { params: small, avoided: { decode: true, filters: false } } },
      ...{ decoder: "CPU", filters: "CUDA", crossings: ["copy_up"] },
      reason: "decoded by the CPU, scaled by CUDA: NVDEC failed on this input",
    },
    "CUDA's filters failed before": {
      ...{ name: "h264.mp4", wish: { params: small, avoided: { decode: false, filters: true } } },
      ...{ decoder: "NVDEC", filters: "CPU", crossings: ["copy_down"] },
      reason: "decoded by NVDEC, filtered by the CPU: CUDA's filters failed on this input",
    },
    "all but the encoder failed before": {
      ...{
        name: "hevc10.mp4",
        wish: {
          params: { video: { codec: "hevc", quality: 50 } },
          avoided: { decode: true, filters: true },
        },
      },
      ...{ decoder: "CPU", filters: "CPU", crossings: [] },
      reason:
        "decoded and filtered by the CPU: NVDEC failed on this input; CUDA's filters failed on this input",
    },
  };
  for (const [title, { name, wish, decoder, filters, crossings, reason }] of Object.entries(
    cases,
  )) {
    test(title, async () => {
      const result = await transcode(name, wish);
      expect(initOf(result)).toMatchObject({ ...always, ...asked(result.encode), bref: 2 });
      expect(named(result.events, "nvdec_open")).toHaveLength(decoder === "NVDEC" ? 1 : 0);
      const crossed = result.events.filter(({ ev }) => ev === "copy_up" || ev === "copy_down");
      expect(crossed.map(({ ev }) => ev)).toEqual(crossings);
      expect(result.deviceReason).toEndWith(`on NVIDIA L4; ${reason}`);
      expect(result.proof).toMatchObject({ decoder, filters, device: "NVIDIA L4" });
      const what = decoder === "NVDEC" ? "Decoded and encoded" : "Encoded";
      expect(result.proof.sentence).toStartWith(
        `${what} on NVIDIA L4 (${decoder} → ${filters} filters → NVENC), `,
      );
      expect(await framesOf(result)).toBe(25);
    });
  }

  test("where NVDEC refuses and the CPU steps in by itself, the proof says so", async () => {
    const environment = { NVFAKE_NVDEC: "none" };
    const result = await transcode("turned.mp4", { params: turned, environment });
    expect(named(result.events, "nvdec_open")).toEqual([]);
    expect(result.proof).toMatchObject({ decoder: "CPU", filters: "CPU", encoder: "h264_nvenc" });
    expect(result.proof.sentence).toStartWith("Encoded on NVIDIA L4 (CPU → CPU filters → NVENC), ");
  });
});

describe("a GPU without an encoder", () => {
  const gpus = "h200";

  test("decodes and scales, and the CPU encodes what comes down", async () => {
    const params = { video: { codec: "h264", maxHeight: 180 } };
    const result = await transcode("h264.mp4", { gpus, params });
    expect(named(result.events, "nvdec_open")).toHaveLength(1);
    expect(named(result.events, "open")).toEqual([]);
    expect(named(result.events, "copy_down")).toHaveLength(1);
    expect(result.output.media?.video).toMatchObject({
      width: 320,
      height: 180,
      pixelFormat: "yuv420p",
    });
    expect(result.deviceReason).toBe(
      "H.264 with libx264 on the CPU; decoded by NVDEC, scaled by CUDA on NVIDIA H200: this GPU has no video encoder",
    );
    expect(result.proof.sentence).toStartWith(
      "Decoded on NVIDIA H200 (NVDEC → CUDA filters → libx264), ",
    );
    expect(await framesOf(result)).toBe(25);
  });

  test("ten bits come down as ten bits", async () => {
    const params = { video: { codec: "hevc", maxHeight: 120 }, speed: "fast" };
    const result = await transcode("hevc10.mp4", { gpus, params });
    expect(result.output.media?.video?.pixelFormat).toBe("yuv420p10le");
  });

  test("decodes alone where nothing is scaled", async () => {
    const params = { video: { codec: "h264", quality: 30 }, speed: "fast" };
    const result = await transcode("h264.mp4", { gpus, params });
    expect(result.proof).toMatchObject({ decoder: "NVDEC", filters: "CPU", encoder: "libx264" });
  });

  test("has no part in AV1, which Hopper does not decode, and is not named", async () => {
    const params = { video: { codec: "h264", quality: 30 }, speed: "fast" };
    const result = await transcode("av1.mkv", { gpus, params });
    expect(result.events).toEqual([]);
    expect(result.deviceReason).toBe(
      "H.264 with libx264 on the CPU: this GPU does not decode AV1; this GPU has no video encoder",
    );
    expect(result.proof.sentence).toStartWith("Decoded and encoded on the CPU (libx264), ");
  });
});
