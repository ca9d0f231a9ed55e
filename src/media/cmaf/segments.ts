/** Where a stream is cut into segments: at keyframes, at the same times in every stream. Pure. */
import { malformed } from "./boxes.ts";
import { type Samples, type SourceTrack, shownTicks } from "./source-track.ts";

/** Samples in a row that are decoded without what comes before them. */
export interface Fragment {
  first: number;
  count: number;
}

export interface Segment {
  fragments: Fragment[];
  /** When its first sample is shown, in ticks of its track, and for how long all of them are. */
  startTicks: number;
  durationTicks: number;
}

/**
 * What is left over behind the last boundary is joined to the segment before when it is shorter: sound that
 * outlasts the picture by some frames, the one frame of a keyframe at the very end.
 */
const restOfSegment = 1 / 8;

/**
 * Times in seconds at which segments begin: the keyframes that are first at or behind each multiple of
 * `everySeconds`, half a frame before counted in.
 */
export function segmentStarts(track: SourceTrack, everySeconds: number): number[] {
  const { samples, timescale } = track;
  const total = endTicks(samples) / timescale;
  const half = (samples.durations[0] ?? 0) / timescale / 2;
  const starts: number[] = [];
  let next = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < samples.count; index += 1) {
    if (samples.sync[index] !== 1) continue;
    const seconds = shownTicks(samples, index) / timescale;
    if (seconds < next - half) continue;
    if (starts.length > 0 && total - seconds < everySeconds * restOfSegment) continue;
    starts.push(seconds);
    next = (Math.floor((seconds + half) / everySeconds) + 1) * everySeconds;
  }
  if (starts.length === 0) throw malformed("its picture has no keyframe");
  return starts;
}

/**
 * Cuts at the starts of another stream. A picture must have a keyframe at each of them; sound is cut at the
 * nearest frame. Fragments of a picture begin at each keyframe, sound has one to a segment.
 */
export function cutInto(track: SourceTrack, starts: readonly number[]): Segment[] {
  const firsts = track.kind === "video" ? keyframesAt(track, starts) : framesNearest(track, starts);
  const { samples } = track;
  const bounds = [...firsts, samples.count];
  const startOf = (index: number) =>
    index === samples.count ? endTicks(samples) : shownTicks(samples, index);
  return firsts.map((first, position) => {
    const end = bounds[position + 1] ?? samples.count;
    const startTicks = startOf(first);
    const fragments =
      track.kind === "video" ? groups(samples, first, end) : [{ first, count: end - first }];
    for (const fragment of fragments) refuseOpen(samples, fragment);
    return { fragments, startTicks, durationTicks: startOf(end) - startTicks };
  });
}

/** When the last of what is shown ends. */
export function endTicks(samples: Samples): number {
  // The last in decoding order need not be the last that is shown: some frames before may be.
  let end = 0;
  for (let index = Math.max(0, samples.count - reordered); index < samples.count; index += 1) {
    end = Math.max(end, shownTicks(samples, index) + (samples.durations[index] ?? 0));
  }
  return end;
}

/** Frames that may be decoded after one that is shown later: 16 is what H.264 and HEVC allow. */
const reordered = 17;

function keyframesAt({ samples, timescale }: SourceTrack, starts: readonly number[]): number[] {
  const half = (samples.durations[0] ?? 0) / timescale / 2;
  const found: number[] = [];
  let index = 0;
  for (const start of starts) {
    while (index < samples.count && !isAt(samples, index, (start - half) * timescale)) index += 1;
    const seconds = shownTicks(samples, index) / timescale;
    if (index === samples.count || seconds > start + half) {
      throw malformed(`a rung has no keyframe at ${start.toFixed(3)} s, where the others have one`);
    }
    found.push(index);
    index += 1;
  }
  return found;
}

function isAt(samples: Samples, index: number, leastTicks: number): boolean {
  return samples.sync[index] === 1 && shownTicks(samples, index) >= leastTicks;
}

/** The frames of a sound that begin closest to each start; starts behind its end make no segment. */
function framesNearest({ samples, timescale }: SourceTrack, starts: readonly number[]): number[] {
  const total = endTicks(samples);
  const found = [0];
  let index = 0;
  for (const [position, start] of starts.entries()) {
    if (position === 0) continue;
    const wanted = start * timescale;
    const length = wanted - (starts[position - 1] ?? 0) * timescale;
    if (total - wanted < length * restOfSegment) break;
    const half = (samples.durations[index] ?? 0) / 2;
    while (index < samples.count - 1 && (samples.decodeTicks[index] ?? 0) < wanted - half)
      index += 1;
    if (index > (found.at(-1) ?? 0)) found.push(index);
  }
  return found;
}

/** Each keyframe and what follows it. */
function groups(samples: Samples, first: number, end: number): Fragment[] {
  const fragments: Fragment[] = [];
  let start = first;
  for (let index = first + 1; index <= end; index += 1) {
    if (index < end && samples.sync[index] !== 1) continue;
    fragments.push({ first: start, count: index - start });
    start = index;
  }
  return fragments;
}

/** Frames that are shown before their keyframe need the group before, which a switch leaves out. */
function refuseOpen(samples: Samples, { first, count }: Fragment): void {
  const start = shownTicks(samples, first);
  for (let index = first + 1; index < first + count; index += 1) {
    if (shownTicks(samples, index) >= start) continue;
    throw malformed(
      "frames are shown before the keyframe that they follow, so it cannot be cut there",
    );
  }
}

/** What a segment holds, as numbers from 0 to before `count` samples. */
export function sampleSpan({ fragments }: Segment): { first: number; count: number } {
  return {
    first: fragments[0]?.first ?? 0,
    count: fragments.reduce((sum, { count }) => sum + count, 0),
  };
}
