/** The sounds of a ladder: which tracks, what players call them, how they are encoded. Pure. */
import type { AudioEncode, InputDescription } from "../media/description.ts";
import type { SoundChain } from "../media/graph.ts";
import type { AudioStream, MediaInfo } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { type LadderParams, maxTracks } from "./ladder-schema.ts";
import { level, trackSound, usualTruePeakDbtp } from "./levelling.ts";
import type { Step } from "./operation.ts";
import { encodeTrack, maxChannels } from "./sound.ts";

export interface LadderSound {
  /** Index of the stream in the source. */
  stream: number;
  encode: AudioEncode;
  /** "English"; no two are the same. */
  name: string;
  /** BCP 47; null when unknown. */
  language: string | null;
  /** The first in its language. */
  autoselect: boolean;
}

export interface LadderSounds {
  sounds: LadderSound[];
  chains: SoundChain[];
  /** What measures a loudness, before the encode. */
  steps: Step[];
  notes: string[];
}

/** @throws Refusal 422 `unsuitable_input` for a language that is not there, and too many channels */
export function ladderSounds(
  params: LadderParams,
  media: MediaInfo,
  source: { inputs: InputDescription[]; seconds: number | null },
): LadderSounds {
  const wanted = chosen(params, media);
  const tracks = wanted.slice(0, maxTracks);
  for (const track of tracks) refuseWide(track);
  const { bitRate, channels, loudness } = params.audio;
  const sounds = named(tracks).map((named) => ({
    ...named,
    encode: encodeTrack(named.track, { codec: "aac", bitRate, channels }),
  }));
  const left = wanted.length - tracks.length;
  const notes =
    left === 0 ? [] : [`A ladder has at most ${maxTracks} sounds: ${left} tracks are left out.`];
  if (loudness === undefined) return { sounds: sounds.map(plain), chains: [], steps: [], notes };
  const wish = { targetLufs: loudness, truePeakDbtp: usualTruePeakDbtp };
  const raws = sounds.map(({ encode }, index) => trackSound(encode, index + 1));
  const levelled = level(raws, wish, source);
  return {
    sounds: sounds.map((sound, index) => ({
      ...plain(sound),
      encode: levelled.sounds[index]?.encode ?? sound.encode,
    })),
    chains: levelled.sounds.flatMap(({ chains }) => chains),
    ...{ steps: levelled.steps, notes },
  };
}

function plain({ track, ...sound }: Omit<LadderSound, "stream"> & { track: AudioStream }) {
  return { stream: track.index, ...sound };
}

function chosen({ audio }: LadderParams, media: MediaInfo): AudioStream[] {
  if (audio.tracks === "none") return [];
  const all = beginningWithDefault(media.audio);
  const { languages = [] } = audio;
  if (languages.length === 0) return audio.tracks === "first" ? all.slice(0, 1) : all;
  const found = languages.flatMap((language, index) => {
    const tracks = all.filter((track) => shortLanguage(track.language) === shortLanguage(language));
    if (tracks.length === 0) throw missingLanguage(language, index, media.audio);
    return audio.tracks === "first" ? tracks.slice(0, 1) : tracks;
  });
  return [...new Set(found)];
}

/** The track that players of the source begin with comes first. */
function beginningWithDefault(tracks: readonly AudioStream[]): AudioStream[] {
  return tracks.toSorted((a, b) => Number(b.default) - Number(a.default));
}

function missingLanguage(language: string, index: number, tracks: readonly AudioStream[]): Refusal {
  const known = [...new Set(tracks.map((track) => track.language ?? "unknown"))].join(", ");
  const message = `is ${language}, and the source has ${known === "" ? "no sound" : known}`;
  return new Refusal(
    422,
    "unsuitable_input",
    `audio.languages.${index} ${message}. Leave it out, or leave languages empty for all tracks.`,
    { errors: [{ path: `audio.languages.${index}`, message }] },
  );
}

function refuseWide({ channels }: AudioStream): void {
  if (channels <= maxChannels) return;
  throw new Refusal(
    422,
    "unsuitable_input",
    `The source has an audio track of ${channels} channels; up to ${maxChannels} can be encoded. Choose other tracks with audio.tracks or audio.languages.`,
  );
}

function named(tracks: readonly AudioStream[]) {
  const names = new Set<string>();
  const languages = new Set<string | null>();
  return tracks.map((track, index) => {
    const language = shortLanguage(track.language);
    const base = titleOf(track) ?? languageName(language) ?? `Sound ${index + 1}`;
    let name = base;
    for (let number = 2; names.has(name); number += 1) name = `${base} ${number}`;
    names.add(name);
    const autoselect = !languages.has(language);
    languages.add(language);
    return { track, name, language, autoselect };
  });
}

/** What a menu has room for. */
const maxNameChars = 60;

/** A title is a text of the file's: quotes and line ends would end the attribute that it goes into. */
function titleOf({ title }: AudioStream): string | null {
  const plain = (title ?? "")
    .toWellFormed()
    .replace(/["\p{C}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  return plain === "" ? null : Array.from(plain).slice(0, maxNameChars).join("").trim();
}

/** Codes of libraries (ISO 639-2/B), which files have too; browsers know the others. */
const bibliographic: Record<string, string> = {
  ...{ alb: "sq", arm: "hy", baq: "eu", bur: "my", chi: "zh", cze: "cs", dut: "nl", fre: "fr" },
  ...{ geo: "ka", ger: "de", gre: "el", ice: "is", mac: "mk", mao: "mi", may: "ms", per: "fa" },
  ...{ rum: "ro", slo: "sk", tib: "bo", wel: "cy" },
};

/** "eng" → "en", the shortest code as BCP 47 wants it; null for what is no language. */
function shortLanguage(code: string | null): string | null {
  if (code === null || !/^[a-z]{2,3}$/.test(code) || code === "und") return null;
  return bibliographic[code] ?? new Intl.Locale(code).language;
}

function languageName(language: string | null): string | null {
  if (language === null) return null;
  return new Intl.DisplayNames("en", { type: "language" }).of(language) ?? null;
}
