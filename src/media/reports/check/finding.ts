/** What `check` can find, and what the plan tells it. */
import { z } from "zod";
import type { PacketSurvey, StreamSurvey } from "../../packet-survey.ts";

export const findingKinds = [
  ...["undecodable", "damaged", "cut-off"],
  ...["gap", "overlap", "backwards", "times-missing", "length"],
  ...["format-change", "frame-rate", "variable-frame-rate", "interlacing"],
  ...["black", "frozen", "levels"],
  ...["silent", "one-sided", "out-of-phase", "clipped", "loudness", "true-peak"],
] as const;

export const findingShape = z.strictObject({
  kind: z.enum(findingKinds),
  severity: z
    .enum(["fault", "notice"])
    .describe("A notice is worth knowing and leaves the verdict clean"),
  stream: z.int().nullable().describe("Index of the stream in the file; null for the whole file"),
  fromSeconds: z
    .number()
    .nullable()
    .describe("Seconds from the start; null where no time is known"),
  toSeconds: z.number().nullable().describe("Null for a point in time"),
  message: z.string(),
});
export type Finding = z.output<typeof findingShape>;
export type FindingKind = Finding["kind"];

/** What the plan knows: thresholds as they were asked for, null for what is not looked for, and what the probe said. */
export interface CheckAbout {
  thresholds: {
    blackSeconds: number | null;
    frozenSeconds: number | null;
    silentSeconds: number | null;
    phaseSeconds: number | null;
    /** Of frames with too much outside of the levels of video. */
    levelsSeconds: number | null;
    clipped: boolean;
    gapSeconds: number;
    lengthSeconds: number;
    loudness: { lufs: number; toleranceLu: number } | null;
    truePeakDbtp: number | null;
  };
  decode: "full" | "keyframes";
  /** Of the file, as it says; null when it does not. */
  durationSeconds: number | null;
  /** Of the main picture; null for sound alone. */
  picture: { stream: number; interlaced: boolean; frameRate: number | null } | null;
  /** Tracks that were listened to, in order. */
  tracks: { stream: number; channels: number; language: string | null }[];
  /** Tracks beyond those. */
  tracksLeftOut: number;
}

type Span = readonly [fromSeconds: number | null, toSeconds: number | null];

export function fault(kind: FindingKind, stream: number | null, span: Span, message: string) {
  return finding(kind, "fault", stream, span, message);
}

export function notice(kind: FindingKind, stream: number | null, span: Span, message: string) {
  return finding(kind, "notice", stream, span, message);
}

function finding(
  kind: FindingKind,
  severity: Finding["severity"],
  stream: number | null,
  [from, to]: Span,
  message: string,
): Finding {
  const plain = (seconds: number | null) =>
    seconds === null ? null : Math.round(seconds * 1e6) / 1e6;
  return { kind, severity, stream, fromSeconds: plain(from), toSeconds: plain(to), message };
}

export function surveyed(survey: PacketSurvey, index: number): StreamSurvey | undefined {
  return survey.streams.find((stream) => stream.index === index);
}

/** "The sound", or which of several it is: "Sound 2 (deu)". */
export function soundName({ tracks }: CheckAbout, at: number): string {
  if (tracks.length === 1) return "The sound";
  const language = tracks[at]?.language ?? null;
  return `Sound ${at + 1}${language === null ? "" : ` (${language})`}`;
}

/** ffmpeg's times have six digits: what is a hair below the threshold counts. */
export const hairSeconds = 0.001;

export function plural(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`;
}
