/** An operation on a part of a file: which part is tried, and what its parameters are for that alone. Pure. */
import { type Ease, eased } from "./easing.ts";
import type { Span, Whole } from "./operation.ts";

/** Enough to see how it looks, and done in a moment. */
export const TRIED_SECONDS = 10;

/**
 * Ten seconds around a time, or around the middle; within what the parameters themselves take of the file.
 * @param durationSeconds null: unknown; then it is the beginning, or what comes after `at`
 */
export function spanAround(
  at: number | null,
  params: Record<string, unknown>,
  durationSeconds: number | null,
): Span {
  const start = numberOf(params["from"]) ?? 0;
  const end = numberOf(params["to"]) ?? durationSeconds ?? (at ?? 0) + TRIED_SECONDS;
  const middle = at ?? (durationSeconds === null ? 0 : (start + end) / 2);
  const latest = Math.max(start, end - TRIED_SECONDS);
  const from = Math.min(Math.max(start, middle - TRIED_SECONDS / 2), latest);
  return { from: rounded(from), to: rounded(Math.min(from + TRIED_SECONDS, end)) };
}

/** To a thousandth: the frame is the same. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Without the times that a whole file has: the part begins with 0, and all of it is taken. */
export function withoutSpan<Params extends { from?: number | undefined; to?: number | undefined }>(
  params: Params,
): Params {
  const { from: _from, to: _to, ...rest } = params;
  return rest as Params;
}

/** What lasts from one time to another, as it is in the part; null where it is not in there. */
export function movedInto<Item extends { from: number; to?: number | undefined }>(
  item: Item,
  { from, to }: Span,
): Item | null {
  const length = to - from;
  const begin = item.from - from;
  const end = item.to === undefined ? undefined : Math.min(item.to - from, length);
  if (begin >= length || (end !== undefined && end <= 0)) return null;
  const moved = { ...item, from: Math.max(0, begin) };
  return end === undefined ? moved : { ...moved, to: end };
}

/** What may be no larger as a whole, as large as the part is of it. */
export function shareOfBytes(
  whole: { from?: number | undefined; to?: number | undefined; maxBytes?: number | undefined },
  { from, to }: Span,
  { durationSeconds }: Whole,
): number | undefined {
  if (whole.maxBytes === undefined) return undefined;
  const length = (whole.to ?? durationSeconds ?? to) - (whole.from ?? 0);
  return Math.round((whole.maxBytes * (to - from)) / Math.max(length, to - from));
}

/** Keyframes as they are in the part: the first is where the movement stands by then. */
export function keyframesWithin<Keyframe extends { time: number; ease: Ease }>(
  keyframes: readonly Keyframe[],
  { from }: Span,
  numbers: readonly (keyof Keyframe & string)[],
): Keyframe[] {
  const after = keyframes
    .filter(({ time }) => time > from)
    .map((keyframe) => ({ ...keyframe, time: rounded(keyframe.time - from) }));
  const before = keyframes.findLast(({ time }) => time <= from);
  if (before === undefined) return after;
  const next = keyframes.find(({ time }) => time > from);
  if (next === undefined) return [{ ...before, time: 0 }];
  const share = eased(before.ease, (from - before.time) / (next.time - before.time));
  const between = numbers.map((name) => {
    const [a, b] = [Number(before[name]), Number(next[name])];
    return [name, a + (b - a) * share] as const;
  });
  return [{ ...before, ...Object.fromEntries(between), time: 0 }, ...after];
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
