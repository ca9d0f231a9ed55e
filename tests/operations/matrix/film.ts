/**
 * The film of which all sources of the matrix are made: eight marks at the edges that say which way is up, a
 * bar that moves, and a flash in the middle with a beep. Small and short, so that each source is made at once.
 */

export interface FilmLook {
  width?: number;
  height?: number;
  /** Frames per second as ffmpeg reads it. */
  rate?: string;
  seconds?: number;
  /** Of 100: how long a flash is seen. */
  flashFrames?: number;
}

/** Around the marks; what `cutout` takes away. */
export const ground = "#0047bb";

/** Red, green and blue of each mark. */
export const marks = {
  "top-left": [208, 32, 32],
  top: [235, 235, 235],
  "top-right": [32, 160, 32],
  left: [235, 235, 235],
  right: [16, 16, 16],
  "bottom-left": [208, 208, 32],
  bottom: [16, 16, 16],
  "bottom-right": [208, 32, 208],
} as const;

export type Mark = keyof typeof marks;
export const markNames = Object.keys(marks) as Mark[];

/** A mark's sides as a share of the picture's. */
export const markPart = { width: 1 / 6, height: 1 / 5 };

/** Where its middle is, as shares of the picture's sides. */
export function markCentre(mark: Mark): { x: number; y: number } {
  const { width, height } = markPart;
  const x = mark.includes("left") ? width / 2 : mark.includes("right") ? 1 - width / 2 : 0.5;
  const y = mark.includes("top") ? height / 2 : mark.includes("bottom") ? 1 - height / 2 : 0.5;
  return { x, y };
}

/** The middle third and fifth of the picture, where it flashes. */
export const flashBox = { x: 0.4, y: 0.4, width: 0.2, height: 0.2 };

const usual = { width: 192, height: 108, rate: "25", seconds: 2, flashFrames: 2 };

export function rateOf(rate: string): number {
  const [top = 0, bottom = 1] = rate.split("/").map(Number);
  return top / bottom;
}

/** Seconds at which it flashes and beeps: at frames of its own rate. */
export function flashTimes(look: FilmLook = {}): number[] {
  const { rate, seconds } = { ...usual, ...look };
  const perSecond = rateOf(rate);
  const times = [0.4, 1.4].map((time) => Math.round(time * perSecond) / perSecond);
  return times.filter((time) => time < seconds);
}

/** The picture as a graph of ffmpeg's, in RGB. */
export function picture(look: FilmLook = {}): string {
  const { width, height, rate, seconds, flashFrames } = { ...usual, ...look };
  const hex = (color: readonly number[]) =>
    `0x${color.map((level) => level.toString(16).padStart(2, "0")).join("")}`;
  const box = (x: number, y: number, wide: number, high: number, color: string) =>
    `drawbox=x=${x}:y=${y}:w=${wide}:h=${high}:c=${color}:t=fill`;
  const wide = Math.round(width * markPart.width);
  const high = Math.round(height * markPart.height);
  const boxes = markNames.map((mark) => {
    const centre = markCentre(mark);
    const x = Math.round(centre.x * width - wide / 2);
    const y = Math.round(centre.y * height - high / 2);
    // To the very edge, whatever was rounded.
    const right = mark.includes("right") ? width - wide : Math.max(0, x);
    const low = mark.includes("bottom") ? height - high : Math.max(0, y);
    return box(right, low, wide, high, hex(marks[mark]));
  });
  const frame = 1 / rateOf(rate);
  const lit = flashTimes(look).map((time) => {
    // Half a frame before, so that no rounding leaves the first frame out.
    return `between(t,${time - frame / 2},${time + (flashFrames - 0.5) * frame})`;
  });
  const flash = [
    Math.round(width * flashBox.x),
    Math.round(height * flashBox.y),
    Math.round(width * flashBox.width),
    Math.round(height * flashBox.height),
  ] as const;
  const flashes = lit.length === 0 ? "" : `,${box(...flash, "white")}:enable='${lit.join("+")}'`;
  const bar = `color=c=0x909090:s=${Math.round(width / 16)}x${Math.round(height / 6)}:r=${rate}`;
  const scene = `color=c=0x${ground.slice(1)}:s=${width}x${height}:r=${rate}:d=${seconds},format=gbrp`;
  const moving = `overlay=x='mod(${width}*t,W)':y=H*0.68:format=gbrp:shortest=1`;
  return `${scene},${boxes.join(",")}${flashes}[still];${bar},format=gbrp[bar];[still][bar]${moving}`;
}

/** Its sound: silence with a beep at each flash. */
export function beeps(
  look: FilmLook & { hertz?: number; soundSeconds?: number; volume?: number } = {},
): string {
  const { seconds } = { ...usual, ...look };
  const { hertz = 1000, soundSeconds = seconds, volume = 0.6 } = look;
  const loud = flashTimes(look).map((time) => `between(t,${time},${time + 0.08})`);
  const when = loud.length === 0 ? "0" : loud.join("+");
  return `aevalsrc='${volume}*sin(2*PI*${hertz}*t)*(${when})':s=48000:d=${soundSeconds}`;
}
