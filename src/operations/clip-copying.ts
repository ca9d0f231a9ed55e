/** Whether the picture of a source can be copied between cuts, and how it is encoded around them. Pure. */
import type { VideoCodec, VideoEncode } from "../media/description.ts";
import type { VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import type { ClipParams } from "./clip-schema.ts";
import { codecTitle, containers } from "./containers.ts";
import { gopFramesOf, isFullRange, rateNumber, saidColor } from "./picture.ts";

/** Codecs whose parameters may change before any keyframe. */
const seamless: readonly string[] = ["h264", "hevc"] satisfies VideoCodec[];

/** Containers with an index: a keyframe is found at once, and times are exact. */
const indexed = ["mp4", "mov", "mkv"];

const pixelFormats: Record<string, readonly string[]> = {
  h264: ["yuv420p"],
  hevc: ["yuv420p", "yuv420p10le"],
};

/**
 * Why nothing of the picture can be copied, as a clause; null when it can. Whether there are keyframes that
 * stand alone shows when the packets are read.
 */
export function whyNotCopied(
  { codec: wanted, container }: ClipParams,
  { container: source }: MediaInfo,
  video: VideoStream,
): string | null {
  const { codec, pixelFormat, width, height } = video;
  const facts = containers[container];
  if (!seamless.includes(codec)) return `${codecTitle(codec)} cannot be cut so`;
  if (wanted !== "auto" && wanted !== codec) return `another codec was asked for`;
  if (facts.holdsVideo !== null && !facts.holdsVideo.includes(codec)) {
    return `${facts.title} cannot hold ${codecTitle(codec)}`;
  }
  if (!indexed.includes(source)) return "the source's container has no index of keyframes";
  if (!pixelFormats[codec]?.includes(pixelFormat) || isFullRange(video)) {
    return "the source's pixel format would change at the cuts";
  }
  if (video.interlaced) return "the source is interlaced";
  if (video.rotation !== 0) return "the source is turned by a note in its header";
  if (video.sampleAspectRatio !== "1:1") return "the source's pixels are not square";
  if (width % 2 !== 0 || height % 2 !== 0) return "the source's size is odd";
  return video.hdr === "dolby-vision" || video.hdr === "hdr10plus"
    ? "the source's HDR metadata changes from picture to picture"
    : null;
}

/** Around the cuts a lower quality than the source's would be seen to begin and end. */
const leastQuality = 80;

/** The same codec, format, size and tags: what is not said stays unsaid, or colours would jump at the cuts. */
export function besideCopies(
  { quality, effort }: ClipParams,
  video: VideoStream,
): { encode: VideoEncode; filters: VideoFilter[] } {
  const { width, height, pixelFormat } = video;
  const encode: VideoEncode = {
    kind: "encode",
    source: { pad: "picture" },
    codec: video.codec as VideoCodec,
    rate: { quality: Math.max(quality, leastQuality) },
    speed: effort,
    pixelFormat,
    gopFrames: gopFramesOf(rateNumber(video.frameRate)),
    color: saidColor(video),
    ...{ width, height },
    variableFrameRate: video.variableFrameRate,
    hdrMetadata: video.hdrMetadata ?? null,
  };
  return { encode, filters: [{ filter: "format", pixelFormats: [pixelFormat] }] };
}
