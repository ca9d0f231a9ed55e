/** The presets that come with Kinomill: named parameters for what people want most. */

export interface BuiltInPreset {
  /** `ps_` and a plain name; it never changes. */
  id: string;
  name: string;
  operation: string;
  params: Record<string, unknown>;
}

/** 720p and 1080p at the quality that the web needs, with the sound that every browser plays. */
const web = (maxHeight: number) => ({
  container: "mp4",
  video: { codec: "h264", quality: 65, maxHeight, pixelFormat: "yuv420p" },
  audio: { codec: "aac", channels: 2 },
  hdr: "sdr",
});

/** Hard to tell from the source, all tracks, slower and smaller. */
const archive = (codec: string) => ({
  container: "mkv",
  speed: "best",
  video: { codec, quality: 80 },
  audio: { codec: "copy" },
});

/** What the chat programs with the tightest limit take for a sticker. */
const stickerMaxBytes = 500_000;

/** What the large mail services take as an attachment. */
const emailMaxBytes = 25_000_000;

/** All of them, in the order in which they are offered. A test holds each to its operation's schema. */
export const builtInPresets: readonly BuiltInPreset[] = [
  { id: "ps_web-1080p", name: "Web MP4 1080p", operation: "transcode", params: web(1080) },
  { id: "ps_web-720p", name: "Web MP4 720p", operation: "transcode", params: web(720) },
  { id: "ps_archive-hevc", name: "Archive HEVC", operation: "transcode", params: archive("hevc") },
  { id: "ps_archive-av1", name: "Archive AV1", operation: "transcode", params: archive("av1") },
  {
    id: "ps_email",
    name: "Email (≤ 25 MB)",
    operation: "transcode",
    params: {
      ...{ container: "mp4", maxBytes: emailMaxBytes, hdr: "sdr", tracks: "first" },
      video: { codec: "h264", maxHeight: 1080, pixelFormat: "yuv420p" },
      audio: { codec: "aac", channels: 2 },
    },
  },
  {
    id: "ps_prores-proxy",
    name: "ProRes proxy",
    operation: "transcode",
    params: {
      container: "mov",
      video: { codec: "prores", profile: "proxy", maxHeight: 1080 },
      audio: { codec: "pcm" },
    },
  },
  {
    id: "ps_streaming",
    name: "Streaming ladder",
    operation: "ladder",
    params: { format: "both", thumbnails: { width: 160 } },
  },
  {
    id: "ps_vertical",
    name: "Vertical 9:16",
    operation: "reframe",
    params: { aspect: "9:16", width: 1080, background: "blur" },
  },
  {
    id: "ps_square",
    name: "Square",
    operation: "reframe",
    params: { aspect: "1:1", width: 1080, background: "blur" },
  },
  {
    id: "ps_podcast",
    name: "Podcast audio",
    operation: "audio",
    params: {
      do: "extract",
      format: "mp3",
      bitRate: 128_000,
      loudness: { lufs: -16, truePeakDbtp: -1 },
    },
  },
  {
    id: "ps_gif",
    name: "GIF preview",
    operation: "animate",
    params: { format: "gif", width: 320, frameRate: 10, from: 0, to: 5 },
  },
  {
    id: "ps_sticker",
    name: "Animated WebP sticker",
    operation: "animate",
    params: {
      format: "webp",
      width: 512,
      frameRate: 15,
      from: 0,
      to: 3,
      maxBytes: stickerMaxBytes,
    },
  },
  {
    id: "ps_thumbnails",
    name: "Thumbnails",
    operation: "thumbnails",
    params: { poster: { at: "best", width: 1280 }, sprite: { width: 160 } },
  },
];
