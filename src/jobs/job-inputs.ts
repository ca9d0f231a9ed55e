/** The files of a job as its plan sees them: media by position, and texts of captions beside them. */
import type { Asset } from "../assets/asset.ts";
import type { Library } from "../assets/library.ts";
import type { PlanInput, PlanText } from "../operations/operation.ts";

/** @throws Refusal 422 `unsuitable_input` for a text that is no captions */
export function jobInputs(
  assets: readonly Asset[],
  library: Pick<Library, "captionsOf">,
): { inputs: PlanInput[]; texts: PlanText[] } {
  const texts = assets.filter(({ media }) => media === null);
  return {
    inputs: assets.flatMap(({ name, media }) => (media === null ? [] : [{ name, media }])),
    texts: texts.map((asset) => ({ name: asset.name, text: library.captionsOf(asset) })),
  };
}
