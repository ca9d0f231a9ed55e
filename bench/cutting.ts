/** Ten seconds out of a long film without encoding all of them, however long the film is. */
import type { Extent, Figure } from "./figure.ts";
import { longClip } from "./material.ts";
import { byHand, kinomillRun, pairFigure, pairs, ratioOf } from "./pairs.ts";

/** From between two keyframes to between two others. */
const range = { from: 21.3, to: 31.3 };

export async function cutting({ quick, once }: Extent): Promise<Figure[]> {
  const rounds = quick || once ? 1 : 4;
  const [short, middle, long] = quick ? ([1, 2, 6] as const) : ([1, 10, 60] as const);
  const fast = (film: string) =>
    kinomillRun("clip", [film], { ranges: [range], cut: "fast", quality: 65 }, "out.mp4");
  const film = await longClip(middle);
  const encoded = await pairs(
    rounds,
    () => fast(film),
    () =>
      byHand([
        [
          ...["-ss", String(range.from), "-t", "10", "-i", film, "-c:v", "libx264", "-crf", "22.5"],
          ...["-c:a", "aac", "-movflags", "+faststart", "out.mp4"],
        ],
      ]),
  );
  const [shortFilm, longFilm] = [await longClip(short), await longClip(long)];
  const lengths = await pairs(
    rounds,
    () => fast(longFilm),
    () => fast(shortFilm),
  );
  const what = `clip, fast: 10 s out of ${middle} minutes of 1080p`;
  const target = { atMost: 0.5 };
  return [
    pairFigure(what, encoded, "wallSeconds", { with: "encoding them", target }),
    pairFigure(what, encoded, "cpuSeconds", { with: "encoding them", target: null }),
    {
      ...pairFigure(`the same out of ${long} minutes`, lengths, "cpuSeconds", {
        with: `out of ${short}`,
        target: { atMost: 1.2 },
      }),
      value: ratioOf(lengths, "cpuSeconds"),
    },
  ];
}
