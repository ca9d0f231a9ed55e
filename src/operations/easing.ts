/** How a value moves from one keyframe to the next. Pure. */
import { unreachable } from "../trouble.ts";

export const eases = ["linear", "in", "out", "in-out", "hold"] as const;
export type Ease = (typeof eases)[number];

export const easeLabels: Record<Ease, string> = {
  linear: "Evenly",
  in: "Slow at first",
  out: "Slow at the end",
  "in-out": "Slow at both ends",
  hold: "Stay, then jump",
};

/**
 * Where between two keyframes a value is: 0 is the first, 1 the second.
 * @param part of the time between them that has passed, 0–1
 */
export function eased(ease: Ease, part: number): number {
  switch (ease) {
    case "linear":
      return part;
    case "in":
      return part * part;
    case "out":
      return part * (2 - part);
    case "in-out":
      return part * part * (3 - 2 * part);
    case "hold":
      return part < 1 ? 0 : 1;
    default:
      return unreachable(ease);
  }
}
