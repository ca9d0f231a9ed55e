/** Values as people write them: "1:30" for 90 seconds, "5M" for bits per second, "yes". */

import { bytesOf } from "../byte-words.ts";

/** A number; with unit "s" also a clock time, with "bit/s" also k and M, with "bytes" also "25 MB". Null for what is none. */
export function readNumber(text: string, unit: string | undefined): number | null {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)) return Number(text);
  if (unit === "s") return readClock(text);
  if (unit === "bit/s") return readBits(text);
  if (unit === "bytes") return bytesOf(text);
  return null;
}

/** "1:30.5" and "1:02:03" in seconds. */
function readClock(text: string): number | null {
  const match = /^(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)$/.exec(text);
  if (match === null) return null;
  const [, hours = "0", minutes = "0", seconds = "0"] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** "5M" and "128k" in bits per second. */
function readBits(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kM])(?:bit\/s|bps)?$/.exec(text);
  if (match === null) return null;
  return Math.round(Number(match[1]) * (match[2] === "k" ? 1_000 : 1_000_000));
}

/** Null for a text that is neither yes nor no. */
export function truth(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (["true", "yes", "on", "1"].includes(word)) return true;
  return ["false", "no", "off", "0"].includes(word) ? false : null;
}

/** Null for a text that is no JSON. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
