/** Films whose frames say their number, in blocks of black and white that survive any encoder. */
import { run } from "./rehearsal.ts";
import { frames } from "./workshop.ts";

const width = 256;
const height = 144;
const block = 16;
const bits = 12;
/** What a block is, off its edges. */
const middle = block / 2;

/**
 * Makes a film of so many frames, 256×144, over a moving picture, with a tone.
 * @param argv how picture and sound are encoded
 */
export function numberedFilm(
  path: string,
  { count, rate = "25", argv }: { count: number; rate?: string; argv: readonly string[] },
): string {
  const raw = new Uint8Array(count * width * height);
  for (let frame = 0; frame < count; frame += 1) {
    const at = frame * width * height;
    drawFrame(raw.subarray(at, at + width * height), frame);
  }
  run(
    [
      ...["-f", "rawvideo", "-pix_fmt", "gray", "-s", `${width}x${height}`, "-r", rate, "-i", "-"],
      ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-shortest"],
      ...["-pix_fmt", "yuv420p", ...argv, path],
    ],
    raw,
  );
  return path;
}

function drawFrame(grey: Uint8Array, frame: number): void {
  // Stripes that move, so that a wrong reference is seen.
  const across = Array.from({ length: width }, (_, x) => 60 * Math.sin((x + 3 * frame) / 9));
  for (let y = 0; y < height; y += 1) {
    const down = Math.cos((y - 2 * frame) / 13);
    for (let x = 0; x < width; x += 1) {
      grey[y * width + x] = 128 + Math.round((across[x] ?? 0) * down);
    }
  }
  for (let bit = 0; bit < bits; bit += 1) {
    const level = (frame >> bit) & 1 ? 220 : 30;
    for (let y = 0; y < block; y += 1) {
      grey.fill(level, y * width + bit * block, y * width + (bit + 1) * block);
    }
  }
}

/** The numbers of all frames, as they come out of a decoder. */
export function numbersIn(path: string): number[] {
  return frames(path).map((pixels) => {
    let number = 0;
    for (let bit = 0; bit < bits; bit += 1) {
      const value = pixels[middle * width + bit * block + middle] ?? 0;
      if (value > 125) number |= 1 << bit;
    }
    return number;
  });
}

/** Numbers from one until before another. */
export function numbers(from: number, until: number): number[] {
  return Array.from({ length: until - from }, (_, index) => from + index);
}
