/** What an output must be, as data. */

/** What `verify.ts` holds an output against. Null or absent: not checked, because it cannot be known. */
export interface Expectation {
  file: string;
  /** `data` is neither media nor text: what is encrypted, a key. */
  kind: "video" | "audio" | "image" | "text" | "data";
  durationSeconds: number | null;
  /**
   * The streams of the job's first input that all of it comes from. When the output is longer or shorter than
   * `durationSeconds`, it is well where the last of them ends so too: what else is in a file may be longer.
   */
  lastsLikeStreams?: readonly number[];
  /** Where in them it begins, for a piece that lasts `durationSeconds` at most; absent: it is all of them. */
  streamFromSeconds?: number;
  video: {
    codec: string;
    width: number;
    height: number;
    /** Sizes of further candidates of a search, any of which may have been kept. */
    otherSizes?: { width: number; height: number }[];
    /** It must be able to be transparent. */
    alpha?: boolean;
  } | null;
  /** Where nothing moves the format makes a still of it, which is well too: WebP. */
  mayBeStill?: boolean;
  audioTracks: number;
  /** Codec of every audio track, in order. */
  audioCodecs: string[];
  /** How many subtitle tracks; absent: not looked at. */
  subtitles?: { least: number; most: number };
}
