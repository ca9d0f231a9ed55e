/**
 * Reads the constant text of a template and says for each hole where it stands. A small part of the
 * HTML tokenizer: enough for markup that we write ourselves, and strict where it does not understand.
 */

/** An attribute with holes: its value is `texts[0] hole[0] texts[1] …`. */
export interface AttributeHole {
  kind: "attribute";
  name: string;
  texts: string[];
  holes: number[];
  /** A browser or htmx may execute a value of this attribute that begins with a scheme. */
  executable: boolean;
  /** Its value is an address: a path of this site gets the path before it under which the site is served. */
  address: boolean;
}

export type Part =
  | string
  | { kind: "text"; hole: number }
  | { kind: "nonce" }
  | { kind: "base" }
  | AttributeHole;

export interface Compiled {
  parts: Part[];
}

/** Attributes whose value is code, markup or style: escaping does not make a hole in them safe. */
const codeAttribute = /^(?:on.*|style|srcdoc|nonce|hx-on.*|data-hx-.*|hx-nonce.*)$/;
/** Attributes that htmx evaluates or parses as its own language. */
const languageAttribute = /^hx-(?:vals|headers|config|trigger|confirm|status|sync|prompt)(?::.*)?$/;
const addressAttribute =
  /^(?:href|src|action|formaction|poster|data|srcset|cite|ping|background|xlink:href|content)$/;
/**
 * Attributes that name a place of this site, for a browser, for htmx, or for a script of ours (`data-address`,
 * `data-…-address`, and `data-base`, the place of the site itself).
 */
const siteAttribute =
  /^(?:href|src|action|formaction|poster|cite|hx-(?:get|post|put|patch|delete|action|push-url|replace-url)|hx-sse:connect|data-base|data-(?:[a-z-]+-)?address)$/;
/** htmx attributes that only mark an element; they need no nonce. */
const markingAttribute = /^hx-(?:ignore|preserve|morph-skip|morph-skip-children)$/;

const endOfName = /[\s/>=]/;

/** A path of this site, not `//another.site` (a browser reads `/\\` so too). */
export function isSitePath(value: string): boolean {
  return /^\/(?![/\\])/.test(value);
}

/** @throws Error at a hole that may not be there; the message shows the place. */
export function compile(strings: readonly string[]): Compiled {
  const reader = new TemplateReader(strings);
  reader.read();
  return { parts: reader.parts };
}

type Place = "text" | "tag" | "comment" | "raw text";

class TemplateReader {
  readonly parts: Part[] = [];
  private readonly strings: readonly string[];
  private literal = "";
  private index = 0;
  private at = 0;
  private place: Place = "text";
  private tagName = "";
  private hasBehaviour = false;

  constructor(strings: readonly string[]) {
    this.strings = strings;
  }

  read(): void {
    while (!this.finished()) {
      if (this.atHole()) {
        if (this.place !== "text") this.refuse(`in ${this.place}`);
        this.flush();
        this.parts.push({ kind: "text", hole: this.index });
        this.nextString();
      } else if (this.place === "text") this.readText();
      else if (this.place === "tag") this.readInTag();
      else this.readUntilEnd();
    }
    if (this.place !== "text") this.refuse(`the template ends in ${this.place}`);
    this.flush();
  }

  private get text(): string {
    return this.strings[this.index] ?? "";
  }

  private finished(): boolean {
    return this.index === this.strings.length - 1 && this.at >= this.text.length;
  }

  private atHole(): boolean {
    return this.at >= this.text.length && this.index < this.strings.length - 1;
  }

  private nextString(): void {
    this.index += 1;
    this.at = 0;
  }

  private flush(): void {
    if (this.literal !== "") this.parts.push(this.literal);
    this.literal = "";
  }

  private refuse(where: string): never {
    const before = this.strings.slice(0, this.index).join("(hole)") + this.text.slice(0, this.at);
    throw new Error(`html: a hole may not stand here (${where}): …${before.slice(-80)}`);
  }

  private take(count: number): string {
    const taken = this.text.slice(this.at, this.at + count);
    this.at += taken.length;
    this.literal += taken;
    return taken;
  }

  private readText(): void {
    const rest = this.text.slice(this.at);
    if (rest.startsWith("<!--")) {
      this.place = "comment";
      this.take(4);
      return;
    }
    const tag = /^<(\/?)([a-zA-Z][^\s/>]*)/.exec(rest);
    if (tag !== null) {
      this.take(tag[0].length);
      if (this.atHole()) this.refuse("in a tag name");
      this.tagName = tag[1] === "/" ? "" : (tag[2] ?? "").toLowerCase();
      this.hasBehaviour = this.tagName === "script";
      this.place = "tag";
      return;
    }
    const next = rest.indexOf("<", 1);
    this.take(next === -1 ? rest.length : next);
    if (rest.startsWith("<") && this.atHole() && next === -1 && rest.length <= 2) {
      this.refuse("in a tag name");
    }
  }

  /** Comments and the insides of script and style: copied as they are, no holes. */
  private readUntilEnd(): void {
    const end = this.place === "comment" ? "-->" : `</${this.tagName}`;
    const found = this.text.toLowerCase().indexOf(end, this.at);
    this.take(found === -1 ? this.text.length - this.at : found - this.at);
    if (found === -1) return;
    this.take(this.place === "comment" ? end.length : 0);
    this.place = "text";
  }

  private readInTag(): void {
    const character = this.text[this.at] ?? "";
    if (character === ">") this.closeTag();
    else if (/[\s/]/.test(character)) this.take(1);
    else this.readAttribute();
  }

  private closeTag(): void {
    if (this.hasBehaviour && this.tagName !== "hx-partial") {
      // A self-closing slash stays behind the nonce's place: it is only written, never read.
      this.literal += this.tagName === "script" ? ' nonce="' : ' hx-nonce="';
      this.flush();
      this.parts.push({ kind: "nonce" });
      this.literal = '"';
    }
    this.take(1);
    this.place = this.tagName === "script" || this.tagName === "style" ? "raw text" : "text";
  }

  private readAttribute(): void {
    const start = this.at;
    while (!this.atHole() && this.at < this.text.length) {
      if (endOfName.test(this.text[this.at] ?? "")) break;
      this.at += 1;
    }
    if (this.atHole()) this.refuse("in an attribute name");
    const name = this.text.slice(start, this.at).toLowerCase();
    if (name.startsWith("hx-") && !markingAttribute.test(name)) this.hasBehaviour = true;
    if (this.text[this.at] !== "=") {
      this.literal += name;
      return;
    }
    this.at += 1;
    const quote = this.text[this.at] ?? "";
    if (quote !== '"' && quote !== "'") this.refuse(`the value of ${name} is not in quotes`);
    this.at += 1;
    this.readValue(name, quote);
  }

  private readValue(name: string, quote: string): void {
    const texts: string[] = [];
    const holes: number[] = [];
    for (;;) {
      const end = this.text.indexOf(quote, this.at);
      texts.push(this.text.slice(this.at, end === -1 ? undefined : end));
      if (end !== -1) {
        this.at = end + 1;
        break;
      }
      this.at = this.text.length;
      if (!this.atHole()) this.refuse(`the value of ${name} has no end`);
      if (codeAttribute.test(name)) this.refuse(`the value of ${name} is code`);
      if (languageAttribute.test(name)) this.refuse(`htmx evaluates the value of ${name}`);
      holes.push(this.index);
      this.nextString();
    }
    const address = siteAttribute.test(name);
    if (holes.length === 0) {
      const value = texts[0] ?? "";
      this.literal += `${name}=${quote}`;
      if (address && isSitePath(value)) {
        this.flush();
        this.parts.push({ kind: "base" });
      }
      this.literal += `${value}${quote}`;
      return;
    }
    // The blank before the name belongs to the attribute, which may vanish as a whole.
    this.literal = this.literal.replace(/\s+$/, "");
    this.flush();
    const executable = addressAttribute.test(name) || name.startsWith("hx-");
    this.parts.push({ kind: "attribute", name, texts, holes, executable, address });
  }
}
