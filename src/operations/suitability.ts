/** Which operations can take the files that a person chose, before anything is known of the parameters. Pure. */
import type { MediaInfo } from "../media/media.ts";
import type { Operation } from "./operation.ts";

/** A chosen file as far as it decides: media, text of captions, or something else. */
export interface ChosenFile {
  kind: MediaInfo["kind"] | "text" | "data";
  /** Of media. */
  container: string | null;
}

/** Why an operation cannot take them. */
export type Unfit =
  /** So many of them are of no kind that it works on. */
  | { why: "kind"; count: number; of: number; kinds: readonly MediaInfo["kind"][] }
  /** So many are text, and it takes none. */
  | { why: "text"; count: number }
  /** So many are animated WebPs, which ffmpeg does not read. */
  | { why: "unreadable"; count: number }
  /** It works on so many at once and on no single one. */
  | { why: "many"; max: number };

export interface Suitability {
  /** A job for each of them. */
  each: boolean;
  /** One job with all of them, which may need more. */
  together: boolean;
  /** Null where it can take them in one way or the other. */
  unfit: Unfit | null;
}

const media = ["video", "audio", "image"] as const;

/** @param files in their order, at least one */
export function suitability({ inputs }: Operation, files: readonly ChosenFile[]): Suitability {
  const { min, max, texts: mostTexts = 0, kinds = media } = inputs;
  const texts = files.filter(({ kind }) => kind === "text");
  const films = files.filter(({ kind }) => kind !== "text");
  const wrong = films.filter(({ kind }) => !kinds.some((each) => each === kind));
  const unreadable = films.filter(
    ({ kind, container }) => kind === "video" && container === "webp",
  );
  // What a second or third file may be is for the parameters to say.
  const [first] = films;
  const fitsFirst = first !== undefined && !wrong.includes(first);
  const fitsTogether = min > 1 ? wrong.length === 0 : fitsFirst;
  const each = min <= 1 && texts.length === 0 && wrong.length === 0 && unreadable.length === 0;
  const together =
    fitsTogether &&
    films.length <= max &&
    texts.length <= mostTexts &&
    unreadable.length === 0 &&
    !films.some(({ kind }) => kind === "data");
  if (each || together) return { each, together, unfit: null };
  return { each, together, unfit: reason() };

  function reason(): Unfit {
    if (unreadable.length > 0) return { why: "unreadable", count: unreadable.length };
    if (texts.length > mostTexts) return { why: "text", count: texts.length };
    if (wrong.length > 0) return { why: "kind", count: wrong.length, of: files.length, kinds };
    if (films.length > max) return { why: "many", max };
    return { why: "text", count: texts.length };
  }
}
