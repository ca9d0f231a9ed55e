/** Graphs that hold pictures against each other, window by window, for one score. Pure. */
import type { InputDescription, OutputDescription } from "../media/description.ts";
import type { FilterChain, GraphSource, VideoFilter } from "../media/graph.ts";
import { aheadSeconds } from "../media/readings/comparison.ts";
import type { TargetMetric } from "../media/target-search.ts";

/** A stretch of a film, in seconds from its start. */
export interface Window {
  from: number;
  seconds: number;
}

/** Films up to this length are their own sample. */
const wholeSeconds = 20;
/** Long enough for the encoder to settle, and about a group of pictures. */
const windowSeconds = 3;
const fewestWindows = 4;
/** A film of two hours has this many, half a minute of it. */
const mostWindows = 10;
/** One more for each. */
const windowEverySeconds = 20 * 60;

/** Stretches at even distances that stand for a piece of a film; all of it where it is short. */
export function windowsOf(piece: Window): Window[] {
  if (piece.seconds <= wholeSeconds) return [piece];
  const more = Math.floor(piece.seconds / windowEverySeconds);
  const count = Math.min(mostWindows, fewestWindows + more);
  return Array.from({ length: count }, (_, index) => ({
    from: piece.from + ((index + 0.5) * piece.seconds) / count - windowSeconds / 2,
    seconds: windowSeconds,
  }));
}

/** Many are open at once, and each thread of a decoder holds a picture. */
const decoderThreads = 2;

export function windowInput(from: InputDescription["from"], window: Window): InputDescription {
  return {
    from,
    ...(window.from > 0 ? { seekSeconds: window.from } : {}),
    ...{ durationSeconds: window.seconds, decoderThreads },
  };
}

/** Windows of a stream, each through the filters, one after the other. The inputs are the first ones. */
export function joinedWindows(
  count: number,
  stream: number,
  filters: readonly VideoFilter[],
  to: string,
): FilterChain[] {
  // Each begins at zero, or what is joined would stand beside the grid of its own rate.
  const fromZero: VideoFilter[] = [{ filter: "align", aheadSeconds: 0 }, ...filters];
  if (count === 1) return [{ from: { input: 0, stream }, filters: fromZero, to }];
  const pads = Array.from({ length: count }, (_, index) => `window_${index + 1}`);
  const joined: FilterChain = {
    from: pads.map((pad) => ({ pad })),
    filters: [{ filter: "concat", count }],
    to,
  };
  return [
    ...pads.map(
      (pad, input): FilterChain => ({
        ...{ from: { input, stream }, filters: fromZero, to: pad },
      }),
    ),
    joined,
  ];
}

export interface Pair {
  reference: { from: GraphSource; filters: readonly VideoFilter[] };
  second: GraphSource;
  /** So much more than the reference the second has before it. */
  earlierSeconds: number;
}

/** Of the filters' marks: what a frame's likeness is read from. */
const likenessKeys = { ssim: "ssim.All", psnr: "psnr.mse_avg" };

/** VMAF goes by the frames of the second film, so there the reference is ahead of it. */
const furtherAhead = 2 * aheadSeconds;

/** Chains to the pads `compared_1` …, one for each pair, for the reading `likeness`. */
export function likenessGraph(
  pairs: readonly Pair[],
  metric: TargetMetric,
  pixelFormat: string,
): FilterChain[] {
  return pairs.flatMap(({ reference, second, earlierSeconds }, index): FilterChain[] => {
    const number = index + 1;
    const alike: VideoFilter[] = [
      { filter: "format", pixelFormats: [pixelFormat] },
      ...[{ filter: "setsar" as const, ratio: "1" }, { filter: "clock" as const }],
    ];
    const ahead = (seconds: number): VideoFilter => ({
      ...{ filter: "align", keepStart: true, aheadSeconds: seconds },
    });
    const [here, there] = [{ pad: `reference_${number}` }, { pad: `second_${number}` }];
    const vmaf = metric === "vmaf";
    return [
      {
        from: reference.from,
        filters: [...reference.filters, ...alike, ahead(vmaf ? furtherAhead : 0)],
        to: here.pad,
      },
      { from: second, filters: [...alike, ahead(earlierSeconds + aheadSeconds)], to: there.pad },
      {
        from: vmaf ? [there, here] : [here, there],
        filters: vmaf
          ? [{ filter: "vmaf", file: `vmaf-${number}.csv`, model: "hd", everyFrames: 1 }]
          : [
              { filter: metric },
              { filter: "note", name: `likeness${number}`, of: { key: likenessKeys[metric] } },
            ],
        to: `compared_${number}`,
      },
    ];
  });
}

/** Nothing is written but the texts. */
export function lookedAt(count: number): OutputDescription[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ file: `compared-${index + 1}.null`, container: "null" as const },
    video: { kind: "look" as const, source: { pad: `compared_${index + 1}` } },
    ...{ audio: [], subtitles: [], metadataFrom: null, limitSeconds: null },
  }));
}
