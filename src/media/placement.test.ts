import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { everything, hdr10Video, media, video } from "../../tests/operations/specimen.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import { Refusal } from "../trouble.ts";
import type { RenderDescription } from "./description.ts";
import type { Device, Toolchain } from "./devices.ts";
import { type GpuSkill, gpuSkills } from "./gpu-skill.ts";
import type { MediaInfo } from "./media.ts";
import { placeOn, usesGpu } from "./placement.ts";
import { renderArgv } from "./render.ts";

const toolchain: Toolchain = {
  ffmpegPath: "/usr/bin/ffmpeg",
  ffprobePath: "/usr/bin/ffprobe",
  version: "7.1.5",
  release: { major: 7, minor: 1 },
  encoders: new Set([...everything.encoders, "h264_nvenc", "hevc_nvenc", "av1_nvenc"]),
  decoders: new Set(["av1"]),
  filters: new Set([...everything.filters, "scale_cuda", "hwupload_cuda"]),
  hwaccels: new Set(["cuda"]),
};

const everySkill = (skill: GpuSkill) => !(skill.codec === "h264" && skill.bitDepth === 10);

function gpu(computeCapability: string | null, can = everySkill, title = "NVIDIA L4"): Device {
  const skills = gpuSkills.filter((skill) => skill.work === "decode" || can(skill));
  const traits = { uuid: "GPU-1", computeCapability, memoryTotalBytes: null, skills };
  return { id: "gpu:0", kind: "gpu", title, slots: 1, traits };
}

const l4 = gpu("8.9");
const cpu: Device = { id: "cpu", kind: "cpu", title: "CPU", slots: 1 };

function describeJob(name: string, params: unknown, source: MediaInfo): RenderDescription {
  const operation = findOperation(name);
  const inputs = [{ name: "match.mov", media: source }];
  const plan = planFor(operation, parseParams(operation, params), inputs, everything);
  const work = plan.steps[0]?.work;
  if (work?.kind !== "render") throw new Error("the first step renders");
  return work.description;
}

const transcode = (params: unknown, source = media()) => describeJob("transcode", params, source);

/** "nvdec cuda nvenc", and the reason. */
function placed(description: RenderDescription, device = l4, tools = toolchain) {
  const { decode, filters, encode, because } = placeOn(description, { device, toolchain: tools });
  return [[decode, filters, encode].map((part) => part ?? "-").join(" "), because];
}

describe("where each part is done", () => {
  const small = { video: { codec: "h264", maxHeight: 720 } };
  const of = (about: Parameters<typeof video>[0]) => media({ video: video(about) });
  const mastered = {
    mastering: null,
    light: { maxContentNits: 1000, maxAverageNits: 400 },
  };
  const cases: [
    title: string,
    description: RenderDescription,
    expected: [string, string],
    device?: Device,
  ][] = [
    ["all on the GPU", transcode(small), ["nvdec cuda nvenc", ""]],
    ["nothing on a CPU", transcode(small), ["cpu cpu cpu", ""], cpu],
    ["a copy is nowhere", transcode({}), ["- - -", ""]],
    ["sound alone is nowhere", transcode({ audio: { codec: "mp3" } }), ["- - -", ""]],
    [
      "VP9 is encoded by the CPU",
      transcode({ container: "webm" }),
      ["nvdec cpu cpu", "no GPU encodes VP9"],
    ],
    [
      "VP9 is scaled on the way",
      transcode({ container: "webm", video: { maxHeight: 480 } }),
      ["nvdec cuda cpu", "no GPU encodes VP9"],
    ],
    [
      "a turned picture",
      transcode({ ...small, container: "mkv" }, of({ rotation: 90 })),
      ["nvdec cpu nvenc", "the picture is turned upright, which is work for the CPU"],
    ],
    [
      "fields",
      transcode(small, of({ interlaced: true })),
      ["nvdec cpu nvenc", "the picture is deinterlaced, which is work for the CPU"],
    ],
    [
      "bars",
      transcode({ video: { ...small.video, maxWidth: 720, fit: "pad" } }),
      ["nvdec cpu nvenc", "the picture gets bars, which is work for the CPU"],
    ],
    [
      "a crop",
      transcode({ video: { ...small.video, maxWidth: 720, fit: "crop" } }),
      ["nvdec cpu nvenc", "the picture is cropped, which is work for the CPU"],
    ],
    [
      "HDR made SDR",
      transcode(small, media({ video: hdr10Video })),
      ["nvdec cpu nvenc", "HDR is made SDR, which is work for the CPU"],
    ],
    [
      "full range",
      transcode(small, of({ colorRange: "pc" })),
      ["nvdec cpu nvenc", "the picture's levels are converted, which is work for the CPU"],
    ],
    [
      "HDR that stays, without a mastering display",
      transcode({ video: { codec: "hevc", quality: 50 } }, media({ video: hdr10Video })),
      ["nvdec cuda nvenc", ""],
    ],
    [
      "HDR with its metadata",
      transcode(
        { video: { codec: "hevc", quality: 50 } },
        media({ video: { ...hdr10Video, hdrMetadata: mastered } }),
      ),
      ["nvdec cpu cpu", "with NVENC the HDR metadata would be lost"],
    ],
    [
      "a codec that NVDEC has not, in 4:2:0: the card scales what comes up",
      transcode(small, of({ codec: "mpeg2video" })),
      ["cpu cuda nvenc", "mpeg2video is left to the CPU"],
    ],
    [
      "the same in its own size",
      transcode({ video: { codec: "h264" } }, of({ codec: "mpeg2video" })),
      ["cpu cpu nvenc", "mpeg2video is left to the CPU"],
    ],
    [
      "4:2:2",
      transcode(small, of({ pixelFormat: "yuv422p10le", bitDepth: 10, codec: "prores" })),
      ["cpu cpu nvenc", "prores is left to the CPU; the input is not 4:2:0"],
    ],
    [
      "H.264 with ten bits",
      transcode(small, of({ pixelFormat: "yuv420p10le", bitDepth: 10 })),
      ["cpu cuda nvenc", "this GPU does not decode H.264 with 10 bits"],
    ],
    ["AV1 on Ampere", transcode(small, of({ codec: "av1" })), ["nvdec cuda nvenc", ""], gpu("8.6")],
    [
      "AV1 on a T4",
      transcode(small, of({ codec: "av1" })),
      ["cpu cuda nvenc", "this GPU does not decode AV1"],
      gpu("7.5"),
    ],
    [
      "AV1 on Hopper",
      transcode(small, of({ codec: "av1" })),
      ["cpu cpu cpu", "this GPU does not decode AV1; this GPU has no video encoder"],
      gpu("9.0", () => false),
    ],
    [
      "an encoder that the GPU has not",
      transcode({ video: { codec: "av1", maxHeight: 720 } }),
      ["nvdec cuda cpu", "this GPU does not encode AV1"],
      gpu("8.6", ({ codec }) => codec !== "av1"),
    ],
    [
      "ten bits that the GPU has not",
      transcode({ video: { codec: "h264", pixelFormat: "yuv420p10le" } }),
      ["nvdec cpu cpu", "this GPU does not encode H.264 with 10 bits"],
    ],
    [
      "a picture that is too small for NVENC",
      transcode({ video: { codec: "hevc", maxHeight: 64 } }),
      ["nvdec cuda cpu", "114×64 is too small for NVENC in HEVC"],
    ],
    [
      "one that is too large",
      transcode({ video: { codec: "h264" } }, of({ width: 5000, height: 2000, codec: "hevc" })),
      ["nvdec cpu cpu", "5000×2000 is too large for NVENC in H.264"],
    ],
    [
      "one that is too large for NVDEC",
      transcode(small, of({ width: 5000, height: 2000 })),
      ["cpu cuda nvenc", "5000×2000 is too large for NVDEC"],
    ],
    [
      "a poster",
      describeJob("thumbnails", { poster: { at: 12 } }, media()),
      ["cpu cpu cpu", "only a short piece is decoded; single pictures are made by the CPU"],
    ],
    [
      "a long sprite",
      describeJob("thumbnails", { sprite: { every: 1 } }, media()),
      [
        "nvdec cpu cpu",
        "frames are counted, which is work for the CPU; single pictures are made by the CPU",
      ],
    ],
  ];
  for (const [title, description, expected, device] of cases) {
    test(title, () => expect(placed(description, device)).toEqual(expected));
  }

  test("a GPU that says nothing of itself does nothing", () => {
    const { traits: _, ...bare } = l4;
    expect(usesGpu(placeOn(transcode(small), { device: bare, toolchain }))).toBe(false);
  });

  test("a description of before this version has no picture, and is decoded by the CPU", () => {
    const description = transcode(small);
    const inputs = description.inputs.map(({ picture: _, ...input }) => input);
    expect(placed({ ...description, inputs })).toEqual([
      "cpu cpu nvenc",
      "what the input's picture is was not said; the input is not 4:2:0",
    ]);
  });

  test("what ffmpeg was built without is done by the CPU", () => {
    const without = (part: "encoders" | "filters" | "hwaccels" | "decoders", name: string) => ({
      ...toolchain,
      [part]: new Set([...toolchain[part]].filter((each) => each !== name)),
    });
    expect(placed(transcode(small), l4, without("encoders", "h264_nvenc"))).toEqual([
      "nvdec cuda cpu",
      "this ffmpeg has no h264_nvenc",
    ]);
    expect(placed(transcode(small), l4, without("filters", "scale_cuda"))[0]).toBe(
      "nvdec cpu nvenc",
    );
    expect(placed(transcode(small), l4, without("hwaccels", "cuda"))[0]).toBe("cpu cuda nvenc");
    const av1 = transcode(small, of({ codec: "av1" }));
    expect(placed(av1, l4, without("decoders", "av1"))[0]).toBe("cpu cuda nvenc");
  });

  test("what failed before is avoided, each part for itself", () => {
    const after = (decode: boolean, filters: boolean) => {
      const placement = placeOn(transcode(small), { device: l4, toolchain }, { decode, filters });
      return [placement.decode, placement.filters, placement.encode].join(" ");
    };
    expect(after(true, false)).toBe("cpu cuda nvenc");
    expect(after(false, true)).toBe("nvdec cpu nvenc");
    expect(after(true, true)).toBe("cpu cpu nvenc");
  });
});

describe("whatever is asked for", () => {
  /** Mostly the ordinary, or nothing would ever be all on the GPU. */
  const mostly = <Value>(usual: Value, ...others: Value[]) =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(usual) },
      { weight: 1, arbitrary: fc.constantFrom(usual, ...others) },
    );
  const side = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(240, 480, 1080, 2160, 8000) },
    { weight: 1, arbitrary: fc.integer({ min: 2, max: 8192 }) },
  );
  const pictures = fc.record({
    codec: mostly("h264", "hevc", "av1", "vp9", "mpeg2video", "prores", "mjpeg"),
    pixelFormat: mostly("yuv420p", "yuvj420p", "yuv422p", "yuv420p10le", "gbrp", "nv12"),
    width: side,
    height: side,
    rotation: mostly<0 | 90 | 180 | 270>(0, 90, 180, 270),
    interlaced: mostly(false, true),
    hdr: mostly<null | "hdr10" | "hlg">(null, "hdr10", "hlg"),
  });
  const wishes = fc.record({
    container: fc.constantFrom("mp4", "mkv", "webm", "mov"),
    codec: fc.constantFrom("auto", "h264", "hevc", "av1"),
    quality: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
    maxHeight: fc.option(fc.integer({ min: 16, max: 4400 }), { nil: undefined }),
    maxWidth: fc.option(fc.integer({ min: 16, max: 8192 }), { nil: undefined }),
    frameRate: fc.option(fc.constantFrom(12.5, 25, 29.97), { nil: undefined }),
    deinterlace: mostly("auto", "on", "off"),
    fit: mostly("inside", "pad", "crop"),
    speed: fc.constantFrom("fast", "balanced", "best"),
    hdr: fc.constantFrom("keep", "sdr"),
  });
  const devices = fc
    .tuple(
      fc.constantFrom("5.2", "6.1", "7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "12.0", null),
      mostly([...gpuSkills], gpuSkills.slice(0, 2), gpuSkills.slice(-1), []),
    )
    .map(([capability, skills]): Device => {
      const { traits } = gpu(capability);
      return traits === undefined ? l4 : { ...l4, traits: { ...traits, skills } };
    });
  const releases = fc.constantFrom([5, 1], [6, 1], [7, 1], [9, 0]);
  const flags = fc.boolean();

  /** Null for what nobody would do: MOV with AV1. */
  function planned(params: unknown, source: MediaInfo): RenderDescription | null {
    try {
      return transcode(params, source);
    } catch (trouble) {
      if (trouble instanceof Refusal) return null;
      throw trouble;
    }
  }

  const onlyCpu = /^(scale|format|bwdif|crop|pad|tile|zscale|tonemap|thumbnail|tpad|trim)=/;

  /** Follows the frames through a graph of one chain; true while they lie on the card. */
  function walk(graph: string, start: boolean): boolean {
    let onCard = start;
    const filters = graph.replace(/^\[[^\]]*\]/, "").replace(/\[[^\]]*\]$/, "");
    for (const filter of filters.split(",")) {
      if (filter.startsWith("hwupload_cuda")) {
        expect(onCard).toBe(false);
        onCard = true;
      } else if (filter.startsWith("hwdownload")) {
        expect(onCard).toBe(true);
        onCard = false;
      } else if (filter.startsWith("scale_cuda")) {
        expect(onCard).toBe(true);
      } else if (onlyCpu.test(filter)) {
        expect({ filter, onCard }).toEqual({ filter, onCard: false });
      }
    }
    return onCard;
  }

  test("each filter gets its frames where it can work on them, and so does the encoder", () => {
    const ways = new Set<string>();
    fc.assert(
      fc.property(
        ...([wishes, pictures, devices, releases, flags, flags] as const),
        (wish, about, device, [major = 5, minor = 1], avoidDecode, avoidFilters) => {
          const { container, speed, hdr, deinterlace, ...rest } = wish;
          const boxed = rest.maxWidth !== undefined && rest.maxHeight !== undefined;
          const asked = { ...rest, fit: boxed ? rest.fit : "inside" };
          if (container === "webm") asked.codec = "auto";
          const bitDepth = about.pixelFormat.includes("10") ? 10 : 8;
          const source = media({ video: video({ ...about, bitDepth }) });
          const params = { container, speed, hdr, deinterlace, video: asked };
          const description = planned(params, source);
          if (description === null) return;
          const tools = { ...toolchain, release: { major, minor } };
          const { argv, placement } = renderArgv(
            description,
            {
              ...{ device, toolchain: tools },
              avoided: { decode: avoidDecode, filters: avoidFilters },
            },
            { resolve: () => "/in", outputFolder: "/out" },
          );
          if (placement.encode === null) return;
          ways.add([placement.decode, placement.filters, placement.encode].join(" "));
          const graph = argv[argv.indexOf("-filter_complex") + 1] ?? "";
          const ends = walk(graph, argv.includes("-hwaccel_output_format"));
          const encoder = argv[argv.indexOf("-c:v") + 1] ?? "";
          // NVENC alone takes frames on the card, and those have no format for ffmpeg to change.
          if (ends) expect(encoder).toEndWith("_nvenc");
          expect(argv.includes("-pix_fmt")).toBe(!ends);
          expect(argv.includes("-noautoscale")).toBe(placement.filters === "cuda");
          expect(argv.includes("-xerror")).toBe(placement.decode === "nvdec");
          expect(argv.includes("-hwaccel")).toBe(placement.decode === "nvdec");
          expect(encoder.endsWith("_nvenc")).toBe(placement.encode === "nvenc");
        },
      ),
      { numRuns: 2_000 },
    );
    // Without these the property would say little.
    for (const way of ["nvdec cuda nvenc", "cpu cuda nvenc", "nvdec cuda cpu", "nvdec cpu nvenc"]) {
      expect([...ways]).toContain(way);
    }
  });
});
