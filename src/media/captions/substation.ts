/** Advanced SubStation Alpha (.ass, .ssa): its cues, and the file without what no picture needs. Pure. */
import { addCue, CaptionFault, type Captions, type Cue, inOrder, type Span } from "./cue.ts";
import { placeIn, spansOf } from "./markup.ts";
import { milliseconds } from "./subrip.ts";

export function looksLikeAss(text: string): boolean {
  return /^\[Script Info\][ \t]*(?:\n|$)/i.test(text.trimStart());
}

const info =
  /^(ScriptType|PlayResX|PlayResY|LayoutResX|LayoutResY|WrapStyle|ScaledBorderAndShadow|YCbCr Matrix|Kerning|Timer)\s*:/i;

/** Longer lines are drawings of whole pictures, or an attack. */
const maxLine = 100_000;

interface Reading {
  kept: string[];
  cues: Cue[];
  fields: string[];
  section: string;
}

/**
 * Fonts and pictures inside the file, comments and programs' own notes are left out of what is kept.
 * @throws CaptionFault
 */
export function parseAss(text: string): Captions {
  const reading: Reading = { kept: [], cues: [], fields: [], section: "" };
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line.length > maxLine) throw new CaptionFault(index + 1, "is too long");
    const section = /^\[([^\]]{1,40})\]$/.exec(line)?.[1]?.toLowerCase();
    if (section !== undefined) openSection(reading, section, line);
    else readLine(reading, line, index + 1);
  }
  return { format: "ass", cues: inOrder(reading.cues), ass: `${reading.kept.join("\n")}\n` };
}

const keptSections = ["script info", "v4 styles", "v4+ styles", "events"];

function openSection(reading: Reading, section: string, line: string): void {
  reading.section = section;
  if (keptSections.includes(section)) reading.kept.push("", line);
}

function readLine(reading: Reading, line: string, number: number): void {
  const { section, kept } = reading;
  if (section === "script info" && info.test(line)) kept.push(line);
  if (/styles$/.test(section) && /^(Format|Style)\s*:/i.test(line)) kept.push(line);
  if (section !== "events") return;
  const [, key, value = ""] = /^(Format|Dialogue)\s*:\s*(.*)$/i.exec(line) ?? [];
  if (key === undefined) return;
  kept.push(line);
  if (key.toLowerCase() === "format") {
    reading.fields = value.split(",").map((field) => field.trim().toLowerCase());
    return;
  }
  addDialogue(reading, value, number);
}

function addDialogue({ fields, cues }: Reading, value: string, number: number): void {
  const parts = value.split(",");
  const field = (name: string) => parts[fields.indexOf(name)]?.trim() ?? "";
  if (fields.length < 3 || fields.at(-1) !== "text" || parts.length < fields.length) {
    throw new CaptionFault(number, "has not the fields that the Format line of its section names");
  }
  const times = ["start", "end"].map((name) =>
    /^(\d+):(\d{2}):(\d{2})[.:](\d{1,3})$/.exec(field(name)),
  );
  const [fromMs, toMs] = times.map((match) =>
    match === null
      ? Number.NaN
      : milliseconds(match[1] ?? "", match[2] ?? "", match[3] ?? "", match[4] ?? ""),
  );
  if (fromMs === undefined || toMs === undefined || Number.isNaN(fromMs + toMs)) {
    throw new CaptionFault(number, "has times that are not in the form 0:01:02.34");
  }
  const text = parts.slice(fields.length - 1).join(",");
  addCue(cues, { fromMs, toMs, spans: assSpans(text), place: placeIn(text) }, number);
}

/** The text with its italics, bold and underline; drawings are no text. */
function assSpans(text: string): Span[] {
  const parts = text.replace(/\\[Nn]/g, "\n").replace(/\\h/g, "\u00a0");
  let drawing = false;
  const spans = spansOf(parts, /\{[^{}]*\}/g, (look, [block = ""]) => {
    const value = (tag: string) => new RegExp(`\\\\${tag}(\\d+)`).exec(block)?.[1];
    const scale = value("p");
    if (scale !== undefined) drawing = scale !== "0";
    const on = (tag: string, before: boolean) => {
      const given = value(tag);
      return given === undefined ? before : given !== "0";
    };
    // What is drawn has a colour that no text has, so that it can be told apart.
    return {
      italic: on("i", look.italic),
      bold: on("b", look.bold),
      underline: on("u", look.underline),
      color: drawing ? "drawing" : null,
    };
  });
  return spans.filter(({ color }) => color !== "drawing");
}
