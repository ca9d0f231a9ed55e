/** Four renditions out of one process next to four processes. */
import { type Extent, extentOf, type Figure } from "./figure.ts";
import { type EncodeConditions, encodeConditions } from "./material.ts";
import { byHand, kinomillRun, pairFigure, pairs } from "./pairs.ts";

const heights = [1080, 720, 480, 360];

export async function renditions(extent: Extent): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const each of encodeConditions) figures.push(...(await ladders(extent, each)));
  return figures;
}

async function ladders(
  extent: Extent,
  { speed, preset, film: make, of }: EncodeConditions,
): Promise<Figure[]> {
  const { rounds, seconds } = extentOf(extent, { rounds: 3, seconds: 60 });
  const film = await make(seconds);
  const rungs = heights.map((height) => ({ height }));
  const found = await pairs(
    rounds,
    () => kinomillRun("ladder", [film], { format: "hls", rungs, quality: 65, speed }, "out/"),
    () =>
      byHand(
        heights.map((height) => [
          ...["-i", film, "-vf", `scale=-2:${height}:flags=lanczos`, "-c:v", "libx264"],
          ...["-preset", preset, "-crf", "22.5", "-force_key_frames", "expr:gte(t,n_forced*4)"],
          ...["-sc_threshold", "0", "-c:a", "aac", `${height}.mp4`],
        ]),
      ),
  );
  const what = `a ladder of four rungs of ${seconds} s 1080p at x264 ${preset}${of}`;
  const four = "four processes one after another";
  return [
    pairFigure(what, found, "cpuSeconds", { with: four, target: { atMost: 0.68 } }),
    pairFigure(what, found, "wallSeconds", { with: four, target: null }),
  ];
}
