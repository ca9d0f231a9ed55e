/** A step that finds something out: ffmpeg runs, and what it tells is kept as JSON. */
import { join } from "node:path";
import type { StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { DecodeErrors } from "../media/readings/decode-errors.ts";
import type { Likeness } from "../media/readings/likeness.ts";
import { readings } from "../media/readings.ts";
import { type ScoreTarget, scoreWords } from "../media/target-search.ts";
import { assert } from "../trouble.ts";
import { type CarriedOut, type LocalConfig, runDescription } from "./described-run.ts";
import { plainName, writeDurably } from "./job-files.ts";
import { knownLoudness, withMeasures } from "./measures.ts";
import type { AttemptRequest } from "./runner.ts";

/** Texts of filters are read up to this size: a line for each frame of some hours. */
const TEXT_MAX_BYTES = 256 * 1024 ** 2;

/** @throws Failure as a run does, and when ffmpeg did not say what was asked */
export async function analyse(
  local: { toolchain: Toolchain; config: LocalConfig },
  request: AttemptRequest,
  work: Extract<StepWork, { kind: "analyse" }>,
  folder: string,
): Promise<CarriedOut | null> {
  const { reading, file, facts = {} } = work;
  assert(plainName.test(file), `file name ${file} is plain`);
  const description = await withMeasures(request, work.description);
  const known = work.onlyIfLimited ? knownLoudness(description) : null;
  if (known !== null) {
    await writeReading(join(folder, file), known);
    const deviceReason = "Computed by Kinomill itself: a gain alone reaches the loudness";
    return { encoder: null, deviceReason, proof: null, placement: null };
  }
  const errors = new DecodeErrors();
  const done = await runDescription(local, request, {
    ...{ description, folder, talks: true },
    onLine: (line) => errors.see(line),
  });
  if (done === null) return null;
  const { stderr, ...rest } = done;
  const text = textsOf(folder);
  const found = await readings[reading]({ stderr, facts, errors: errors.byStream(), text });
  await writeReading(join(folder, file), found);
  return work.tells === undefined
    ? rest
    : { ...rest, checks: [told(work.tells, found as Likeness)] };
}

function told({ metric, score: asked }: ScoreTarget, { score, frames }: Likeness): string {
  const reached = scoreWords(metric, score ?? Number.POSITIVE_INFINITY);
  return `The result has ${reached} over ${frames} frames of the samples; ${scoreWords(metric, asked)} was asked for`;
}

/** The texts that filters left in a folder. */
export function textsOf(folder: string): (name: string) => Promise<string | null> {
  return async (name) => {
    assert(plainName.test(name), `file name ${name} is plain`);
    const blob = Bun.file(join(folder, name));
    if (!(await blob.exists())) return null;
    return await blob.slice(0, TEXT_MAX_BYTES).text();
  };
}

async function writeReading(path: string, found: unknown): Promise<void> {
  await writeDurably(path, `${JSON.stringify(found, null, 2)}\n`);
}
