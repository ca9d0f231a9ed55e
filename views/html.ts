/**
 * The only way to make HTML here: a tagged template that escapes by default. A template is read once
 * and every hole gets a context; a hole where escaping cannot protect (a tag or attribute name, an
 * unquoted value, a handler, a style, a script, an htmx attribute that is code) is refused on first use.
 *
 * - In text a hole takes strings, numbers, other templates, arrays of them; null, undefined and
 *   booleans give nothing.
 * - In an attribute a hole stands inside quotes. When it is the whole value, null, undefined and false
 *   drop the attribute and true leaves its bare name: `<input checked="${on}">`.
 * - Addresses and hx- attributes must not begin with a scheme that a browser or htmx executes
 *   (`javascript:`, `js:`, `data:` …).
 * - `<script>` and every element with an htmx attribute get the nonce of the response by themselves,
 *   so that none can be forgotten: hx-csp takes the attributes off an element without one.
 * - A path of this site in an attribute that is an address (`href`, `hx-get`, `data-address` …) gets the path before it
 *   under which the site is served (behind a proxy: /kinomill), so that no view has to know of it.
 */
import { type AttributeHole, type Compiled, compile, isSitePath } from "./template.ts";

/** What a hole may hold. */
export type Hole = Html | string | number | boolean | null | undefined | readonly Hole[];

/** Where the nonce goes. One object, so that no text can be mistaken for it. */
const nonceHere: unique symbol = Symbol("nonce");
/** Where the path goes under which the site is served. */
const baseHere: unique symbol = Symbol("base");
type Piece = string | Html | typeof nonceHere | typeof baseHere;

/** What a view is completed with when it is sent. */
interface Sending {
  /** Null for none. */
  nonce: string | null;
  /** Null where there may be no path of this site. */
  base: string | null;
}

/** HTML that is safe to send. Made only by `html` and `raw`. */
export class Html {
  readonly #pieces: readonly Piece[];

  private constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** @internal for `html` and `raw` of this file. */
  static of(pieces: readonly Piece[]): Html {
    return new Html(pieces);
  }

  /**
   * The text to send.
   * @param nonce of this response's Content-Security-Policy: 16 or more characters of base64.
   * @param base path under which this asker finds the site, without a slash at its end: "" or "/kinomill"
   */
  render(nonce: string, base = ""): string {
    if (!/^[A-Za-z0-9+/_-]{16,}={0,2}$/.test(nonce)) {
      throw new Error("invariant broken: a nonce is 16 or more characters of base64");
    }
    return this.#text({ nonce, base: escapeHtml(base) });
  }

  /**
   * For messages of the event stream: they carry no behaviour, and as one text goes to everybody, no path of this
   * site either. @throws Error for a view with such a path
   */
  message(): string {
    return this.#text({ nonce: null, base: null });
  }

  /** Without nonces: for tests. */
  toString(): string {
    return this.#text({ nonce: null, base: "" });
  }

  #text(sending: Sending): string {
    const out: string[] = [];
    this.#write(out, sending);
    return out.join("");
  }

  #write(out: string[], sending: Sending): void {
    for (const piece of this.#pieces) {
      if (typeof piece === "string") out.push(piece);
      else if (piece === nonceHere) out.push(sending.nonce ?? "");
      else if (piece !== baseHere) piece.#write(out, sending);
      else if (sending.base === null) throw new Error("a message of the stream names no path");
      else out.push(sending.base);
    }
  }
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
  "\0": "\ufffd",
};

/** Text as HTML text or as the inside of a quoted attribute. */
export function escapeHtml(text: string): string {
  // Browsers drop NUL, which could join what was apart.
  return text.replace(/[&<>"'`\0]/g, (character) => entities[character] ?? character);
}

/** Trusted constants only: markup of our own such as an icon. Never a value that anybody sent. */
export function raw(trusted: string): Html {
  return Html.of([trusted]);
}

export const nothing: Html = raw("");

const compiledTemplates = new WeakMap<TemplateStringsArray, Compiled>();

/** @throws Error when the template has a hole where none may be, or a hole holds what its place refuses. */
export function html(strings: TemplateStringsArray, ...holes: Hole[]): Html {
  let compiled = compiledTemplates.get(strings);
  if (compiled === undefined) {
    compiled = compile(strings);
    compiledTemplates.set(strings, compiled);
  }
  const pieces: Piece[] = [];
  for (const part of compiled.parts) {
    if (typeof part === "string") pieces.push(part);
    else if (part.kind === "nonce") pieces.push(nonceHere);
    else if (part.kind === "base") pieces.push(baseHere);
    else if (part.kind === "text") pushText(pieces, holes[part.hole]);
    else pushAttribute(pieces, part, holes);
  }
  return Html.of(pieces);
}

function pushText(pieces: Piece[], hole: Hole): void {
  if (hole instanceof Html) pieces.push(hole);
  else if (typeof hole === "string") pieces.push(escapeHtml(hole));
  else if (typeof hole === "number") pieces.push(String(hole));
  else if (Array.isArray(hole)) for (const member of hole) pushText(pieces, member);
  else if (hole !== null && hole !== undefined && typeof hole !== "boolean") {
    throw new TypeError(`html: a hole holds ${typeof hole}; give text, a number or a template`);
  }
}

/** Schemes that a browser or htmx executes or that carry markup with them. */
const executableScheme = /^(?:javascript|js|data|vbscript|blob|filesystem):/i;

function pushAttribute(pieces: Piece[], part: AttributeHole, holes: readonly Hole[]): void {
  const value = textOf(part, holes);
  if (value === null) return;
  const text = `${escapeHtml(value)}"`;
  if (part.address && isSitePath(value)) pieces.push(` ${part.name}="`, baseHere, text);
  else pieces.push(` ${part.name}="${text}`);
}

/** Null for an attribute that is left out. */
function textOf(part: AttributeHole, holes: readonly Hole[]): string | null {
  const [only] = part.holes;
  if (part.holes.length === 1 && part.texts.join("") === "" && only !== undefined) {
    const whole = holes[only];
    if (whole === null || whole === undefined || whole === false) return null;
    if (whole === true) return "";
  }
  let value = part.texts[0] ?? "";
  part.holes.forEach((hole, position) => {
    value += attributeValue(part.name, holes[hole]) + (part.texts[position + 1] ?? "");
  });
  // Browsers skip white space and control characters in a scheme, so the check does too.
  if (part.executable && executableScheme.test(value.replace(/[\0-\x20]/g, ""))) {
    throw new Error(`html: the attribute ${part.name} must not begin with an executable scheme`);
  }
  return value;
}

function attributeValue(name: string, hole: Hole): string {
  if (typeof hole === "string") return hole;
  if (typeof hole === "number") return String(hole);
  if (hole === null || hole === undefined || hole === false) return "";
  throw new TypeError(`html: the attribute ${name} takes text or numbers, not markup`);
}
