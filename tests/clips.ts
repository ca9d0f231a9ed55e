/** Small videos with known content, made on the spot by the real ffmpeg, each kind once per run. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { everything } from "./support/long-form.ts";
import { sharedFile } from "./support/shared.ts";

const folder = mkdtempSync(join(tmpdir(), "clips-"));
const made = new Map<string, string>();

/** Most that making one clip may take; some of the long form are minutes of HD. */
const LIMIT_MS = everything ? 900_000 : 60_000;

/** Runs ffmpeg, which must succeed. */
export function ffmpeg(...argv: string[]): void {
  const done = Bun.spawnSync(["ffmpeg", "-nostdin", "-v", "error", "-y", ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
  });
  if (done.exitCode !== 0) throw new Error(`ffmpeg ${argv.join(" ")}: ${done.stderr.toString()}`);
}

/** What ffprobe says of a file, as its own JSON. */
export function ffprobe(path: string): {
  format: Record<string, string>;
  streams: Record<string, unknown>[];
} {
  const argv = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path];
  return JSON.parse(Bun.spawnSync(argv, { timeout: 30_000 }).stdout.toString());
}

/** Path of a file that `make` writes the first time the name is asked for. */
export function clip(name: string, make: (path: string) => void): string {
  const known = made.get(name);
  if (known !== undefined) return known;
  const path = join(folder, name);
  make(path);
  made.set(name, path);
  return path;
}

const picture = (size: string, seconds: number) => [
  ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25:duration=${seconds}`],
];
const sound = (seconds: number) => [
  ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
];
const fastVideo = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"];

/** 320×180, 25 fps, mono AAC. */
export function plainClip(seconds = 2): string {
  return sharedFile(`plain-${seconds}.mp4`, (path) =>
    ffmpeg(...picture("320x180", seconds), ...sound(seconds), ...fastVideo, "-c:a", "aac", path),
  );
}

/** A source that takes some seconds to encode: 720p noise, so that a job is still running when tests act. */
export function slowClip(): string {
  return sharedFile("slow.mp4", (path) =>
    ffmpeg(
      ...["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30:duration=14,noise=alls=20:allf=t"],
      ...[...fastVideo, "-crf", "35", path],
    ),
  );
}

export function silentClip(): string {
  return sharedFile("no-audio.mp4", (path) => ffmpeg(...picture("320x180", 2), ...fastVideo, path));
}

export function soundOnly(): string {
  return sharedFile("sound.m4a", (path) => ffmpeg(...sound(2), "-c:a", "aac", path));
}

export function oddClip(): string {
  return sharedFile("odd.mkv", (path) =>
    ffmpeg(...picture("321x181", 2), "-c:v", "libx264", "-pix_fmt", "yuv444p", path),
  );
}

/**
 * Arguments that copy a video with a note to turn it when it is shown.
 * @param degrees counter-clockwise, as the note counts; a phone held upright writes 270
 */
export function turnedCopy(source: string, degrees: number): string[] {
  const version = Bun.spawnSync(["ffmpeg", "-version"]).stdout.toString();
  const major = Number(/^ffmpeg version \D?(\d+)/.exec(version)?.[1]);
  // ffmpeg 6.0 brought the option, and 7.0 took the way before it.
  return major >= 6
    ? ["-display_rotation", String(degrees), "-i", source, "-c", "copy"]
    : ["-i", source, "-c", "copy", "-metadata:s:v:0", `rotate=${degrees}`];
}

/** As phones write it: a wide picture and a note to turn it. */
export function rotatedClip(): string {
  return sharedFile("rotated.mp4", (path) => {
    const flat = `${path}.flat.mp4`;
    ffmpeg(...picture("320x180", 2), ...fastVideo, flat);
    ffmpeg(...turnedCopy(flat, 90), path);
  });
}

/** Every third frame left out at random-looking places: a variable frame rate. */
export function variableRateClip(): string {
  return sharedFile("vfr.mp4", (path) =>
    ffmpeg(
      ...picture("320x180", 4),
      ...["-vf", "select='not(eq(mod(n,7),3)+eq(mod(n,5),1))'", "-fps_mode", "vfr"],
      ...[...fastVideo, path],
    ),
  );
}

export function tenBitClip(): string {
  return sharedFile("ten-bit.mkv", (path) =>
    ffmpeg(
      ...picture("320x180", 1),
      ...["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"],
      ...["-pix_fmt", "yuv420p10le", path],
    ),
  );
}

/** Name and path of clips that look like something, for the pictures of the documents. */
export function scenes(): [name: string, path: string][] {
  const draw = (name: string, source: string, ...more: string[]): [string, string] => [
    name,
    clip(name.replaceAll(" ", "-"), (path) =>
      ffmpeg("-f", "lavfi", "-i", source, "-t", "4", ...fastVideo, ...more, path),
    ),
  ];
  const sea =
    "gradients=s=1920x1080:r=25:c0=0x0b2545:c1=0x1d6fa3:c2=0xf4a259:c3=0xf9dcc4:n=4:speed=0.004";
  return [
    draw("harbour at dawn.mov", sea),
    draw("dive 03.mkv", "mandelbrot=s=640x360:rate=12:maxiter=400:start_scale=0.6"),
    draw("interview.mp4", "gradients=s=1280x720:r=25:c0=0x2b2d42:c1=0x8d99ae:speed=0.01"),
    draw("drone, take 2.mp4", "gradients=s=2560x1440:r=25:c0=0x132a13:c1=0x90a955:c2=0xecf39e:n=3"),
    draw("phone.mp4", "gradients=s=720x1280:r=30:c0=0x5f0f40:c1=0xfb8b24:speed=0.02"),
    draw(
      "lava loop.webm",
      "gradients=s=640x640:r=25:c0=0x03071e:c1=0xd00000:c2=0xffba08:n=3",
      ...vp8,
    ),
  ];
}

const vp8 = ["-c:v", "libvpx", "-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8"];
