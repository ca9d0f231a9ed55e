/**
 * A render description: what one run of ffmpeg shall do, as data, before a device is known.
 * `render.ts` turns it into an argv for one device and one ffmpeg. Operations build it, runners carry it out.
 */
import type { CaptionFormat } from "./captions/cue.ts";
import type { ChunkWork } from "./chunk-work.ts";
import type { LadderPackage } from "./cmaf/ladder-package.ts";
import type { FilterChain, SoundChain } from "./graph.ts";
import type { HdrMetadata, InputPicture } from "./media.ts";
import type { Facts, ReadingKind } from "./readings.ts";
import type { ReportKind } from "./reports/kinds.ts";
import type { ScoreTarget } from "./target-search.ts";

/** An input asset of the job by position, or a file that an earlier step of the job made. */
export type InputRef = { asset: number } | StepFileRef;

/** A file that an earlier step of the job made. */
export type StepFileRef = { step: string; file: string };

/** A number in a JSON file of an earlier step, by its JSON Pointer (RFC 6901). */
export type FigureRef = StepFileRef & { pointer: string };

export interface InputDescription {
  from: InputRef;
  /** Seek before decoding (fast, and exact when re-encoding). */
  seekSeconds?: number;
  /** In place of `seekSeconds`: a number in the JSON that an earlier step made. */
  seekFrom?: FigureRef;
  /** With a seek: all that is decoded from the keyframe before it on comes, at times below zero first. */
  keepsLead?: true;
  /**
   * With a seek, in a container without an index: read so much before it, and leave it out of all outputs, which
   * then come from this input alone.
   */
  prerollSeconds?: number;
  /** Read at most this much, counted from the seek. */
  durationSeconds?: number;
  /** Its times lie so much later; earlier when it is negative. */
  offsetSeconds?: number;
  /** Of a join: its times may begin below zero, for the run-up of its encoder. */
  keepsStart?: true;
  /** Decode keyframes only (`-skip_frame nokey`). With a seek it begins at the last one before that time. */
  keyframesOnly?: boolean;
  /** With fewer keyframes than that the pictures would repeat themselves: then every frame is decoded after all. */
  leastKeyframes?: number;
  /** Of keyframes alone: these are all that matter, and the others need not be decoded. */
  moments?: Moments;
  /** Set for a still: the container's word of its `MediaInfo` (jpeg, png, webp). */
  still?: string;
  /**
   * It is a list of pieces, one played after the other, as `pieceList` writes it: only ever a text of ours,
   * which names files of ours beside it. Nothing else is read so.
   */
  pieces?: true;
  /** It is captions in this format: only ever a text of ours. Nothing else is read so. */
  captions?: CaptionFormat;
  /** Of its decoder: where many inputs are open at once, each thread holds a picture. Absent: all there are. */
  decoderThreads?: number;
  /** Its transparency is wanted too, which takes a decoder of its own for VP8 and VP9. */
  keepAlpha?: boolean;
  /** The picture that is decoded from it; absent when none is: what a GPU's decoder must know first. */
  picture?: InputPicture;
}

/** Of each stretch of so many seconds the last keyframe before its middle; of the last one, before the end of all. */
export interface Moments {
  everySeconds: number;
  wholeSeconds: number;
  /** When the picture begins. */
  startsAtSeconds: number;
}

export type VideoCodec = "h264" | "hevc" | "av1" | "vp9" | "prores";
export type AudioCodec = "aac" | "opus" | "mp3" | "flac" | "pcm_s16le" | "pcm_s24le";
/** How much of the picture ProRes 422 keeps, and at which rate: it has no other choice of quality. */
export type ProresProfile = "proxy" | "lt" | "standard" | "hq";
export type Speed = "fast" | "balanced" | "best";

/**
 * Rate control: the quality scale of `docs/quality.md` (0–100), where hard scenes may take no more than
 * `maxBitRate` over two seconds; or bits per second.
 */
export type RateControl = { quality: number; maxBitRate?: number } | { bitRate: number };

/** Colour tags for the output, in ffmpeg's words; null leaves a tag unset. */
export interface ColorTags {
  primaries: string | null;
  transfer: string | null;
  space: string | null;
  range: "tv" | "pc" | null;
}

export interface VideoEncode {
  kind: "encode";
  /** Pad of the filter graph, or a stream of an input (`0:3`). */
  source: StreamRef;
  codec: VideoCodec;
  rate: RateControl;
  /** A quality that an earlier step found, in place of the rate, which is what may be expected. */
  qualityFrom?: FigureRef;
  /** In place of the rate, for ProRes 422. Absent: hq, or 4444 by the pixel format. */
  proresProfile?: ProresProfile;
  speed: Speed;
  pixelFormat: string;
  /** Frames between keyframes at most. */
  gopFrames: number;
  /**
   * Keyframes at every multiple of so many seconds, for segments that align, and none where the scene
   * changes. `gopFrames` reaches from one to the next, or there are more; SVT-AV1 with a bit rate goes by
   * `gopFrames` alone. Segments last `segmentSeconds`, a whole number of those distances.
   */
  forcedKeyframes?: { everySeconds: number; segmentSeconds: number };
  /**
   * With a peak, of x264 and x265: how full the buffer is that the peak is held over when the first frame comes.
   * Absent: nine tenths, as they have it.
   */
  bufferShare?: number;
  color: ColorTags;
  /** Size of the coded picture: some encoders have limits, and the choice of encoder depends on them. */
  width?: number;
  height?: number;
  /** A keyframe at the first frame from this time on, besides those that the encoder sets by itself. */
  keyframeAtSeconds?: number;
  /** True keeps uneven distances between frames to 1/90000 s instead of the grid of a constant rate. */
  variableFrameRate?: boolean;
  /** Seconds that one tick of its clock lasts, as a fraction ("1001/24000"); absent: one over the rate. */
  clock?: string;
  /** Threads of an encoder on the CPU; absent: as many as it likes. */
  threads?: number;
  /** Static HDR metadata (SMPTE ST 2086, CTA-861.3) to write into the stream; absent or null for none. */
  hdrMetadata?: HdrMetadata | null;
}

export interface ImageEncode {
  kind: "image";
  source: StreamRef;
  codec: "jpeg" | "png" | "webp";
  /** 0–100. */
  quality: number;
  /** Null for all that come (numbered files); otherwise stop after so many. */
  frames: number | null;
}

export type AnimationFormat = "gif" | "webp" | "apng" | "avif";

/** Pictures or sound decoded and filtered for what the filters find out, and kept nowhere. */
export interface Look {
  kind: "look";
  source: StreamRef;
}

/** Moving pictures without sound in a format for pictures. Frames come at a constant rate. */
export interface AnimationEncode {
  kind: "animation";
  source: StreamRef;
  format: AnimationFormat;
  /** 0–100, of WebP and AVIF. */
  quality: number;
  /** How often it is played; 0 for ever. */
  plays: number;
  /** Of AVIF; the others are RGB. */
  color: ColorTags;
  /** AVIF keeps its transparency as a second, grey picture: the pad of it. */
  alpha?: { pad: string };
}

export interface AudioEncode {
  kind: "encode";
  source: StreamRef;
  codec: AudioCodec;
  /** Bits per second; null where nothing is lost. */
  bitRate: number | null;
  channels: number;
  sampleRate: number;
  /** Bits of a sample, for FLAC; absent: 16. */
  bitDepth?: 16 | 24;
  /** ISO 639-2 code; anything else is left out. */
  language: string | null;
  /** For the person who reads the plan. ffmpeg itself carries titles over: no text of a file enters an argv. */
  title: string | null;
}

export interface StreamCopy {
  kind: "copy";
  source: StreamRef;
  /** Codec of the source, so that the muxer gets the right tag (hvc1). */
  codec: string;
  /** Of a picture: so many packets, in decoding order, from the first keyframe at or after the seek on. */
  packets?: number;
  /** Of a picture, into Matroska: of its keyframes these alone, and some besides where their distances change. */
  moments?: Moments;
  /** Of a picture: its parameters change on the way, and stand before its keyframes (avc3, hev1). */
  changing?: true;
  /** What the container of its file says about the track is forgotten: the file was ours, and made to be joined. */
  untold?: true;
}

export interface SubtitleCopy extends StreamCopy {
  /** ISO 639-2 code to say instead of the source's. */
  language?: string | null;
}

export interface SubtitleEncode {
  kind: "encode";
  source: StreamRef;
  codec: "mov_text" | "subrip" | "webvtt" | "ass";
  language?: string | null;
}

export type StreamRef = { pad: string } | { input: number; stream: number };

/** `null` makes no file: ffmpeg runs for what its filters find out. */
export type OutputContainer =
  | ("mp4" | "mkv" | "webm" | "mov" | "mpegts" | "image" | "null")
  | AnimationFormat
  | SoundContainer
  | CaptionFormat;

/** For sound alone; AAC alone lies in MP4. */
export type SoundContainer = "mp3" | "ogg" | "flac" | "wav";

export interface OutputDescription {
  /** File name inside the job's folder, ours and plain: `output.mp4`. */
  file: string;
  container: OutputContainer;
  video: VideoEncode | ImageEncode | AnimationEncode | Look | StreamCopy | null;
  audio: (AudioEncode | Look | StreamCopy)[];
  subtitles: (SubtitleCopy | SubtitleEncode)[];
  /** Input whose metadata and chapters are kept, or null for none. */
  metadataFrom: number | null;
  /** The chapters stay behind, for their times are not the output's; absent: they go with the metadata. */
  dropChapters?: true;
  /** Cap on the output (`-t`), a guard against bombs; null for none. */
  limitSeconds: number | null;
  /** Ends the output where it becomes larger, for then it is of no use; absent: it may grow. */
  limitBytes?: number;
  /** Of the picture in MP4 and MOV: the clock that its times are kept by. Absent: what fits its frames. */
  ticksPerSecond?: number;
  /**
   * For a later step alone: its index need not stand at its beginning, which is a second writing of all of it, and
   * its times may begin below zero, for the run-up of an encoder.
   */
  isIntermediate?: true;
  /**
   * Of MP4 and MOV: room that is kept for the index at the front, so that the file is written once; what is not
   * needed of it stays empty. Absent: the index is put in front afterwards, which is a second writing of all of it.
   */
  indexBytes?: number;
}

export interface RenderDescription {
  inputs: InputDescription[];
  graph: FilterChain[];
  /** What happens to sound besides the layout and rate of each track; absent: nothing. */
  sound?: SoundChain[];
  outputs: OutputDescription[];
  /** Files of earlier steps that filters read by a path relative to the step's folder. */
  reads?: InputRef[];
  /** Of filters that can use several; absent: all there are. */
  filterThreads?: number;
  /** For finding faults: whatever is broken it goes on, chains alone, with the file's times from its start. */
  inspects?: true;
  /** Seconds of output that 100 % means, for progress and ETA; null when unknown. */
  expectedSeconds: number | null;
}

/** What a step does. */
export type StepWork =
  /** Runs ffmpeg, which makes the step's outputs. */
  | { kind: "render"; description: RenderDescription }
  /** Writes a text that the plan computed (a WebVTT index). */
  | { kind: "write"; file: string; text: string }
  /**
   * Runs ffmpeg for what it finds out. `reading` makes JSON of what it said and of the texts that its
   * filters left in the step's folder; that is kept as `file`, for people and for later steps.
   */
  | {
      kind: "analyse";
      description: RenderDescription;
      reading: ReadingKind;
      file: string;
      /** What the reading must know besides; absent: nothing. */
      facts?: Facts;
      /**
       * Makes a loudness known without a run where every `normalise` is a gain alone: what comes out then
       * follows from what went in.
       */
      onlyIfLimited?: true;
      /** The score of a `likeness` that is told on the job, beside the one that was asked for. */
      tells?: ScoreTarget;
    }
  /**
   * Looks for the lowest quality that reaches a score: encodes samples of the film at one quality after another,
   * as `candidate`, holds each against the samples, and keeps what it found as `file`: a `FoundQuality`. What the
   * whole will take is told on the job. Fails when nothing reaches the score.
   */
  | {
      kind: "target";
      file: string;
      target: ScoreTarget;
      /** Makes `candidate` in the step's folder; its quality is put in. */
      description: RenderDescription;
      candidate: string;
      /** Reads it besides the samples. */
      compare: RenderDescription;
      /** The largest value of a sample. */
      peak: number;
      /** Of all samples, and of the film; the rest of the file takes `otherBytes`. */
      sampleSeconds: number;
      wholeSeconds: number | null;
      otherBytes: number;
    }
  /**
   * Renders the candidates in their order until the output `file` fits, and keeps that one; the tries are
   * told on the job. When none fits the step fails, or keeps the last where `orLast` says so.
   */
  | {
      kind: "search";
      candidates: SearchCandidate[];
      file: string;
      maxBytes: number;
      orLast: boolean;
    }
  /**
   * Takes spans of the first input, to the frame, and joins them into the one output. `description` says how
   * all of it would be encoded; with `copies` the picture is encoded around the cuts alone and the packets
   * between are copied, where the source has clean keyframes there.
   */
  | {
      kind: "cut";
      description: RenderDescription;
      spans: CutSpan[];
      copies: boolean;
      /** Read so much before each span: where a container has no index, decoding begins late after a seek. */
      prerollSeconds: number;
    }
  | ChunkWork
  /** Surveys the packets of a file without decoding them; the `PacketSurvey` is kept as `file`. */
  | { kind: "survey"; from: InputRef; file: string; gapSeconds: number }
  /** Makes a report of JSON that earlier steps found: for programs as `data`, for people as `text`. */
  | {
      kind: "report";
      report: ReportKind;
      of: { step: string; file: string }[];
      /** What the plan knows besides: plain data, as the report wants it. */
      about: unknown;
      data: string;
      text: string;
    }
  /** Makes a ladder of streams that earlier steps encoded: cuts them into segments, writes the playlists. */
  | { kind: "package"; ladder: LadderPackage };

/** A piece of an input, in seconds from its start. */
export interface CutSpan {
  from: number;
  seconds: number;
}

/** What ffmpeg is to do first; null when it does not run. */
export function descriptionOf(work: StepWork): RenderDescription | null {
  switch (work.kind) {
    case "write":
    case "survey":
    case "seams":
    case "report":
    case "package":
      return null;
    case "search":
      return work.candidates[0]?.description ?? null;
    case "render":
    case "analyse":
    case "target":
    case "cut":
    case "chunk":
    case "join":
      return work.description;
  }
}

export interface SearchCandidate {
  /** For the person: "640 pixels wide, 15 frames per second". */
  title: string;
  description: RenderDescription;
}
