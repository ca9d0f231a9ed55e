/**
 * From what ffmpeg said and its filters wrote to figures: one pure function for each kind. A new one is a
 * line here.
 */
import { readComparison } from "./readings/comparison.ts";
import { readInspection } from "./readings/inspection.ts";
import { readLikeness } from "./readings/likeness.ts";
import { readMeter, readPeaks } from "./readings/sound.ts";

/** What a run left to read. */
export interface RunTexts {
  /** Bounded; holds host paths, so no line of it is passed on as it is. */
  stderr: string;
  /** Text of a file in the step's folder, by its plain name; null when it is not there. */
  text(file: string): Promise<string | null>;
  /** How often decoders failed, by the index of the stream; counted over all that ffmpeg said. */
  errors: Readonly<Record<number, number>>;
  /** What the plan says besides. */
  facts: Readonly<Record<string, number>>;
}

export const readingKinds = ["meter", "peaks", "inspection", "comparison", "likeness"] as const;
export type ReadingKind = (typeof readingKinds)[number];

export const readings: Record<ReadingKind, (texts: RunTexts) => Promise<unknown>> = {
  meter: async ({ stderr }) => readMeter(stderr),
  inspection: readInspection,
  comparison: readComparison,
  likeness: readLikeness,
  peaks: async ({ text, facts }) => readPeaks((await text("peaks.txt")) ?? "", facts),
};
