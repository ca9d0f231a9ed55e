/**
 * The clocks of the outputs of one run: a ladder's rungs may have every frame of the fastest one, or every
 * second. Seams count in slots of the finest clock, and an output in ticks of its own. Pure.
 */
import { assert } from "../trouble.ts";
import type { RenderDescription } from "./description.ts";
import { type FilterChain, padsOf, sourcesOf } from "./graph.ts";
import type { Seam } from "./seams.ts";
import { fractionOf } from "./ticks.ts";

/** "30000/1001" → "1001/30000", seconds of a tick; null for what is no rate. */
export function tickOf(rate: string): string | null {
  const [, num, den = "1"] = /^([1-9]\d{0,8})(?:\/([1-9]\d{0,8}))?$/.exec(rate) ?? [];
  return num === undefined ? null : `${den}/${num}`;
}

/** The rate that the graph makes for a pad; null where the frames come as in the source. */
export function madeRate(graph: readonly FilterChain[], pad: string): string | null {
  const chain = graph.find((each) => padsOf(each).includes(pad));
  if (chain === undefined) return null;
  const made = chain.filters.findLast(({ filter }) => filter === "fps");
  if (made?.filter === "fps") return made.rate;
  const [main] = sourcesOf(chain);
  return main !== undefined && "pad" in main ? madeRate(graph, main.pad) : null;
}

/** How many ticks of one clock a tick of another lasts; null where that is no whole number. */
export function ticksIn(long: string, short: string): number | null {
  const [of, by] = [fractionOf(long), fractionOf(short)];
  const count = (of.num * by.den) / (of.den * by.num);
  return Number.isInteger(count) ? count : null;
}

/** An output's own clock. */
export interface OutputClock {
  /** Seconds of its tick, as a fraction. */
  clock: string;
  /** Slots of the seams' clock that one of its ticks lasts. */
  slots: number;
}

/** Of each output of a picture that is cut by a clock. Broken invariant: one that does not go into another. */
export function outputClocks(
  { graph, outputs }: Pick<RenderDescription, "graph" | "outputs">,
  clock: string,
): OutputClock[] {
  return outputs.map(({ video }) => {
    const pad = video !== null && "pad" in video.source ? video.source.pad : null;
    const rate = pad === null ? null : madeRate(graph, pad);
    const own = rate === null ? null : tickOf(rate);
    if (own === null) return { clock, slots: 1 };
    const slots = ticksIn(own, clock);
    assert(slots !== null, `a tick of ${own} is a whole number of ${clock}`);
    return { clock: own, slots };
  });
}

/** A chunk as an output with its own clock sees it. */
export function ownSeam(seam: Seam, { slots }: OutputClock): Seam {
  const own = (slot: number) => {
    assert(slot % slots === 0, `slot ${slot} begins a frame of every output`);
    return slot / slots;
  };
  const ownOrNull = (slot: number | null) => (slot === null ? null : own(slot));
  const { firstSlot, endSlot, leadSlot } = seam;
  return {
    ...seam,
    ...{ firstSlot: own(firstSlot), endSlot: ownOrNull(endSlot), leadSlot: ownOrNull(leadSlot) },
  };
}
