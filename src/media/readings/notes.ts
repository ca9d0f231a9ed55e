/** The texts that the filter `note` leaves: a line for each frame, and lines for what was found in it. */

export interface Note {
  /** The frame's time in ticks of the filter's clock. */
  tick: number;
  /** The same in seconds, to six digits. */
  seconds: number;
  /** By ffmpeg's key, `lavfi.` left out. */
  marks: Map<string, string>;
}

/** Notes one by one; what has no time is left out. */
export function* notesOf(text: string): Generator<Note> {
  let note: Note | null = null;
  for (const line of linesOf(text)) {
    const frame = /^frame:\d+\s+pts:(-?\d+|NOPTS)\s+pts_time:(\S+)/.exec(line);
    if (frame === null) {
      const equals = line.indexOf("=");
      const key = line.slice(0, equals);
      if (key.startsWith("lavfi.")) note?.marks.set(key.slice(6), line.slice(equals + 1).trim());
      continue;
    }
    if (note !== null) yield note;
    const tick = Number(frame[1]);
    note = Number.isFinite(tick) ? { tick, seconds: Number(frame[2]), marks: new Map() } : null;
  }
  if (note !== null) yield note;
}

/** Without a second copy of a text that may be large. */
function* linesOf(text: string): Generator<string> {
  let from = 0;
  while (from < text.length) {
    const end = text.indexOf("\n", from);
    yield text.slice(from, end === -1 ? text.length : end);
    from = end === -1 ? text.length : end + 1;
  }
}
