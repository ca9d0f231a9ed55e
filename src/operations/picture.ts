/** Decisions about the picture that operations share: size, frame rate, bit depth, colour. Pure. */
import type { ColorTags } from "../media/description.ts";
import type { VideoFilter } from "../media/graph.ts";
import type { InputPicture, VideoStream } from "../media/media.ts";

export { rateNumber } from "../media/moving.ts";

export interface Frame {
  width: number;
  height: number;
}

export interface Box {
  maxWidth?: number | undefined;
  maxHeight?: number | undefined;
  fit: "inside" | "pad" | "crop";
}

export interface Fitting {
  /** Filters that bring the shown picture to the frame; empty when it is there already. */
  filters: VideoFilter[];
  frame: Frame;
}

/** What a GPU must know of the picture before it can decode it. */
export function inputPicture(video: VideoStream): InputPicture {
  const { codec, pixelFormat, bitDepth, width, height, rotation, interlaced } = video;
  return { codec, pixelFormat, bitDepth, width, height, rotation, interlaced };
}

/** The size that a viewer sees, in square pixels. */
export function shownFrame(video: VideoStream): Frame {
  return { width: video.displayWidth, height: video.displayHeight };
}

/** Size of the frames that filters get: coded pixels, turned upright by ffmpeg. */
function uprightFrame(video: VideoStream): Frame {
  const { width, height, rotation } = video;
  return rotation === 90 || rotation === 270 ? { width: height, height: width } : { width, height };
}

/**
 * Brings the picture into the box: square pixels, even sides (4:2:0 has one colour per two pixels), never
 * larger than it is. `inside` keeps it whole, `pad` adds black bars up to the box, `crop` fills the box
 * and cuts what hangs over; a box larger than the picture keeps its shape and shrinks for `crop`.
 */
export function fitInto(video: VideoStream, box: Box): Fitting {
  const { filters, frame } = fitShape(video, box);
  return { filters: withLevels(video, filters, frame), frame };
}

function fitShape(video: VideoStream, box: Box): Fitting {
  const shown = shownFrame(video);
  if (box.fit === "crop" && box.maxWidth && box.maxHeight) {
    return fitCropping(video, shown, { width: box.maxWidth, height: box.maxHeight });
  }
  const factor = Math.min(
    1,
    (box.maxWidth ?? Number.POSITIVE_INFINITY) / shown.width,
    (box.maxHeight ?? Number.POSITIVE_INFINITY) / shown.height,
  );
  const inner = {
    width: evenNear(shown.width * factor, Math.min(shown.width, box.maxWidth ?? shown.width)),
    height: evenNear(shown.height * factor, Math.min(shown.height, box.maxHeight ?? shown.height)),
  };
  const filters = factor === 1 ? toEven(video, inner) : scaleTo(inner);
  if (box.fit !== "pad" || !box.maxWidth || !box.maxHeight) return { filters, frame: inner };
  const frame = { width: evenDown(box.maxWidth), height: evenDown(box.maxHeight) };
  const x = evenDown((frame.width - inner.width) / 2, 0);
  const y = evenDown((frame.height - inner.height) / 2, 0);
  return { filters: [...filters, { filter: "pad", ...frame, x, y, color: "black" }], frame };
}

function fitCropping(video: VideoStream, shown: Frame, wanted: Frame): Fitting {
  const cover = Math.max(wanted.width / shown.width, wanted.height / shown.height);
  const shrink = Math.max(1, cover);
  const frame = {
    width: evenNear(wanted.width / shrink, Math.min(shown.width, wanted.width)),
    height: evenNear(wanted.height / shrink, Math.min(shown.height, wanted.height)),
  };
  const factor = Math.min(1, cover);
  const scaled = {
    width: Math.max(frame.width, evenNear(shown.width * factor, shown.width)),
    height: Math.max(frame.height, evenNear(shown.height * factor, shown.height)),
  };
  const filters = factor === 1 ? toEven(video, scaled) : scaleTo(scaled);
  if (scaled.width === frame.width && scaled.height === frame.height) return { filters, frame };
  const x = evenDown((scaled.width - frame.width) / 2, 0);
  const y = evenDown((scaled.height - frame.height) / 2, 0);
  return { filters: [...filters, { filter: "crop", ...frame, x, y }], frame };
}

/** At full size an odd row or column is cut off: scaling by one pixel would blur every other one. */
function toEven(video: VideoStream, frame: Frame): VideoFilter[] {
  const upright = uprightFrame(video);
  if (upright.width === frame.width && upright.height === frame.height) return [];
  const crops =
    upright.width - frame.width >= 0 &&
    upright.width - frame.width <= 1 &&
    upright.height - frame.height >= 0 &&
    upright.height - frame.height <= 1;
  return crops ? [{ filter: "crop", ...frame, x: 0, y: 0 }] : scaleTo(frame);
}

/**
 * Full-range and RGB pictures become limited-range YUV in the scaler, which then is needed at any size.
 * It stands before a pad, whose black is limited-range black.
 */
function withLevels(video: VideoStream, filters: VideoFilter[], frame: Frame): VideoFilter[] {
  if (!isFullRange(video)) return filters;
  const matrix = isRgb(video.pixelFormat) ? { matrix: "bt709" } : {};
  const levels = { range: "tv" as const, ...matrix };
  if (filters.some(({ filter }) => filter === "scale")) {
    return filters.map((step) => (step.filter === "scale" ? { ...step, ...levels } : step));
  }
  const pads = filters.filter(({ filter }) => filter === "pad");
  const before = filters.filter(({ filter }) => filter !== "pad");
  const size = pads.length > 0 ? shownFrame(video) : frame;
  const even = { width: evenDown(size.width), height: evenDown(size.height) };
  return [...before, { filter: "scale", ...even, ...levels }, ...pads];
}

/**
 * Stands behind `fitInto` where another scaler follows. Without it ffmpeg would keep the first one's picture in the
 * source's own format, full-range or RGB, and the second would take its levels as they are.
 */
export function settledLevels(video: VideoStream): VideoFilter[] {
  if (!isFullRange(video)) return [];
  return [{ filter: "format", pixelFormats: [video.bitDepth > 8 ? "yuv420p10le" : "yuv420p"] }];
}

function scaleTo(frame: Frame): VideoFilter[] {
  return [{ filter: "scale", ...frame }];
}

function evenDown(value: number, least = 2): number {
  return Math.max(least, Math.floor(value / 2) * 2);
}

/** The nearest even number, but not above the limit. */
function evenNear(value: number, limit: number): number {
  return Math.min(Math.max(2, Math.round(value / 2) * 2), evenDown(limit));
}

/** A rate as ffmpeg shall hear it: 29.97 and its kin are thousandths of 1001, other fractions are kept. */
export function rateText(rate: number): string {
  const film = Math.round(rate) * (1000 / 1001);
  if (Math.abs(rate - film) < 0.005 && !Number.isInteger(rate)) {
    return `${Math.round(rate) * 1000}/1001`;
  }
  return Number.isInteger(rate) ? String(rate) : `${Math.round(rate * 1000)}/1000`;
}

/** Seconds between keyframes at most: quick to seek in, and 2–3 % larger than x264's own ten. */
const gopSeconds = 4;
/** At 240 frames per second four seconds are 960 frames, more than encoders look ahead or like to refer. */
const maxGopFrames = 600;
/** Where a file does not say its rate. */
const assumedRate = 25;

export function gopFramesOf(rate: number | null): number {
  return Math.max(1, Math.min(maxGopFrames, Math.round((rate ?? assumedRate) * gopSeconds)));
}

/** RGB and palettes: they have no YUV matrix of their own. */
export function isRgb(pixelFormat: string): boolean {
  return /^(0?rgb|0?bgr|rgb0|bgr0|argb|abgr|rgba|bgra|gbr|pal8|x2rgb|x2bgr)/.test(pixelFormat);
}

/** True for 0–255 levels: by tag, by ffmpeg's `yuvj` names, and for RGB and grey. */
export function isFullRange(video: VideoStream): boolean {
  const { colorRange, pixelFormat } = video;
  if (colorRange !== null) return colorRange === "pc";
  return /^yuvj/.test(pixelFormat) || isRgb(pixelFormat) || /^(gray|ya)/.test(pixelFormat);
}

/** The transfer curve of an HDR stream. Dolby Vision without a tag is read as its usual base, HDR10. */
export function hdrCurve(video: VideoStream): "hdr10" | "hlg" | null {
  if (video.hdr === null) return null;
  return video.hdr === "hlg" || video.colorTransfer === "arib-std-b67" ? "hlg" : "hdr10";
}

/** HDR to SDR, by what the file says of its brightest light. */
export function toSdr(video: VideoStream): Extract<VideoFilter, { filter: "tonemap" }> {
  const { light, mastering } = video.hdrMetadata ?? { light: null, mastering: null };
  const peakNits = light?.maxContentNits || mastering?.maxNits;
  const from = hdrCurve(video) ?? "hdr10";
  return { filter: "tonemap", from, ...(peakNits ? { peakNits } : {}) };
}

export const bt709: ColorTags = {
  primaries: "bt709",
  transfer: "bt709",
  space: "bt709",
  range: "tv",
};

const known = {
  primaries: ["bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "bt2020", "smpte432"],
  transfer: [
    ...["bt709", "gamma22", "gamma28", "smpte170m", "smpte240m", "linear", "iec61966-2-1"],
    ...["bt2020-10", "bt2020-12", "smpte2084", "arib-std-b67"],
  ],
  space: ["bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "bt2020nc", "bt2020c"],
};

/**
 * Tags for a picture that keeps its colours, in limited range. What the source does not say is what
 * players assume for its size: BT.709 for HD, BT.601 below. Said explicitly the assumption survives
 * scaling from HD to SD, where an untagged file would change its colours.
 */
export function keptColor(video: VideoStream): ColorTags {
  const assumed = assumedColor(video);
  const rgb = isRgb(video.pixelFormat);
  const pick = (value: string | null, list: string[], otherwise: string | null) =>
    value !== null && list.includes(value) ? value : otherwise;
  return {
    primaries: pick(video.colorPrimaries, known.primaries, assumed.primaries),
    transfer: pick(video.colorTransfer, known.transfer, assumed.transfer),
    space: rgb ? "bt709" : pick(video.colorSpace, known.space, assumed.space),
    range: "tv",
  };
}

/** The tags that a picture has, as far as ffmpeg knows them: what is not said stays unsaid. */
export function saidColor(video: VideoStream): ColorTags {
  const pick = (value: string | null, list: string[]) =>
    value !== null && list.includes(value) ? value : null;
  return {
    primaries: pick(video.colorPrimaries, known.primaries),
    transfer: pick(video.colorTransfer, known.transfer),
    space: pick(video.colorSpace, known.space),
    range: video.colorRange,
  };
}

function assumedColor(video: VideoStream): ColorTags {
  const lines = Math.min(video.width, video.height);
  if (lines >= 720 || Math.max(video.width, video.height) >= 1280 || isRgb(video.pixelFormat)) {
    return bt709;
  }
  const region = lines === 576 || lines === 288 ? "bt470bg" : "smpte170m";
  return { primaries: region, transfer: "smpte170m", space: region, range: "tv" };
}
