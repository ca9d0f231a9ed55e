/** What a decoding of a whole file found out. Times as the file counts them. */
import { Failure } from "../../trouble.ts";
import type { LoudnessMeasure } from "../loudness.ts";
import type { RunTexts } from "../readings.ts";
import { type Note, notesOf } from "./notes.ts";
import { readMeter } from "./sound.ts";

/** From one time until another; null when it lasts to the end. */
export interface OpenStretch {
  fromSeconds: number;
  toSeconds: number | null;
}

/** Frames by what they look to be made of: two fields, the upper or the lower one first, or one picture. */
export interface Fields {
  upperFirst: number;
  lowerFirst: number;
  progressive: number;
  undetermined: number;
}

export interface Inspection {
  picture: {
    /** Times of the frames in ticks of the stream's clock. */
    ticks: number[];
    black: OpenStretch[];
    frozen: OpenStretch[];
    fields: Fields | null;
  } | null;
  sound: {
    /** In samples. */
    ticks: number[];
    silent: OpenStretch[];
    loudness: LoudnessMeasure | null;
  }[];
  /** How often decoders failed, by the index of the stream. */
  errors: Record<number, number>;
}

/** `facts`: `picture` (0 or 1) and `tracks`, the number of `sound-N.txt`. */
export async function readInspection(texts: RunTexts): Promise<Inspection> {
  const { stderr, facts, errors } = texts;
  const metered = metersOf(stderr);
  const sound: Inspection["sound"] = [];
  for (let track = 0; track < (facts["tracks"] ?? 0); track += 1) {
    const notes = await notesIn(texts, `sound-${track}.txt`);
    sound.push({
      ticks: notes.map(({ tick }) => tick),
      silent: stretches(notes, "silence_start", "silence_end"),
      loudness: metered[track] ?? null,
    });
  }
  const seen = facts["picture"] === 1 ? await notesIn(texts, "picture.txt") : null;
  const picture = seen && {
    ticks: seen.map(({ tick }) => tick).toSorted((a, b) => a - b),
    black: stretches(seen, "black_start", "black_end"),
    frozen: stretches(seen, "freezedetect.freeze_start", "freezedetect.freeze_end"),
    fields: fieldsOf(stderr),
  };
  return { picture, sound, errors: { ...errors } };
}

/** A decoder that makes nothing of its packets leaves an empty text, or none. */
async function notesIn(texts: RunTexts, file: string): Promise<Note[]> {
  return [...notesOf((await texts.text(file)) ?? "")];
}

function stretches(notes: Note[], start: string, end: string): OpenStretch[] {
  const found: OpenStretch[] = [];
  for (const { marks } of notes) {
    const from = Number(marks.get(start) ?? Number.NaN);
    const to = Number(marks.get(end) ?? Number.NaN);
    const open = found.at(-1);
    if (Number.isFinite(to) && open?.toSeconds === null) open.toSeconds = to;
    // After a hole one frame says that the picture stood still, and that it does no more.
    const closed = Number.isFinite(to) && to > from;
    if (Number.isFinite(from)) found.push({ fromSeconds: from, toSeconds: closed ? to : null });
  }
  return found;
}

/** One for each track in the order of the tracks. A track too short to be measured has none. */
function metersOf(stderr: string): (LoudnessMeasure | null)[] {
  const blocks = [
    ...stderr.matchAll(/\[Parsed_ebur128_(\d+) @ \w+\] Summary:[\s\S]*?Peak:[^\n]*/g),
  ];
  // ffmpeg 5.1 sets a graph up twice and the first one, which heard nothing, speaks too.
  const byFilter = new Map(blocks.map(([block, filter]) => [Number(filter), block]));
  const ordered = [...byFilter].toSorted(([a], [b]) => a - b);
  return ordered.map(([, block]) => {
    try {
      return readMeter(block);
    } catch (trouble) {
      if (trouble instanceof Failure) return null;
      throw trouble;
    }
  });
}

function fieldsOf(stderr: string): Fields | null {
  const found =
    /Multi frame detection: TFF:\s*(\d+) BFF:\s*(\d+) Progressive:\s*(\d+) Undetermined:\s*(\d+)/g;
  const last = [...stderr.matchAll(found)].at(-1)?.slice(1).map(Number);
  if (last === undefined) return null;
  const [upperFirst = 0, lowerFirst = 0, progressive = 0, undetermined = 0] = last;
  return { upperFirst, lowerFirst, progressive, undetermined };
}
