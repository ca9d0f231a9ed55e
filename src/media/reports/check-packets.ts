/** What the packets of a file show to be wrong. */
import type { PacketSurvey, StreamSurvey } from "../packet-survey.ts";
import { type CheckAbout, measuredSeconds } from "./check.ts";
import { type Finding, finding } from "./check-findings.ts";

/** By so much, or by a hundredth, a file may say another length than it has. */
const shortBySeconds = 1;

export function packetFindings(about: CheckAbout, survey: PacketSurvey): Finding[] {
  const looked = [about.picture?.stream, ...about.tracks.map(({ stream }) => stream)];
  const streams = survey.streams.filter(({ index }) => looked.includes(index));
  return [
    ...streams.flatMap((stream) => streamFindings(stream, survey.startSeconds)),
    ...cutOff(about, survey),
  ];
}

function streamFindings(stream: StreamSurvey, startSeconds: number): Finding[] {
  const { index, kind } = stream;
  const what = kind === "video" ? "picture" : "sound";
  const at = (seconds: number) => seconds - startSeconds;
  return [
    ...stream.gaps.map(({ fromSeconds: from, toSeconds: to }) =>
      finding("gap", index, [at(from), at(to)], `The times of the ${what} have a hole`),
    ),
    ...stream.overlaps.map(({ fromSeconds: from, toSeconds: to }) =>
      finding("overlap", index, [at(from), at(to)], `Packets of the ${what} lie over each other`),
    ),
    ...stream.backwards.map((seconds) =>
      finding("backwards", index, [at(seconds), null], `The decoding times of the ${what} go back`),
    ),
    ...stream.corrupt.map((seconds) =>
      finding("damaged", index, [at(seconds), null], `A packet of the ${what} is damaged`),
    ),
  ];
}

function cutOff({ durationSeconds }: CheckAbout, survey: PacketSurvey): Finding[] {
  const measured = measuredSeconds(survey);
  if (durationSeconds === null || measured === null || !survey.complete) return [];
  if (durationSeconds - measured <= Math.max(shortBySeconds, durationSeconds / 100)) return [];
  const message = `The file ends before the ${durationSeconds.toFixed(2)} s that it says`;
  return [finding("cut-off", null, [measured, durationSeconds], message)];
}
