/** Small pictures for the seek bar of a ladder: sheets with their index, and what DASH must know of them. Pure. */
import type { ThumbnailSheets } from "../media/cmaf/ladder-package.ts";
import type { LadderParams } from "./ladder-schema.ts";
import type { Plan, PlanContext, PlanInput } from "./operation.ts";
import { stillFormats } from "./still-picture.ts";
import { spriteSteps } from "./thumbnails-sprite.ts";
import { requireTonemap } from "./transcode-picture.ts";

/** Pictures side by side: a sheet of a hundred is a file of some hundred kilobytes. */
const columns = 10;

const look = { format: "jpeg" as const, quality: 80 };

/** Of a JPEG of that quality, about. */
const bitsPerPixel = 1.5;

/** @throws Refusal 422 `unsuitable_input` for a source of unknown length, and for too many pictures */
export function ladderThumbnails(
  { thumbnails: wish }: LadderParams,
  { name, media }: PlanInput,
  { stem, context }: { stem: string; context: PlanContext },
): Plan & { sheets: ThumbnailSheets | null } {
  const { video } = media;
  if (wish === undefined || video === null) {
    const notes =
      wish === undefined ? [] : ["The source has no picture, so there are no thumbnails."];
    return { steps: [], notes, sheets: null };
  }
  if (video.hdr !== null) requireTonemap(context);
  const { ending, mimeType } = stillFormats[look.format];
  const sheet = (number: number | string) => `${stem}-thumbnails-${number}.${ending}`;
  const names = {
    sheet: (number: number | null) => sheet(number ?? 1),
    index: `${stem}-thumbnails.vtt`,
  };
  const source = { name, media, video };
  const { layout, ...plan } = spriteSteps(look, { ...wish, columns }, source, names);
  const { every, rows, sheets } = layout;
  const { width, height } = layout.sheet;
  const seconds = layout.columns * rows * every;
  return {
    ...plan,
    sheets: {
      ...{ media: sheet("$Number$"), mimeType, columns: layout.columns, rows, width, height },
      ...{ sheets: sheets.length, everySeconds: every },
      bitRate: Math.ceil((width * height * bitsPerPixel) / seconds),
    },
  };
}
