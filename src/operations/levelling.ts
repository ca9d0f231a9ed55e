/**
 * Sound brought to a loudness, as steps: it is measured, a first gain is tried where a limiter must work,
 * and then it is rendered with what both found. Pure.
 */
import type { AudioEncode, InputDescription, RenderDescription } from "../media/description.ts";
import type { AudioFilter, SoundChain } from "../media/graph.ts";
import type { LoudnessWish, MeasureRef } from "../media/loudness.ts";
import type { Step } from "./operation.ts";
import { isLossless } from "./sound.ts";

/** A sound that chains make, before it is levelled. */
export interface RawSound {
  chains: SoundChain[];
  /** The pad in which it comes; it has the channels and the rate of `encode`. */
  pad: string;
  encode: AudioEncode;
}

/** From a track of an input on: without holes, in the channels and the rate in which it is encoded. */
export function begin({ channels, sampleRate }: AudioEncode): AudioFilter[] {
  return [{ filter: "resample" }, { filter: "layout", channels, sampleRate }];
}

/** A track by itself. */
export function trackSound(encode: AudioEncode, number: number): RawSound {
  const pad = `track_${number}`;
  return { chains: [{ from: encode.source, filters: begin(encode), to: pad }], pad, encode };
}

/** What a sound is levelled with. */
export interface LevellingSource {
  inputs: InputDescription[];
  /** Of the sound, for progress; null when unknown. */
  seconds: number | null;
}

/** A sound as the render takes it. */
export interface ReadySound {
  chains: SoundChain[];
  encode: AudioEncode;
}

export interface Levelling {
  /** To be done before the render, which needs all of them. */
  steps: Step[];
  sounds: ReadySound[];
}

/** A ceiling that lossy codecs, which make some peaks higher, leave below full scale. */
export const usualTruePeakDbtp = -1;

/** What AAC, MP3 and Opus add to the peaks of voices and tones; of limited noise it may be 2 dB. */
const codecMarginDb = 0.5;

/** Steps and chains that bring every sound to the wish, each by itself. */
export function level(
  sounds: readonly RawSound[],
  wish: LoudnessWish,
  source: LevellingSource,
): Levelling {
  const levelled = sounds.map((sound, index) => levelOne(sound, wish, source, index));
  return {
    steps: levelled.flatMap(({ steps }) => steps),
    sounds: levelled.map(({ sound }) => sound),
  };
}

/** The same without a loudness to reach. */
export function unlevelled(sounds: readonly RawSound[]): Levelling {
  return {
    steps: [],
    sounds: sounds.map(({ chains, pad, encode }) => ({
      chains,
      encode: { ...encode, source: { pad } },
    })),
  };
}

const file = "loudness.json";

function levelOne(
  sound: RawSound,
  wish: LoudnessWish,
  source: LevellingSource,
  index: number,
): { steps: Step[]; sound: ReadySound } {
  const { chains, pad, encode } = sound;
  const number = index === 0 ? "" : `-${index + 1}`;
  const words = index === 0 ? "" : ` of track ${index + 1}`;
  const found: MeasureRef = { step: `measure${number}`, file };
  const tried: MeasureRef = { step: `try${number}`, file };
  const { sampleRate } = encode;
  const truePeakDbtp = wish.truePeakDbtp - (isLossless(encode.codec) ? 0 : codecMarginDb);
  const target = { targetLufs: wish.targetLufs, truePeakDbtp };
  const first = { filter: "normalise", ...target, sampleRate, source: found } as const;
  const levelledPad = `${pad}_level`;
  const measure: Step = {
    name: found.step,
    title: `Measure the loudness${words}`,
    needs: [],
    work: {
      kind: "analyse",
      description: metered(sound, [], source),
      reading: "meter",
      file,
    },
    makes: [file],
    outputs: [],
  };
  const attempt: Step = {
    name: tried.step,
    title: `Try the loudness${words}`,
    needs: [found.step],
    work: {
      kind: "analyse",
      description: metered(sound, [first], source),
      reading: "meter",
      file,
      onlyIfLimited: true,
    },
    makes: [file],
    outputs: [],
  };
  const last: SoundChain = { from: { pad }, filters: [{ ...first, tried }], to: levelledPad };
  return {
    steps: [measure, attempt],
    sound: { chains: [...chains, last], encode: { ...encode, source: { pad: levelledPad } } },
  };
}

/** A run for what the meter says behind the filters. */
function metered(
  { chains, pad, encode }: RawSound,
  filters: SoundChain["filters"],
  { inputs, seconds }: LevellingSource,
): RenderDescription {
  const meter: SoundChain = {
    from: { pad },
    filters: [...filters, { filter: "meter" }],
    to: "metered",
  };
  return soundlessRun(inputs, [...chains, meter], encode, seconds);
}

/** A run that makes no file; all that is kept of the pad at the end of the chains is what filters say. */
export function soundlessRun(
  inputs: InputDescription[],
  sound: SoundChain[],
  { channels, sampleRate }: Pick<AudioEncode, "channels" | "sampleRate">,
  expectedSeconds: number | null,
): RenderDescription {
  const pad = String(sound.at(-1)?.to);
  return {
    // No picture is needed: none is decoded.
    inputs: inputs.map(({ picture: _, ...input }) => input),
    graph: [],
    sound,
    outputs: [
      {
        file: "nothing.null",
        container: "null",
        video: null,
        audio: [
          {
            kind: "encode",
            source: { pad },
            codec: "pcm_s16le",
            bitRate: null,
            channels,
            sampleRate,
            language: null,
            title: null,
          },
        ],
        subtitles: [],
        metadataFrom: null,
        limitSeconds: null,
      },
    ],
    expectedSeconds,
  };
}
