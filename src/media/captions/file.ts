/** Files that are captions: the text of one, or the word that it is none. */
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { notMedia } from "../not-media.ts";
import { CaptionFault, type CaptionFormat, captionTitles } from "./cue.ts";
import { captionBytesMax, captionFormatOf, decodeText, readCaptions } from "./read.ts";

export interface CaptionText {
  format: CaptionFormat;
  text: string;
}

/** Content-Types of the formats. */
export const captionMimeTypes: Record<CaptionFormat, string> = {
  srt: "application/x-subrip",
  vtt: "text/vtt",
  ass: "text/x-ssa",
};

/** Enough for the first times of any file; even, for characters of two bytes. */
const headBytes = 4_096;

/** Media is told from captions by its beginning, and not read whole for that. */
function beginsLikeCaptions(path: string): boolean {
  const head = new Uint8Array(headBytes);
  const file = openSync(path, "r");
  try {
    const read = readSync(file, head, 0, headBytes, 0);
    const text = decodeText(head.subarray(0, read));
    return text !== null && captionFormatOf(text) !== null;
  } finally {
    closeSync(file);
  }
}

/**
 * The captions in a file, by what is in it and never by its name; null when it is something else. No other
 * program ever sees the file.
 * @throws Refusal 422 `not_media` for a file that begins like captions and has a fault
 */
export function captionText(path: string): CaptionText | null {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined || !status.isFile() || status.size > captionBytesMax) return null;
  if (!beginsLikeCaptions(path)) return null;
  const text = decodeText(readFileSync(path));
  const format = text === null ? null : captionFormatOf(text);
  if (text === null || format === null) return null;
  const start = `It begins like ${captionTitles[format]} captions`;
  try {
    const found = readCaptions(text);
    if (found !== null && found.cues.length > 0) return { format, text };
  } catch (trouble) {
    if (!(trouble instanceof CaptionFault)) throw trouble;
    throw notMedia(`${start} and cannot be read: ${trouble.message}`);
  }
  throw notMedia(`${start}, and there is not one in it.`);
}
