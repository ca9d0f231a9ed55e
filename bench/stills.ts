/** A poster and a sprite of a long film next to decoding all of it. */
import type { Extent, Figure } from "./figure.ts";
import { longClip } from "./material.ts";
import { byHand, kinomillRun, pairFigure, pairs } from "./pairs.ts";

export async function stills({ quick, once }: Extent): Promise<Figure[]> {
  const minutes = quick ? 1 : 10;
  const film = await longClip(minutes);
  const params = { poster: { at: "best", width: 640 }, sprite: { every: 20, width: 160 } };
  const found = await pairs(
    quick || once ? 1 : 3,
    () => kinomillRun("thumbnails", [film], params, "out/"),
    () => byHand([["-i", film, "-map", "0:v", "-f", "null", "-"]]),
  );
  const what = `poster and sprite of ${minutes} minutes of 1080p`;
  const target = { atMost: 0.08 };
  return [
    pairFigure(what, found, "cpuSeconds", { with: "decoding it", target }),
    pairFigure(what, found, "wallSeconds", { with: "decoding it", target: null }),
  ];
}
