/** Where a quick proof decodes an output, and how much may be missing. */

/** Each of the three places; long enough to hold a keyframe interval's worth of prediction. */
const windowSeconds = 2;

/** Shorter files are decoded whole: three windows would overlap. */
const wholeBelowSeconds = 3 * windowSeconds;

/** Frames that a decoder may keep back at edit lists and at the seams of open GOPs. */
export const frameTolerance = { ratio: 0.01, frames: 2 };

/** Half a second, and 1 % for long files: the same measure as for the container's own length. */
export const soundTolerance = { ratio: 0.01, seconds: 0.5 };

export interface DecodeWindow {
  fromSeconds: number;
  /** The same, told from the end of the file by its own length; absent where that does not hold. */
  beforeEndSeconds?: number;
  /** Null to the end. */
  lastsSeconds: number | null;
  /** For a sentence: "in its middle". */
  where: string;
}

/** The three places of a file; null when it is so short that it is decoded whole. */
export function windowsOf(durationSeconds: number): DecodeWindow[] | null {
  if (durationSeconds <= wholeBelowSeconds) return null;
  const middle = durationSeconds / 2 - windowSeconds / 2;
  return [
    { fromSeconds: 0, lastsSeconds: windowSeconds, where: "at its beginning" },
    { fromSeconds: middle, lastsSeconds: windowSeconds, where: "in its middle" },
    {
      ...{ fromSeconds: durationSeconds - windowSeconds, beforeEndSeconds: windowSeconds },
      ...{ lastsSeconds: null, where: "at its end" },
    },
  ];
}

/** @param keyframes the picture was copied, and only they were decoded */
export function windowsWords(keyframes: boolean, sound: boolean): string {
  if (!keyframes) {
    return `Decoded the first, middle and last ${windowSeconds} seconds without an error`;
  }
  const all = sound ? "keyframes and the sound beside them" : "keyframes";
  return `The picture was copied: decoded ${all} at its beginning, middle and end without an error`;
}
