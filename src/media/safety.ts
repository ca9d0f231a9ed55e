/**
 * What ffmpeg and ffprobe may open, as flags that stand before every `-i`. Pure. `-protocol_whitelist`
 * alone stops nothing: a playlist renamed .mp4 still opens other people's files; the closed list of
 * formats does (44 hostile files: 13 leak by default, 11 with the protocols, none with the formats).
 * Filters ignore all of this, so the fence stands behind it.
 */

/** Containers with no way to name another file. Playlists (hls, dash, concat, imf) stay out for ever. */
export const safeFormats = [
  "mov",
  "mp4",
  "matroska",
  "webm",
  "avi",
  "mpegts",
  "mpeg",
  "mpegvideo",
  "flv",
  "asf",
  "ogg",
  "mxf",
  "wav",
  "mp3",
  "aac",
  "ac3",
  "eac3",
  "aiff",
  "flac",
  "gif",
  "apng",
  "png_pipe",
  "jpeg_pipe",
  "webp_pipe",
] as const;

/**
 * Decoders by ffmpeg's name: what cameras, phones, editors and discs write. Rare ones stay out: the
 * decoder bugs of 2026 (MagicYUV, FLIC, VVC, APAC) were all in decoders that hardly anybody needs.
 */
export const safeDecoders = [
  ...["h264", "hevc", "av1", "libdav1d", "libaom-av1", "vp8", "vp9", "libvpx", "libvpx-vp9"],
  ...["mpeg4", "msmpeg4v2", "msmpeg4v3", "h263", "mpeg2video", "mpeg1video", "mjpeg", "prores"],
  ...["dnxhd", "dvvideo", "theora", "flv", "wmv1", "wmv2", "wmv3", "vc1", "ffv1", "rawvideo"],
  ...["gif", "png", "apng", "webp"],
  ...["aac", "aac_fixed", "aac_latm", "ac3", "eac3", "dca", "truehd", "mp3float", "mp3"],
  ...["mp2float", "mp2", "opus", "libopus", "vorbis", "flac", "alac", "wmav1", "wmav2"],
  ...["amrnb", "amrwb", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt"],
  ...["pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le"],
  ...["pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_alaw", "pcm_mulaw"],
  ...["pcm_bluray", "pcm_dvd"],
  ...["ass", "ssa", "subrip", "srt", "webvtt", "mov_text", "text"],
  ...["dvdsub", "dvbsub", "pgssub", "cc_dec", "libzvbi_teletextdec"],
  ...["h264_cuvid", "hevc_cuvid", "av1_cuvid", "vp8_cuvid", "vp9_cuvid", "mpeg2_cuvid"],
] as const;

/** 8192 × 8192: twice an 8K frame. A 2 MB PNG beyond it took ffprobe to 2 GB; refused it takes 54 MB. */
export const maxPixels = 67_108_864;

/** 900 streams took 626 MB of memory; the busiest real files (discs, broadcast) have about 40. */
export const maxStreams = 64;

/** Bytes read to find the streams: enough for late headers of broadcast files, a fraction of a second of disk. */
export const probeBytes = 33_554_432;

/** Microseconds of media read to find the streams. */
export const analyzeMicroseconds = 10_000_000;

/** Input options for the next `-i`; they hold for one input, so repeat them before each. */
export function safeInputFlags(): string[] {
  return [
    ...["-protocol_whitelist", "file"],
    ...["-format_whitelist", safeFormats.join(",")],
    ...["-codec_whitelist", safeDecoders.join(",")],
    ...["-max_pixels", String(maxPixels)],
    ...["-max_streams", String(maxStreams)],
    ...["-probesize", String(probeBytes)],
    ...["-analyzeduration", String(analyzeMicroseconds)],
  ];
}

/**
 * The one exception to the closed list: a list of pieces that we wrote, of files that we made. It may name
 * plain files beside it and nothing else, and those are MP4, MOV or transport streams.
 */
export function pieceListFlags(): string[] {
  return [
    ...["-protocol_whitelist", "file", "-format_whitelist", "concat,mov,mpegts"],
    ...["-codec_whitelist", safeDecoders.join(",")],
    ...["-max_pixels", String(maxPixels), "-max_streams", String(maxStreams)],
    ...["-f", "concat", "-safe", "1"],
  ];
}

/** Their demuxers and decoders by our word for the format. */
const captionReaders = {
  srt: { demuxer: "srt", decoders: "subrip,srt" },
  vtt: { demuxer: "webvtt", decoders: "webvtt" },
  ass: { demuxer: "ass", decoders: "ass,ssa" },
};

/** Captions that we wrote ourselves, read as what they are: the format is not guessed, and no other is. */
export function captionFlags(format: keyof typeof captionReaders): string[] {
  const { demuxer, decoders } = captionReaders[format];
  return [
    ...["-protocol_whitelist", "file", "-format_whitelist", demuxer],
    ...["-codec_whitelist", decoders, "-f", demuxer],
  ];
}

/** Stills by the container's word of `MediaInfo`, with the demuxer that reads exactly one picture. */
const stillDemuxers: Record<string, string> = {
  jpeg: "jpeg_pipe",
  png: "png_pipe",
  webp: "webp_pipe",
};

/**
 * Flags that make ffmpeg read a still as what it is. Left to itself it may go by the name: `x.jpg` becomes
 * a series of numbered files (image2), which is not on the list of formats because it opens others.
 * @param container of `MediaInfo`; anything but a still gives no flags
 */
export function stillFlags(container: string): string[] {
  const demuxer = stillDemuxers[container];
  return demuxer === undefined ? [] : ["-f", demuxer];
}

/** Decoders that give the transparency of VP8 and VP9; ffmpeg's own leave it out without a word. */
const alphaDecoders: Record<string, string> = { vp8: "libvpx", vp9: "libvpx-vp9" };

/** Flags that make ffmpeg decode the transparency of a picture too, where it needs telling and has the decoder. */
export function alphaFlags(
  codec: string | undefined,
  { decoders }: { decoders: ReadonlySet<string> },
): string[] {
  const decoder = alphaDecoders[codec ?? ""];
  return decoder === undefined || !decoders.has(decoder) ? [] : ["-c:v", decoder];
}

/** The container of a still by its first bytes (Latin-1); null for everything else. */
export function stillContainerOf(head: string): string | null {
  if (head.startsWith("\xff\xd8\xff")) return "jpeg";
  if (head.startsWith("\x89PNG\r\n")) return head.includes("acTL") ? null : "png";
  return head.startsWith("RIFF") && head.slice(8, 12) === "WEBP" ? "webp" : null;
}

/**
 * The argument of `-i` for a local file. The prefix keeps ffmpeg from reading `concat:` or `subfile,,`
 * out of a name; the path must be absolute.
 */
export function inputPath(path: string): string {
  return `file:${path}`;
}
