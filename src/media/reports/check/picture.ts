/** What the decoded picture shows to be wrong. Pure. */
import type { PacketSurvey } from "../../packet-survey.ts";
import type { Fields, Inspection } from "../../readings/inspection.ts";
import {
  type CheckAbout,
  type Finding,
  type FindingKind,
  fault,
  hairSeconds,
  surveyed,
} from "./finding.ts";
import { closed, coverage, type TimeSpan, united } from "./spans.ts";
import { frozenSpans } from "./still.ts";

/** A picture that is black so much of the time stands still because it is black. */
const blackShare = 0.8;

/** @param lost where the picture could not be decoded */
export function pictureFindings(
  about: CheckAbout,
  survey: PacketSurvey,
  { picture }: Inspection,
  lost: TimeSpan[],
): Finding[] {
  if (about.picture === null || picture === null) return [];
  const { stream, interlaced } = about.picture;
  const { blackSeconds, frozenSeconds, levelsSeconds } = about.thresholds;
  const { endSeconds = null, gaps = [], spacing = null } = surveyed(survey, stream) ?? {};
  const typical = spacing?.typicalSeconds ?? 0;
  const black = united(closed(picture.black, endSeconds), typical / 2);
  const holes = [...gaps.map((gap): TimeSpan => [gap.fromSeconds, gap.toSeconds]), ...lost];
  const frozen = frozenSpans(picture.still, picture.nearlyStill, endSeconds).filter(
    (span) => coverage(span, black) < blackShare && !isHole(span, holes, 2 * typical),
  );
  const levels = picture.beyondLevels.map(
    ({ fromSeconds, toSeconds }): TimeSpan => [fromSeconds, toSeconds + typical],
  );
  const of = (kind: FindingKind, spans: TimeSpan[], least: number | null, message: string) =>
    stretches(kind, stream, spans, least, message);
  return [
    ...of("black", black, blackSeconds, "The picture is black"),
    ...of("frozen", frozen, frozenSeconds, "The picture stands still"),
    ...of("levels", levels, levelsSeconds, "The picture goes beyond the levels of video"),
    ...(about.decode === "full" ? interlacing(stream, picture.fields, interlaced) : []),
  ];
}

/** Across a hole the picture before it stands still; the hole is said already. */
function isHole([from, to]: TimeSpan, holes: TimeSpan[], near: number): boolean {
  return holes.some(([begins, ends]) => from >= begins - near && to <= ends + near);
}

/** @param leastSeconds null where it is not looked for */
export function stretches(
  kind: FindingKind,
  stream: number,
  spans: TimeSpan[],
  leastSeconds: number | null,
  message: string,
): Finding[] {
  if (leastSeconds === null) return [];
  return spans
    .filter(([from, to]) => to - from >= leastSeconds - hairSeconds)
    .map((span) => fault(kind, stream, span, `${message} for ${(span[1] - span[0]).toFixed(2)} s`));
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
  const message =
    "The file says that its frames are whole, and they are made of two fields each: deinterlace it with deinterlace on, for automatic trusts the file";
  return [fault("interlacing", stream, [null, null], message)];
}
