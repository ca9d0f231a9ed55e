/** The contact sheet of `thumbnails`: pictures of the whole video side by side, with their times. Pure. */
import type { VideoFilter } from "../media/graph.ts";
import { type Evenly, evenFrames, evenly, knownSeconds, sparseInput } from "./evenly.ts";
import { outputName, stemOf } from "./naming.ts";
import type { Plan, Step } from "./operation.ts";
import { factsLine, headerFile, layoutSheet, type SheetLayout } from "./sheet-layout.ts";
import {
  type StillSource,
  shownAs,
  stillChain,
  stillExpectation,
  stillFormats,
  stillOutput,
  workEnding,
} from "./still-picture.ts";
import type { ThumbnailsParams } from "./thumbnails-schema.ts";

type Wish = NonNullable<ThumbnailsParams["sheet"]>;

const headerSource = { step: "sheet-text", file: "header.ass" };

/** @throws Refusal 422 `unsuitable_input` for what has no known length, and for a sheet of a size that is no use */
export function sheetSteps(params: ThumbnailsParams, wish: Wish, source: StillSource): Plan {
  const { name, media, video } = source;
  const format = stillFormats[params.format];
  const seconds = knownSeconds(media, "a contact sheet");
  const layout = layoutSheet(video, wish);
  const moments = evenly(video, seconds, wish.columns * wish.rows);
  const file = `sheet.${workEnding}`;
  const text = wish.header === "none" ? [] : [headerStep(wish, source, layout, seconds)];
  const sheet: Step = {
    name: "sheet",
    title: `Make a contact sheet of ${moments.count} pictures`,
    needs: text.map((step) => step.name),
    work: {
      kind: "render",
      description: {
        inputs: [sparseInput(media, video, moments)],
        graph: [
          stillChain(video, [
            ...pictures(wish, source, { layout, moments }),
            ...sheetFilters(wish, layout),
            { filter: "still", codec: params.format },
          ]),
        ],
        outputs: [stillOutput(params, file, 1)],
        ...(text.length === 0 ? {} : { reads: [headerSource] }),
        expectedSeconds: seconds,
      },
    },
    outputs: [
      {
        file,
        name: outputName(name, "sheet", format.ending),
        role: "sheet",
        mimeType: format.mimeType,
        expectation: stillExpectation(params, file, layout.sheet),
      },
    ],
  };
  const notes = moments.keyframesOnly
    ? [
        "The pictures of the contact sheet are taken at keyframes, which is many times faster, unless those are too few.",
      ]
    : [];
  return { steps: [...text, sheet], notes };
}

/**
 * The pictures in their size and as RGB, in which gaps and letters have the colours that they say. At keyframes
 * each is stamped before the moments choose among them, for a keyframe has a time of its own; otherwise after,
 * when there are few left to stamp.
 */
function pictures(
  wish: Wish,
  { video }: StillSource,
  { layout, moments }: { layout: SheetLayout; moments: Evenly },
): VideoFilter[] {
  const scaled: VideoFilter[] = [
    ...shownAs(video, [{ filter: "scale", ...layout.tile }]),
    { filter: "format", pixelFormats: ["rgb24"] },
  ];
  const chosen = evenFrames(moments);
  if (!wish.timecodes) return [...chosen, ...scaled];
  return moments.keyframesOnly
    ? [...scaled, { filter: "stamp", frame: layout.tile, laterSeconds: 0 }, ...chosen]
    : [
        ...[...chosen, ...scaled],
        { filter: "stamp", frame: layout.tile, laterSeconds: moments.every / 2 },
      ];
}

function sheetFilters(
  { columns, rows, gap, background }: Wish,
  layout: SheetLayout,
): VideoFilter[] {
  const tiled: VideoFilter = { filter: "tile", columns, rows, gap, color: background };
  if (layout.headerPixels === 0) return [tiled];
  return [
    tiled,
    { filter: "pad", ...layout.sheet, x: 0, y: layout.headerPixels, color: background },
    { filter: "subtitles", from: headerSource },
  ];
}

function headerStep(wish: Wish, source: StillSource, layout: SheetLayout, seconds: number): Step {
  const { media, video, name } = source;
  const lines = { title: wish.title ?? stemOf(name), facts: factsLine(media, video, seconds) };
  const { step, file } = headerSource;
  return {
    name: step,
    title: "Write the header of the contact sheet",
    needs: [],
    work: { kind: "write", file, text: headerFile(wish, layout, lines) },
    makes: [file],
    outputs: [],
  };
}
