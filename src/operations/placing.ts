/** Where on a picture something stands: corners, edges and points, in pixels. Pure. */
import type { Anchor } from "./overlay-schema.ts";
import type { Frame } from "./picture.ts";

export type Position = Anchor | { x: number; y: number };

/** Which point of a thing is held at the position: 0 is its left or top, 1 its right or bottom. */
export interface Hold {
  x: 0 | 0.5 | 1;
  y: 0 | 0.5 | 1;
}

export interface Placed {
  /** In pixels of the picture. */
  x: number;
  y: number;
  hold: Hold;
}

/** The point at which it is held, and by which of its own. */
export function placed(position: Position, frame: Frame, marginPercent: number): Placed {
  if (typeof position !== "string") {
    return {
      x: position.x * frame.width,
      y: position.y * frame.height,
      hold: { x: 0.5, y: 0.5 },
    };
  }
  const hold = holdOf(position);
  const margin = (marginPercent / 100) * frame.height;
  const along = (size: number, part: number) => part * size + (1 - 2 * part) * margin;
  return { x: along(frame.width, hold.x), y: along(frame.height, hold.y), hold };
}

/** The top left corner of something of this size, in whole pixels. */
export function cornerOf({ x, y, hold }: Placed, size: Frame): { x: number; y: number } {
  return {
    x: Math.round(x - hold.x * size.width),
    y: Math.round(y - hold.y * size.height),
  };
}

export function holdOf(anchor: Anchor): Hold {
  const side = (low: string, high: string) =>
    anchor.includes(low) ? 0 : anchor.includes(high) ? 1 : 0.5;
  return { x: side("left", "right"), y: side("top", "bottom") };
}
