/**
 * What somebody who helps needs to know of a job, as plain text. No names of files, no paths of this machine, and
 * nothing that was typed into parameters: texts among them may be secrets.
 */
import type { HistoryEntry } from "../src/jobs/event-log.ts";
import type { Job, JobAttempt, JobStep } from "../src/jobs/job.ts";
import type { MediaInfo } from "../src/media/media.ts";

/** What it ran on. */
export interface Versions {
  kinomill: string;
  commit: string;
  /** Null when it cannot be started. */
  ffmpeg: string | null;
  /** Titles of the devices. */
  devices: readonly string[];
}

export interface ReportedJob {
  job: Job;
  /** Names of the inputs, which are not told. */
  names: readonly string[];
  /** What the inputs are, by position; null for one that is gone or is text. */
  inputs: readonly (MediaInfo | null)[];
  history: readonly HistoryEntry[];
  versions: Versions;
}

/** Steps and entries of the history that are told; the last ones. */
const LINES_MAX = 60;

export function jobReport({ job, names, inputs, history, versions }: ReportedJob): string {
  const parts = [
    section("Kinomill", versionLines(versions)),
    section("Job", jobLines(job)),
    section("Inputs", inputs.map(inputLine)),
    section("Parameters", parameterLines(job.params)),
    section("Notes", job.notes),
    section("Steps", lastOf(job.steps).flatMap(stepLines)),
    section("Attempts", lastOf(job.attempts).flatMap(attemptLines)),
    section("History", lastOf(history).map(historyLine)),
    section("Error", errorLines(job)),
    section("Last lines of ffmpeg", job.error === null ? [] : job.error.log.split("\n")),
  ];
  const told = parts.filter((part) => part !== "").join("\n\n");
  return `${withoutNames(told, [...names, titled(job), ...Object.values(job.labels)])}\n`;
}

function section(title: string, lines: readonly string[]): string {
  const told = lines.filter((line) => line !== "");
  return told.length === 0 ? "" : [title, ...told.map((line) => `  ${line}`)].join("\n");
}

function lastOf<T>(list: readonly T[]): readonly T[] {
  return list.slice(-LINES_MAX);
}

function versionLines({ kinomill, commit, ffmpeg, devices }: Versions): string[] {
  return [
    `version ${kinomill} (${commit})`,
    `ffmpeg ${ffmpeg ?? "cannot be started"}`,
    `devices ${devices.join(", ")}`,
  ];
}

function jobLines(job: Job): string[] {
  const { waitsFor, waitReason, onlyOn = null, priority, verify } = job;
  return [
    `${job.id}, ${job.operation}, ${job.state}${job.pausedAt === null ? "" : ", paused"}`,
    `asked for ${job.createdAt}, started ${job.startedAt ?? "never"}, ended ${job.finishedAt ?? "not yet"}`,
    job.device === null ? "" : `on ${job.device}: ${job.deviceReason ?? ""}`,
    onlyOn === null ? "" : `wanted on ${onlyOn} alone`,
    waitReason === null ? "" : `waits for ${waitsFor ?? "its turn"}: ${waitReason}`,
    `priority ${priority}, ${job.after.length} jobs before it, proven: ${verify ?? "as the setting says"}`,
  ];
}

function inputLine(media: MediaInfo | null, place: number): string {
  if (media === null) return `${place + 1}: not media, or gone`;
  const { container, durationSeconds, video, audio, subtitles } = media;
  const picture =
    video === null
      ? "no picture"
      : `${video.codec} ${video.width}×${video.height} ${video.frameRate ?? "still"} ${video.pixelFormat}${video.hdr === null ? "" : ` ${video.hdr}`}${video.rotation === 0 ? "" : ` turned ${video.rotation}°`}`;
  const sounds = audio.map(
    ({ codec, channels, sampleRate }) => `${codec} ${channels}ch ${sampleRate} Hz`,
  );
  const length = durationSeconds === null ? "" : `, ${durationSeconds} s`;
  return `${place + 1}: ${container}${length}; ${picture}; ${sounds.join(", ") || "no sound"}; ${subtitles.length} subtitles`;
}

/** Texts are told by their length, but for words that a schema gives. */
function parameterLines(value: unknown, path = ""): string[] {
  if (value === null || value === undefined) return [];
  if (typeof value === "string") {
    const word = /^[a-z0-9][a-z0-9:._-]{0,31}$/i.test(value)
      ? value
      : `a text of ${value.length} characters`;
    return [`${path} = ${word}`];
  }
  if (typeof value !== "object") return [`${path} = ${String(value)}`];
  return Object.entries(value).flatMap(([key, inner]) =>
    parameterLines(inner, path === "" ? key : `${path}.${key}`),
  );
}

function stepLines(step: JobStep): string[] {
  const { name, state, device, encoder, attempts, proof, checks } = step;
  const where = device === null ? "" : ` on ${device}${encoder === null ? "" : ` with ${encoder}`}`;
  const times = attempts === undefined || attempts < 2 ? "" : `, begun ${attempts} times`;
  const when = step.startedAt ? ` (${step.startedAt} to ${step.finishedAt ?? "now"})` : "";
  return [
    `${name}: ${state}${where}${times}${when}`,
    ...(step.deviceReason === null ? [] : [`  ${step.deviceReason}`]),
    ...(proof ? [`  ${proof.sentence}`] : []),
    ...(proof?.command === undefined ? [] : [`  ${proof.command}`]),
    ...checks.map((check) => `  ${check}`),
  ];
}

function attemptLines({
  fence,
  device,
  outcome,
  startedAt,
  finishedAt,
  error,
  notes = [],
}: JobAttempt) {
  const end = finishedAt ?? "now";
  const failed = error === null ? [] : [`  ${error.code}: ${error.message}`];
  return [
    `${fence}: ${outcome} on ${device} (${startedAt} to ${end})`,
    ...failed,
    ...notes.map((note) => `  ${note}`),
  ];
}

/** Who it was is nobody's business. */
function historyLine({ at, what, state, who, sentence }: HistoryEntry): string {
  return `${at} ${what} → ${state}${who === "" ? "" : " (a person)"}${sentence === "" ? "" : `: ${sentence}`}`;
}

function errorLines({ error }: Job): string[] {
  if (error === null) return [];
  const { code, message, hint, retryable } = error;
  return [`${code}${retryable ? ", may pass" : ""}`, message, hint];
}

/** The title of a job ends with the name of a file. */
function titled({ title }: Job): string {
  return title.slice(title.indexOf(": ") + 2);
}

/** Shorter ones would be found in words that are none. */
const NAME_LENGTH_MIN = 4;

/** What sentences quote are titles of other jobs; what is left of paths goes too. */
function withoutNames(text: string, names: readonly string[]): string {
  const told = names.filter(({ length }) => length >= NAME_LENGTH_MIN);
  return told
    .reduce((rest, name) => rest.replaceAll(name, "…"), text)
    .replace(/“[^”\n]*”/g, "“…”")
    .replace(/(^|[\s"'=(“])\/(?:[\w.@~+-]+\/)+[\w.@~+-]*/gm, "$1(path)");
}
