/**
 * Names of assets: what a person sees, never a path. Any text of 1–255 bytes without control characters
 * and slashes; what a browser or a program sends is brought into that form instead of being refused.
 */

/** File systems stop at 255 bytes, so a download of the asset keeps its whole name. */
export const NAME_BYTES_MAX = 255;

/** Longest file ending that is kept when a name is cut: ".matroska" and the like; more is no ending. */
const ENDING_BYTES_MAX = 16;

/** Brings any text into the form of a name: last path part, no control or direction-changing characters. */
export function cleanName(text: string): string {
  const lastPart = text.split(/[/\\]/).findLast((part) => part.trim() !== "") ?? "";
  const printable = lastPart
    .toWellFormed()
    .normalize("NFC")
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
  const named = /^\.*$/.test(printable) ? "unnamed" : printable;
  return cutName(named);
}

/** Cuts to the byte limit at a character border and keeps the ending. */
export function cutName(name: string): string {
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return name;
  const { stem, ending } = splitName(name);
  const characters = [...stem];
  let bytes = Buffer.byteLength(ending);
  let kept = "";
  for (const character of characters) {
    bytes += Buffer.byteLength(character);
    if (bytes > NAME_BYTES_MAX) break;
    kept += character;
  }
  return kept.trimEnd() + ending;
}

/** "match.final.mov" → stem "match.final", ending ".mov"; no ending gives "". */
export function splitName(name: string): { stem: string; ending: string } {
  const dot = name.lastIndexOf(".");
  const ending = dot > 0 ? name.slice(dot) : "";
  const isEnding =
    /^\.[\p{L}\p{N}]+$/u.test(ending) && Buffer.byteLength(ending) <= ENDING_BYTES_MAX;
  return isEnding ? { stem: name.slice(0, dot), ending } : { stem: name, ending: "" };
}
