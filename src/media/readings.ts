/**
 * From what ffmpeg said and its filters wrote to figures: one reader for each kind. A new one is a line here.
 */
import { ComparisonReader } from "./readings/comparison.ts";
import { InspectionReader } from "./readings/inspection.ts";
import { LikenessReader } from "./readings/likeness.ts";
import { readMeter, readPeaks } from "./readings/sound.ts";

/** What a run left to read. */
export interface RunTexts {
  /** Bounded, without the lines that the reader took; holds host paths, so no line of it is passed on as it is. */
  stderr: string;
  /** Text of a file in the step's folder, by its plain name; null when it is not there. */
  text(file: string): Promise<string | null>;
  /** The same line by line, for files that grow with the media; no lines when it is not there. */
  lines(file: string): AsyncIterable<string>;
  /** Writes a file into the step's folder, line by line. */
  write(file: string, lines: Iterable<string>): Promise<void>;
  /** Why ffmpeg did not come to its end, where the reading is of faults; null when it did. */
  broken: string | null;
}

/** What the plan says besides. */
export type Facts = Readonly<Record<string, number>>;

export interface Reader {
  /** Takes a line of what ffmpeg says while it runs; true when nobody else needs it. */
  see?(line: string): boolean;
  /** What is kept, as plain data. */
  finish(texts: RunTexts): Promise<unknown>;
}

export const readingKinds = ["meter", "peaks", "inspection", "comparison", "likeness"] as const;
export type ReadingKind = (typeof readingKinds)[number];

export const readers: Record<ReadingKind, (facts: Facts) => Reader> = {
  meter: () => ({ finish: async ({ stderr }) => readMeter(stderr) }),
  peaks: (facts) => ({
    finish: async ({ text }) => readPeaks((await text("peaks.txt")) ?? "", facts),
  }),
  inspection: (facts) => new InspectionReader(facts),
  comparison: (facts) => new ComparisonReader(facts),
  likeness: (facts) => new LikenessReader(facts),
};
