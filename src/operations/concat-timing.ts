/**
 * When each input begins and ends in a joined file. Lengths are whole frames, and those of the sound are
 * counted from the beginning, so that nothing adds up over many joins. Pure.
 */
import type { MediaInfo } from "../media/media.ts";
import { assert, Refusal } from "../trouble.ts";
import { type ConcatParams, usualCrossfadeSeconds } from "./concat-schema.ts";

/** A frame rate as a fraction. */
export interface Rate {
  text: string;
  numerator: number;
  denominator: number;
}

/** "30000/1001" and "25". */
export function rateOf(text: string): Rate {
  const [numerator, denominator = 1] = text.split("/").map(Number);
  assert(numerator !== undefined && numerator > 0 && denominator > 0, `${text} is a rate`);
  return { text, numerator, denominator };
}

export interface Timing {
  /** Frames of each input. */
  frames: number[];
  /** Frames that each crossfade takes from both sides; 0 for cuts. */
  overlap: number;
  /** Seconds at which each input begins in the result, and at which the result ends. */
  starts: number[];
  seconds: number;
  secondsOf(frames: number): number;
}

/** @throws Refusal 422 `unsuitable_input` for inputs that are too short or do not say how long they are */
export function timingOf(
  { transition, seconds = usualCrossfadeSeconds }: ConcatParams,
  inputs: readonly MediaInfo[],
  rate: Rate,
): Timing {
  const secondsOf = (frames: number) => (frames * rate.denominator) / rate.numerator;
  const framesOf = (value: number) =>
    Math.max(1, Math.round((value * rate.numerator) / rate.denominator));
  const frames = inputs.map(({ durationSeconds }, index) => {
    if (durationSeconds !== null) return framesOf(durationSeconds);
    throw refusal(
      `inputs.${index}`,
      "does not say how long it is",
      "Transcode it first, which makes a file that does.",
    );
  });
  const overlap = transition === "cut" ? 0 : framesOf(seconds);
  refuseShort(frames, overlap, secondsOf);
  const starts: number[] = [];
  let at = 0;
  for (const count of frames) {
    starts.push(secondsOf(at));
    at += count - overlap;
  }
  return { frames, overlap, starts, seconds: secondsOf(at + overlap), secondsOf };
}

/** An input in the middle is blended at both ends, and the two may not meet. */
function refuseShort(
  frames: readonly number[],
  overlap: number,
  secondsOf: (frames: number) => number,
): void {
  for (const [index, count] of frames.entries()) {
    const ends = index === 0 || index === frames.length - 1 ? 1 : 2;
    if (count > overlap * ends) continue;
    const lasts = `lasts ${secondsOf(count).toFixed(2)} s`;
    const need = `a crossfade of ${secondsOf(overlap).toFixed(2)} s ${ends === 1 ? "" : "at both ends "}needs more`;
    throw refusal(
      "seconds",
      `is too long: input ${index + 1} ${lasts}, and ${need}`,
      "Choose a shorter one, or cuts.",
    );
  }
}

function refusal(path: string, message: string, hint: string): Refusal {
  return new Refusal(
    422,
    "unsuitable_input",
    `The inputs cannot be joined so: ${path} ${message}. ${hint}`,
    { errors: [{ path, message }] },
  );
}
