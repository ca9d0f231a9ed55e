/** Decodes an output, whole or in three places, and says what was wrong with it. */
import { dirname } from "node:path";
import { type RunOutcome, runFfmpeg } from "./ffmpeg.ts";
import type { MediaInfo, VideoStream } from "./media.ts";
import { lastPacketSeconds, type Measured, measurePackets } from "./packets.ts";
import { openSubject } from "./probe.ts";
import { alphaFlags, inputPath, safeInputFlags, stillFlags } from "./safety.ts";
import type { VerifyTools } from "./verify.ts";

export interface DecodeRequest {
  /** Absolute path of the file, and of the folder that it lies in. */
  path: string;
  folder: string;
  media: MediaInfo;
  mode: "quick" | "full";
  tools: VerifyTools;
}

export type DecodeOutcome =
  | { kind: "decoded"; checks: string[] }
  | { kind: "faulty"; fault: string; stderr: string }
  | { kind: "aborted" };

/** Each of the three places; long enough to hold a keyframe interval's worth of prediction. */
const windowSeconds = 2;

/** Shorter files are decoded whole: three windows would overlap. */
const wholeBelowSeconds = 3 * windowSeconds;

/** Their frames are changes of those before, and ffmpeg finds no place in the middle of them. */
const unseekable: ReadonlySet<string> = new Set(["gif", "apng"]);

/** Frames that a decoder may keep back at edit lists and at the seams of open GOPs. */
const frameTolerance = { ratio: 0.01, frames: 2 };

/** Half a second, and 1 % for long files: the same measure as for the container's own length. */
const soundTolerance = { ratio: 0.01, seconds: 0.5 };

interface Window {
  /** Null decodes from the start and to the end. */
  fromSeconds: number | null;
  lastsSeconds: number | null;
  /** For a sentence: "in its middle". */
  where: string;
  /** Only keyframes, from the one before the window on. */
  keyframes?: boolean;
}

export async function decodeChecks(request: DecodeRequest): Promise<DecodeOutcome> {
  const { media, mode } = request;
  if (media.kind === "image") return await decodeStill(request);
  const durationSeconds = media.durationSeconds ?? 0;
  const short = durationSeconds <= wholeBelowSeconds;
  if (mode === "full" || short || unseekable.has(media.container))
    return await decodeWhole(request);
  const windows: Window[] = [
    { fromSeconds: 0, lastsSeconds: windowSeconds, where: "at its beginning" },
    {
      fromSeconds: durationSeconds / 2 - windowSeconds / 2,
      lastsSeconds: windowSeconds,
      where: "in its middle",
    },
    { fromSeconds: durationSeconds - windowSeconds, lastsSeconds: null, where: "at its end" },
  ];
  const keyframes = request.tools.pictureIsCopied === true && media.video !== null;
  // At once: each is mostly the start of a process, and somebody waits for the job.
  const found = await Promise.all([
    ...windows.map((window) => decodeWindow(request, { ...window, keyframes })),
    ...(keyframes ? [lastPicture(request)] : []),
  ]);
  const fault = found.find((outcome) => outcome !== null);
  if (fault !== undefined) return fault;
  return { kind: "decoded", checks: [windowsWords(keyframes, media.audio.length > 0)] };
}

function windowsWords(keyframes: boolean, sound: boolean): string {
  if (!keyframes) {
    return `Decoded the first, middle and last ${windowSeconds} seconds without an error`;
  }
  const all = sound ? "keyframes and the sound beside them" : "keyframes";
  return `The picture was copied: decoded ${all} at its beginning, middle and end without an error`;
}

/** Keyframes come from before a window, so whether the picture goes on to the end its packets say. */
async function lastPicture(request: DecodeRequest): Promise<DecodeOutcome | null> {
  const { path, media, tools } = request;
  const from = Math.max(0, (media.durationSeconds ?? 0) - windowSeconds);
  const asked = { ffprobePath: tools.toolchain.ffprobePath, signal: tools.signal };
  const last = await lastPacketSeconds(
    await openSubject(path),
    media.video?.index ?? 0,
    from,
    asked,
  );
  if (last !== null) return null;
  return await explainMissingFrames(request, { ...everything, where: "at its end" });
}

async function decodeStill(request: DecodeRequest): Promise<DecodeOutcome> {
  const outcome = await decode(request, everything, ["-frames:v", "1"]);
  const fault = faultOf(outcome, "");
  if (fault !== null) return fault;
  return framesOf(outcome) === 0
    ? { kind: "faulty", fault: "it holds no picture", stderr: "" }
    : { kind: "decoded", checks: ["Decoded the picture without an error"] };
}

/**
 * WebP stills, one behind the other in one file: each must decode.
 * @param stills.words for a sentence: "all 30 frames"
 */
export async function decodeStills(
  stills: { path: string; count: number; words: string },
  tools: VerifyTools,
): Promise<DecodeOutcome> {
  const { path, count, words } = stills;
  const outcome = await decode(
    { path, folder: dirname(path), media: webpStills, tools },
    everything,
    [],
  );
  const fault = faultOf(outcome, "");
  if (fault !== null) return fault;
  const frames = framesOf(outcome);
  return frames === count
    ? { kind: "decoded", checks: [`Decoded ${words} without an error`] }
    : { kind: "faulty", fault: `only ${frames} of ${words} can be decoded`, stderr: "" };
}

const webpStills = {
  container: "webp",
  video: { index: 0, codec: "webp", alpha: true },
  audio: [],
};

const everything: Window = { fromSeconds: null, lastsSeconds: null, where: "" };

/** Null when all is well there. */
async function decodeWindow(request: DecodeRequest, window: Window): Promise<DecodeOutcome | null> {
  const outcome = await decode(request, window, []);
  const fault = faultOf(outcome, window.where);
  if (fault !== null) return fault;
  if (request.media.kind === "video" && framesOf(outcome) === 0) {
    return await explainMissingFrames(request, window);
  }
  const least = Number.MIN_VALUE;
  // A keyframe from before the window has a time before zero, and so has the sound beside it.
  if (
    !window.keyframes &&
    outcome.kind === "exited" &&
    (await longestSeconds(request, window, outcome, least)) < least
  ) {
    return { kind: "faulty", fault: `there is nothing ${window.where}`, stderr: outcome.stderr };
  }
  return null;
}

/**
 * No frame in a place. ffmpeg 7.1 exits 0 after 5 of 150 frames with the sound complete; but sources
 * whose picture ends before their sound exist, so the source decides.
 */
async function explainMissingFrames(
  request: DecodeRequest,
  { where }: Window,
): Promise<DecodeOutcome | null> {
  const missing = (rest: string): DecodeOutcome => ({
    kind: "faulty",
    fault: `there is no picture ${where}${rest}`,
    stderr: "",
  });
  const wanted = (await request.tools.sourcePictureSeconds?.()) ?? null;
  if (wanted === null) return missing("");
  const found = await measurePicture(request);
  const ends = found.seconds ?? 0;
  const tolerance = Math.max(soundTolerance.seconds, wanted * soundTolerance.ratio);
  return ends + tolerance >= wanted
    ? null
    : missing(`: it ends at ${ends.toFixed(2)} s, in the source at ${wanted.toFixed(2)} s`);
}

/** Every frame; then their number against the packets in the file, and the time that they fill. */
async function decodeWhole(request: DecodeRequest): Promise<DecodeOutcome> {
  const { media } = request;
  const outcome = await decode(request, everything, []);
  const fault = faultOf(outcome, "");
  if (fault !== null) return fault;
  const frames = framesOf(outcome);
  const durationSeconds = media.durationSeconds ?? 0;
  const tolerance = Math.max(soundTolerance.seconds, durationSeconds * soundTolerance.ratio);
  const leastSeconds = durationSeconds - tolerance;
  const decodedSeconds = await longestSeconds(request, everything, outcome, leastSeconds);
  if (decodedSeconds < leastSeconds) {
    const fault = `only ${decodedSeconds.toFixed(2)} s of its ${durationSeconds.toFixed(2)} s can be decoded`;
    return { kind: "faulty", fault, stderr: "" };
  }
  if (media.video === null) {
    return { kind: "decoded", checks: ["Decoded all of the sound without an error"] };
  }
  const measured = await measurePicture(request);
  const expected = measured.packets.get(media.video.index) ?? 0;
  const least = expected - frameTolerance.frames - expected * frameTolerance.ratio;
  if (frames === 0 || frames < least) {
    const fault = `only ${frames} of its ${expected} frames can be decoded`;
    return { kind: "faulty", fault, stderr: "" };
  }
  if ((measured.seconds ?? 0) + tolerance < durationSeconds) {
    const short = await explainMissingFrames(request, { ...everything, where: "at its end" });
    if (short !== null) return short;
  }
  return { kind: "decoded", checks: [`Decoded all ${frames} frames without an error`] };
}

/**
 * Seconds decoded of the stream that lasts longest. ffmpeg 5.1 tells that of a run; 7.0 and later tell the
 * shortest one's, so where that is not enough each track of sound is decoded alone.
 */
async function longestSeconds(
  request: DecodeRequest,
  window: Window,
  outcome: RunOutcome,
  enoughSeconds: number,
): Promise<number> {
  const { video, audio } = request.media;
  let longest = secondsOf(outcome);
  if (audio.length + (video === null ? 0 : 1) < 2) return longest;
  for (const track of audio) {
    if (longest >= enoughSeconds) break;
    const media = { ...request.media, video: null, audio: [track] };
    longest = Math.max(longest, secondsOf(await decode({ ...request, media }, window, [])));
  }
  return longest;
}

async function measurePicture({ path, media, tools }: DecodeRequest): Promise<Measured> {
  const { ffprobePath } = tools.toolchain;
  const { signal } = tools;
  const subject = await openSubject(path);
  return await measurePackets(subject, media.video?.index ?? 0, { ffprobePath, signal });
}

interface Decodable {
  path: string;
  folder: string;
  media: {
    container: string;
    video: Pick<VideoStream, "index" | "codec" | "alpha"> | null;
    audio: readonly { index: number }[];
  };
  tools: VerifyTools;
}

async function decode(
  { path, folder, media, tools }: Decodable,
  window: Window,
  outputFlags: string[],
): Promise<RunOutcome> {
  const { decoders = new Set<string>() } = tools.toolchain;
  const alpha = media.video?.alpha ? alphaFlags(media.video.codec, { decoders }) : [];
  const streams = [
    ...(media.video === null ? [] : ["-map", `0:${media.video.index}`]),
    ...media.audio.flatMap(({ index }) => ["-map", `0:${index}`]),
  ];
  return await runFfmpeg({
    tool: tools.toolchain.ffmpegPath,
    argv: [
      ...["-v", "error", "-xerror", ...safeInputFlags(), ...alpha, ...stillFlags(media.container)],
      ...(window.keyframes ? ["-skip_frame:v", "nokey", "-noaccurate_seek"] : []),
      ...(window.fromSeconds === null ? [] : ["-ss", window.fromSeconds.toFixed(3)]),
      ...(window.lastsSeconds === null ? [] : ["-t", String(window.lastsSeconds)]),
      ...["-i", inputPath(path), ...streams, ...outputFlags],
      ...["-fps_mode", "passthrough", "-f", "null", "-"],
    ],
    cwd: folder,
    readPaths: [path],
    writePaths: [],
    signal: tools.signal,
    niceness: tools.niceness,
    stallSeconds: tools.stallSeconds,
    wallLimitSeconds: tools.wallLimitSeconds,
    expectedSeconds: null,
  });
}

function secondsOf(outcome: RunOutcome): number {
  return outcome.kind === "exited" ? (outcome.progress?.outputSeconds ?? 0) : 0;
}

function framesOf(outcome: RunOutcome): number {
  return outcome.kind === "exited" ? (outcome.progress?.frame ?? 0) : 0;
}

/** Null when it ran through. */
function faultOf(outcome: RunOutcome, where: string): DecodeOutcome | null {
  const place = where === "" ? "" : ` ${where}`;
  switch (outcome.kind) {
    case "exited": {
      if (outcome.code === 0) return null;
      return { kind: "faulty", fault: `it cannot be decoded${place}`, stderr: outcome.stderr };
    }
    case "aborted":
      return outcome;
    case "not_started":
      return { kind: "faulty", fault: "the check could not start", stderr: outcome.reason };
    case "stalled":
      return { kind: "faulty", fault: `decoding it stalled${place}`, stderr: outcome.stderr };
    case "time_limit":
      return { kind: "faulty", fault: `decoding it took too long${place}`, stderr: outcome.stderr };
    case "signalled": {
      const fault = `decoding it${place} was ended by ${outcome.signal}`;
      return { kind: "faulty", fault, stderr: outcome.stderr };
    }
  }
}
