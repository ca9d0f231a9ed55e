/** What people noted about ranges, as JSON for programs and as CSV for tables. Pure. */
import type { ClipRange } from "./clip-schema.ts";

/** A range with what became of it. */
export interface Annotated {
  range: ClipRange;
  /** Name of the file that shows it. */
  file: string;
  /** Seconds at which it begins there. */
  startsAt: number;
}

/** Times are those that were asked for, in seconds of the source. */
export function annotationsJson(source: string, annotated: readonly Annotated[]): string {
  const ranges = annotated.map(({ range, file, startsAt }, index) => ({
    number: index + 1,
    file,
    startsAt: rounded(startsAt),
    from: range.from,
    to: range.to,
    duration: rounded(range.to - range.from),
    name: range.name?.toWellFormed() ?? null,
    tags: (range.tags ?? []).map((tag) => tag.toWellFormed()),
    rating: range.rating ?? null,
    notes: range.notes?.toWellFormed() ?? null,
  }));
  return `${JSON.stringify({ source: source.toWellFormed(), ranges }, null, 2)}\n`;
}

const columns = [
  ...["number", "file", "starts_at", "from", "to", "duration"],
  ...["name", "tags", "rating", "notes"],
];

/** A table by RFC 4180: a line of names, CRLF, tags separated by semicolons. */
export function annotationsCsv(annotated: readonly Annotated[]): string {
  const rows = annotated.map(({ range, file, startsAt }, index) => [
    ...[String(index + 1), file, seconds(startsAt), seconds(range.from), seconds(range.to)],
    ...[seconds(range.to - range.from), range.name ?? "", (range.tags ?? []).join("; ")],
    ...[range.rating === undefined ? "" : String(range.rating), range.notes ?? ""],
  ]);
  return [columns, ...rows].map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}

/**
 * Spreadsheets take a text for a formula that begins with one of these, also after blanks; full-width
 * forms are read as their narrow ones in some (OWASP, "CSV Injection"). An apostrophe keeps it a text.
 */
const formulaStart = /^[\s\uFEFF]*[=+\-@|%＝＋－＠]|^[\t\r\n]/u;

/** One field: never a formula, quoted where RFC 4180 wants it. */
export function csvField(value: string): string {
  const text = value.toWellFormed().replaceAll("\0", "");
  const plain = formulaStart.test(text) ? `'${text}` : text;
  return /[",\r\n;]|^\s|\s$/u.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** To a microsecond: what is beyond comes from binary fractions. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function seconds(value: number): string {
  return String(rounded(value));
}
