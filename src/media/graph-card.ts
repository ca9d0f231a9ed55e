/**
 * A whole graph on the GPU: where the frames between its chains lie, and what brings them up and down. What
 * is laid over a film and comes from the CPU's memory is made ready there, alpha and all, and goes up last.
 */
import { assert } from "../trouble.ts";
import type { RenderDescription } from "./description.ts";
import { native } from "./filter-syntax.ts";
import { nativePicture } from "./filters-picture.ts";
import {
  type FilterChain,
  type GraphSource,
  type NativeChain,
  openPads,
  type PictureTranslator,
  padsOf,
  sourceName,
  sourcesOf,
} from "./graph.ts";
import { type CardFrames, cudaFilters, download, upload } from "./graph-cuda.ts";

/** Where the frames of an input lie, by its position. */
export type InputMemory = (input: number) => "card" | "memory";

/**
 * Chains that make what is laid over a film, from pictures in the CPU's memory: work for the CPU also
 * where the film's own filters are done by CUDA.
 */
export function sideChains(graph: readonly FilterChain[], memory: InputMemory): Set<FilterChain> {
  const side = new Set<FilterChain>();
  const sidePads = new Set<string>();
  for (const chain of graph) {
    const near = sourcesOf(chain).every((source) =>
      "pad" in source ? sidePads.has(source.pad) : memory(source.input) === "memory",
    );
    if (!near || !padsOf(chain).every((pad) => endsLaidOver(graph, pad))) continue;
    side.add(chain);
    for (const pad of padsOf(chain)) sidePads.add(pad);
  }
  return side;
}

/** Whether all that comes of a pad is laid over something else. */
function endsLaidOver(graph: readonly FilterChain[], pad: string): boolean {
  const isIt = (source: GraphSource) => "pad" in source && source.pad === pad;
  const user = graph.find((chain) => sourcesOf(chain).some(isIt));
  if (user === undefined) return false;
  if (laysOver(user) && sourcesOf(user).findIndex(isIt) > 0) return true;
  return padsOf(user).every((next) => endsLaidOver(graph, next));
}

/** Whether a chain begins with laying its second source over its first. */
export function laysOver({ filters }: FilterChain): boolean {
  return filters[0]?.filter === "overlay";
}

/** Whether frames of several origins meet on the card: they must come to one and the same device. */
export function needsOneDevice(graph: readonly FilterChain[]): boolean {
  return graph.some(laysOver);
}

export interface CardGraph {
  memory: InputMemory;
  /** NVDEC's surfaces travel through the filters. */
  lends: boolean;
  /** The encoder reads from the CPU's memory. */
  download: boolean;
}

/** How a description's pictures are written where CUDA filters them. */
export function cardPictures(description: RenderDescription, how: CardGraph): PictureTranslator {
  return (graph) => {
    const walk = new CardWalk(graph, description, how);
    return graph.flatMap((chain) => walk.chain(chain));
  };
}

class CardWalk {
  private readonly frames = new Map<string, CardFrames>();
  private readonly side: Set<FilterChain>;
  private readonly open: Set<string>;
  private readonly shared: boolean;
  private readonly description: RenderDescription;
  private readonly how: CardGraph;
  private readonly graph: readonly FilterChain[];

  constructor(graph: readonly FilterChain[], description: RenderDescription, how: CardGraph) {
    this.graph = graph;
    this.description = description;
    this.how = how;
    this.side = sideChains(graph, how.memory);
    this.open = openPads(graph);
    this.shared = needsOneDevice(graph);
  }

  chain(chain: FilterChain): NativeChain[] {
    const from = sourcesOf(chain);
    const to = padsOf(chain);
    if (this.side.has(chain)) {
      for (const pad of to) this.frames.set(pad, unknownFrames);
      const filters = chain.filters.flatMap(nativePicture);
      return [{ from: from.map(sourceName), filters, to }];
    }
    const [main] = from;
    assert(main !== undefined, "a chain has a source");
    return laysOver(chain) ? this.overlay(chain) : this.straight(chain, main);
  }

  private straight(chain: FilterChain, main: GraphSource): NativeChain[] {
    const to = padsOf(chain);
    const [pad] = to;
    const ends = to.length === 1 && pad !== undefined && this.open.has(pad);
    const { filters, leaves } = cudaFilters(chain.filters, {
      comes: this.framesOf(main),
      shared: this.shared,
      download: ends && this.how.download,
      planar: this.isLaidUnder(to),
      size: ends ? this.encodedSize(pad) : undefined,
      whole: ends && "input" in main,
    });
    return this.finish([sourceName(main)], filters, to, leaves);
  }

  private overlay(chain: FilterChain): NativeChain[] {
    const to = padsOf(chain);
    const [first, ...rest] = chain.filters;
    const [main, second] = sourcesOf(chain);
    assert(first?.filter === "overlay", "the chain begins with an overlay");
    assert(main !== undefined && second !== undefined, "an overlay has two sources");
    const under = this.brought(main, false);
    const over = this.brought(second, true);
    const [pad] = to;
    const ends = to.length === 1 && pad !== undefined && this.open.has(pad);
    const { filters, leaves } = cudaFilters(rest, {
      comes: { ...this.framesOf(main), onCard: true, lent: false, format: "yuv420p", bitDepth: 8 },
      shared: this.shared,
      download: ends && this.how.download,
      planar: this.isLaidUnder(to),
      size: undefined,
      whole: false,
    });
    const { x, y, atEnd = "stay" } = first;
    const eof_action = atEnd === "stay" ? "repeat" : "pass";
    const laid = native("overlay_cuda", { x, y, eof_action });
    return [
      ...under.chains,
      ...over.chains,
      ...this.finish([under.name, over.name], [laid, ...filters], to, leaves),
    ];
  }

  /** A source of an overlay on the card, in a format that it takes. */
  private brought(source: GraphSource, over: boolean): { name: string; chains: NativeChain[] } {
    const frames = this.framesOf(source);
    const name = sourceName(source);
    if (frames.onCard && frames.format === "yuv420p" && !frames.lent) return { name, chains: [] };
    const filters = frames.onCard
      ? [native("scale_cuda", { format: "yuv420p" })]
      : upload(over ? "yuva420p" : "yuv420p", this.shared);
    const to = added("Up", name);
    return { name: to, chains: [{ from: [name], filters, to: [to] }] };
  }

  /** The chain itself, and where it splits for the CPU's encoders and other chains the ways down. */
  private finish(
    from: string[],
    filters: NativeFilterList,
    to: readonly string[],
    leaves: CardFrames,
  ): NativeChain[] {
    for (const pad of to) this.frames.set(pad, leaves);
    const whole = filters.length > 0 ? filters : [native("null")];
    const down = to.filter((pad) => leaves.onCard && this.how.download && this.open.has(pad));
    const made = to.map((pad) => (down.includes(pad) ? added("Down", pad) : pad));
    const ways = down.map((pad) => ({
      ...{ from: [added("Down", pad)], to: [pad] },
      filters: download(leaves.format, undefined),
    }));
    return [{ from, filters: whole, to: made }, ...ways];
  }

  private framesOf(source: GraphSource): CardFrames {
    if ("pad" in source) return this.frames.get(source.pad) ?? unknownFrames;
    const { picture } = this.description.inputs[source.input] ?? {};
    const onCard = this.how.memory(source.input) === "card";
    const bitDepth = picture?.bitDepth;
    const ten = bitDepth !== undefined && bitDepth > 8;
    return {
      ...{ onCard, lent: onCard && this.how.lends, bitDepth },
      format: !onCard || picture === undefined ? undefined : ten ? "p010le" : "nv12",
      size: picture,
    };
  }

  private isLaidUnder(pads: readonly string[]): boolean {
    return this.graph.some(
      (chain) =>
        laysOver(chain) &&
        sourcesOf(chain).some((from) => "pad" in from && pads.includes(from.pad)),
    );
  }

  /** What the encoder of a pad expects. */
  private encodedSize(pad: string): { width: number; height: number } | undefined {
    for (const { video } of this.description.outputs) {
      if (video?.kind !== "encode" || !("pad" in video.source)) continue;
      const { source, width, height } = video;
      if (source.pad === pad && width !== undefined && height !== undefined) {
        return { width, height };
      }
    }
    return undefined;
  }
}

type NativeFilterList = NativeChain["filters"];

const unknownFrames: CardFrames = {
  ...{ onCard: false, lent: false, format: undefined, size: undefined, bitDepth: undefined },
};

/** A pad of ours beside one of the operation's: the large letter keeps them apart. */
function added(what: "Up" | "Down", name: string): string {
  return `${what}_${name.replace(":", "_")}`;
}
