/** Media as probe results, for tests of plans: everything usual, and what a test is about. */
import type { AudioStream, MediaInfo, VideoStream } from "../../src/media/media.ts";

/** 1080p30 H.264, 8 bits, upright, progressive; its display size follows its size. */
export function video(about: Partial<VideoStream> = {}): VideoStream {
  const { width = 1920, height = 1080 } = about;
  return {
    codec: "h264",
    profile: "High",
    width,
    height,
    displayWidth: width,
    displayHeight: height,
    frameRate: "30/1",
    variableFrameRate: false,
    pixelFormat: "yuv420p",
    bitDepth: 8,
    rotation: 0,
    hdr: null,
    colorPrimaries: "bt709",
    colorTransfer: "bt709",
    colorSpace: "bt709",
    colorRange: "tv",
    sampleAspectRatio: "1:1",
    interlaced: false,
    alpha: false,
    bitRate: null,
    index: 0,
    ...about,
  };
}

export const hdr10Video = video({
  codec: "hevc",
  profile: "Main 10",
  pixelFormat: "yuv420p10le",
  bitDepth: 10,
  hdr: "hdr10",
  colorPrimaries: "bt2020",
  colorTransfer: "smpte2084",
  colorSpace: "bt2020nc",
});

export function audio(about: Partial<AudioStream> = {}): AudioStream {
  return {
    codec: "aac",
    profile: "LC",
    channels: 2,
    channelLayout: "stereo",
    sampleRate: 48_000,
    language: null,
    title: null,
    bitRate: null,
    default: true,
    index: 1,
    ...about,
  };
}

/** An MP4 of a minute with one stereo track. */
export function media(about: Partial<MediaInfo> = {}): MediaInfo {
  return {
    container: "mp4",
    kind: "video",
    durationSeconds: 60,
    bitRate: null,
    video: video(),
    audio: [audio()],
    subtitles: [],
    chapters: [],
    ...about,
  };
}

/** An ffmpeg with all that plans ask for. */
export const everything = {
  encoders: new Set([
    ...["libx264", "libx265", "libsvtav1", "libaom-av1", "libvpx-vp9"],
    ...["aac", "libopus", "libmp3lame", "mjpeg", "png", "libwebp"],
    ...["gif", "apng", "libwebp_anim", "prores_ks"],
  ]),
  filters: new Set([
    ...["zscale", "tonemap", "bwdif", "hqdn3d", "nlmeans", "minterpolate"],
    ...["vidstabdetect", "vidstabtransform"],
  ]),
};
