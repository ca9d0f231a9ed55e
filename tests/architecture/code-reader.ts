/**
 * Reads the strings and templates of a source file: enough of the language to know where each begins and ends, with
 * comments, regular expressions and templates within templates.
 */

export interface Literal {
  /** For a template, its text with a NUL at each hole. */
  text: string;
  /** The name before a template: "html". Null for a string. */
  tag: string | null;
  line: number;
  /** What stands before it on its line. */
  before: string;
}

export function literalsOf(source: string): Literal[] {
  const reader = new CodeReader(source);
  reader.readCode(false);
  return reader.found;
}

class CodeReader {
  readonly found: Literal[] = [];
  private readonly source: string;
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  /** To the end, or to the brace that ends a hole. */
  readCode(inHole: boolean): void {
    let depth = 0;
    while (this.at < this.source.length) {
      const sign = this.source.charAt(this.at);
      if (this.skipComment() || this.skipExpression()) continue;
      if (sign === '"' || sign === "'") this.readString(sign);
      else if (sign === "`") this.readTemplate();
      else {
        if (sign === "{") depth += 1;
        if (sign === "}" && depth === 0 && inHole) return;
        if (sign === "}") depth -= 1;
        this.at += 1;
      }
    }
  }

  private skipComment(): boolean {
    const end = this.source.startsWith("//", this.at)
      ? "\n"
      : this.source.startsWith("/*", this.at)
        ? "*/"
        : null;
    if (end === null) return false;
    const found = this.source.indexOf(end, this.at + 2);
    this.at = found === -1 ? this.source.length : found + end.length;
    return true;
  }

  /** A slash begins a regular expression where no value can stand before it. */
  private skipExpression(): boolean {
    if (this.source.charAt(this.at) !== "/") return false;
    const before = this.source.slice(Math.max(0, this.at - 20), this.at).trimEnd();
    if (!/(^|[(=,:[!&|?{};>]|return)$/.test(before)) return false;
    const literal = /^\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\//.exec(
      this.source.slice(this.at),
    );
    if (literal === null) return false;
    this.at += literal[0].length;
    return true;
  }

  private readString(quote: string): void {
    const start = this.at;
    this.at += 1;
    while (this.at < this.source.length && this.source.charAt(this.at) !== quote) {
      this.at += this.source.charAt(this.at) === "\\" ? 2 : 1;
    }
    this.note(start, this.source.slice(start + 1, this.at), null);
    this.at += 1;
  }

  private readTemplate(): void {
    const start = this.at;
    const tag = /([A-Za-z_$][\w$.]*)$/.exec(this.source.slice(0, start))?.[1] ?? "";
    let text = "";
    this.at += 1;
    while (this.at < this.source.length && this.source.charAt(this.at) !== "`") {
      if (this.source.startsWith("${", this.at)) {
        this.at += 2;
        this.readCode(true);
        this.at += 1;
        text += "\0";
      } else {
        const step = this.source.charAt(this.at) === "\\" ? 2 : 1;
        text += this.source.slice(this.at, this.at + step);
        this.at += step;
      }
    }
    this.at += 1;
    this.note(start, text, tag);
  }

  private note(start: number, text: string, tag: string | null): void {
    const lineStart = this.source.lastIndexOf("\n", start) + 1;
    const line = this.source.slice(0, start).split("\n").length;
    this.found.push({ text, tag, line, before: this.source.slice(lineStart, start) });
  }
}
