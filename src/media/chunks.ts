/**
 * Chunks of a picture: the run that encodes one, what is told of it, and how they are joined. Each is encoded
 * on the times of one pass over the whole, so that filters that go by time need not know of it, and only at
 * the end brought to zero. Pure.
 */
import { assert } from "../trouble.ts";
import type {
  InputDescription,
  OutputDescription,
  RenderDescription,
  StepFileRef,
  VideoEncode,
} from "./description.ts";
import type { VideoFilter } from "./filters-picture.ts";
import { type FilterChain, type GraphSource, sourcesOf } from "./graph.ts";
import { type OutputClock, outputClocks, ownSeam } from "./output-clock.ts";
import type { Piece } from "./pieces.ts";
import type { Seam, Seams } from "./seams.ts";
import { type Fraction, fractionOf, microsecondsOf, rescale, secondsOf } from "./ticks.ts";

/** What is known of a chunk when it is made: a file beside its pictures. */
export const chunkReport = "chunk.json";

/** The file of a chunk for an output, by the output's position. */
export function pictureFile({ outputs }: RenderDescription, output: number): string {
  const video = outputs[output]?.video;
  assert(video?.kind === "encode", "a chunk is encoded");
  return `picture-${output + 1}.${video.codec === "prores" ? "mov" : "mp4"}`;
}

/** Names of all that a chunk leaves. */
export function chunkFiles(description: RenderDescription): string[] {
  return [...description.outputs.map((_, index) => pictureFile(description, index)), chunkReport];
}

/** One encoded picture of a chunk, as its packets tell. Times in slots of the output's clock. */
export interface ChunkPicture {
  packets: number;
  /** When its first frame is shown, counted from where the chunk begins: 0 when all is well. */
  firstSlot: number;
  /** When its last frame is shown, of those that are not thrown away. */
  lastSlot: number;
  /** What stands behind the end begins with a keyframe, and nothing before needs it. */
  endsClean: boolean;
  /** By the decoding times of the file: between what is kept and that. Null when all is kept. */
  untilSeconds: number | null;
  /** Parameters of its stream and of its encoder: all chunks of a picture must have the same. */
  signature: string;
}

/** Null for a chunk without frames. */
export interface ChunkReport {
  pictures: ChunkPicture[] | null;
}

/** The run that encodes a chunk. The picture that is cut is that of the first input. */
export function chunkRun(
  whole: RenderDescription,
  seam: Seam,
  { clock, timeBase }: Pick<Seams, "clock" | "timeBase">,
): RenderDescription {
  const [source, ...others] = whole.inputs;
  assert(source !== undefined, "a chunk has an input");
  const tick = fractionOf(clock);
  const startsAt = secondsOf(seam.firstSlot, tick);
  const own = outputClocks(whole, clock).map((each) => ({ ...each, seam: ownSeam(seam, each) }));
  const tailFor = new Map(
    whole.outputs.flatMap(({ video }, index): [string, VideoFilter[]][] => {
      const its = own[index];
      if (its === undefined || video?.kind !== "encode" || !("pad" in video.source)) return [];
      return [[video.source.pad, tailOf(its.seam, its.clock)]];
    }),
  );
  const stills = new Set(others.flatMap(({ still }, at) => (still === undefined ? [] : [at + 1])));
  const headed = withHeads(filledFrom(whole.graph, seam), (input) => {
    if (input === 0) return headOf(seam);
    return stills.has(input) ? stillHead(seam, timeBase) : [];
  });
  const tails = withTails(headed, tailFor);
  const outputs = whole.outputs.map((output, index) => {
    const { video } = output;
    assert(video?.kind === "encode" && "pad" in video.source, "a chunk is filtered and encoded");
    const its = own[index];
    assert(its !== undefined, "an output has a clock");
    const { pad } = video.source;
    const made = { ...video, source: { pad: tails.renamed.get(pad) ?? pad } };
    return chunkOutput(output, { ...its, file: pictureFile(whole, index), video: made });
  });
  const left = whole.expectedSeconds === null ? null : whole.expectedSeconds - startsAt;
  const lasts = seam.endSlot === null ? left : secondsOf(seam.endSlot - seam.firstSlot, tick);
  return {
    ...whole,
    inputs: [readFrom(source, seam), ...others],
    graph: tails.graph,
    outputs,
    expectedSeconds: lasts === null ? null : Math.max(secondsOf(1, tick), lasts),
  };
}

function readFrom(source: InputDescription, { seekSeconds, fromTick }: Seam): InputDescription {
  const { seekSeconds: _, durationSeconds: __, ...rest } = source;
  if (seekSeconds === null) return rest;
  return { ...rest, seekSeconds, ...(fromTick === null ? {} : { keepsLead: true }) };
}

/** Only the first chunk is filled from zero on: the others begin with the frame that is shown where they are cut. */
function filledFrom(graph: readonly FilterChain[], { fromTick }: Seam): readonly FilterChain[] {
  if (fromTick === null) return graph;
  return graph.map((chain) => ({
    ...chain,
    filters: chain.filters.map((filter): VideoFilter => {
      if (filter.filter !== "fps" || filter.startSeconds === undefined) return filter;
      return { filter: "fps", rate: filter.rate, fillsLast: true };
    }),
  }));
}

/** What stands before all filters: times of one pass, and of the frames those that are needed. */
function headOf({ addTicks, fromTick, untilTick }: Seam): VideoFilter[] {
  const window = {
    filter: "window" as const,
    ...(fromTick === null ? {} : { fromTick }),
    ...(untilTick === null ? {} : { untilTick }),
  };
  return [
    ...(addTicks === 0 ? [] : [{ filter: "ticks" as const, add: addTicks }]),
    ...(fromTick === null && untilTick === null ? [] : [window]),
  ];
}

/** What stands behind them: the output's clock, the frames of the chunk, and its own zero. */
function tailOf({ firstSlot, fromTick, leadSlot }: Seam, clock: string): VideoFilter[] {
  const window = {
    filter: "window" as const,
    ...(fromTick === null ? {} : { fromTick: firstSlot }),
    ...(leadSlot === null ? {} : { untilTick: leadSlot }),
  };
  return [
    { filter: "ticks", add: 0, clock },
    ...(fromTick === null && leadSlot === null ? [] : [window]),
    ...(firstSlot === 0 ? [] : [{ filter: "ticks" as const, add: -firstSlot }]),
  ];
}

/**
 * What stands before all filters of a still: it comes with the first frame, and not at zero. What is laid over a film
 * for a time alone is seen on the first frame by the time of what came last (`enable` of libavfilter).
 */
function stillHead({ fromTick }: Seam, timeBase: string): VideoFilter[] {
  return fromTick === null ? [] : [{ filter: "ticks", add: fromTick, clock: timeBase }];
}

function withHeads(
  graph: readonly FilterChain[],
  headFor: (input: number) => VideoFilter[],
): FilterChain[] {
  let added = 0;
  return graph.flatMap((chain): FilterChain[] => {
    const sources = sourcesOf(chain);
    const [first] = sources;
    if (sources.length === 1 && first !== undefined) {
      return [{ ...chain, filters: [...headBefore(first, headFor), ...chain.filters] }];
    }
    const heads: FilterChain[] = [];
    const from = sources.map((source): GraphSource => {
      const head = headBefore(source, headFor);
      if (head.length === 0) return source;
      added += 1;
      const pad = `chunk${added}`;
      heads.push({ from: source, filters: head, to: pad });
      return { pad };
    });
    return heads.length === 0 ? [chain] : [...heads, { ...chain, from }];
  });
}

function headBefore(source: GraphSource, headFor: (input: number) => VideoFilter[]) {
  return "input" in source ? headFor(source.input) : [];
}

function withTails(
  graph: readonly FilterChain[],
  tailFor: ReadonlyMap<string, VideoFilter[]>,
): { graph: FilterChain[]; renamed: Map<string, string> } {
  const last = graph.map((chain) => {
    const tail = typeof chain.to === "string" ? tailFor.get(chain.to) : undefined;
    return tail === undefined ? chain : { ...chain, filters: [...chain.filters, ...tail] };
  });
  // What a split makes has no filters of its own.
  const split = graph.flatMap(({ to }) => (typeof to === "string" ? [] : to));
  const renamed = new Map<string, string>();
  const more: FilterChain[] = [];
  for (const pad of split) {
    const tail = tailFor.get(pad);
    if (tail === undefined) continue;
    const to = `${pad}_chunk`;
    renamed.set(pad, to);
    more.push({ from: { pad }, filters: tail, to });
  }
  return { graph: [...last, ...more], renamed };
}

/**
 * A chunk that began with the full buffer of a peak would spend it once more: where all of a film is at the peak, chunks
 * of four seconds came out 17 % larger than one pass. Of half of it they are as large and begin half a decibel worse; of this
 * they are about as sharp on both sides (`docs/chunks.md`).
 */
const goingBufferShare = 0.6;

/** The seam in ticks of the output's own clock. */
interface ChunkOutput extends OutputClock {
  file: string;
  video: VideoEncode;
  seam: Seam;
}

function chunkOutput(
  output: OutputDescription,
  { file, video, seam, clock }: ChunkOutput,
): OutputDescription {
  const { endSlot, leadSlot, firstSlot } = seam;
  const tick = fractionOf(clock);
  const throwsAway = endSlot !== null && leadSlot !== null && leadSlot > endSlot;
  const goesOn = seam.fromTick !== null && "quality" in video.rate && video.rate.maxBitRate;
  // A little before, for ffmpeg takes the first frame at the time or behind it.
  const keyframeAtSeconds = throwsAway ? secondsOf(endSlot - firstSlot - 0.25, tick) : null;
  const { limitSeconds, ticksPerSecond } = output;
  return {
    file,
    container: video.codec === "prores" ? "mov" : "mp4",
    video: {
      ...video,
      clock,
      ...(keyframeAtSeconds === null ? {} : { keyframeAtSeconds }),
      ...(goesOn ? { bufferShare: goingBufferShare } : {}),
    },
    audio: [],
    subtitles: [],
    metadataFrom: null,
    isIntermediate: true,
    ...(ticksPerSecond === undefined ? {} : { ticksPerSecond }),
    limitSeconds:
      limitSeconds === null || leadSlot !== null ? null : limitSeconds - secondsOf(firstSlot, tick),
  };
}

/** A packet of a chunk, in decoding order. */
export interface ChunkPacket {
  pts: number;
  dts: number;
  key: boolean;
}

/** What the packets of a chunk's picture tell; null when there are none. */
export function chunkPicture(
  packets: readonly ChunkPacket[],
  { firstSlot, endSlot }: Seam,
  { timeBase, clock, signature }: { timeBase: Fraction; clock: Fraction; signature: string },
): ChunkPicture | null {
  if (packets.length === 0) return null;
  const slots = packets.map(({ pts }) => rescale(pts, timeBase, clock));
  const end = endSlot === null ? Number.POSITIVE_INFINITY : endSlot - firstSlot;
  const behind = slots.findIndex((slot) => slot >= end);
  const kept = slots.filter((slot) => slot < end);
  const endsClean =
    behind < 0 ||
    (packets[behind]?.key === true && slots.slice(behind).every((slot) => slot >= end));
  return {
    packets: kept.length,
    firstSlot: kept.reduce((least, slot) => Math.min(least, slot), Number.POSITIVE_INFINITY),
    lastSlot: kept.reduce((most, slot) => Math.max(most, slot), Number.NEGATIVE_INFINITY),
    endsClean,
    untilSeconds: behind < 0 ? null : secondsOf(dtsBetween(packets, behind), timeBase),
    signature,
  };
}

function dtsBetween(packets: readonly ChunkPacket[], behind: number): number {
  const next = packets[behind]?.dts ?? 0;
  return ((packets[behind - 1]?.dts ?? next - 1) + next) / 2;
}

/** A chunk with frames, and the file of one of its pictures beside the list; slots of the picture's own clock. */
export interface MadeChunk {
  seam: Seam;
  picture: ChunkPicture;
  file: string;
}

/** The chunks one after the other: each at the very microsecond, for roundings must not add up. */
export function chunkPieces(chunks: readonly MadeChunk[], clock: string): Piece[] {
  const tick = fractionOf(clock);
  const at = (slot: number) => microsecondsOf(secondsOf(slot, tick));
  return chunks.map((chunk, index) => {
    const next = chunks[index + 1];
    const { seam, picture, file } = chunk;
    const ends = next === undefined ? seam.firstSlot + picture.lastSlot + 1 : beginsAt(next);
    const { untilSeconds } = picture;
    return {
      file,
      seconds: (at(ends) - at(beginsAt(chunk))) / 1e6,
      ...(untilSeconds === null ? {} : { untilSeconds }),
    };
  });
}

/** The slot of its first frame. */
function beginsAt({ seam, picture }: MadeChunk): number {
  return seam.firstSlot + picture.firstSlot;
}

export interface JoinFacts {
  /** One for each picture. */
  lists: readonly ChunkList[];
  /** When a file of an earlier step begins, in seconds: below zero where its encoder needs a run-up. */
  startOf(file: StepFileRef): number;
}

/** The list of the chunks of one picture, its clock, and when the first of them begins. */
export interface ChunkList {
  from: StepFileRef;
  clock: string;
  first: MadeChunk;
}

/** The run that joins them. */
export function joinRun(
  description: RenderDescription,
  { lists, startOf }: JoinFacts,
): RenderDescription {
  const inputs = description.inputs.slice(0, -lists.length).map((input): InputDescription => {
    // ffmpeg moves what it reads so that it begins at zero; a sound that was encoded alone must not be moved.
    const start = input.keepsStart && "step" in input.from ? startOf(input.from) : 0;
    return start === 0 ? input : { ...input, offsetSeconds: start };
  });
  const joined = lists.map(({ from, clock, first }): InputDescription => {
    const offsetSeconds = secondsOf(beginsAt(first), fractionOf(clock));
    return { from, pieces: true, offsetSeconds };
  });
  return { ...description, inputs: [...inputs, ...joined] };
}
