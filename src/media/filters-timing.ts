/** Filters that count in the ticks of a clock: how a chunk is cut out of a picture, to the frame. Pure. */
import { assert } from "../trouble.ts";
import { type NativeFilter, native } from "./filter-syntax.ts";

export type TimingFilter =
  /** Times are moved by so many ticks; with `clock`, seconds of a tick as a fraction, they are brought to it before. */
  | { filter: "ticks"; add: number; clock?: string }
  /** What is shown from one tick of the clock until before another; times stay. */
  | { filter: "window"; fromTick?: number; untilTick?: number };

export function nativeTiming(filter: TimingFilter): NativeFilter[] {
  return filter.filter === "ticks"
    ? ticks(filter)
    : [native("trim", { start_pts: filter.fromTick, end_pts: filter.untilTick })];
}

const fraction = /^\d{1,9}\/\d{1,9}$/;

function ticks({ add, clock }: Extract<TimingFilter, { filter: "ticks" }>): NativeFilter[] {
  assert(Number.isSafeInteger(add), `${add} ticks are a whole number`);
  assert(clock === undefined || fraction.test(clock), `${clock} is a fraction`);
  const moved = native("setpts", { expr: add < 0 ? `PTS-${-add}` : `PTS+${add}` });
  return [
    ...(clock === undefined ? [] : [native("settb", { expr: clock })]),
    ...(add === 0 ? [] : [moved]),
  ];
}
