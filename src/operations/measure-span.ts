/** Which part of two videos is held against each other. Seconds. Pure. */
import { Refusal } from "../trouble.ts";
import type { Side } from "./measure.ts";
import type { MeasureParams } from "./measure-schema.ts";
import { rateNumber } from "./picture.ts";

interface Piece {
  seekSeconds?: number;
  durationSeconds?: number;
}

export interface MeasuredSpan {
  reference: Piece;
  second: Piece;
  /** How much is compared; null when a length is unknown. */
  expectedSeconds: number | null;
}

/** Lengths that differ by less are a packet of sound. */
const sameLengthSeconds = 0.1;

/** @throws Refusal when the two have nothing in common there */
export function spanOf(
  { from, seconds, offset }: MeasureParams,
  reference: Side,
  second: Side,
): MeasuredSpan {
  const begins = Math.max(from, -offset);
  const wanted = seconds === undefined ? null : from + seconds - begins;
  const [first, other] = [reference, second].map(({ media }) => media.durationSeconds);
  const left = [
    first == null ? null : first - begins,
    other == null ? null : other - begins - offset,
  ];
  for (const [at, rest] of left.entries()) {
    if (rest !== null && rest <= 0) throw beyond(at === 0 ? "reference" : "second", from, offset);
  }
  if (wanted !== null && wanted <= 0) throw beyond("second", from, offset);
  const known = [...left, wanted].filter((each) => each !== null);
  return {
    reference: pieceOf(begins, wanted, reference),
    second: pieceOf(begins + offset, wanted, second),
    expectedSeconds: left.includes(null) && wanted === null ? null : Math.min(...known),
  };
}

/**
 * Counted from where the picture begins, which may be later than the sound. The seek is half a frame before:
 * what is shown then comes first, however the times are rounded.
 */
function pieceOf(from: number, wanted: number | null, { video }: Side): Piece {
  const { startsAtSeconds = 0, frameRate } = video;
  const half = 0.5 / (rateNumber(frameRate) ?? 25);
  const seeks = from > half;
  const seekSeconds = from + startsAtSeconds - half;
  return {
    ...(seeks ? { seekSeconds } : {}),
    ...(wanted === null ? {} : { durationSeconds: wanted + (seeks ? 0 : startsAtSeconds) }),
  };
}

export function spanNotes(
  { from, seconds, offset, frames }: MeasureParams,
  reference: Side,
  second: Side,
  { expectedSeconds }: MeasuredSpan,
): string[] {
  const [long, short] = [reference.media.durationSeconds, second.media.durationSeconds];
  const differ = long !== null && short !== null && Math.abs(long - short) > sameLengthSeconds;
  const common = expectedSeconds === null ? "" : ` (${expectedSeconds.toFixed(2)} s)`;
  const later = offset > 0 ? "later" : "earlier";
  return [
    ...(offset === 0
      ? []
      : [
          `The second is taken to show everything ${Math.abs(offset)} s ${later} than the reference.`,
        ]),
    ...(from === 0 && seconds === undefined
      ? []
      : [
          `A part is compared: from ${from} s of the reference on${seconds === undefined ? "" : `, ${seconds} s of it`}.`,
        ]),
    ...(differ && seconds === undefined && frames === "time"
      ? [
          `The reference lasts ${long.toFixed(2)} s and the second ${short.toFixed(2)} s: their common part${common} is compared.`,
        ]
      : []),
  ];
}

function beyond(which: string, from: number, offset: number): Refusal {
  return new Refusal(
    422,
    "unsuitable_input",
    `The ${which} has nothing there: from is ${from} s and offset ${offset} s. Choose smaller ones.`,
  );
}
