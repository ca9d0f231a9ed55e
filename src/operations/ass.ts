/**
 * Advanced SubStation Alpha, written by us: the one way in which text of a user's comes into a picture. It
 * stands in a file of its own, which libass reads: no text ever becomes part of a filter graph. Pure.
 */
import { assert } from "../trouble.ts";

export interface AssStyle {
  /** Ours and plain. */
  name: string;
  font: AssFont;
  /** Height of a line in pixels of the picture. */
  sizePixels: number;
  /** `#rrggbb` */
  color: string;
  /** Width of the outline in pixels; 0 for none. */
  outlinePixels: number;
  outlineColor: string;
  /** A box behind the whole text; null for none. */
  box: { color: string; opacity: number; paddingPixels: number } | null;
  marginPixels: { side: number; vertical: number };
}

export type AssFont = "sans" | "serif" | "mono";

/** One line of the file: something on screen from one time until before another. */
export interface AssEvent {
  /** What lies above has the higher number; texts of one layer move out of each other's way. */
  layer: number;
  fromSeconds: number;
  toSeconds: number;
  style: string;
  /** Override tags of ours, without their braces. */
  tags: string;
  /** Escaped already: by `assText`, or a drawing of ours. */
  text: string;
}

/** Families that Debian's ffmpeg brings with it; elsewhere fontconfig takes what is like them. */
export const fontFamilies: Record<AssFont, string> = {
  sans: "DejaVu Sans",
  serif: "DejaVu Serif",
  mono: "DejaVu Sans Mono",
};

const styleName = /^[a-z][a-z0-9]{0,20}$/;

const styleFormat =
  "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding";

/** The whole file, for a picture of this size: its coordinates are the picture's pixels. */
export function assFile(
  frame: { width: number; height: number },
  styles: readonly AssStyle[],
  events: readonly AssEvent[],
): string {
  return [
    "[Script Info]",
    "ScriptType: v4.00+",
    `PlayResX: ${frame.width}`,
    `PlayResY: ${frame.height}`,
    // 0: lines break where both halves are about as long. Colours are as they are given.
    ...["WrapStyle: 0", "ScaledBorderAndShadow: yes", "YCbCr Matrix: None", ""],
    ...["[V4+ Styles]", styleFormat, ...styles.map(styleLine), ""],
    ...[
      "[Events]",
      "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    ],
    ...events.map(eventLine),
    "",
  ].join("\n");
}

function styleLine(style: AssStyle): string {
  assert(styleName.test(style.name), `style name ${style.name} is plain`);
  const { box, marginPixels: margin } = style;
  const side = Math.round(margin.side);
  return `Style: ${[
    ...[style.name, fontFamilies[style.font], decimal(style.sizePixels)],
    ...[assColor(style.color), assColor(style.color), assColor(style.outlineColor)],
    box === null ? "&HFF000000" : assColor(box.color, box.opacity),
    ...[0, 0, 0, 0, 100, 100, 0, 0],
    // 4 is libass's own: one box behind all lines, as much larger as the shadow is far.
    ...[box === null ? 1 : 4, decimal(style.outlinePixels), decimal(box?.paddingPixels ?? 0)],
    // -1: the direction of the text is found in the text.
    ...[5, side, side, Math.round(margin.vertical), -1],
  ].join(",")}`;
}

function eventLine(event: AssEvent): string {
  assert(!/[\n\r]/.test(event.text), "an event is one line");
  assert(styleName.test(event.style), `style name ${event.style} is plain`);
  const times = `${assTime(event.fromSeconds)},${assTime(event.toSeconds)}`;
  const tags = event.tags === "" ? "" : `{${event.tags}}`;
  return `Dialogue: ${event.layer},${times},${event.style},,0,0,0,,${tags}${event.text}`;
}

/** `#rrggbb` as `&HAABBGGRR`, where AA is how much shines through. */
export function assColor(color: string, opacity = 1): string {
  const [, red, green, blue] = /^#(..)(..)(..)$/.exec(color) ?? [];
  assert(red !== undefined && green !== undefined && blue !== undefined, `${color} is a colour`);
  return `&H${assAlpha(opacity)}${blue}${green}${red}`.toUpperCase();
}

/** The same in a tag, where how much shines through stands in another. */
export function tagColor(color: string): string {
  return `&H${assColor(color).slice(4)}&`;
}

/** Two hexadecimal digits: 00 is opaque. */
export function assAlpha(opacity: number): string {
  const clear = Math.round((1 - Math.min(1, Math.max(0, opacity))) * 255);
  return clear.toString(16).padStart(2, "0").toUpperCase();
}

/** The longest time that the format's one digit of hours writes in every reader; libass reads more. */
const maxHours = 9_999;

/** Hundredths of a second are what the format has. */
export function assTime(seconds: number): string {
  const hundredths = Math.max(0, Math.round(seconds * 100));
  const hours = Math.floor(hundredths / 360_000);
  assert(hours <= maxHours, `${seconds} s is a time on screen`);
  const part = (value: number) => String(value).padStart(2, "0");
  const minutes = part(Math.floor(hundredths / 6000) % 60);
  return `${hours}:${minutes}:${part(Math.floor(hundredths / 100) % 60)}.${part(hundredths % 100)}`;
}

/** Invisible, and it takes no room: behind a backslash it keeps `\N` two characters of text. */
const wordJoiner = "\u2060";

/**
 * A user's text as text alone: no tag of theirs is one, and nothing of theirs ends the line. Line breaks stay
 * line breaks; other control characters go.
 */
export function assText(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
      .replace(/\t/g, "    ")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what goes.
      .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ufeff]/g, "")
      .replace(/\\/g, `\\${wordJoiner}`)
      .replace(/[{}]/g, "\\$&")
      .replace(/\n/g, "\\N")
  );
}

/** To a thousandth of a pixel, without an exponent. */
export function decimal(value: number): string {
  const text = value.toFixed(3).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}
