/** What the packets of a file show to be wrong, and what the file says of itself. Pure. */
import type { PacketSurvey, StreamSurvey } from "../../packet-survey.ts";
import type { Inspection } from "../../readings/inspection.ts";
import {
  type CheckAbout,
  type Finding,
  fault,
  notice,
  plural,
  soundName,
  surveyed,
} from "./finding.ts";
import { measuredSeconds } from "./measured.ts";

interface Looked {
  stream: StreamSurvey;
  what: string;
}

export function packetFindings(
  about: CheckAbout,
  survey: PacketSurvey,
  inspection: Inspection,
): Finding[] {
  const looked = lookedAt(about, survey);
  return [
    ...looked.flatMap(streamFindings),
    ...cutOff(about, survey),
    ...lengths(about, survey),
    ...frameRate(about, survey),
    ...formatChanges(about, inspection),
  ];
}

function lookedAt(about: CheckAbout, survey: PacketSurvey): Looked[] {
  const named = [
    ...(about.picture === null ? [] : [{ index: about.picture.stream, what: "The picture" }]),
    ...about.tracks.map(({ stream: index }, at) => ({ index, what: soundName(about, at) })),
  ];
  return named.flatMap(({ index, what }) => {
    const stream = surveyed(survey, index);
    return stream === undefined ? [] : [{ stream, what }];
  });
}

/** Places of one kind that are listed; the last one says how many more there are. */
const maxPlaces = 20;

function streamFindings({ stream, what }: Looked): Finding[] {
  const { index, backwards, backwardsCount } = stream;
  const times = `The times of ${what.replace(/^The/, "the")}`;
  return [
    ...stream.gaps.map(({ fromSeconds: from, toSeconds: to }) =>
      fault("gap", index, [from, to], `${times} have a hole of ${(to - from).toFixed(2)} s`),
    ),
    ...stream.overlaps.map(({ fromSeconds: from, toSeconds: to }) =>
      fault(
        "overlap",
        index,
        [from, to],
        `Packets of ${what.replace(/^The/, "the")} lie over each other`,
      ),
    ),
    ...backwards.slice(0, maxPlaces).map((seconds, at) => {
      const more = backwardsCount - maxPlaces;
      const rest = at === maxPlaces - 1 && more > 0 ? `, and ${more} times more after it` : "";
      return fault("backwards", index, [seconds, null], `${times} go back${rest}`);
    }),
    ...stream.corrupt.map(({ fromSeconds, toSeconds, frames }) =>
      fault(
        "damaged",
        index,
        [fromSeconds, toSeconds],
        `${what} is damaged: ${plural(frames, "packet")}`,
      ),
    ),
    ...(stream.corruptTimeless > 0
      ? [
          fault(
            "damaged",
            index,
            [null, null],
            `${what} is damaged: ${plural(stream.corruptTimeless, "packet")} without a time`,
          ),
        ]
      : []),
    ...timesMissing(stream, what),
  ];
}

function timesMissing({ index, timeless, packets }: StreamSurvey, what: string): Finding[] {
  if (timeless === 0) return [];
  const message = `${what} has ${plural(timeless, "packet")} of ${packets} without a time`;
  return [fault("times-missing", index, [null, null], message)];
}

function cutOff(
  { durationSeconds, thresholds: { lengthSeconds } }: CheckAbout,
  survey: PacketSurvey,
): Finding[] {
  const measured = measuredSeconds(survey);
  const said = survey.durationSeconds ?? durationSeconds;
  const short =
    said !== null && measured !== null && survey.complete && said - measured > lengthSeconds;
  if (!short && !survey.truncated) return [];
  const until = short ? said : null;
  const message = short
    ? `The file ends before the ${said.toFixed(2)} s that it says`
    : "The file ends in the middle of its data";
  return [fault("cut-off", null, [measured, until], message)];
}

/** Picture and sound that do not begin or end together. */
function lengths(about: CheckAbout, survey: PacketSurvey): Finding[] {
  const picture = about.picture && surveyed(survey, about.picture.stream);
  if (!picture || !survey.complete) return [];
  const { lengthSeconds } = about.thresholds;
  return about.tracks.flatMap(({ stream: index }, at) => {
    const sound = surveyed(survey, index);
    if (sound === undefined) return [];
    const what = soundName(about, at);
    const differ = (a: number | null, b: number | null, words: (later: number) => string) => {
      if (a === null || b === null || Math.abs(b - a) <= lengthSeconds) return [];
      return [fault("length", index, [Math.min(a, b), Math.max(a, b)], `${what} ${words(b - a)}`)];
    };
    const than = (seconds: number) =>
      `${Math.abs(seconds).toFixed(2)} s ${seconds > 0 ? "after" : "before"} the picture`;
    return [
      ...differ(picture.startSeconds, sound.startSeconds, (later) => `begins ${than(later)}`),
      ...differ(picture.endSeconds, sound.endSeconds, (later) => `ends ${than(later)}`),
    ];
  });
}

/** A rate that is off by less on average is a rounding; so is what single distances are off by in milliseconds. */
const sameRate = 0.01;
const sameDistance = 0.03;

function frameRate({ picture }: CheckAbout, survey: PacketSurvey): Finding[] {
  const stream = picture && surveyed(survey, picture.stream);
  if (!picture || !stream || stream.spacing === null || stream.rate === null) return [];
  const { shortestSeconds, longestSeconds } = stream.spacing;
  const rate = (value: number) => String(Math.round(value * 100) / 100);
  // What begins anew in the middle has two frames for every time.
  if (stream.backwardsCount > 0) return [];
  if (stream.uneven) {
    const [most, least] = [1 / Math.max(shortestSeconds, 1e-3), 1 / longestSeconds];
    const message = `The frame rate varies: ${rate(stream.rate)} frames per second on average, between ${rate(least)} and ${rate(most)}`;
    return [notice("variable-frame-rate", stream.index, [null, null], message)];
  }
  const said = picture.frameRate;
  // Fields may come in packets of their own.
  const factors = picture.interlaced ? [1, 0.5] : [1];
  const near = (found: number, least: number) =>
    said === null || factors.some((factor) => Math.abs((found * factor) / said - 1) <= least);
  const usual = 1 / stream.spacing.typicalSeconds;
  if (said === null || near(stream.rate, sameRate) || near(usual, sameDistance)) return [];
  const message = `The file says ${rate(said)} frames per second, and ${rate(stream.rate)} come`;
  return [fault("frame-rate", stream.index, [null, null], message)];
}

function formatChanges({ picture, tracks }: CheckAbout, { picture: seen, sound }: Inspection) {
  const of = (stream: number, changes: number[], message: string) =>
    changes.slice(0, maxPlaces).map((at) => fault("format-change", stream, [at, null], message));
  return [
    ...(picture === null
      ? []
      : of(picture.stream, seen?.changes ?? [], "The picture changes its size or format")),
    ...tracks.flatMap(({ stream }, at) =>
      of(stream, sound[at]?.changes ?? [], "The sound changes its channels, rate or format"),
    ),
  ];
}
