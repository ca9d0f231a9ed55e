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
 */
import { type AttributeHole, type Compiled, compile } from "./template.ts";

/** What a hole may hold. */
export type Hole = Html | string | number | boolean | null | undefined | readonly Hole[];

/** Where the nonce goes. One object, so that no text can be mistaken for it. */
const nonceHere: unique symbol = Symbol("nonce");
type Piece = string | Html | typeof nonceHere;

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
   */
  render(nonce: string): string {
    if (!/^[A-Za-z0-9+/_-]{16,}={0,2}$/.test(nonce)) {
      throw new Error("invariant broken: a nonce is 16 or more characters of base64");
    }
    const out: string[] = [];
    this.#write(out, nonce);
    return out.join("");
  }

  /** Without nonces: for tests and for messages of the event stream, which carry no behaviour. */
  toString(): string {
    const out: string[] = [];
    this.#write(out, null);
    return out.join("");
  }

  #write(out: string[], nonce: string | null): void {
    for (const piece of this.#pieces) {
      if (typeof piece === "string") out.push(piece);
      else if (piece !== nonceHere) piece.#write(out, nonce);
      else if (nonce !== null) out.push(nonce);
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
    else if (part.kind === "text") pushText(pieces, holes[part.hole]);
    else pieces.push(attributeText(part, holes));
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

function attributeText(part: AttributeHole, holes: readonly Hole[]): string {
  const [only] = part.holes;
  if (part.holes.length === 1 && part.texts.join("") === "" && only !== undefined) {
    const whole = holes[only];
    if (whole === null || whole === undefined || whole === false) return "";
    if (whole === true) return ` ${part.name}=""`;
  }
  let value = part.texts[0] ?? "";
  part.holes.forEach((hole, position) => {
    value += attributeValue(part.name, holes[hole]) + (part.texts[position + 1] ?? "");
  });
  // Browsers skip white space and control characters in a scheme, so the check does too.
  if (part.executable && executableScheme.test(value.replace(/[\0-\x20]/g, ""))) {
    throw new Error(`html: the attribute ${part.name} must not begin with an executable scheme`);
  }
  return ` ${part.name}="${escapeHtml(value)}"`;
}

function attributeValue(name: string, hole: Hole): string {
  if (typeof hole === "string") return hole;
  if (typeof hole === "number") return String(hole);
  if (hole === null || hole === undefined || hole === false) return "";
  throw new TypeError(`html: the attribute ${name} takes text or numbers, not markup`);
}
