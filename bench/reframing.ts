/** A crop that follows 500 keyframes next to one that stands still. */
import type { Extent, Figure } from "./figure.ts";
import { filmClip } from "./material.ts";
import { kinomillRun, pairFigure, pairs } from "./pairs.ts";

const KEYFRAMES = 500;

export async function reframing({ quick }: Extent): Promise<Figure[]> {
  const seconds = quick ? 4 : 60;
  const film = await filmClip(seconds);
  const run = (keyframes: object[]) => () =>
    kinomillRun("reframe", [film], { aspect: "9:16", quality: 65, keyframes }, "out.mp4");
  const path = (zooms: boolean) =>
    Array.from({ length: KEYFRAMES }, (_, index) => ({
      time: (index * seconds) / KEYFRAMES,
      x: 0.5 + 0.2 * Math.sin(index / 9),
      ...(zooms ? { zoom: 1.3 + 0.2 * Math.cos(index / 11) } : {}),
      ease: "in-out",
    }));
  const still = run([{ time: 0, x: 0.5 }]);
  // With a zoom each picture has to be scaled: what it is compared with is a crop that is scaled.
  const zoomed = run([{ time: 0, x: 0.5, zoom: 1.3 }]);
  const rounds = quick ? 1 : 4;
  const moved = await pairs(rounds, run(path(false)), still);
  const scaled = await pairs(rounds, run(path(true)), zoomed);
  const target = { atMost: 1.1 };
  return [
    pairFigure(`reframe with ${KEYFRAMES} keyframes`, moved, "wallSeconds", {
      with: "a still crop",
      target,
    }),
    pairFigure(`reframe with ${KEYFRAMES} keyframes`, moved, "cpuSeconds", {
      with: "a still crop",
      target: null,
    }),
    pairFigure(`reframe with ${KEYFRAMES} keyframes that zoom`, scaled, "wallSeconds", {
      with: "a still crop, zoomed",
      target,
    }),
    pairFigure(`reframe with ${KEYFRAMES} keyframes that zoom`, scaled, "cpuSeconds", {
      with: "a still crop, zoomed",
      target: null,
    }),
  ];
}
