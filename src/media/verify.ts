/**
 * Proof that an output is what was asked for. Exit code 0 proves nothing: ffmpeg 7.1 exits 0 with
 * truncated output, and HLS on a full disk exits 0 with empty files.
 */
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Failure, type FailureReport, Refusal } from "../trouble.ts";
import { mediaOfWebp, readAnimatedWebp } from "./animated-webp.ts";
import { type DecodeOutcome, decodeAhead, decodeChecks } from "./decode-check.ts";
import type { DecodedMedia, RunAhead } from "./decode-run.ts";
import { decodeWebp } from "./decode-webp.ts";
import { windowsOf } from "./decode-windows.ts";
import type { Toolchain } from "./devices.ts";
import type { Expectation } from "./expectation.ts";
import type { MediaInfo } from "./media.ts";
import { openSubject } from "./probe.ts";
import { probeOutput } from "./probe-output.ts";
import { stillContainerOf } from "./safety.ts";
import { plainLog } from "./stderr.ts";
import { durationToleranceSeconds } from "./tolerance.ts";

export interface VerifyTools {
  toolchain: Pick<Toolchain, "ffmpegPath" | "ffprobePath"> & Partial<Pick<Toolchain, "decoders">>;
  signal: AbortSignal;
  /** 0–19, as for the run that made the output. */
  niceness: number;
  stallSeconds: number;
  wallLimitSeconds: number;
  /**
   * Seconds at which the picture of the source ends, as it should end in the output. Asked only when
   * the output's picture ends before its sound; null when unknown. Without it such an output is rejected.
   */
  sourcePictureSeconds?(): Promise<number | null>;
  /**
   * When a stream of the source ends, in seconds from the start of the file. Asked only when an output that
   * comes from some of them is longer or shorter than the whole; null when unknown.
   */
  sourceStreamSeconds?(stream: number): Promise<number | null>;
  /**
   * Every packet of the picture is the source's: then what can be wrong are the headers, the index and the end,
   * and a quick proof decodes keyframes alone.
   */
  pictureIsCopied?: boolean;
}

export type Verification =
  | {
      kind: "proven";
      sizeBytes: number;
      /** Null for text. */
      media: MediaInfo | null;
      /** What was proven, as sentences. */
      checks: string[];
    }
  | { kind: "rejected"; report: FailureReport }
  | { kind: "aborted" };

/** Text of an output is read whole to check it; an index of a feature film has 300 kB. */
const textLimitBytes = 64 * 1024 ** 2;

/**
 * Holds a finished file against what was expected of it.
 * @param path absolute; it lies in a folder of ours
 * @param mode quick decodes the first, middle and last seconds; full decodes everything
 */
export async function verifyOutput(
  path: string,
  expectation: Expectation,
  mode: "quick" | "full",
  tools: VerifyTools,
): Promise<Verification> {
  try {
    return await prove(path, expectation, mode, tools);
  } catch (trouble) {
    if (tools.signal.aborted) return { kind: "aborted" };
    if (trouble instanceof Failure) return { kind: "rejected", report: trouble.report };
    if (trouble instanceof Refusal) {
      return { kind: "rejected", report: rejection(expectation.file, trouble.message).report };
    }
    throw trouble;
  }
}

async function prove(
  path: string,
  expectation: Expectation,
  mode: "quick" | "full",
  tools: VerifyTools,
): Promise<Verification> {
  const { file } = expectation;
  const status = await stat(path).catch(() => null);
  if (status === null) throw rejection(file, "it was not written");
  if (status.size === 0) throw rejection(file, "it is empty (0 bytes)");
  const sizeBytes = status.size;
  if (expectation.kind === "text") {
    return { kind: "proven", sizeBytes, media: null, checks: [await proveText(path, file)] };
  }
  if (expectation.kind === "data") return { kind: "proven", sizeBytes, media: null, checks: [] };
  const animation = await readAnimatedWebp(path);
  const proven = (media: MediaInfo, checks: string[]): Verification => {
    return {
      ...{ kind: "proven", sizeBytes, media },
      checks: [`Probed ${file}: ${describe(media)}`, ...checks],
    };
  };
  if (animation !== null) {
    const media = mediaOfWebp(animation, sizeBytes);
    await refuseDifferent(media, expectation, tools);
    const decoded = await decodeWebp({ path, animation }, mode, tools);
    if (decoded.kind === "aborted") return decoded;
    return proven(media, soundOf(decoded, path, file));
  }
  // Both are mostly the start of a process, and it is known what the file should be.
  const ahead = await beginAhead(path, expectation, mode, tools);
  try {
    const asked = { ffprobePath: tools.toolchain.ffprobePath, signal: tools.signal };
    const probed = await probeOutput(path, countsPackets(expectation, mode), asked);
    await refuseDifferent(probed.media, expectation, tools);
    const wantedSeconds = expectation.durationSeconds;
    const of = { ...{ path, folder: dirname(path) }, ...{ mode, tools, wantedSeconds, ahead } };
    const decoded = await decodeChecks({ ...of, ...probed });
    if (decoded.kind === "aborted") return decoded;
    return proven(probed.media, soundOf(decoded, path, file));
  } finally {
    await ahead?.end();
  }
}

/** Begins to decode what was expected; null where that does not say enough. */
async function beginAhead(
  path: string,
  expectation: Expectation,
  mode: "quick" | "full",
  tools: VerifyTools,
): Promise<RunAhead | null> {
  const media = await expectedMedia(path, expectation);
  if (media === null) return null;
  const { durationSeconds: wantedSeconds } = media;
  const of = { path, folder: dirname(path), mode, tools };
  return decodeAhead({ ...of, media, wantedSeconds, lengthIsSaid: true });
}

/** The file as it is when all is well. Where it turns out to be another, what was begun is of no use and no harm. */
async function expectedMedia(path: string, expectation: Expectation): Promise<DecodedMedia | null> {
  const { kind, durationSeconds, video, audioTracks } = expectation;
  if (kind === "text" || kind === "data") return null;
  if ((kind !== "image" && durationSeconds === null) || expectation.mayBeStill) return null;
  const still = kind === "image" ? stillContainerOf((await openSubject(path)).head) : null;
  const first = video === null ? 0 : 1;
  return {
    ...{ kind, durationSeconds, container: still ?? video?.codec ?? "" },
    video: video && { ...video, index: 0, alpha: video.alpha ?? false },
    audio: Array.from({ length: audioTracks }, (_, track) => ({ index: first + track })),
  };
}

async function refuseDifferent(
  media: MediaInfo,
  expectation: Expectation,
  tools: VerifyTools,
): Promise<void> {
  const faults = differences(media, await withStreamLength(media, expectation, tools));
  if (faults.length > 0) throw rejection(expectation.file, faults.join("; "));
}

/** What decoding said. @throws Failure when it found a fault */
function soundOf(
  decoded: Exclude<DecodeOutcome, { kind: "aborted" }>,
  path: string,
  file: string,
): string[] {
  if (decoded.kind === "decoded") return decoded.checks;
  throw rejection(file, decoded.fault, plainLog(decoded.stderr, [{ path, name: file }]));
}

/** Seconds of all tracks together: the packets of more are counted in a run of their own, line by line. */
const listedSeconds = 60;

/** Whether all frames are held against the packets of the picture, and those are few. */
function countsPackets(
  { kind, durationSeconds: seconds, audioTracks }: Expectation,
  mode: "quick" | "full",
): boolean {
  if (kind !== "video" || seconds === null) return false;
  const whole = mode === "full" || windowsOf(seconds) === null;
  return whole && seconds * (1 + audioTracks) <= listedSeconds;
}

/** The expectation with the length of the streams that the output comes from, where that matters. */
async function withStreamLength(
  { durationSeconds: found }: MediaInfo,
  expectation: Expectation,
  tools: VerifyTools,
): Promise<Expectation> {
  const { durationSeconds: wanted, lastsLikeStreams, streamFromSeconds: from } = expectation;
  if (wanted === null || lastsLikeStreams === undefined || found === null) return expectation;
  if (Math.abs(found - wanted) <= durationToleranceSeconds(wanted)) return expectation;
  let end = 0;
  for (const stream of lastsLikeStreams) {
    const seconds = (await tools.sourceStreamSeconds?.(stream)) ?? null;
    if (seconds === null) return expectation;
    end = Math.max(end, seconds);
  }
  const durationSeconds = from === undefined ? end : Math.min(wanted, end - from);
  return { ...expectation, durationSeconds };
}

async function proveText(path: string, file: string): Promise<string> {
  const bytes = await readFile(path);
  if (bytes.length > textLimitBytes) throw rejection(file, "it is too large to be text");
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (text.trim() === "") throw rejection(file, "it holds nothing but blanks");
    return `Read ${file}: ${text.trimEnd().split("\n").length} lines of text`;
  } catch (trouble) {
    throw trouble instanceof Failure ? trouble : rejection(file, "it is not UTF-8 text");
  }
}

function rejection(file: string, fault: string, log = ""): Failure {
  return new Failure(
    "output_rejected",
    `The output ${file} was rejected: ${fault.replace(/\.$/, "")}.`,
    {
      hint: "Nothing was published. The source may be cut off or say a wrong length of itself: play it to its end. If it is well, run the job again; if that fails too, try other settings or another ffmpeg.",
      retryable: true,
      log,
    },
  );
}

/** What differs between an output and what was expected, as parts of a sentence. */
export function differences(media: MediaInfo, expectation: Expectation): string[] {
  const faults: string[] = [];
  const expect = (what: string, found: unknown, wanted: unknown) => {
    if (found !== wanted) faults.push(`${what} is ${found} instead of ${wanted}`);
  };
  const still = media.kind === "image" && expectation.mayBeStill === true;
  if (!still) expect("it", media.kind, expectation.kind);
  const wantedSeconds = still ? null : expectation.durationSeconds;
  if (wantedSeconds !== null) {
    const found = media.durationSeconds;
    const tolerance = durationToleranceSeconds(wantedSeconds);
    if (found === null || Math.abs(found - wantedSeconds) > tolerance) {
      faults.push(
        `it lasts ${found === null ? "an unknown time" : seconds(found)} instead of ${seconds(wantedSeconds)}`,
      );
    }
  }
  if (expectation.video !== null) {
    const { codec, width, height, otherSizes = [], alpha } = expectation.video;
    const sizeOf = (frame: { width: number; height: number }) => `${frame.width}×${frame.height}`;
    const size = sizeOf(media.video ?? { width: 0, height: 0 });
    expect("its picture's codec", media.video?.codec ?? "none", codec);
    if (!otherSizes.some((other) => sizeOf(other) === size)) {
      expect("its picture's size", size, sizeOf({ width, height }));
    }
    if (alpha && media.video?.alpha !== true) faults.push("its picture is not transparent");
  } else if (expectation.kind === "audio" && media.video !== null) {
    faults.push("it has a picture, which was not asked for");
  }
  expect("the number of its audio tracks", media.audio.length, expectation.audioTracks);
  const { subtitles = null } = expectation;
  const found = media.subtitles.length;
  if (subtitles !== null && (found < subtitles.least || found > subtitles.most)) {
    const { least, most } = subtitles;
    const wanted = least === most ? `${most}` : `${least} to ${most}`;
    faults.push(`the number of its subtitle tracks is ${found} instead of ${wanted}`);
  }
  for (const [index, codec] of expectation.audioCodecs.entries()) {
    const found = media.audio[index]?.codec;
    if (found !== undefined) expect(`the codec of audio track ${index + 1}`, found, codec);
  }
  return faults;
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function describe(media: MediaInfo): string {
  const { video, audio } = media;
  const parts = [
    media.container,
    video === null ? "" : `${video.codec} ${video.width}×${video.height}`,
    audio.length === 0 ? "" : `audio ${audio.map(({ codec }) => codec).join(", ")}`,
    media.durationSeconds === null ? "" : seconds(media.durationSeconds),
  ];
  return parts.filter((part) => part !== "").join(", ");
}
