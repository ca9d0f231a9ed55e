/** Moments at even distances over a whole video, and how their frames are got. Pure. */
import type { InputDescription } from "../media/description.ts";
import type { VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { usualKeyframeSeconds } from "../media/moving.ts";
import { Refusal } from "../trouble.ts";
import { inputPicture, rateNumber } from "./picture.ts";

export interface Evenly {
  count: number;
  /** Seconds of the whole. */
  seconds: number;
  /** Distance of two moments; the first lies half of it after the start. */
  every: number;
  /** Decode keyframes only: many times faster, where each stretch surely has one. */
  keyframesOnly: boolean;
}

/**
 * Encoders for files put keyframes at most 250 frames apart, 10 s at 25 fps; a slot twice as long holds
 * one before its middle, where its picture is taken from.
 */
export const surelyKeyframedSeconds = 20;

/**
 * How long the video is.
 * @param what of the parameters needs to know it, for the sentence
 * @throws Refusal 422 `unsuitable_input` for stills and for sources of unknown length
 */
export function knownSeconds(media: MediaInfo, what: string): number {
  if (media.kind === "video" && media.durationSeconds !== null && media.durationSeconds > 0) {
    return media.durationSeconds;
  }
  throw new Refusal(
    422,
    "unsuitable_input",
    media.kind === "image"
      ? `The source is a still picture: ${what} needs a video. Ask for a poster alone.`
      : `The source does not say how long it is, which ${what} needs. Transcode it first, or ask for a poster alone.`,
  );
}

export function evenly(video: VideoStream, seconds: number, count: number): Evenly {
  const every = seconds / count;
  return { count, seconds, every, keyframesOnly: keyframesAreEnough(video, every) };
}

/** @param every seconds that one picture stands for */
export function keyframesAreEnough(video: VideoStream, every: number): boolean {
  const distance = video.keyframeSeconds ?? null;
  if (distance !== null) return every >= 2 * distance && distance > 0;
  const rate = rateNumber(video.frameRate);
  // 250 frames are more than 10 s below 25 fps.
  const slow = rate === null || video.variableFrameRate || rate < 23;
  return !slow && every >= surelyKeyframedSeconds;
}

/** Of a whole video; `seconds` long, of which the last stretch may be too short to hold a keyframe. */
type Sparse = Pick<Evenly, "keyframesOnly" | "count" | "every" | "seconds">;

/** The whole video, of which frames at distances are wanted. */
export function sparseInput({ container }: MediaInfo, video: VideoStream, wanted: Sparse) {
  const { keyframesOnly, count, every: everySeconds, seconds: wholeSeconds } = wanted;
  const input: InputDescription = { from: { asset: 0 }, picture: inputPicture(video) };
  if (!keyframesOnly) return input;
  const sparse = { ...input, keyframesOnly, leastKeyframes: count - 1 };
  const { startsAtSeconds = 0 } = video;
  return arePicked(container, video, wanted)
    ? { ...sparse, moments: { everySeconds, wholeSeconds, startsAtSeconds } }
    : sparse;
}

/** Where the keyframes of a picture are found without reading all of it, and go over into Matroska as they are. */
const pickedFrom: readonly string[] = ["mp4", "mov", "mkv", "webm"];
const pickedCodecs: readonly string[] = ["h264", "hevc", "vp8", "vp9", "av1"];

/** So many keyframes of 1080p take longer to decode than another start of ffmpeg, which picks. */
const worthPicking = 60;
const pixelsOf1080p = 1920 * 1080;

function arePicked(container: string, video: VideoStream, { count, seconds }: Sparse): boolean {
  const { codec, rotation, hdr, interlaced, alpha } = video;
  const plain = rotation === 0 && hdr === null && !interlaced && !alpha;
  if (!plain || !pickedFrom.includes(container) || !pickedCodecs.includes(codec)) return false;
  const all = seconds / (video.keyframeSeconds ?? usualKeyframeSeconds);
  return (all - count) * ((video.width * video.height) / pixelsOf1080p) >= worthPicking;
}

/** Exactly the frames of the moments. */
export function evenFrames({ count, seconds }: Evenly): VideoFilter[] {
  return [
    { filter: "fps", rate: `${count * 1000}/${Math.round(seconds * 1000)}`, startSeconds: 0 },
    { filter: "exactly", frames: count },
  ];
}
