/** Captions as SubRip and WebVTT, in one plain form. Pure. */
import type { Cue, Span } from "./cue.ts";

export function writeSubrip(cues: readonly Cue[]): string {
  const blocks = cues.map((cue, index) => {
    const times = `${clock(cue.fromMs, ",")} --> ${clock(cue.toMs, ",")}`;
    const place = cue.place === "top" ? "{\\an8}" : cue.place === "middle" ? "{\\an5}" : "";
    return `${index + 1}\n${times}\n${place}${cue.spans.map(subripSpan).join("")}\n`;
  });
  return blocks.join("\n");
}

export function writeWebvtt(cues: readonly Cue[]): string {
  const blocks = cues.map((cue) => {
    const line = cue.place === "top" ? " line:5%" : cue.place === "middle" ? " line:50%" : "";
    const times = `${clock(cue.fromMs, ".")} --> ${clock(cue.toMs, ".")}${line}`;
    return `\n${times}\n${cue.spans.map(webvttSpan).join("")}\n`;
  });
  return `WEBVTT\n${blocks.join("")}`;
}

/** No blank line may stand in a cue: it would end it. */
function lines(text: string): string {
  return text.replace(/\n[ \t]*(?=\n)/g, "\n\u00a0").replace(/-->/g, "->");
}

function subripSpan(span: Span): string {
  const { color, text } = span;
  const inner = wrapped(span, lines(text));
  return color === null ? inner : `<font color="${color}">${inner}</font>`;
}

function webvttSpan(span: Span): string {
  const escaped = span.text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return wrapped(span, lines(escaped));
}

function wrapped({ italic, bold, underline }: Span, text: string): string {
  let inner = text;
  if (underline) inner = `<u>${inner}</u>`;
  if (bold) inner = `<b>${inner}</b>`;
  return italic ? `<i>${inner}</i>` : inner;
}

function clock(ms: number, mark: "," | "."): string {
  const part = (value: number, digits = 2) => String(value).padStart(digits, "0");
  const hours = part(Math.floor(ms / 3_600_000));
  const minutes = part(Math.floor(ms / 60_000) % 60);
  return `${hours}:${minutes}:${part(Math.floor(ms / 1000) % 60)}${mark}${part(ms % 1000, 3)}`;
}
