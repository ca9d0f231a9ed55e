/**
 * How large the outputs of a step should become: the first guess. Encodes by quality depend on what is seen;
 * the source's own bits per pixel say how much there is to code. Pure.
 */
import type {
  AnimationFormat,
  ImageEncode,
  StepWork,
  VideoCodec,
  VideoEncode,
} from "./description.ts";
import type { MediaInfo, VideoStream } from "./media.ts";
import { type Moving, pixelsOf, rateNumber } from "./moving.ts";
import { qualityAnchors } from "./quality.ts";
import { type Workload, workloadsOf } from "./workload.ts";

/**
 * Kilobits per second of `bench/quality.ts` at the anchors of the scale: 640×360, 24 frames a second, of
 * `docs/quality.md`. Of libvpx's last, which was not measured there, the neighbours say it.
 */
export const kilobitsAtAnchors: Record<VideoCodec, readonly number[]> = {
  h264: [69, 160, 342, 580, 957, 2259],
  hevc: [49, 117, 257, 439, 760, 2028],
  av1: [47, 103, 200, 363, 625, 2244],
  vp9: [52, 135, 341, 630, 1035, 2600],
  // By its profile, whatever the quality: 422 HQ.
  prores: [19_400, 19_400, 19_400, 19_400, 19_400, 19_400],
};
const measuredPixels = 640 * 360;
const measuredRate = 24;

/** Larger pictures have more of the same: each pixel takes fewer bits, and so does each of more frames. */
const sizePower = -0.25;
const ratePower = -0.4;

/** NVENC needs more for the same quality: NVIDIA's own comparisons with x264 and x265 at like presets. */
const nvencFactor = 1.25;

/** Bytes per pixel at quality 75, of single pictures and of each frame of an animation. */
const imageBytes: Record<ImageEncode["codec"] | AnimationFormat, number> = {
  jpeg: 0.15,
  png: 1.3,
  webp: 0.08,
  gif: 0.45,
  apng: 1,
  avif: 0.03,
};

/** Of what was not compressed. */
const losslessShare = 0.6;

/** Tables and headers of a container. */
const muxShare = 1.01;

/** A join by what is encoded for it: all of its chunks as one. */
export function asEncoded(work: StepWork): StepWork {
  return work.kind === "join" ? { kind: "render", description: work.chunk } : work;
}

/**
 * Bytes of all outputs of a step.
 * @param media of the job's assets by position
 */
export function expectedBytes(
  work: StepWork,
  media: readonly MediaInfo[],
  encode: "nvenc" | "cpu",
): number {
  if (work.kind === "write") return Buffer.byteLength(work.text);
  if (work.kind === "analyse" || work.kind === "target") return 0;
  if (work.kind === "join") {
    return expectedBytes(asEncoded(work), media, encode) + copiedBytes(work, media);
  }
  const loads = workloadsOf(work, media).map((load) => loadBytes(load, media, encode));
  if (work.kind !== "search") return loads[0] ?? 0;
  const fits = loads.find((bytes) => bytes <= work.maxBytes);
  return fits ?? (work.orLast ? (loads.at(-1) ?? 0) : work.maxBytes);
}

function loadBytes(load: Workload, media: readonly MediaInfo[], on: "nvenc" | "cpu"): number {
  const content = contentOf(media[0]?.video ?? null, media[0] ?? null);
  const pictures = load.encodes.reduce(
    (sum, { encode, picture }) => sum + videoBytes(encode, picture, content, on),
    0,
  );
  const images = load.images.reduce((sum, { encode, picture }) => {
    const format = encode.kind === "image" ? encode.codec : encode.format;
    // WebP and JPEG double from 75 to 95 and halve towards 40, roughly.
    const quality = format === "png" || format === "gif" ? 1 : 2 ** ((encode.quality - 75) / 25);
    return sum + pixelsOf(picture) * imageBytes[format] * quality;
  }, 0);
  const sounds = load.sounds.reduce((sum, { encode, seconds }) => {
    const { bitRate, bitDepth = encode.codec === "pcm_s24le" ? 24 : 16 } = encode;
    const raw = encode.channels * encode.sampleRate * bitDepth;
    const lossless = encode.codec === "flac" ? raw * losslessShare : raw;
    return sum + (seconds * (bitRate ?? lossless)) / 8;
  }, 0);
  return Math.round((pictures + images + sounds + load.copiedBytes) * muxShare);
}

/** Against HQ, by the rates that Apple names for 1080p at 29.97: 45, 102, 147 and 220 Mbit/s. */
const proresShare = { proxy: 0.205, lt: 0.464, standard: 0.668, hq: 1 };

function videoBytes(
  { codec, rate, pixelFormat, proresProfile = "hq" }: VideoEncode,
  picture: Moving,
  content: number,
  on: "nvenc" | "cpu",
): number {
  if ("bitRate" in rate) return (picture.seconds * rate.bitRate) / 8;
  const bits = bitsPerPixel(codec, rate.quality, picture) * pixelsOf(picture);
  if (codec === "prores") {
    const share = pixelFormat.includes("444") ? 1.5 : proresShare[proresProfile];
    return (share * bits) / 8;
  }
  // Little to code shows in full; a source with many bits may only be coded lavishly.
  const worth = content < 1 ? content ** 0.85 : content ** 0.3;
  return (bits * worth * (on === "nvenc" ? nvencFactor : 1)) / 8;
}

/** Bits a second of usual content at a quality. */
export function expectedBitRate(codec: VideoCodec, quality: number, picture: Moving): number {
  return (bitsPerPixel(codec, quality, picture) * pixelsOf(picture)) / picture.seconds;
}

/** Of the clip that was measured, at another size and rate. */
function bitsPerPixel(codec: VideoCodec, quality: number, picture: Moving): number {
  const bits = interpolated(kilobitsAtAnchors[codec], quality) * 1000;
  const measured = bits / (measuredPixels * measuredRate);
  if (codec === "prores") return measured;
  const size = ((picture.width * picture.height) / measuredPixels) ** sizePower;
  const rate = Math.max(picture.framesPerSecond, 1) / measuredRate;
  return measured * size * rate ** ratePower;
}

/** Quality at which the clip that was measured was well coded. */
const usualQuality = 65;

/** Against H.264, the bits of the same quality. */
const sourceCodecs: Record<string, VideoCodec> = {
  h264: "h264",
  hevc: "hevc",
  av1: "av1",
  vp9: "vp9",
};

/**
 * How much the source has to code: its bits next to those of the measured clip in its codec, size and rate.
 * 1 where that says nothing: intermediate codecs, stills, sources that do not tell.
 */
export function contentOf(video: VideoStream | null, media: MediaInfo | null): number {
  const codec = sourceCodecs[video?.codec ?? ""];
  if (video === null || codec === undefined) return 1;
  const bitRate = video.bitRate ?? media?.bitRate ?? null;
  const framesPerSecond = rateNumber(video.frameRate);
  if (bitRate === null || framesPerSecond === null) return 1;
  const { width, height } = video;
  const picture = { width, height, framesPerSecond, seconds: 1 };
  const usual = bitsPerPixel(codec, usualQuality, picture) * pixelsOf(picture);
  return Math.min(20, Math.max(0.02, bitRate / usual));
}

/** Between the anchors as straight lines of the logarithm, for each step of quality is a factor. */
function interpolated(values: readonly number[], quality: number): number {
  const right = Math.max(
    1,
    qualityAnchors.findIndex((anchor) => anchor >= quality),
  );
  const [x0 = 0, x1 = 1] = [qualityAnchors[right - 1], qualityAnchors[right]];
  const [y0 = 1, y1 = 1] = [values[right - 1], values[right]];
  return y0 * (y1 / y0) ** ((quality - x0) / (x1 - x0));
}

/** What goes over from the source as it is. */
function copiedBytes(work: StepWork, media: readonly MediaInfo[]): number {
  return workloadsOf(work, media).reduce((sum, load) => sum + load.copiedBytes, 0);
}
