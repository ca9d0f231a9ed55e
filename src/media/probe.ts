/** What a file is: ffprobe behind the fence, and the refusal of everything that is not media. */
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { Failure } from "../trouble.ts";
import { askFfprobe, type ProbeTools, type Subject } from "./ask-ffprobe.ts";
import type { MediaInfo } from "./media.ts";
import { notMedia, whyNotMedia } from "./not-media.ts";
import { firstFrameSideData, framesAreUneven, type Measured, measurePackets } from "./packets.ts";
import { numberOf, type RawProbe } from "./probe-facts.ts";
import { mainVideo, type ProbeExtras, parseProbe } from "./probe-parse.ts";
import { stillContainerOf } from "./safety.ts";

/** ffmpeg's own threshold: below it the format is a guess that text and noise reach too. */
const lowestScore = 25;

/** Enough for the type of a QuickTime box, the EBML header and the mark of an animated PNG. */
const headBytes = 512;

/** What ffprobe shows of a file as a whole. */
const sections = ["-show_format", "-show_streams", "-show_chapters", "-of", "json"];

/**
 * Tells what a file is, without trusting it.
 * @param path absolute, or relative to where we run
 * @throws Refusal 422 `not_media` with a sentence on what is wrong with it
 * @throws Failure `tool_missing`, `input_missing`
 */
export async function probe(path: string, tools: ProbeTools): Promise<MediaInfo> {
  const subject = await openSubject(path);
  return await mediaOf(subject, await askProbe(subject, [], tools), tools);
}

/**
 * What ffprobe says of a file, read with the same distrust.
 * @param json of `askProbe`
 * @throws Refusal 422 `not_media`
 */
export async function mediaOf(
  subject: Subject,
  json: RawProbe,
  tools: ProbeTools,
): Promise<MediaInfo> {
  const measured = needsMeasuring(json) ? await measurePackets(subject, null, tools) : null;
  if (measured !== null) noteMeasured(json, measured);
  const media = parseProbe(json, await findExtras(subject, json, measured, tools));
  if (media === null) {
    throw notMedia("There is neither a picture nor a sound in it that Kinomill can read.");
  }
  refuseHollow(media, json);
  return media;
}

/** Refuses what cannot be a media file before ffprobe sees it. */
export async function openSubject(path: string): Promise<Subject> {
  const file = resolve(path);
  const status = await stat(file).catch(() => null);
  if (status === null) {
    throw new Failure("input_missing", `There is no file ${basename(file)} to look at.`, {
      hint: "Check the name, or upload the file again.",
    });
  }
  if (!status.isFile()) throw notMedia("It is a folder or a device, not a file.");
  if (status.size === 0) throw notMedia("The file is empty (0 bytes).");
  const head = await Bun.file(file).slice(0, headBytes).arrayBuffer();
  return { path: file, head: Buffer.from(head).toString("latin1") };
}

/**
 * @param more what is to be shown besides the file as a whole
 * @throws Refusal 422 `not_media`, Failure `tool_missing`
 */
export async function askProbe(
  subject: Subject,
  more: string[],
  tools: ProbeTools,
): Promise<RawProbe> {
  const { stdout, stderr } = await askFfprobe(subject, [...sections, ...more], tools);
  const refuse = (why: string) => notMedia(whyNotMedia(why, subject.head));
  let json: RawProbe;
  try {
    json = JSON.parse(stdout) as RawProbe;
  } catch {
    throw refuse(stderr);
  }
  if (json.format === undefined) throw refuse(stderr);
  // From 7.1 on ffprobe lists the first tracks and exits 0; the rest would be lost without a word.
  if (stderr.includes("exceeds max_streams")) throw refuse(stderr);
  // A still is read as what its first bytes say, so there is no guess to be weighed.
  const guessed = stillContainerOf(subject.head) === null;
  if (guessed && (json.format.probe_score ?? 0) < lowestScore) throw refuse("");
  const main = mainVideo(json.streams ?? []);
  // ffprobe lists a picture that it could not make out with a size of nothing.
  if (main !== null && (main.width ?? 0) * (main.height ?? 0) === 0) throw refuse(stderr);
  // Raw streams without a header: the duration is a guess from the bit rate.
  if (stderr.includes("Estimating duration from bitrate")) delete json.format.duration;
  return json;
}

/** No length, or a guess; animated PNG never says its own, and its count of frames decides its kind. */
export function needsMeasuring(json: RawProbe): boolean {
  const format = json.format?.format_name ?? "";
  if (/^(png|jpeg|webp)_pipe$/.test(format)) return false;
  return format === "apng" || format === "aac" || !((numberOf(json.format?.duration) ?? 0) > 0);
}

function noteMeasured(json: RawProbe, { packets }: Measured): void {
  const main = mainVideo(json.streams ?? []);
  const counted = main === null ? 0 : (packets.get(main.index ?? 0) ?? 0);
  if (main !== null && counted === 0) throw notMedia("Its video track holds not a single frame.");
  if (packets.size === 0) throw notMedia("It has a header but no picture and no sound after it.");
  if (main !== null) main.nb_read_packets = String(counted);
}

async function findExtras(
  subject: Subject,
  json: RawProbe,
  measured: Measured | null,
  tools: ProbeTools,
): Promise<ProbeExtras> {
  const main = mainVideo(json.streams ?? []);
  const index = main?.index ?? 0;
  const isHdr = ["smpte2084", "arib-std-b67"].includes(main?.color_transfer ?? "");
  // In these the header may say a rate that does not hold; MP4's rate comes from its table of times.
  const mayLie = /^(matroska|flv|asf|mpegts|mpeg)\b/.test(json.format?.format_name ?? "");
  return {
    docType: docTypeOf(subject.head),
    frameSideData: isHdr ? await firstFrameSideData(subject, index, tools) : [],
    measuredSeconds: measured?.seconds ?? null,
    unevenFrames: main !== null && mayLie && (await framesAreUneven(subject, index, tools)),
  };
}

/** The EBML header's DocType, within the first bytes: WebM and Matroska have one demuxer. */
function docTypeOf(head: string): string | null {
  return /\x42\x82[\x84\x88](webm|matroska)/.exec(head)?.[1] ?? null;
}

/** A file that says it has a length or frames of nothing. */
function refuseHollow(media: MediaInfo, json: RawProbe): void {
  const main = mainVideo(json.streams ?? []);
  if (media.kind === "video" && main !== null && numberOf(main.nb_frames) === 0) {
    throw notMedia("Its video track holds not a single frame.");
  }
  if (media.kind !== "image" && media.durationSeconds === null) {
    throw notMedia("It lasts 0 seconds: there is nothing in it to work on.");
  }
}
