/** `captions`: burnt into the picture, added as a track, or taken out as files. */

import {
  CaptionFault,
  type Captions,
  type Cue,
  captionTitles,
  inOrder,
} from "../media/captions/cue.ts";
import { readCaptions } from "../media/captions/read.ts";
import { writeSubrip } from "../media/captions/write.ts";
import { assert, Refusal } from "../trouble.ts";
import { burntOutput, burntResult, decideBurn, matrixOf, movingPicture } from "./burning.ts";
import { captionFile } from "./caption-file.ts";
import { embedPlan } from "./captions-embed.ts";
import { extractPlan } from "./captions-extract.ts";
import { type CaptionStyle, type CaptionsParams, captionsSchema } from "./captions-schema.ts";
import { drawnRight } from "./drawn-colours.ts";
import {
  defineOperation,
  type Plan,
  type PlanContext,
  type PlanInput,
  type PlanText,
  type Span,
  type Step,
  type Whole,
} from "./operation.ts";
import { inputPicture } from "./picture.ts";

export const captions = defineOperation({
  name: "captions",
  title: "Captions",
  description:
    "Draws captions into the picture, adds them as a track that players can show, or takes the tracks of a video out as files. SubRip, WebVTT and ASS.",
  schema: captionsSchema,
  example: {
    action: "burn",
    text: "1\n00:00:00,200 --> 00:00:01,800\nHello there\n",
    style: { position: "bottom", background: {} },
  },
  inputs: { min: 1, max: 1, texts: 1, kinds: ["video"] },
  family: "picture",
  part,
  plan,
});

/** Only what is drawn into the picture is seen in a part of it. ASS has times in more places than its cues. */
function part(params: CaptionsParams, span: Span, { texts }: Whole): CaptionsParams | null {
  const text = params.text ?? texts[0]?.text;
  const read = text === undefined || params.action !== "burn" ? null : readCaptions(text);
  if (read === null || read.format === "ass") return null;
  const [fromMs, toMs] = [span.from * 1000, span.to * 1000];
  const cues = read.cues
    .filter((cue) => cue.toMs > fromMs && cue.fromMs < toMs)
    .map((cue) => ({
      ...cue,
      fromMs: Math.max(0, Math.round(cue.fromMs - fromMs)),
      toMs: Math.round(Math.min(cue.toMs, toMs) - fromMs),
    }));
  return cues.length === 0 ? null : { ...params, text: writeSubrip(cues) };
}

function plan(
  params: CaptionsParams,
  inputs: PlanInput[],
  context: PlanContext,
  texts: readonly PlanText[] = [],
): Plan {
  const [input] = inputs;
  assert(input !== undefined, "captions have an input");
  if (params.action === "extract") {
    if (texts.length > 0) throw unsuitable("Extracting takes a video alone, and no captions.");
    return extractPlan(params, input);
  }
  movingPicture(input.media, "captions are for");
  const given = givenCaptions(params, texts);
  const { captions: fitting, notes } = withinVideo(given, input.media.durationSeconds);
  const planned =
    params.action === "embed"
      ? embedPlan(params, input, fitting, context)
      : burnPlan(params, input, fitting, context);
  return { ...planned, notes: [...planned.notes, ...notes] };
}

function unsuitable(sentence: string): Refusal {
  return new Refusal(422, "unsuitable_input", sentence);
}

/** @throws Refusal 422 for none, two, or such as cannot be read */
function givenCaptions({ text: inline, action }: CaptionsParams, [file]: readonly PlanText[]) {
  if (inline !== undefined && file !== undefined) {
    throw unsuitable(
      `Captions were given twice, as text and as the file ${file.name}. Leave one out.`,
    );
  }
  const text = inline ?? file?.text;
  if (text === undefined) {
    throw unsuitable(
      `There are no captions to ${action}. Give them as text, or a file of captions as the second input.`,
    );
  }
  const found = read(text, inline === undefined);
  if (found.cues.length > 0) return found;
  throw inline === undefined
    ? unsuitable("There is not one caption in the file.")
    : invalid("holds not one caption");
}

function read(text: string, isFile: boolean): Captions {
  const refuse = (what: string) => (isFile ? unsuitable(`The captions ${what}.`) : invalid(what));
  try {
    const found = readCaptions(text);
    if (found !== null) return found;
  } catch (trouble) {
    if (!(trouble instanceof CaptionFault)) throw trouble;
    throw refuse(`cannot be read: ${trouble.message.replace(/\.$/, "")}`);
  }
  throw refuse("are neither SubRip nor WebVTT nor ASS");
}

function invalid(message: string): Refusal {
  return new Refusal(
    422,
    "invalid_params",
    `The parameters of captions are not right: text ${message}.`,
    {
      errors: [{ path: "text", message }],
    },
  );
}

/** Cues after the end of the video would make it longer; those that reach over it end with it. */
function withinVideo(
  given: Captions,
  whole: number | null,
): { captions: Captions; notes: string[] } {
  if (whole === null) return { captions: given, notes: [] };
  const endMs = Math.floor(whole * 1000);
  const cues = given.cues
    .filter(({ fromMs }) => fromMs < endMs)
    .map((cue): Cue => ({ ...cue, toMs: Math.min(cue.toMs, endMs) }));
  const late = given.cues.length - cues.length;
  if (cues.length === 0) {
    throw unsuitable(`All captions begin after the video's end (${whole} s): they are of another.`);
  }
  const some = late === 1 ? "1 caption begins" : `${late} captions begin`;
  const notes = late > 0 ? [`${some} after the video's end and never will be seen.`] : [];
  return { captions: { ...given, cues: inOrder(cues) }, notes };
}

const usualStyle: CaptionStyle = {
  ...{ font: "sans", size: 6, color: "#ffffff", outline: 0.4, outlineColor: "#000000" },
  ...{ position: "bottom", margin: 5, background: undefined },
};

const file = "captions.ass";

function burnPlan(
  params: CaptionsParams,
  input: PlanInput,
  given: Captions,
  context: PlanContext,
): Plan {
  const { media } = input;
  const video = movingPicture(media, "captions are for");
  const burn = decideBurn(params, media, context);
  const own = params.style === undefined ? given.ass : null;
  const text = own ?? captionFile(given.cues, params.style ?? usualStyle, burn.frame);
  const [chain] = burn.picture.graph;
  assert(chain !== undefined, "the picture is encoded");
  const from = { step: "texts", file };
  const write: Step = {
    ...{ name: "texts", title: `Write the captions of ${captionTitles[given.format]} for drawing` },
    ...{ needs: [], work: { kind: "write", file, text }, makes: [file], outputs: [] },
  };
  const render: Step = {
    name: "burn",
    title: "Draw the captions into the picture",
    needs: ["texts"],
    work: {
      kind: "render",
      description: {
        inputs: [{ from: { asset: 0 }, picture: inputPicture(video) }],
        graph: drawnRight(
          [{ ...chain, filters: [...chain.filters, { filter: "subtitles", from }] }],
          matrixOf(burn),
          context,
          own === null ? [write] : [],
        ),
        outputs: [burntOutput(params, media, burn)],
        reads: [from],
        expectedSeconds: media.durationSeconds,
      },
    },
    outputs: [burntResult(params, input, burn, "captions")],
  };
  return { steps: [write, render], notes: burn.notes };
}
