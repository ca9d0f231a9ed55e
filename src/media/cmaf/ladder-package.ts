/**
 * What a ladder is packaged into, as data: which streams, under which names, with which playlists. An
 * operation says it, `runners/package.ts` carries it out. All files are named plainly and lie side by side, so
 * that playlists find them by name wherever they are put.
 */
import type { InputRef } from "../description.ts";
import type { TrackLayout } from "./layout.ts";
import type { StreamFacts } from "./sample-entry.ts";

export interface LadderPackage {
  /** Distance of segments: a whole number of frames of every rung. */
  everySeconds: number;
  /** The largest first. Empty: sound alone. */
  pictures: PictureWish[];
  /** The one to begin with first. */
  sounds: SoundWish[];
  /** The master playlist of HLS; null: no HLS. */
  master: string | null;
  /** The MPD of DASH; null: no DASH. */
  manifest: string | null;
  /** AES-128; null leaves everything readable. */
  encryption: EncryptionWish | null;
  /** Sheets of small pictures for the seek bar, in DASH; null: none. */
  thumbnails: ThumbnailSheets | null;
}

export interface TrackWish {
  /** An MP4 with this track alone. */
  from: InputRef;
  /** Of the track as it is packaged. */
  file: string;
  /** Null where there is no HLS. */
  playlist: string | null;
}

export interface PictureWish extends TrackWish {
  /** "720p" */
  label: string;
  /** Rational: "30000/1001". */
  frameRate: string;
  /** Playlist of its keyframes alone; null where there is no HLS. */
  keyframes: string | null;
}

export interface SoundWish extends TrackWish {
  /** For the person who chooses: "English". No two of a ladder are the same. */
  name: string;
  /** BCP 47: "en"; null when unknown. */
  language: string | null;
  /** Whether players may choose it by its language: the first of each. */
  autoselect: boolean;
}

export interface EncryptionWish {
  /** File of the key. */
  keyFile: string;
  /** What playlists call it: the file's name, or an address where it will be kept. */
  keyUri: string;
}

export interface ThumbnailSheets {
  /** With `$Number$`, from 1, unless there is one alone. */
  media: string;
  mimeType: string;
  columns: number;
  rows: number;
  /** Of a sheet. */
  width: number;
  height: number;
  sheets: number;
  /** What one small picture stands for. */
  everySeconds: number;
  /** Of all sheets together, once they are made; an estimate. */
  bitRate: number;
}

/** Every file that the package makes, in the order in which a person looks for them. */
export function filesOf(wish: LadderPackage): string[] {
  const tracks = [...wish.pictures, ...wish.sounds];
  return [
    ...[wish.master, wish.manifest],
    ...tracks.map(({ file }) => file),
    ...tracks.map(({ playlist }) => playlist),
    ...wish.pictures.map(({ keyframes }) => keyframes),
    wish.encryption?.keyFile ?? null,
  ].filter((file) => file !== null);
}

/** A stream as it was packaged. */
export interface Packaged<Wish extends TrackWish = TrackWish> {
  wish: Wish;
  facts: StreamFacts;
  /** Ticks per second of its times. */
  timescale: number;
  layout: TrackLayout;
  /** Of each segment the initialisation vector, in hexadecimal; empty when nothing is encrypted. */
  ivs: string[];
}

export interface PackagedLadder {
  pictures: Packaged<PictureWish>[];
  sounds: Packaged<SoundWish>[];
}
