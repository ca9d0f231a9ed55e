/**
 * The filter graph on the GPU: which filters have a counterpart in CUDA, and how a chain is written with
 * them. What works on times and tags (`fps`, `setsar`, `setparams`) takes frames wherever they lie.
 */
import { unreachable } from "../trouble.ts";
import type { InputPicture } from "./description.ts";
import {
  type FilterChain,
  type NativeFilter,
  native,
  nativeOf,
  type VideoFilter,
} from "./graph.ts";

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
    case "tile":
    case "still":
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
  size: { width: number; height: number } | undefined;
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
    ...before.flatMap(nativeOf),
    ...(passage.upload ? upload(passage.picture) : []),
    scaleCuda(scale ?? passage.size, cardFormat, passage),
    ...(passage.download ? download(cardFormat, wanted) : []),
    ...after.filter((filter) => filter !== scale && filter !== format).flatMap(nativeOf),
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

/** From this on `bilinear` is better: it weighs three samples a side, further apart the more it shrinks. */
const muchSmaller = 2;

function scaleCuda(
  size: { width: number; height: number } | undefined,
  format: string | undefined,
  { lent, picture }: CudaPassage,
): NativeFilter {
  const shrinking =
    size === undefined || picture === undefined
      ? 1
      : Math.max(picture.width / size.width, picture.height / size.height);
  return native("scale_cuda", {
    w: size?.width,
    h: size?.height,
    interp_algo: shrinking < muchSmaller ? "lanczos" : "bilinear",
    format,
    passthrough: lent ? 0 : undefined,
  });
}
