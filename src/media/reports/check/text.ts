/** What `check` found, in sentences for the job and as Markdown. Pure. */
import { clockText, spanText } from "../words.ts";
import { type Finding, type FindingKind, plural } from "./finding.ts";
import type { CheckReport } from "./report.ts";

/** Findings that the job itself tells; the report has all. */
const maxTold = 10;

/** As people name them. */
const kindWords: Record<FindingKind, string> = {
  undecodable: "what cannot be decoded",
  damaged: "damage",
  "cut-off": "cut off",
  gap: "holes in the times",
  overlap: "packets over each other",
  backwards: "times that go back",
  "times-missing": "missing times",
  length: "picture and sound of different length",
  "format-change": "a change of the format",
  "frame-rate": "a wrong frame rate",
  "variable-frame-rate": "a variable frame rate",
  interlacing: "interlacing that is not said",
  black: "black",
  frozen: "frozen",
  levels: "illegal levels",
  silent: "silent",
  "one-sided": "one channel alone",
  "out-of-phase": "out of phase",
  clipped: "clipped",
  loudness: "loudness",
  "true-peak": "peaks",
};

/** The verdict, then the findings by time. */
export function checkSentences(report: CheckReport): string[] {
  const { findings, findingsLeftOut } = report;
  const left = findings.length + findingsLeftOut - maxTold;
  return [
    verdictOf(report),
    ...findings.slice(0, maxTold).map(sentence),
    ...(left > 0 ? [`${plural(left, "more finding")} in the report.`] : []),
  ];
}

function verdictOf(report: CheckReport): string {
  const { findings, findingsLeftOut, verdict } = report;
  const notices = findings.filter(({ severity }) => severity === "notice");
  if (verdict === "clean") return `Nothing is wrong with it: ${what(report)}.`;
  const count = findings.length + findingsLeftOut - notices.length;
  const kinds = [
    ...new Set(findings.filter((each) => !notices.includes(each)).map(({ kind }) => kind)),
  ];
  const words = kinds.map((kind) => kindWords[kind]).join(", ");
  return `${count} ${count === 1 ? "thing is" : "things are"} wrong with it: ${words}.`;
}

function what({ picture, sound, measuredSeconds, decode }: CheckReport): string {
  const frames = decode === "full" ? "frame" : "keyframe";
  return [
    ...(picture === null ? [] : [plural(picture.frames, frames)]),
    ...(sound.length === 0 ? [] : [plural(sound.length, "track of sound", "tracks of sound")]),
    ...(measuredSeconds === null ? [] : [`${measuredSeconds.toFixed(2)} s`]),
  ].join(", ");
}

function sentence({ fromSeconds, toSeconds, message }: Finding): string {
  if (fromSeconds === null) return `${message}.`;
  const point = toSeconds === null || toSeconds - fromSeconds < 0.001;
  const when = point
    ? `At ${clockText(fromSeconds)}`
    : `From ${clockText(fromSeconds)} to ${clockText(toSeconds)}`;
  return `${when}: ${message}.`;
}

export function checkMarkdown(report: CheckReport): string {
  const { findings, findingsLeftOut, remarks } = report;
  const lines = ["# Check", "", verdictOf(report), ""];
  if (findings.length > 0) {
    lines.push("| from | to | stream | what |", "|---|---|---|---|", ...findings.map(row));
    if (findingsLeftOut > 0) lines.push("", `${findingsLeftOut} more are not listed.`);
    lines.push("");
  }
  lines.push("## What it is", "", ...facts(report), ...remarks.map((remark) => `- ${remark}`));
  return `${lines.join("\n")}\n`;
}

function row({ fromSeconds, toSeconds, stream, severity, message }: Finding): string {
  const time = (value: number | null) => (value === null ? "" : clockText(value));
  const words = severity === "notice" ? `To know: ${message}` : message;
  return `| ${time(fromSeconds)} | ${time(toSeconds)} | ${stream ?? ""} | ${words} |`;
}

function facts({ picture, sound, durationSeconds, measuredSeconds }: CheckReport): string[] {
  const said = durationSeconds === null ? "says no length" : `says ${durationSeconds.toFixed(2)} s`;
  const has = measuredSeconds === null ? "" : `, and has ${measuredSeconds.toFixed(2)} s`;
  return [
    `- The file ${said}${has}.`,
    ...(picture === null ? [] : [pictureFact(picture)]),
    ...sound.map(soundFact),
  ];
}

function pictureFact(picture: NonNullable<CheckReport["picture"]>): string {
  const { frameRate, keyframes, keyframeSeconds, startsAtSeconds, endsAtSeconds } = picture;
  const rate =
    frameRate.measured === null
      ? ""
      : `${frameRate.measured.toFixed(2)} frames per second${frameRate.varies ? " on average" : ""}; `;
  const apart = keyframeSeconds === null ? "" : `, at most ${keyframeSeconds.toFixed(2)} s apart`;
  return `- Picture (stream ${picture.stream}): ${plural(picture.packets, "packet")}, ${plural(picture.frames, "frame")} decoded, ${plural(picture.errors, "error")}; ${rate}${spanText(startsAtSeconds, endsAtSeconds)}; ${plural(keyframes, "keyframe")}${apart}.`;
}

function soundFact(track: CheckReport["sound"][number], at: number): string {
  const { integratedLufs, rangeLu, truePeakDbtp } = track.loudness ?? {};
  const loud =
    integratedLufs === undefined
      ? "too short for a loudness"
      : `${integratedLufs.toFixed(1)} LUFS, range ${rangeLu?.toFixed(1)} LU, true peak ${truePeakDbtp?.toFixed(1)} dBTP`;
  const named = track.language === null ? "" : `, ${track.language}`;
  return `- Sound ${at + 1} (stream ${track.stream}${named}): ${plural(track.packets, "packet")}, ${plural(track.errors, "error")}; ${spanText(track.startsAtSeconds, track.endsAtSeconds)}; ${loud}.`;
}
