/** What the packets of a file tell without being decoded: times that jump, holes, damage that the container knows of. */

/** A stretch of a stream, in seconds as the file counts them. */
export interface Stretch {
  fromSeconds: number;
  toSeconds: number;
}

export interface StreamSurvey {
  index: number;
  kind: "video" | "audio";
  /** Seconds that one tick lasts. */
  tickSeconds: number;
  packets: number;
  keyframes: number;
  /** Of what has a time: the first packet's, and the end of the last one. Null when none has. */
  startSeconds: number | null;
  endSeconds: number | null;
  /** The usual distance between packets; null with fewer than two. */
  typicalSeconds: number | null;
  /** The longest distance between keyframes; null with fewer than two. */
  keyframeSeconds: number | null;
  /** Packets come at uneven distances, so that no distance is a hole. */
  uneven: boolean;
  /** Packets that the container calls damaged. */
  corrupt: number[];
  /** Where the decoding time goes back instead of on. */
  backwards: number[];
  gaps: Stretch[];
  overlaps: Stretch[];
  /** Times of the packets that are shown, in ticks, in order. */
  ticks: number[];
}

export interface PacketSurvey {
  /** Where the file begins on its own clock. */
  startSeconds: number;
  /** False when there were more packets than are kept. */
  complete: boolean;
  streams: StreamSurvey[];
}

/** Sections and fields for ffprobe; the order of the fields is its own. */
export const surveyArgv = [
  ...["-show_entries", "packet=stream_index,pts,dts,duration,flags"],
  ...["-show_entries", "stream=index,codec_type,time_base:format=start_time", "-of", "csv"],
];

/** Five hours of picture at 60 and four tracks of sound at 47 a second; 100 MB of memory. */
const maxPackets = 5_000_000;

/** Two packets of sound that lie over each other by less are a rounding. */
const overlapSeconds = 0.02;

/** As `unevenlySpaced` has it: a frame lost here or there makes no variable rate. */
const oddShare = 0.05;

interface Raw {
  packets: number;
  keyframes: number;
  lastDts: number | null;
  pts: number[];
  keys: number[];
  corrupt: number[];
  backwards: number[];
}

/** Takes ffprobe's lines one by one. */
export class Surveyor {
  private readonly raw = new Map<number, Raw>();
  private readonly streams: { index: number; kind: string; tickSeconds: number }[] = [];
  private startSeconds = 0;
  private seen = 0;
  private readonly gapSeconds: number;

  /** @param gapSeconds a hole is longer than the usual distance by so much */
  constructor(gapSeconds: number) {
    this.gapSeconds = gapSeconds;
  }

  see(line: string): void {
    const [section, ...fields] = line.split(",");
    if (section === "packet") this.packet(fields);
    else if (section === "stream") this.stream(fields);
    else if (section === "format") this.startSeconds = numeric(fields[0]) ?? 0;
  }

  survey(): PacketSurvey {
    const streams = this.streams.flatMap(({ index, kind, tickSeconds }) => {
      const raw = this.raw.get(index);
      if (raw === undefined || (kind !== "video" && kind !== "audio")) return [];
      return [surveyOf(raw, { index, kind, tickSeconds }, this.gapSeconds)];
    });
    return { startSeconds: this.startSeconds, complete: this.seen <= maxPackets, streams };
  }

  private packet([stream, pts, dts, , flags = ""]: string[]): void {
    const index = numeric(stream);
    if (index === null || ++this.seen > maxPackets) return;
    const raw = this.raw.get(index) ?? nothing();
    this.raw.set(index, raw);
    raw.packets += 1;
    const decoded = numeric(dts);
    const time = numeric(pts) ?? decoded;
    if (flags.includes("C") && time !== null) raw.corrupt.push(time);
    if (decoded !== null && raw.lastDts !== null && decoded < raw.lastDts) {
      raw.backwards.push(decoded);
    }
    raw.lastDts = decoded ?? raw.lastDts;
    // What is thrown away after decoding is never shown.
    if (time === null || flags.includes("D")) return;
    raw.pts.push(time);
    if (!flags.includes("K")) return;
    raw.keyframes += 1;
    raw.keys.push(time);
  }

  private stream([index, kind = "", timeBase = ""]: string[]): void {
    const [ticks = 0, seconds = 0] = timeBase.split("/").map(Number);
    const found = numeric(index);
    const known = this.streams.some((stream) => stream.index === found);
    if (found === null || known || !(seconds > 0)) return;
    this.streams.push({ index: found, kind, tickSeconds: ticks / seconds });
  }
}

function nothing(): Raw {
  return {
    ...{ packets: 0, keyframes: 0, lastDts: null },
    ...{ pts: [], keys: [], corrupt: [], backwards: [] },
  };
}

function surveyOf(
  raw: Raw,
  { index, kind, tickSeconds }: { index: number; kind: "video" | "audio"; tickSeconds: number },
  gapSeconds: number,
): StreamSurvey {
  const ticks = sorted(raw.pts);
  const seconds = (tick: number) => tick * tickSeconds;
  const distances = ticks.slice(1).map((tick, at) => tick - (ticks[at] ?? tick));
  const typical = median(distances);
  const uneven = (["long", "short"] as const).some((which) => {
    const odd = distances.filter((distance) =>
      which === "long" ? distance > 1.5 * (typical ?? 0) : distance < 0.5 * (typical ?? 0),
    ).length;
    return odd >= 2 && odd > distances.length * oddShare;
  });
  const [first, last] = [ticks[0], ticks.at(-1)];
  const keys = sorted(raw.keys);
  const between = keys.slice(1).map((key, at) => key - (keys[at] ?? key));
  return {
    ...{ index, kind, tickSeconds, packets: raw.packets, keyframes: raw.keyframes, uneven, ticks },
    startSeconds: first === undefined ? null : seconds(first),
    endSeconds: last === undefined ? null : seconds(last + (typical ?? 0)),
    typicalSeconds: typical === null ? null : seconds(typical),
    keyframeSeconds:
      between.length === 0 ? null : seconds(between.reduce((a, b) => Math.max(a, b))),
    corrupt: raw.corrupt.map(seconds),
    backwards: raw.backwards.map(seconds),
    gaps: kind === "video" && uneven ? [] : gapsOf(ticks, typical ?? 0, tickSeconds, gapSeconds),
    overlaps: kind === "audio" && !uneven ? overlapsOf(ticks, typical ?? 0, tickSeconds) : [],
  };
}

function gapsOf(ticks: number[], typical: number, tickSeconds: number, gapSeconds: number) {
  return ticks.slice(1).flatMap((tick, at): Stretch[] => {
    const ends = (ticks[at] ?? tick) + typical;
    if ((tick - ends) * tickSeconds <= gapSeconds) return [];
    return [{ fromSeconds: ends * tickSeconds, toSeconds: tick * tickSeconds }];
  });
}

/** Only where packets have one length: Vorbis and Opus change theirs. */
function overlapsOf(ticks: number[], typical: number, tickSeconds: number) {
  return ticks.slice(1).flatMap((tick, at): Stretch[] => {
    const ends = (ticks[at] ?? tick) + typical;
    if ((ends - tick) * tickSeconds <= overlapSeconds) return [];
    return [{ fromSeconds: tick * tickSeconds, toSeconds: ends * tickSeconds }];
  });
}

function sorted(values: number[]): number[] {
  return Array.from(Float64Array.from(values).sort());
}

function median(values: number[]): number | null {
  return sorted(values)[Math.floor(values.length / 2)] ?? null;
}

function numeric(text: string | undefined): number | null {
  const value = Number.parseFloat(text ?? "");
  return Number.isFinite(value) ? value : null;
}
