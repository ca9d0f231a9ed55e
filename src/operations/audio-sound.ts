/** The chains of sound of `audio`: a track as it is, another in its place, another under it. Pure. */
import type { AudioEncode } from "../media/description.ts";
import type { AudioFilter, SoundChain } from "../media/graph.ts";
import type { AudioStream, MediaInfo } from "../media/media.ts";
import type { AudioParams } from "./audio-schema.ts";
import { unsuitable } from "./audio-tracks.ts";
import { begin, type RawSound } from "./levelling.ts";

/** Of this much a repeated sound is held in memory: 230 MB of stereo. */
const maxRepeatSeconds = 600;

type Replace = NonNullable<AudioParams["replace"]>;
type Mix = NonNullable<AudioParams["mix"]>;

export const defaultReplace: Replace = { offset: 0, loop: false, fadeIn: 0, fadeOut: 0 };
export const defaultMix: Mix = { levelDb: -12, from: 0, loop: false, fadeIn: 0, fadeOut: 0 };

/** What is known of the second file. */
export interface Second {
  track: AudioStream;
  /** Null where the file does not say. */
  seconds: number | null;
}

export function secondOf(media: MediaInfo, track: AudioStream): Second {
  return { track, seconds: media.durationSeconds };
}

/**
 * The second input's sound, as long as the picture.
 * @param length of the picture; null when unknown
 */
export function replacingSound(
  wish: Replace,
  encode: AudioEncode,
  second: Second,
  length: number | null,
): RawSound {
  const { offset, loop, fadeIn, fadeOut } = wish;
  if (length === null && (loop || fadeOut > 0)) {
    throw unsuitable(
      "The video does not say how long it is, so no sound can be repeated or faded out to its end. Transcode it first.",
    );
  }
  if (length !== null && offset >= length) {
    throw unsuitable(`The video ends at ${length} s, and replace.offset is ${offset} s.`);
  }
  if (second.seconds !== null && -offset >= second.seconds) {
    throw unsuitable(
      `The second file ends at ${second.seconds} s, and replace.offset leaves out ${-offset} s of it.`,
    );
  }
  const filters: AudioFilter[] = [
    ...begin(encode),
    ...(offset < 0 ? [{ filter: "trim", startSeconds: -offset } as const] : []),
    ...(loop ? [repeat(encode, second, "replace.loop")] : []),
    ...(fadeIn > 0 ? [fade("in", 0, fadeIn)] : []),
    { filter: "delay", seconds: Math.max(0, offset) },
  ];
  if (length !== null) {
    filters.push({ filter: "pad", toSeconds: length }, { filter: "trim", endSeconds: length });
    if (fadeOut > 0) filters.push(fade("out", Math.max(0, length - fadeOut), fadeOut));
  }
  const from = { input: 1, stream: second.track.index };
  return { chains: [{ from, filters, to: "replaced" }], pad: "replaced", encode };
}

/**
 * A track with the second input's sound in it, as long as the track.
 * @param length of the first input; null when unknown
 */
export function mixedSound(
  wish: Mix,
  { encode, track }: { encode: AudioEncode; track: AudioStream },
  second: Second,
  length: number | null,
): RawSound {
  const { ducking } = wish;
  const own = { input: 0, stream: track.index };
  const original: SoundChain[] =
    ducking === undefined
      ? [{ from: own, filters: begin(encode), to: "original" }]
      : [
          {
            from: own,
            filters: [...begin(encode), { filter: "split", count: 2 }],
            to: ["original", "key"],
          },
        ];
  const bed: SoundChain = {
    from: { input: 1, stream: second.track.index },
    filters: bedFilters(wish, encode, second, length),
    to: "bed",
  };
  const sources = [{ pad: "original" }, { pad: ducking === undefined ? "bed" : "ducked" }];
  const mix: SoundChain = {
    from: sources,
    filters: [{ filter: "mix", weights: [1, 1], duration: "first" }],
    to: "mixed",
  };
  const chains = [...original, bed, ...(ducking ? duckChains(ducking) : []), mix];
  return { chains, pad: "mixed", encode };
}

function bedFilters(
  wish: Mix,
  encode: AudioEncode,
  second: Second,
  length: number | null,
): AudioFilter[] {
  const { from, to, loop, fadeIn, fadeOut, levelDb } = wish;
  if (length !== null && from >= length) {
    throw unsuitable(`The first file ends at ${length} s, and mix.from is ${from} s.`);
  }
  const until = Math.min(to ?? Number.POSITIVE_INFINITY, length ?? Number.POSITIVE_INFINITY);
  const own = loop ? Number.POSITIVE_INFINITY : (second.seconds ?? Number.POSITIVE_INFINITY);
  const lasts = Math.min(until - from, own);
  if (fadeOut > 0 && lasts === Number.POSITIVE_INFINITY) {
    throw unsuitable(
      "Neither file says how long it is: give mix.to, so that mix.fadeOut can end there.",
    );
  }
  return [
    ...begin(encode),
    ...(loop ? [repeat(encode, second, "mix.loop")] : []),
    ...(Number.isFinite(until) ? [{ filter: "trim", endSeconds: until - from } as const] : []),
    ...(fadeIn > 0 ? [fade("in", 0, fadeIn)] : []),
    ...(fadeOut > 0 ? [fade("out", Math.max(0, lasts - fadeOut), fadeOut)] : []),
    ...(levelDb === 0 ? [] : [{ filter: "volume", gainDb: levelDb } as const]),
    ...(from > 0 ? [{ filter: "delay", seconds: from } as const] : []),
  ];
}

/**
 * The sign of the first sound is either full scale or nothing, so the compressor turns the bed down by what
 * it does at full scale: its part of the way from the threshold up.
 */
function duckChains({
  amountDb,
  thresholdDb,
  attack,
  release,
}: NonNullable<Mix["ducking"]>): SoundChain[] {
  // As near as the ratio, 20 at most, allows: the further the way, the longer it takes to come back.
  const way = amountDb <= 18 ? 20 : 34;
  return [
    { from: { pad: "key" }, filters: [{ filter: "presence", thresholdDb }], to: "presence" },
    {
      from: [{ pad: "bed" }, { pad: "presence" }],
      filters: [
        {
          filter: "duck",
          thresholdDb: -way,
          ratio: way / (way - amountDb),
          attackMs: attack,
          releaseMs: release,
        },
      ],
      to: "ducked",
    },
  ];
}

function repeat({ sampleRate }: AudioEncode, { seconds }: Second, path: string): AudioFilter {
  if (seconds === null || seconds > maxRepeatSeconds) {
    throw unsuitable(
      `${path} repeats sounds of at most ${maxRepeatSeconds} s, and the second file ${seconds === null ? "does not say how long it is" : `lasts ${Math.round(seconds)} s`}.`,
    );
  }
  // What a header says may be short of the truth by a packet or two.
  return { filter: "repeat", maxSeconds: seconds + 1, sampleRate };
}

function fade(direction: "in" | "out", startSeconds: number, seconds: number): AudioFilter {
  return { filter: "fade", direction, startSeconds, seconds };
}
