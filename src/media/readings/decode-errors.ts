/** Counts what decoders could not make of their packets, while ffmpeg says it: there can be millions of lines. */

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
const repeated = /Last message repeated (\d+) times/;

export class DecodeErrors {
  private readonly counts = new Map<number, number>();
  private last: number | null = null;

  see(line: string): void {
    const again = repeated.exec(line);
    if (again !== null) {
      this.count(this.last, Number(again[1]));
      return;
    }
    this.last = streamOf(line);
    this.count(this.last, 1);
  }

  byStream(): Record<number, number> {
    return Object.fromEntries(this.counts);
  }

  private count(stream: number | null, times: number): void {
    if (stream !== null) this.counts.set(stream, (this.counts.get(stream) ?? 0) + times);
  }
}

function streamOf(line: string): number | null {
  for (const pattern of [...failed, ...concealed]) {
    const found = pattern.exec(line)?.[1];
    if (found !== undefined) return Number(found);
  }
  return null;
}
