/**
 * The filter graph as data. Operations say what shall happen to picture and sound; `renderGraph` writes it
 * in ffmpeg's words. What a filter is called there stands in `filters-picture.ts` and `filters-sound.ts`.
 */

import { assert } from "../trouble.ts";
import { type NativeFilter, renderFilter } from "./filter-syntax.ts";
import { nativePicture, padsMade, sourcesTaken, type VideoFilter } from "./filters-picture.ts";
import { type AudioFilter, nativeSound, soundsMade, soundsTaken } from "./filters-sound.ts";

export type { AudioFilter, VideoFilter };

/** Where a chain starts: a stream of an input by its index in the file, or a pad that a chain made. */
export type GraphSource = { input: number; stream: number } | { pad: string };

/** Filters in a row. The first takes all sources, the last makes all pads; between them goes one picture. */
export interface FilterChain {
  /** The first of several is the main picture. */
  from: GraphSource | readonly GraphSource[];
  filters: VideoFilter[];
  to: string | readonly string[];
}

/** The same for sound. */
export interface SoundChain {
  /** The first of several is the main sound. */
  from: GraphSource | readonly GraphSource[];
  filters: AudioFilter[];
  to: string | readonly string[];
}

export type AnyChain = FilterChain | SoundChain;

/** A chain in ffmpeg's words: pads by name, streams of inputs as `0:3`. */
export interface NativeChain {
  from: readonly string[];
  filters: readonly NativeFilter[];
  to: readonly string[];
}

/** Pictures in ffmpeg's words. One chain may become several. */
export type PictureTranslator = (chains: readonly FilterChain[]) => NativeChain[];

/** Pads are ours: plain names, so that they need no escaping. Names that translators add begin large. */
const padName = /^[a-z][a-z0-9_]{0,31}$/;

/** More chains than any operation needs (fifty pieces with picture and sound); past it a plan has a bug. */
const maxChains = 256;

export function sourcesOf({ from }: AnyChain): readonly GraphSource[] {
  return "length" in from ? from : [from];
}

export function padsOf({ to }: AnyChain): readonly string[] {
  return typeof to === "string" ? [to] : to;
}

/** A source as the graph writes it. */
export function sourceName(source: GraphSource): string {
  return "pad" in source ? source.pad : `${source.input}:${source.stream}`;
}

/** Pictures on the CPU. */
export const cpuPictures: PictureTranslator = (chains) =>
  chains.map((chain) => nativeChain(chain, chain.filters.flatMap(nativePicture)));

/** Sound, which is work for the CPU. */
export function nativeSounds(chains: readonly SoundChain[]): NativeChain[] {
  return chains.map((chain) => nativeChain(chain, chain.filters.flatMap(nativeSound)));
}

function nativeChain(chain: AnyChain, filters: NativeFilter[]): NativeChain {
  return { from: sourcesOf(chain).map(sourceName), filters, to: padsOf(chain) };
}

/**
 * The value of `-filter_complex` for the chains, in their order, the picture's first.
 * @param more in ffmpeg's words already: what stands between the graph and its outputs
 * Broken invariants: a bad pad name, a pad made or used twice, a pad used but never made, a filter that
 * takes or makes another number of pads than its chain has.
 */
export function renderGraph(
  pictures: readonly FilterChain[],
  sounds: readonly SoundChain[] = [],
  translate: PictureTranslator = cpuPictures,
  more: readonly NativeChain[] = [],
): string {
  checkPads([...pictures, ...sounds]);
  for (const chain of pictures) checkCounts(chain, chain.filters, sourcesTaken, padsMade);
  for (const chain of sounds) checkCounts(chain, chain.filters, soundsTaken, soundsMade);
  const chains = [...translate(pictures), ...nativeSounds(sounds), ...more];
  return chains.map(renderChain).join(";");
}

/** Pads that chains make and no chain uses: these are what outputs can map. */
export function openPads(chains: readonly AnyChain[]): Set<string> {
  const open = new Set(chains.flatMap(padsOf));
  for (const source of chains.flatMap(sourcesOf)) if ("pad" in source) open.delete(source.pad);
  return open;
}

function renderChain({ from, filters, to }: NativeChain): string {
  assert(filters.length > 0, `chain to ${to.join(", ")} has filters`);
  const pads = (names: readonly string[]) => names.map((name) => `[${name}]`).join("");
  return `${pads(from)}${filters.map(renderFilter).join(",")}${pads(to)}`;
}

function checkPads(chains: readonly AnyChain[]): void {
  assert(chains.length <= maxChains, `a graph has at most ${maxChains} chains`);
  const made = new Set<string>();
  const used = new Set<string>();
  for (const chain of chains) {
    for (const source of sourcesOf(chain)) {
      if (!("pad" in source)) continue;
      assert(made.has(source.pad), `pad ${source.pad} is made by a chain before it is used`);
      assert(!used.has(source.pad), `pad ${source.pad} is used once`);
      used.add(source.pad);
    }
    for (const to of padsOf(chain)) {
      assert(padName.test(to), `pad name ${JSON.stringify(to)} is plain`);
      assert(!made.has(to), `pad ${to} is made once`);
      made.add(to);
    }
  }
}

function checkCounts<Filter>(
  chain: AnyChain,
  filters: readonly Filter[],
  taken: (filter: Filter) => number,
  made: (filter: Filter) => number,
): void {
  const name = padsOf(chain).join(", ");
  const pads = (count: number) => `${count} ${count === 1 ? "pad" : "pads"}`;
  let held = sourcesOf(chain).length;
  for (const filter of filters) {
    assert(taken(filter) === held, `a filter of the chain to ${name} takes ${pads(held)}`);
    held = made(filter);
  }
  assert(
    held === padsOf(chain).length,
    `the last filter of the chain to ${name} makes ${pads(held)}`,
  );
}
