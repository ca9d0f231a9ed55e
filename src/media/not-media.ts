/** ffprobe's complaints → one sentence for the person who uploaded the file. Pure. */
import { Refusal } from "../trouble.ts";
import { maxPixels, maxStreams } from "./safety.ts";

/** 422 `not_media`: the sentence says what is wrong with the file. */
export function notMedia(sentence: string): Refusal {
  return new Refusal(422, "not_media", sentence);
}

interface Complaint {
  pattern: RegExp;
  /** When given, the first bytes of the file must agree. */
  only?(head: string): boolean;
  sentence(match: RegExpExecArray): string;
}

/** Ordered: the first that matches tells most. Texts of ffmpeg 5.1 to 9.0. */
const complaints: Complaint[] = [
  {
    // From 7.1 on a playlist without the ending of one is not even taken for a format.
    pattern: /Not detecting m3u8\/hls/,
    sentence: () => formatSentence("hls"),
  },
  {
    pattern: /Codec \((\w+)\) not on whitelist/,
    sentence: ([, codec]) =>
      `A track is coded in ${codec}, which Kinomill does not decode. Convert it first, for example to H.264 and AAC.`,
  },
  {
    pattern: /\[(\w+)[^\]]*\] Format not on whitelist/,
    sentence: ([, format]) => formatSentence(format ?? "unknown"),
  },
  {
    pattern: /moov atom not found/,
    only: startsLikeQuickTime,
    sentence: () =>
      "The file is cut off: its index (the moov atom) is missing. Upload the whole file again; if the recording was interrupted, it needs a repair tool.",
  },
  {
    pattern: /exceeds specified max pixel count|Picture size \d+x\d+ is invalid/,
    sentence: () =>
      `Its picture has more than ${maxPixels} pixels (8192 × 8192), which is too large.`,
  },
  {
    pattern: /exceeds max_streams|max_streams/,
    sentence: () => `It has more than ${maxStreams} tracks. Remove those that are not needed.`,
  },
  {
    pattern: /skipping unsupported chunk: ANM/,
    sentence: () =>
      "It is an animated WebP, which this ffmpeg cannot decode. Convert it to GIF, APNG or MP4 first.",
  },
  {
    pattern: /EBML header parsing failed|Truncating packet|partial file|End of file/,
    sentence: () => "The file is cut off or damaged at its beginning. Upload the whole file again.",
  },
];

function formatSentence(format: string): string {
  return `Its format (${format}) is a playlist or one that Kinomill does not open. Upload the media itself, for example as MP4 or MKV.`;
}

/** ffprobe believes the ending .mp4 and then misses the index of what was never an MP4. */
function startsLikeQuickTime(head: string): boolean {
  return ["ftyp", "moov", "mdat", "wide", "free", "skip"].includes(head.slice(4, 8));
}

/**
 * Why ffprobe could make nothing of a file.
 * @param head the first bytes of the file, as Latin-1
 */
export function whyNotMedia(stderr: string, head: string): string {
  for (const { pattern, only, sentence } of complaints) {
    const match = pattern.exec(stderr);
    if (match !== null && (only?.(head) ?? true)) return sentence(match);
  }
  return "It is no video, sound or picture that Kinomill can read. Check that it plays on your own machine, then upload it again.";
}
