import { describe, expect, test } from "bun:test";
import { Failure } from "../trouble.ts";
import {
  abilitiesOf,
  cpuDevice,
  detectToolchain,
  parseCodecNames,
  parseFilterNames,
  parseHwaccelNames,
  parseRelease,
} from "./devices.ts";

const encoders = `Encoders:
 V..... = Video
 ...X.. = Codec is experimental
 ------
 V....D a64multi             Multicolor charset for Commodore 64 (codec a64_multi)
 V....D libx264              libx264 H.264 / AVC / MPEG-4 AVC (codec h264)
 VFS..D libvpx-vp9           libvpx VP9 (codec vp9)
 A..... libopus              libopus Opus (codec opus)
 S..... srt                  SubRip subtitle
`;
const filters5 = `Filters:
  T.. = Timeline support
  | = Source or sink filter
 ..C acompressor       A->A       Audio compressor.
 ... concat            N->N       Concatenate audio and video streams.
 TSC scale_cuda        V->V       GPU accelerated video resizer
 ... color             |->V       Provide an uniformly colored input.
 ... nullsink          V->|       Do absolutely nothing with the input video.
`;
/** From 9.0 on the flags have two characters and the listing may end with the exit code. */
const filters9 = `Filters:
  T. = Timeline support
 .. acompressor       A->A       Audio compressor.
 TS zscale            V->V       Apply resizing, colorspace and bit depth conversion.
 .. color             |->V       Provide an uniformly colored input.

Exiting with exit code 0
`;

describe("toolchain", () => {
  test("reads names out of the listings of 5.1 and of 9.0, legends left out", () => {
    expect([...parseCodecNames(encoders)]).toEqual([
      "a64multi",
      "libx264",
      "libvpx-vp9",
      "libopus",
      "srt",
    ]);
    expect([...parseFilterNames(filters5)]).toEqual([
      "acompressor",
      "concat",
      "scale_cuda",
      "color",
      "nullsink",
    ]);
    expect([...parseFilterNames(filters9)]).toEqual(["acompressor", "zscale", "color"]);
    const hwaccels = "Hardware acceleration methods:\nvdpau\ncuda\n\n";
    expect([...parseHwaccelNames(hwaccels)]).toEqual(["vdpau", "cuda"]);
  });

  test.each([
    ["5.1.9-0+deb12u1", { major: 5, minor: 1 }],
    ["n7.1", { major: 7, minor: 1 }],
    ["6.1.1-3ubuntu5", { major: 6, minor: 1 }],
    ["N-118000-gdeadbeef", { major: 9, minor: 0 }],
    ["git-2026-01-01-abc", { major: 9, minor: 0 }],
  ])("takes %s for release %j", (version, release) => {
    expect(parseRelease(version)).toEqual(release);
  });

  test("describes the ffmpeg of this machine, which lacks nothing", async () => {
    const toolchain = await detectToolchain({ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe" });
    expect(toolchain.ffmpegPath).toStartWith("/");
    expect(toolchain.version).toMatch(/^\d/);
    expect(toolchain.encoders.has("libx264")).toBeTrue();
    expect(toolchain.decoders.has("h264")).toBeTrue();
    expect(toolchain.filters.has("scale")).toBeTrue();
    expect(toolchain.encoders.has("=")).toBeFalse();
    expect(abilitiesOf(toolchain).filter(({ by }) => by === null)).toEqual([]);
  });

  test("says which command installs a tool that is missing", async () => {
    const absent = detectToolchain({ ffmpegPath: "/nowhere/ffmpeg", ffprobePath: "ffprobe" });
    const trouble = await absent.catch((cause: unknown) => cause);
    expect(trouble).toBeInstanceOf(Failure);
    const { report } = trouble as Failure;
    expect(report.code).toBe("tool_missing");
    expect(report.hint).toContain("sudo apt-get install ffmpeg");
  });

  test("says so when the tool is there and broken", async () => {
    const broken = detectToolchain({ ffmpegPath: "/bin/false", ffprobePath: "ffprobe" });
    const trouble = (await broken.catch((cause: unknown) => cause)) as Failure;
    expect(trouble.report.code).toBe("tool_missing");
    expect(trouble.report.message).toContain("does not answer");
  });

  test("lists what an ffmpeg lacks, for which work, and what to do", async () => {
    const toolchain = await detectToolchain({ ffmpegPath: "ffmpeg", ffprobePath: "ffprobe" });
    const encoders = new Set(toolchain.encoders);
    encoders.delete("libx265");
    encoders.delete("libaom-av1");
    const filters = new Set(toolchain.filters);
    filters.delete("zscale");
    const old = { ...toolchain, encoders, filters, release: { major: 4, minor: 4 } };
    const missing = abilitiesOf(old).filter(({ by }) => by === null);
    expect(missing.map(({ ability }) => ability)).toEqual([
      "a known ffmpeg",
      "HEVC encoding",
      "HDR to SDR conversion",
    ]);
    expect(missing[1]?.remedy).toContain("libx265");
  });

  test("offers the processor with the slots of the settings", () => {
    const device = cpuDevice(3);
    expect(device).toMatchObject({ id: "cpu", kind: "cpu", slots: 3 });
    expect(device.title).toMatch(/^CPU, \d+ cores?$/);
  });
});
