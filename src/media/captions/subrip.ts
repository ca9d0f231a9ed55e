/** SubRip (.srt) and WebVTT (.vtt): strict about times, generous about what stands between them. Pure. */
import { addCue, CaptionFault, type Captions, type Cue, inOrder } from "./cue.ts";
import { placeIn, subripSpans, webvttSpans } from "./markup.ts";

const subripTimes =
  /^(\d{1,3}):(\d{2}):(\d{2})[,.](\d{1,3}) *--> *(\d{1,3}):(\d{2}):(\d{2})[,.](\d{1,3})(?: +[XY][12]:\d+)* *$/;
const webvttTimes =
  /^(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})[ \t]+-->[ \t]+(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})(?:[ \t]+(.*))?$/;

/** True for a text that begins as SubRip does: a number, and a line with two times. */
export function looksLikeSubrip(text: string): boolean {
  const [first = "", second = ""] = text.trimStart().split("\n", 2);
  const times = /^\d+$/.test(first.trim()) ? second : first;
  return /^\s*\d{1,3}:\d{2}:\d{2}[,.]\d{1,3}\s*-->/.test(times);
}

/** @throws CaptionFault */
export function parseSubrip(text: string): Captions {
  const lines = text.split("\n");
  const cues: Cue[] = [];
  let open: { fromMs: number; toMs: number; line: number; text: string[] } | null = null;
  const close = () => {
    if (open === null) return;
    const { fromMs, toMs, line } = open;
    const inner = open.text.join("\n").trim();
    addCue(cues, { fromMs, toMs, spans: subripSpans(inner), place: placeIn(inner) }, line);
  };
  for (const [index, line] of lines.entries()) {
    const times = timesOf(subripTimes.exec(line.trim()), index + 1);
    if (times !== null) {
      // The number of a cue stands above its times.
      if (/^\d+$/.test(open?.text.at(-1)?.trim() ?? "")) open?.text.pop();
      close();
      open = { ...times, line: index + 1, text: [] };
    } else if (/\d:\d\d.*-->/.test(line)) {
      throw new CaptionFault(
        index + 1,
        "has times that are not in the form 00:01:02,345 --> 00:01:04,000",
      );
    } else if (open !== null) {
      open.text.push(line);
    } else if (line.trim() !== "" && !/^\d+$/.test(line.trim())) {
      throw new CaptionFault(index + 1, "stands before the first times");
    }
  }
  close();
  return { format: "srt", cues: inOrder(cues), ass: null };
}

function timesOf(match: RegExpExecArray | null, line: number) {
  if (match === null) return null;
  const [h1 = "0", m1 = "", s1 = "", f1 = "", h2 = "0", m2 = "", s2 = "", f2 = ""] = match.slice(1);
  if ([m1, s1, m2, s2].some((part) => Number(part) > 59)) {
    throw new CaptionFault(line, "has a time with more than 59 minutes or seconds");
  }
  return { fromMs: milliseconds(h1, m1, s1, f1), toMs: milliseconds(h2, m2, s2, f2) };
}

export function milliseconds(
  hours: string,
  minutes: string,
  seconds: string,
  part: string,
): number {
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return whole * 1000 + Math.round(Number(`0.${part}`) * 1000);
}

/** True for what the standard calls WebVTT by its first line. */
export function looksLikeWebvtt(text: string): boolean {
  return /^WEBVTT(?:[ \t\n]|$)/.test(text);
}

/** Comments, styles and regions are left out: nothing of them is ever acted on. @throws CaptionFault */
export function parseWebvtt(text: string): Captions {
  const lines = text.split("\n");
  const cues: Cue[] = [];
  let index = lines.findIndex((line) => line.trim() === "");
  if (index === -1) index = lines.length;
  while (index < lines.length) {
    const block: string[] = [];
    const start = index;
    while (index < lines.length && (lines[index] ?? "").trim() !== "")
      block.push(lines[index++] ?? "");
    if (block.length === 0) index += 1;
    else if (!/^(NOTE|STYLE|REGION)(?:[ \t]|$)/.test(block[0] ?? ""))
      addBlock(cues, block, start + 1);
  }
  return { format: "vtt", cues: inOrder(cues), ass: null };
}

function addBlock(cues: Cue[], block: string[], line: number): void {
  const at = block.findIndex((text) => text.includes("-->"));
  if (at === -1 || at > 1) throw new CaptionFault(line, "begins a block that has no times");
  const match = webvttTimes.exec((block[at] ?? "").trim());
  const times = timesOf(match, line + at);
  if (times === null) {
    throw new CaptionFault(
      line + at,
      "has times that are not in the form 00:01:02.345 --> 00:01:04.000",
    );
  }
  const spans = webvttSpans(block.slice(at + 1).join("\n"));
  addCue(cues, { ...times, spans, place: placeBy(match?.[9] ?? "") }, line + at);
}

/** `line:0` and `line:10%` are the top. */
function placeBy(settings: string): Cue["place"] {
  const [, number, percent] =
    /(?:^|\s)line:(?:(-?\d+)(?=[,\s]|$)|(\d+(?:\.\d+)?)%)/.exec(settings) ?? [];
  if (number !== undefined) return Number(number) >= 0 && Number(number) < 5 ? "top" : "bottom";
  if (percent === undefined) return null;
  return Number(percent) < 33 ? "top" : Number(percent) < 67 ? "middle" : "bottom";
}
