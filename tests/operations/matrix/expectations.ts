/** What cases of the matrix share: other files, and what must come out. */
import { readFileSync } from "node:fs";
import { clip, ffmpeg } from "../../clips.ts";
import { beeps, picture } from "./film.ts";
import { type Seen, type View, wholeView } from "./look.ts";
import type { Source } from "./recipes.ts";
import { faultsOf, type Wanted, type WantedPicture, type WantedTrack } from "./rules.ts";

export interface MatrixCase {
  /** As in the table: the operation, and a word for the variant. */
  name: string;
  operation: string;
  /** For the person who reads the table. */
  title: string;
  params: Record<string, unknown>;
  /** What a person would ask for where a source needs other parameters. */
  paramsFor?(source: Source, params: Record<string, unknown>): Record<string, unknown>;
  /** Files that the source is given among; absent: it alone, and then the others. */
  inputs?(source: string): string[];
  /** What is wrong with what came out, as sentences. @param seen the source, as it was found to be */
  judge(paths: readonly string[], source: Source, seen: Seen): string[];
}

/** By what the first output must be. */
export const first =
  (wanted: (source: Source, seen: Seen) => Wanted): MatrixCase["judge"] =>
  ([path = ""], source, seen) =>
    faultsOf(path, wanted(source, seen));

/** Fine enough that colours stay, and quick. */
export const fine = { quality: 85, effort: "fast" };
export const fineSpeed = { quality: 85, speed: "fast" };
export const fineVideo = { video: { codec: "h264", quality: 85 }, speed: "fast" };

/** A second film, of another size and rate, whose beeps are of another pitch. */
export function otherFilm(): string {
  return clip("matrix-other.mp4", (path) => {
    const look = { width: 160, height: 120, rate: "30" };
    ffmpeg(
      ...["-f", "lavfi", "-i", picture(look), "-f", "lavfi", "-i", beeps({ hertz: 700 })],
      ...["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-ac", "2", path],
    );
  });
}

export function otherSound(): string {
  return clip("matrix-other.wav", (path) =>
    ffmpeg("-f", "lavfi", "-i", beeps({ hertz: 700 }), "-ac", "2", path),
  );
}

/** The tracks of a source, moved in time; as many as are kept. */
export function tracks(
  { truth }: Source,
  seen: Seen,
  { at = (time: number): number | null => time, channels = 8 } = {},
): WantedTrack[] {
  return truth.sound.map(({ hertz, heard, channels: has, language }, index) => ({
    hertz,
    // Mixed down, what was in front in the middle is heard on both sides.
    heard: has > channels ? [0, 1].slice(0, channels) : heard,
    channels: Math.min(has, channels),
    language: language ?? null,
    beeps: (seen.sound[index]?.beeps ?? []).flatMap((time) => at(time) ?? []),
  }));
}

/** The first track in a file of sound, which has no place for its language. */
export const alone = (all: readonly WantedTrack[]): WantedTrack[] =>
  all.slice(0, 1).map((track) => ({ ...track, language: null }));

export interface PictureWish {
  /** The result has more than 8 bits where the source has. */
  keepsDepth?: boolean;
  keepsHdr?: boolean;
  at?: (time: number) => number | null;
  more?: Partial<WantedPicture>;
}

/** The picture as it was: size, rate, colours. */
export function same({ truth }: Source, seen: Seen, wish: PictureWish = {}): WantedPicture | null {
  if (seen.picture === null) return null;
  const { keepsDepth = false, keepsHdr = keepsDepth, at = (time: number) => time, more } = wish;
  const sdr = truth.hdr === true && !keepsHdr;
  return {
    view: wholeView,
    aspect: truth.aspect,
    colours: sdr ? "hue" : "kept",
    at: 0.03,
    times: seen.picture.times,
    flashes: seen.picture.flashes.flatMap((time) => at(time) ?? []),
    deep: keepsDepth && truth.bitDepth === 10,
    hdr: truth.hdr === true && keepsHdr,
    ...(truth.interlaced ? { mustNotComb: true } : {}),
    ...more,
  };
}

export const kept =
  (wish: PictureWish = {}) =>
  (source: Source, seen: Seen): Wanted => ({
    ...(seen.seconds === null ? {} : { seconds: seen.seconds }),
    picture: same(source, seen, wish),
    sound: tracks(source, seen),
  });

/** Of a square frame: what of a picture lies in it. */
export const inSquare = (aspect: number): View =>
  aspect >= 1
    ? { x: 0, y: (1 - 1 / aspect) / 2, width: 1, height: 1 / aspect }
    : { x: (1 - aspect) / 2, y: 0, width: aspect, height: 1 };
export const aroundSquare = (aspect: number): View =>
  aspect >= 1
    ? { x: (1 - aspect) / 2, y: 0, width: aspect, height: 1 }
    : { x: 0, y: (1 - 1 / aspect) / 2, width: 1, height: 1 / aspect };

/** What frames are brought to where they must come evenly: whole numbers, if they did not. */
export function constantRate({ truth }: Source, seen: Seen): number {
  const times = seen.picture?.times ?? [];
  const rate = (times.length - 1) / ((times.at(-1) ?? 1) - (times[0] ?? 0));
  return truth.uneven ? Math.round(rate) : rate;
}

/** From 0.2 s to 0.8 s at half the speed. */
export const slowed = (time: number) =>
  time < 0.2 ? time : time < 0.8 ? 0.2 + (time - 0.2) * 2 : time + 0.6;

/** When something is said. */
export const captioned = { from: 0.2, to: 0.8 };
export const captions = "1\n00:00:00,200 --> 00:00:00,800\nHello\n";

/** How long a ladder is played: the longest of its streams. */
export function playedSeconds(paths: readonly string[]): number {
  const streams = paths
    .filter((path) => path.endsWith(".m3u8"))
    .map((path) =>
      Array.from(readFileSync(path, "utf8").matchAll(/^#EXTINF:([\d.]+),/gm), ([, text]) =>
        Number(text),
      ),
    );
  return Math.max(...streams.map((all) => all.reduce((sum, seconds) => sum + seconds, 0)));
}

export function reportIn<Report>(paths: readonly string[]): Report {
  const path = paths.find((each) => each.endsWith(".json"));
  if (path === undefined) throw new Error("there is no report among what was made");
  return JSON.parse(readFileSync(path, "utf8")) as Report;
}

export function heardBoth(track: WantedTrack): readonly number[] {
  return track.channels === 2
    ? [0, 1]
    : [...new Set([...track.heard, 0, 1].filter((at) => at < track.channels))].toSorted(
        (a, b) => a - b,
      );
}

/** What of a source lies in pieces that follow one another. */
export function clipped(
  source: Source,
  seen: Seen,
  pieces: [from: number, to: number][],
  keepsDepth = false,
): Wanted {
  const start = Math.min(seen.picture?.times[0] ?? 0, 0);
  const at = (time: number): number | null => {
    let before = 0;
    for (const [from, to] of pieces) {
      if (time - start >= from - 1e-6 && time - start < to) return before + time - start - from;
      before += to - from;
    }
    return null;
  };
  const total = pieces.reduce((sum, [from, to]) => sum + to - from, 0);
  return {
    seconds: total,
    picture: same(source, seen, {
      ...{ at, keepsDepth },
      more: { times: undefined },
    }),
    sound: tracks(source, seen, { at }),
  };
}
