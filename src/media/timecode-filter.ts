/** Running times in ffmpeg's words: its filter counts them, and no text but ours is in it. Pure. */
import { assert } from "../trouble.ts";
import { decimal, type NativeFilter, native, within } from "./filter-syntax.ts";

export interface TimecodeLook {
  /** Of the first frame: "01:00:00:00", ";" before the frames when two numbers a minute are dropped. */
  start: string;
  /** Frames per second: "25", "30000/1001". */
  rate: string;
  sizePixels: number;
  /** `#rrggbb` */
  color: string;
  opacity: number;
  box: { color: string; opacity: number; paddingPixels: number } | null;
  /** The point of its text's box that stands at `x`, `y` pixels: 0 is left or top, 0.5 the middle, 1 the other end. */
  anchor: { x: 0 | 0.5 | 1; y: 0 | 0.5 | 1 };
  x: number;
  y: number;
  fromSeconds: number;
  /** Null: to the end. */
  toSeconds: number | null;
  fadeSeconds: number;
}

const plainTimecode = /^\d{2}:\d{2}:\d{2}[:;]\d{2}$/;
const plainRate = /^\d{1,6}(\/\d{1,6})?$/;
const hexColor = /^#[0-9a-f]{6}$/i;

export function timecode(look: TimecodeLook): NativeFilter {
  const { start, rate, color, box, anchor, fromSeconds: from, toSeconds: to } = look;
  assert(plainTimecode.test(start), `${start} is a timecode`);
  assert(plainRate.test(rate), `${rate} is a rate`);
  assert(hexColor.test(color), `${color} is a colour`);
  return native("drawtext", {
    font: "DejaVu Sans Mono",
    expansion: "none",
    timecode: start,
    timecode_rate: rate,
    fontsize: Math.round(look.sizePixels),
    fontcolor: color,
    alpha: alphaOf(look),
    ...boxOptions(box),
    x: place("text_w", look.x, anchor.x),
    y: place("text_h", look.y, anchor.y),
    enable: within(from, to),
  });
}

/** Letters of " 00:12:30.480" are so wide, of their height. */
const stampWidth = 13 * 0.602;
/** Of the picture's width, where it is not too high for the picture then. */
const stampShare = { width: 0.45, height: 0.12 };
/** Smaller letters cannot be read. */
const leastStampPixels = 8;

/** The time of a frame, at the lower right. */
export function stamp(
  frame: { width: number; height: number },
  laterSeconds: number,
): NativeFilter {
  const fontsize = Math.max(
    leastStampPixels,
    Math.floor(
      Math.min((frame.width * stampShare.width) / stampWidth, frame.height * stampShare.height),
    ),
  );
  const inside = Math.max(2, Math.round(fontsize / 4));
  return native("drawtext", {
    font: "DejaVu Sans Mono",
    expansion: "normal",
    text: `%{pts:hms:${decimal(laterSeconds)}}`,
    fontsize,
    fontcolor: "#ffffff",
    ...boxOptions({ color: "#000000", opacity: 0.6, paddingPixels: inside }),
    x: `w-text_w-${inside * 2}`,
    y: `h-text_h-${inside * 2}`,
  });
}

function boxOptions(box: TimecodeLook["box"]) {
  if (box === null) return {};
  assert(hexColor.test(box.color), `${box.color} is a colour`);
  const boxcolor = `${box.color}@${decimal(box.opacity)}`;
  return { box: 1, boxcolor, boxborderw: Math.round(box.paddingPixels) };
}

function place(size: string, at: number, anchor: 0 | 0.5 | 1): string {
  return anchor === 0 ? decimal(at) : `${decimal(at)}-${size}*${anchor}`;
}

function alphaOf({ opacity, fadeSeconds: fade, fromSeconds, toSeconds }: TimecodeLook): string {
  const whole = decimal(opacity);
  if (fade === 0) return whole;
  const into = `(t-${decimal(fromSeconds)})/${decimal(fade)}`;
  const out = toSeconds === null ? "1" : `(${decimal(toSeconds)}-t)/${decimal(fade)}`;
  return `${whole}*clip(min(${into},${out}),0,1)`;
}
