/**
 * The timeline that one pass over a picture would have, and what a seek makes of it: ffmpeg moves all times
 * by the seek, rounded to the clock of the stream. Pure.
 */
import type { Cut, Reading, Seam, SeamWish } from "./seams.ts";
import {
  type Fraction,
  fractionOf,
  microsecond,
  microsecondsOf,
  rescale,
  secondsOf,
} from "./ticks.ts";

/** What the packets of a picture tell, in decoding order; null for what they do not say. */
export interface PictureTimes {
  timeBase: Fraction;
  /** When the file begins, in microseconds; the streams' own starts by index. */
  startMicroseconds: number;
  streamStarts: ReadonlyMap<number, number>;
  pts: (number | null)[];
  dts: (number | null)[];
  /** Decoding can begin here, as far as the container says. */
  keys: boolean[];
  /** Decoded and not shown: an edit list leaves it out. */
  hidden: boolean[];
}

/** A frame of the source as it will be shown. */
export interface Shown {
  tick: number;
  slot: number;
  /** The slot that is next to its time. */
  nearest: number;
  key: boolean;
}

/** ffmpeg seeks this much too early where it seeks by decoding times (3/23 s), and some more. */
const seekSlackSeconds = 0.2;

/** In transport streams it reads on from there until the keyframe comes. */
const broadcastSlackSeconds = 0.5;

/** Without a seek ffmpeg counts the times of a transport stream from another place. */
const leastSeekSeconds = 0.001;

/** Of which nothing is made. */
export const noFrames: Seam = {
  ...{ frames: 0, seekSeconds: null, addTicks: 0, fromTick: null, untilTick: null },
  ...{ firstSlot: 0, endSlot: null, leadSlot: null },
};

/** The first index whose value, in a list that rises, is at least so much. */
export function firstFrom(values: readonly number[], least: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The timeline of one pass, and how a seek moves it. */
export class Timeline {
  private readonly times: PictureTimes;
  private readonly wish: SeamWish;
  private readonly clock: Fraction;
  /** What ffmpeg adds to the times of the file in one pass, in ticks. */
  private readonly offset: number;
  /** Where decoding can begin: ticks, in order. */
  private readonly keys: number[];

  constructor(times: PictureTimes, wish: SeamWish) {
    this.times = times;
    this.wish = wish;
    this.clock = fractionOf(wish.clock);
    this.offset = wish.seekSeconds
      ? this.seekOffset(wish.seekSeconds)
      : this.startOffset(wish.uses);
    const keys = times.pts.flatMap((tick, index) =>
      tick !== null && (times.keys[index] === true || wish.intra) ? [tick + this.offset] : [],
    );
    this.keys = keys.toSorted((a, b) => a - b);
  }

  /** The frames in the order in which they are shown, as far as the whole reaches. */
  shown(): Shown[] {
    const { pts, keys, hidden } = this.times;
    const { seekSeconds, durationSeconds = Infinity, endSeconds = Infinity, intra } = this.wish;
    const all = pts.flatMap((tick, index) =>
      tick === null || hidden[index] === true
        ? []
        : [{ tick: tick + this.offset, key: intra || keys[index] === true }],
    );
    const sorted = all.toSorted((a, b) => a.tick - b.tick);
    // What lies before a seek is thrown away, and a length counts from the first frame that is not.
    const from = seekSeconds ? sorted.filter(({ tick }) => tick >= 0) : sorted;
    const first = from[0]?.tick ?? 0;
    const end = Math.min(first + this.ticks(durationSeconds), this.ticks(endSeconds));
    return this.inSlots(from.filter(({ tick }) => tick < end));
  }

  /** Of two frames in one slot the second goes on into the next, where no constant rate is made. */
  private inSlots(frames: readonly { tick: number; key: boolean }[]): Shown[] {
    let next = Number.NEGATIVE_INFINITY;
    return frames.map(({ tick, key }) => {
      const nearest = rescale(tick, this.times.timeBase, this.clock);
      const slot = this.wish.constantRate ? nearest : Math.max(nearest, next);
      next = slot + 1;
      return { tick, slot, nearest, key };
    });
  }

  /** All of the source in one go, as one pass would read it. */
  whole(): Seam {
    const frames = this.times.pts.length;
    return { ...noFrames, frames, ...this.beginning() };
  }

  /** The chunk from one cut until before another; null: from the beginning, to the end. */
  seam(shown: readonly Shown[], from: Cut | null, until: Cut | null): Seam {
    const { neighbours, leadOut, fromZero } = this.wish;
    const at = from?.frame ?? 0;
    const first = shown[at];
    if (first === undefined) return noFrames;
    const entry = shown[Math.max(0, at - neighbours)] ?? first;
    const window = {
      frames: Math.max(1, (until?.frame ?? shown.length) - at),
      ...(from === null ? this.beginning() : this.reading(entry.tick)),
      fromTick: from === null ? null : entry.tick,
      firstSlot: from?.slot ?? (fromZero ? 0 : first.slot),
    };
    if (until === null) {
      // What is read of a cut ends exactly, and all that comes of it is kept, as in one pass.
      return { ...window, untilTick: this.lastTick(shown), endSlot: null, leadSlot: null };
    }
    const lead = until.slot + leadOut;
    // One frame more, so that a rate that is made constant knows how long the last one is shown.
    const behind = firstFrom(
      shown.map(({ slot }) => slot),
      Math.max(lead, until.slot + 1),
    );
    const untilTick = shown[behind + neighbours + 1]?.tick ?? this.lastTick(shown);
    return { ...window, untilTick, endSlot: until.slot, leadSlot: lead };
  }

  /** How far behind a keyframe a frame lies. */
  leadTicks(tick: number): number {
    const keyframe = this.keyframeBefore(tick);
    return tick - (keyframe?.tick ?? this.keys[0] ?? tick);
  }

  private ticks(seconds: number): number {
    if (!Number.isFinite(seconds)) return seconds;
    return rescale(microsecondsOf(seconds), microsecond, this.times.timeBase);
  }

  /** Behind the last frame of what ends before its source does; null for all that comes. */
  private lastTick(shown: readonly Shown[]): number | null {
    const { durationSeconds, endSeconds } = this.wish;
    if (durationSeconds === undefined && endSeconds === undefined) return null;
    return (shown.at(-1)?.tick ?? 0) + 1;
  }

  /** As one pass reads it. Alone the picture of a transport stream may begin later than with its sound. */
  beginning(): Reading {
    const { seekSeconds, stream } = this.wish;
    if (seekSeconds) return { seekSeconds, addTicks: 0 };
    return { seekSeconds: null, addTicks: this.offset - this.startOffset([stream]) };
  }

  /** So that decoding begins at the last keyframe up to a time. */
  private reading(tick: number): Reading {
    const seek = this.seekTo(tick);
    if (seek <= 0) {
      const { stream } = this.wish;
      return { seekSeconds: null, addTicks: this.offset - this.startOffset([stream]) };
    }
    return { seekSeconds: seek, addTicks: this.offset - this.seekOffset(seek) };
  }

  /** In seconds from the start of the file, with six digits. */
  private seekTo(tick: number): number {
    const { broadcast, seekSeconds = 0 } = this.wish;
    const keyframe = this.keyframeBefore(tick);
    if (keyframe === null) return 0;
    const at = (key: number) => seekSeconds + secondsOf(key, this.times.timeBase);
    if (broadcast) {
      // The one before: where there is no index a keyframe may lean on what stood before it.
      const earlier = this.keyframeBefore(keyframe.tick - 1) ?? keyframe;
      return sixDigits(Math.max(leastSeekSeconds, at(earlier.tick) - broadcastSlackSeconds));
    }
    const apart = keyframe.next === null ? Infinity : at(keyframe.next) - at(keyframe.tick);
    return sixDigits(at(keyframe.tick) + Math.min(seekSlackSeconds, apart / 3));
  }

  /** Null for the very first, which needs no seek. */
  private keyframeBefore(tick: number): { tick: number; next: number | null } | null {
    const next = firstFrom(this.keys, tick + 1);
    const keyframe = this.keys[next - 1];
    if (next <= 1 || keyframe === undefined) return null;
    return { tick: keyframe, next: this.keys[next] ?? null };
  }

  private seekOffset(seconds: number): number {
    return this.offsetOf(microsecondsOf(seconds) + this.times.startMicroseconds);
  }

  /** Of a file that is read from its beginning. */
  private startOffset(uses: readonly number[]): number {
    const { startMicroseconds, streamStarts } = this.times;
    if (!this.wish.broadcast) return this.offsetOf(startMicroseconds);
    const starts = uses.flatMap((stream) => streamStarts.get(stream) ?? []);
    const earliest = starts.length === 0 ? startMicroseconds : Math.min(...starts);
    return this.offsetOf(Math.max(startMicroseconds, earliest));
  }

  private offsetOf(startMicroseconds: number): number {
    return rescale(-startMicroseconds, microsecond, this.times.timeBase);
  }
}

function sixDigits(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
