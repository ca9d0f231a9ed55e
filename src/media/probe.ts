/** What a file is: ffprobe behind the fence, and the refusal of everything that is not media. */
import { open, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { Failure, Refusal } from "../trouble.ts";
import { type Capture, runFfprobe, type ToolRun } from "./ffmpeg.ts";
import type { MediaInfo } from "./media.ts";
import { notMedia, whyNotMedia } from "./not-media.ts";
import { numberOf, type RawProbe, type RawSideData } from "./probe-facts.ts";
import { mainVideo, parseProbe } from "./probe-parse.ts";
import { inputPath, safeInputFlags } from "./safety.ts";

export interface ProbeTools {
  /** A path, or a name on PATH. */
  ffprobePath: string;
  signal?: AbortSignal;
}

/** One ffprobe; a broadcast recording with late headers takes some seconds from a slow disk. */
const probeLimitSeconds = 60;

/** Reading every packet of a file that does not say its length: 60 s read 6 GB even from a slow disk. */
const measureLimitSeconds = 60;

/** Private memory of ffprobe: 55 MB in bad cases, and a 2 MB picture took 2 GB without limits. */
const probeMemoryBytes = 2 * 1024 ** 3;

/** Packets in which the first decodable frame must lie, for HDR10+ and mastering data. */
const firstPackets = 16;

/** ffmpeg's own threshold: below it the format is a guess that text and noise reach too. */
const lowestScore = 25;

const sections = ["-show_format", "-show_streams", "-show_chapters", "-of", "json"];

/**
 * Tells what a file is, without trusting it.
 * @param path absolute, or relative to where we run; its name never reaches a message
 * @throws Refusal 422 `not_media` with a sentence on what is wrong
 * @throws Failure `tool_missing`, `input_missing`
 */
export async function probe(path: string, tools: ProbeTools): Promise<MediaInfo> {
  const file = resolve(path);
  await refuseEmpty(file);
  const json = await describe(file, tools);
  const measured = needsMeasuring(json) ? await measure(file, tools) : null;
  const main = mainVideo(json.streams ?? []);
  if (measured !== null) refuseWithoutPackets(json, measured);
  const counted = main === null ? undefined : measured?.packets.get(main.index ?? 0);
  if (main !== null && counted !== undefined) main.nb_read_packets = String(counted);
  const media = parseProbe(json, {
    docType: await docTypeOf(file, json),
    frameSideData: main === null ? [] : await firstFrames(file, main.index ?? 0, json, tools),
    measuredSeconds: measured?.seconds ?? null,
  });
  if (media === null) {
    throw notMedia("There is neither a picture nor a sound in it that Kinomill can read.");
  }
  refuseHollow(media, json);
  return media;
}

async function refuseEmpty(file: string): Promise<void> {
  const status = await stat(file).catch(() => null);
  if (status === null) {
    throw new Failure("input_missing", `There is no file ${basename(file)} to look at.`, {
      hint: "Check the name, or upload the file again.",
    });
  }
  if (!status.isFile()) throw notMedia("It is a folder or a device, not a file.");
  if (status.size === 0) throw notMedia("The file is empty (0 bytes).");
}

async function describe(file: string, tools: ProbeTools): Promise<RawProbe> {
  const { stdout, stderr } = await ask(file, sections, tools, probeLimitSeconds);
  let json: RawProbe;
  try {
    json = JSON.parse(stdout) as RawProbe;
  } catch {
    throw notMedia(whyNotMedia(stderr));
  }
  if (json.format === undefined) throw notMedia(whyNotMedia(stderr));
  if ((json.format.probe_score ?? 0) < lowestScore) throw notMedia(whyNotMedia(""));
  const main = mainVideo(json.streams ?? []);
  // ffprobe lists a picture that it could not make out with a size of nothing.
  if (main !== null && (main.width ?? 0) * (main.height ?? 0) === 0) {
    throw notMedia(whyNotMedia(stderr));
  }
  // Raw streams without a header: the duration is a guess from the bit rate.
  if (stderr.includes("Estimating duration from bitrate")) delete json.format.duration;
  return json;
}

/** Runs ffprobe on one file and turns every way of failing into a Refusal or a Failure. */
async function ask(
  file: string,
  argv: string[],
  tools: ProbeTools,
  wallLimitSeconds: number,
  onLine?: (line: string) => void,
): Promise<{ stdout: string; stderr: string }> {
  const run: ToolRun = {
    tool: ffprobeOf(tools),
    argv: [...safeInputFlags(), ...argv, "-i", inputPath(file)],
    cwd: "/",
    readPaths: [file],
    writePaths: [],
    signal: tools.signal,
    wallLimitSeconds,
    niceness: 0,
    memoryBytes: probeMemoryBytes,
    fileBytes: 0,
  };
  return readCapture(await runFfprobe(run, onLine), wallLimitSeconds);
}

function ffprobeOf(tools: ProbeTools): string {
  const path = Bun.which(tools.ffprobePath);
  if (path !== null) return path;
  throw new Failure("tool_missing", `ffprobe is not on this machine ("${tools.ffprobePath}").`, {
    hint: "Install it with: sudo apt-get install ffmpeg — or set ffmpeg.ffprobePath to where it is.",
  });
}

function readCapture({ outcome, stdout }: Capture, limitSeconds: number) {
  switch (outcome.kind) {
    case "exited":
      if (outcome.code === 0) return { stdout, stderr: outcome.stderr };
      throw notMedia(whyNotMedia(outcome.stderr));
    case "not_started":
      throw new Failure("tool_missing", `ffprobe could not be started: ${outcome.reason}.`, {
        hint: "Run: kinomill doctor",
        retryable: true,
      });
    case "aborted":
      throw new Refusal(499, "aborted", "The asker went away while the file was being looked at.");
    case "time_limit":
    case "stalled":
      throw notMedia(`It could not be made out within ${limitSeconds} s, so it is refused.`);
    case "too_much_output":
      throw notMedia("Its description is too large to be that of a media file.");
    case "signalled":
      throw notMedia(
        `ffprobe broke down on it (${outcome.signal}); a file that does this is refused.`,
      );
  }
}

/** No length, or a guess; animated PNG never says its own, and its count of frames decides its kind. */
function needsMeasuring(json: RawProbe): boolean {
  const format = json.format?.format_name ?? "";
  if (/^(png|jpeg|webp)_pipe$/.test(format)) return false;
  return format === "apng" || format === "aac" || !((numberOf(json.format?.duration) ?? 0) > 0);
}

export interface Measured {
  /** From the first packet's time to the end of the last one; null when they have no times. */
  seconds: number | null;
  /** Packets by index of the stream. */
  packets: Map<number, number>;
}

/**
 * Reads the packets of one stream of a file that was probed before, without decoding.
 * @param path absolute
 * @throws Refusal 422 `not_media`, Failure `tool_missing`
 */
export async function measurePackets(
  path: string,
  tools: { toolchain: { ffprobePath: string }; signal?: AbortSignal },
  stream: number,
): Promise<Measured> {
  const { signal } = tools;
  const probeTools: ProbeTools = {
    ffprobePath: tools.toolchain.ffprobePath,
    ...(signal === undefined ? {} : { signal }),
  };
  return await measure(path, probeTools, ["-select_streams", String(stream)]);
}

/** Reads packets in constant memory. */
async function measure(file: string, tools: ProbeTools, select: string[] = []): Promise<Measured> {
  const packets = new Map<number, number>();
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  const entries = "packet=stream_index,pts_time,dts_time,duration_time";
  const onLine = (line: string) => {
    const [index, pts, dts, duration] = line.split(",");
    const stream = numberOf(index);
    if (stream === null) return;
    packets.set(stream, (packets.get(stream) ?? 0) + 1);
    const time = numberOf(pts) ?? numberOf(dts);
    if (time === null) return;
    start = Math.min(start, time);
    end = Math.max(end, time + (numberOf(duration) ?? 0));
  };
  await ask(
    file,
    [...select, "-show_entries", entries, "-of", "csv=p=0"],
    tools,
    measureLimitSeconds,
    onLine,
  );
  return { seconds: end > start ? end - start : null, packets };
}

function refuseWithoutPackets(json: RawProbe, { packets }: Measured): void {
  const main = mainVideo(json.streams ?? []);
  if (main !== null && !packets.has(main.index ?? 0)) {
    throw notMedia("Its video track holds not a single frame.");
  }
  if (packets.size === 0) throw notMedia("It has a header but no picture and no sound after it.");
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

/** Decodes the first frames of an HDR picture: HDR10+ and often the mastering data stand only there. */
async function firstFrames(
  file: string,
  index: number,
  json: RawProbe,
  tools: ProbeTools,
): Promise<RawSideData[]> {
  const stream = json.streams?.find((candidate) => candidate.index === index);
  if (stream?.color_transfer !== "smpte2084" && stream?.color_transfer !== "arib-std-b67")
    return [];
  const { stdout } = await ask(
    file,
    [
      ...["-select_streams", String(index), "-read_intervals", `%+#${firstPackets}`],
      ...["-show_frames", "-show_entries", "frame=side_data_list", "-of", "json"],
    ],
    tools,
    probeLimitSeconds,
  );
  const frames = JSON.parse(stdout) as { frames?: { side_data_list?: RawSideData[] }[] };
  return (frames.frames ?? []).flatMap(({ side_data_list }) => side_data_list ?? []);
}

/** The EBML header's DocType, within its first bytes: WebM and Matroska have one demuxer. */
async function docTypeOf(file: string, json: RawProbe): Promise<string | null> {
  if (!json.format?.format_name?.startsWith("matroska")) return null;
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
    const head = buffer.toString("latin1", 0, bytesRead);
    return /\x42\x82[\x84\x88](webm|matroska)/.exec(head)?.[1] ?? "matroska";
  } finally {
    await handle.close();
  }
}
