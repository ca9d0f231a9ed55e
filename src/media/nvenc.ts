/** NVENC: what it takes, by codec and generation of the GPU, and its words in ffmpeg. Pure. */
import type { VideoEncode } from "./description.ts";
import type { Device, Toolchain } from "./devices.ts";
import type { Dialect } from "./dialect.ts";
import { codecTitles, peakOptions } from "./encoders.ts";
import { capabilityOf, type EncoderTraits, encoderTraits } from "./generation.ts";
import { type GpuCodec, isGpuCodec } from "./gpu-skill.ts";
import { crfFor, type NvencEncoder, presetFor } from "./quality.ts";

/**
 * Sizes that NVENC codes, by the drivers' own answers from an RTX 2070 to an RTX 5090 (rigaya/NVEnc,
 * GPUFeatures). Before Turing the least are smaller; such pictures are nothing for a CPU.
 */
const limits: Record<GpuCodec, { width: number; height: number; most: number }> = {
  h264: { width: 145, height: 49, most: 4096 },
  hevc: { width: 129, height: 33, most: 8192 },
  av1: { width: 192, height: 128, most: 8192 },
};

/** What NVENC gets from memory of the CPU, for each pixel format of an output. Both are 4:2:0. */
const pixelFormats: Record<string, { memory: string; bitDepth: 8 | 10 }> = {
  yuv420p: { memory: "yuv420p", bitDepth: 8 },
  yuv420p10le: { memory: "p010le", bitDepth: 10 },
};

/** The first sentence is of H.264, which every encoder has: what it says holds for all. */
function whyNoEncoder({ traits }: Device): string | null {
  const because = traits?.lacking?.find(({ skill }) => skill.work === "encode")?.because;
  return because === undefined ? null : `it cannot encode (${because.replace(/\.$/, "")})`;
}

/** Why this GPU and ffmpeg cannot encode it, as a clause; null when they can. */
export function whyNotNvenc(
  encode: VideoEncode,
  { device, toolchain }: { device: Device; toolchain: Toolchain },
): string | null {
  const { codec, hdrMetadata = null } = encode;
  if (!isGpuCodec(codec)) return `no GPU encodes ${codecTitles[codec]}`;
  const skills = (device.traits?.skills ?? []).filter(({ work }) => work === "encode");
  if (skills.length === 0) return whyNoEncoder(device) ?? "this GPU has no video encoder";
  const pixels = pixelFormats[encode.pixelFormat];
  if (pixels === undefined) return `${encode.pixelFormat} is encoded by the CPU`;
  const { bitDepth } = pixels;
  const able = skills.some((skill) => skill.codec === codec && skill.bitDepth === bitDepth);
  const deep = bitDepth === 8 ? "" : ` with ${bitDepth} bits`;
  if (!able) return `this GPU does not encode ${codecTitles[codec]}${deep}`;
  if (!toolchain.encoders.has(nvencOf(codec))) return `this ffmpeg has no ${nvencOf(codec)}`;
  // Written by builds for NVENC's interface 13 alone, and there only when the container said it too; which
  // interface a build is for is nowhere to be read.
  if (hdrMetadata !== null) return "with NVENC the HDR metadata would be lost";
  return whyNotSize(encode, codec, capabilityOf(device.traits));
}

function whyNotSize(
  { width, height }: VideoEncode,
  codec: GpuCodec,
  capability: number,
): string | null {
  if (width === undefined || height === undefined) return null;
  const least = limits[codec];
  // Before Pascal HEVC went to 4096 too.
  const most = capability < 6 ? 4096 : least.most;
  if (width < least.width || height < least.height) {
    return `${width}×${height} is too small for NVENC in ${codecTitles[codec]}`;
  }
  if (Math.max(width, height) <= most) return null;
  return `${width}×${height} is too large for NVENC in ${codecTitles[codec]}`;
}

export function nvencOf(codec: GpuCodec): NvencEncoder {
  return `${codec}_nvenc`;
}

/** The pixel format in which NVENC takes frames from the CPU's memory: ten bits as P010 alone. */
export function nvencPixelFormat(pixelFormat: string): string {
  return pixelFormats[pixelFormat]?.memory ?? pixelFormat;
}

/** Pictures that the encoder looks ahead: beyond 20 NVIDIA's guide sees no more gain for files. */
const lookaheadFrames = "20";

/**
 * Options of NVENC, without the `-c:v`. All that a preset or a release would choose by itself is said.
 * The environment shows one GPU alone, so it is number 0.
 */
export function nvencOptions(
  codec: GpuCodec,
  encode: VideoEncode,
  { device, dialect }: { device: Pick<Device, "title" | "traits">; dialect: Dialect },
): string[] {
  const encoder = nvencOf(codec);
  const all = encoderTraits(codec, device);
  const inOrder = dialect.nvencShiftsByTicks && (encode.variableFrameRate ?? false);
  const has = inOrder ? { ...all, bFrames: false, bReference: false } : all;
  return [
    ...["-gpu", "0", "-preset", presetFor[encoder][encode.speed], "-tune", "hq"],
    ...["-rc", "vbr", ...rateOptions(encoder, encode, dialect)],
    ...["-multipass", encode.speed === "best" ? "fullres" : "qres", "-spatial-aq", "1"],
    ...(has.temporalAq ? ["-temporal-aq", "1"] : []),
    ...(has.lookahead ? ["-rc-lookahead", lookaheadFrames] : []),
    ...profileOptions(encoder, encode),
    ...["-g", String(encode.gopFrames), ...bFrameOptions(has), "-forced-idr", "1"],
    ...(encode.forcedKeyframes === undefined ? [] : ["-no-scenecut", "1", "-strict_gop", "1"]),
  ];
}

/** Half as much again for peaks, over two seconds at that peak, as on the CPU. */
function rateOptions(
  encoder: NvencEncoder,
  { rate }: VideoEncode,
  { mostAv1Cq }: Dialect,
): string[] {
  if ("quality" in rate) {
    const wanted = crfFor(encoder, rate.quality);
    const cq = encoder === "av1_nvenc" ? Math.min(wanted, mostAv1Cq) : wanted;
    const ceiling = rate.maxBitRate === undefined ? [] : peakOptions(rate.maxBitRate);
    // Without the zero ffmpeg's own 2 Mbit/s would be the ceiling.
    return ["-cq", String(cq), "-b:v", "0", ...ceiling];
  }
  return ["-b:v", String(rate.bitRate), ...peakOptions(Math.round(rate.bitRate * 1.5))];
}

/** AV1 has one profile for 4:2:0, of both depths. */
function profileOptions(encoder: NvencEncoder, { pixelFormat }: VideoEncode): string[] {
  const tenBit = pixelFormats[pixelFormat]?.bitDepth === 10;
  switch (encoder) {
    case "h264_nvenc":
      return ["-profile:v", tenBit ? "high10" : "high"];
    case "hevc_nvenc":
      return ["-profile:v", tenBit ? "main10" : "main"];
    case "av1_nvenc":
      return [];
  }
}

/** Three, so that there is a middle one. */
function bFrameOptions({ bFrames, bReference }: EncoderTraits): string[] {
  return ["-bf", bFrames ? "3" : "0", "-b_ref_mode", bReference ? "middle" : "disabled"];
}
