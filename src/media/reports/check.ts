/** The report of `check`: what is wrong with a file, and where. */
import { z } from "zod";
import type { PacketSurvey, StreamSurvey } from "../packet-survey.ts";
import type { Inspection } from "../readings/inspection.ts";
import type { Report } from "../reports.ts";
import { type Finding, findingShape, picturesFindings, soundsFindings } from "./check-findings.ts";
import { packetFindings } from "./check-packets.ts";
import { clockText, spanText } from "./words.ts";

/** What the plan knows: thresholds as they were asked for, and what the probe said. */
export interface CheckAbout {
  thresholds: {
    blackSeconds: number;
    frozenSeconds: number;
    frozenDb: number;
    silentSeconds: number;
    silentDb: number;
    gapSeconds: number;
  };
  decode: "full" | "keyframes";
  /** Of the file, as it says; null when it does not. */
  durationSeconds: number | null;
  /** Of the main picture; null for sound alone. */
  picture: { stream: number; interlaced: boolean } | null;
  /** Tracks that were listened to, in order. */
  tracks: { stream: number; sampleRate: number; language: string | null }[];
  /** Tracks beyond those. */
  tracksLeftOut: number;
}

/** What has no time comes last. */
const timeless = Number.MAX_VALUE;

/** More are counted and not listed: such a file is beyond reading lists. */
const maxFindings = 1000;

const loudness = z
  .strictObject({
    integratedLufs: z.number().describe("EBU R 128; −99 is silence"),
    rangeLu: z.number(),
    truePeakDbtp: z.number(),
  })
  .nullable();

const seconds = z.number().describe("Seconds from the start of the file");

/** The JSON of the report; `docs/reports.md` tells it in words. Fields are added, never changed. */
export const checkReportShape = z.strictObject({
  kind: z.literal("kinomill-check"),
  version: z.literal(1),
  verdict: z.enum(["clean", "faulty"]),
  decode: z.enum(["full", "keyframes"]),
  thresholds: z.record(z.string(), z.number()),
  durationSeconds: z.number().nullable().describe("As the file says it"),
  measuredSeconds: z.number().nullable().describe("To the end of its last packet"),
  picture: z
    .strictObject({
      stream: z.int(),
      packets: z.int(),
      frames: z.int().describe("That were decoded"),
      errors: z.int().describe("Packets that the decoder failed on or called damaged"),
      startsAtSeconds: seconds.nullable(),
      endsAtSeconds: seconds.nullable(),
      frameSeconds: z.number().nullable().describe("The usual distance between frames"),
      evenlySpaced: z.boolean(),
      keyframes: z.int(),
      keyframeSeconds: z.number().nullable().describe("The longest distance between keyframes"),
      interlaced: z
        .strictObject({
          said: z.boolean(),
          upperFirst: z.int(),
          lowerFirst: z.int(),
          progressive: z.int(),
          undetermined: z.int(),
        })
        .nullable(),
    })
    .nullable(),
  sound: z.array(
    z.strictObject({
      stream: z.int(),
      language: z.string().nullable(),
      packets: z.int(),
      frames: z.int(),
      errors: z.int(),
      startsAtSeconds: seconds.nullable(),
      endsAtSeconds: seconds.nullable(),
      loudness,
    }),
  ),
  findings: z.array(findingShape),
  findingsLeftOut: z.int(),
  remarks: z.array(z.string()),
});
export type CheckReport = z.output<typeof checkReportShape>;

/** @param found a PacketSurvey and an Inspection, as they were written */
export function reportCheck(planned: unknown, found: unknown[]): Report {
  const about = planned as CheckAbout;
  const [survey, inspection] = found as [PacketSurvey, Inspection];
  const all = [
    ...packetFindings(about, survey),
    ...picturesFindings(about, survey, inspection),
    ...soundsFindings(about, survey, inspection),
  ].toSorted((a, b) => (a.fromSeconds ?? timeless) - (b.fromSeconds ?? timeless));
  const findings = all.slice(0, maxFindings);
  const data: CheckReport = {
    kind: "kinomill-check",
    version: 1,
    verdict: all.length === 0 ? "clean" : "faulty",
    decode: about.decode,
    thresholds: { ...about.thresholds },
    durationSeconds: about.durationSeconds,
    measuredSeconds: measuredSeconds(survey),
    picture: pictureFacts(about, survey, inspection),
    sound: soundFacts(about, survey, inspection),
    findings,
    findingsLeftOut: all.length - findings.length,
    remarks: remarksOf(about, survey),
  };
  const verdict = verdictOf(data);
  return { data, text: markdown(data, verdict), sentences: [verdict] };
}

export function measuredSeconds({ streams, startSeconds }: PacketSurvey): number | null {
  const ends = streams.flatMap(({ endSeconds }) => (endSeconds === null ? [] : [endSeconds]));
  return ends.length === 0 ? null : Math.max(...ends) - startSeconds;
}

function pictureFacts(
  { picture }: CheckAbout,
  survey: PacketSurvey,
  inspection: Inspection,
): CheckReport["picture"] {
  if (picture === null || inspection.picture === null) return null;
  const stream = survey.streams.find(({ index }) => index === picture.stream);
  const { fields, ticks } = inspection.picture;
  return {
    stream: picture.stream,
    packets: stream?.packets ?? 0,
    frames: ticks.length,
    errors: inspection.errors[picture.stream] ?? 0,
    ...spanOf(stream, survey),
    frameSeconds: stream?.typicalSeconds ?? null,
    evenlySpaced: !(stream?.uneven ?? false),
    keyframes: stream?.keyframes ?? 0,
    keyframeSeconds: stream?.keyframeSeconds ?? null,
    interlaced: fields === null ? null : { said: picture.interlaced, ...fields },
  };
}

function soundFacts(
  { tracks }: CheckAbout,
  survey: PacketSurvey,
  inspection: Inspection,
): CheckReport["sound"] {
  return tracks.map(({ stream, language }, track) => {
    const surveyed = survey.streams.find(({ index }) => index === stream);
    return {
      ...{ stream, language, packets: surveyed?.packets ?? 0 },
      frames: inspection.sound[track]?.ticks.length ?? 0,
      errors: inspection.errors[stream] ?? 0,
      ...spanOf(surveyed, survey),
      loudness: inspection.sound[track]?.loudness ?? null,
    };
  });
}

function spanOf(stream: StreamSurvey | undefined, { startSeconds }: PacketSurvey) {
  const { startSeconds: from = null, endSeconds: to = null } = stream ?? {};
  return {
    startsAtSeconds: from === null ? null : from - startSeconds,
    endsAtSeconds: to === null ? null : to - startSeconds,
  };
}

function remarksOf({ decode, tracksLeftOut }: CheckAbout, { complete, streams }: PacketSurvey) {
  const keyframes =
    "Only keyframes were decoded: stretches are as coarse as these, and nothing is said of the frames between or of interlacing.";
  const packets =
    "There are more packets than are looked at; what comes after them is decoded only.";
  const uneven =
    "The frames come at uneven distances, as they do in recordings of screens and phones: a distance alone is no hole there.";
  const tracks = `${tracksLeftOut} more tracks of sound were not listened to.`;
  return [
    ...(decode === "keyframes" ? [keyframes] : []),
    ...(complete ? [] : [packets]),
    ...(streams.some((stream) => stream.kind === "video" && stream.uneven) ? [uneven] : []),
    ...(tracksLeftOut > 0 ? [tracks] : []),
  ];
}

function verdictOf({ findings, findingsLeftOut }: CheckReport): string {
  const count = findings.length + findingsLeftOut;
  if (count === 0) return "Nothing is wrong with it.";
  const kinds = [...new Set(findings.map(({ kind }) => kind))].join(", ");
  return `${count} ${count === 1 ? "thing is" : "things are"} wrong with it: ${kinds}.`;
}

function markdown(report: CheckReport, verdict: string): string {
  const { picture, sound, findings, findingsLeftOut, remarks } = report;
  const lines = ["# Check", "", verdict, ""];
  if (findings.length > 0) lines.push("| from | to | what |", "|---|---|---|");
  for (const finding of findings) lines.push(row(finding));
  if (findingsLeftOut > 0) lines.push("", `${findingsLeftOut} more are not listed.`);
  lines.push("", "## What it is", "");
  if (picture !== null) {
    lines.push(
      `- Picture: ${picture.packets} packets, ${picture.frames} frames decoded, ${picture.errors} errors; ${spanText(picture.startsAtSeconds, picture.endsAtSeconds)}; ${picture.keyframes} keyframes${picture.keyframeSeconds === null ? "" : `, at most ${picture.keyframeSeconds.toFixed(2)} s apart`}.`,
    );
  }
  for (const [at, track] of sound.entries()) {
    const { integratedLufs, rangeLu, truePeakDbtp } = track.loudness ?? {};
    const loud =
      integratedLufs === undefined
        ? "too short for a loudness"
        : `${integratedLufs.toFixed(1)} LUFS, range ${rangeLu?.toFixed(1)} LU, true peak ${truePeakDbtp?.toFixed(1)} dBTP`;
    lines.push(
      `- Sound ${at + 1}: ${track.packets} packets, ${track.errors} errors; ${spanText(track.startsAtSeconds, track.endsAtSeconds)}; ${loud}.`,
    );
  }
  for (const remark of remarks) lines.push(`- ${remark}`);
  return `${lines.join("\n")}\n`;
}

function row({ fromSeconds, toSeconds, message }: Finding): string {
  const time = (value: number | null) => (value === null ? "" : clockText(value));
  return `| ${time(fromSeconds)} | ${time(toSeconds)} | ${message} |`;
}
