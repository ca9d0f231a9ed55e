/** Ranges of a source as they can be taken from it. Pure. */
import type { MediaInfo } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import type { ClipRange } from "./clip-schema.ts";
import { rateNumber } from "./picture.ts";

/** A piece of the source, in seconds of it. */
export interface Span {
  from: number;
  seconds: number;
}

/** People round up the end that a player shows them. */
const endToleranceSeconds = 1;
/** Where frames have no even distance, shorter pieces may fall between two of them. */
const leastUnevenSeconds = 0.1;
/** Times are typed with three digits, and a frame lasts 33.3667 ms: less than this is not too short. */
const roundingSeconds = 0.001;

/**
 * @throws Refusal 422 `unsuitable_input` that names the fields of all ranges that lie outside of the source or
 * hold no frame
 */
export function spansOf(ranges: readonly ClipRange[], media: MediaInfo): Span[] {
  const { durationSeconds: whole } = media;
  const least = leastSeconds(media) - roundingSeconds;
  const faults: { path: string; message: string }[] = [];
  const spans = ranges.map(({ from, to }, index) => {
    const fault = (field: string, message: string) =>
      faults.push({ path: `ranges.${index}.${field}`, message });
    const end = whole === null ? to : Math.min(to, whole);
    if (whole !== null && from >= whole) fault("from", `is ${from}, and ${endsAt(whole)}`);
    else if (whole !== null && to > whole + endToleranceSeconds) {
      fault("to", `is ${to}, and ${endsAt(whole)}`);
    } else if (end - from < least) {
      fault("to", `leaves ${round(end - from)} s, too little for a frame`);
    }
    return { from, seconds: end - from };
  });
  if (faults.length > 0) throw refusal(faults);
  return spans;
}

/** One frame, or what an uneven source needs to hold one. */
function leastSeconds({ video }: MediaInfo): number {
  if (video === null) return leastUnevenSeconds;
  const rate = video.variableFrameRate ? null : rateNumber(video.frameRate);
  return rate === null ? leastUnevenSeconds : Math.min(leastUnevenSeconds, 1 / rate);
}

function endsAt(seconds: number): string {
  return `the source ends at ${round(seconds)} s`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** All faults go into the list; a sentence with more than three is not read. */
const faultsInSentence = 3;

function refusal(errors: { path: string; message: string }[]): Refusal {
  const said = errors.slice(0, faultsInSentence).map(({ path, message }) => `${path} ${message}`);
  if (errors.length > said.length) said.push(`and ${errors.length - said.length} more`);
  return new Refusal(
    422,
    "unsuitable_input",
    `The ranges do not fit the source: ${said.join("; ")}.`,
    { errors },
  );
}
