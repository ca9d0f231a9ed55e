/** The texts and highlights of `overlay` as lines of an ASS file. Pure. */
import { type AssEvent, type AssStyle, assAlpha, assFile, assText, decimal } from "./ass.ts";
import { fadeTags, type Slot } from "./ass-slot.ts";
import { drawHighlight } from "./highlight.ts";
import type { ItemOf } from "./overlay-schema.ts";
import type { Frame } from "./picture.ts";
import { placed } from "./placing.ts";

/** What libass draws. */
export type DrawnItem = ItemOf<"text"> | ItemOf<"highlight">;

/** Of a source that does not say how long it is; the picture ends when it ends. */
const endlessSeconds = 86_400;

/**
 * The file for some items, each on a layer of its own.
 * @param endSeconds where the video ends; null when unknown
 */
export function drawnFile(
  items: readonly DrawnItem[],
  frame: Frame,
  endSeconds: number | null,
): string {
  const drawn = items.map((item, index) => {
    const style = `item${index}`;
    const span = { fromSeconds: item.from, toSeconds: item.to ?? endSeconds ?? endlessSeconds };
    const slot = { layer: index * 2, style, ...span, fadesOut: (item.to ?? endSeconds) !== null };
    return item.kind === "text"
      ? { style: textStyle(item, style, frame), events: [textEvent(item, frame, slot)] }
      : { style: plainStyle(style), events: drawHighlight(item, frame, slot) };
  });
  return assFile(
    frame,
    drawn.map(({ style }) => style),
    drawn.flatMap(({ events }) => events),
  );
}

/** For drawings, which say all themselves. */
function plainStyle(name: string): AssStyle {
  return {
    ...{ name, font: "sans", sizePixels: 20, color: "#ffffff" },
    ...{ outlinePixels: 0, outlineColor: "#000000", box: null },
    marginPixels: { side: 0, vertical: 0 },
  };
}

function textStyle(item: ItemOf<"text">, name: string, frame: Frame): AssStyle {
  const ofHeight = (percent: number) => (percent / 100) * frame.height;
  const sizePixels = ofHeight(item.size);
  const margin = ofHeight(item.margin);
  const { font, color, outlineColor, opacity, box } = item;
  return {
    ...{ name, font, sizePixels, color, outlineColor },
    outlinePixels: ofHeight(item.outline),
    box:
      box === undefined
        ? null
        : { color: box.color, opacity: box.opacity * opacity, paddingPixels: sizePixels * 0.2 },
    marginPixels: { side: margin, vertical: margin },
  };
}

function textEvent(item: ItemOf<"text">, frame: Frame, slot: Slot): AssEvent {
  const { layer, style, fromSeconds, toSeconds } = slot;
  return {
    ...{ layer, style, fromSeconds, toSeconds },
    tags: `${placeTags(item, frame)}${opacityTags(item.opacity)}${fadeTags(item.fade, slot, fromSeconds)}${boxFadeTags(item, slot)}`,
    text: assText(item.text),
  };
}

/** libass fades all but the box. */
function boxFadeTags({ fade, box, opacity }: ItemOf<"text">, slot: Slot): string {
  if (fade === 0 || box === undefined) return "";
  const { fromSeconds, toSeconds, fadesOut } = slot;
  const ms = Math.round(fade * 1000);
  const end = Math.round((toSeconds - fromSeconds) * 1000);
  const into = `\\4a&HFF&\\t(0,${ms},\\4a&H${assAlpha(box.opacity * opacity)}&)`;
  return fadesOut ? `${into}\\t(${end - ms},${end},\\4a&HFF&)` : into;
}

const alignments = { left: 0, center: 0.5, right: 1 } as const;

/** At an edge libass keeps the margins of the style; at a point the text is held by a point of its own. */
function placeTags({ position, margin, align }: ItemOf<"text">, frame: Frame): string {
  const { x, y, hold } = placed(position, frame, margin);
  const across = align === undefined ? hold.x : alignments[align];
  const key = `\\an${keypad({ x: across, y: hold.y })}`;
  return typeof position === "string" ? key : `${key}\\pos(${decimal(x)},${decimal(y)})`;
}

/** As the keys of a number pad lie. */
function keypad({ x, y }: { x: number; y: number }): number {
  return 1 + x * 2 + (1 - y) * 6;
}

/** Of the text and its outline; a box has its own in the style. */
function opacityTags(opacity: number): string {
  if (opacity === 1) return "";
  const alpha = assAlpha(opacity);
  return [1, 2, 3].map((part) => `\\${part}a&H${alpha}&`).join("");
}
