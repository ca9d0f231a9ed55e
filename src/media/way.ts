/** A placement in the words of ffmpeg's graph: where the frames lie between its parts. Pure. */
import type { RenderDescription } from "./description.ts";
import type { Dialect } from "./dialect.ts";
import type { VideoFilter } from "./filters-picture.ts";
import {
  cpuPictures,
  type FilterChain,
  type PictureTranslator,
  padsOf,
  sourceName,
  sourcesOf,
} from "./graph.ts";
import { cudaFilters } from "./graph-cuda.ts";
import { nvencPixelFormat } from "./nvenc.ts";
import type { Placement } from "./placement.ts";

export interface Way {
  /** NVDEC leaves its frames on the card. */
  decodedOnCard: boolean;
  /** The encoder gets frames that lie on the card. */
  encodedFromCard: boolean;
  /** How chains are written. */
  translate: PictureTranslator;
}

/** Where frames lie for a description that was placed so. */
export function wayOf(description: RenderDescription, placement: Placement, dialect: Dialect): Way {
  const { decode, filters, encode } = placement;
  if (filters === "cuda") {
    const decodedOnCard = decode === "nvdec";
    return {
      decodedOnCard,
      encodedFromCard: encode === "nvenc",
      translate: (chains) =>
        chains.map((chain) => ({
          from: sourcesOf(chain).map(sourceName),
          to: padsOf(chain),
          filters: cudaFilters(chain, {
            upload: !decodedOnCard,
            download: encode === "cpu",
            lent: decodedOnCard && dialect.nvdecLendsSurfaces,
            picture: pictureOf(chain, description),
            size: sizeOf(chain, description),
          }),
        })),
    };
  }
  const direct = filters === null && decode === "nvdec" && encode === "nvenc";
  // ffmpeg turns pictures upright by itself, with a filter of the CPU.
  const upright = description.inputs.every(({ picture }) => (picture?.rotation ?? 0) === 0);
  const onCard = direct && upright && !dialect.nvdecLendsSurfaces;
  return {
    decodedOnCard: onCard,
    encodedFromCard: onCard,
    translate: encode === "nvenc" ? forNvenc : cpuPictures,
  };
}

function pictureOf(chain: FilterChain, { inputs }: RenderDescription) {
  const [source] = sourcesOf(chain);
  return source !== undefined && "input" in source ? inputs[source.input]?.picture : undefined;
}

/** What the encoder of a chain's pad expects. */
function sizeOf(chain: FilterChain, { outputs }: RenderDescription) {
  for (const { video } of outputs) {
    if (
      video?.kind !== "encode" ||
      !("pad" in video.source) ||
      !padsOf(chain).includes(video.source.pad)
    )
      continue;
    const { width, height } = video;
    if (width !== undefined && height !== undefined) return { width, height };
  }
  return undefined;
}

/** The last conversion on the CPU is to what NVENC takes, so that ffmpeg adds no other. */
const forNvenc: PictureTranslator = (chains) =>
  cpuPictures(chains.map((chain) => ({ ...chain, filters: chain.filters.map(nvencFormat) })));

function nvencFormat(filter: VideoFilter): VideoFilter {
  return filter.filter === "format"
    ? { ...filter, pixelFormats: filter.pixelFormats.map(nvencPixelFormat) }
    : filter;
}
