/**
 * Keyframes that are wanted, picked out of a film before they are decoded. To decode one of 1080p takes ten
 * milliseconds, to copy it a tenth of one; and a sprite of a film shows few of those that there are.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { InputDescription, Moments, RenderDescription } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { dialectOf } from "../media/dialect.ts";
import { sourcesOf } from "../media/graph.ts";
import { Failure } from "../trouble.ts";
import type { DescribedRun, RanDescription } from "./described-run.ts";
import type { AttemptRequest } from "./runner.ts";

const pickedFile = "keyframes.mkv";

interface Means {
  toolchain: Toolchain;
  /** Runs a description. */
  once(run: DescribedRun): Promise<RanDescription | null>;
}

/**
 * The description with its only input replaced by the keyframes that matter of it, which lie in the step's folder
 * until `removePicked`. As it was where they cannot be picked.
 */
export async function withKeyframesPicked(
  { description, folder }: DescribedRun,
  request: AttemptRequest,
  { toolchain, once }: Means,
): Promise<RenderDescription> {
  const [input, ...others] = description.inputs;
  const [chain, ...more] = description.graph;
  const { moments } = input ?? {};
  const known = dialectOf(toolchain.release).copiedSeconds !== null;
  if (input === undefined || chain === undefined || moments === undefined || !known) {
    return description;
  }
  const [source] = sourcesOf(chain);
  if (others.length > 0 || more.length > 0 || source === undefined || !("input" in source)) {
    return description;
  }
  try {
    const picking = pickingRun(input, source.stream, moments);
    const done = await once({ description: picking, folder });
    if (done === null) return description;
  } catch (trouble) {
    if (!(trouble instanceof Failure)) throw trouble;
    await removePicked(folder);
    return description;
  }
  const from = { step: request.step, file: pickedFile };
  const { moments: _, ...rest } = input;
  // Read alone they would begin at zero.
  const late = moments.startsAtSeconds > 0 ? { offsetSeconds: moments.startsAtSeconds } : {};
  return {
    ...description,
    inputs: [{ ...rest, ...late, from }],
    graph: [{ ...chain, from: { input: 0, stream: 0 } }],
  };
}

function pickingRun(
  { from, picture }: InputDescription,
  stream: number,
  moments: Moments,
): RenderDescription {
  const codec = picture?.codec ?? "";
  return {
    inputs: [{ from, keyframesOnly: true }],
    graph: [],
    outputs: [
      {
        ...{ file: pickedFile, container: "mkv", isIntermediate: true },
        video: { kind: "copy", source: { input: 0, stream }, codec, moments },
        ...{ audio: [], subtitles: [], metadataFrom: null, limitSeconds: null },
      },
    ],
    expectedSeconds: null,
  };
}

export function removePicked(folder: string): Promise<void> {
  return rm(join(folder, pickedFile), { force: true });
}
