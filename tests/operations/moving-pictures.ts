/** Frames of GIF, APNG, animated WebP and films with transparency as a browser composes them: RGBA. */
import { readFileSync } from "node:fs";
import { frameAsStill, readAnimatedWebp } from "../../src/media/animated-webp.ts";

export interface Moving {
  width: number;
  height: number;
  /** Four bytes a pixel, straight alpha. */
  frames: Buffer[];
  /** Of each frame. */
  durations: number[];
  /** How often it is played, by the bytes of the file; 0 for ever; null when they do not say. */
  plays: number | null;
}

/** @param flags before the input: the decoder that gives its transparency */
export async function readMoving(path: string, flags: string[] = []): Promise<Moving> {
  const webp = await readAnimatedWebp(path);
  if (webp !== null) return await composeWebp(path, webp);
  const told = ask(path, "stream=width,height:packet=duration_time");
  const [width = 0, height = 0] = told.get("stream")?.[0]?.map(Number) ?? [];
  const raw = ffmpeg([...flags, "-i", path, ...rgba]);
  const size = width * height * 4;
  const durations = (told.get("packet") ?? []).map(([duration]) => Number(duration));
  const frames = Array.from({ length: raw.length / size }, (_, index) =>
    raw.subarray(index * size, (index + 1) * size),
  );
  return { width, height, frames, durations, plays: playsOf(readFileSync(path)) };
}

const rgba = ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgba", "-"];

/** By the rules of the format: laid over or put in place of what was there, and taken away afterwards. */
async function composeWebp(
  path: string,
  webp: NonNullable<Awaited<ReturnType<typeof readAnimatedWebp>>>,
): Promise<Moving> {
  const { width, height, plays } = webp;
  const canvas = Buffer.alloc(width * height * 4);
  const frames: Buffer[] = [];
  const stills = await Promise.all(webp.frames.map((frame) => frameAsStill(path, frame)));
  const input = ["-f", "webp_pipe", "-i", "-", "-noautoscale", ...rgba];
  let decoded = ffmpeg(input, Buffer.concat(stills));
  for (const frame of webp.frames) {
    const still = decoded.subarray(0, frame.width * frame.height * 4);
    decoded = decoded.subarray(still.length);
    const each = (paint: (at: number, from: number) => void) => {
      for (let y = 0; y < frame.height; y += 1) {
        for (let x = 0; x < frame.width; x += 1) {
          paint(((frame.y + y) * width + frame.x + x) * 4, (y * frame.width + x) * 4);
        }
      }
    };
    each((at, from) => lay(canvas, at, still.subarray(from, from + 4), frame.blend));
    frames.push(Buffer.from(canvas));
    if (frame.dispose) each((at) => canvas.fill(0, at, at + 4));
  }
  const durations = webp.frames.map(({ durationMs }) => durationMs / 1000);
  return { width, height, frames, durations, plays };
}

function lay(canvas: Buffer, at: number, pixel: Uint8Array, blend: boolean): void {
  const alpha = (pixel[3] ?? 0) / 255;
  const under = (canvas[at + 3] ?? 0) / 255;
  const whole = blend ? alpha + under * (1 - alpha) : alpha;
  for (const channel of [0, 1, 2]) {
    const over = pixel[channel] ?? 0;
    const before = canvas[at + channel] ?? 0;
    const mixed = whole === 0 ? 0 : (over * alpha + before * under * (1 - alpha)) / whole;
    canvas[at + channel] = blend ? Math.round(mixed) : over;
  }
  canvas[at + 3] = Math.round(whole * 255);
}

function playsOf(bytes: Buffer): number | null {
  const apng = bytes.indexOf("acTL");
  if (apng > 0) return bytes.readUInt32BE(apng + 8);
  if (bytes.toString("latin1", 0, 3) !== "GIF") return null;
  // The block of Netscape: how often it is repeated; without one it is played once.
  const again = bytes.indexOf("NETSCAPE2.0");
  if (again < 0) return 1;
  const repeats = bytes.readUInt16LE(again + 13);
  return repeats === 0 ? 0 : repeats + 1;
}

/** Values of each section, line by line. */
function ask(path: string, entries: string): Map<string, string[][]> {
  const select = ["-select_streams", "v:0", "-show_entries", entries, "-of", "csv"];
  const text = Bun.spawnSync(["ffprobe", "-v", "error", ...select, path]).stdout.toString();
  const lines = text.trim().split("\n");
  const rows = lines.map((line) => line.split(","));
  const sections = Map.groupBy(rows, ([section = ""]) => section);
  return new Map([...sections].map(([name, all]) => [name, all.map(([, ...values]) => values)]));
}

function ffmpeg(argv: string[], input?: Uint8Array): Buffer {
  const done = Bun.spawnSync(["ffmpeg", "-v", "error", ...argv], {
    stdio: [input ?? "ignore", "pipe", "pipe"],
  });
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
  return done.stdout;
}

/**
 * Peak signal to noise, in dB, of the lightness where the wanted picture is opaque: colour in 4:2:0 is coarse
 * on a test picture whatever made it.
 */
export function psnr(found: Uint8Array, wanted: Uint8Array): number {
  let sum = 0;
  let count = 0;
  for (let at = 0; at < wanted.length; at += 4) {
    if (wanted[at + 3] !== 255) continue;
    sum += (lightness(found, at) - lightness(wanted, at)) ** 2;
    count += 1;
  }
  if (count === 0) throw new Error("nothing opaque to compare");
  return 10 * Math.log10((255 * 255) / Math.max(1e-6, sum / count));
}

function lightness(pixels: Uint8Array, at: number): number {
  const [red = 0, green = 0, blue = 0] = pixels.subarray(at, at + 3);
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** The least and the most alpha in a box. */
export function alphaIn(
  { width }: Pick<Moving, "width">,
  frame: Uint8Array,
  [left, top, wide, high]: readonly [x: number, y: number, width: number, height: number],
): [least: number, most: number] {
  const found: number[] = [];
  for (let y = top; y < top + high; y += 1) {
    for (let x = left; x < left + wide; x += 1) found.push(frame[(y * width + x) * 4 + 3] ?? -1);
  }
  return [Math.min(...found), Math.max(...found)];
}
