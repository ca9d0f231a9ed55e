/** A placement in the words of ffmpeg's graph: where the frames lie between its parts. Pure. */
import type { RenderDescription } from "./description.ts";
import type { Dialect } from "./dialect.ts";
import type { VideoFilter } from "./filters-picture.ts";
import { cpuPictures, type PictureTranslator } from "./graph.ts";
import { cardPictures, needsOneDevice } from "./graph-card.ts";
import { nvencPixelFormat } from "./nvenc.ts";
import { inputMemory, type Placement } from "./placement.ts";

export interface Way {
  /** NVDEC leaves its frames on the card. */
  decodedOnCard: boolean;
  /** The encoder gets frames that lie on the card. */
  encodedFromCard: boolean;
  /** The name of the one device on which frames of several origins meet; absent: each part has its own. */
  sharedDevice?: string;
  /** How pictures are written. */
  translate: PictureTranslator;
}

const sharedDevice = "card";

/** Where frames lie for a description that was placed so. */
export function wayOf(description: RenderDescription, placement: Placement, dialect: Dialect): Way {
  const { decode, filters, encode } = placement;
  if (filters === "cuda") {
    const decodedOnCard = decode === "nvdec";
    const oneDevice = needsOneDevice(description.graph);
    return {
      decodedOnCard,
      encodedFromCard: encode === "nvenc",
      ...(oneDevice ? { sharedDevice } : {}),
      translate: cardPictures(description, {
        memory: inputMemory(description, decode),
        lends: dialect.nvdecLendsSurfaces,
        download: encode === "cpu",
      }),
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

/** The last conversion on the CPU is to what NVENC takes, so that ffmpeg adds no other. */
const forNvenc: PictureTranslator = (chains) =>
  cpuPictures(chains.map((chain) => ({ ...chain, filters: chain.filters.map(nvencFormat) })));

function nvencFormat(filter: VideoFilter): VideoFilter {
  return filter.filter === "format"
    ? { ...filter, pixelFormats: filter.pixelFormats.map(nvencPixelFormat) }
    : filter;
}
