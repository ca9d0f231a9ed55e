/** Decodes an output, whole or in three places, and says what was wrong with it. */
import { dirname } from "node:path";
import { frameTolerance, soundTolerance, windowsOf, windowsWords } from "./decode-windows.ts";
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
  /** What all packets of the picture said, where they were read already. */
  picture?: Measured | null;
}

export type DecodeOutcome =
  | { kind: "decoded"; checks: string[] }
  | { kind: "faulty"; fault: string; stderr: string }
  | { kind: "aborted" };

/** Their frames are changes of those before, and ffmpeg finds no place in the middle of them. */
const unseekable: ReadonlySet<string> = new Set(["gif", "apng"]);

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
  const windows = windowsOf(media.durationSeconds ?? 0);
  if (mode === "full" || windows === null || unseekable.has(media.container))
    return await decodeWhole(request);
  const keyframes = request.tools.pictureIsCopied === true && media.video !== null;
  const places = windows.map((window) => ({ ...window, keyframes }));
  // At once: each is mostly the start of a process, and somebody waits for the job.
  const [decoded, last] = await Promise.all([
    decodePlaces(request, places),
    keyframes ? lastPicture(request) : null,
  ]);
  const fault = decoded ?? last;
  if (fault !== null) return fault;
  return { kind: "decoded", checks: [windowsWords(keyframes, media.audio.length > 0)] };
}

/** The first fault that there is in one of them; null when all is well. */
async function decodePlaces(
  request: DecodeRequest,
  places: readonly Window[],
): Promise<DecodeOutcome | null> {
  if (await decodedTogether(request, places)) return null;
  const found = await Promise.all(places.map((place) => decodeWindow(request, place)));
  return found.find((outcome) => outcome !== null) ?? null;
}

/** Of larger pictures the decoders together take too much memory, and are sooner done side by side. */
const togetherPixels = 1920 * 1088;

/**
 * The usual case, in one run and not in three: every place decodes and holds something. False says nothing but
 * that it takes a look at each.
 */
async function decodedTogether(
  request: DecodeRequest,
  places: readonly Window[],
): Promise<boolean> {
  const { video, kind } = request.media;
  if (video !== null && video.width * video.height > togetherPixels) return false;
  const held = places.map(() => 0);
  const outcome = await decode(request, places, [], (line) => {
    const said = /Output stream #(\d+):\d+\S* \((\w+)\): .*?(\d+) packets muxed/.exec(line);
    const [, place = "", type, count] = said ?? [];
    const before = held[Number(place)];
    if (before !== undefined && type === kind) held[Number(place)] = before + Number(count);
    return false;
  });
  return outcome.kind === "exited" && outcome.code === 0 && held.every((count) => count > 0);
}

/** Keyframes come from before a window, so whether the picture goes on to the end its packets say. */
async function lastPicture(request: DecodeRequest): Promise<DecodeOutcome | null> {
  const { path, media, tools } = request;
  const from = windowsOf(media.durationSeconds ?? 0)?.at(-1)?.fromSeconds ?? 0;
  const asked = { ffprobePath: tools.toolchain.ffprobePath, signal: tools.signal };
  const subject = await openSubject(path);
  const last = await lastPacketSeconds(subject, media.video?.index ?? 0, from, asked);
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
  const measured = request.picture ?? (await measurePicture(request));
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

/** Each window is an input and an output of its own: one that ends early waits for no other. */
async function decode(
  { path, folder, media, tools }: Decodable,
  windows: Window | readonly Window[],
  outputFlags: string[],
  onLine?: (line: string) => boolean,
): Promise<RunOutcome> {
  const { decoders = new Set<string>() } = tools.toolchain;
  const alpha = media.video?.alpha ? alphaFlags(media.video.codec, { decoders }) : [];
  const indexes = [...(media.video === null ? [] : [media.video.index])].concat(
    media.audio.map(({ index }) => index),
  );
  const all = [windows].flat();
  return await runFfmpeg({
    tool: tools.toolchain.ffmpegPath,
    argv: [
      // What was decoded of each is said at the end, to those who ask for more than errors.
      ...["-v", onLine === undefined ? "error" : "verbose", "-xerror"],
      ...all.flatMap((window) => [
        ...[...safeInputFlags(), ...alpha, ...stillFlags(media.container)],
        ...(window.keyframes ? ["-skip_frame:v", "nokey", "-noaccurate_seek"] : []),
        ...(window.fromSeconds === null ? [] : ["-ss", window.fromSeconds.toFixed(3)]),
        ...(window.lastsSeconds === null ? [] : ["-t", String(window.lastsSeconds)]),
        ...["-i", inputPath(path)],
      ]),
      ...all.flatMap((_, input) => [
        ...indexes.flatMap((index) => ["-map", `${input}:${index}`]),
        ...[...outputFlags, "-fps_mode", "passthrough", "-f", "null", "-"],
      ]),
    ],
    cwd: folder,
    readPaths: [path],
    writePaths: [],
    signal: tools.signal,
    niceness: tools.niceness,
    stallSeconds: tools.stallSeconds,
    wallLimitSeconds: tools.wallLimitSeconds,
    expectedSeconds: null,
    onLine,
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
