/** What the decoding of a file shows to be wrong. Times become those from its start. */
import { z } from "zod";
import type { PacketSurvey, StreamSurvey } from "../packet-survey.ts";
import type { Fields, Inspection, OpenStretch } from "../readings/inspection.ts";
import type { CheckAbout } from "./check.ts";

export const findingShape = z.strictObject({
  kind: z.enum([
    ...["black", "frozen", "silent"],
    ...["undecodable", "damaged", "gap", "overlap", "backwards", "cut-off", "interlacing"],
  ] as const),
  stream: z.int().nullable().describe("Index of the stream in the file; null for the whole file"),
  fromSeconds: z
    .number()
    .nullable()
    .describe("Seconds from the start; null where no time is known"),
  toSeconds: z.number().nullable().describe("Null for a point in time"),
  message: z.string(),
});
export type Finding = z.output<typeof findingShape>;

export function finding(
  kind: Finding["kind"],
  stream: number | null,
  [fromSeconds, toSeconds]: [number | null, number | null],
  message: string,
): Finding {
  return { kind, stream, fromSeconds, toSeconds, message };
}

export function picturesFindings(
  about: CheckAbout,
  survey: PacketSurvey,
  { picture, errors }: Inspection,
): Finding[] {
  if (about.picture === null || picture === null) return [];
  const { stream, interlaced } = about.picture;
  const surveyed = survey.streams.find(({ index }) => index === stream);
  const { blackSeconds, frozenSeconds } = about.thresholds;
  const close = closing(surveyed, survey);
  const frozen = picture.frozen.map(close).filter((span) => !isHole(span, surveyed, survey));
  const shown = new Set(picture.ticks);
  const lost = (surveyed?.ticks ?? []).filter((tick) => !shown.has(tick));
  return [
    ...stretches("black", stream, picture.black.map(close), blackSeconds, "The picture is black"),
    ...stretches("frozen", stream, frozen, frozenSeconds, "The picture stands still"),
    ...undecodable("picture", errors[stream] ?? 0, surveyed, {
      lost: about.decode === "full" ? lost : [],
      startSeconds: survey.startSeconds,
    }),
    ...(about.decode === "full" ? interlacing(stream, picture.fields, interlaced) : []),
  ];
}

export function soundsFindings(
  about: CheckAbout,
  survey: PacketSurvey,
  { sound, errors }: Inspection,
): Finding[] {
  return about.tracks.flatMap(({ stream, sampleRate }, track) => {
    const found = sound[track];
    if (found === undefined) return [];
    const surveyed = survey.streams.find(({ index }) => index === stream);
    const close = closing(surveyed, survey);
    const { silentSeconds } = about.thresholds;
    const lost = lostSound(surveyed, found.ticks, sampleRate);
    return [
      ...stretches("silent", stream, found.silent.map(close), silentSeconds, "The sound is silent"),
      ...undecodable("sound", errors[stream] ?? 0, surveyed, {
        lost,
        startSeconds: survey.startSeconds,
      }),
    ];
  });
}

/** To times from the start of the file; what is open lasts until the stream ends. */
function closing(stream: StreamSurvey | undefined, { startSeconds }: PacketSurvey) {
  return ({ fromSeconds, toSeconds }: OpenStretch): [number, number] => [
    fromSeconds - startSeconds,
    (toSeconds ?? stream?.endSeconds ?? fromSeconds) - startSeconds,
  ];
}

/** Across a hole the picture before it stands still; that is said once. */
function isHole(
  [from, to]: [number, number],
  stream: StreamSurvey | undefined,
  { startSeconds }: PacketSurvey,
): boolean {
  const { gaps = [], typicalSeconds } = stream ?? {};
  const near = 2 * (typicalSeconds ?? 0);
  return gaps.some(
    ({ fromSeconds, toSeconds }) =>
      from >= fromSeconds - startSeconds - near && to <= toSeconds - startSeconds + near,
  );
}

/** ffmpeg's times have six digits: what is a hair below the threshold counts. */
const hairSeconds = 0.001;

function stretches(
  kind: "black" | "frozen" | "silent",
  stream: number,
  found: [number, number][],
  leastSeconds: number,
  message: string,
): Finding[] {
  return found
    .filter(([from, to]) => to - from >= leastSeconds - hairSeconds)
    .map((span) =>
      finding(kind, stream, span, `${message} for ${(span[1] - span[0]).toFixed(2)} s`),
    );
}

/** Packets whose times no frame of sound is near: frames count samples, packets have a clock of their own. */
function lostSound(stream: StreamSurvey | undefined, frames: number[], sampleRate: number) {
  if (stream === undefined || stream.typicalSeconds === null || sampleRate <= 0) return [];
  const near = stream.typicalSeconds / 2;
  const times = frames.map((tick) => tick / sampleRate).toSorted((a, b) => a - b);
  let at = 0;
  return stream.ticks.filter((tick) => {
    const seconds = tick * stream.tickSeconds;
    while (at < times.length && (times[at] ?? 0) < seconds - near) at += 1;
    return Math.abs((times[at] ?? Number.POSITIVE_INFINITY) - seconds) > near;
  });
}

/** Lost packets that lie apart by no more than this many of the usual distance make one stretch. */
const neighbours = 3.5;

/** A decoder that says nothing is wrong is believed: some packets are never shown. */
function undecodable(
  what: "picture" | "sound",
  errors: number,
  stream: StreamSurvey | undefined,
  { lost, startSeconds }: { lost: number[]; startSeconds: number },
): Finding[] {
  if (errors === 0 || stream === undefined) return [];
  const packets = (count: number) => `${count} ${count === 1 ? "packet" : "packets"}`;
  const typical = stream.typicalSeconds ?? 0;
  const spans: { from: number; to: number; count: number }[] = [];
  for (const tick of lost) {
    const seconds = tick * stream.tickSeconds - startSeconds;
    const open = spans.at(-1);
    if (open !== undefined && seconds - open.to <= (neighbours - 1) * typical) {
      open.to = seconds + typical;
      open.count += 1;
    } else spans.push({ from: seconds, to: seconds + typical, count: 1 });
  }
  const placed = spans.map(({ from, to, count }) =>
    finding(
      "undecodable",
      stream.index,
      [from, to],
      `${packets(count)} of the ${what} cannot be decoded`,
    ),
  );
  const rest = errors - lost.length;
  if (rest <= 0) return placed;
  const message = `The decoder of the ${what} met ${rest} more ${rest === 1 ? "error" : "errors"} that it covered up`;
  return [...placed, finding("undecodable", stream.index, [null, null], message)];
}

/** Of the frames that could be told. Drawn pictures and noise look like fields of either order. */
const surelyInterlaced = 0.9;
/** Fewer than this tell nothing. */
const leastFrames = 25;

function interlacing(stream: number, fields: Fields | null, said: boolean): Finding[] {
  if (fields === null) return [];
  const { upperFirst, lowerFirst, progressive, undetermined } = fields;
  const told = upperFirst + lowerFirst + progressive;
  if (told < leastFrames || told < undetermined) return [];
  const found = Math.max(upperFirst, lowerFirst) >= surelyInterlaced * told;
  if (!found || said) return [];
  const message = "The file says that its frames are whole, and they are made of two fields each";
  return [finding("interlacing", stream, [null, null], message)];
}
