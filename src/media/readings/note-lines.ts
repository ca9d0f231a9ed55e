/** What the filter `note` says on stderr: a line for a frame, and a line for each thing that was found in it. */

export interface Note {
  /** Name of the `note`. */
  name: string;
  /** The frame's time in ticks of the filter's clock; null when it has none. */
  tick: number | null;
  /** Nothing came before it: the first of all, or the first after the picture's or the sound's format changed. */
  first: boolean;
  /** By ffmpeg's key, `lavfi.` left out. */
  marks: Map<string, string>;
}

/** The name stands where ffmpeg names the filter: `[metadata@picture @ 0x55d0c8a0] frame:0    pts:0 …`. */
const line = /\[a?metadata@([a-z0-9]+) @ 0x[0-9a-f]+\] (?:\[\w+\] )?(.*)$/;
const frame = /^frame:(\d+)\s+pts:(-?\d+|NOPTS)\b/;

export interface NoteTakers {
  /** Gets each note once it is whole: when the next of its name comes. */
  take?(note: Note): void;
  /** Gets a note's name and time at once. */
  begin?(name: string, tick: number): void;
  /** Gets what was found at once. */
  mark?(name: string, key: string, value: string): void;
}

export class NoteLines {
  private readonly open = new Map<string, Note>();
  private readonly takers: NoteTakers;

  constructor(takers: NoteTakers) {
    this.takers = takers;
  }

  /** True when the line is a note's. */
  see(text: string): boolean {
    const found = line.exec(text);
    if (found === null) return false;
    const [, name = "", said = ""] = found;
    const times = frame.exec(said);
    if (times === null) this.mark(name, said);
    else this.start(name, times[1] === "0", Number(times[2]));
    return true;
  }

  /** No more lines come. */
  finish(): void {
    for (const note of this.open.values()) this.takers.take?.(note);
    this.open.clear();
  }

  private start(name: string, first: boolean, tick: number): void {
    const before = this.open.get(name);
    if (before !== undefined) this.takers.take?.(before);
    const known = Number.isFinite(tick);
    this.open.set(name, { name, first, tick: known ? tick : null, marks: new Map() });
    if (known) this.takers.begin?.(name, tick);
  }

  private mark(name: string, said: string): void {
    const equals = said.indexOf("=");
    const key = said.slice(0, equals);
    if (!key.startsWith("lavfi.")) return;
    const value = said.slice(equals + 1).trim();
    this.open.get(name)?.marks.set(key.slice(6), value);
    this.takers.mark?.(name, key.slice(6), value);
  }
}
