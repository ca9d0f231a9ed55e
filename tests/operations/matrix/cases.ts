/**
 * The operations of the matrix: with which parameters each works on every source, and what must come out. A new
 * operation needs a case here: a test says so.
 */
import { readFileSync } from "node:fs";
import { clip, ffmpeg } from "../../clips.ts";
import { beeps, flashTimes, picture } from "./film.ts";
import { type Seen, type View, wholeView } from "./look.ts";
import { faultsOf, rgbOf, type Wanted, type WantedPicture, type WantedTrack } from "./rules.ts";
import type { Source } from "./sources.ts";

export interface MatrixCase {
  /** As in the table: the operation, and a word for the variant. */
  name: string;
  operation: string;
  /** For the person who reads the table. */
  title: string;
  params: Record<string, unknown>;
  /** Files that the source is given among; absent: it alone, and then the others. */
  inputs?(source: string): string[];
  /** What is wrong with what came out, as sentences. @param seen the source, as it was found to be */
  judge(paths: readonly string[], source: Source, seen: Seen): string[];
}

/** By what the first output must be. */
const first =
  (wanted: (source: Source, seen: Seen) => Wanted): MatrixCase["judge"] =>
  ([path = ""], source, seen) =>
    faultsOf(path, wanted(source, seen));

/** Fine enough that colours stay, and quick. */
const fine = { quality: 85, effort: "fast" };
const fineSpeed = { quality: 85, speed: "fast" };
const fineVideo = { video: { codec: "h264", quality: 85 }, speed: "fast" };

/** A second film, of another size and rate, whose beeps are of another pitch. */
function otherFilm(): string {
  return clip("matrix-other.mp4", (path) => {
    const look = { width: 160, height: 120, rate: "30" };
    ffmpeg(
      ...["-f", "lavfi", "-i", picture(look), "-f", "lavfi", "-i", beeps({ hertz: 700 })],
      ...["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-ac", "2", path],
    );
  });
}

function otherSound(): string {
  return clip("matrix-other.wav", (path) =>
    ffmpeg("-f", "lavfi", "-i", beeps({ hertz: 700 }), "-ac", "2", path),
  );
}

/** The tracks of a source, moved in time; as many as are kept. */
function tracks(
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

interface PictureWish {
  /** The result has more than 8 bits where the source has. */
  keepsDepth?: boolean;
  keepsHdr?: boolean;
  at?: (time: number) => number | null;
  more?: Partial<WantedPicture>;
}

/** The picture as it was: size, rate, colours. */
function same({ truth }: Source, seen: Seen, wish: PictureWish = {}): WantedPicture | null {
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

const kept =
  (wish: PictureWish = {}) =>
  (source: Source, seen: Seen): Wanted => ({
    ...(seen.seconds === null ? {} : { seconds: seen.seconds }),
    picture: same(source, seen, wish),
    sound: tracks(source, seen),
  });

/** Of a square frame: what of a picture lies in it. */
const inSquare = (aspect: number): View =>
  aspect >= 1
    ? { x: 0, y: (1 - 1 / aspect) / 2, width: 1, height: 1 / aspect }
    : { x: (1 - aspect) / 2, y: 0, width: aspect, height: 1 };
const aroundSquare = (aspect: number): View =>
  aspect >= 1
    ? { x: (1 - aspect) / 2, y: 0, width: aspect, height: 1 }
    : { x: 0, y: (1 - 1 / aspect) / 2, width: 1, height: 1 / aspect };

/** What frames are brought to where they must come evenly: whole numbers, if they did not. */
function constantRate({ truth }: Source, seen: Seen): number {
  const times = seen.picture?.times ?? [];
  const rate = (times.length - 1) / ((times.at(-1) ?? 1) - (times[0] ?? 0));
  return truth.uneven ? Math.round(rate) : rate;
}

/** From 0.2 s to 0.8 s at half the speed. */
const slowed = (time: number) =>
  time < 0.2 ? time : time < 0.8 ? 0.2 + (time - 0.2) * 2 : time + 0.6;

const captions = "1\n00:00:00,200 --> 00:00:00,800\nHello\n";

export const matrixCases: readonly MatrixCase[] = [
  {
    ...{ name: "transcode", operation: "transcode", title: "to H.264" },
    params: fineVideo,
    judge: first(kept()),
  },
  {
    ...{ name: "transcode VP9", operation: "transcode", title: "to VP9 and Opus in WebM" },
    params: { container: "webm", video: { codec: "vp9", quality: 85 }, speed: "fast" },
    judge: first(kept({ keepsDepth: true })),
  },
  {
    ...{ name: "transcode HEVC", operation: "transcode", title: "to HEVC" },
    params: { video: { codec: "hevc", quality: 85 }, speed: "fast" },
    judge: first(kept({ keepsDepth: true })),
  },
  {
    ...{ name: "remux", operation: "transcode", title: "into Matroska, copied where it conforms" },
    params: { container: "mkv", speed: "fast" },
    judge: first((source, seen) => ({
      ...kept()(source, seen),
      subtitles: seen.subtitles,
      chapters: seen.chapters,
    })),
  },
  {
    ...{ name: "poster", operation: "thumbnails", title: "a picture of the first moment" },
    params: { poster: { at: 0.1, width: 1280 }, format: "png" },
    judge: first((source, seen) => ({
      picture: same(source, seen, {
        more: { at: 0, times: undefined, flashes: undefined, deep: false },
      }),
      sound: [],
    })),
  },
  {
    ...{ name: "overlay", operation: "overlay", title: "a text for a while" },
    params: {
      items: [{ kind: "text", text: "Hi", from: 0.6, to: 1, position: { x: 0.3, y: 0.3 } }],
      ...fineSpeed,
    },
    judge: first(kept()),
  },
  {
    ...{ name: "captions", operation: "captions", title: "burnt in" },
    params: { action: "burn", text: captions, ...fineSpeed },
    judge: first(kept()),
  },
  {
    ...{ name: "captions embedded", operation: "captions", title: "as a track" },
    params: { action: "embed", text: captions, container: "mkv", ...fineSpeed },
    judge: first((source, seen) => ({
      ...kept({ keepsDepth: true })(source, seen),
      subtitles: seen.subtitles + 1,
    })),
  },
  {
    ...{ name: "reframe", operation: "reframe", title: "square, on black" },
    params: { aspect: "1:1", background: "colour", ...fine },
    judge: first((source, seen) => ({
      ...kept({ more: { view: inSquare(source.truth.aspect), aspect: 1, edgesMatter: false } })(
        source,
        seen,
      ),
    })),
  },
  {
    ...{ name: "reframe crop", operation: "reframe", title: "square, cropped" },
    params: { aspect: "1:1", ...fine },
    judge: first((source, seen) => ({
      ...kept({ more: { view: aroundSquare(source.truth.aspect), aspect: 1, edgesMatter: false } })(
        source,
        seen,
      ),
    })),
  },
  {
    ...{ name: "reframe slow", operation: "reframe", title: "with slow motion" },
    params: {
      aspect: "16:9",
      background: "colour",
      speed: [{ from: 0.2, to: 0.8, factor: 0.5 }],
      ...fine,
    },
    judge: first((source, seen) => {
      const wide = 16 / 9 / source.truth.aspect;
      return {
        ...(seen.seconds === null ? {} : { seconds: seen.seconds + 0.6 }),
        picture: same(source, seen, {
          at: slowed,
          more: {
            aspect: 16 / 9,
            view:
              wide > 1
                ? { x: (1 - 1 / wide) / 2, y: 0, width: 1 / wide, height: 1 }
                : { x: 0, y: (1 - wide) / 2, width: 1, height: wide },
            times: { rate: constantRate(source, seen) },
            edgesMatter: false,
          },
        }),
        sound: tracks(source, seen, { at: slowed }),
      };
    }),
  },
  {
    ...{ name: "audio", operation: "audio", title: "the sound as FLAC" },
    params: { do: "extract", format: "flac" },
    judge: first((source, seen) => ({ picture: null, sound: tracks(source, seen).slice(0, 1) })),
  },
  {
    ...{ name: "audio MP3", operation: "audio", title: "the sound as MP3, mono, levelled" },
    params: { do: "extract", format: "mp3", channels: 1, loudness: { lufs: -18 } },
    judge: first((source, seen) => ({
      picture: null,
      sound: tracks(source, seen, { channels: 1 }).slice(0, 1),
    })),
  },
  {
    ...{ name: "audio loudness", operation: "audio", title: "the film with its sound levelled" },
    params: { do: "loudness", loudness: { lufs: -18 } },
    judge: first((source, seen) => ({
      ...kept({ keepsDepth: true, more: { mustNotComb: false } })(source, seen),
      subtitles: seen.subtitles,
      chapters: seen.chapters,
    })),
  },
  {
    ...{ name: "audio replaced", operation: "audio", title: "the film with other sound" },
    params: { do: "replace", replace: {} },
    inputs: (source) => [source, otherSound()],
    judge: first((source, seen) => ({
      ...kept({ keepsDepth: true, more: { mustNotComb: false } })(source, seen),
      sound: [
        {
          ...{ hertz: 700, channels: 2, heard: [0, 1], language: null },
          beeps: flashTimes().filter((time) => time < (seen.seconds ?? 0)),
        },
      ],
    })),
  },
  {
    ...{ name: "clip", operation: "clip", title: "a second, exact" },
    params: { ranges: [{ from: 0.2, to: 1.2 }], ...fine },
    judge: first((source, seen) => clipped(source, seen, [[0.2, 1.2]])),
  },
  {
    ...{
      name: "clip fast",
      operation: "clip",
      title: "two pieces, joined, copied where it can be",
    },
    params: {
      ranges: [
        { from: 0, to: 0.8 },
        { from: 1.2, to: 1.8 },
      ],
      cut: "fast",
      join: true,
      ...fine,
    },
    judge: first((source, seen) =>
      clipped(source, seen, [
        [0, 0.8],
        [1.2, 1.8],
      ]),
    ),
  },
  {
    ...{ name: "concat", operation: "concat", title: "with another film behind it" },
    params: fine,
    inputs: (source) => [source, otherFilm()],
    judge: first((source, seen) => {
      const seconds = seen.seconds ?? 0;
      const later = flashTimes({ rate: "30" }).map((time) => time + seconds);
      const [first] = tracks(source, seen);
      const picture = same(source, seen, { more: { times: undefined } });
      const rate = source.truth.uneven ? 19 : undefined;
      return {
        seconds: seconds + 2,
        picture:
          picture === null
            ? null
            : {
                ...picture,
                flashes: [...(picture.flashes ?? []), ...later],
                ...(rate === undefined ? {} : { times: { rate } }),
              },
        sound: [
          first === undefined
            ? { hertz: 700, channels: 2, heard: [0, 1], beeps: later }
            : // The other film is in stereo.
              { ...first, heard: heardBoth(first), beeps: [...first.beeps, ...later] },
        ],
      };
    }),
  },
  {
    ...{ name: "animate", operation: "animate", title: "an APNG" },
    params: { format: "apng", width: 192, frameRate: 25 },
    judge: first((source, seen) => ({
      picture: same(source, seen, {
        more: { times: undefined, deep: undefined, hdr: false },
      }),
      sound: [],
    })),
  },
  {
    ...{ name: "cutout", operation: "cutout", title: "on another colour" },
    params: {
      ...{
        key: { colour: "#0047bb", similarity: 0.08, blend: 0.04, spill: 0 },
        output: { kind: "colour", colour: "#203040" },
      },
      ...fineSpeed,
    },
    judge: first(kept({ more: { ground: rgbOf("#203040") } })),
  },
  {
    ...{ name: "enhance", operation: "enhance", title: "without noise, twice as large" },
    params: { denoise: "light", sharpen: "light", upscale: { factor: 2 }, ...fine },
    judge: first(kept()),
  },
  {
    ...{ name: "ladder", operation: "ladder", title: "HLS, as a player plays it" },
    params: { format: "hls", segmentSeconds: 2, quality: 85, speed: "fast" },
    // The playlist of all: players take the first rung, and the sounds beside it.
    judge: first((source, seen) => {
      // Uneven ones are brought to thirty, which most of them are made of.
      const rate = source.truth.uneven ? 30 : constantRate(source, seen);
      const wanted = kept({ more: { times: { rate } } })(source, seen);
      // Playlists speak of languages by two letters where there are two.
      const short: Record<string, string> = { eng: "en", deu: "de", fra: "fr" };
      const sound = wanted.sound.map((track) => ({
        ...track,
        language: short[track.language ?? ""] ?? track.language,
      }));
      return { ...wanted, sound };
    }),
  },
  {
    ...{ name: "measure", operation: "measure", title: "against itself" },
    params: { worstFrames: 0, metric: "ssim" },
    inputs: (source) => [source, source],
    judge: ([path = ""]) => {
      const { ssim } = JSON.parse(readFileSync(path, "utf8")) as { ssim: number };
      return ssim > 0.9999 ? [] : [`it differs from itself: SSIM ${ssim}`];
    },
  },
  {
    ...{ name: "check", operation: "check", title: "finds nothing in what is well" },
    params: {},
    judge: ([path = ""]) => {
      const { findings } = JSON.parse(readFileSync(path, "utf8")) as {
        findings: { kind: string; message: string }[];
      };
      return findings.map(({ kind, message }) => `${kind}: ${message}`);
    },
  },
];

function heardBoth(track: WantedTrack): readonly number[] {
  return track.channels === 2
    ? [0, 1]
    : [...new Set([...track.heard, 0, 1].filter((at) => at < track.channels))].toSorted(
        (a, b) => a - b,
      );
}

/** What of a source lies in pieces that follow one another. */
function clipped(source: Source, seen: Seen, pieces: [from: number, to: number][]): Wanted {
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
      at,
      more: { times: undefined },
    }),
    sound: tracks(source, seen, { at }),
  };
}
