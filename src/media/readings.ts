/**
 * From what ffmpeg said and its filters wrote to figures: one pure function for each kind. A new one is a
 * line here.
 */
import { Failure } from "../trouble.ts";
import { readMeter, readPeaks } from "./readings/sound.ts";

/** What a run left to read. */
export interface RunTexts {
  /** Bounded; holds host paths, so no line of it is passed on as it is. */
  stderr: string;
  /** Text of a file in the step's folder, by its plain name; null when it is not there. */
  text(file: string): Promise<string | null>;
  /** What the plan says besides. */
  facts: Readonly<Record<string, number>>;
}

export const readingKinds = ["loudness", "meter", "peaks"] as const;
export type ReadingKind = (typeof readingKinds)[number];

/** What `loudnorm` measured (EBU R128), as its second pass takes it. */
export interface LoudnessReading {
  integratedLufs: number;
  truePeakDbtp: number;
  rangeLu: number;
  thresholdLufs: number;
  offsetLu: number;
}

export const readings: Record<ReadingKind, (texts: RunTexts) => Promise<unknown>> = {
  loudness: async ({ stderr }) => readLoudness(stderr),
  meter: async ({ stderr }) => readMeter(stderr),
  peaks: async ({ text, facts }) => readPeaks((await text("peaks.txt")) ?? "", facts),
};

/** Out of the JSON that `loudnorm=print_format=json` prints at its end. Silence is "-inf" there. */
export function readLoudness(stderr: string): LoudnessReading {
  const block = /\{[^{}]*"input_i"[^{}]*\}/.exec(stderr)?.[0];
  if (block === undefined) throw unread("the loudness");
  const values = JSON.parse(block) as Record<string, string>;
  const figure = (name: string) => {
    const value = Number(values[name]?.replace("inf", "Infinity"));
    return Number.isFinite(value) ? value : SILENCE_LUFS;
  };
  return {
    integratedLufs: figure("input_i"),
    truePeakDbtp: figure("input_tp"),
    rangeLu: figure("input_lra"),
    thresholdLufs: figure("input_thresh"),
    offsetLu: figure("target_offset"),
  };
}

/** The lowest that loudnorm takes as measured: what it says of silence is minus infinity. */
const SILENCE_LUFS = -99;

function unread(what: string): Failure {
  return new Failure("internal", `ffmpeg did not say ${what} that was asked for.`, {
    hint: "Retry the job. If it fails again, send the log of the server with the job's id.",
    retryable: true,
  });
}
