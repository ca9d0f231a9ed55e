/** The tags inside of cues: `<i>`, `<font color>`, `{\an8}`; what is no known tag stays text. Pure. */
import { type Cue, plainSpan, type Span } from "./cue.ts";

type Look = Omit<Span, "text">;

const namedColors: Record<string, string> = {
  ...{ white: "#ffffff", black: "#000000", red: "#ff0000", lime: "#00ff00", green: "#008000" },
  ...{ blue: "#0000ff", yellow: "#ffff00", cyan: "#00ffff", magenta: "#ff00ff", gray: "#808080" },
};

/** Spans of a text in which `tag` finds tags. A tag changes the look from there on, or is left out. */
export function spansOf(
  text: string,
  tag: RegExp,
  changed: (look: Look, match: RegExpMatchArray) => Look,
  decode: (text: string) => string = (plain) => plain,
): Span[] {
  const spans: Span[] = [];
  let look: Look = plainSpan;
  let at = 0;
  const add = (piece: string) => {
    if (piece !== "") spans.push({ text: decode(piece), ...look });
  };
  for (const match of text.matchAll(tag)) {
    add(text.slice(at, match.index));
    look = changed(look, match);
    at = match.index + match[0].length;
  }
  add(text.slice(at));
  return joined(spans);
}

/** Neighbours of one look become one. */
function joined(spans: Span[]): Span[] {
  return spans.reduce<Span[]>((all, span) => {
    const last = all.at(-1);
    const same = last !== undefined && sameLook(last, span);
    if (same) all[all.length - 1] = { ...last, text: last.text + span.text };
    else all.push(span);
    return all;
  }, []);
}

export function sameLook(a: Look, b: Look): boolean {
  return (
    a.italic === b.italic && a.bold === b.bold && a.underline === b.underline && a.color === b.color
  );
}

const letters = { i: "italic", b: "bold", u: "underline" } as const;

/** `<i>`, `</b>`, `<u>` and `<font color=…>` as SubRip has them, and the override tags that people put in. */
export function subripSpans(text: string): Span[] {
  const tags = /<(\/?)(i|b|u|font)(\s[^<>]*)?>|\{\\[^{}]*\}/gi;
  return spansOf(text, tags, (look, [whole, closing, name = "", rest = ""]) => {
    if (whole?.startsWith("{")) return look;
    const tag = name.toLowerCase();
    if (tag === "font") return { ...look, color: closing ? null : colorIn(rest) };
    return { ...look, [letters[tag as keyof typeof letters]]: closing === "" };
  });
}

function colorIn(attributes: string): string | null {
  const [, value = ""] = /color\s*=\s*["']?([#\w]+)/i.exec(attributes) ?? [];
  if (/^#?[0-9a-f]{6}$/i.test(value)) return `#${value.replace("#", "").toLowerCase()}`;
  return namedColors[value.toLowerCase()] ?? null;
}

/** `{\an8}` is the top: 7–9 on the number pad, 4–6 the middle. */
export function placeIn(text: string): Cue["place"] {
  const key = Number(/\{[^{}]*\\an([1-9])/.exec(text)?.[1] ?? 0);
  if (key === 0) return null;
  return key > 6 ? "top" : key > 3 ? "middle" : "bottom";
}

/** WebVTT: `<i>`, `<b>`, `<u>`; classes, voices, languages, ruby and times are left out, their text stays. */
export function webvttSpans(text: string): Span[] {
  const tags = /<(\/?)(i|b|u|c|v|lang|ruby|rt)?((?:[.\s][^<>]*)?|[\d:.]+)>/g;
  return spansOf(
    text,
    tags,
    (look, [, closing, name = ""]) => {
      const letter = letters[name as keyof typeof letters];
      return letter === undefined ? look : { ...look, [letter]: closing === "" };
    },
    entities,
  );
}

const named: Record<string, string> = {
  ...{ amp: "&", lt: "<", gt: ">", nbsp: "\u00a0", lrm: "\u200e", rlm: "\u200f", quot: '"' },
};

function entities(text: string): string {
  return text.replace(/&(?:(\w{2,5})|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi, (whole, name, ten, hex) => {
    if (name !== undefined) return named[name.toLowerCase()] ?? whole;
    const code = ten === undefined ? Number.parseInt(hex, 16) : Number(ten);
    const printable = code >= 0x20 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return printable ? String.fromCodePoint(code) : whole;
  });
}
