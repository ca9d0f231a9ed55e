/**
 * What decoders could not make of their packets, and about when: ffmpeg says it between the notes of the
 * frames that come out. There can be millions of lines.
 */

/** ffmpeg 5.1 and 6; then 7.0 and later, where the stream stands before the decoder. */
const failed = [
  /Error while decoding stream #\d+:(\d+)/,
  /\[[va]ist#\d+:(\d+)\/.*(?:Error submitting packet to decoder|Decoding error)/,
];
/** The decoder made something of it, and says that it is not right. */
const concealed = [
  /corrupt decoded frame in stream (\d+)/,
  /\[[va]ist#\d+:(\d+)\/.*corrupt decoded frame/,
];
/** A decoder itself, which does not know its stream: `[h264 @ 0x5624] [error] error while decoding MB 0 1`. */
const decoderSays = /^\[(\w+) @ 0x[0-9a-f]+\] \[(?:error|fatal)\] /;
/** Which decoder each stream got: `  Stream #0:0 (h264) -> blackdetect:default`. */
const mapping = /^(?:\[info\] )? +Stream #0:(\d+) \((\w+)\) -> /;
const repeated = /Last message repeated (\d+) times/;

/** Errors that lie apart by no more than this belong together: a decoder speaks until its next keyframe. */
const togetherSeconds = 2;

/** More places than anybody reads; what comes after them counts to the last one. */
const maxSpots = 2000;

/** Where a decoder met errors, in seconds from the start of the file. */
export interface ErrorSpot {
  /** Null where it cannot be told which of several it was. */
  stream: number | null;
  /** The last frame that came out before the errors, and before the last of them; null before the first. */
  fromSeconds: number | null;
  toSeconds: number | null;
  /** Packets that were given up, or whose frame is damaged. */
  failures: number;
  /** What the decoder complained of. */
  complaints: number;
}

type Kind = "failures" | "complaints";

export class DecodeErrors {
  private readonly spots: ErrorSpot[] = [];
  private readonly latest = new Map<number | null, ErrorSpot>();
  private readonly streamsOf = new Map<string, Set<number>>();
  private readonly reached = new Map<number, number>();
  private last: { stream: number | null; kind: Kind } | null = null;

  /** A frame of a stream came out. */
  reach(stream: number, seconds: number): void {
    this.reached.set(stream, seconds);
  }

  see(line: string): void {
    const again = repeated.exec(line);
    if (again !== null) {
      if (this.last !== null) this.count(this.last.stream, this.last.kind, Number(again[1]));
      return;
    }
    const mapped = mapping.exec(line);
    if (mapped !== null) this.map(Number(mapped[1]), mapped[2] ?? "");
    this.last = this.errorIn(line);
    if (this.last !== null) this.count(this.last.stream, this.last.kind, 1);
  }

  found(): ErrorSpot[] {
    return this.spots;
  }

  private map(stream: number, decoder: string): void {
    const streams = this.streamsOf.get(decoder) ?? new Set();
    this.streamsOf.set(decoder, streams.add(stream));
  }

  private errorIn(line: string): { stream: number | null; kind: Kind } | null {
    for (const pattern of [...failed, ...concealed]) {
      const found = pattern.exec(line)?.[1];
      if (found !== undefined) return { stream: Number(found), kind: "failures" };
    }
    const streams = this.streamsOf.get(decoderSays.exec(line)?.[1] ?? "");
    if (streams === undefined) return null;
    const [only = null] = streams;
    return { stream: streams.size === 1 ? only : null, kind: "complaints" };
  }

  private count(stream: number | null, kind: Kind, times: number): void {
    const seconds = stream === null ? this.furthest() : (this.reached.get(stream) ?? null);
    const open = this.latest.get(stream);
    const near = open !== undefined && (seconds ?? 0) - (open.toSeconds ?? 0) <= togetherSeconds;
    if (open !== undefined && (near || this.spots.length >= maxSpots)) {
      open.toSeconds = seconds;
      open[kind] += times;
      return;
    }
    if (this.spots.length >= maxSpots) return;
    const spot: ErrorSpot = {
      ...{ stream, fromSeconds: seconds, toSeconds: seconds, failures: 0, complaints: 0 },
      [kind]: times,
    };
    this.spots.push(spot);
    this.latest.set(stream, spot);
  }

  private furthest(): number | null {
    return this.reached.size === 0 ? null : Math.max(...this.reached.values());
  }
}
