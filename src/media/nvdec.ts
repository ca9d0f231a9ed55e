/** What NVDEC decodes, by the generation of the GPU, and how ffmpeg is told. Pure. */
import type { InputDescription } from "./description.ts";
import type { Device, Toolchain } from "./devices.ts";
import type { Dialect } from "./dialect.ts";
import { capabilityOf } from "./generation.ts";
import type { InputPicture } from "./media.ts";

/** What one codec needs to be decoded by NVDEC. Sizes in pixels. */
interface DecodeRule {
  title: string;
  /** The oldest compute capability with it, per bit depth; absent: no GPU. */
  from: { 8: number; 10?: number };
  /** Compute capabilities with a video engine of an older kind. */
  except: readonly number[];
  least: { width: number; height: number };
  /** Longest side. */
  most: number;
}

/**
 * NVIDIA's NVDEC application note 13.0, table 1, in 4:2:0, and the drivers' own answers (rigaya/NVEnc,
 * GPUFeatures). GA100 (8.0) and Hopper (9.0) decode as Turing does: no AV1. Of Pascal some chips have VP9
 * with ten bits and others, the GTX 1060 among them, have not.
 *
 * On the CPU by choice: MPEG-2, whose pictures are small and interlaced, so that they go to the CPU's
 * deinterlacer anyway; VP8 and MJPEG, which are rare, cheap to decode, and MJPEG mostly 4:2:2.
 */
const rules: Record<string, DecodeRule> = {
  h264: rule("H.264", { 8: 5 }, { width: 48, height: 16 }, 4096),
  hevc: rule("HEVC", { 8: 6, 10: 6.1 }, { width: 144, height: 144 }, 8192),
  vp9: rule("VP9", { 8: 6, 10: 7.5 }, { width: 128, height: 128 }, 8192),
  av1: rule("AV1", { 8: 8.6, 10: 8.6 }, { width: 128, height: 128 }, 8192, [9]),
};

function rule(
  title: string,
  from: DecodeRule["from"],
  least: DecodeRule["least"],
  most: number,
  except: readonly number[] = [],
): DecodeRule {
  return { title, from, least, most, except };
}

/** Pixel formats of 4:2:0, in the depths that the GPU works with. */
const plain420 = new Set(["yuv420p", "yuvj420p", "nv12", "yuv420p10le", "p010le"]);

export function is420({ pixelFormat, bitDepth }: InputPicture): boolean {
  return plain420.has(pixelFormat) && bitDepth <= 10;
}

/** Why NVDEC of this GPU cannot decode an input, as a clause; null when it can. */
export function whyNotNvdec(
  input: InputDescription,
  { device, toolchain }: { device: Device; toolchain: Toolchain },
): string | null {
  if (!toolchain.hwaccels.has("cuda")) return "this ffmpeg was built without NVDEC";
  const seen = device.traits?.skills.some(({ work }) => work === "decode") ?? false;
  if (!seen) return "this GPU was not seen to decode";
  if (input.still !== undefined || input.keyframesOnly) return "only single pictures are decoded";
  if (input.keepAlpha) return "transparency is decoded by the CPU";
  if (input.picture === undefined) return "what the input's picture is was not said";
  if (input.picture.codec === "av1" && !toolchain.decoders.has("av1")) {
    return "this ffmpeg was built without NVDEC for AV1";
  }
  return whyNotDecoded(input.picture, capabilityOf(device.traits));
}

function whyNotDecoded(picture: InputPicture, capability: number): string | null {
  const { codec, bitDepth, width, height } = picture;
  const found = rules[codec];
  if (found === undefined) return `${codec} is left to the CPU`;
  const depth = bitDepth === 8 || bitDepth === 10 ? bitDepth : null;
  const from = depth === null ? undefined : found.from[depth];
  const deep = bitDepth === 8 ? "" : ` with ${bitDepth} bits`;
  const able = from !== undefined && capability >= from && !found.except.includes(capability);
  if (!is420(picture)) return `NVDEC decodes 4:2:0 alone, and the input is ${picture.pixelFormat}`;
  if (!able) return `this GPU does not decode ${found.title}${deep}`;
  if (width < found.least.width || height < found.least.height) {
    return `${width}×${height} is too small for NVDEC`;
  }
  return Math.max(width, height) > found.most ? `${width}×${height} is too large for NVDEC` : null;
}

/**
 * Frames in flight that each decoder thread adds; with one per core NVDEC's limit of 32 surfaces is
 * passed ("Using more than 32 decode surfaces", ffmpeg ticket 8948). Two keep it fed.
 */
const decoderThreads = "2";

/**
 * Surfaces to spare where ffmpeg lends them: the frame that is scaled, one or two that `fps` holds, one
 * on its way. More would pass the 32 with sixteen reference frames.
 */
const spareSurfaces = "4";

/**
 * Input options that let NVDEC decode. The environment shows one GPU alone, so it is number 0.
 * @param how.onCard whether the frames stay in the GPU's memory. Otherwise ffmpeg itself takes them down,
 *   and its decoder on the CPU steps in where NVDEC refuses a stream.
 * @param how.device the name of one that was made before, instead of one of its own
 */
export function nvdecFlags(
  { picture }: InputDescription,
  how: { stream: number; onCard: boolean; dialect: Dialect; device?: string },
): string[] {
  const { stream, onCard, dialect, device = "0" } = how;
  return [
    ...["-hwaccel", "cuda", "-hwaccel_device", device],
    ...(onCard ? ["-hwaccel_output_format", "cuda"] : []),
    // ffmpeg 5.1 would take dav1d, which knows no GPU. Its own decoder of AV1 knows nothing else.
    ...(picture?.codec === "av1" ? [`-c:${stream}`, "av1"] : []),
    ...["-threads", decoderThreads],
    ...(onCard && dialect.nvdecLendsSurfaces ? ["-extra_hw_frames", spareSurfaces] : []),
  ];
}
