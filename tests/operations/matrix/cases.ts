import {
  alone,
  aroundSquare,
  captioned,
  captions,
  clipped,
  constantRate,
  fine,
  fineSpeed,
  fineVideo,
  first,
  heardBoth,
  inSquare,
  kept,
  type MatrixCase,
  otherFilm,
  otherSound,
  playedSeconds,
  reportIn,
  same,
  slowed,
  tracks,
} from "./expectations.ts";
import { flashTimes, ground } from "./film.ts";
import { faultsOf, lengthFaults, rgbOf } from "./rules.ts";

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
    // Where the picture begins while something is said that stands over the mark at the bottom: it is looked at after.
    judge: first((source, seen) => {
      const begins = seen.picture?.times[0] ?? 0;
      return kept({ more: begins < captioned.from ? {} : { at: captioned.to + 0.1 } })(
        source,
        seen,
      );
    }),
  },
  {
    ...{ name: "captions embedded", operation: "captions", title: "as a track" },
    params: { action: "embed", text: captions, container: "mkv", ...fineSpeed },
    judge: first((source, seen) => ({
      ...kept({ keepsDepth: true, more: { mustNotComb: false } })(source, seen),
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
        ...(seen.seconds === null ? {} : { seconds: slowed(seen.seconds) }),
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
    judge: first((source, seen) => ({ picture: null, sound: alone(tracks(source, seen)) })),
  },
  {
    ...{ name: "audio MP3", operation: "audio", title: "the sound as MP3, mono, levelled" },
    params: { do: "extract", format: "mp3", channels: 1, loudness: { lufs: -18 } },
    judge: first((source, seen) => ({
      picture: null,
      sound: alone(tracks(source, seen, { channels: 1 })),
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
      clipped(
        source,
        seen,
        [
          [0, 0.8],
          [1.2, 1.8],
        ],
        // ProRes is no film to be joined, and is encoded.
        source.name !== "transparent",
      ),
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
            : {
                ...first,
                // Pitch is that of the first beep: of a film too short for one it is the other's.
                ...(first.beeps.length > 0 ? {} : { hertz: 700 }),
                // The other film is in stereo.
                heard: heardBoth(first),
                beeps: [...first.beeps, ...later],
              },
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
        key: { colour: ground, similarity: 0.08, blend: 0.04, spill: 0 },
        output: { kind: "colour", colour: "#203040" },
      },
      ...fineSpeed,
    },
    paramsFor: ({ truth: { groundInSdr } }, params) => {
      if (groundInSdr === undefined) return params;
      // Brighter than SDR can be, what is stored is a little off what is seen: the default similarity, and not less.
      const key = { ...(params["key"] as object), colour: groundInSdr, similarity: 0.12 };
      return { ...params, key };
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
    judge: (paths, source, seen) => {
      // Uneven ones are brought to thirty, which most of them are made of.
      const rate = source.truth.uneven ? 30 : constantRate(source, seen);
      const wanted = kept({ more: { times: { rate } } })(source, seen);
      // Playlists speak of languages by two letters where there are two.
      const short: Record<string, string> = { eng: "en", deu: "de", fra: "fr" };
      const sound = tracks(source, seen, { channels: 2 }).map((track) => ({
        ...track,
        language: short[track.language ?? ""] ?? track.language,
      }));
      const { seconds, ...other } = wanted;
      return [
        ...faultsOf(paths[0] ?? "", { ...other, sound }),
        // Of a playlist of all ffprobe tells the first variant's length; players go on to the end of the last stream.
        ...lengthFaults(playedSeconds(paths), seconds),
      ];
    },
  },
  {
    ...{ name: "measure", operation: "measure", title: "against itself" },
    params: { worst: { frames: 0 }, metric: "ssim", series: "none" },
    inputs: (source) => [source, source],
    judge: (paths) => {
      const { ssim } = reportIn<{ ssim: number }>(paths);
      return ssim > 0.9999 ? [] : [`it differs from itself: SSIM ${ssim}`];
    },
  },
  {
    ...{ name: "check", operation: "check", title: "finds what is wrong, and no more" },
    params: {},
    judge: (paths, { truth }) => {
      const { findings } = reportIn<{ findings: { kind: string; message: string }[] }>(paths);
      const more = findings.filter(({ kind }) => kind !== truth.wrong);
      const missed = truth.wrong !== undefined && more.length === findings.length;
      return [
        ...more.map(({ kind, message }) => `${kind}: ${message}`),
        ...(missed ? [`it does not find ${truth.wrong}`] : []),
      ];
    },
  },
];
