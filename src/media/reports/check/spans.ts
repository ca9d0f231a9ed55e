/** Spans of time as pairs, ascending. Seconds. Pure. */
import type { OpenStretch } from "../../readings/stretches.ts";

export type TimeSpan = [fromSeconds: number, toSeconds: number];

/** What is open lasts until the end. */
export function closed(stretches: OpenStretch[], endSeconds: number | null): TimeSpan[] {
  return stretches.map(({ fromSeconds, toSeconds }) => [
    fromSeconds,
    Math.max(fromSeconds, toSeconds ?? endSeconds ?? fromSeconds),
  ]);
}

/** One list without overlaps; spans that lie apart by no more than `apartSeconds` are one. */
export function united(spans: TimeSpan[], apartSeconds = 0): TimeSpan[] {
  const all: TimeSpan[] = [];
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    const open = all.at(-1);
    if (open !== undefined && from - open[1] <= apartSeconds) open[1] = Math.max(open[1], to);
    else all.push([from, to]);
  }
  return all;
}

/** What two lists without overlaps have in common. */
export function common(a: TimeSpan[], b: TimeSpan[]): TimeSpan[] {
  const shared: TimeSpan[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [one, other] = [a[i] as TimeSpan, b[j] as TimeSpan];
    const span: TimeSpan = [Math.max(one[0], other[0]), Math.min(one[1], other[1])];
    if (span[0] < span[1]) shared.push(span);
    if (one[1] < other[1]) i += 1;
    else j += 1;
  }
  return shared;
}

export function totalSeconds(spans: TimeSpan[]): number {
  return spans.reduce((sum, [from, to]) => sum + to - from, 0);
}

/** How much of a span is covered, 0 to 1. */
export function coverage(span: TimeSpan, by: TimeSpan[]): number {
  const seconds = span[1] - span[0];
  return seconds <= 0 ? 0 : totalSeconds(common([span], by)) / seconds;
}
