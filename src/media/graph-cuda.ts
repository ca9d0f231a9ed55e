/**
 * The filter graph on the GPU: which filters have a counterpart in CUDA, and how a chain is written with
 * them. What works on times and tags (`fps`, `setsar`, `setparams`) takes frames wherever they lie.
 */
import { unreachable } from "../trouble.ts";
import type { InputPicture } from "./description.ts";
import { type NativeFilter, native } from "./filter-syntax.ts";
import { nativePicture, type VideoFilter } from "./filters-picture.ts";
import type { FilterChain } from "./graph.ts";

/** The pixel formats of outputs as the card holds them: what NVDEC writes and NVENC reads. */
const cardFormats: Record<string, string> = { yuv420p: "nv12", yuv420p10le: "p010le" };

/** Why a chain is work for the CPU, as a clause; null when all of it has a counterpart in CUDA. */
export function whyNotCuda({ filters }: FilterChain): string | null {
  for (const filter of filters) {
    const reason = whyNotFilter(filter);
    if (reason !== null) return `${reason}, which is work for the CPU`;
  }
  return null;
}

function whyNotFilter(filter: VideoFilter): string | null {
  switch (filter.filter) {
    case "fps":
    case "setsar":
    case "tag":
      return null;
    case "scale":
      return filter.matrix === undefined && filter.range === undefined
        ? null
        : "the picture's levels are converted";
    case "format": {
      const [only, ...more] = filter.pixelFormats;
      const known = only !== undefined && more.length === 0 && only in cardFormats;
      return known ? null : `the picture becomes ${filter.pixelFormats.join(" or ")}`;
    }
    case "deinterlace":
      return "the picture is deinterlaced";
    case "crop":
      return "the picture is cropped";
    case "pad":
      return "the picture gets bars";
    case "tonemap":
      return "HDR is made SDR";
    case "split":
    case "trim":
    case "speed":
      return null;
    case "overlay":
      return "another picture is laid over it";
    case "crossfade":
    case "concat":
      return "several pictures are joined";
    case "blur":
      return "the picture is blurred";
    case "fade":
    case "opacity":
      return "the picture is faded";
    case "tile":
    case "still":
    case "loop":
    case "representative":
    case "exactly":
      return "single pictures are made";
    default:
      return unreachable(filter);
  }
}

/** Whether a chain changes the size: the only work on pixels that is worth a way to the card. */
export function scales({ filters }: FilterChain): boolean {
  return filters.some(({ filter }) => filter === "scale");
}

/** How frames come to a chain and leave it. */
export interface CudaPassage {
  /** They come from the CPU's memory. */
  upload: boolean;
  /** They go back into it. */
  download: boolean;
  /** They are NVDEC's own surfaces, of which there are few: a copy is handed on. */
  lent: boolean;
  /** What comes in; undefined when unknown. */
  picture: InputPicture | undefined;
  /** Size of what goes out, in pixels; undefined when unknown. */
  size: Size | undefined;
}

/**
 * A chain with CUDA's filters. All work on pixels is one `scale_cuda` in the place of the first filter
 * that asks for it. It says its size even where that does not change: when the source changes its own in
 * the middle, the encoder must not notice.
 */
export function cudaFilters(chain: FilterChain, passage: CudaPassage): NativeFilter[] {
  const scale = chain.filters.find((filter) => filter.filter === "scale");
  const format = chain.filters.find((filter) => filter.filter === "format");
  const place = chain.filters.findIndex((filter) => filter === scale || filter === format);
  const wanted = format?.pixelFormats[0];
  const cardFormat = wanted === undefined ? undefined : cardFormats[wanted];
  const before = chain.filters.slice(0, Math.max(0, place));
  const after = chain.filters.slice(Math.max(0, place));
  return [
    ...before.flatMap(nativePicture),
    ...(passage.upload ? upload(passage.picture) : []),
    ...scaleCuda(scale ?? passage.size, cardFormat, passage),
    ...(passage.download ? download(cardFormat, wanted) : []),
    ...after.filter((filter) => filter !== scale && filter !== format).flatMap(nativePicture),
  ];
}

/** Ten bits go up as P010: CUDA's frames know no planar format of them. */
function upload(picture: InputPicture | undefined): NativeFilter[] {
  const format = picture !== undefined && picture.bitDepth > 8 ? "p010le" : "yuv420p";
  return [native("format", { pix_fmts: format }), native("hwupload_cuda", {})];
}

/** Only the format that the frames have on the card can come down; the encoder's own is made of it. */
function download(card: string | undefined, wanted: string | undefined): NativeFilter[] {
  return [
    native("hwdownload", {}),
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

interface Size {
  width: number;
  height: number;
}

function scaleCuda(
  size: Size | undefined,
  format: string | undefined,
  { lent, picture }: CudaPassage,
): NativeFilter[] {
  const last = (interp_algo: "lanczos" | "bilinear") =>
    native("scale_cuda", {
      w: size?.width,
      h: size?.height,
      interp_algo,
      format,
      passthrough: lent ? 0 : undefined,
    });
  if (size === undefined || picture === undefined) return [last("lanczos")];
  const shrinking = Math.max(picture.width / size.width, picture.height / size.height);
  if (shrinking < bilinearFrom) return [last("lanczos")];
  if (shrinking < twoStepsFrom) return [last("bilinear")];
  const w = between(picture.width, size.width);
  const h = between(picture.height, size.height);
  return [native("scale_cuda", { w, h, interp_algo: "bilinear" }), last("bilinear")];
}

/** Half of the way as factors go; even, for 4:2:0. */
function between(from: number, to: number): number {
  return Math.max(2, Math.round(Math.sqrt(from * to) / 2) * 2);
}
