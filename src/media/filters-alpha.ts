/** What makes parts of a picture transparent and works on its alpha, and what makes palettes of it. */
import { assert, unreachable } from "../trouble.ts";
import { decimal, type NativeFilter, native } from "./filter-syntax.ts";

export type AlphaFilter =
  /**
   * Transparent where the colour is near `color` (#rrggbb), whatever its lightness. `similarity` is the distance
   * up to which all goes, `blend` how far beyond it the rest is partly seen; both are shares of the largest
   * distance of two colours. The frames must have alpha in YUV, limited range, and `matrix` must be theirs.
   */
  | { filter: "keyColor"; color: string; matrix: string; similarity: number; blend: number }
  /** Takes the glow of a green or blue screen out of everything, 0–1. The result is RGBA in 8 bits. */
  | { filter: "despill"; screen: "green" | "blue"; strength: number }
  /** The alpha alone, as a grey picture with levels 0–255. */
  | { filter: "alphaOnly" }
  /** One picture of the colours that stand for all frames best; of those one is transparency. */
  | { filter: "palette"; colors: number }
  /**
   * Of two sources, the first in the colours of the second, a palette. All frames wait in memory for it.
   * `diffusion` looks best, `ordered` packs best.
   */
  | { filter: "usePalette"; dither: "diffusion" | "ordered" };

const plainColor = /^#[0-9a-f]{6}$/i;

export function nativeAlpha(filter: AlphaFilter): NativeFilter[] {
  switch (filter.filter) {
    case "keyColor": {
      const { similarity, blend } = filter;
      const { y, u, v } = yuvOf(filter.color, filter.matrix);
      const hex = [y, u, v].map((level) => level.toString(16).padStart(2, "0")).join("");
      // Said in YUV, for from RGB the filter would take BT.601's matrix for every picture.
      return [native("chromakey", { color: `0x${hex}`, yuv: 1, similarity, blend })];
    }
    case "despill": {
      const { screen, strength } = filter;
      const green = screen === "green" ? -strength : 0;
      const blue = screen === "blue" ? -strength : 0;
      return [
        native("format", { pix_fmts: "rgba" }),
        native("despill", { type: screen, green, blue }),
      ];
    }
    case "alphaOnly":
      return [native("alphaextract"), native("setparams", { range: "pc" })];
    case "palette":
      return [native("palettegen", { max_colors: filter.colors, reserve_transparent: 1 })];
    case "usePalette": {
      const dither =
        filter.dither === "diffusion"
          ? { dither: "sierra2_4a" }
          : { dither: "bayer", bayer_scale: 3 };
      // What stays the same keeps its dots, which would flicker otherwise.
      return [native("paletteuse", { ...dither, diff_mode: "rectangle" })];
    }
    default:
      return unreachable(filter);
  }
}

/** Weights of red and blue in the lightness, by ffmpeg's name of the matrix (ITU-T H.273, table 4). */
const weights: Record<string, { red: number; blue: number }> = {
  bt709: { red: 0.2126, blue: 0.0722 },
  fcc: { red: 0.3, blue: 0.11 },
  smpte240m: { red: 0.212, blue: 0.087 },
  bt2020nc: { red: 0.2627, blue: 0.0593 },
  bt2020c: { red: 0.2627, blue: 0.0593 },
};
/** BT.601, under both of its names. */
const standardWeights = { red: 0.299, blue: 0.114 };

/** "#00b140" as the levels that a picture of 8 bits in limited range stores. */
export function yuvOf(color: string, matrix: string): { y: number; u: number; v: number } {
  assert(plainColor.test(color), `${JSON.stringify(color)} is a colour`);
  const [red, green, blue] = [1, 3, 5].map(
    (at) => Number.parseInt(color.slice(at, at + 2), 16) / 255,
  ) as [number, number, number];
  const of = weights[matrix] ?? standardWeights;
  const light = of.red * red + (1 - of.red - of.blue) * green + of.blue * blue;
  const u = (blue - light) / (2 * (1 - of.blue));
  const v = (red - light) / (2 * (1 - of.red));
  const level = (value: number) => Math.round(value);
  return { y: level(16 + 219 * light), u: level(128 + 224 * u), v: level(128 + 224 * v) };
}

/** Names of colours that ffmpeg has, or six hexadecimal digits. */
export const namedColor = /^([a-z]{3,20}|#[0-9a-f]{6})$/i;

interface Fade {
  direction: "in" | "out";
  startSeconds: number;
  seconds: number;
  to: string;
}

export function fade(filter: Fade): NativeFilter {
  const { direction, startSeconds, seconds, to } = filter;
  assert(namedColor.test(to), `${JSON.stringify(to)} is a colour`);
  const target = to === "alpha" ? { alpha: 1 } : { color: to };
  return native("fade", {
    type: direction,
    start_time: startSeconds,
    duration: seconds,
    ...target,
  });
}

export function opacity(factor: number): NativeFilter[] {
  assert(factor >= 0 && factor <= 1, `${factor} is an opacity`);
  return [
    native("format", { pix_fmts: "yuva420p|yuva422p|yuva444p" }),
    native("lut", { a: `val*${decimal(factor)}` }),
  ];
}
