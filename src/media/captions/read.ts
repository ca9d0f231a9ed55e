/** Bytes or text → captions: which encoding, which of the formats, and what is wrong. Pure. */
import { type CaptionFormat, type Captions, controlCharacters } from "./cue.ts";
import { looksLikeSubrip, looksLikeWebvtt, parseSubrip, parseWebvtt } from "./subrip.ts";
import { looksLikeAss, parseAss } from "./substation.ts";

/** A film's have 100 kB; with drawings and karaoke some megabytes. */
export const captionBytesMax = 10 * 1024 ** 2;

const parsers: Record<
  CaptionFormat,
  { fits(text: string): boolean; parse(text: string): Captions }
> = {
  vtt: { fits: looksLikeWebvtt, parse: parseWebvtt },
  ass: { fits: looksLikeAss, parse: parseAss },
  srt: { fits: looksLikeSubrip, parse: parseSubrip },
};

/** What a text says it is by its beginning; null when that is none of the formats. */
export function captionFormatOf(text: string): CaptionFormat | null {
  const plain = unified(text);
  const found = (["vtt", "ass", "srt"] as const).find((format) => parsers[format].fits(plain));
  return found ?? null;
}

/**
 * The captions in a text; null when it does not begin like one of the formats.
 * @throws CaptionFault with the line that is wrong
 */
export function readCaptions(text: string): Captions | null {
  const plain = unified(text);
  const format = captionFormatOf(plain);
  return format === null ? null : parsers[format].parse(plain);
}

function unified(text: string): string {
  return text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
}

/**
 * The text of a file in UTF-8, UTF-16 or, as old subtitles are, Windows' Latin; null for what is no text.
 */
export function decodeText(bytes: Uint8Array): string | null {
  const text = decoderOf(bytes)(bytes);
  return text === null || controlCharacters.test(text) ? null : text;
}

function decoderOf(bytes: Uint8Array): (bytes: Uint8Array) => string | null {
  const [a, b] = bytes;
  if (a === 0xff && b === 0xfe) return strict("utf-16le");
  if (a === 0xfe && b === 0xff) return strict("utf-16be");
  // Without a mark: the first characters of all formats are ASCII, with a zero beside each in UTF-16.
  if (a !== 0 && b === 0) return strict("utf-16le");
  if (a === 0 && b !== 0) return strict("utf-16be");
  return (all) => strict("utf-8")(all) ?? strict("windows-1252")(all);
}

function strict(encoding: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252") {
  return (bytes: Uint8Array): string | null => {
    try {
      return new TextDecoder(encoding as "utf-8", { fatal: true }).decode(bytes);
    } catch {
      return null;
    }
  };
}
