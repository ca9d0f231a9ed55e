/** The example of an operation, planned for made-up files: for pages and snapshots. */
import type { MediaInfo } from "../../src/media/media.ts";
import { parseParams, planFor } from "../../src/operations/index.ts";
import type { Operation, Plan, PlanContext } from "../../src/operations/operation.ts";
import { Refusal } from "../../src/trouble.ts";
import { type InputKind, inputCandidates } from "./example-inputs.ts";
import { audio, media, video } from "./specimen.ts";

export const names: Record<InputKind, string> = {
  film: "match.mov",
  image: "logo.png",
  sound: "music.wav",
  subtitles: "match.srt",
};

const still = video({ codec: "png", width: 400, height: 200, pixelFormat: "rgba", alpha: true });
export const specimens: Record<InputKind, MediaInfo> = {
  film: media({ container: "mov" }),
  image: media({ container: "png", kind: "image", video: still, audio: [], durationSeconds: null }),
  sound: media({ container: "wav", kind: "audio", video: null, audio: [audio({ index: 0 })] }),
  subtitles: media({ container: "srt", kind: "video", video: null, audio: [] }),
};

/** An ffmpeg that has whatever a plan asks for. */
const anything = { has: () => true, values: () => [].values() };
export const everything: PlanContext = {
  encoders: anything as unknown as ReadonlySet<string>,
  filters: anything as unknown as ReadonlySet<string>,
};

/** The files that the example is shown with, and the plan for them; null when no candidate suits. */
export function exampleOf(
  operation: Operation,
  context: PlanContext = everything,
): { inputs: InputKind[]; files: string[]; plan: Plan } | null {
  const params = parseParams(operation, operation.example);
  for (const inputs of inputCandidates(operation)) {
    try {
      const files = inputs.map((kind, index) => numbered(names[kind], inputs, index));
      const given = inputs.map((kind, index) => ({
        name: files[index] ?? "",
        media: specimens[kind],
      }));
      return { inputs, files, plan: planFor(operation, params, given, context) };
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
    }
  }
  return null;
}

/** The second file of a kind has another name. */
function numbered(name: string, inputs: readonly InputKind[], index: number): string {
  const earlier = inputs.slice(0, index).filter((kind) => kind === inputs[index]).length;
  return earlier === 0 ? name : name.replace(".", `-${earlier + 1}.`);
}
