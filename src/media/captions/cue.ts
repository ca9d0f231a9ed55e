/** Captions as Kinomill knows them, whatever file they came in. Pure data. */

export const captionFormats = ["srt", "vtt", "ass"] as const;
export type CaptionFormat = (typeof captionFormats)[number];

export const captionTitles: Record<CaptionFormat, string> = {
  srt: "SubRip",
  vtt: "WebVTT",
  ass: "Advanced SubStation Alpha",
};

/** A piece of a cue's text with one look. Line breaks are "\n". */
export interface Span {
  text: string;
  italic: boolean;
  bold: boolean;
  underline: boolean;
  /** `#rrggbb`; null for the usual one. */
  color: string | null;
}

export interface Cue {
  fromMs: number;
  toMs: number;
  spans: Span[];
  /** Where it asks to be; null where it does not. */
  place: "top" | "middle" | "bottom" | null;
}

export interface Captions {
  format: CaptionFormat;
  /** In the order of time. */
  cues: Cue[];
  /** Of ASS: the file with its styles and nothing else that a reader would act on; null of others. */
  ass: string | null;
}

/** A file that says it is captions and has a fault. */
export class CaptionFault extends Error {
  override readonly name = "CaptionFault";
  readonly line: number;

  /** @param line from 1 on; @param what as the end of "line 12 …" */
  constructor(line: number, what: string) {
    super(`Line ${line} ${what}.`);
    this.line = line;
  }
}

/** A feature film has about 2,000; a whole day of speech about 30,000. */
export const maxCues = 50_000;
/** Longer than any recording; past it a time is a slip. */
const maxMs = 100 * 3_600_000;

export const plainSpan = { italic: false, bold: false, underline: false, color: null };

/** @throws CaptionFault for times that cannot be, and too many cues */
export function addCue(cues: Cue[], cue: Cue, line: number): void {
  if (cue.toMs < cue.fromMs) throw new CaptionFault(line, "ends before it begins");
  if (cue.toMs > maxMs) throw new CaptionFault(line, "is at more than a hundred hours");
  if (cues.length >= maxCues) throw new CaptionFault(line, `is beyond ${maxCues} captions`);
  const seen = cue.spans.some(({ text }) => text.trim() !== "");
  if (seen && cue.toMs > cue.fromMs) cues.push(cue);
}

export function inOrder(cues: Cue[]): Cue[] {
  return cues.toSorted((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs);
}

/** The text alone. */
export function plainText({ spans }: Cue): string {
  return spans.map(({ text }) => text).join("");
}

/** Texts of captions have line breaks and tabs; other control characters are not text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
export const controlCharacters = /[\u0000-\u0008\u000b\u000e-\u001f\u007f]/;
