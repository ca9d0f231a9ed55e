/**
 * How a film is made to fit so many bytes: the ways to try, best first. Each is the request as it was, with a
 * rate, a size of the picture and a sound that the bytes allow. Pure.
 */
import type { VideoCodec } from "../media/description.ts";
import { expectedBitRate } from "../media/expected-bytes.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { defaultQuality } from "../media/quality.ts";
import { Refusal } from "../trouble.ts";
import { containers } from "./containers.ts";
import { bytesWords, lengthWords } from "./fit-words.ts";
import { type Frame, rateNumber, shownFrame } from "./picture.ts";
import type { TranscodeParams } from "./transcode-schema.ts";

/** One way: what is asked of `transcode` instead, and in words. */
export interface FitTry {
  params: TranscodeParams;
  title: string;
}

/** Encoders end a little beside the rate that they are told, and farther where they have little time to adjust. */
const aimedShare = { short: 0.92, long: 0.97 };
const shortSeconds = 30;
/** Of the rate that fits, for tries after the first: short films end farther beside it. */
const laterShares = [0.9, 0.75, 0.55];
/** Tables of a container take some bytes for every frame and every packet of sound, and some at all. */
const bytesPerPacket = 14;
const bytesPerFile = 6_000;
/** Packets of sound a second: 1024 samples of 48 kHz. */
const soundPackets = 47;

/** Bits that a codec takes for what H.264 takes 1 for. */
const thrift: Record<VideoCodec, number> = { h264: 1, hevc: 0.65, vp9: 0.75, av1: 0.55, prores: 1 };

/**
 * What H.264 takes for a picture of 1080p at 25 frames a second that one still likes to watch; smaller pictures
 * and fewer frames take less than in proportion.
 */
const leastRate1080 = 1_250_000;
const pixels1080 = 1920 * 1080;
/** What encoders and the schema take at least. */
const leastBitRate = 20_000;

/** Short sides to go down to. */
const sides = [2160, 1440, 1080, 900, 720, 576, 480, 360, 288, 240, 180, 144];
/** From these short sides down fewer frames are more worth than none: they must not pass so many a second. */
const slower = [
  { side: 480, rate: 30 },
  { side: 180, rate: 15 },
];

/** A quality that is expected to take this much more than there is room for is tried all the same. */
const hopefulShare = 1.25;

/** Sound may take so much of all; voices are understood at the least of the rungs. */
const soundShare = 0.2;
const soundRungs = [
  { bitRate: 128_000, channels: 2 },
  { bitRate: 96_000, channels: 2 },
  { bitRate: 64_000, channels: 2 },
  { bitRate: 48_000, channels: 1 },
  { bitRate: 32_000, channels: 1 },
  { bitRate: 24_000, channels: 1 },
] as const;

/**
 * @throws Refusal 422 `unsuitable_input` when it cannot fit, with what to change
 */
export function fitTries(
  params: TranscodeParams,
  media: MediaInfo,
  seconds: number | null,
): FitTry[] {
  const { maxBytes } = params;
  if (maxBytes === undefined) return [];
  if (seconds === null) {
    throw unsuitable(
      "The source does not say how long it is, which maxBytes needs. Set from and to, or transcode it without maxBytes first.",
    );
  }
  const aimed = seconds < shortSeconds ? aimedShare.short : aimedShare.long;
  const room = (maxBytes - bytesPerFile) * 8 * aimed;
  const sound = soundFor(params, media, room / seconds);
  const { video } = media;
  if (video === null || params.video.codec === "none") {
    return [soundAlone(params, sound, { room, seconds })];
  }
  const budget = { room, seconds, sound };
  const look = lookFor(params, video, budget);
  if (look === null) throw tooLong(params, video, budget);
  return [...hopeful(params, video, look, budget), ...byRate(params, look, budget)];
}

interface Sound {
  bitRate: number | undefined;
  channels: TranscodeParams["audio"]["channels"];
  /** Of all tracks. */
  total: number;
  tracks: number;
}

interface Budget {
  /** Bits for all. */
  room: number;
  seconds: number;
  sound: Sound;
}

function soundFor(params: TranscodeParams, media: MediaInfo, rate: number): Sound {
  const { codec, bitRate, channels } = params.audio;
  const tracks =
    codec === "none" ? [] : media.audio.slice(0, params.tracks === "first" ? 1 : undefined);
  const count = tracks.length;
  if (count === 0) return { bitRate, channels, total: 0, tracks: 0 };
  if (codec === "copy") {
    const total = tracks.reduce((sum, track) => sum + (track.bitRate ?? unknownSoundRate), 0);
    return { bitRate, channels, total, tracks: count };
  }
  if (bitRate !== undefined) return { bitRate, channels, total: bitRate * count, tracks: count };
  const most = (rate * soundShare) / count;
  const rung =
    soundRungs.find((each) => each.bitRate <= most) ?? soundRungs.at(-1) ?? soundRungs[5];
  const wanted = Math.min(channels ?? 2, rung.channels) === 1 ? 1 : 2;
  return { bitRate: rung.bitRate, channels: wanted, total: rung.bitRate * count, tracks: count };
}

/** Of a copied track that does not say its own. */
const unknownSoundRate = 320_000;

interface Look {
  frame: Frame;
  /** Null keeps the source's. */
  frameRate: number | null;
  /** Bits a second that there are for the picture. */
  rate: number;
}

/** The largest picture that is still worth watching at the rate that there is; null when none is. */
function lookFor(params: TranscodeParams, video: VideoStream, budget: Budget): Look | null {
  const looks = looksOf(params, video);
  for (const look of looks) {
    const rate = pictureRate(budget, look.framesPerSecond);
    if (rate >= Math.max(leastBitRate, leastRate(params, look))) return { ...look, rate };
  }
  return null;
}

interface Candidate {
  frame: Frame;
  frameRate: number | null;
  framesPerSecond: number;
}

/** Where a source does not say its rate. */
const assumedRate = 25;

function looksOf(params: TranscodeParams, video: VideoStream): Candidate[] {
  const { maxWidth, maxHeight, fit, frameRate } = params.video;
  const source = frameRate ?? rateNumber(video.frameRate) ?? assumedRate;
  const shown = shownFrame(video);
  if (fit !== "inside" && maxWidth !== undefined && maxHeight !== undefined) {
    const frame = { width: maxWidth, height: maxHeight };
    return [{ frame, frameRate: frameRate ?? null, framesPerSecond: source }];
  }
  const whole = Math.min(
    1,
    (maxWidth ?? Number.POSITIVE_INFINITY) / shown.width,
    (maxHeight ?? Number.POSITIVE_INFINITY) / shown.height,
  );
  const short = Math.min(shown.width, shown.height) * whole;
  const lower = sides.filter((side) => side < short).map((side) => (side / short) * whole);
  return [whole, ...lower].map((factor) => {
    const frame = {
      width: Math.max(2, Math.round(shown.width * factor)),
      height: Math.max(2, Math.round(shown.height * factor)),
    };
    const limit = slower.findLast(({ side }) => Math.min(frame.width, frame.height) <= side)?.rate;
    const slow = frameRate === undefined && limit !== undefined && source > limit;
    return {
      frame,
      frameRate: slow ? limit : (frameRate ?? null),
      framesPerSecond: slow ? limit : source,
    };
  });
}

function pictureRate({ room, seconds, sound }: Budget, framesPerSecond: number): number {
  const packets = framesPerSecond + sound.tracks * soundPackets;
  return room / seconds - sound.total - packets * bytesPerPacket * 8;
}

function leastRate(params: TranscodeParams, { frame, framesPerSecond }: Candidate): number {
  const pixels = frame.width * frame.height;
  const worth = (pixels / pixels1080) ** 0.9 * (framesPerSecond / 25) ** 0.7;
  return leastRate1080 * worth * thrift[codecOf(params)];
}

function codecOf(params: TranscodeParams): VideoCodec {
  const { codec } = params.video;
  return codec === "auto" || codec === "copy" || codec === "none"
    ? containers[params.container].video
    : codec;
}

/** By quality, where that may fit: it takes no more bytes than it needs. */
function hopeful(
  params: TranscodeParams,
  video: VideoStream,
  look: Look,
  budget: Budget,
): FitTry[] {
  const quality = params.video.quality ?? defaultQuality;
  const framesPerSecond = look.frameRate ?? rateNumber(video.frameRate) ?? assumedRate;
  const picture = { ...look.frame, framesPerSecond, seconds: budget.seconds };
  const expected = expectedBitRate(codecOf(params), quality, picture);
  if (expected > look.rate * hopefulShare) return [];
  const asked = withLook(params, look, budget.sound, { quality });
  return [{ params: asked, title: titleOf(look, `quality ${quality}`) }];
}

/** By rate: the first should fit, and the others make sure of it, the last with a smaller picture. */
function byRate(params: TranscodeParams, look: Look, { sound }: Budget): FitTry[] {
  return [1, ...laterShares].map((share, index, { length }) => {
    const last = index === length - 1;
    const smaller = last ? { ...look, frame: halved(params, look.frame) } : look;
    const bitRate = Math.max(leastBitRate, Math.round(look.rate * share));
    const asked = withLook(params, smaller, sound, { bitRate });
    return { params: asked, title: titleOf(smaller, `${Math.round(bitRate / 1000)} kbit/s`) };
  });
}

function halved({ video: { fit } }: TranscodeParams, { width, height }: Frame): Frame {
  return fit === "inside"
    ? { width: Math.max(2, Math.round(width / 2)), height: Math.max(2, Math.round(height / 2)) }
    : { width, height };
}

function withLook(
  params: TranscodeParams,
  look: Look,
  sound: Sound,
  rate: { quality: number } | { bitRate: number },
): TranscodeParams {
  const { maxBytes: _max, video, audio, ...rest } = params;
  const { quality: _quality, ...asked } = video;
  const { width, height } = look.frame;
  return {
    ...rest,
    video: {
      ...asked,
      ...rate,
      ...{ maxWidth: width, maxHeight: height },
      ...(look.frameRate === null ? {} : { frameRate: look.frameRate }),
    },
    audio: soundParams(audio, sound),
  };
}

function soundParams(audio: TranscodeParams["audio"], { bitRate, channels }: Sound) {
  return {
    ...audio,
    ...(bitRate === undefined ? {} : { bitRate }),
    ...(channels === undefined ? {} : { channels }),
  };
}

function titleOf({ frame, frameRate }: Look, rate: string): string {
  const frames = frameRate === null ? "" : `, ${frameRate} frames per second`;
  return `${frame.width}×${frame.height}${frames}, ${rate}`;
}

/** Sound of a fixed rate hits its size. */
function soundAlone(
  params: TranscodeParams,
  sound: Sound,
  { room, seconds }: { room: number; seconds: number },
): FitTry {
  const { maxBytes = 0 } = params;
  const packets = soundPackets * bytesPerPacket * 8 * sound.tracks;
  if (sound.total + packets <= room / seconds) {
    const { maxBytes: _max, audio, ...rest } = params;
    const rate = `${Math.round(sound.total / 1000)} kbit/s`;
    return { params: { ...rest, audio: soundParams(audio, sound) }, title: rate };
  }
  const fits = Math.floor(room / (sound.total + packets));
  throw unsuitable(
    `${lengthWords(seconds)} of sound at ${Math.round(sound.total / 1000)} kbit/s take more than ${bytesWords(maxBytes)}; about ${lengthWords(fits)} fit. Set from and to for a shorter piece, allow more bytes (maxBytes), or a lower audio.bitRate.`,
  );
}

function tooLong(params: TranscodeParams, video: VideoStream, { room, seconds, sound }: Budget) {
  const { maxBytes = 0 } = params;
  const last = looksOf(params, video).at(-1);
  const packets =
    last === undefined
      ? 0
      : (last.framesPerSecond + sound.tracks * soundPackets) * bytesPerPacket * 8;
  const picture = last === undefined ? 0 : Math.max(leastBitRate, leastRate(params, last));
  const least = picture + packets + sound.total;
  const fits = Math.floor(room / least);
  return unsuitable(
    `${lengthWords(seconds)} of video cannot fit ${bytesWords(maxBytes)} so that one could still watch it; about ${lengthWords(fits)} can. Set from and to for a shorter piece, allow more bytes (maxBytes), or leave the sound or the picture out with codec none.`,
  );
}

function unsuitable(sentence: string): Refusal {
  return new Refusal(422, "unsuitable_input", sentence);
}
