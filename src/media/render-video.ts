/** The picture of one output in ffmpeg's words: copied, encoded, or made into images. Pure. */
import { assert } from "../trouble.ts";
import { renderAnimation } from "./animation.ts";
import type {
  ImageEncode,
  Moments,
  OutputContainer,
  OutputDescription,
  StreamCopy,
  StreamRef,
  VideoEncode,
} from "./description.ts";
import type { Device, Toolchain } from "./devices.ts";
import type { Dialect } from "./dialect.ts";
import { chooseVideoEncoder, videoEncoderOptions } from "./encoders.ts";
import { decimal } from "./filter-syntax.ts";
import { isGpuCodec } from "./gpu-skill.ts";
import { nvencOf, nvencOptions, nvencPixelFormat } from "./nvenc.ts";
import type { Placement } from "./placement.ts";
import { jpegScale } from "./quality.ts";
import type { Way } from "./way.ts";

export interface VideoTarget {
  device: Device;
  toolchain: Toolchain;
  dialect: Dialect;
  placement: Placement;
  way: Way;
}

export interface RenderedVideo {
  argv: string[];
  /** In ffmpeg's words; null when nothing is encoded. */
  encoder: string | null;
}

/** Ticks per second for uneven frame distances: MPEG's own clock, exact for 24, 25, 30, 60 and 29.97. */
export const variableRateClock = 90_000;

/** @throws Failure `tool_missing` when this ffmpeg lacks the encoder. */
export function renderVideo(output: OutputDescription, target: VideoTarget): RenderedVideo {
  const { video, container } = output;
  if (video === null) return { argv: ["-vn"], encoder: null };
  const map = ["-map", mapOf(video.source)];
  switch (video.kind) {
    case "copy":
      return {
        argv: [...map, "-c:v", "copy", ...copyOptions(video, container, target.dialect)],
        encoder: null,
      };
    case "look":
      // Frames as they are, to a muxer that takes anything and writes nothing.
      return {
        argv: [...map, "-c:v", "wrapped_avframe", target.dialect.frameTiming, "passthrough"],
        encoder: null,
      };
    case "image":
      return renderImage(video, map, target.dialect);
    case "animation":
      return renderAnimation(video, target.toolchain, target.dialect, mapOf);
    case "encode": {
      const { encoder, options } = encoderOf(video, target);
      const argv = [
        ...[...map, "-c:v", encoder, ...options, ...colorOptions(video)],
        ...[...forcedKeyframes(video), ...codecTag(video.codec, container)],
        ...timing(video, target.dialect),
      ];
      return { argv, encoder };
    }
  }
}

/** The argument of `-map`. */
export function mapOf(source: StreamRef): string {
  return "pad" in source ? `[${source.pad}]` : `${source.input}:${source.stream}`;
}

function encoderOf(video: VideoEncode, target: VideoTarget) {
  const { toolchain, placement, way } = target;
  if (placement.encode === "nvenc" && isGpuCodec(video.codec)) {
    const encoder = nvencOf(video.codec);
    const options = nvencOptions(video.codec, video, target);
    // Frames on the card have their format already; asked for here, a filter of the CPU would be added.
    const pixels = way.encodedFromCard ? [] : ["-pix_fmt", nvencPixelFormat(video.pixelFormat)];
    return { encoder, options: [...keepSize(target), ...options, ...pixels] };
  }
  const encoder = chooseVideoEncoder(video, toolchain);
  const options = [...videoEncoderOptions(encoder, video), "-pix_fmt", video.pixelFormat];
  return { encoder, options: [...keepSize(target), ...options] };
}

/**
 * When the source changes its size in the middle ffmpeg adds a scaler of its own, which cannot take
 * frames on the card; `scale_cuda` keeps the size already.
 */
function keepSize({ placement, way }: VideoTarget): string[] {
  return placement.filters === "cuda" || way.encodedFromCard ? ["-noautoscale"] : [];
}

/** Half a frame at 500 a second: `n × T` may end up a hair behind the time of its frame. */
const keyframeToleranceSeconds = 0.001;

function forcedKeyframes({ forcedKeyframes: forced, keyframeAtSeconds }: VideoEncode): string[] {
  if (forced === undefined) {
    return keyframeAtSeconds === undefined ? [] : ["-force_key_frames", decimal(keyframeAtSeconds)];
  }
  // To a billionth, for thousands of segments add up what is cut off.
  const every = decimal(forced.everySeconds, 9);
  assert(forced.everySeconds > 0, "keyframes have a distance");
  return ["-force_key_frames", `expr:gte(t,n_forced*${every}-${keyframeToleranceSeconds})`];
}

/**
 * ffmpeg 5.1 snaps frames to the grid of the guessed rate unless the encoder's clock is finer. `vfr`
 * keeps what comes and drops only frames of equal time; it never repeats one.
 */
function timing(video: VideoEncode, dialect: Dialect): string[] {
  const clock = video.clock ?? (video.variableFrameRate ? `1/${variableRateClock}` : null);
  return [...[dialect.frameTiming, "vfr"], ...(clock === null ? [] : ["-enc_time_base:v", clock])];
}

function renderImage(image: ImageEncode, map: string[], dialect: Dialect): RenderedVideo {
  const encoder = { jpeg: "mjpeg", png: "png", webp: "libwebp" }[image.codec];
  const quality = {
    jpeg: ["-q:v", String(jpegScale(image.quality)), "-color_range", "pc"],
    png: [],
    webp: ["-quality", String(Math.round(image.quality)), "-compression_level", "4"],
  }[image.codec];
  const one = image.frames === 1;
  return {
    encoder,
    argv: [
      ...[...map, "-c:v", encoder, ...quality],
      ...[dialect.frameTiming, "passthrough"],
      ...(image.frames === null ? [] : ["-frames:v", String(image.frames)]),
      // A single picture is written under its name as it is; several are numbered from one.
      ...(one ? ["-update", "1"] : ["-start_number", "1"]),
    ],
  };
}

/** Before the first keyframe and before the time of the seek nothing is wanted: `packets` counts from there. */
function copyOptions(
  { codec, packets, changing, untold, moments }: StreamCopy,
  container: OutputContainer,
  dialect: Dialect,
): string[] {
  const piece = ["-copypriorss:v", "0", "-frames:v", String(packets)];
  const tag = changing ? changingTag(codec, container) : codecTag(codec, container);
  return [
    ...(packets === undefined ? [] : piece),
    ...tag,
    ...(untold ? forgotten : []),
    ...keptOf(moments, dialect),
  ];
}

/** Times are rounded to a thousandth. */
const momentSlackSeconds = 0.01;

/**
 * Drops what is no keyframe, which not every demuxer leaves out, and a keyframe when the next one comes before the
 * middle of its stretch too, if it comes after the longest distance that was seen. Stretches reach from middle to
 * middle here. Kept in mind are: 0 that distance, 1 the time before, 2 this time, 3 whether it is a later one.
 */
function keptOf(moments: Moments | undefined, { copiedSeconds: at }: Dialect): string[] {
  if (moments === undefined) return [];
  assert(at !== null, "the times of what is copied are known");
  const every = decimal(moments.everySeconds);
  const middle = `min((floor(ld(2)/${every}+0.5)+0.5)*${every},${decimal(moments.wholeSeconds)})`;
  const judged = [
    ...[`st(2,${at})`, "st(0,max(ld(0),ld(3)*(ld(2)-ld(1))))", "st(1,ld(2))"],
    ...[`st(4,ld(3)*lt(ld(2)+ld(0)+${momentSlackSeconds},${middle}))`, "st(3,1)", "ld(4)"],
  ].join(";");
  const drop = `if(key,${judged},1)`;
  return ["-bsf:v", `noise=amount=0:drop=${drop.replaceAll(",", "\\,")}`];
}

/** What MP4 says of a track, and other containers would write down as its tags. */
const forgotten = ["handler_name", "vendor_id"].flatMap((tag) => ["-metadata:s:v:0", `${tag}=`]);

/** ISO/IEC 14496-15: under these tags parameters may stand among the pictures and change there. */
function changingTag(codec: string, container: OutputContainer): string[] {
  const tag = { h264: "avc3", hevc: "hev1" }[codec];
  const apple = container === "mp4" || container === "mov";
  return tag !== undefined && apple ? ["-tag:v", tag] : [];
}

/** Apple's players take HEVC only under this tag; ffmpeg's own choice is `hev1`. */
function codecTag(codec: string, container: OutputContainer): string[] {
  const apple = container === "mp4" || container === "mov";
  return codec === "hevc" && apple ? ["-tag:v", "hvc1"] : [];
}

function colorOptions({ color }: VideoEncode): string[] {
  return [
    ...(color.primaries === null ? [] : ["-color_primaries", color.primaries]),
    ...(color.transfer === null ? [] : ["-color_trc", color.transfer]),
    ...(color.space === null ? [] : ["-colorspace", color.space]),
    ...(color.range === null ? [] : ["-color_range", color.range]),
  ];
}
