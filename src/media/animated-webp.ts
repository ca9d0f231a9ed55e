/**
 * Animated WebP, read by ourselves: before 9.0 no ffmpeg can. Each frame is a still of its own, so it can be
 * decoded as one. RIFF container, WebP Container Specification (RFC 9649).
 */
import { type FileHandle, open } from "node:fs/promises";
import type { MediaInfo, VideoStream } from "./media.ts";
import { notMedia } from "./not-media.ts";

export interface AnimatedWebp {
  /** Canvas in pixels. */
  width: number;
  height: number;
  /** The header says that something is transparent. */
  alpha: boolean;
  /** How often it is played; 0 for ever. */
  plays: number;
  frames: WebpFrame[];
}

export interface WebpFrame {
  /** Of the part of the canvas that it changes. */
  x: number;
  y: number;
  width: number;
  height: number;
  durationMs: number;
  /** Laid over what was there by its alpha, or in its place. */
  blend: boolean;
  /** Its place becomes transparent after it. */
  dispose: boolean;
  /** Its coded picture in the file: bytes from the start, and how many. */
  offset: number;
  bytes: number;
}

/** Ten minutes at 60 frames a second are fewer; each is some fifty bytes of memory here. */
const maxFrames = 100_000;

const riffBytes = 12;
const chunkHeaderBytes = 8;
/** Place, size, duration and flags of a frame. */
const frameHeaderBytes = 16;

const animationFlag = 0x02;
const alphaFlag = 0x10;

/**
 * What an animated WebP says of itself, in constant time for each frame; null for every other file.
 * @throws Refusal 422 `not_media` when it is damaged
 */
export async function readAnimatedWebp(path: string): Promise<AnimatedWebp | null> {
  const file = await open(path, "r");
  try {
    const head = await readAt(file, 0, riffBytes + chunkHeaderBytes + 10);
    if (!isAnimated(head)) return null;
    const end = riffBytes - 4 + head.readUInt32LE(4);
    if (end > (await file.stat()).size) throw damaged("its end is missing");
    return await readChunks(file, head, end);
  } finally {
    await file.close();
  }
}

function isAnimated(head: Buffer): boolean {
  if (head.length < riffBytes + chunkHeaderBytes + 10) return false;
  const marks = head.toString("latin1", 0, 4) + head.toString("latin1", 8, 16);
  return marks === "RIFFWEBPVP8X" && ((head[20] ?? 0) & animationFlag) !== 0;
}

async function readChunks(file: FileHandle, head: Buffer, end: number): Promise<AnimatedWebp> {
  const found: AnimatedWebp = {
    width: head.readUIntLE(24, 3) + 1,
    height: head.readUIntLE(27, 3) + 1,
    alpha: ((head[20] ?? 0) & alphaFlag) !== 0,
    plays: 1,
    frames: [],
  };
  for (let at = riffBytes; at + chunkHeaderBytes <= end; ) {
    const chunk = await readAt(file, at, chunkHeaderBytes + frameHeaderBytes);
    const name = chunk.toString("latin1", 0, 4);
    const bytes = chunk.readUInt32LE(4);
    const start = at + chunkHeaderBytes;
    if (start + bytes > end) throw damaged(`its part ${JSON.stringify(name)} is cut off`);
    if (name === "ANIM" && bytes >= 6) found.plays = chunk.readUInt16LE(chunkHeaderBytes + 4);
    if (name === "ANMF") {
      if (bytes <= frameHeaderBytes) throw damaged("a frame holds no picture");
      if (found.frames.length === maxFrames) throw damaged("it has more frames than can be read");
      found.frames.push(readFrame(chunk, start, bytes));
    }
    // Parts begin at even places.
    at = start + bytes + (bytes % 2);
  }
  if (found.frames.length === 0) throw damaged("it holds not a single frame");
  const outside = found.frames.some(
    ({ x, y, width, height }) => x + width > found.width || y + height > found.height,
  );
  if (outside) throw damaged("a frame lies outside of the picture");
  return found;
}

function readFrame(chunk: Buffer, start: number, bytes: number): WebpFrame {
  const field = (index: number) => chunk.readUIntLE(chunkHeaderBytes + index * 3, 3);
  const flags = chunk[chunkHeaderBytes + 15] ?? 0;
  return {
    x: field(0) * 2,
    y: field(1) * 2,
    width: field(2) + 1,
    height: field(3) + 1,
    durationMs: field(4),
    blend: (flags & 2) === 0,
    dispose: (flags & 1) !== 0,
    offset: start + frameHeaderBytes,
    bytes: bytes - frameHeaderBytes,
  };
}

/**
 * A frame as a WebP of its own, of the size of its part of the canvas. Several, one behind the other, are
 * what ffmpeg's `webp_pipe` reads as several pictures.
 * @throws Refusal 422 `not_media` when the file ends before it
 */
export async function frameAsStill(path: string, frame: WebpFrame): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const coded = await readAt(file, frame.offset, frame.bytes);
    if (coded.length < frame.bytes) throw damaged("its end is missing");
    const header = Buffer.alloc(chunkHeaderBytes + 10);
    header.write("VP8X", "latin1");
    header.writeUInt32LE(10, 4);
    // VP8L has its alpha inside, VP8 in a part before it.
    header[8] = ["ALPH", "VP8L"].includes(coded.toString("latin1", 0, 4)) ? alphaFlag : 0;
    header.writeUIntLE(frame.width - 1, 12, 3);
    header.writeUIntLE(frame.height - 1, 15, 3);
    const padding = Buffer.alloc(coded.length % 2);
    const body = Buffer.concat([Buffer.from("WEBP", "latin1"), header, coded, padding]);
    const riff = Buffer.alloc(8);
    riff.write("RIFF", "latin1");
    riff.writeUInt32LE(body.length, 4);
    return Buffer.concat([riff, body]);
  } finally {
    await file.close();
  }
}

/** The same as the probe's, for a file that no ffprobe reads. */
export function mediaOfWebp(animation: AnimatedWebp, sizeBytes: number): MediaInfo {
  const { width, height, alpha, frames } = animation;
  const durations = frames.map(({ durationMs }) => durationMs);
  const durationSeconds = durations.reduce((sum, ms) => sum + ms, 0) / 1000;
  // The format counts milliseconds: 66 and 67 are fifteen a second.
  const variableFrameRate = Math.max(...durations) - Math.min(...durations) > 1;
  const video: VideoStream = {
    ...{ codec: "webp", profile: null, width, height, displayWidth: width, displayHeight: height },
    frameRate: rateOf(frames.length, durationSeconds),
    ...{ variableFrameRate, pixelFormat: alpha ? "argb" : "bgra", bitDepth: 8, rotation: 0 },
    ...{ hdr: null, colorPrimaries: null, colorTransfer: null, colorSpace: null },
    ...{ colorRange: null, sampleAspectRatio: "1:1", interlaced: false, alpha },
    ...{ bitRate: null, index: 0 },
  };
  return {
    ...{ container: "webp", kind: "video", video, audio: [], subtitles: [], chapters: [] },
    durationSeconds: durationSeconds > 0 ? durationSeconds : null,
    bitRate: durationSeconds > 0 ? Math.round((sizeBytes * 8) / durationSeconds) : null,
  };
}

/** As a fraction of thousandths, which is as exact as durations in milliseconds are. */
function rateOf(frames: number, seconds: number): string | null {
  return seconds > 0 ? `${Math.round((frames / seconds) * 1000)}/1000` : null;
}

async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, at);
  return buffer.subarray(0, bytesRead);
}

function damaged(why: string) {
  return notMedia(`It is an animated WebP that is damaged: ${why}.`);
}
