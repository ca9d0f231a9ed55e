/**
 * A crop that follows 500 keyframes next to one that stands still, and next to the same way as one expression of
 * ffmpeg. A picture that moves costs the encoder more than one that stands still, whoever moves it: the second
 * figure tells what the keyframes cost, and so does the same number of them within two pixels, which the encoder hardly
 * sees.
 */
import { type Extent, extentOf, type Figure } from "./figure.ts";
import { filmClip } from "./material.ts";
import { byHand, kinomillRun, type Pairs, pairFigure, pairs } from "./pairs.ts";

const KEYFRAMES = 500;
/** Of the film. */
const WIDTH = 1920;
/** Largest crop of 9:16 out of 1080p. */
const size = { width: 608, height: 1080 };

export async function reframing(extent: Extent): Promise<Figure[]> {
  const { rounds, seconds } = extentOf(extent, { rounds: 4, seconds: 60 });
  const film = await filmClip(seconds);
  const run = (keyframes: object[]) => () => {
    const params = { aspect: "9:16", height: size.height, upscale: true, quality: 65, keyframes };
    return kinomillRun("reframe", [film], params, "out.mp4");
  };
  /** Radians of the way for each keyframe. */
  const pace = 1 / 9;
  /** @param reach to either side, as a share of the picture's width */
  const path = (zooms: boolean, reach = 0.2) =>
    Array.from({ length: KEYFRAMES }, (_, index) => ({
      time: (index * seconds) / KEYFRAMES,
      x: 0.5 + reach * Math.sin(index * pace),
      ...(zooms ? { zoom: 1.3 + 0.2 * Math.cos(index / 11) } : {}),
      ease: zooms ? "in-out" : "linear",
    }));
  const still = run([{ time: 0, x: 0.5 }]);
  // With a zoom each picture has to be scaled: what it is compared with is a crop that is scaled.
  const zoomed = run([{ time: 0, x: 0.5, zoom: 1.3 }]);
  const way = `(iw-ow)/2+0.2*iw*sin(t*${(KEYFRAMES / seconds) * pace})`;
  const hand = () =>
    byHand([
      [
        ...["-i", film, "-vf", `crop=${size.width}:${size.height}:'${way}':0:exact=1`],
        ...["-c:v", "libx264", "-preset", "medium", "-crf", "22.5", "-pix_fmt", "yuv420p"],
        ...["-c:a", "copy", "-movflags", "+faststart", "out.mp4"],
      ],
    ]);
  const target = { atMost: 1.1 };
  const rows = (what: string, found: Pairs, other: string, aim: Figure["target"]) => [
    pairFigure(what, found, "wallSeconds", { with: other, target: aim }),
    pairFigure(what, found, "cpuSeconds", { with: other, target: null }),
  ];
  const what = `reframe with ${KEYFRAMES} keyframes`;
  return [
    ...rows(what, await pairs(rounds, run(path(false)), still), "a still crop", target),
    ...rows(what, await pairs(rounds, run(path(false)), hand), "the same way by hand", {
      atMost: 1.05,
    }),
    ...rows(
      `${what} within two pixels`,
      await pairs(rounds, run(path(false, 1 / WIDTH)), still),
      "a still crop",
      target,
    ),
    ...rows(
      `${what} that zoom`,
      await pairs(rounds, run(path(true)), zoomed),
      "a still crop, zoomed",
      target,
    ),
  ];
}
