/** Stills of `thumbnails`: so many files, at even distances over the video. Pure. */

import { evenFrames, evenly, knownSeconds, sparseInput } from "./evenly.ts";
import { outputName } from "./naming.ts";
import type { Plan } from "./operation.ts";
import { fitInto } from "./picture.ts";
import {
  type StillSource,
  stillChain,
  stillExpectation,
  stillFilters,
  stillFormats,
  stillOutput,
  workEnding,
} from "./still-picture.ts";
import type { ThumbnailsParams } from "./thumbnails-schema.ts";

/** @throws Refusal 422 `unsuitable_input` for stills and for sources of unknown length */
export function stillsStep(
  params: ThumbnailsParams,
  count: number,
  { name, media, video }: StillSource,
): Plan {
  const format = stillFormats[params.format];
  const seconds = knownSeconds(media, "a number of stills");
  const moments = evenly(video, seconds, count);
  const fitted = fitInto(video, { maxWidth: params.countWidth, fit: "inside" });
  const filters = [...evenFrames(moments), ...stillFilters(params, video, fitted.filters)];
  const files = Array.from({ length: count }, (_, index) => `still-${index + 1}.${workEnding}`);
  const file = count === 1 ? `still-1.${workEnding}` : `still-%d.${workEnding}`;
  const numbered = (index: number) => String(index + 1).padStart(String(count).length, "0");
  const step: Plan["steps"][number] = {
    name: "stills",
    title: `Make ${count} ${count === 1 ? "still" : "stills"} of ${fitted.frame.width}×${fitted.frame.height}`,
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: [sparseInput(media, video, moments)],
        graph: [stillChain(video, filters)],
        outputs: [stillOutput(params, file, count)],
        expectedSeconds: seconds,
      },
    },
    outputs: files.map((still, index) => ({
      file: still,
      name: outputName(name, count === 1 ? "still" : `still ${numbered(index)}`, format.ending),
      role: "still",
      mimeType: format.mimeType,
      expectation: stillExpectation(params, still, fitted.frame),
    })),
  };
  const notes = moments.keyframesOnly
    ? ["The stills are taken at keyframes, which is many times faster, unless those are too few."]
    : [];
  return { steps: [step], notes };
}
