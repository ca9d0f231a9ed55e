/** Where a picture stands still, though its codec draws it anew at every keyframe. Pure. */

import type { OpenStretch } from "../../readings/stretches.ts";
import { closed, common, coverage, type TimeSpan, united } from "./spans.ts";

/**
 * An encoder draws a picture anew at its keyframes, a little different, and refines it in the frames after:
 * for so long nothing stands still to the last bit. Seen with MPEG-2, MPEG-4, H.264 and VP9 at low rates.
 */
const redrawnSeconds = 0.35;

/** Less of a stretch that stands still to the last bit is a quiet picture, not a frozen one. */
const leastShare = 0.6;

/** At its ends too it may just have been drawn anew. */
function reaching([from, to]: TimeSpan, [begins, ends]: TimeSpan): TimeSpan {
  return [from - begins <= redrawnSeconds ? begins : from, ends - to <= redrawnSeconds ? ends : to];
}

/**
 * @param still stretches without any change, however short
 * @param nearlyStill longer ones around them, in which nothing changes but what an encoder does
 */
export function frozenSpans(
  still: OpenStretch[],
  nearlyStill: OpenStretch[],
  endSeconds: number | null,
): TimeSpan[] {
  const exact = united(closed(still, endSeconds));
  const joined = closed(nearlyStill, endSeconds).flatMap((around) => {
    const inside = common(exact, [around]);
    return united(inside, redrawnSeconds)
      .filter((span) => coverage(span, inside) >= leastShare)
      .map((span) => reaching(span, around));
  });
  return united([...exact, ...joined]);
}
