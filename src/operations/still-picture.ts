/** Single pictures of a source: in which format, of which levels and colours, and what they must be found to be. Pure. */
import type { OutputDescription } from "../media/description.ts";
import type { Expectation } from "../media/expectation.ts";
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { type Frame, isFullRange, isRgb, keptColor, toSdr } from "./picture.ts";

/** What pictures are made of. */
export interface StillSource {
  /** As the person gave it, for naming outputs. */
  name: string;
  media: MediaInfo;
  video: VideoStream;
}

export interface StillWish {
  format: keyof typeof stillFormats;
  /** 0–100 */
  quality: number;
}

/**
 * Ending of pictures while they are made and proven. Under `.jpg` ffmpeg would open them as a numbered
 * series, a format that may name other files and therefore is closed. People get the real ending.
 */
export const workEnding = "image";

export const stillFormats = {
  jpeg: { ending: "jpg", mimeType: "image/jpeg", codec: "mjpeg" },
  webp: { ending: "webp", mimeType: "image/webp", codec: "webp" },
  png: { ending: "png", mimeType: "image/png", codec: "png" },
};

/** WebP's limit for a side; browsers on phones decode no more than this either. */
export const maxSide = 16_383;
/** 16 megapixels are 64 MB decoded, which a phone's browser still takes. */
export const maxSheetPixels = 16_777_216;

/**
 * The one chain of a picture. It begins with the deinterlacer where there is something to do: with the frames
 * beside the one that is wanted, and where those are far away it goes by the lines of the frame alone.
 */
export function stillChain(video: VideoStream, filters: VideoFilter[]): FilterChain {
  const first: VideoFilter[] = video.interlaced
    ? [{ filter: "deinterlace", frames: "flagged" }]
    : [];
  return {
    from: { input: 0, stream: video.index },
    filters: [...first, ...filters],
    to: "picture",
  };
}

/**
 * Scaled, and then SDR. The tag comes first: what a file does not say of its colours is what players assume
 * for its size, and the scaler would assume SD for all.
 */
export function shownAs(video: VideoStream, scaling: VideoFilter[]): VideoFilter[] {
  const square: VideoFilter = { filter: "setsar", ratio: "1" };
  if (video.hdr !== null) return [...scaling, toSdr(video), square];
  if (isRgb(video.pixelFormat)) return [...scaling, square];
  const range = isFullRange(video) ? "pc" : "tv";
  return [{ filter: "tag", color: { ...keptColor(video), range } }, ...scaling, square];
}

/** The same in the format's own levels: JPEG is full range, WebP is not. */
export function stillFilters(
  { format }: StillWish,
  video: VideoStream,
  scaling: VideoFilter[],
): VideoFilter[] {
  return [...shownAs(video, scaling), { filter: "still", codec: format }];
}

/** @param frames how many come; with more than one the file has `%d` in its name */
export function stillOutput(wish: StillWish, file: string, frames: number): OutputDescription {
  return {
    ...{ file, container: "image", audio: [], subtitles: [] },
    ...{ metadataFrom: null, limitSeconds: null },
    video: {
      ...{ kind: "image", source: { pad: "picture" }, codec: wish.format },
      ...{ quality: wish.quality, frames },
    },
  };
}

export function stillExpectation({ format }: StillWish, file: string, frame: Frame): Expectation {
  return {
    ...{ file, kind: "image", durationSeconds: null, audioTracks: 0, audioCodecs: [] },
    video: { codec: stillFormats[format].codec, ...frame },
  };
}
