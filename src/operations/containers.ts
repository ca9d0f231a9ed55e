/** What a container can hold, as players take it: for refusing early what a muxer would refuse late. */
import type { AudioCodec, OutputContainer, VideoCodec } from "../media/description.ts";

/** Containers of moving pictures; those for sound alone stand in `sound-formats.ts`. */
export type MediaContainer = Extract<OutputContainer, "mp4" | "mkv" | "webm" | "mov">;

export interface ContainerFacts {
  title: string;
  /** Codecs that `auto` stands for. */
  video: VideoCodec;
  audio: AudioCodec;
  /** Codecs that conform already when `auto` was asked for. */
  conformingVideo: readonly string[];
  conformingAudio: readonly string[];
  /** What may be put in, encoded or copied, in ffprobe's words; null for everything. */
  holdsVideo: readonly string[] | null;
  holdsAudio: readonly string[] | null;
  /** Subtitles that can be copied in. */
  holdsSubtitles: readonly string[];
  /** Whether the rotation tag of a copied stream survives. */
  keepsRotation: boolean;
  mimeType: string;
  ending: string;
  /** The same for sound alone. */
  audioMimeType: string;
  audioEnding: string;
}

const textSubtitles = ["subrip", "ass", "ssa", "webvtt"];

export const containers: Record<MediaContainer, ContainerFacts> = {
  mp4: {
    title: "MP4",
    video: "h264",
    audio: "aac",
    conformingVideo: ["h264"],
    conformingAudio: ["aac"],
    holdsVideo: ["h264", "hevc", "av1", "vp9", "mpeg4", "mpeg2video", "mjpeg"],
    holdsAudio: ["aac", "mp3", "opus", "ac3", "eac3", "alac", "mp2"],
    holdsSubtitles: ["mov_text"],
    keepsRotation: true,
    mimeType: "video/mp4",
    ending: "mp4",
    audioMimeType: "audio/mp4",
    audioEnding: "m4a",
  },
  mov: {
    title: "MOV",
    video: "h264",
    audio: "aac",
    conformingVideo: ["h264"],
    conformingAudio: ["aac"],
    holdsVideo: ["h264", "hevc", "mpeg4", "mpeg2video", "mjpeg", "prores", "dnxhd"],
    holdsAudio: ["aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le", "pcm_s16be"],
    holdsSubtitles: ["mov_text"],
    keepsRotation: true,
    mimeType: "video/quicktime",
    ending: "mov",
    audioMimeType: "video/quicktime",
    audioEnding: "mov",
  },
  mkv: {
    title: "Matroska",
    video: "h264",
    audio: "aac",
    conformingVideo: ["h264"],
    conformingAudio: ["aac"],
    holdsVideo: null,
    holdsAudio: null,
    holdsSubtitles: [...textSubtitles, "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"],
    keepsRotation: false,
    mimeType: "video/x-matroska",
    ending: "mkv",
    audioMimeType: "audio/x-matroska",
    audioEnding: "mka",
  },
  webm: {
    title: "WebM",
    video: "vp9",
    audio: "opus",
    conformingVideo: ["vp9", "av1", "vp8"],
    conformingAudio: ["opus", "vorbis"],
    holdsVideo: ["vp9", "av1", "vp8"],
    holdsAudio: ["opus", "vorbis"],
    holdsSubtitles: ["webvtt"],
    keepsRotation: false,
    mimeType: "video/webm",
    ending: "webm",
    audioMimeType: "audio/webm",
    audioEnding: "webm",
  },
};

/**
 * Sources whose timestamps can be trusted in a copy. AVI and the like carry none of their own: copied
 * into MP4 their B-frames stand in the wrong order.
 */
export const copyableSources: ReadonlySet<string> = new Set([
  ...["mp4", "mov", "mkv", "webm", "mpegts", "flv"],
  // Sound alone.
  ...["mp3", "aac", "m4a", "ogg", "flac", "wav", "mka"],
]);

/**
 * How many subtitle tracks an output has. MP4 and MOV leave out tracks in which nothing stands, which those of a
 * source may be; what we add has something in it.
 */
export function subtitlesExpected(
  container: MediaContainer,
  kept: number,
  added = 0,
): { least: number; most: number } {
  const all = kept + added;
  const keepsEmpty = container === "mkv" || container === "webm";
  return { least: keepsEmpty ? all : added, most: all };
}

/** "h264" → "H.264": what people call a codec of ffprobe's. */
export function codecTitle(codec: string): string {
  const titles: Record<string, string> = {
    h264: "H.264",
    hevc: "HEVC",
    av1: "AV1",
    vp8: "VP8",
    vp9: "VP9",
    aac: "AAC",
    opus: "Opus",
    mp3: "MP3",
    vorbis: "Vorbis",
    prores: "ProRes",
    pcm_s16le: "PCM",
    pcm_s24le: "PCM",
  };
  return titles[codec] ?? codec.toUpperCase();
}
