/** Where a seek ends, and what must be read before it. Pure. */
import type { VideoFilter } from "../media/graph.ts";
import type { MediaInfo } from "../media/media.ts";
import { leastSeekSeconds } from "../media/pieces.ts";

/** Containers in which ffmpeg finds a time, but not the keyframe before it. */
const unindexed = ["mpegts", "mpegps"];

/** Broadcast has a keyframe every second or two, recordings every ten at most. */
const prerollSeconds = 12;

/** Read so much before a time of a picture, so that its keyframe is among it; 0 where ffmpeg finds that itself. */
export function prerollOf({ container }: Pick<MediaInfo, "container">): number {
  return unindexed.includes(container) ? prerollSeconds : 0;
}

/** The same for a certain time: no more than there is before it. */
export function prerollBefore(from: number, media: Pick<MediaInfo, "container">): number {
  const preroll = prerollOf(media);
  if (preroll === 0 || from <= 0) return 0;
  return from - Math.max(from - preroll, Math.min(leastSeekSeconds, from / 2));
}

/** How the picture of a stretch is read, and what must stand before its filters. */
export function pictureFrom(
  from: number,
  seconds: number | null,
  media: Pick<MediaInfo, "container">,
): { times: { seekSeconds?: number; durationSeconds?: number }; trim: VideoFilter[] } {
  const preroll = prerollBefore(from, media);
  return {
    times: {
      ...(from > 0 ? { seekSeconds: from - preroll } : {}),
      ...(seconds === null ? {} : { durationSeconds: seconds + preroll }),
    },
    trim: preroll === 0 ? [] : [{ filter: "trim", startSeconds: preroll }],
  };
}
