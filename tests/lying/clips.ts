/** Media that does not keep what its header says: each a few seconds, made by ffmpeg and then bent. */
import { readFileSync, writeFileSync } from "node:fs";
import { clip, ffmpeg } from "../clips.ts";
import { matroska, type Packet } from "../support/matroska.ts";

const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"];

interface Part {
  seconds: number;
  size?: string;
  rate?: number;
  /** Seconds of sound; absent for as much as there is picture. */
  soundSeconds?: number;
  /** First timestamp. */
  startSeconds?: number;
}

/** H.264 and AAC in the container of the name's ending. */
function part(name: string, about: Part, more: string[] = []): string {
  const { seconds, size = "160x120", rate = 25, soundSeconds = seconds, startSeconds = 0 } = about;
  return clip(name, (path) =>
    ffmpeg(
      ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
      ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${soundSeconds}`],
      ...[...x264, "-c:a", "aac", "-output_ts_offset", String(startSeconds), "-muxdelay", "0"],
      ...[...more, path],
    ),
  );
}

/** Files of MPEG-TS one behind the other, as recorders leave them. */
function joined(name: string, ...parts: Part[]): string {
  return clip(name, (path) => {
    const files = parts.map((about, index) => part(`${name}-${index}.ts`, about));
    writeFileSync(path, Buffer.concat(files.map((file) => readFileSync(file))));
  });
}

/** A copy whose bytes `bend` changes. */
function bent(name: string, from: string, bend: (bytes: Buffer) => Buffer): string {
  return clip(name, (path) => writeFileSync(path, bend(readFileSync(from))));
}

/** Writes a 32-bit number behind each box of that type. */
function patch(bytes: Buffer, type: string, offset: number, value: number): Buffer {
  for (let at = bytes.indexOf(type); at >= 0; at = bytes.indexOf(type, at + 4)) {
    bytes.writeUInt32BE(value, at + 4 + offset);
  }
  return bytes;
}

const front = ["-movflags", "+faststart"];

/** 2 s of media, and a header that says 60 s, in every place that has a say. */
export function tooLongHeader(): string {
  return bent("too-long-header.mp4", part("honest.mp4", { seconds: 2 }, front), (bytes) => {
    patch(bytes, "mvhd", 16, 60_000);
    patch(bytes, "tkhd", 20, 60_000);
    return patch(bytes, "elst", 8, 60_000);
  });
}

export function tooLongMatroska(): string {
  return clip("too-long.mkv", (path) => writeFileSync(path, film(frames(50), 60_000)));
}

/** 8 s of media, and a header that says half a second. */
export function tooShortMatroska(): string {
  return clip("too-short.mkv", (path) => writeFileSync(path, film(frames(200), 500)));
}

/** The index stands in front and promises 4 s, of which the second half is not there. */
export function cutOff(): string {
  return bent("cut-off.mp4", part("whole.mp4", { seconds: 4 }, front), (bytes) =>
    bytes.subarray(0, Math.floor(bytes.length * 0.6)),
  );
}

/** The index points to places where nothing begins. */
export function brokenIndex(): string {
  return bent("broken-index.mp4", part("whole.mp4", { seconds: 4 }, front), (bytes) => {
    const at = bytes.indexOf("stco") + 4;
    const count = bytes.readUInt32BE(at + 4);
    for (let index = Math.floor(count / 2); index < count; index += 1) {
      const place = at + 8 + index * 4;
      bytes.writeUInt32BE(bytes.readUInt32BE(place) + 77, place);
    }
    return bytes;
  });
}

/** Without the list of keyframes, as an interrupted recording has none. */
export function withoutCues(): string {
  const whole = part("cues.mkv", { seconds: 4 });
  return bent("no-cues.mkv", whole, (bytes) => {
    const cues = bytes.lastIndexOf(Buffer.from([0x1c, 0x53, 0xbb, 0x6b]));
    return bytes.subarray(0, cues);
  });
}

function picture(): Buffer {
  const path = clip("frame.jpeg", (file) =>
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1", "-update", "1", file),
  );
  return readFileSync(path);
}

/** Frames at 25 per second from a time on. */
function frames(count: number, fromMs = 0): Packet[] {
  const data = picture();
  return Array.from({ length: count }, (_, index) => ({
    track: 0,
    timeMs: fromMs + index * 40,
    data,
  }));
}

function film(packets: Packet[], durationMs?: number): Uint8Array {
  const tracks = [{ kind: "video" as const, codec: "V_MJPEG", frameMs: 40 }];
  return matroska({ tracks, packets, ...(durationMs === undefined ? {} : { durationMs }) });
}

/** 2 s, then a minute of nothing, then 2 s. */
export function jumpsForward(): string {
  return clip("jumps-forward.mkv", (path) =>
    writeFileSync(path, film([...frames(50), ...frames(50, 62_000)])),
  );
}

/** 4 s, then once more from the second second on. */
export function jumpsBack(): string {
  return clip("jumps-back.mkv", (path) =>
    writeFileSync(path, film([...frames(100), ...frames(50, 2_000)])),
  );
}

/** Two recordings in one file: the clock begins anew after 2 s. */
export function clockBeginsAnew(): string {
  return joined("clock-begins-anew.ts", { seconds: 2 }, { seconds: 2 });
}

export function otherSize(): string {
  const later = { seconds: 2, size: "320x180", startSeconds: 2 };
  return joined("other-size.ts", { seconds: 2 }, later);
}

export function otherRate(): string {
  return joined("other-rate.ts", { seconds: 2 }, { seconds: 2, rate: 50, startSeconds: 2 });
}

export function soundStops(): string {
  return part("sound-stops.mp4", { seconds: 4, soundSeconds: 2 });
}

export function pictureStops(): string {
  return part("picture-stops.mkv", { seconds: 2, soundSeconds: 5 });
}

/** Two frames, ten hours apart. */
export function tenHours(): string {
  return clip("ten-hours.mkv", (path) =>
    writeFileSync(path, film([...frames(1), ...frames(1, 36_000_000)])),
  );
}

/** A tenth of a second of sound, in the first of 900 tracks. */
export function manyTracks(): string {
  return clip("many-tracks.mkv", (path) => {
    const track = { kind: "audio" as const, codec: "A_PCM/INT/LIT" };
    const tracks = Array.from({ length: 900 }, () => track);
    const packets = [{ track: 0, timeMs: 0, data: new Uint8Array(1600) }];
    writeFileSync(path, matroska({ tracks, packets }));
  });
}
