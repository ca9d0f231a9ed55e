/** A poster and a sprite of a long film next to decoding all of it. */
import type { Extent, Figure } from "./figure.ts";
import { longClip, longPlainClip } from "./material.ts";
import { byHand, kinomillRun, pairFigure, pairs } from "./pairs.ts";

export async function stills(extent: Extent): Promise<Figure[]> {
  // As cameras and as x264 by itself leave it: a keyframe every two seconds, and every eight.
  const camera = await beside(extent, longClip, "");
  return [...camera, ...(await beside(extent, longPlainClip, ", keyframes 8 s apart"))];
}

async function beside(
  { quick, once }: Extent,
  make: (minutes: number) => Promise<string>,
  of: string,
): Promise<Figure[]> {
  const minutes = quick ? 1 : 10;
  const film = await make(minutes);
  const params = { poster: { at: "best", width: 640 }, sprite: { every: 20, width: 160 } };
  const found = await pairs(
    quick || once ? 1 : 3,
    () => kinomillRun("thumbnails", [film], params, "out/"),
    () => byHand([["-i", film, "-map", "0:v", "-f", "null", "-"]]),
  );
  const what = `poster and sprite of ${minutes} minutes of 1080p${of}`;
  const target = { atMost: 0.08 };
  return [
    pairFigure(what, found, "cpuSeconds", { with: "decoding it", target }),
    pairFigure(what, found, "wallSeconds", { with: "decoding it", target: null }),
  ];
}
