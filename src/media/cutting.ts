/**
 * Where a span of a video is cut: by the times of its packets, to the frame. Pure. Times are seconds from the
 * start of the file.
 */
import type { CutSpan } from "./description.ts";

/** A packet of a picture, in decoding order. */
export interface PacketTime {
  pts: number;
  /** How long it is shown; 0 when unknown. */
  seconds: number;
  key: boolean;
  /** It is decoded and not shown: an edit list leaves it out. */
  hidden: boolean;
}

/** Packets that are copied as they are. */
export interface CopiedPackets {
  /** Time of the keyframe that they begin with. */
  from: number;
  packets: number;
}

/** How a span is made. Its parts follow each other without a hole, from its first frame on. */
export interface Cutting {
  /** From its first frame until its last one ends; from where it was asked to, where the film begins without one. */
  span: CutSpan;
  /** How long the span has no frame of its own at its beginning: its parts follow behind that. */
  bareSeconds: number;
  /** Frames of the picture in it. */
  frames: number;
  /** Encoded; null when the span begins with what is copied. */
  head: CutSpan | null;
  /** Null: nothing can be copied, and the head is all of it. */
  copy: CopiedPackets | null;
  /** Encoded; null when nothing is left. */
  tail: CutSpan | null;
}

/** Times come with six digits: what is nearer than two of the last is the same. */
const sameSeconds = 2e-6;

/** Pictures that are decoded after a keyframe and shown before it; encoders reorder no further than 16. */
const mostLeading = 64;

/** Fewer packets are not worth a piece of their own. */
const leastCopied = 12;

/**
 * @param packets all from a keyframe before the span until well behind it
 * @param copies whether packets may be copied at all
 * @returns null when no frame begins within the span
 */
export function cuttingOf(
  packets: readonly PacketTime[],
  asked: CutSpan,
  copies: boolean,
): Cutting | null {
  const end = asked.from + asked.seconds;
  const times = packets
    .filter(({ hidden }) => !hidden)
    .map(({ pts }) => pts)
    .toSorted((a, b) => a - b);
  const shown = times.filter((pts) => within(pts, asked.from, end));
  const [first] = shown;
  const last = shown.at(-1);
  if (first === undefined || last === undefined) return null;
  const next = times.find((pts) => pts > last + sameSeconds);
  const stop = next ?? endOf(packets, last, end);
  const pictured = { from: first, seconds: stop - first };
  const bareSeconds = times[0] === first ? bareBefore(packets, first, asked.from) : 0;
  const span = { from: first - bareSeconds, seconds: stop - first + bareSeconds };
  const base = { span, bareSeconds, frames: shown.length };
  const whole = { ...base, head: pictured, copy: null, tail: null };
  if (!copies || packets.some(({ hidden }) => hidden)) return whole;
  return copying(packets, whole) ?? whole;
}

function within(pts: number, from: number, end: number): boolean {
  return pts > from - sameSeconds && pts < end - sameSeconds;
}

/** Behind the last frame of the file sound may go on: it is kept as far as it was asked for. */
function endOf(packets: readonly PacketTime[], last: number, asked: number): number {
  const shown = packets.find(({ pts }) => pts === last)?.seconds ?? 0;
  const ends = last + (shown > 0 ? shown : asked - last);
  return asked - ends > Math.max(shown, sameSeconds) ? asked : ends;
}

/** Before the first frame of the file there may be sound: it is kept from where it was asked for. */
function bareBefore(packets: readonly PacketTime[], first: number, asked: number): number {
  const shown = packets.find(({ pts }) => pts === first)?.seconds ?? 0;
  return first - asked > Math.max(shown, sameSeconds) ? first - asked : 0;
}

function copying(packets: readonly PacketTime[], whole: Cutting): Cutting | null {
  const end = whole.span.from + whole.span.seconds;
  const from = whole.span.from + whole.bareSeconds;
  const start = packets.findIndex(
    ({ key, pts }, index) => key && within(pts, from, end) && isClean(packets, index),
  );
  const keyframe = packets[start];
  if (keyframe === undefined) return null;
  const stop = lastSeam(packets, start, end);
  if (stop === null || stop.index - start < leastCopied) return null;
  const copied = { from: keyframe.pts, packets: stop.index - start };
  const between = (left: number, right: number): CutSpan | null =>
    right - left > sameSeconds ? { from: left, seconds: right - left } : null;
  return {
    ...whole,
    head: between(from, keyframe.pts),
    copy: copied,
    tail: stop.next < end - sameSeconds ? between(stop.next, end) : null,
  };
}

/** In a clean group nothing that is decoded after the keyframe is shown before it. */
function isClean(packets: readonly PacketTime[], index: number): boolean {
  const { pts = 0 } = packets[index] ?? {};
  return packets.slice(index + 1, index + 1 + mostLeading).every((packet) => packet.pts > pts);
}

/**
 * The last place before `end` where all that was decoded is shown before all that follows. It lies behind
 * `start`; `next` is the time of the first frame that follows.
 */
function lastSeam(
  packets: readonly PacketTime[],
  start: number,
  end: number,
): { index: number; next: number } | null {
  const earliestAfter: number[] = Array.from({ length: packets.length + 1 });
  let earliest = Number.POSITIVE_INFINITY;
  for (let index = packets.length; index >= 0; index -= 1) {
    earliest = Math.min(earliest, packets[index]?.pts ?? Number.POSITIVE_INFINITY);
    earliestAfter[index] = earliest;
  }
  let latest = Number.NEGATIVE_INFINITY;
  let found: { index: number; next: number } | null = null;
  for (let index = start; index < packets.length; index += 1) {
    const pts = packets[index]?.pts ?? 0;
    if (pts >= end - sameSeconds) break;
    latest = Math.max(latest, pts);
    const next = earliestAfter[index + 1] ?? Number.POSITIVE_INFINITY;
    if (latest < next) found = { index: index + 1, next };
  }
  return found;
}
