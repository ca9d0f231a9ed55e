/**
 * Encoders on the CPU: which one serves a codec, and its words for rate, speed, keyframes and profile.
 * Everything that an encoder would choose by itself is said explicitly, because defaults differ between
 * ffmpeg versions (GOP 250 or the preset's, profile main or high).
 */
import { Failure } from "../trouble.ts";
import type { AudioCodec, AudioEncode, VideoCodec, VideoEncode } from "./description.ts";
import type { Toolchain } from "./devices.ts";
import { type NativeFilter, renderFilter } from "./filter-syntax.ts";
import { resample, soundFormat } from "./filters-sound.ts";
import { type CpuEncoder, crfFor, presetFor } from "./quality.ts";

/** ProRes has no constant quality: its profile, which follows from the pixel format, is its rate. */
export type PictureEncoder = CpuEncoder | "prores_ks";

/** Encoders per codec, the preferred first. */
export const videoEncoders: Record<VideoCodec, readonly PictureEncoder[]> = {
  h264: ["libx264"],
  hevc: ["libx265"],
  // SVT-AV1 is several times faster than libaom at equal quality.
  av1: ["libsvtav1", "libaom-av1"],
  vp9: ["libvpx-vp9"],
  prores: ["prores_ks"],
};

export const audioEncoders: Record<AudioCodec, string> = {
  aac: "aac",
  opus: "libopus",
  mp3: "libmp3lame",
  flac: "flac",
  pcm_s16le: "pcm_s16le",
  pcm_s24le: "pcm_s24le",
};

export const codecTitles: Record<VideoCodec, string> = {
  h264: "H.264",
  hevc: "HEVC",
  av1: "AV1",
  vp9: "VP9",
  prores: "ProRes",
};

/** SVT-AV1 refuses smaller pictures. */
const svtMinPixels = 64;

/**
 * The encoder that this ffmpeg has for the codec.
 * @throws Failure `tool_missing` when it has none.
 */
export function chooseVideoEncoder(encode: VideoEncode, toolchain: Toolchain): PictureEncoder {
  const small =
    Math.min(encode.width ?? svtMinPixels, encode.height ?? svtMinPixels) < svtMinPixels;
  const candidates = videoEncoders[encode.codec].filter((name) => toolchain.encoders.has(name));
  const fitting = candidates.find((name) => !(small && name === "libsvtav1"));
  if (fitting === undefined) throw missing(codecTitles[encode.codec], toolchain);
  return fitting;
}

/** @throws Failure `tool_missing` when this ffmpeg has no encoder for the codec. */
export function chooseAudioEncoder(codec: AudioCodec, toolchain: Toolchain): string {
  const name = audioEncoders[codec];
  if (!toolchain.encoders.has(name)) throw missing(codec.toUpperCase(), toolchain);
  return name;
}

function missing(title: string, toolchain: Toolchain): Failure {
  return new Failure(
    "tool_missing",
    `The ffmpeg of this machine (${toolchain.version}) cannot encode ${title}.`,
    {
      hint: "Choose another codec, or install an ffmpeg that has it: `kinomill doctor` lists them.",
    },
  );
}

/** Options of one video encoder, without the `-c:v`. */
export function videoEncoderOptions(encoder: PictureEncoder, encode: VideoEncode): string[] {
  if (encoder === "prores_ks") return proresOptions(encode);
  const keyframes = ["-g", String(encode.gopFrames)];
  const rate = rateOptions(encoder, encode);
  const preset = presetFor[encoder][encode.speed];
  const tenBit = encode.pixelFormat.includes("10");
  const forced = encode.forcedKeyframes !== undefined;
  switch (encoder) {
    case "libx264":
      return [
        ...["-preset", preset, ...rate, ...x264Buffer(encode)],
        ...["-profile:v", x264Profile(encode.pixelFormat)],
        ...[...keyframes, ...closestKeyframes(encode), "-bf", "3"],
        ...(forced ? ["-sc_threshold", "0"] : []),
        ...(forced || encode.keyframeAtSeconds !== undefined ? ["-forced-idr", "1"] : []),
        ...threadOptions(encode),
      ];
    case "libx265":
      return [
        ...["-preset", preset, ...rate, "-profile:v", tenBit ? "main10" : "main"],
        ...[...keyframes, ...closestKeyframes(encode), "-bf", "4"],
        ...(forced ? ["-forced-idr", "1"] : []),
        ...["-x265-params", x265Parameters(encode)],
      ];
    case "libsvtav1":
      return [...["-preset", preset, ...rate, ...keyframes], ...svtParameters(encode)];
    case "libaom-av1":
      return [
        ...["-cpu-used", preset, ...rate, ...keyframes, ...evenKeyframes(encode), "-row-mt", "1"],
        ...["-usage", "good", "-lag-in-frames", "25", ...threadOptions(encode)],
      ];
    case "libvpx-vp9":
      return [
        ...["-deadline", "good", "-cpu-used", preset, ...rate, ...threadOptions(encode)],
        ...[...keyframes, ...evenKeyframes(encode)],
        ...["-profile:v", tenBit ? "2" : "0", "-row-mt", "1", "-tile-columns", "2"],
        // The encoder takes no transparency together with pictures that are never shown.
        ...["-auto-alt-ref", hasAlpha(encode) ? "0" : "1", "-lag-in-frames", "25"],
      ];
  }
}

function threadOptions({ threads }: VideoEncode): string[] {
  return threads === undefined ? [] : ["-threads", String(threads)];
}

/**
 * Options of one audio encoder for output track `index`, without the `-c:a`. What comes out of the graph
 * went through `encodedSound` in there: ffmpeg takes no filters of an output for it.
 */
export function audioEncoderOptions(audio: AudioEncode, index: number): string[] {
  const filters = encodedSound(audio).map(renderFilter).join(",");
  return [
    ...(audio.bitRate === null ? [] : [`-b:a:${index}`, String(audio.bitRate)]),
    ...(audio.codec === "flac" ? flacDepth(audio, index) : []),
    ...("pad" in audio.source ? [] : [`-filter:a:${index}`, filters]),
    // Our layouts are the standard ones; family 1 tells players which channel is which.
    ...(audio.codec === "opus" && audio.channels > 2 ? [`-mapping_family:a:${index}`, "1"] : []),
  ];
}

/** It takes 24 bits as the upper ones of 32. */
function flacDepth({ bitDepth = 16 }: AudioEncode, index: number): string[] {
  const samples = [`-sample_fmt:a:${index}`, bitDepth === 16 ? "s16" : "s32"];
  return bitDepth === 16 ? samples : [...samples, `-bits_per_raw_sample:a:${index}`, "24"];
}

/** What stands before every audio encoder: no holes, a start at zero, its layout and rate. */
export function encodedSound({ channels, sampleRate }: AudioEncode): NativeFilter[] {
  return [resample, soundFormat(channels, sampleRate)];
}

function hasAlpha({ pixelFormat }: VideoEncode): boolean {
  return pixelFormat.startsWith("yuva");
}

/** Apple's own sign, without which some programs refuse the file. */
function proresOptions(encode: VideoEncode): string[] {
  const full = encode.pixelFormat.includes("444");
  const profile = full ? "4444" : (encode.proresProfile ?? "hq");
  const alpha = hasAlpha(encode) ? ["-alpha_bits", "16"] : [];
  return ["-profile:v", profile, "-vendor", "apl0", ...alpha, ...threadOptions(encode)];
}

function rateOptions(encoder: CpuEncoder, encode: VideoEncode): string[] {
  if ("bitRate" in encode.rate) return bitRateOptions(encoder, encode.rate.bitRate);
  const { quality, maxBitRate } = encode.rate;
  const crf = ["-crf", String(crfFor(encoder, quality))];
  // libvpx and libaom treat CRF as a floor unless the bit rate is zero; else that is the most they take.
  const aom = encoder === "libvpx-vp9" || encoder === "libaom-av1";
  if (aom) return [...crf, "-b:v", String(maxBitRate ?? 0)];
  return maxBitRate === undefined ? crf : [...crf, ...peakOptions(maxBitRate)];
}

/** Seconds at the peak that the buffer of a decoder holds. */
const bufferSeconds = 2;

/** Over a buffer of two seconds at that peak: smooth on any link. */
export function peakOptions(peak: number): string[] {
  return ["-maxrate", String(peak), "-bufsize", String(peak * bufferSeconds)];
}

/** In bits, which x264 divides by the size of the buffer. */
function x264Buffer({ rate, bufferShare }: VideoEncode): string[] {
  if (bufferShare === undefined || !("quality" in rate) || !rate.maxBitRate) return [];
  const bits = Math.round(rate.maxBitRate * bufferSeconds * bufferShare);
  return ["-rc_init_occupancy", String(bits)];
}

/** Half as much again for peaks. */
function bitRateOptions(encoder: CpuEncoder, bitRate: number): string[] {
  const average = ["-b:v", String(bitRate)];
  // SVT-AV1 takes no peak in its average mode.
  if (encoder === "libsvtav1") return average;
  return [...average, ...peakOptions(Math.round(bitRate * 1.5))];
}

/** Scene cuts may put keyframes this close: a tenth of the distance, as x264 itself does. */
function closestKeyframes(encode: VideoEncode): string[] {
  return ["-keyint_min", String(Math.max(1, Math.round(encode.gopFrames / 10)))];
}

/** libvpx and libaom look for no scene changes where the least distance of keyframes is the most. */
function evenKeyframes({ forcedKeyframes, gopFrames }: VideoEncode): string[] {
  return forcedKeyframes === undefined ? [] : ["-keyint_min", String(gopFrames)];
}

function x264Profile(pixelFormat: string): string {
  return pixelFormat.includes("10") ? "high10" : "high";
}

function x265Parameters(encode: VideoEncode): string {
  // x265 logs by itself whatever ffmpeg's level, and warns about settings of its own: errors only.
  const parameters = ["log-level=error"];
  const { mastering, light } = encode.hdrMetadata ?? { mastering: null, light: null };
  if (encode.color.transfer === "smpte2084") parameters.push("hdr10=1", "repeat-headers=1");
  if (mastering !== null) {
    // Units of ST 2086: 0.00002 for chromaticity, 0.0001 nits for luminance.
    const xy = ([x, y]: [number, number]) =>
      `(${Math.round(x * 50_000)},${Math.round(y * 50_000)})`;
    const nits = (value: number) => Math.round(value * 10_000);
    parameters.push(
      `master-display=G${xy(mastering.green)}B${xy(mastering.blue)}R${xy(mastering.red)}` +
        `WP${xy(mastering.white)}L(${nits(mastering.maxNits)},${nits(mastering.minNits)})`,
    );
  }
  // An open group has pictures that need the segment before.
  if (encode.forcedKeyframes !== undefined) parameters.push("scenecut=0", "open-gop=0");
  // One thread for frames, which takes more from the pool for their rows: those need no other headers. Nor is written
  // into them how it was set: chunks that are joined have one and the same.
  if (encode.threads !== undefined) {
    parameters.push(`pools=${encode.threads}`, "frame-threads=1", "info=0");
  }
  if (encode.bufferShare !== undefined) parameters.push(`vbv-init=${encode.bufferShare}`);
  if (light !== null) {
    parameters.push(
      `max-cll=${Math.round(light.maxContentNits)},${Math.round(light.maxAverageNits)}`,
    );
  }
  return parameters.join(":");
}

function svtParameters(encode: VideoEncode): string[] {
  const { hdrMetadata: hdr, forcedKeyframes, rate, threads } = encode;
  const parameters: string[] = forcedKeyframes === undefined ? [] : ["scd=0"];
  if (threads !== undefined) parameters.push(`lp=${threads}`);
  // Until 1.4 it forces none unless told so, and told so it never takes a bit rate.
  if (forcedKeyframes !== undefined && "quality" in rate) {
    parameters.push("enable-force-key-frames=1");
  }
  if (hdr?.mastering) {
    const { red, green, blue, white, minNits, maxNits } = hdr.mastering;
    const xy = ([x, y]: [number, number]) => `(${x.toFixed(5)},${y.toFixed(5)})`;
    parameters.push(
      `mastering-display=G${xy(green)}B${xy(blue)}R${xy(red)}WP${xy(white)}` +
        `L(${maxNits.toFixed(4)},${minNits.toFixed(4)})`,
    );
  }
  if (hdr?.light) {
    const { maxContentNits, maxAverageNits } = hdr.light;
    parameters.push(`content-light=${Math.round(maxContentNits)},${Math.round(maxAverageNits)}`);
  }
  return parameters.length === 0 ? [] : ["-svtav1-params", parameters.join(":")];
}
