/** What `transcode` does with sound and subtitles: copy, encode or leave out. */
import type { AudioCodec, AudioEncode, StreamCopy } from "../media/description.ts";
import type { SoundChain } from "../media/graph.ts";
import type { AudioStream, MediaInfo } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { codecTitle, containers, copyableSources } from "./containers.ts";
import { type LevellingSource, level, trackSound, usualTruePeakDbtp } from "./levelling.ts";
import type { Step } from "./operation.ts";
import { encodeTrack, maxChannels } from "./sound.ts";
import { codecOf } from "./sound-formats.ts";
import type { TranscodeParams } from "./transcode-schema.ts";

export interface SoundDecision {
  tracks: (AudioEncode | StreamCopy)[];
  /** Codec of each track of the output, in order. */
  codecs: string[];
  notes: string[];
}

/** @throws Refusal 422 `unsuitable_input` when the container cannot hold what was asked for. */
export function decideSound(params: TranscodeParams, media: MediaInfo): SoundDecision {
  if (params.audio.codec === "none") return { tracks: [], codecs: [], notes: [] };
  const chosen = params.tracks === "first" ? firstTrack(media.audio) : media.audio;
  const decided = chosen.map((track) => decideTrack(params, media, track));
  return {
    tracks: decided.map(({ stream }) => stream),
    codecs: decided.map(({ codec }) => codec),
    notes: [],
  };
}

/** The track that a player starts with. */
function firstTrack(tracks: AudioStream[]): AudioStream[] {
  const track = tracks.find((candidate) => candidate.default) ?? tracks[0];
  return track === undefined ? [] : [track];
}

interface TrackDecision {
  stream: AudioEncode | StreamCopy;
  codec: string;
}

function decideTrack(params: TranscodeParams, media: MediaInfo, track: AudioStream): TrackDecision {
  const facts = containers[params.container];
  const copy: TrackDecision = {
    stream: { kind: "copy", source: { input: 0, stream: track.index }, codec: track.codec },
    codec: track.codec,
  };
  const { codec } = params.audio;
  if (codec === "copy") {
    if (facts.holdsAudio === null || facts.holdsAudio.includes(track.codec)) return copy;
    throw new Refusal(
      422,
      "unsuitable_input",
      `${codecTitle(track.codec)} sound cannot be copied into ${facts.title}. Choose another container, or set audio.codec to auto.`,
    );
  }
  if (conforms(params, media, track)) return copy;
  const target = codecFor(codec, facts.audio, track);
  if (facts.holdsAudio !== null && !facts.holdsAudio.includes(target)) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `${facts.title} cannot hold ${codecTitle(target)} sound. Set audio.codec to auto, or choose another container.`,
    );
  }
  if (track.channels > maxChannels) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `The source has an audio track of ${track.channels} channels; up to ${maxChannels} can be encoded. Set audio.codec to copy with a Matroska container, or to none.`,
    );
  }
  const { bitRate, channels } = params.audio;
  return { stream: encodeTrack(track, { codec: target, bitRate, channels }), codec: target };
}

function codecFor(
  wanted: Exclude<TranscodeParams["audio"]["codec"], "copy">,
  usual: AudioCodec,
  track: AudioStream,
): AudioCodec {
  if (wanted === "pcm") return codecOf("wav", track);
  return wanted === "auto" || wanted === "none" ? usual : wanted;
}

/** A track stays as it is when codec and channels are right, nothing is cut and no bit rate was asked for. */
function conforms(params: TranscodeParams, media: MediaInfo, track: AudioStream): boolean {
  const facts = containers[params.container];
  const { codec, bitRate, channels, loudness } = params.audio;
  const codecs = codec === "auto" ? facts.conformingAudio : [codec];
  const right = codec === "pcm" ? track.codec.startsWith("pcm_") : codecs.includes(track.codec);
  return (
    right &&
    (facts.holdsAudio === null || facts.holdsAudio.includes(track.codec)) &&
    copyableSources.has(media.container) &&
    bitRate === undefined &&
    loudness === undefined &&
    track.channels <= (channels ?? maxChannels) &&
    params.from === undefined &&
    params.to === undefined
  );
}

/** The decision with the steps and chains that bring the tracks to the loudness that was asked for. */
export function levelTracks(
  params: TranscodeParams,
  decision: SoundDecision,
  source: LevellingSource,
): { sound: SoundDecision; chains: SoundChain[]; steps: Step[] } {
  const { loudness: targetLufs } = params.audio;
  const encoded = decision.tracks.filter((track) => track.kind === "encode");
  if (targetLufs === undefined) return { sound: decision, chains: [], steps: [] };
  const raws = encoded.map((encode, index) => trackSound(encode, index + 1));
  const wish = { targetLufs, truePeakDbtp: usualTruePeakDbtp };
  const { steps, sounds } = level(raws, wish, source);
  return {
    sound: { ...decision, tracks: sounds.map(({ encode }) => encode) },
    chains: sounds.flatMap(({ chains }) => chains),
    steps,
  };
}

export interface SubtitleDecision {
  tracks: StreamCopy[];
  notes: string[];
}

/** Subtitles are copied where the container takes them as they are, and dropped with a note elsewhere. */
export function decideSubtitles(params: TranscodeParams, media: MediaInfo): SubtitleDecision {
  const facts = containers[params.container];
  const kept = media.subtitles.filter(({ codec }) => facts.holdsSubtitles.includes(codec));
  const dropped = media.subtitles.length - kept.length;
  const some = dropped === 1 ? "1 subtitle track is" : `${dropped} subtitle tracks are`;
  return {
    tracks: kept.map(({ index, codec }) => ({
      kind: "copy",
      source: { input: 0, stream: index },
      codec,
    })),
    notes:
      dropped === 0
        ? []
        : [`${some} left out: ${facts.title} cannot hold them as they are; Matroska can.`],
  };
}
