/** The whole picture inside a frame of another shape, with something behind it. Pure. */
import type { ColorTags } from "../media/description.ts";
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { FilmLook } from "./film.ts";
import type { Frame } from "./picture.ts";

export interface Mounted {
  /** The stream that is shown. */
  stream: number;
  /** Upright, square pixels, even sides. */
  source: Frame;
  frame: Frame;
  /** Brings the stream to `source`, and to SDR where it shall be. */
  before: VideoFilter[];
  /** What follows when all is put together. */
  after: VideoFilter[];
  look: FilmLook;
}

/** Blurring is done on a picture so many times smaller: nothing is lost, and it takes a sixteenth. */
const blurShrink = 4;
/** Of the smaller picture's short side. */
const blurPart = 0.05;
/** What a colour is made on before it is as large as the frame. */
const swatch = { width: 16, height: 16 };

/** @param behind `blur`, or a colour as "#rrggbb"; the last chain makes pad `to` */
export function mountPicture(mounted: Mounted, behind: string, to: string): FilterChain[] {
  const { source, frame, look } = mounted;
  const inner = fitted(source, frame, Math.min);
  const back = behind === "blur" ? blurred(source, frame) : flat(behind, frame, look);
  const format: VideoFilter = { filter: "format", pixelFormats: [look.pixelFormat] };
  const bitDepth = look.pixelFormat.includes("10") ? 10 : 8;
  const middle = (outer: number, size: number) => 2 * Math.floor((outer - size) / 4);
  const { width, height } = frame;
  return [
    {
      from: { input: 0, stream: mounted.stream },
      filters: [...mounted.before, format, { filter: "split", count: 2 }],
      to: ["behind", "whole"],
    },
    { from: { pad: "behind" }, filters: back, to: "back" },
    {
      from: { pad: "whole" },
      filters: [
        { filter: "scale", ...inner },
        { filter: "setsar", ratio: "1" },
      ],
      to: "front",
    },
    {
      from: [{ pad: "back" }, { pad: "front" }],
      filters: [
        {
          ...{ filter: "overlay", bitDepth },
          ...{ x: middle(width, inner.width), y: middle(height, inner.height) },
        },
        ...mounted.after,
      ],
      to,
    },
  ];
}

/** The source's shape inside a frame (`Math.min`) or around it (`Math.max`), even. */
function fitted(source: Frame, frame: Frame, choose: (...values: number[]) => number): Frame {
  const factor = choose(frame.width / source.width, frame.height / source.height);
  const even = (side: number) => Math.max(2, 2 * Math.round((side * factor) / 2));
  return { width: even(source.width), height: even(source.height) };
}

function blurred(source: Frame, frame: Frame): VideoFilter[] {
  const small = {
    width: Math.max(16, 2 * Math.round(frame.width / blurShrink / 2)),
    height: Math.max(16, 2 * Math.round(frame.height / blurShrink / 2)),
  };
  const cover = fitted(source, small, Math.max);
  const around = {
    width: Math.max(cover.width, small.width),
    height: Math.max(cover.height, small.height),
  };
  const x = 2 * Math.floor((around.width - small.width) / 4);
  const y = 2 * Math.floor((around.height - small.height) / 4);
  return [
    { filter: "scale", ...around },
    { filter: "crop", ...small, x, y },
    { filter: "blur", sigma: Math.min(small.width, small.height) * blurPart },
    { filter: "scale", ...frame },
    { filter: "setsar", ratio: "1" },
  ];
}

/** The stored values are computed here: ffmpeg's own colours are BT.601's in every picture. */
function flat(colour: string, frame: Frame, look: FilmLook): VideoFilter[] {
  return [
    { filter: "scale", ...swatch },
    { filter: "flat", ...storedColour(colour, look) },
    { filter: "scale", ...frame },
    { filter: "setsar", ratio: "1" },
  ];
}

/** Weights of red and blue in luma (ITU-T H.273, matrix coefficients). */
const lumaWeights: Record<string, { red: number; blue: number }> = {
  bt709: { red: 0.2126, blue: 0.0722 },
  fcc: { red: 0.3, blue: 0.11 },
  smpte240m: { red: 0.212, blue: 0.087 },
  bt2020nc: { red: 0.2627, blue: 0.0593 },
  bt2020c: { red: 0.2627, blue: 0.0593 },
  bt601: { red: 0.299, blue: 0.114 },
};

/** Where HDR has the white of graphics, as a part of its whole signal (ITU-R BT.2408, table 1). */
const graphicsWhite: Record<string, number> = { smpte2084: 0.58, "arib-std-b67": 0.75 };

/** A colour in limited range, in the matrix and bit depth of the result. */
export function storedColour(
  colour: string,
  { color, pixelFormat }: { color: ColorTags; pixelFormat: string },
): { y: number; u: number; v: number } {
  const white = graphicsWhite[color.transfer ?? ""] ?? 1;
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(
    (at) => (Number.parseInt(colour.slice(at, at + 2), 16) / 255) * white,
  );
  const weights = lumaWeights[color.space ?? ""] ?? lumaWeights["bt601"] ?? { red: 0, blue: 0 };
  const luma = weights.red * red + weights.blue * blue + (1 - weights.red - weights.blue) * green;
  const step = pixelFormat.includes("10") ? 4 : 1;
  return {
    y: Math.round((16 + 219 * luma) * step),
    u: Math.round((128 + (112 * (blue - luma)) / (1 - weights.blue)) * step),
    v: Math.round((128 + (112 * (red - luma)) / (1 - weights.red)) * step),
  };
}
