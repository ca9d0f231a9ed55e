/** What ffmpeg says on stderr: kept within bounds, and cleaned before a person or a program sees it. */

/** The first lines name the file and the codec; the last ones say why it ended. */
const headBytes = 4096;
const tailBytes = 16_384;

/** Lines of a Failure's `log`: what fits on a page. */
const logLines = 40;
const logLineChars = 300;

/** Keeps the beginning and the end of a stream of any length in bounded memory. */
export class BoundedText {
  private head = Buffer.alloc(0);
  private tail = Buffer.alloc(0);
  private droppedBytes = 0;

  push(chunk: Uint8Array): void {
    const room = headBytes - this.head.length;
    if (room > 0) this.head = Buffer.concat([this.head, chunk.subarray(0, room)]);
    const more = Buffer.concat([this.tail, chunk.subarray(Math.max(0, room))]);
    const excess = Math.max(0, more.length - tailBytes);
    this.droppedBytes += excess;
    this.tail = excess > 0 ? Buffer.from(more.subarray(excess)) : more;
  }

  text(): string {
    const gap = this.droppedBytes > 0 ? `\n… ${this.droppedBytes} bytes left out …\n` : "";
    return this.head.toString("utf8") + gap + this.tail.toString("utf8");
  }
}

/** A line that is longer is passed on in pieces. */
const lineChars = 65_536;

/** Cuts a stream into lines, without what ends them. */
export class Lines {
  private readonly decoder = new TextDecoder();
  private rest = "";
  private readonly take: (line: string) => void;

  constructor(take: (line: string) => void) {
    this.take = take;
  }

  push(chunk: Uint8Array): void {
    const lines = (this.rest + this.decoder.decode(chunk, { stream: true })).split("\n");
    this.rest = lines.pop() ?? "";
    if (this.rest.length > lineChars) {
      lines.push(this.rest);
      this.rest = "";
    }
    for (const line of lines) this.take(line);
  }

  /** Passes on the last line, which may not have ended. */
  end(): void {
    if (this.rest !== "") this.take(this.rest);
    this.rest = "";
  }
}

/** A path of this machine and the plain name that stands for it in what a person reads. */
export interface PathName {
  path: string;
  name: string;
}

/**
 * The last lines for a Failure's `log`: host paths replaced, control characters and terminal colours
 * gone, the long lists of allowed codecs cut.
 */
export function plainLog(stderr: string, names: PathName[]): string {
  const lines = hidePaths(stderr, names)
    .replace(/ not on whitelist '[^']*'/g, " is not among those that are allowed")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: hostile file names carry them
    .replace(/\x1b\[[0-9;]*m|[\x00-\x08\x0b-\x1f\x7f]/g, "")
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  return lines
    .slice(-logLines)
    .map((line) => (line.length > logLineChars ? `${line.slice(0, logLineChars)}…` : line))
    .join("\n");
}

/** Host paths replaced by their names, the longest first. */
export function hidePaths(text: string, names: PathName[]): string {
  const longestFirst = names.toSorted((a, b) => b.path.length - a.path.length);
  let hidden = text;
  for (const { path, name } of longestFirst) {
    if (path.length > 1) hidden = hidden.replaceAll(`file:${path}`, name).replaceAll(path, name);
  }
  return hidden;
}
