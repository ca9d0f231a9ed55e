/** The report of `check`: what is wrong with a file, and where. */
import { z } from "zod";
import type { PacketSurvey, StreamSurvey } from "../../packet-survey.ts";
import type { Inspection } from "../../readings/inspection.ts";
import type { Report } from "../../reports.ts";
import { decodingFindings } from "./decoding.ts";
import { type CheckAbout, findingShape, surveyed } from "./finding.ts";
import { measuredSeconds } from "./measured.ts";
import { packetFindings } from "./packets.ts";
import { pictureFindings } from "./picture.ts";
import { soundFindings } from "./sound.ts";
import { checkMarkdown, checkSentences } from "./text.ts";

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
const frames = z.int().describe("That were decoded");
const errors = z.int().describe("That its decoder met");

/** The JSON of the report. Fields are added, never changed. */
export const checkReportShape = z.strictObject({
  kind: z.literal("kinomill-check"),
  version: z.literal(1),
  verdict: z.enum(["clean", "faulty"]),
  decode: z.enum(["full", "keyframes"]),
  thresholds: z.record(z.string(), z.unknown()).describe("Null for what was not looked for"),
  durationSeconds: z.number().nullable().describe("As the file says it"),
  measuredSeconds: z.number().nullable().describe("To the end of its last packet"),
  picture: z
    .strictObject({
      ...{ stream: z.int(), packets: z.int(), frames, errors },
      startsAtSeconds: seconds.nullable(),
      endsAtSeconds: seconds.nullable(),
      frameRate: z.strictObject({
        said: z.number().nullable(),
        measured: z.number().nullable(),
        varies: z.boolean(),
      }),
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
      ...{ channels: z.int(), packets: z.int(), frames, errors },
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
  const decoded = decodingFindings(about, survey, inspection);
  const all = [
    ...packetFindings(about, survey, inspection),
    ...decoded.findings,
    ...pictureFindings(about, survey, inspection, decoded.pictureLost),
    ...soundFindings(about, survey, inspection),
  ].toSorted((a, b) => (a.fromSeconds ?? timeless) - (b.fromSeconds ?? timeless));
  const findings = all.slice(0, maxFindings);
  const data: CheckReport = {
    ...{ kind: "kinomill-check", version: 1 },
    verdict: all.some(({ severity }) => severity === "fault") ? "faulty" : "clean",
    decode: about.decode,
    thresholds: { ...about.thresholds },
    durationSeconds: survey.durationSeconds ?? about.durationSeconds,
    measuredSeconds: measuredSeconds(survey),
    picture: pictureFacts(about, survey, inspection),
    sound: soundFacts(about, survey, inspection),
    findings,
    findingsLeftOut: all.length - findings.length,
    remarks: remarksOf(about, survey),
  };
  return { data, text: checkMarkdown(data), sentences: checkSentences(data) };
}

function pictureFacts(
  { picture }: CheckAbout,
  survey: PacketSurvey,
  { picture: seen, errors: spots }: Inspection,
): CheckReport["picture"] {
  if (picture === null || seen === null) return null;
  const stream = surveyed(survey, picture.stream);
  return {
    ...{ stream: picture.stream, packets: stream?.packets ?? 0, frames: seen.frames },
    errors: errorsOf(spots, picture.stream),
    ...spanOf(stream),
    frameRate: {
      said: picture.frameRate,
      measured: stream?.rate ?? null,
      varies: stream?.uneven ?? false,
    },
    keyframes: stream?.keyframes ?? 0,
    keyframeSeconds: stream?.keyframeSeconds ?? null,
    interlaced: seen.fields && { said: picture.interlaced, ...seen.fields },
  };
}

function soundFacts(
  { tracks }: CheckAbout,
  survey: PacketSurvey,
  { sound, errors: spots }: Inspection,
): CheckReport["sound"] {
  return tracks.map(({ stream, language, channels }, track) => {
    const packets = surveyed(survey, stream);
    return {
      ...{ stream, language, channels, packets: packets?.packets ?? 0 },
      frames: sound[track]?.frames ?? 0,
      errors: errorsOf(spots, stream),
      ...spanOf(packets),
      loudness: sound[track]?.loudness ?? null,
    };
  });
}

function errorsOf(spots: Inspection["errors"], index: number): number {
  return spots
    .filter(({ stream }) => stream === index)
    .reduce((sum, { failures, complaints }) => sum + Math.max(failures, complaints), 0);
}

function spanOf(stream: StreamSurvey | undefined) {
  return {
    startsAtSeconds: stream?.startSeconds ?? null,
    endsAtSeconds: stream?.endSeconds ?? null,
  };
}

function remarksOf({ decode, tracksLeftOut, picture }: CheckAbout, survey: PacketSurvey) {
  const uneven = picture !== null && surveyed(survey, picture.stream)?.uneven;
  return [
    ...(decode === "keyframes"
      ? [
          "Only keyframes were decoded: stretches are as coarse as these, and nothing is said of the frames between or of interlacing.",
        ]
      : []),
    ...(survey.complete
      ? []
      : ["There are more packets than are looked at; what comes after them is decoded only."]),
    ...(uneven
      ? ["Because the frame rate varies, distances between frames are not taken for holes."]
      : []),
    ...(tracksLeftOut > 0 ? [`${tracksLeftOut} more tracks of sound were not listened to.`] : []),
  ];
}
