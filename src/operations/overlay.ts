/** `overlay`: images, texts, highlights, timecodes and other videos over a video. */

import type { InputDescription, RenderDescription } from "../media/description.ts";
import type { FilterChain, GraphSource, VideoFilter } from "../media/graph.ts";
import { assert, Refusal } from "../trouble.ts";
import {
  type Burn,
  burntOutput,
  burntResult,
  decideBurn,
  matrixOf,
  movingPicture,
} from "./burning.ts";
import { drawnRight } from "./drawn-colours.ts";
import {
  defineOperation,
  type Plan,
  type PlanContext,
  type PlanInput,
  type Span,
  type Step,
} from "./operation.ts";
import { type Base, type LaidItem, layerOf } from "./overlay-layers.ts";
import {
  type ItemOf,
  maxInputs,
  type OverlayItem,
  type OverlayParams,
  overlaySchema,
} from "./overlay-schema.ts";
import { mixedSound } from "./overlay-sound.ts";
import { type DrawnItem, drawnFile } from "./overlay-text.ts";
import { keyframesWithin, movedInto } from "./part.ts";
import { inputPicture, rateNumber, rateText } from "./picture.ts";
import { placed } from "./placing.ts";

export const overlay = defineOperation({
  name: "overlay",
  title: "Overlay",
  description:
    "Lays things over a video, each at its time and place: logos, texts, a highlight that follows somebody, a timecode, another video.",
  schema: overlaySchema,
  example: {
    items: [
      { kind: "text", text: "First half", from: 1, to: 5, position: "bottom", fade: 0.5 },
      { kind: "timecode", position: "top-left" },
    ],
  },
  inputs: { min: 1, max: maxInputs, kinds: ["video"] },
  family: "picture",
  part: (params, span) => {
    const items = params.items.flatMap((item) => itemWithin(item, span) ?? []);
    return items.length === 0 ? null : { ...params, items };
  },
  plan,
});

function itemWithin(item: OverlayItem, span: Span): OverlayItem | null {
  const moved = movedInto(item, span);
  if (moved === null || moved.kind !== "highlight") return moved;
  const numbers = ["x", "y", "radiusX", "radiusY"] as const;
  return { ...moved, keyframes: keyframesWithin(moved.keyframes, span, numbers) };
}

function plan(params: OverlayParams, inputs: PlanInput[], context: PlanContext): Plan {
  const [input] = inputs;
  assert(input !== undefined, "overlay has an input");
  const { media } = input;
  const video = movingPicture(media, "things are laid over");
  refuseLate(params.items, media.durationSeconds);
  // Frames are what a timecode counts: it needs them at even distances.
  const counts = params.items.some(({ kind }) => kind === "timecode");
  const average = rateNumber(video.frameRate) ?? 25;
  const evened = counts && (video.variableFrameRate || video.frameRate === null);
  const frameRate = evened ? Math.max(1, Math.round(average)) : undefined;
  const wish = { ...params, frameRate };
  const burn = decideBurn(wish, media, context);
  const base: Base = {
    frame: burn.frame,
    matrix: matrixOf(burn),
    rate: rateText(frameRate ?? average),
    endSeconds: media.durationSeconds,
  };
  const built = build(params.items, inputs, base, burn);
  const sound = mixedSound(params, inputs, burn.sound, built.laid);
  const made = { picture: burn.picture, sound: sound.decision };
  const render: Step = {
    name: "overlay",
    title: `Lay ${params.items.length === 1 ? "1 item" : `${params.items.length} items`} over the video`,
    needs: built.texts.map(({ name }) => name),
    work: {
      kind: "render",
      description: {
        inputs: [{ from: { asset: 0 }, picture: inputPicture(video) }, ...built.inputs],
        graph: drawnRight(built.graph, base.matrix, context, built.texts),
        ...(sound.chains.length > 0 ? { sound: sound.chains } : {}),
        outputs: [burntOutput(wish, media, made)],
        ...(built.texts.length > 0 ? { reads: built.texts.map(readOf) } : {}),
        expectedSeconds: media.durationSeconds,
      } satisfies RenderDescription,
    },
    outputs: [burntResult(wish, input, made, "overlay")],
  };
  const even = evened
    ? [`Its frames come unevenly; for the timecode they are brought to ${base.rate} a second.`]
    : [];
  return { steps: [...built.texts, render], notes: [...burn.notes, ...even, ...sound.notes] };
}

/** @throws Refusal 422 `unsuitable_input` for what would never be seen */
function refuseLate(items: readonly OverlayItem[], whole: number | null): void {
  const late = items.findIndex(({ from }) => whole !== null && from >= whole);
  if (late === -1) return;
  throw new Refusal(
    422,
    "unsuitable_input",
    `The video ends at ${whole} s, and items.${late}.from is ${items[late]?.from} s. Choose a time before the end.`,
  );
}

/** A video or image that is laid over, with its place among the inputs of the run. */
export interface Laid {
  item: LaidItem;
  index: number;
}

interface Built {
  inputs: InputDescription[];
  graph: FilterChain[];
  /** Steps that write what libass draws. */
  texts: Step[];
  laid: Laid[];
}

/** From the bottom up: items that libass draws and that follow one another share a file. */
function build(
  items: readonly OverlayItem[],
  inputs: readonly PlanInput[],
  base: Base,
  burn: Burn,
): Built {
  const [main] = burn.picture.graph;
  assert(main !== undefined, "the picture is encoded");
  const built: Built = { inputs: [], graph: [], texts: [], laid: [] };
  let from: GraphSource | readonly GraphSource[] = main.from;
  let filters: VideoFilter[] = [...main.filters];
  let drawn: DrawnItem[] = [];
  const draw = () => {
    if (drawn.length === 0) return;
    const step = textStep(built.texts.length + 1, drawnFile(drawn, base.frame, base.endSeconds));
    built.texts.push(step);
    filters.push({ filter: "subtitles", from: readOf(step) });
    drawn = [];
  };
  for (const item of items) {
    if (item.kind === "text" || item.kind === "highlight") {
      drawn.push(item);
      continue;
    }
    draw();
    if (item.kind === "timecode") {
      filters.push(timecodeOf(item, base));
      continue;
    }
    const number = built.laid.length + 1;
    const layer = layerOf(item, inputs, base, number);
    built.laid.push({ item, index: number });
    built.inputs.push(layer.input);
    built.graph.push({ ...layer.chain, to: `over_${number}` });
    built.graph.push({ from, filters, to: `under_${number}` });
    from = [{ pad: `under_${number}` }, { pad: `over_${number}` }];
    filters = [layer.overlay];
  }
  draw();
  built.graph.push({ from, filters, to: main.to });
  return built;
}

function textStep(number: number, text: string): Step {
  const file = "overlay.ass";
  return {
    name: number === 1 ? "texts" : `texts-${number}`,
    title: "Write the texts",
    needs: [],
    work: { kind: "write", file, text },
    makes: [file],
    outputs: [],
  };
}

function readOf({ name, makes }: Step): { step: string; file: string } {
  const file = makes?.[0];
  assert(file !== undefined, `${name} makes a file`);
  return { step: name, file };
}

const ntsc = ["30000/1001", "60000/1001"];

function timecodeOf(item: ItemOf<"timecode">, base: Base): VideoFilter {
  const { start, color, opacity, box, from, to, fade } = item;
  const framesASecond = Math.round(rateNumber(base.rate) ?? 25);
  const frames = Number(start.slice(-2));
  if (frames >= framesASecond) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `The video has ${framesASecond} frames a second, and the timecode shall begin at frame ${frames} of one. Choose less.`,
    );
  }
  if (start.includes(";") && !ntsc.includes(base.rate)) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `Drop-frame timecode is for 29.97 and 59.94 frames a second, and the video has ${base.rate}. Write the start with a colon.`,
    );
  }
  const sizePixels = (item.size / 100) * base.frame.height;
  const at = placed(item.position, base.frame, item.margin);
  return {
    filter: "timecode",
    ...{ start, rate: base.rate, sizePixels, color, opacity },
    box: { color: box.color, opacity: box.opacity * opacity, paddingPixels: sizePixels * 0.2 },
    ...{ anchor: at.hold, x: at.x, y: at.y },
    ...{ fromSeconds: from, toSeconds: to ?? base.endSeconds, fadeSeconds: fade },
  };
}
