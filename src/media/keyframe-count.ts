/**
 * How many keyframes of a source could be decoded alone. In H.264 with open groups of pictures, as broadcast has
 * them, most cannot: their place in the order of frames is told only modulo a number that the gap is larger
 * than, so the decoder drops all but those that begin a closed group. And a recording of a screen may have one
 * keyframe in all.
 */

/** Listens to a run at the level `verbose`, whose lines begin with their weight. */
export class KeyframeCount {
  private readonly least: ReadonlyMap<string, number>;
  private few = false;

  /** @param least by position of the input, how many there should be */
  constructor(least: ReadonlyMap<number, number>) {
    this.least = new Map([...least].map(([input, count]) => [String(input), count]));
  }

  /** True when the line is no more than this wanted to know. */
  hear(line: string): boolean {
    const said = /Input stream #(\d+):\d+\S* \(video\): .*?(\d+) frames decoded/.exec(line);
    const [, input = "", frames] = said ?? [];
    this.few ||= Number(frames) < (this.least.get(input) ?? 0);
    return /\[(info|verbose)\] /.test(line);
  }

  get areTooFew(): boolean {
    return this.few;
  }
}
