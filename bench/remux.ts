/** A file that conforms already is copied: next to copying its bytes. */
import { rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Extent, type Figure, megabytes } from "./figure.ts";
import { longClip } from "./material.ts";
import { kinomillRun, pairFigure, pairs, spent } from "./pairs.ts";

export async function remux({ quick, once }: Extent): Promise<Figure[]> {
  const film = await longClip(quick ? 2 : 30);
  const target = join(tmpdir(), "plain-copy");
  const found = await pairs(
    quick || once ? 1 : 5,
    () => kinomillRun("transcode", [film], {}, "out.mp4"),
    async () => {
      // Onto fresh pages, as the other does.
      const copied = await spent(["sh", "-c", `cat "${film}" > "${target}"`]);
      rmSync(target);
      return copied;
    },
  );
  const what = `remux of ${megabytes(statSync(film).size)} that conform`;
  return [
    pairFigure(what, found, "wallSeconds", { with: "cat", target: { atMost: 2 } }),
    pairFigure(what, found, "cpuSeconds", { with: "cat", target: null }),
  ];
}
