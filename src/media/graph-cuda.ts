/**
 * The filter graph on the GPU: which filters have a counterpart in CUDA, and how a chain is written with
 * them. What works on times and tags (`fps`, `setsar`, `setparams`) takes frames wherever they lie.
 */
import type { Dialect } from "./dialect.ts";
import { type NativeFilter, native } from "./filter-syntax.ts";
import { isLooking, type LookingFilter } from "./filters-looking.ts";
import { nativePicture, type VideoFilter } from "./filters-picture.ts";
import type { FilterChain } from "./graph.ts";

/** The pixel formats of outputs as the card holds them: what NVDEC writes and NVENC reads. */
const cardFormats: Record<string, CardFormat> = { yuv420p: "nv12", yuv420p10le: "p010le" };

/** Why a chain is work for the CPU, as a clause; null when all of it has a counterpart in CUDA. */
export function whyNotCuda({ filters }: FilterChain, dialect: Dialect): string | null {
  for (const filter of filters) {
    if (filter.filter === "overlay") {
      const reason = whyNotOverlay(filter, dialect);
      if (reason !== null) return reason;
      continue;
    }
    const reason = whyNotFilter(filter);
    if (reason !== null) return `${reason}, which is work for the CPU`;
  }
  return null;
}

type Overlay = Extract<VideoFilter, { filter: "overlay" }>;

function whyNotOverlay({ bitDepth, during }: Overlay, dialect: Dialect): string | null {
  if (during !== undefined)
    return "a picture is laid over it for a while, which is work for the CPU";
  if (bitDepth === 10) return "a picture is laid over ten bits, which is work for the CPU";
  if (!dialect.overlayCudaPads) return null;
  return "a picture is laid over it, and the height that this ffmpeg makes of that on a GPU is wrong";
}

type Named = Exclude<
  VideoFilter["filter"],
  "overlay" | "scale" | "format" | LookingFilter["filter"]
>;

const drawn = "text is drawn into the picture";
const single = "single pictures are made";
const denoised = "noise is taken away";
const faded = "the picture is faded";
const palette = "the picture gets a palette";
const stabilised = "the picture is stabilised";
const transparent = "the picture becomes transparent";

/** Of the others all that counts is their name. */
const reasons: Record<Named, string | null> = {
  ...{ fps: null, setsar: null, tag: null, split: null, trim: null, speed: null, delay: null },
  ...{
    ticks: null,
    window: null,
    retime: null,
    deinterlace: "the picture is deinterlaced",
    crop: "the picture is cropped",
  },
  ...{ pad: "the picture gets bars", tonemap: "HDR is made SDR" },
  ...{ subtitles: drawn, timecode: drawn, stamp: drawn, matrix: drawn },
  ...{ crossfade: "several pictures are joined", concat: "several pictures are joined" },
  ...{ steer: "the crop moves", flat: "the picture becomes one colour" },
  ...{ denoise: denoised, "denoise-patches": denoised, sharpen: "the picture is sharpened" },
  ...{ "detect-shakes": stabilised, stabilise: stabilised },
  ...{ interpolate: "frames are made between others", blur: "the picture is blurred" },
  ...{ fade: faded, opacity: faded },
  ...{ keyColor: transparent, despill: transparent, alphaOnly: transparent },
  ...{ palette, usePalette: palette },
  ...{ tile: single, still: single, loop: single, representative: single },
  exactly: "frames are counted",
};

function whyNotFilter(filter: Exclude<VideoFilter, Overlay>): string | null {
  if (isLooking(filter)) return "the picture is measured";
  if (filter.filter === "scale") {
    const levels = filter.matrix !== undefined || filter.range !== undefined;
    return levels ? "the picture's levels are converted" : null;
  }
  if (filter.filter === "format") {
    const [only, ...more] = filter.pixelFormats;
    const known = only !== undefined && more.length === 0 && only in cardFormats;
    return known ? null : `the picture becomes ${filter.pixelFormats.join(" or ")}`;
  }
  return reasons[filter.filter];
}

/** Whether a chain changes the size: the only work on pixels that is worth a way to the card. */
export function scales({ filters }: FilterChain): boolean {
  return filters.some(({ filter }) => filter === "scale");
}

/** Frames on their way, as far as they are known. */
export interface CardFrames {
  onCard: boolean;
  /** They are NVDEC's own surfaces, of which there are few: a copy is handed on. */
  lent: boolean;
  /** On the card. */
  format: CardFormat | undefined;
  size: Size | undefined;
  /** Of a component. */
  bitDepth: number | undefined;
}

export type CardFormat = "nv12" | "p010le" | "yuv420p" | "yuva420p";

/** What stands around the filters of a chain. */
export interface CudaPassage {
  comes: CardFrames;
  /** By `hwupload` to the device that the whole graph shares, instead of to one of its own. */
  shared: boolean;
  /** They go back into the CPU's memory. */
  download: boolean;
  /** Another picture is laid over them next, which takes no NV12. */
  planar: boolean;
  /** Size of what goes out, in pixels, to an encoder; undefined when unknown, or when no encoder follows. */
  size: Size | undefined;
  /** It begins with a picture as it was decoded and ends with an encoder. */
  whole: boolean;
}

/**
 * Filters with CUDA's, and the frames that leave them. All work on pixels is one `scale_cuda` in the place
 * of the first filter that asks for it. On the whole way it says its size even where that does not change:
 * when the source changes its own in the middle, the encoder must not notice.
 */
export function cudaFilters(
  filters: readonly VideoFilter[],
  passage: CudaPassage,
): { filters: NativeFilter[]; leaves: CardFrames } {
  const { comes, download: goesDown, planar, whole } = passage;
  const scale = filters.find((filter) => filter.filter === "scale");
  const format = filters.find((filter) => filter.filter === "format");
  const place = filters.findIndex((filter) => filter === scale || filter === format);
  const wanted = format?.pixelFormats[0];
  const before = filters.slice(0, Math.max(0, place));
  const after = filters.slice(Math.max(0, place));
  const up = comes.onCard ? comes : uploaded(comes);
  const asked = planar ? "yuv420p" : wanted === undefined ? undefined : cardFormats[wanted];
  const held = up.format === asked || (up.format === "yuv420p" && asked === "nv12");
  const card = !whole && held ? undefined : asked;
  // The branches of what is split copy it, each for itself.
  const passesOn = filters.at(-1)?.filter === "split";
  const scaled = whole || scale !== undefined || card !== undefined;
  const copied = scaled || (comes.lent && !passesOn);
  const size = scale ?? (whole ? passage.size : undefined);
  const leaves = {
    ...{ onCard: !goesDown, lent: comes.lent && !copied, format: card ?? up.format },
    ...{ size: size ?? up.size, bitDepth: up.bitDepth },
  };
  const natives = [
    ...before.flatMap(nativePicture),
    ...(comes.onCard ? [] : upload(up.format, passage.shared)),
    ...(copied ? scaleCuda(size, card, comes) : []),
    ...(goesDown ? download(whole ? card : leaves.format, wanted) : []),
    ...after.filter((filter) => filter !== scale && filter !== format).flatMap(nativePicture),
  ];
  return { filters: natives, leaves };
}

/** Ten bits go up as P010: CUDA's frames know no planar format of them. */
function uploaded(frames: CardFrames): CardFrames {
  return { ...frames, onCard: true, format: (frames.bitDepth ?? 8) > 8 ? "p010le" : "yuv420p" };
}

/** From the CPU's memory to the card. */
export function upload(format: CardFormat | undefined, shared: boolean): NativeFilter[] {
  return [native("format", { pix_fmts: format }), native(shared ? "hwupload" : "hwupload_cuda")];
}

/** Only the format that the frames have on the card can come down; the encoder's own is made of it. */
export function download(card: string | undefined, wanted: string | undefined): NativeFilter[] {
  return [
    native("hwdownload"),
    native("format", { pix_fmts: card ?? "nv12|p010le" }),
    ...(wanted === undefined ? [] : [native("format", { pix_fmts: wanted })]),
  ];
}

/**
 * From so many times smaller on the next way is the better one. The kernels' Lanczos has four taps at any
 * size, and what they leap over becomes moiré; their bilinear weighs three samples a side, further apart
 * the more it shrinks, up to three times; beyond that it is done twice. Computed with the formulas of
 * `vf_scale_cuda.cu` on four frames of film, as PSNR against a Lanczos as wide as it should be: at 1.5
 * times 52 dB against 48, at 2 times 47 against 49, at 4 times 35, 39, and 44 in two steps.
 */
const bilinearFrom = 2;
const twoStepsFrom = 3.5;

export interface Size {
  width: number;
  height: number;
}

function scaleCuda(
  size: Size | undefined,
  format: string | undefined,
  { lent, size: source }: CardFrames,
): NativeFilter[] {
  const last = (interp_algo: "lanczos" | "bilinear") =>
    native("scale_cuda", {
      w: size?.width,
      h: size?.height,
      interp_algo,
      format,
      passthrough: lent ? 0 : undefined,
    });
  if (size === undefined || source === undefined) return [last("lanczos")];
  const shrinking = Math.max(source.width / size.width, source.height / size.height);
  if (shrinking < bilinearFrom) return [last("lanczos")];
  if (shrinking < twoStepsFrom) return [last("bilinear")];
  const w = between(source.width, size.width);
  const h = between(source.height, size.height);
  return [native("scale_cuda", { w, h, interp_algo: "bilinear" }), last("bilinear")];
}

/** Half of the way as factors go; even, for 4:2:0. */
function between(from: number, to: number): number {
  return Math.max(2, Math.round(Math.sqrt(from * to) / 2) * 2);
}
