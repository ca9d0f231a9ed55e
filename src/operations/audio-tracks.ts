/** Which track `audio` works on, and how it is encoded. Pure. */
import type { AudioCodec, AudioEncode } from "../media/description.ts";
import type { AudioStream, MediaInfo } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import type { SoundWish } from "./audio-schema.ts";
import { type ContainerFacts, codecTitle } from "./containers.ts";
import { encodeTrack, maxChannels } from "./sound.ts";
import { codecOf, depthOf, formatLike, ratesOf } from "./sound-formats.ts";

export function unsuitable(sentence: string): Refusal {
  return new Refusal(422, "unsuitable_input", sentence);
}

/**
 * The track by number or language; without either the one that a player starts with.
 * @param which "The source", "The second file"
 * @throws Refusal 422 `unsuitable_input` when there is no such track
 */
export function chooseTrack(
  media: MediaInfo,
  wanted: number | string | undefined,
  { which, path }: { which: string; path: string },
): AudioStream {
  const { audio } = media;
  const usual = audio.find((track) => track.default) ?? audio[0];
  if (usual === undefined) {
    throw unsuitable(`${which} has no sound. Choose a file that has some.`);
  }
  if (wanted === undefined) return usual;
  const found =
    typeof wanted === "number"
      ? audio[wanted - 1]
      : (audio.find((track) => track.language === wanted && track.default) ??
        audio.find((track) => track.language === wanted));
  if (found !== undefined) return found;
  const there = audio.map(({ language }, index) => `${index + 1} (${language ?? "no language"})`);
  throw unsuitable(`${which} has no track ${wanted}. ${path} may be: ${there.join(", ")}.`);
}

/**
 * How a track is encoded into a file of sound alone.
 * @throws Refusal 422 `unsuitable_input` for channels or a rate that nobody encodes
 */
export function encodeAlone(wish: SoundWish, track: AudioStream): AudioEncode {
  const format = wish.format === "auto" ? formatLike(track) : wish.format;
  return encodeAs(codecOf(format, track), wish, track);
}

/** Codecs that `auto` keeps in a video. */
const kept: readonly AudioCodec[] = ["aac", "opus", "mp3", "flac", "pcm_s16le", "pcm_s24le"];

/**
 * How a track is encoded into a video.
 * @throws Refusal 422 `unsuitable_input` when its container cannot hold the format
 */
export function encodeInFilm(
  wish: SoundWish,
  track: AudioStream,
  facts: ContainerFacts,
): AudioEncode {
  const holds = (codec: string) => facts.holdsAudio === null || facts.holdsAudio.includes(codec);
  if (wish.format === "auto") {
    const own = kept.find((codec) => codec === track.codec);
    return encodeAs(own !== undefined && holds(own) ? own : facts.audio, wish, track);
  }
  const codec = codecOf(wish.format, track);
  if (!holds(codec)) {
    throw unsuitable(
      `${facts.title} cannot hold ${codecTitle(codec)} sound. Set format to auto, or transcode the video to Matroska first.`,
    );
  }
  return encodeAs(codec, wish, track);
}

function encodeAs(codec: AudioCodec, wish: SoundWish, track: AudioStream): AudioEncode {
  if (track.channels > maxChannels) {
    throw unsuitable(
      `The track has ${track.channels} channels, and up to ${maxChannels} can be encoded. Choose another track.`,
    );
  }
  const rates = ratesOf(codec);
  const { bitRate, channels, sampleRate } = wish;
  if (sampleRate !== undefined && rates !== null && !rates.includes(sampleRate)) {
    throw unsuitable(
      `${codecTitle(codec)} knows no sampleRate of ${sampleRate} Hz: it has ${rates.join(", ")}.`,
    );
  }
  const bitDepth = depthOf(track);
  return encodeTrack(track, { codec, bitRate, channels, sampleRate, bitDepth });
}
