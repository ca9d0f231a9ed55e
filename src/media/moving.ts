/**
 * What flows through the filters of a description: sizes, rates and lengths at every pad. What work costs
 * and how large its files become is estimated from it. Pure.
 */
import type { InputDescription, RenderDescription } from "./description.ts";
import type { VideoFilter } from "./filters-picture.ts";
import { type GraphSource, padsOf, sourcesOf } from "./graph.ts";
import type { MediaInfo } from "./media.ts";

/** A picture on its way. A still has one frame: its rate is one over its length. */
export interface Moving {
  width: number;
  height: number;
  framesPerSecond: number;
  seconds: number;
}

/** A filter and the pixels that it is given or makes, whichever are more. */
export interface FilterLoad {
  filter: VideoFilter["filter"];
  pixels: number;
}

export interface Flow {
  pads: ReadonlyMap<string, Moving>;
  filters: readonly FilterLoad[];
  /** The picture of a stream or a pad; null where nothing is known of it. */
  of(source: GraphSource): Moving | null;
}

/** Where a file does not say: what most have. */
const usualRate = 25;
/** Between keyframes, where nobody looked: what phones, cameras and web encoders write is 1 to 10 s. */
export const usualKeyframeSeconds = 4;

/** @param media of the job's assets by position */
export function flowOf(description: RenderDescription, media: readonly MediaInfo[]): Flow {
  const pads = new Map<string, Moving>();
  const filters: FilterLoad[] = [];
  const of = (source: GraphSource): Moving | null => {
    if ("pad" in source) return pads.get(source.pad) ?? null;
    const input = description.inputs[source.input];
    return input === undefined ? null : movingInput(input, description, media);
  };
  for (const chain of description.graph) {
    const sources = sourcesOf(chain).flatMap((source) => of(source) ?? []);
    let [picture] = sources;
    if (picture === undefined) continue;
    for (const [index, filter] of chain.filters.entries()) {
      const before: Moving = picture;
      picture = after(filter, before, index === 0 ? sources : [before]);
      const pixels = Math.max(pixelsOf(before), pixelsOf(picture));
      filters.push({ filter: filter.filter, pixels });
    }
    for (const pad of padsOf(chain)) pads.set(pad, picture);
  }
  return { pads, filters, of };
}

/** All pixels of all its frames. */
export function pixelsOf({ width, height, framesPerSecond, seconds }: Moving): number {
  return width * height * framesPerSecond * seconds;
}

/** What is decoded of an input. An earlier step's file is taken for the first asset, in the size that is known. */
export function movingInput(
  input: InputDescription,
  { expectedSeconds }: Pick<RenderDescription, "expectedSeconds">,
  media: readonly MediaInfo[],
): Moving | null {
  const own = "asset" in input.from ? media[input.from.asset] : undefined;
  const like = own ?? media[0];
  const video = like?.video ?? null;
  const size = input.picture ?? video;
  if (size === null) return null;
  const { width, height } = size;
  if (input.still !== undefined) return { width, height, framesPerSecond: 1, seconds: 1 };
  const seconds = secondsRead(input, own?.durationSeconds ?? expectedSeconds ?? 0);
  const rate = rateNumber(video?.frameRate ?? null) ?? usualRate;
  const keyframes =
    1 / (input.moments?.everySeconds ?? video?.keyframeSeconds ?? usualKeyframeSeconds);
  const framesPerSecond = input.keyframesOnly ? Math.min(rate, keyframes) : rate;
  return { width, height, framesPerSecond, seconds };
}

/** How long a stretch of it is read, where all of it lasts `wholeSeconds`. */
export function secondsRead(
  { seekSeconds = 0, durationSeconds }: InputDescription,
  wholeSeconds: number,
): number {
  const rest = Math.max(0, wholeSeconds - seekSeconds);
  return durationSeconds === undefined ? rest : Math.min(rest, durationSeconds);
}

function after(filter: VideoFilter, picture: Moving, sources: readonly Moving[]): Moving {
  const { width, height, framesPerSecond, seconds } = picture;
  switch (filter.filter) {
    case "scale":
    case "crop":
    case "pad":
      return { ...picture, width: filter.width, height: filter.height };
    case "fps":
    case "interpolate":
      return { ...picture, framesPerSecond: rateNumber(filter.rate) ?? framesPerSecond };
    case "tile": {
      const { columns, rows } = filter;
      const each = framesPerSecond / (columns * rows);
      return { width: width * columns, height: height * rows, framesPerSecond: each, seconds };
    }
    case "trim": {
      const end = Math.min(filter.endSeconds ?? seconds, seconds);
      return { ...picture, seconds: Math.max(0, end - (filter.startSeconds ?? 0)) };
    }
    case "speed":
      return {
        ...picture,
        framesPerSecond: framesPerSecond * filter.factor,
        seconds: seconds / filter.factor,
      };
    case "concat":
      return { ...picture, seconds: sources.reduce((sum, source) => sum + source.seconds, 0) };
    case "crossfade":
      return { ...picture, seconds: filter.offsetSeconds + (sources[1]?.seconds ?? 0) };
    case "loop": {
      const rate = rateNumber(filter.rate) ?? usualRate;
      return { ...picture, framesPerSecond: rate, seconds: filter.seconds };
    }
    case "exactly":
      return { ...picture, framesPerSecond: seconds > 0 ? filter.frames / seconds : filter.frames };
    case "representative":
      return { ...picture, framesPerSecond: framesPerSecond / filter.frames };
    case "palette":
      return { width: 16, height: 16, framesPerSecond: 1, seconds: 1 };
    default:
      return picture;
  }
}

/** "25", "30000/1001" as a number; null when it is no rate. */
export function rateNumber(rate: string | null): number | null {
  const match = /^(\d+)(?:\/(\d+))?$/.exec(rate ?? "");
  if (match === null) return null;
  const value = Number(match[1]) / Number(match[2] ?? 1);
  return Number.isFinite(value) && value > 0 ? value : null;
}
