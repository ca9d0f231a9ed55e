/** `thumbnails`: a poster, stills at even distances, a contact sheet, and a sprite with its WebVTT index. */
import { assert, Refusal } from "../trouble.ts";
import { defineOperation, type Plan, type PlanContext, type PlanInput } from "./operation.ts";
import type { StillSource } from "./still-picture.ts";
import { posterStep } from "./thumbnails-poster.ts";
import { type ThumbnailsParams, thumbnailsSchema } from "./thumbnails-schema.ts";
import { sheetSteps } from "./thumbnails-sheet.ts";
import { spriteSteps } from "./thumbnails-sprite.ts";
import { stillsStep } from "./thumbnails-stills.ts";
import { requireTonemap } from "./transcode-picture.ts";

export const thumbnails = defineOperation({
  name: "thumbnails",
  title: "Thumbnails",
  description:
    "Makes pictures of a video: a poster, stills at even distances, a contact sheet with timecodes, and a sprite sheet with a WebVTT index for previews on the seek bar.",
  schema: thumbnailsSchema,
  example: {
    poster: { at: "best", width: 1280 },
    sheet: { columns: 4, rows: 4, header: "facts" },
    sprite: { every: 10, width: 160 },
  },
  inputs: { min: 1, max: 1, kinds: ["video", "image"] },
  family: "picture",
  plan,
});

function plan(params: ThumbnailsParams, inputs: PlanInput[], context: PlanContext): Plan {
  const [input] = inputs;
  assert(input !== undefined, "thumbnails has one input");
  const { video } = input.media;
  if (video === null) {
    throw new Refusal(
      422,
      "unsuitable_input",
      "The source is sound alone and has no picture to make thumbnails of. Choose a video or an image.",
    );
  }
  if (video.hdr !== null) requireTonemap(context);
  const source: StillSource = { name: input.name, media: input.media, video };
  const { poster, count, sheet, sprite } = params;
  const onlyPoster = count === undefined && sheet === undefined && sprite === undefined;
  const parts: Plan[] = [];
  if (poster !== undefined || onlyPoster) parts.push(posterStep(params, poster, source));
  if (count !== undefined) parts.push(stillsStep(params, count, source));
  if (sheet !== undefined) parts.push(sheetSteps(params, sheet, source));
  if (sprite !== undefined) parts.push(spriteSteps(params, sprite, source));
  return {
    steps: parts.flatMap(({ steps }) => steps),
    notes: parts.flatMap(({ notes }) => notes),
  };
}
