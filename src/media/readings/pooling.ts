/** Figures of many frames as one, and as few. */

/** How the frames of a film lie. Of PSNR null is without limit: nothing differs. */
export interface Spread {
  lowest: number | null;
  /** Below it lie so many percent of the frames. */
  percentile1: number | null;
  percentile5: number | null;
  median: number | null;
  /** Low figures weigh more in it than in the mean; null where one is 0 or below. */
  harmonicMean: number | null;
}

/** @param values not empty; what is not a number is left out */
export function spreadOf(values: Float64Array): Spread {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const at = (share: number) => finite(sorted[Math.floor(share * (sorted.length - 1))]);
  let inverse = 0;
  for (const value of sorted) inverse += 1 / value;
  const positive = (sorted[0] ?? 0) > 0;
  return {
    ...{ lowest: at(0), percentile1: at(0.01), percentile5: at(0.05), median: at(0.5) },
    harmonicMean: positive ? finite(sorted.length / inverse) : null,
  };
}

/** Of what is a number. */
export function meanOf(values: Float64Array): number {
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count += 1;
  }
  return sum / count;
}

/** The lowest of each so many in a row; null where there is none, or where it is without limit. */
export function lowestOfEach(values: Float64Array, count: number): (number | null)[] {
  const lows: (number | null)[] = [];
  for (let from = 0; from < values.length; from += count) {
    let low = Number.POSITIVE_INFINITY;
    for (const value of values.subarray(from, from + count)) if (value < low) low = value;
    lows.push(finite(low));
  }
  return lows;
}

export function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
