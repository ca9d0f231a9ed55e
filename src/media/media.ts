/** What a media file is: the `media` object of the API, made by `probe.ts`. Pure data. */

export type HdrKind = "hdr10" | "hdr10plus" | "hlg" | "dolby-vision";

export interface VideoStream {
  codec: string;
  /** As ffprobe names it, for example "High"; null when unknown. */
  profile: string | null;
  /** Coded size in pixels, before rotation and before the sample aspect ratio. */
  width: number;
  height: number;
  /** Size in square pixels as a player shows it: rotation and sample aspect ratio applied, whole numbers. */
  displayWidth: number;
  displayHeight: number;
  /** Rational as ffprobe gives it ("30000/1001"); the average when the rate varies; null for a still. */
  frameRate: string | null;
  variableFrameRate: boolean;
  pixelFormat: string;
  bitDepth: number;
  /** Degrees clockwise that a player turns the coded picture: 0, 90, 180 or 270. */
  rotation: 0 | 90 | 180 | 270;
  hdr: HdrKind | null;
  /** Static HDR metadata where the file says it; absent or null otherwise. */
  hdrMetadata?: HdrMetadata | null;
  /** Colour tags in ffmpeg's words; null when the stream does not say. */
  colorPrimaries: string | null;
  colorTransfer: string | null;
  colorSpace: string | null;
  colorRange: "tv" | "pc" | null;
  /** "1:1" for square pixels. */
  sampleAspectRatio: string;
  interlaced: boolean;
  alpha: boolean;
  bitRate: number | null;
  /** How much later than the file its picture begins; absent where they begin together. */
  startsAtSeconds?: number;
  /** The longest distance between keyframes that was seen; absent or null when nobody looked. */
  keyframeSeconds?: number | null;
  /** Index among all streams of the file, for `-map 0:INDEX`. */
  index: number;
}

/** How the picture was mastered: what HDR10 players tone-map by. */
export interface HdrMetadata {
  /** CIE 1931 x and y of each primary and the white point; nits. Null when only light levels are known. */
  mastering: {
    red: [number, number];
    green: [number, number];
    blue: [number, number];
    white: [number, number];
    minNits: number;
    maxNits: number;
  } | null;
  /** Brightest pixel and brightest average of a frame, in nits; null when unknown. */
  light: { maxContentNits: number; maxAverageNits: number } | null;
}

/** What decides whether a GPU's decoder and filters can work on a picture: of its stream, coded. */
export type InputPicture = Pick<
  VideoStream,
  "codec" | "pixelFormat" | "bitDepth" | "width" | "height" | "interlaced"
> & { rotation: number };

export interface AudioStream {
  codec: string;
  profile: string | null;
  channels: number;
  /** For example "stereo" or "5.1(side)"; null when unknown. */
  channelLayout: string | null;
  sampleRate: number;
  /** ISO 639-2 code; null when the file does not say. */
  language: string | null;
  title: string | null;
  bitRate: number | null;
  default: boolean;
  index: number;
}

export interface SubtitleStream {
  codec: string;
  language: string | null;
  title: string | null;
  default: boolean;
  forced: boolean;
  index: number;
}

export interface Chapter {
  startSeconds: number;
  endSeconds: number;
  title: string | null;
}

export interface MediaInfo {
  /** One word for the container: mov, mp4, mkv, webm, avi, mpegts, mp3, wav, gif, png, jpeg, webp … */
  container: string;
  /** What it is to a person: moving picture, sound alone, or a still. */
  kind: "video" | "audio" | "image";
  /** Null for stills and where the file does not say and nothing could be measured. */
  durationSeconds: number | null;
  bitRate: number | null;
  /** The main moving picture or still; a cover picture of an audio file does not count. */
  video: VideoStream | null;
  audio: AudioStream[];
  subtitles: SubtitleStream[];
  chapters: Chapter[];
}
