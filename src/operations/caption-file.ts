/** Captions as an ASS file for burning. Pure. */
import type { Cue, Span } from "../media/captions/cue.ts";
import { type AssEvent, type AssStyle, assFile, assText, tagColor } from "./ass.ts";
import type { CaptionStyle } from "./captions-schema.ts";
import type { Frame } from "./picture.ts";

const styleName = "captions";

/** The cues in one look, each at its time; cues of one time stand above one another. */
export function captionFile(cues: readonly Cue[], style: CaptionStyle, frame: Frame): string {
  const events = cues.map((cue): AssEvent => {
    const place = cue.place ?? style.position;
    return {
      layer: 0,
      fromSeconds: cue.fromMs / 1000,
      toSeconds: cue.toMs / 1000,
      style: styleName,
      tags: `\\an${{ bottom: 2, middle: 5, top: 8 }[place]}`,
      text: cue.spans.map(spanText).join(""),
    };
  });
  return assFile(frame, [assStyle(style, frame)], events);
}

function assStyle(style: CaptionStyle, frame: Frame): AssStyle {
  const ofHeight = (percent: number) => (percent / 100) * frame.height;
  const { font, color, outlineColor, background } = style;
  const sizePixels = ofHeight(style.size);
  const margin = ofHeight(style.margin);
  return {
    ...{ name: styleName, font, sizePixels, color, outlineColor },
    outlinePixels: ofHeight(style.outline),
    box: background === undefined ? null : { ...background, paddingPixels: sizePixels * 0.2 },
    marginPixels: { side: margin, vertical: margin },
  };
}

/** Our tags around a text that has none. */
function spanText({ text, italic, bold, underline, color }: Span): string {
  const on = [
    ...[italic ? "\\i1" : "", bold ? "\\b1" : "", underline ? "\\u1" : ""],
    color === null ? "" : `\\1c${tagColor(color)}`,
  ].join("");
  // \r takes all looks back at once, the place on the picture stays.
  return on === "" ? assText(text) : `{${on}}${assText(text)}{\\r}`;
}
