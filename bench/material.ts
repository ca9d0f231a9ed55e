/** The media that the benchmarks work on, made on the spot, and the few calls of the API that they share. */
import { closeSync, existsSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

export interface ApiAsset {
  id: string;
  sizeBytes: number;
}

export interface ApiJob {
  id: string;
  state: string;
  createdAt: string;
  finishedAt: string | null;
  startedAt: string | null;
  outputs: string[];
  error: { message: string } | null;
}

/** Runs ffmpeg once per file name; the file stays for the benchmarks after. */
async function made(name: string, argv: string[]): Promise<string> {
  const path = join(tmpdir(), name);
  if (existsSync(path)) return path;
  const run = Bun.spawn(["ffmpeg", "-nostdin", "-v", "error", "-y", ...argv, path]);
  if ((await run.exited) !== 0) throw new Error(`ffmpeg could not make ${name}`);
  return path;
}

const lavfi = (source: string) => ["-f", "lavfi", "-i", source];

/** Two seconds of 320x180 with sound. */
export const smallClip = () =>
  made("small.mp4", [
    ...lavfi("testsrc2=size=320x180:rate=25"),
    ...lavfi("sine=frequency=440:sample_rate=48000"),
    ...["-t", "2", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"],
    ...["-movflags", "+faststart"],
  ]);

/** 1080p with movement everywhere and sound. */
export const hdClip = (seconds: number) =>
  made(`hd-${seconds}.mp4`, [
    ...lavfi("testsrc2=size=1920x1080:rate=30"),
    ...lavfi("sine=frequency=440:sample_rate=48000"),
    ...["-t", String(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20"],
    ...["-c:a", "aac", "-movflags", "+faststart"],
  ]);

/** 1080p as a camera leaves it: moving, with grain, keyframes every two seconds, stereo. */
export const filmClip = (seconds: number, seed = 1) =>
  made(`film-${seconds}-${seed}.mp4`, [
    ...lavfi(`testsrc2=size=1920x1080:rate=30,noise=alls=8:allf=t:all_seed=${seed}`),
    ...lavfi(
      `anoisesrc=amplitude=0.1:sample_rate=48000:seed=${seed},aformat=channel_layouts=stereo`,
    ),
    ...["-t", String(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-g", "60"],
    ...["-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart"],
  ]);

/** Film of 320×180 that is quick to decode and to encode. */
export const softClip = (seconds: number) =>
  made(`soft-${seconds}.mp4`, [
    ...lavfi("testsrc2=size=320x180:rate=25"),
    ...lavfi("sine=frequency=440:sample_rate=48000"),
    ...["-t", String(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-g", "50"],
    ...["-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart"],
  ]);

/** Minutes of the same ten seconds: packets are copied, so even an hour is there soon. */
export async function longClip(minutes: number, seed = 1): Promise<string> {
  const name = `long-${minutes}${seed === 1 ? "" : `-${seed}`}.mp4`;
  return await repeated(name, await filmClip(10, seed), minutes);
}

/** Minutes of a small picture and its sound. */
export const longSoftClip = async (minutes: number) =>
  await repeated(`long-soft-${minutes}.mp4`, await softClip(10), minutes);

async function repeated(name: string, tenSeconds: string, minutes: number): Promise<string> {
  const again = String(minutes * 6 - 1);
  return await made(name, [
    ...["-stream_loop", again, "-i", tenSeconds, "-c", "copy", "-movflags", "+faststart"],
  ]);
}

/** 1080p without grain, as x264 leaves it by itself: a keyframe for 250 frames. */
const plainClip = (seconds: number) =>
  made(`plain-${seconds}.mp4`, [
    ...lavfi("testsrc2=size=1920x1080:rate=30"),
    ...lavfi("sine=frequency=440:sample_rate=48000"),
    ...["-t", String(seconds), "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"],
    ...["-c:a", "aac", "-movflags", "+faststart"],
  ]);

/** Minutes of the same 25 seconds of it. */
export async function longPlainClip(minutes: number): Promise<string> {
  const piece = await plainClip(25);
  const again = String(Math.ceil((minutes * 60) / 25) - 1);
  return await made(`long-plain-${minutes}.mp4`, [
    ...["-stream_loop", again, "-i", piece, "-c", "copy", "-movflags", "+faststart"],
  ]);
}

/** How encodes are compared: x264's own medium on film with grain, and as the figures came about that targets stand on. */
export const encodeConditions = [
  { speed: "balanced", preset: "medium", film: filmClip, of: "" },
  { speed: "fast", preset: "veryfast", film: plainClip, of: ", without grain" },
] as const;

export type EncodeConditions = (typeof encodeConditions)[number];

/** A picture with transparency. */
export const logo = () =>
  made("logo.png", [
    ...lavfi("testsrc2=size=320x180,format=rgba,colorchannelmixer=aa=0.6"),
    ...["-frames:v", "1"],
  ]);

/**
 * A playable MP4 of any size: the small clip with one more top-level box of type `free` behind it, which
 * players skip. The box is a hole in the file, so reading it costs the client next to nothing.
 */
export async function paddedClip(sizeBytes: number): Promise<string> {
  const small = await smallClip();
  const path = join(tmpdir(), `padded-${sizeBytes}.mp4`);
  await Bun.write(path, Bun.file(small));
  const start = statSync(path).size;
  const header = Buffer.alloc(16);
  header.writeUInt32BE(1, 0);
  header.write("free", 4, "latin1");
  header.writeBigUInt64BE(BigInt(sizeBytes - start), 8);
  const descriptor = openSync(path, "r+");
  writeSync(descriptor, header, 0, header.length, start);
  ftruncateSync(descriptor, sizeBytes);
  closeSync(descriptor);
  return path;
}

export async function storeAsset(
  url: string,
  headers: Record<string, string>,
  path?: string,
): Promise<ApiAsset> {
  const file = path ?? (await smallClip());
  const target = `${url}/api/v1/assets?name=${encodeURIComponent(basename(file))}`;
  return json(await fetch(target, { method: "POST", headers, body: Bun.file(file) }));
}

export async function startJob(
  url: string,
  headers: Record<string, string>,
  request: { operation: string; inputs: string[]; params: unknown },
): Promise<ApiJob> {
  const body = JSON.stringify(request);
  const typed = { ...headers, "Content-Type": "application/json" };
  return json(await fetch(`${url}/api/v1/jobs`, { method: "POST", headers: typed, body }));
}

export async function jobOf(
  url: string,
  headers: Record<string, string>,
  id: string,
): Promise<ApiJob> {
  return json(await fetch(`${url}/api/v1/jobs/${id}`, { headers }));
}

async function json<T>(response: Response): Promise<T> {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
