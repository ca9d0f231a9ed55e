/** Times and qualities that earlier steps found, put into a later one before it is rendered. */
import type { FigureRef, InputDescription, RenderDescription } from "../media/description.ts";
import { assert, Failure } from "../trouble.ts";
import { pathOf } from "./job-files.ts";
import type { AttemptRequest } from "./runner.ts";

/**
 * The description with times where it named figures.
 * @throws Failure `input_missing` when the file of a figure is gone
 */
export async function withSeeks(
  request: AttemptRequest,
  description: RenderDescription,
): Promise<RenderDescription> {
  if (!description.inputs.some(({ seekFrom }) => seekFrom !== undefined)) return description;
  const inputs = description.inputs.map(
    async ({ seekFrom, ...input }): Promise<InputDescription> =>
      seekFrom === undefined ? input : { ...input, seekSeconds: await figure(request, seekFrom) },
  );
  return { ...description, inputs: await Promise.all(inputs) };
}

/** The description with qualities where its encodes named figures. @throws Failure `input_missing` likewise */
export async function withQualities(
  request: AttemptRequest,
  description: RenderDescription,
): Promise<RenderDescription> {
  const { outputs } = description;
  const named = outputs.some(({ video }) => video?.kind === "encode" && video.qualityFrom);
  if (!named) return description;
  const found = outputs.map(async (output) => {
    const { video } = output;
    if (video?.kind !== "encode" || video.qualityFrom === undefined) return output;
    const { qualityFrom, ...rest } = video;
    const quality = await figure(request, qualityFrom);
    return { ...output, video: { ...rest, rate: { quality } } };
  });
  return { ...description, outputs: await Promise.all(found) };
}

async function figure(request: AttemptRequest, from: FigureRef): Promise<number> {
  const file = Bun.file(pathOf(request, from));
  if (!(await file.exists())) {
    throw new Failure("input_missing", "A figure that was looked up is not there any more.", {
      hint: "Start the job anew.",
    });
  }
  const found = at(await file.json(), from.pointer);
  assert(typeof found === "number" && found >= 0, `${from.pointer} is a figure`);
  return found;
}

/** The value at a JSON Pointer; its names are ours and have no `~`. */
function at(json: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], json);
}
