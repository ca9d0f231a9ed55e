/** `audio`: takes sound out, changes its loudness, replaces it, mixes another in, draws it. */

import type { AudioEncode, InputDescription, StreamCopy } from "../media/description.ts";
import type { SoundChain } from "../media/graph.ts";
import type { AudioStream } from "../media/media.ts";
import { assert } from "../trouble.ts";
import { type Film, filmAround } from "./audio-film.ts";
import { type AudioParams, audioSchema } from "./audio-schema.ts";
import { defaultMix, defaultReplace, mixedSound, replacingSound, secondOf } from "./audio-sound.ts";
import { chooseTrack, encodeAlone, encodeInFilm, unsuitable } from "./audio-tracks.ts";
import { defaultWaveform, planWaveform } from "./audio-waveform.ts";
import { copyableSources } from "./containers.ts";
import { lastingLike } from "./lasting.ts";
import {
  type Levelling,
  level,
  type RawSound,
  trackSound,
  unlevelled,
  usualTruePeakDbtp,
} from "./levelling.ts";
import { outputName } from "./naming.ts";
import {
  defineOperation,
  type Plan,
  type PlanContext,
  type PlanInput,
  type Span,
  type Step,
} from "./operation.ts";
import { movedInto } from "./part.ts";
import { formatLike, type SoundFormat, soundFormats } from "./sound-formats.ts";

export const audio = defineOperation({
  name: "audio",
  title: "Audio",
  description:
    "Works on the sound of a video or a sound: takes it out, brings it to a loudness, replaces it, mixes music under it, or draws its waveform. The picture stays as it is.",
  schema: audioSchema,
  example: { do: "extract", format: "mp3", channels: 1, loudness: { lufs: -16 } },
  inputs: { min: 1, max: 2, kinds: ["video", "audio"] },
  family: "sound",
  part,
  plan,
});

/** The second sound goes on in the part where it is by then; a waveform of ten seconds says nothing. */
function part(params: AudioParams, span: Span): AudioParams | null {
  if (params.do === "waveform") return null;
  const replace = params.replace && {
    ...params.replace,
    offset: params.replace.offset - span.from,
  };
  const mixed = params.mix && movedInto(params.mix, span);
  if (mixed === null) return null;
  return { ...params, replace, mix: mixed };
}

function plan(params: AudioParams, inputs: PlanInput[], context: PlanContext): Plan {
  const [first, second] = inputs;
  assert(first !== undefined, "audio has an input");
  checkInputs(params, inputs);
  const track = () =>
    chooseTrack(first.media, params.track, { which: "The source", path: "track" });
  if (params.do === "waveform") {
    return planWaveform(params.waveform ?? defaultWaveform, first, track());
  }
  if (params.do === "extract") return planExtract(params, first, track());
  const { video } = first.media;
  if (video !== null) return planFilm(params, first, second, context);
  if (params.do === "replace") {
    throw unsuitable(
      "The first file has no picture whose sound could be replaced. Choose a video.",
    );
  }
  const chosen = { encode: encodeAlone(params, track()), track: track() };
  return planAlone(params, first, rawOf(params, chosen, first, second), chosen.track);
}

function checkInputs(params: AudioParams, inputs: readonly PlanInput[]): void {
  const wanted = params.do === "replace" || params.do === "mix" ? 2 : 1;
  if (inputs.length !== wanted) {
    const words = wanted === 2 ? "two files: the first, and the sound for it" : "one file";
    throw unsuitable(`do ${params.do} works on ${words}, and ${inputs.length} were given.`);
  }
  for (const [index, { media }] of inputs.entries()) {
    if (media.kind !== "image") continue;
    throw unsuitable(
      `${index === 0 ? "The source" : "The second file"} is a still picture, which has no sound. Choose a video or a sound.`,
    );
  }
}

interface Chosen {
  encode: AudioEncode;
  track: AudioStream;
}

/** The chosen track as it is, or with the second file's sound in it. */
function rawOf(
  params: AudioParams,
  chosen: Chosen,
  first: PlanInput,
  second: PlanInput | undefined,
): RawSound {
  if (params.do !== "mix") return trackSound(chosen.encode, 1);
  assert(second !== undefined, "mix has a second input");
  const wish = params.mix ?? defaultMix;
  return mixedSound(
    wish,
    chosen,
    secondFor(second, wish.track, "mix.track"),
    first.media.durationSeconds,
  );
}

function secondFor({ media }: PlanInput, track: number | string | undefined, path: string) {
  return secondOf(media, chooseTrack(media, track, { which: "The second file", path }));
}

function inputsFor({ do: work }: AudioParams): InputDescription[] {
  const first = { from: { asset: 0 } };
  return work === "replace" || work === "mix" ? [first, { from: { asset: 1 } }] : [first];
}

function levelling(params: AudioParams, sounds: RawSound[], seconds: number | null): Levelling {
  const wish =
    params.do === "loudness" && params.loudness === undefined
      ? { lufs: -16, truePeakDbtp: usualTruePeakDbtp }
      : params.loudness;
  if (wish === undefined) return unlevelled(sounds);
  const { lufs: targetLufs, truePeakDbtp } = wish;
  return level(sounds, { targetLufs, truePeakDbtp }, { inputs: inputsFor(params), seconds });
}

function planExtract(params: AudioParams, input: PlanInput, track: AudioStream): Plan {
  const encode = encodeAlone(params, track);
  const { bitRate, channels, sampleRate, loudness } = params;
  const asItIs =
    [bitRate, sampleRate, loudness].every((wish) => wish === undefined) &&
    track.channels <= (channels ?? track.channels) &&
    encode.codec === track.codec &&
    copyableSources.has(input.media.container);
  if (!asItIs) return planAlone(params, input, trackSound(encode, 1), track);
  const source = { input: 0, stream: track.index };
  const copy: StreamCopy = { kind: "copy", source, codec: track.codec };
  const format = formatLike(track);
  const alone = { track, tracks: [copy], codec: track.codec, format, chains: [] };
  const step = aloneStep(params, input, alone);
  return {
    steps: [step],
    notes: ["The sound is in this format already: it is copied, not re-encoded."],
  };
}

/** A file of sound alone. */
function planAlone(params: AudioParams, input: PlanInput, raw: RawSound, track: AudioStream): Plan {
  const { steps, sounds } = levelling(params, [raw], input.media.durationSeconds);
  const [sound] = sounds;
  assert(sound !== undefined, "there is one sound");
  const { codec } = sound.encode;
  const format: SoundFormat = codec === "pcm_s16le" || codec === "pcm_s24le" ? "wav" : codec;
  const alone = { track, tracks: [sound.encode], codec, format, chains: sound.chains };
  const step = aloneStep(params, input, alone);
  step.needs = steps.map(({ name }) => name);
  const mixedDown = codec === "mp3" && track.channels > 2 && (params.channels ?? 8) > 2;
  const notes = mixedDown
    ? [`MP3 has no more than two channels: the ${track.channels} of the source are mixed down.`]
    : [];
  return { steps: [...steps, step], notes };
}

interface Alone {
  /** Of the source: it, or what it is mixed into. */
  track: AudioStream;
  tracks: (AudioEncode | StreamCopy)[];
  codec: string;
  format: SoundFormat;
  chains: SoundChain[];
}

function aloneStep(params: AudioParams, input: PlanInput, alone: Alone): Step {
  const { container, ending, mimeType, title } = soundFormats[alone.format];
  const { durationSeconds: seconds } = input.media;
  const file = `output.${ending}`;
  const copied = alone.tracks[0]?.kind === "copy";
  return {
    name: "sound",
    title: copied ? "Copy the sound" : `Encode the sound as ${title}`,
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: inputsFor(params),
        graph: [],
        sound: alone.chains,
        outputs: [
          {
            file,
            container,
            video: null,
            audio: alone.tracks,
            subtitles: [],
            metadataFrom: params.metadata === "keep" ? 0 : null,
            limitSeconds: limitOf(seconds),
          },
        ],
        expectedSeconds: seconds,
      },
    },
    outputs: [
      {
        file,
        name: outputName(input.name, suffixes[params.do], ending),
        role: "main",
        mimeType,
        expectation: {
          file,
          kind: "audio",
          durationSeconds: seconds,
          // What is mixed is made as long as the source.
          ...(params.do === "mix" ? {} : lastingLike(input.media, [alone.track.index])),
          video: null,
          audioTracks: 1,
          audioCodecs: [alone.codec],
        },
      },
    ],
  };
}

const suffixes = {
  extract: "",
  loudness: "levelled",
  replace: "new sound",
  mix: "mixed",
  waveform: "",
};

/** A source may run a little over what its header says; one that says nothing is a day long at most. */
function limitOf(seconds: number | null): number {
  return seconds === null ? 86_400 : seconds * 1.01 + 5;
}

/** A video with its picture as it is and other sound. */
function planFilm(
  params: AudioParams,
  first: PlanInput,
  second: PlanInput | undefined,
  context: PlanContext,
): Plan {
  const film = filmAround(first.media, context);
  const { raws, copies } = filmSounds(params, film, first, second);
  const { steps, sounds } = levelling(params, raws, first.media.durationSeconds);
  const tracks = mergeTracks(
    sounds.map(({ encode }) => encode),
    copies,
  );
  const step = filmStep(params, film, first, {
    tracks,
    chains: sounds.flatMap(({ chains }) => chains),
  });
  step.needs = steps.map(({ name }) => name);
  return { steps: [...steps, step], notes: film.notes };
}

/** A track that stays as it is, and its place among the tracks. */
interface Copy {
  at: number;
  stream: StreamCopy;
}

function filmSounds(
  params: AudioParams,
  { facts }: Film,
  first: PlanInput,
  second: PlanInput | undefined,
): { raws: RawSound[]; copies: Copy[] } {
  const { audio: tracks, durationSeconds: seconds } = first.media;
  if (params.do === "replace") {
    assert(second !== undefined, "replace has a second input");
    const wish = params.replace ?? defaultReplace;
    const other = secondFor(second, wish.track, "replace.track");
    const encode = encodeInFilm(params, other.track, facts);
    return { raws: [replacingSound(wish, encode, other, seconds)], copies: [] };
  }
  const chosen = chooseTrack(first.media, params.track, { which: "The source", path: "track" });
  const encoded = (track: AudioStream) => encodeInFilm(params, track, facts);
  if (params.do === "loudness" && params.track === undefined) {
    const raws = tracks.map((track, at) => trackSound(encoded(track), at + 1));
    return { raws, copies: [] };
  }
  const raw = rawOf(params, { encode: encoded(chosen), track: chosen }, first, second);
  const copies = tracks.flatMap(({ index, codec }, at): Copy[] => {
    if (index === chosen.index) return [];
    return [{ at, stream: { kind: "copy", source: { input: 0, stream: index }, codec } }];
  });
  return { raws: [raw], copies };
}

/** The tracks in the order of the source. */
function mergeTracks(
  encoded: readonly AudioEncode[],
  copies: readonly Copy[],
): (AudioEncode | StreamCopy)[] {
  const tracks: (AudioEncode | StreamCopy)[] = [...encoded];
  for (const { at, stream } of copies) tracks.splice(at, 0, stream);
  return tracks;
}

function filmStep(
  params: AudioParams,
  film: Film,
  { name, media }: PlanInput,
  { tracks, chains }: { tracks: (AudioEncode | StreamCopy)[]; chains: SoundChain[] },
): Step {
  const { container, facts, picture, subtitles, source } = film;
  const { durationSeconds: seconds } = media;
  const file = `output.${facts.ending}`;
  const [first, ...others] = inputsFor(params);
  assert(first !== undefined, "there is an input");
  return {
    name: "sound",
    title: film.encodes
      ? "Encode the video with its new sound"
      : "Write the video with its new sound",
    needs: [],
    work: {
      kind: "render",
      description: {
        inputs: [{ ...first, ...source }, ...others],
        graph: picture.graph,
        sound: chains,
        outputs: [
          {
            file,
            container,
            video: picture.stream,
            audio: tracks,
            subtitles,
            metadataFrom: params.metadata === "keep" ? 0 : null,
            limitSeconds: limitOf(seconds),
          },
        ],
        expectedSeconds: seconds,
      },
    },
    outputs: [
      {
        file,
        name: outputName(name, suffixes[params.do], facts.ending),
        role: "main",
        mimeType: facts.mimeType,
        expectation: {
          file,
          kind: "video",
          durationSeconds: seconds,
          video: picture.expected,
          audioTracks: tracks.length,
          audioCodecs: tracks.map(({ codec }) => codec),
        },
      },
    ],
  };
}
