/**
 * Times as whole ticks of a clock, converted as ffmpeg does it (`av_rescale_q`): to the nearest, halves away
 * from zero. Whole numbers throughout, for a microsecond too many puts a frame into the wrong chunk. Pure.
 */
import { assert } from "../trouble.ts";

/** Seconds of one tick: 1/90000, 1001/24000. */
export interface Fraction {
  num: number;
  den: number;
}

export const microsecond: Fraction = { num: 1, den: 1_000_000 };

/** "1001/24000"; broken invariant: anything else. */
export function fractionOf(text: string): Fraction {
  const [, num, den] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  const fraction = { num: Number(num), den: Number(den) };
  assert(fraction.num > 0 && fraction.den > 0, `${text} is a fraction`);
  return fraction;
}

/** Ticks of one clock in ticks of another. */
export function rescale(ticks: number, from: Fraction, to: Fraction): number {
  const above = ticks * from.num * to.den;
  const below = from.den * to.num;
  if (Number.isSafeInteger(2 * above) && Number.isSafeInteger(2 * below)) {
    const size = Math.abs(above);
    const whole = Math.floor(size / below);
    const rest = size - whole * below;
    return Math.sign(above) * (2 * rest >= below ? whole + 1 : whole) || 0;
  }
  const exact = BigInt(ticks) * BigInt(from.num) * BigInt(to.den);
  const per = BigInt(from.den) * BigInt(to.num);
  const size = exact < 0n ? -exact : exact;
  const rounded = Number((2n * size + per) / (2n * per));
  return exact < 0n ? -rounded : rounded;
}

/** Seconds as ffmpeg reads them from its command line, where they are written with six digits. */
export function microsecondsOf(seconds: number): number {
  return Math.round(seconds * 1e6);
}

/** A number of ticks, in seconds. */
export function secondsOf(ticks: number, { num, den }: Fraction): number {
  return (ticks * num) / den;
}
