/** The argv of runs on a GPU, for the ffmpegs of Debian 12, 13 and sid. */
import { describe, expect, test } from "bun:test";
import { audio, everything, hdr10Video, media, video } from "../../tests/operations/specimen.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import type { VideoEncode } from "./description.ts";
import type { Device, Toolchain } from "./devices.ts";
import { dialectOf } from "./dialect.ts";
import { type GpuCodec, gpuSkills } from "./gpu-skill.ts";
import type { MediaInfo } from "./media.ts";
import { nvencOptions } from "./nvenc.ts";
import { renderArgv } from "./render.ts";
import { safeInputFlags } from "./safety.ts";

function toolchainOf(major: number, minor: number): Toolchain {
  const nvenc = ["h264_nvenc", "hevc_nvenc", ...(major >= 6 ? ["av1_nvenc"] : [])];
  return {
    ffmpegPath: "/usr/bin/ffmpeg",
    ffprobePath: "/usr/bin/ffprobe",
    version: `${major}.${minor}`,
    release: { major, minor },
    encoders: new Set([...everything.encoders, ...nvenc]),
    decoders: new Set(["av1", "libdav1d"]),
    filters: new Set([...everything.filters, "scale_cuda", "hwupload_cuda"]),
    hwaccels: new Set(["cuda"]),
  };
}

function gpu(title: string, computeCapability: string | null, encodes = true): Device {
  const skills = gpuSkills.filter(({ work, codec, bitDepth }) =>
    work === "decode" ? true : encodes && !(codec === "h264" && bitDepth === 10),
  );
  const traits = { uuid: "GPU-1", computeCapability, memoryTotalBytes: null, skills };
  return { id: "gpu:0", kind: "gpu", title, slots: 1, traits };
}

const l4 = gpu("NVIDIA L4", "8.9");
const h200 = gpu("NVIDIA H200", "9.0", false);

function rendered(params: unknown, source: MediaInfo, target: Parameters<typeof renderArgv>[1]) {
  const operation = findOperation("transcode");
  const inputs = [{ name: "match.mov", media: source }];
  const plan = planFor(operation, parseParams(operation, params), inputs, everything);
  const work = plan.steps[0]?.work;
  if (work?.kind !== "render") throw new Error("the first step renders");
  const files = { resolve: () => "/data/as_1", outputFolder: "/jobs/jb_1" };
  const run = renderArgv(work.description, target, files);
  const argv = run.argv.join("\n").replaceAll(safeInputFlags().join("\n"), "SAFE");
  return `${run.deviceReason}\n${argv}`;
}

/** The lines that go and those that come. */
function changes(before: string, after: string): string[] {
  const [old, young] = [before.split("\n"), after.split("\n")];
  const gone = old.filter((line) => !young.includes(line)).map((line) => `- ${line}`);
  return [...gone, ...young.filter((line) => !old.includes(line)).map((line) => `+ ${line}`)];
}

describe("the argv", () => {
  const small = { video: { codec: "h264", maxHeight: 720 } };
  const turned = media({ video: video({ rotation: 90 }) });
  const cases: [title: string, params: unknown, source: MediaInfo, device: Device][] = [
    ["all on the GPU", small, media(), l4],
    [
      "all on the GPU, with ten bits, as large as it is",
      { video: { codec: "hevc", quality: 70 } },
      media({ video: hdr10Video }),
      l4,
    ],
    [
      "from AV1, much smaller, every other frame",
      { video: { codec: "h264", maxHeight: 240, frameRate: 12.5 } },
      media({ video: video({ codec: "av1" }) }),
      l4,
    ],
    ["NVDEC and NVENC, and the CPU between them", { ...small, container: "mkv" }, turned, l4],
    ["the CPU, and then the GPU", small, media({ video: video({ codec: "mpeg2video" }) }), l4],
    [
      "the CPU, and NVENC with ten bits",
      { video: { codec: "hevc" } },
      media({ video: video({ codec: "prores", pixelFormat: "yuv422p10le", bitDepth: 10 }) }),
      l4,
    ],
    ["a GPU without an encoder", small, media(), h200],
    [
      "to AV1",
      { video: { codec: "av1", maxHeight: 1080 }, speed: "best" },
      media({ video: video({ width: 3840, height: 2160 }), audio: [audio()] }),
      l4,
    ],
    ["a bit rate", { video: { codec: "h264", bitRate: 2_000_000 }, speed: "fast" }, media(), l4],
  ];
  const releases = [
    [5, 1],
    [7, 1],
    [9, 0],
  ] as const;
  for (const [title, params, source, device] of cases) {
    test(title, () => {
      const [first, ...later] = releases.map(([major, minor]) =>
        rendered(params, source, { device, toolchain: toolchainOf(major, minor) }),
      );
      expect(first).toMatchSnapshot("on 5.1");
      const [debian13 = "", sid] = later;
      expect(changes(first ?? "", debian13)).toMatchSnapshot("on 7.1, what is another");
      // Nothing that is said here changed between them.
      expect(sid).toBe(debian13);
    });
  }

  test("of a description that the CPU alone can do is that of the CPU", () => {
    const cpu: Device = { id: "cpu", kind: "cpu", title: "CPU", slots: 1 };
    const toolchain = toolchainOf(5, 1);
    const source = media({ video: video({ codec: "av1" }) });
    const params = { video: { codec: "h264" } };
    const argvOn = (device: Device) =>
      rendered(params, source, { device, toolchain }).split("\n").slice(1);
    expect(argvOn(h200)).toEqual(argvOn(cpu));
  });
});

describe("NVENC is asked for what the generation has", () => {
  const encode: VideoEncode = {
    ...{ kind: "encode", source: { pad: "picture" }, codec: "h264", rate: { quality: 65 } },
    ...{ speed: "balanced", pixelFormat: "yuv420p", gopFrames: 100 },
    color: { primaries: null, transfer: null, space: null, range: null },
  };
  const asked = (codec: GpuCodec, title: string, capability: string | null) => {
    const dialect = dialectOf({ major: 7, minor: 1 });
    const options = nvencOptions(codec, encode, { device: gpu(title, capability), dialect });
    const value = (name: string) => options[options.indexOf(name) + 1] ?? "";
    const has = (name: string) => options.includes(name);
    return [
      `bf ${value("-bf")}`,
      value("-b_ref_mode"),
      ...(has("-temporal-aq") ? ["temporal"] : []),
      ...(has("-rc-lookahead") ? ["lookahead"] : []),
    ].join(" ");
  };
  const everythingThereIs = "bf 3 middle temporal lookahead";

  test.each([
    ["NVIDIA GeForce GTX 970", "5.2", "bf 3 disabled", "bf 0 disabled"],
    ["NVIDIA GeForce GTX 1060", "6.1", everythingThereIs, "bf 0 disabled lookahead"],
    ["NVIDIA GeForce GTX 1650", "7.5", everythingThereIs, "bf 0 disabled lookahead"],
    ["NVIDIA T1000 8GB", "7.5", everythingThereIs, "bf 0 disabled lookahead"],
    ["Tesla T4", "7.5", everythingThereIs, everythingThereIs],
    ["NVIDIA GeForce GTX 1660 Ti", "7.5", everythingThereIs, everythingThereIs],
    ["NVIDIA A10", "8.6", everythingThereIs, everythingThereIs],
    ["NVIDIA GeForce RTX 5090", "12.0", everythingThereIs, everythingThereIs],
    ["a GPU that says nothing", null, "bf 3 disabled", "bf 0 disabled"],
  ])("on %s", (title, capability, h264, hevc) => {
    expect(asked("h264", title, capability)).toBe(h264);
    expect(asked("hevc", title, capability)).toBe(hevc);
  });

  test("AV1 has all of it", () => expect(asked("av1", "NVIDIA L4", "8.9")).toBe(everythingThereIs));

  test("no B-frames between uneven times where the release shows them wrongly", () => {
    const bFrames = (major: number, variableFrameRate: boolean) => {
      const uneven = { ...encode, variableFrameRate };
      const dialect = dialectOf({ major, minor: 1 });
      const options = nvencOptions("h264", uneven, { device: l4, dialect });
      return [options[options.indexOf("-bf") + 1], options[options.indexOf("-b_ref_mode") + 1]];
    };
    expect(bFrames(5, true)).toEqual(["0", "disabled"]);
    expect(bFrames(5, false)).toEqual(["3", "middle"]);
    expect(bFrames(7, true)).toEqual(["3", "middle"]);
  });

  test("the lowest quality of AV1 is what the release can say", () => {
    const cq = (major: number, minor: number) => {
      const worst = { ...encode, rate: { quality: 0 } };
      const dialect = dialectOf({ major, minor });
      const options = nvencOptions("av1", worst, { device: l4, dialect });
      return options[options.indexOf("-cq") + 1];
    };
    expect([cq(6, 0), cq(7, 1)]).toEqual(["51", "63"]);
  });
});
