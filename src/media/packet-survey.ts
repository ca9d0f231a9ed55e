/**
 * What the packets of a file tell without being decoded: times that jump, holes, damage that the container
 * knows of. Times in seconds from the start of the file.
 */
import { type Spot, Spots } from "./readings/stretches.ts";
import { type PackedTimes, packTimes, Times } from "./times.ts";

/** A stretch of a stream. */
export interface Stretch {
  fromSeconds: number;
  toSeconds: number;
}

export interface StreamSurvey {
  index: number;
  kind: "video" | "audio";
  packets: number;
  keyframes: number;
  /** Of what has a time: the first packet's, and the end of the last one. Null when none has. */
  startSeconds: number | null;
  endSeconds: number | null;
  /** Distances between packets: the usual one, the shortest and the longest; null with fewer than two. */
  spacing: { typicalSeconds: number; shortestSeconds: number; longestSeconds: number } | null;
  /** Packets a second, holes left out; null with fewer than two. */
  rate: number | null;
  /** The longest distance between keyframes; null with fewer than two. */
  keyframeSeconds: number | null;
  /** Packets come at uneven distances, so that no distance is a hole. */
  uneven: boolean;
  /** Packets that the container calls damaged, or that are cut off. */
  corrupt: Spot[];
  /** Such packets without a time. */
  corruptTimeless: number;
  /** Packets without any time. */
  timeless: number;
  /** Where the decoding time goes back instead of on; the first of them. */
  backwards: number[];
  backwardsCount: number;
  gaps: Stretch[];
  overlaps: Stretch[];
  /** Of the packets that are shown, and of the keyframes among them, in microseconds. */
  times: PackedTimes;
  keyTimes: PackedTimes;
}

export interface PacketSurvey {
  /** As the container says it; null when it does not. */
  durationSeconds: number | null;
  /** False when there were more packets than are kept. */
  complete: boolean;
  /** The container expected more than there is. */
  truncated: boolean;
  streams: StreamSurvey[];
}

/** Sections and fields for ffprobe; the order of the fields is its own. */
export const surveyArgv = [
  ...["-show_entries", "packet=stream_index,pts,dts,duration,flags"],
  ...["-show_entries", "stream=index,codec_type,time_base:format=start_time,duration"],
  ...["-of", "csv"],
];

/** What ffprobe says of a file that ends in the middle: MP4 and QuickTime, then Matroska and WebM. */
const truncatedWords = /partial file|File ended prematurely/;

/** Five hours of picture at 60 and four tracks of sound at 47 a second; 80 MB of memory. */
const maxPackets = 5_000_000;

/** Two packets of sound that lie over each other by less are a rounding. */
const overlapSeconds = 0.02;

/** As `unevenlySpaced` has it: a frame lost here or there makes no variable rate. */
const oddShare = 0.05;

/** Stretches and places of one kind in one stream: a file with more is beyond reading lists. */
const maxListed = 1000;

/** Damaged packets nearer to each other are one place. */
const togetherSeconds = 1;

class Stream {
  packets = 0;
  timeless = 0;
  corruptTimeless = 0;
  lastDts: number | null = null;
  /** In ticks. */
  ends = Number.NEGATIVE_INFINITY;
  /** Of showing, where packets have such times. */
  readonly shown = new Times();
  readonly shownKeys = new Times();
  /** Of decoding. */
  readonly decoded = new Times();
  readonly decodedKeys = new Times();
  readonly corrupt: number[] = [];
  readonly backwards: number[] = [];
  backwardsCount = 0;

  see(pts: number | null, dts: number | null, duration: number | null, flags: string): void {
    this.packets += 1;
    const time = pts ?? dts;
    if (flags.includes("C")) this.damaged(time);
    if (dts !== null && this.lastDts !== null && dts < this.lastDts) {
      this.backwardsCount += 1;
      if (this.backwards.length < maxListed) this.backwards.push(dts);
    }
    this.lastDts = dts ?? this.lastDts;
    // What is thrown away after decoding is never shown.
    if (flags.includes("D")) return;
    if (time === null) this.timeless += 1;
    else if (duration !== null) this.ends = Math.max(this.ends, time + duration);
    const isKey = flags.includes("K");
    if (pts !== null) this.shown.push(pts);
    if (dts !== null) this.decoded.push(dts);
    if (isKey && pts !== null) this.shownKeys.push(pts);
    if (isKey && dts !== null) this.decodedKeys.push(dts);
  }

  /**
   * Of the packets in the order in which they are shown. AVI and program streams leave times of showing out; those
   * of decoding are as far apart, and moved to where the first is shown.
   */
  times(): { all: Float64Array; keys: Float64Array } {
    const [shown, decoded] = [this.shown.sorted(), this.decoded.sorted()];
    if (shown.length >= decoded.length) return { all: shown, keys: this.shownKeys.sorted() };
    const later = shown.length === 0 ? 0 : (shown[0] ?? 0) - (decoded[0] ?? 0);
    const moved = (time: number) => time + later;
    return { all: decoded.map(moved), keys: this.decodedKeys.sorted().map(moved) };
  }

  private damaged(time: number | null): void {
    if (time === null) this.corruptTimeless += 1;
    else this.corrupt.push(time);
  }
}

/** Takes ffprobe's lines one by one. */
export class Surveyor {
  private readonly seen = new Map<number, Stream>();
  private readonly streams: { index: number; kind: string; tickSeconds: number }[] = [];
  private startSeconds = 0;
  private durationSeconds: number | null = null;
  private count = 0;
  private readonly gapSeconds: number;

  /** @param gapSeconds a hole is longer than the usual distance by so much */
  constructor(gapSeconds: number) {
    this.gapSeconds = gapSeconds;
  }

  see(line: string): void {
    const [section, ...fields] = line.split(",");
    if (section === "packet") this.packet(fields);
    else if (section === "stream") this.stream(fields);
    else if (section === "format") {
      this.startSeconds = numeric(fields[0]) ?? 0;
      this.durationSeconds = numeric(fields[1]);
    }
  }

  /** @param said what ffprobe warned of */
  survey(said: string): PacketSurvey {
    const streams = this.streams.flatMap(({ index, kind, tickSeconds }) => {
      const stream = this.seen.get(index);
      if (stream === undefined || (kind !== "video" && kind !== "audio")) return [];
      const clock = { tickSeconds, startSeconds: this.startSeconds };
      return [
        {
          index,
          kind: kind as StreamSurvey["kind"],
          ...surveyOf(stream, kind, clock, this.gapSeconds),
        },
      ];
    });
    return {
      durationSeconds: this.durationSeconds,
      complete: this.count <= maxPackets,
      truncated: truncatedWords.test(said),
      streams,
    };
  }

  private packet([stream, pts, dts, duration, flags = ""]: string[]): void {
    const index = numeric(stream);
    this.count += 1;
    if (index === null || this.count > maxPackets) return;
    const known = this.seen.get(index) ?? new Stream();
    this.seen.set(index, known);
    known.see(numeric(pts), numeric(dts), numeric(duration), flags);
  }

  private stream([index, kind = "", timeBase = ""]: string[]): void {
    const [ticks = 0, seconds = 0] = timeBase.split("/").map(Number);
    const found = numeric(index);
    const known = this.streams.some((stream) => stream.index === found);
    if (found === null || known || !(seconds > 0)) return;
    this.streams.push({ index: found, kind, tickSeconds: ticks / seconds });
  }
}

interface Clock {
  tickSeconds: number;
  startSeconds: number;
}

function surveyOf(
  stream: Stream,
  kind: string,
  { tickSeconds, startSeconds }: Clock,
  gapSeconds: number,
): Omit<StreamSurvey, "index" | "kind"> {
  const micros = (tick: number) => Math.round((tick * tickSeconds - startSeconds) * 1e6);
  const at = (tick: number) => micros(tick) / 1e6;
  const ticks = stream.times();
  const [times, keys] = [ticks.all.map(at), ticks.keys.map(at)];
  const spacing = spacingOf(times);
  const typical = spacing?.typicalSeconds ?? 0;
  const uneven = isUneven(times, typical);
  const gaps = kind === "video" && uneven ? [] : gapsOf(times, typical, gapSeconds);
  const [first, last] = [times[0], times.at(-1)];
  const spots = new Spots(togetherSeconds);
  for (const tick of stream.corrupt) spots.add(at(tick));
  return {
    ...{ packets: stream.packets, keyframes: keys.length, uneven, spacing, gaps },
    startSeconds: first ?? null,
    endSeconds: last === undefined ? null : endOf(last, typical, at(stream.ends)),
    rate: rateOf(times, gaps),
    keyframeSeconds: longest(keys),
    ...{ corrupt: spots.all, corruptTimeless: stream.corruptTimeless, timeless: stream.timeless },
    ...{ backwards: stream.backwards.map(at), backwardsCount: stream.backwardsCount },
    overlaps: kind === "audio" && !uneven ? overlapsOf(times, typical) : [],
    times: packTimes(ticks.all.map(micros)),
    keyTimes: packTimes(ticks.keys.map(micros)),
  };
}

/** A last packet that does not say how long it is, is as long as the others. */
function endOf(last: number, typical: number, said: number): number {
  return said > last ? said : last + typical;
}

/** Distances of ascending times one after the other. */
function* distancesOf(times: Float64Array): Generator<number> {
  for (let at = 1; at < times.length; at += 1) yield (times[at] ?? 0) - (times[at - 1] ?? 0);
}

function spacingOf(times: Float64Array): StreamSurvey["spacing"] {
  if (times.length < 2) return null;
  const distances = Float64Array.from(distancesOf(times)).sort();
  return {
    typicalSeconds: distances[distances.length >> 1] ?? 0,
    shortestSeconds: distances[0] ?? 0,
    longestSeconds: distances.at(-1) ?? 0,
  };
}

function isUneven(times: Float64Array, typical: number): boolean {
  let [long, short] = [0, 0];
  for (const distance of distancesOf(times)) {
    if (distance > 1.5 * typical) long += 1;
    if (distance < 0.5 * typical) short += 1;
  }
  return [long, short].some((odd) => odd >= 2 && odd > (times.length - 1) * oddShare);
}

function rateOf(times: Float64Array, gaps: Stretch[]): number | null {
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const holes = gaps.reduce((sum, { fromSeconds, toSeconds }) => sum + toSeconds - fromSeconds, 0);
  const seconds = last - first - holes;
  return times.length < 2 || seconds <= 0 ? null : (times.length - 1) / seconds;
}

function longest(times: Float64Array): number | null {
  let most: number | null = null;
  for (const distance of distancesOf(times)) most = Math.max(most ?? 0, distance);
  return most;
}

function gapsOf(times: Float64Array, typical: number, gapSeconds: number): Stretch[] {
  const gaps: Stretch[] = [];
  for (let at = 1; at < times.length && gaps.length < maxListed; at += 1) {
    const [ends, next] = [(times[at - 1] ?? 0) + typical, times[at] ?? 0];
    if (next - ends > gapSeconds) gaps.push({ fromSeconds: ends, toSeconds: next });
  }
  return gaps;
}

/** Only where packets have one length: Vorbis and Opus change theirs. */
function overlapsOf(times: Float64Array, typical: number): Stretch[] {
  const overlaps: Stretch[] = [];
  for (let at = 1; at < times.length && overlaps.length < maxListed; at += 1) {
    const [ends, next] = [(times[at - 1] ?? 0) + typical, times[at] ?? 0];
    if (ends - next > overlapSeconds) overlaps.push({ fromSeconds: next, toSeconds: ends });
  }
  return overlaps;
}

function numeric(text: string | undefined): number | null {
  const value = Number.parseFloat(text ?? "");
  return Number.isFinite(value) ? value : null;
}
