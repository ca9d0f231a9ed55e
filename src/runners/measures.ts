/** What earlier steps measured, put into the description of a later one before it is rendered. */
import { z } from "zod";
import type { RenderDescription } from "../media/description.ts";
import type { Normalising } from "../media/filters-level.ts";
import type { AudioFilter } from "../media/graph.ts";
import { firstGain, type LoudnessMeasure, type MeasureRef, withGain } from "../media/loudness.ts";
import { assert, Failure } from "../trouble.ts";
import { pathOf } from "./job-files.ts";
import type { AttemptRequest } from "./runner.ts";

const measure = z.object({
  integratedLufs: z.number(),
  truePeakDbtp: z.number(),
  rangeLu: z.number(),
});

/**
 * The description with figures where it named the files that hold them.
 * @throws Failure `input_missing` when such a file is gone
 */
export async function withMeasures(
  request: AttemptRequest,
  description: RenderDescription,
): Promise<RenderDescription> {
  const { sound } = description;
  if (sound === undefined || !sound.some(({ filters }) => filters.some(isNormalise))) {
    return description;
  }
  const chains = sound.map(async (chain) => {
    const filters = chain.filters.map((filter) => measured(request, filter));
    return { ...chain, filters: await Promise.all(filters) };
  });
  return { ...description, sound: await Promise.all(chains) };
}

async function measured(request: AttemptRequest, filter: AudioFilter): Promise<AudioFilter> {
  if (!isNormalise(filter)) return filter;
  const { tried, ...rest } = filter;
  const source = await lookUp(request, filter.source);
  if (tried === undefined) return { ...rest, source };
  return { ...rest, source, tried: await lookUp(request, tried) };
}

async function lookUp(
  request: AttemptRequest,
  from: LoudnessMeasure | MeasureRef,
): Promise<LoudnessMeasure> {
  if (!("step" in from)) return from;
  const file = Bun.file(pathOf(request, from));
  if (!(await file.exists())) {
    throw new Failure("input_missing", "The loudness that was measured is not there any more.", {
      hint: "Start the job anew.",
    });
  }
  return measure.parse(await file.json());
}

/** What comes out of the one `normalise` when it is a gain alone; null when its limiter must work. */
export function knownLoudness({ sound = [] }: RenderDescription): LoudnessMeasure | null {
  const [normalise] = sound.flatMap(({ filters }) => filters).filter(isNormalise);
  assert(normalise !== undefined, "a loudness is tried");
  const { source } = normalise;
  assert(!("step" in source), "the loudness was looked up");
  const { gainDb, limited } = firstGain(normalise, source);
  return limited ? null : withGain(source, gainDb);
}

function isNormalise(filter: AudioFilter): filter is { filter: "normalise" } & Normalising {
  return filter.filter === "normalise";
}
