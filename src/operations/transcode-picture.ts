/** What `transcode` does with the picture: copy it, or encode it how. */
import type {
  ColorTags,
  ProresProfile,
  StreamCopy,
  VideoCodec,
  VideoEncode,
} from "../media/description.ts";
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { defaultQuality } from "../media/quality.ts";
import { Refusal } from "../trouble.ts";
import { codecTitle, containers, copyableSources } from "./containers.ts";
import type { PlanContext } from "./operation.ts";
import {
  bt709,
  type Frame,
  fitInto,
  gopFramesOf,
  keptColor,
  rateNumber,
  rateText,
  shownFrame,
  toSdr,
} from "./picture.ts";
import type { TranscodeParams } from "./transcode-schema.ts";

export interface PictureDecision {
  /** Null when the output has no picture. */
  stream: VideoEncode | StreamCopy | null;
  graph: FilterChain[];
  /** What the output must be found to have; coded size. */
  expected: { codec: string; width: number; height: number } | null;
  notes: string[];
}

const nothing: PictureDecision = { stream: null, graph: [], expected: null, notes: [] };

/**
 * @throws Refusal 422 `unsuitable_input` when the container cannot hold the codec or the picture cannot
 * be worked on as asked.
 */
export function decidePicture(
  params: TranscodeParams,
  media: MediaInfo,
  context: PlanContext,
): PictureDecision {
  const { video } = media;
  if (params.video.codec === "none") return nothing;
  if (video === null) {
    return { ...nothing, notes: ["The source has no picture: the output is sound alone."] };
  }
  if (params.video.codec === "copy") return copyAsAsked(params, video);
  const reason = whyEncode(params, media, video);
  if (reason === null) return copyOf(video);
  return encode(params, video, context);
}

function copyOf(video: VideoStream): PictureDecision {
  const { codec, width, height } = video;
  return {
    stream: { kind: "copy", source: { input: 0, stream: video.index }, codec },
    graph: [],
    expected: { codec, width, height },
    notes: [],
  };
}

/** Whether a picture can be taken into a container as it is, for work that does not concern it. */
export function canKeepPicture(
  container: TranscodeParams["container"],
  { container: source, video }: MediaInfo,
): boolean {
  const { holdsVideo, keepsRotation } = containers[container];
  if (video === null || !copyableSources.has(source)) return false;
  return (
    (holdsVideo === null || holdsVideo.includes(video.codec)) &&
    (video.rotation === 0 || keepsRotation)
  );
}

function copyAsAsked(params: TranscodeParams, video: VideoStream): PictureDecision {
  const facts = containers[params.container];
  if (facts.holdsVideo !== null && !facts.holdsVideo.includes(video.codec)) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `${codecTitle(video.codec)} video cannot be copied into ${facts.title}. Choose another container, or let it be encoded with video.codec auto.`,
    );
  }
  if (params.from !== undefined || params.to !== undefined) {
    throw new Refusal(
      422,
      "unsuitable_input",
      "A copied video can only be cut at keyframes, so from and to need encoding: set video.codec to auto or name a codec.",
    );
  }
  const { quality, bitRate, maxHeight, maxWidth, frameRate } = params.video;
  const ignored = Object.entries({ quality, bitRate, maxHeight, maxWidth, frameRate })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => `video.${key}`);
  const decision = copyOf(video);
  if (ignored.length > 0) {
    decision.notes.push(`The video is copied as asked, so ${ignored.join(", ")} has no effect.`);
  }
  if (video.rotation !== 0 && !facts.keepsRotation) {
    decision.notes.push(
      `${facts.title} has no place for the rotation of a copied video: it will play turned by ${video.rotation}°. Encode it to turn the picture itself.`,
    );
  }
  return decision;
}

/**
 * Why the picture cannot stay as it is, or null when it conforms: the right codec, size, rate and
 * format, and neither quality nor bit rate were asked for.
 */
function whyEncode(params: TranscodeParams, media: MediaInfo, video: VideoStream): string | null {
  const wanted = params.video;
  const facts = containers[params.container];
  const codecs = wanted.codec === "auto" ? facts.conformingVideo : [wanted.codec];
  if (!codecs.includes(video.codec)) return "another codec";
  if (wanted.codec === "prores" && video.profile !== proresTitles[profileOf(wanted)])
    return "profile";
  if (facts.holdsVideo !== null && !facts.holdsVideo.includes(video.codec)) return "container";
  if (!copyableSources.has(media.container)) return "timestamps";
  const { quality, bitRate, target } = wanted;
  if (quality !== undefined || bitRate !== undefined || target !== undefined) return "rate";
  if (params.from !== undefined || params.to !== undefined) return "cut";
  if (!fits(params, video)) return "size";
  if (wanted.frameRate !== undefined) {
    const same = rateText(wanted.frameRate) === normalRate(video.frameRate);
    if (!same || video.variableFrameRate) return "frame rate";
  }
  if (!formatConforms(params, video)) return "pixel format";
  if (video.hdr !== null && (params.hdr === "sdr" || video.codec === "h264")) return "HDR";
  const combed = params.deinterlace === "auto" ? video.interlaced : params.deinterlace === "on";
  if (combed) return "interlaced";
  if (video.rotation !== 0 && !facts.keepsRotation) return "rotation";
  return null;
}

/** As ffprobe names them. */
const proresTitles = { proxy: "Proxy", lt: "LT", standard: "Standard", hq: "HQ" };

function profileOf({ profile = "standard" }: TranscodeParams["video"]): ProresProfile {
  return profile;
}

function fits({ video: wanted }: TranscodeParams, video: VideoStream): boolean {
  const { width, height } = shownFrame(video);
  if (video.sampleAspectRatio !== "1:1") return false;
  if (wanted.fit !== "inside") return width === wanted.maxWidth && height === wanted.maxHeight;
  return (
    width <= (wanted.maxWidth ?? Number.POSITIVE_INFINITY) &&
    height <= (wanted.maxHeight ?? Number.POSITIVE_INFINITY)
  );
}

function normalRate(rate: string | null): string | null {
  const value = rateNumber(rate);
  return value === null ? null : rateText(value);
}

function formatConforms({ video: wanted }: TranscodeParams, video: VideoStream): boolean {
  const plain = video.pixelFormat.replace(/^yuvj/, "yuv");
  if (wanted.pixelFormat !== "auto") return plain === wanted.pixelFormat;
  if (wanted.codec === "prores") return plain === proresPixelFormat;
  return plain === "yuv420p" || (plain === "yuv420p10le" && video.codec !== "h264");
}

function encode(
  params: TranscodeParams,
  video: VideoStream,
  context: PlanContext,
): PictureDecision {
  const codec = encodeCodec(params);
  refuseBareDolbyVision(video);
  const pixelFormat = choosePixelFormat(params, codec, video);
  const tonemap = video.hdr !== null && (params.hdr === "sdr" || !pixelFormat.includes("10"));
  if (tonemap) requireTonemap(context);
  const color = tonemap ? bt709 : keptColor(video);
  const { filters, frame } = pictureFilters(params, video, { tonemap, pixelFormat, color });
  const { quality, bitRate, frameRate } = params.video;
  const stream: VideoEncode = {
    kind: "encode",
    source: { pad: "picture" },
    codec,
    rate: bitRate === undefined ? { quality: quality ?? defaultQuality } : { bitRate },
    ...(codec === "prores" ? { proresProfile: profileOf(params.video) } : {}),
    speed: params.speed,
    pixelFormat,
    gopFrames: gopFramesOf(frameRate ?? rateNumber(video.frameRate)),
    color,
    ...frame,
    variableFrameRate: video.variableFrameRate && frameRate === undefined,
    hdrMetadata: tonemap ? null : (video.hdrMetadata ?? null),
  };
  return {
    stream,
    graph: [{ from: { input: 0, stream: video.index }, filters, to: "picture" }],
    expected: { codec, ...frame },
    notes: encodeNotes(params, video, { tonemap, codec, pixelFormat }),
  };
}

/** Profile 5 has no HDR10 or HLG picture underneath; read as one it comes out green and purple. */
export function refuseBareDolbyVision(video: VideoStream): void {
  if (video.hdr !== "dolby-vision" || video.colorTransfer !== null) return;
  throw new Refusal(
    422,
    "unsuitable_input",
    "The source is Dolby Vision without an HDR10 or HLG picture underneath, and encoding it would give wrong colours. It can be copied: set video.codec to copy.",
  );
}

function encodeCodec(params: TranscodeParams): VideoCodec {
  const facts = containers[params.container];
  const { codec } = params.video;
  if (codec === "auto" || codec === "copy" || codec === "none") return facts.video;
  if (facts.holdsVideo !== null && !facts.holdsVideo.includes(codec)) {
    const holds = facts.holdsVideo.map(codecTitle).slice(0, 3).join(", ");
    throw new Refusal(
      422,
      "unsuitable_input",
      `${facts.title} cannot hold ${codecTitle(codec)} video (it takes ${holds}). Set video.codec to auto, or choose another container.`,
    );
  }
  return codec;
}

const proresPixelFormat = "yuv422p10le";

function choosePixelFormat(params: TranscodeParams, codec: VideoCodec, video: VideoStream): string {
  if (codec === "prores") return proresPixelFormat;
  if (params.video.pixelFormat !== "auto") return params.video.pixelFormat;
  const deep = video.bitDepth > 8 && codec !== "h264";
  // A picture made SDR has nothing left that needs ten bits.
  const toSdr = video.hdr !== null && params.hdr === "sdr";
  return deep && !toSdr ? "yuv420p10le" : "yuv420p";
}

/** @throws Refusal 422 when this ffmpeg was built without what tone-mapping needs. */
export function requireTonemap(context: PlanContext): void {
  if (context.filters.has("zscale") && context.filters.has("tonemap")) return;
  throw new Refusal(
    422,
    "unsuitable_input",
    "The source is HDR and the ffmpeg of this machine cannot make it SDR (it lacks zscale or tonemap). Keep HDR with video.codec hevc, av1 or vp9, or install a full ffmpeg.",
  );
}

interface PictureTarget {
  tonemap: boolean;
  pixelFormat: string;
  color: ColorTags;
}

function pictureFilters(
  params: TranscodeParams,
  video: VideoStream,
  { tonemap, pixelFormat, color }: PictureTarget,
): { filters: VideoFilter[]; frame: Frame } {
  const { maxWidth, maxHeight, fit, frameRate } = params.video;
  const fitted = fitInto(video, { maxWidth, maxHeight, fit });
  const filters: VideoFilter[] = [];
  if (params.deinterlace === "on") filters.push({ filter: "deinterlace", frames: "all" });
  if (params.deinterlace === "auto" && video.interlaced) {
    filters.push({ filter: "deinterlace", frames: "flagged" });
  }
  // Dropped frames first: what goes need not be scaled.
  if (frameRate !== undefined) filters.push({ filter: "fps", rate: rateText(frameRate) });
  filters.push(...fitted.filters);
  if (tonemap) filters.push(toSdr(video));
  filters.push({ filter: "format", pixelFormats: [pixelFormat] });
  filters.push({ filter: "setsar", ratio: "1" }, { filter: "tag", color });
  return { filters, frame: fitted.frame };
}

/** Whether finer levels become the usual 256. */
export function losesBits({ bitDepth }: VideoStream, pixelFormat: string): boolean {
  return bitDepth > 8 && !/1[0246]/.test(pixelFormat);
}

export function fewerBits(codec: VideoCodec): string {
  return `The source has more than 8 bits per colour; ${codecTitle(codec)} gets 8. Choose HEVC, AV1 or VP9 to keep ten.`;
}

function encodeNotes(
  params: TranscodeParams,
  video: VideoStream,
  { tonemap, codec, pixelFormat }: { tonemap: boolean; codec: VideoCodec; pixelFormat: string },
): string[] {
  const notes: string[] = [];
  if (tonemap && params.hdr === "keep") {
    notes.push(
      `The source is HDR and ${codecTitle(codec)} in 8 bits is not: the picture is tone-mapped to SDR. Choose HEVC, AV1 or VP9 to keep HDR.`,
    );
  }
  if (!tonemap && params.video.pixelFormat === "auto" && losesBits(video, pixelFormat)) {
    notes.push(fewerBits(codec));
  }
  if (!tonemap && video.hdr === "dolby-vision") {
    notes.push("Dolby Vision's own layer is not carried over: the HDR10 or HLG base stays.");
  }
  if (!tonemap && video.hdr === "hdr10plus") {
    notes.push("HDR10+ metadata per scene is not carried over: plain HDR10 stays.");
  }
  if (video.alpha)
    notes.push("The source has transparency, which is lost: what lies under it is shown.");
  return notes;
}
