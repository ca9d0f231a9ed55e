/** Bits per second of a stream as HLS means them. Pure. */

export interface Rated {
  bytes: number;
  seconds: number;
}

export interface Rates {
  /** Of the hardest stretch, and of the whole; whole bits per second, rounded up. */
  peak: number;
  average: number;
}

/**
 * The peak is the highest rate of any segments in a row that last between half and one and a half target
 * durations (RFC 8216, 4.1); where there are none so long, the average.
 */
export function ratesOf(segments: readonly Rated[], targetSeconds: number): Rates {
  const average = rateOf(sum(segments));
  let peak = 0;
  for (let first = 0; first < segments.length; first += 1) {
    const stretch = { bytes: 0, seconds: 0 };
    for (let last = first; last < segments.length; last += 1) {
      stretch.bytes += segments[last]?.bytes ?? 0;
      stretch.seconds += segments[last]?.seconds ?? 0;
      if (stretch.seconds > targetSeconds * 1.5) break;
      if (stretch.seconds >= targetSeconds * 0.5) peak = Math.max(peak, rateOf(stretch));
    }
  }
  return { peak: Math.max(peak, average), average };
}

function sum(segments: readonly Rated[]): Rated {
  return {
    bytes: segments.reduce((total, { bytes }) => total + bytes, 0),
    seconds: segments.reduce((total, { seconds }) => total + seconds, 0),
  };
}

function rateOf({ bytes, seconds }: Rated): number {
  return seconds > 0 ? Math.ceil((bytes * 8) / seconds) : 0;
}
