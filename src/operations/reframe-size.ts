/** How large the frame of `reframe` becomes. Pure. */
import { Refusal } from "../trouble.ts";
import { largestCrop } from "./crop-path.ts";
import type { Frame } from "./picture.ts";
import { type ReframeParams, shapeOf } from "./reframe-schema.ts";

/** Smaller pictures are refused by some encoders. */
const leastSide = 16;
/** What H.264 and most players go up to. */
const mostSide = 8192;

export interface FrameDecision {
  frame: Frame;
  notes: string[];
}

/**
 * @param shown the source as a viewer sees it
 * @throws Refusal 422 `unsuitable_input` when it would be too small or too large
 */
export function frameOf(params: ReframeParams, shown: Frame): FrameDecision {
  const shape = shapeOf(params.aspect) ?? shown;
  const ratio = shape.width / shape.height;
  const usual =
    params.background === "crop" ? cropped(params, shown, shape) : shortSided(shown, ratio);
  // What the source's pixels fill without being enlarged.
  const filled = params.background === "crop" ? usual : around(shown, ratio);
  const wish = wished(params, ratio) ?? usual;
  const tooLarge = wish.width > filled.width + 1 && !params.upscale;
  const frame = evenFrame(tooLarge ? filled : wish);
  refuseExtremes(frame, params);
  const notes = tooLarge
    ? [
        `The source's pixels fill ${frame.width}×${frame.height}, so the result has that size. Set upscale to enlarge it.`,
      ]
    : [];
  return { frame, notes };
}

/** The crop at its widest: closer keyframes enlarge, which is what a zoom is. */
function cropped({ keyframes }: ReframeParams, shown: Frame, shape: Frame): Frame {
  const { width, height } = largestCrop(shown, shape);
  const zoom = keyframes.length === 0 ? 1 : Math.min(...keyframes.map((at) => at.zoom));
  return { width: width / zoom, height: height / zoom };
}

/** As on the device that it is for: 1080×1920 for a 1920×1080 source. */
function shortSided(shown: Frame, ratio: number): Frame {
  const short = Math.min(shown.width, shown.height);
  return ratio < 1
    ? { width: short, height: short / ratio }
    : { width: short * ratio, height: short };
}

/** The smallest frame of the shape that holds the whole picture in its own pixels. */
function around(shown: Frame, ratio: number): Frame {
  const width = Math.max(shown.width, shown.height * ratio);
  return { width, height: width / ratio };
}

function wished({ width, height }: ReframeParams, ratio: number): Frame | null {
  if (height !== undefined) return { width: height * ratio, height };
  return width === undefined ? null : { width, height: width / ratio };
}

function evenFrame({ width, height }: Frame): Frame {
  const even = (side: number) => 2 * Math.round(side / 2);
  return { width: even(width), height: even(height) };
}

function refuseExtremes({ width, height }: Frame, { aspect }: ReframeParams): void {
  const size = `${width}×${height}`;
  if (Math.min(width, height) < leastSide) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `With aspect ${aspect} the result would be ${size} pixels; each side needs ${leastSide} at least. Zoom less, or choose another shape.`,
    );
  }
  if (Math.max(width, height) > mostSide) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `With aspect ${aspect} the result would be ${size} pixels; each side can have ${mostSide} at most. Ask for a smaller height or width.`,
    );
  }
}
