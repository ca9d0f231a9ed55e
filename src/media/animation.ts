/** Moving pictures in formats for pictures, in ffmpeg's words. Pure. */
import { assert, Failure } from "../trouble.ts";
import type { AnimationEncode, AnimationFormat, StreamRef } from "./description.ts";
import type { Toolchain } from "./devices.ts";
import type { Dialect } from "./dialect.ts";
import { crfFor } from "./quality.ts";

export const animationTitles: Record<AnimationFormat, string> = {
  gif: "GIF",
  webp: "WebP",
  apng: "APNG",
  avif: "AVIF",
};

/** Encoders by ffmpeg's name. AVIF takes libaom's alone: it codes the grey picture of transparency too. */
export const animationEncoders: Record<AnimationFormat, string> = {
  gif: "gif",
  webp: "libwebp_anim",
  apng: "apng",
  avif: "libaom-av1",
};

/** Ten times slower at 4 and 3 % smaller; people wait for these. */
const aomSpeed = "6";

/**
 * What stands in an output for its picture, the maps included.
 * @throws Failure `tool_missing` when this ffmpeg lacks the encoder
 */
export function renderAnimation(
  video: AnimationEncode,
  toolchain: Toolchain,
  dialect: Dialect,
  mapOf: (source: StreamRef) => string,
): { argv: string[]; encoder: string } {
  const encoder = animationEncoders[video.format];
  if (!toolchain.encoders.has(encoder)) {
    const title = animationTitles[video.format];
    const message = `The ffmpeg of this machine (${toolchain.version}) cannot encode ${title}.`;
    const hint = "Choose another format, or install an ffmpeg that has it: `kinomill doctor`.";
    throw new Failure("tool_missing", message, { hint });
  }
  assert(video.plays >= 0 && Number.isInteger(video.plays), "a number of plays is a whole one");
  const alpha = video.alpha === undefined ? [] : ["-map", mapOf(video.alpha)];
  return {
    encoder,
    argv: [
      ...["-map", mapOf(video.source), ...alpha, "-c:v", encoder],
      ...optionsOf(video),
      ...[dialect.frameTiming, "passthrough"],
    ],
  };
}

function optionsOf(video: AnimationEncode): string[] {
  const { format, plays, quality } = video;
  switch (format) {
    case "gif":
      // Its number says how often it is played again, and without one it is played once.
      return ["-loop", String(plays === 0 ? 0 : plays === 1 ? -1 : plays - 1)];
    case "webp":
      return [
        ...["-quality", String(Math.round(quality)), "-compression_level", "4"],
        ...["-pix_fmt", "bgra", "-loop", String(plays)],
      ];
    case "apng":
      return ["-pred", "mixed", "-plays", String(plays)];
    case "avif":
      return [...avifOptions(video), "-loop", String(plays)];
  }
}

function avifOptions({ quality, color, alpha }: AnimationEncode): string[] {
  const tags = { primaries: "-color_primaries", transfer: "-color_trc", space: "-colorspace" };
  const said = Object.entries(tags).flatMap(([key, option]) => {
    const value = color[key as keyof typeof tags];
    return value === null ? [] : [`${option}:v:0`, value];
  });
  return [
    ...["-crf", String(crfFor("libaom-av1", quality)), "-b:v", "0"],
    ...["-cpu-used", aomSpeed, "-row-mt", "1", "-usage", "good", "-lag-in-frames", "25"],
    ...["-pix_fmt:v:0", "yuv420p", ...said, "-color_range:v:0", color.range ?? "tv"],
    ...(alpha === undefined ? [] : ["-pix_fmt:v:1", "gray", "-color_range:v:1", "pc"]),
  ];
}
