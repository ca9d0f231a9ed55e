/**
 * The filter graph as data. PROVISIONAL CONTRACT: the media author completes it (typed filters, serialiser
 * with two-level escaping).
 */
export type VideoFilter =
  | { filter: "scale"; width: number; height: number }
  | { filter: "format"; pixelFormats: string[] }
  | { filter: "fps"; rate: string }
  | { filter: "setsar"; ratio: string }
  | { filter: "deinterlace" }
  | { filter: "crop"; width: number; height: number; x: number; y: number }
  | { filter: "pad"; width: number; height: number; x: number; y: number; color: string }
  | { filter: "tile"; columns: number; rows: number }
  | { filter: "tonemap"; from: "hdr10" | "hlg" };

/** Filters in a row from one source to one named pad. */
export interface FilterChain {
  from: { input: number; stream: number } | { pad: string };
  filters: VideoFilter[];
  to: string;
}
