/** What must be known of a source before it is cut into chunks. Pure. */
import type { RenderDescription } from "../media/description.ts";
import type { VideoFilter } from "../media/filters-picture.ts";
import { sourcesOf } from "../media/graph.ts";
import type { MediaInfo } from "../media/media.ts";
import { madeRate, outputClocks, tickOf, ticksIn } from "../media/output-clock.ts";
import { variableRateClock } from "../media/render-video.ts";
import type { SeamWish } from "../media/seams.ts";
import { fractionOf, secondsOf } from "../media/ticks.ts";
import { assert } from "../trouble.ts";

/** Codecs of which every frame stands alone. */
const intraCodecs = new Set([
  ...["prores", "mjpeg", "dnxhd", "dvvideo", "cfhd", "ffv1", "huffyuv", "png", "rawvideo", "v210"],
]);

/**
 * x264 spreads its bits by what it sees coming: the last half second before the end of a chunk would look
 * worse than in one pass. It sees some frames behind the end, and they are thrown away. By quality alone five are as good as
 * twelve, within 0.07 dB; where a peak is held they are not (`docs/chunks.md`).
 */
const lookaheadFrames = { byQuality: 5, atPeak: 12 };

export function isBroadcast(source: MediaInfo | undefined): boolean {
  return source?.container === "mpegts";
}

/** The stream of the first input whose picture is worked on. */
export function pictureSource({ graph }: RenderDescription): { input: number; stream: number } {
  for (const source of graph.flatMap(sourcesOf)) {
    if ("input" in source && source.input === 0) return source;
  }
  throw new Error("invariant broken: the first input has a picture");
}

export function seamWish(
  whole: RenderDescription,
  media: readonly MediaInfo[],
  chunks: number,
): SeamWish {
  const [input] = whole.inputs;
  const [source] = media;
  assert(input !== undefined && source !== undefined, "a film has an input");
  const { stream } = pictureSource(whole);
  const filters = whole.graph.flatMap((chain) => chain.filters);
  const clock = clockOf(whole, source);
  assert(clock !== null, "the rate is known");
  const { seekSeconds, durationSeconds } = input;
  const endSeconds = endOf(filters);
  const segmentSeconds = segmentSecondsOf(whole);
  const tickSeconds = secondsOf(1, fractionOf(clock.tick));
  return {
    from: input.from,
    stream,
    uses: usesOf(whole),
    ...(seekSeconds === undefined ? {} : { seekSeconds }),
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    ...(endSeconds === undefined ? {} : { endSeconds }),
    broadcast: isBroadcast(source),
    intra: intraCodecs.has(source.video?.codec ?? ""),
    clock: clock.tick,
    constantRate: clock.constant,
    ...(filters.some((filter) => filter.filter === "fps" && filter.startSeconds === 0)
      ? { fromZero: true as const }
      : {}),
    ...(segmentSeconds === null ? {} : { everySlots: Math.round(segmentSeconds / tickSeconds) }),
    chunks,
    neighbours: filters.some(({ filter }) => filter === "deinterlace") ? neighbourFrames : 0,
    leadOut: leadOutOf(whole, source, clock.tick),
  };
}

/** A deinterlacer looks one frame back and one ahead. */
const neighbourFrames = 2;

/** Of outputs that are made for segments: how long those are; null where there are none. */
export function segmentSecondsOf({ outputs }: RenderDescription): number | null {
  const lengths = new Set(
    outputs.flatMap(({ video }) =>
      video?.kind === "encode" && video.forcedKeyframes !== undefined
        ? [video.forcedKeyframes.segmentSeconds]
        : [],
    ),
  );
  assert(lengths.size <= 1, "segments of all outputs are as long as each other");
  return [...lengths][0] ?? null;
}

/**
 * Seconds of a tick of the outputs' clock, the finest of several, and whether the graph makes the rate; null when
 * it is not known.
 */
export function clockOf(
  whole: RenderDescription,
  { video }: MediaInfo,
): { tick: string; constant: boolean } | null {
  const { graph, outputs } = whole;
  if (graph.some(({ filters }) => filters.some(({ filter }) => filter === "fps"))) {
    const tick = madeTick(whole);
    return tick === null ? null : { tick, constant: true };
  }
  const uneven = outputs.map((output) =>
    output.video?.kind === "encode" ? output.video.variableFrameRate === true : false,
  );
  if (uneven.some(Boolean)) {
    return uneven.every(Boolean) ? { tick: `1/${variableRateClock}`, constant: false } : null;
  }
  const tick = tickOf(video?.frameRate ?? "");
  return tick === null ? null : { tick, constant: false };
}

/** The shortest tick of the rates that the graph makes, of which all others are whole numbers; else null. */
function madeTick({ graph, outputs }: RenderDescription): string | null {
  const ticks = outputs.flatMap(({ video }) => {
    if (video?.kind !== "encode" || !("pad" in video.source)) return [];
    return [tickOf(madeRate(graph, video.source.pad) ?? "")];
  });
  const made = ticks.filter((tick) => tick !== null);
  const [finest] = made.toSorted(
    (a, b) => secondsOf(1, fractionOf(a)) - secondsOf(1, fractionOf(b)),
  );
  if (finest === undefined || made.length < ticks.length) return null;
  return made.every((tick) => ticksIn(tick, finest) !== null) ? finest : null;
}

/** Streams of the first input that one pass would read. */
function usesOf({ graph, sound = [], outputs }: RenderDescription): number[] {
  const sources = [
    ...[...graph, ...sound].flatMap(sourcesOf),
    ...outputs
      .flatMap(({ audio, subtitles }) => [...audio, ...subtitles])
      .map(({ source }) => source),
  ];
  const streams = sources.flatMap((source) =>
    "input" in source && source.input === 0 ? [source.stream] : [],
  );
  return [...new Set(streams)].toSorted((a, b) => a - b);
}

function endOf(filters: readonly VideoFilter[]): number | undefined {
  const ends = filters.flatMap((filter) =>
    filter.filter === "trim" && filter.endSeconds !== undefined ? [filter.endSeconds] : [],
  );
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/**
 * In ticks of the clock: of an uneven rate as long as so many frames are on average, and of several clocks a whole
 * number of the slowest one's.
 */
function leadOutOf(whole: RenderDescription, { video }: MediaInfo, tick: string): number {
  const frames = Math.max(...whole.outputs.map(lookaheadOf));
  if (frames === 0) return 0;
  if (tick !== `1/${variableRateClock}`) {
    const slowest = Math.max(...outputClocks(whole, tick).map(({ slots }) => slots));
    return slowest * Math.ceil(frames / slowest);
  }
  const { num, den } = fractionOf(tickOf(video?.frameRate ?? "") ?? "1/25");
  return Math.round((frames * variableRateClock * num) / den);
}

function lookaheadOf({ video }: RenderDescription["outputs"][number]): number {
  if (video?.kind !== "encode" || video.codec !== "h264") return 0;
  const byQuality = "quality" in video.rate && video.rate.maxBitRate === undefined;
  return byQuality ? lookaheadFrames.byQuality : lookaheadFrames.atPeak;
}
