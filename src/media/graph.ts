/**
 * The filter graph as data. Operations say what shall happen to the picture; `renderGraph` is the only
 * place that writes ffmpeg's filter syntax, with both levels of escaping. No text from a user or from a
 * file ever becomes part of a graph: later filters that show text read it from a file.
 */

import { assert, unreachable } from "../trouble.ts";
import type { ColorTags } from "./description.ts";

/** A filter by what it does. A new one is one line here and one case in `optionsOf`. */
export type VideoFilter =
  | {
      filter: "scale";
      width: number;
      height: number;
      /** Matrix of the result (`bt709`), where the source is RGB or the matrix shall change. */
      matrix?: string;
      /** Range of the result: the source's when absent. */
      range?: "tv" | "pc";
    }
  | { filter: "format"; pixelFormats: string[] }
  /** A constant rate: "25", "30000/1001", "1/10". Slot n shows the last frame before its middle. */
  | { filter: "fps"; rate: string; startSeconds?: number }
  | { filter: "setsar"; ratio: string }
  /** `flagged` touches only frames that say they are interlaced. */
  | { filter: "deinterlace"; frames?: "all" | "flagged" }
  | { filter: "crop"; width: number; height: number; x: number; y: number }
  | { filter: "pad"; width: number; height: number; x: number; y: number; color: string }
  | { filter: "tile"; columns: number; rows: number }
  /** HDR to BT.709 in 8-bit limited range. */
  | { filter: "tonemap"; from: "hdr10" | "hlg" }
  /** The pixel format and levels of a still picture: JPEG's full range, WebP's limited, PNG's RGB. */
  | { filter: "still"; codec: "jpeg" | "webp" | "png" }
  /** Writes colour tags on the frames; changes no pixel. */
  | { filter: "tag"; color: ColorTags }
  /** The most representative of the next so many frames. Holds them all in memory. */
  | { filter: "representative"; frames: number }
  /** Exactly so many frames: the last is repeated when there are too few. */
  | { filter: "exactly"; frames: number };

/** Where a chain starts: a stream of an input by its index in the file, or a pad that a chain made. */
export type GraphSource = { input: number; stream: number } | { pad: string };

/** Filters in a row from one source to one named pad. */
export interface FilterChain {
  from: GraphSource;
  filters: VideoFilter[];
  to: string;
}

/** One filter in ffmpeg's words, before escaping. */
export interface NativeFilter {
  name: string;
  options: [key: string, value: string | number][];
}

/** Pads are ours: plain names, so that they need no escaping. */
const padName = /^[a-z][a-z0-9_]{0,31}$/;

/** More chains than any operation needs; a graph that grows past it is a bug of a plan. */
const maxChains = 64;

/** A chain in ffmpeg's words. */
export type ChainTranslator = (chain: FilterChain) => NativeFilter[];

/** All on the CPU. */
export const cpuFilters: ChainTranslator = ({ filters }) => filters.flatMap(nativeOf);

/**
 * The value of `-filter_complex` for the chains, in their order.
 * Broken invariants: a bad pad name, a pad made or used twice, a pad used but never made.
 */
export function renderGraph(
  chains: readonly FilterChain[],
  translate: ChainTranslator = cpuFilters,
): string {
  checkPads(chains);
  return chains
    .map((chain) => {
      const filters = translate(chain).map(renderFilter);
      assert(filters.length > 0, `chain to ${chain.to} has filters`);
      return `[${sourceName(chain.from)}]${filters.join(",")}[${chain.to}]`;
    })
    .join(";");
}

/** Pads that chains make and no chain uses: these are what outputs can map. */
export function openPads(chains: readonly FilterChain[]): Set<string> {
  const open = new Set(chains.map((chain) => chain.to));
  for (const { from } of chains) if ("pad" in from) open.delete(from.pad);
  return open;
}

/** One filter with its options, escaped for both levels of the graph's syntax. Exported for its tests. */
export function renderFilter({ name, options }: NativeFilter): string {
  if (options.length === 0) return name;
  const pairs = options.map(([key, value]) => `${key}=${escapeValue(String(value))}`);
  return `${name}=${pairs.join(":")}`;
}

/**
 * A value inside a filter inside a graph. ffmpeg unescapes twice with `av_get_token`: the graph parser
 * ends a token at `[ ] , ;`, then the option parser at `:`; both know `\` and `'`, and both trim
 * unescaped white space at the ends (ffmpeg-utils, "Quoting and escaping"; ffmpeg-filters, "Notes on
 * filtergraph escaping").
 */
export function escapeValue(value: string): string {
  assert(!value.includes("\0"), "a filter value has no NUL");
  const option = value.replace(/[\\':\s]/g, "\\$&");
  return option.replace(/[\\',;[\]\s]/g, "\\$&");
}

function sourceName(source: GraphSource): string {
  return "pad" in source ? source.pad : `${source.input}:${source.stream}`;
}

function checkPads(chains: readonly FilterChain[]): void {
  assert(chains.length <= maxChains, `a graph has at most ${maxChains} chains`);
  const made = new Set<string>();
  const used = new Set<string>();
  for (const { to } of chains) {
    assert(padName.test(to), `pad name ${JSON.stringify(to)} is plain`);
    assert(!made.has(to), `pad ${to} is made once`);
    made.add(to);
  }
  for (const { from } of chains) {
    if (!("pad" in from)) continue;
    assert(made.has(from.pad), `pad ${from.pad} is made by a chain`);
    assert(!used.has(from.pad), `pad ${from.pad} is used once`);
    used.add(from.pad);
  }
}

/** One filter as the CPU does it. */
export function nativeOf(filter: VideoFilter): NativeFilter[] {
  switch (filter.filter) {
    case "scale":
      return [scale(filter)];
    case "format":
      return [native("format", { pix_fmts: filter.pixelFormats.join("|") })];
    case "fps":
      return [fps(filter)];
    case "setsar":
      return [native("setsar", { sar: filter.ratio })];
    case "deinterlace": {
      // One frame per frame: doubling the rate would be a choice about motion that nobody asked for.
      const deint = filter.frames === "flagged" ? "interlaced" : "all";
      return [native("bwdif", { mode: "send_frame", parity: "auto", deint })];
    }
    case "crop":
      return [native("crop", { w: filter.width, h: filter.height, x: filter.x, y: filter.y })];
    case "pad": {
      const { width: w, height: h, x, y, color } = filter;
      return [native("pad", { w, h, x, y, color })];
    }
    case "tile":
      return [native("tile", { layout: `${filter.columns}x${filter.rows}` })];
    case "tonemap":
      return tonemap(filter.from);
    case "tag":
      return tag(filter.color);
    case "still":
      return still(filter.codec);
    case "representative":
      return [native("thumbnail", { n: filter.frames })];
    case "exactly":
      return [
        native("tpad", { stop: filter.frames, stop_mode: "clone" }),
        native("trim", { end_frame: filter.frames }),
      ];
    default:
      return unreachable(filter);
  }
}

/** Options that are undefined are left out. */
export function native(
  name: string,
  options: Record<string, string | number | undefined>,
): NativeFilter {
  const given = Object.entries(options).filter((pair) => pair[1] !== undefined);
  return { name, options: given as [string, string | number][] };
}

/** A last slot that the source does not fill gets its picture too, where slots are counted from a start. */
function fps({ rate, startSeconds }: Extract<VideoFilter, { filter: "fps" }>): NativeFilter {
  const eof_action = startSeconds === undefined ? undefined : "pass";
  return native("fps", { fps: rate, start_time: startSeconds, eof_action });
}

/** Lanczos keeps detail when shrinking; the other two give the same bits on every CPU. */
const flags = "lanczos+accurate_rnd+full_chroma_int";

function scale(filter: Extract<VideoFilter, { filter: "scale" }>): NativeFilter {
  return native("scale", {
    w: filter.width,
    h: filter.height,
    flags,
    out_color_matrix: filter.matrix,
    out_range: filter.range,
  });
}

/**
 * The common zimg recipe: to linear light, to BT.709 primaries, one curve over the highlights, back to
 * gamma. 100 nits is SDR's reference white; Hable keeps the middle tones, `desat=0` the colours.
 */
function tonemap(from: "hdr10" | "hlg"): NativeFilter[] {
  const transfer = from === "hlg" ? "arib-std-b67" : "smpte2084";
  return [
    // Said on the frames: where one tag is missing zimg finds no way to linear light.
    ...tag({ primaries: "bt2020", transfer, space: "bt2020nc", range: null }),
    native("zscale", { transfer: "linear", npl: 100 }),
    native("format", { pix_fmts: "gbrpf32le" }),
    native("zscale", { primaries: "bt709" }),
    native("tonemap", { tonemap: "hable", desat: 0 }),
    native("zscale", {
      transfer: "bt709",
      matrix: "bt709",
      range: "tv",
      dither: "error_diffusion",
    }),
  ];
}

/**
 * JPEG and WebP decoders read BT.601 whatever a file says, so the matrix is converted too. Older
 * ffmpegs take full-range JPEG only under the name `yuvj420p`, newer ones only by its range: of the two
 * the encoder's own is chosen.
 */
function still(codec: "jpeg" | "webp" | "png"): NativeFilter[] {
  if (codec === "png") return [native("format", { pix_fmts: "rgb24" })];
  const jpeg = codec === "jpeg";
  const levels = { out_color_matrix: "bt601", out_range: jpeg ? "pc" : "tv" };
  const pixels = jpeg ? "yuvj420p|yuv420p" : "yuv420p";
  return [native("scale", { flags, ...levels }), native("format", { pix_fmts: pixels })];
}

function tag(color: ColorTags): NativeFilter[] {
  const options = native("setparams", {
    color_primaries: color.primaries ?? undefined,
    color_trc: color.transfer ?? undefined,
    colorspace: color.space ?? undefined,
    range: color.range ?? undefined,
  });
  return options.options.length === 0 ? [] : [options];
}
