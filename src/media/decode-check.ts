/** Decodes an output, whole or in three places, and says what was wrong with it. */
import { dirname } from "node:path";
import { allEnded } from "../ended.ts";
import {
  beginDecoding,
  type Decodable,
  type DecodedMedia,
  decode,
  type Question,
  type RunAhead,
  type Window,
} from "./decode-run.ts";
import { frameTolerance, soundTolerance, windowsOf, windowsWords } from "./decode-windows.ts";
import type { RunOutcome } from "./ffmpeg.ts";
import { lastPacketSeconds, type Measured, measurePackets } from "./packets.ts";
import { openSubject } from "./probe.ts";
import { durationToleranceSeconds } from "./tolerance.ts";
import type { VerifyTools } from "./verify.ts";

export interface DecodeRequest extends Decodable {
  mode: "quick" | "full";
  /** How long it was to be; its places are told by that while it is about as long. Null: unknown. */
  wantedSeconds: number | null;
  /** Whether the file itself says how long it is, so that a place can be told from its end. */
  lengthIsSaid: boolean;
  /** What all packets of the picture said, where they were read already. */
  picture?: Measured | null;
}

export type DecodeOutcome =
  | { kind: "decoded"; checks: string[] }
  | { kind: "faulty"; fault: string; stderr: string }
  | { kind: "aborted" };

/** Their frames are changes of those before, and ffmpeg finds no place in the middle of them. */
const unseekable: ReadonlySet<string> = new Set(["gif", "apng"]);

/**
 * Begins what `decodeChecks` will ask first if the file is as it was wanted. Null where that is not one run.
 * @param request what the file is expected to be
 */
export function decodeAhead(request: DecodeRequest): RunAhead | null {
  const places = placesOf(request);
  if (places === null) return beginDecoding(request, wholeQuestion(request.media));
  return areTooLargeTogether(request) ? null : beginDecoding(request, togetherQuestion(places));
}

export async function decodeChecks(request: DecodeRequest): Promise<DecodeOutcome> {
  const { media } = request;
  if (media.kind === "image") return await decodeStill(request);
  const places = placesOf(request);
  if (places === null) return await decodeWhole(request);
  const keyframes = areKeyframes(request);
  // At once: each is mostly the start of a process, and somebody waits for the job.
  const found = await allEnded([
    decodePlaces(request, places),
    ...(keyframes ? [lastPicture(request)] : []),
  ]);
  const fault = found.find((outcome) => outcome !== null) ?? null;
  if (fault !== null) return fault;
  return { kind: "decoded", checks: [windowsWords(keyframes, media.audio.length > 0)] };
}

const areKeyframes = ({ tools, media }: DecodeRequest) =>
  tools.pictureIsCopied === true && media.video !== null;

/** Where it is decoded; null for all of it. The same for a file as wanted and for what it came to be, if that is well. */
function placesOf(request: DecodeRequest): Window[] | null {
  const { media, mode, wantedSeconds: wanted } = request;
  if (mode === "full" || media.kind === "image" || unseekable.has(media.container)) return null;
  const found = media.durationSeconds ?? 0;
  const isAsWanted =
    wanted !== null && Math.abs(found - wanted) <= durationToleranceSeconds(wanted);
  const windows = windowsOf(isAsWanted ? wanted : found);
  const keyframes = areKeyframes(request);
  return (
    windows?.map(({ beforeEndSeconds, ...window }) => ({
      ...{ ...window, keyframes },
      ...(request.lengthIsSaid && beforeEndSeconds !== undefined ? { beforeEndSeconds } : {}),
    })) ?? null
  );
}

/** The first fault that there is in one of them; null when all is well. */
async function decodePlaces(
  request: DecodeRequest,
  places: readonly Window[],
): Promise<DecodeOutcome | null> {
  if (await decodedTogether(request, places)) return null;
  // One by one they are those of the length that was found.
  const exact = placesOf({ ...request, wantedSeconds: null, lengthIsSaid: false });
  if (exact === null) {
    const whole = await decodeWhole(request);
    return whole.kind === "decoded" ? null : whole;
  }
  const found = await allEnded(exact.map((place) => decodeWindow(request, place)));
  return found.find((outcome) => outcome !== null) ?? null;
}

/** Of larger pictures the decoders together take too much memory, and are sooner done side by side. */
const togetherPixels = 1920 * 1088;

const areTooLargeTogether = ({ media: { video } }: DecodeRequest) =>
  video !== null && video.width * video.height > togetherPixels;

/**
 * The usual case, in one run and not in three: every place decodes and holds something. False says nothing but
 * that it takes a look at each.
 */
async function decodedTogether(
  request: DecodeRequest,
  places: readonly Window[],
): Promise<boolean> {
  if (areTooLargeTogether(request)) return false;
  const { outcome, held } = await decode(request, togetherQuestion(places));
  const { kind } = request.media;
  return outcome.kind === "exited" && outcome.code === 0 && held.every((of) => (of[kind] ?? 0) > 0);
}

const togetherQuestion = (windows: readonly Window[]): Question => ({ windows, counts: true });

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

/** All of a film or a sound, the one picture of a still. */
function wholeQuestion({ kind }: DecodedMedia): Question {
  return { windows: [everything], outputFlags: kind === "image" ? ["-frames:v", "1"] : [] };
}

async function decodeStill(request: DecodeRequest): Promise<DecodeOutcome> {
  const { outcome } = await decode(request, wholeQuestion(request.media));
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
  const { outcome } = await decode(
    { path, folder: dirname(path), media: webpStills, tools },
    { windows: [everything] },
  );
  const fault = faultOf(outcome, "");
  if (fault !== null) return fault;
  const frames = framesOf(outcome);
  return frames === count
    ? { kind: "decoded", checks: [`Decoded ${words} without an error`] }
    : { kind: "faulty", fault: `only ${frames} of ${words} can be decoded`, stderr: "" };
}

const webpStills: DecodedMedia = {
  ...{ container: "webp", kind: "video", durationSeconds: null, audio: [] },
  video: { index: 0, codec: "webp", alpha: true, width: 0, height: 0 },
};

const everything: Window = { fromSeconds: null, lastsSeconds: null, where: "" };

/** Null when all is well there. */
async function decodeWindow(request: DecodeRequest, window: Window): Promise<DecodeOutcome | null> {
  const { outcome } = await decode(request, { windows: [window] });
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
  const { outcome } = await decode(request, wholeQuestion(media));
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
    const { outcome } = await decode({ ...request, media }, { windows: [window] });
    longest = Math.max(longest, secondsOf(outcome));
  }
  return longest;
}

async function measurePicture({ path, media, tools }: DecodeRequest): Promise<Measured> {
  const { ffprobePath } = tools.toolchain;
  const { signal } = tools;
  const subject = await openSubject(path);
  return await measurePackets(subject, media.video?.index ?? 0, { ffprobePath, signal });
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
