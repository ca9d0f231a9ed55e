/** The sprite of `thumbnails`: small pictures on sheets, and the index by which players find them. Pure. */
import type { VideoFilter } from "../media/graph.ts";
import { knownSeconds, sparseInput } from "./evenly.ts";
import { outputName } from "./naming.ts";
import type { Plan, Step } from "./operation.ts";
import { layoutSprite, type SpriteLayout, type SpriteWish, spriteIndex } from "./sprite.ts";
import {
  type StillSource,
  type StillWish,
  stillChain,
  stillExpectation,
  stillFilters,
  stillFormats,
  stillOutput,
  workEnding,
} from "./still-picture.ts";

/** What the files are called. */
export interface SpriteNames {
  /** @param number from 1; null for the only one */
  sheet(number: number | null): string;
  index: string;
}

/** Names like those of all outputs, after the source's. */
function usualNames({ name }: StillSource, ending: string): SpriteNames {
  return {
    sheet: (number) => outputName(name, number === null ? "sprite" : `sprite ${number}`, ending),
    index: outputName(name, "sprite", "vtt"),
  };
}

/**
 * @param named absent: after the source
 * @throws Refusal 422 `unsuitable_input` for what has no known length, and for too many pictures
 */
export function spriteSteps(
  params: StillWish,
  wish: SpriteWish,
  source: StillSource,
  named?: SpriteNames,
): Plan & { layout: SpriteLayout } {
  const { media, video } = source;
  const seconds = knownSeconds(media, "a sprite");
  const layout = layoutSprite(video, seconds, wish);
  const format = stillFormats[params.format];
  const files = layout.sheets.map((_, index) => `sprite-${index + 1}.${workEnding}`);
  const called = named ?? usualNames(source, format.ending);
  const names = files.map((_, index) => called.sheet(files.length === 1 ? null : index + 1));
  const filters: VideoFilter[] = [
    { filter: "fps", rate: layout.rate, startSeconds: 0 },
    { filter: "exactly", frames: layout.count },
    ...stillFilters(params, video, [{ filter: "scale", ...layout.tile }]),
    { filter: "tile", columns: layout.columns, rows: layout.rows },
  ];
  const file = files.length === 1 ? `sprite-1.${workEnding}` : `sprite-%d.${workEnding}`;
  const sprites: Step = {
    name: "sprite",
    title: `Make ${layout.count} pictures, one every ${layout.every} s`,
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: [sparseInput(media, video, { ...layout, seconds })],
        graph: [stillChain(video, filters)],
        outputs: [stillOutput(params, file, files.length)],
        expectedSeconds: seconds,
      },
    },
    outputs: files.map((sheet, index) => ({
      file: sheet,
      name: names[index] ?? sheet,
      role: "sprite",
      mimeType: format.mimeType,
      expectation: stillExpectation(params, sheet, layout.sheet),
    })),
  };
  const notes = layout.keyframesOnly
    ? [
        "The pictures of the sprite are taken at keyframes, which is many times faster, unless those are too few.",
      ]
    : [];
  const index = indexStep(called.index, spriteIndex(layout, seconds, names));
  return { steps: [sprites, index], notes, layout };
}

function indexStep(name: string, text: string): Step {
  const file = "sprite.vtt";
  return {
    name: "sprite-index",
    title: "Write the WebVTT index",
    needs: ["sprite"],
    work: { kind: "write", file, text },
    outputs: [
      {
        file,
        name,
        role: "sprite-index",
        mimeType: "text/vtt",
        expectation: {
          file,
          kind: "text",
          durationSeconds: null,
          video: null,
          audioTracks: 0,
          audioCodecs: [],
        },
      },
    ],
  };
}
