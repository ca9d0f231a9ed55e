/**
 * What the plans of operations are shown for: every example, and the variants that go other ways through an
 * operation. A new operation has its example here by itself and names its variants in `variants`.
 */
import type { MediaInfo } from "../../src/media/media.ts";
import { operations } from "../../src/operations/index.ts";
import { exampleOf, specimens } from "./example-plan.ts";
import { audio, hdr10Video, media, video } from "./specimen.ts";

export interface PlanCase {
  title: string;
  params: unknown;
  inputs: MediaInfo[];
}

const film = specimens.film;
const hdr = media({ video: hdr10Video });
const interlaced = media({
  container: "mpegts",
  video: video({
    ...{ codec: "mpeg2video", width: 720, height: 576, interlaced: true, frameRate: "25/1" },
    ...{ sampleAspectRatio: "64:45", displayWidth: 1024 },
    ...{ colorPrimaries: null, colorTransfer: null, colorSpace: null, colorRange: null },
  }),
  audio: [audio({ codec: "mp2" })],
});
const phone = media({ video: video({ rotation: 90, displayWidth: 1080, displayHeight: 1920 }) });
const surround = media({
  audio: [
    audio({ codec: "ac3", channels: 6, channelLayout: "5.1(side)", language: "eng" }),
    audio({ codec: "ac3", language: "deu", default: false, index: 2 }),
  ],
});
const green = { key: { colour: "#00b140" } };

/** By operation; an empty list says that the example goes the only way there is. */
export const variants: Readonly<Record<string, readonly PlanCase[]>> = {
  transcode: [
    { title: "remux", params: { container: "mkv" }, inputs: [media()] },
    { title: "HDR stays", params: { video: { codec: "hevc" } }, inputs: [hdr] },
    { title: "HDR to SDR", params: { video: { codec: "h264" } }, inputs: [hdr] },
    { title: "interlaced PAL", params: {}, inputs: [interlaced] },
    { title: "a phone's film", params: { video: { maxHeight: 720 } }, inputs: [phone] },
    {
      title: "5.1 and languages, levelled",
      params: { container: "mkv", audio: { codec: "opus", loudness: -16 } },
      inputs: [surround],
    },
    { title: "AV1", params: { video: { codec: "av1" }, container: "webm" }, inputs: [film] },
    {
      title: "a score to reach",
      params: { video: { target: { metric: "ssim", score: 0.98 } } },
      inputs: [film],
    },
    { title: "a size to fit", params: { maxBytes: 2_000_000 }, inputs: [film] },
    {
      title: "ProRes with PCM",
      params: { container: "mov", video: { codec: "prores" }, audio: { codec: "pcm" } },
      inputs: [film],
    },
  ],
  thumbnails: [
    { title: "PNG at a time, of HDR", params: { poster: { at: 3 }, format: "png" }, inputs: [hdr] },
    {
      title: "stills and a sheet at keyframes",
      params: { count: 3, sheet: { columns: 2, rows: 1, header: "title", title: "It's: {b}" } },
      inputs: [media({ durationSeconds: 600 })],
    },
    { title: "a poster of interlaced PAL", params: { poster: { at: 3 } }, inputs: [interlaced] },
    { title: "the best of a long film", params: {}, inputs: [media({ durationSeconds: 600 })] },
  ],
  overlay: [
    {
      title: "a logo, a highlight and another video",
      params: {
        items: [
          { kind: "image", input: 2, from: 1, to: 5, opacity: 0.8 },
          { kind: "video", input: 3, volume: 0.5 },
          {
            kind: "highlight",
            keyframes: [
              { time: 0, x: 0.2, y: 0.5, radiusX: 0.05, radiusY: 0.1 },
              { time: 2, x: 0.8, y: 0.5, radiusX: 0.05, radiusY: 0.1 },
            ],
          },
        ],
      },
      inputs: [film, specimens.image, film],
    },
  ],
  captions: [
    {
      title: "embedded",
      params: { action: "embed", text: "1\n00:00:01,000 --> 00:00:02,000\nHi\n", language: "eng" },
      inputs: [film],
    },
    {
      title: "embedded beside HDR",
      params: {
        action: "embed",
        text: "1\n00:00:01,000 --> 00:00:02,000\nHi\n",
        container: "mkv",
      },
      inputs: [hdr],
    },
    {
      title: "extracted",
      params: { action: "extract", format: "vtt" },
      inputs: [
        media({
          container: "mkv",
          subtitles: [
            {
              ...{ codec: "subrip", language: "eng", title: null },
              ...{ default: true, forced: false, index: 2 },
            },
          ],
        }),
      ],
    },
  ],
  reframe: [
    {
      title: "on blur, with slow motion",
      params: { aspect: "1:1", background: "blur", speed: [{ from: 2, to: 4, factor: 0.5 }] },
      inputs: [film],
    },
    { title: "interlaced PAL", params: { aspect: "4:5" }, inputs: [interlaced] },
    { title: "HDR on a colour", params: { background: "colour", codec: "hevc" }, inputs: [hdr] },
  ],
  audio: [
    { title: "the loudness of a film", params: { do: "loudness" }, inputs: [surround] },
    {
      title: "music under speech",
      params: { do: "mix", mix: { loop: true, ducking: {}, fadeOut: 2 } },
      inputs: [film, specimens.sound],
    },
    { title: "replaced", params: { do: "replace", replace: {} }, inputs: [film, specimens.sound] },
    { title: "a waveform", params: { do: "waveform" }, inputs: [film] },
  ],
  clip: [
    {
      title: "fast, joined",
      params: {
        cut: "fast",
        join: true,
        ranges: [
          { from: 1, to: 5 },
          { from: 10, to: 20 },
        ],
      },
      inputs: [film],
    },
  ],
  concat: [
    {
      title: "cuts between different films",
      params: {},
      inputs: [film, interlaced, phone, hdr],
    },
    { title: "sounds", params: {}, inputs: [specimens.sound, specimens.sound] },
  ],
  animate: [
    { title: "a GIF that fits", params: { to: 3, maxBytes: 500_000 }, inputs: [film] },
    { title: "AVIF", params: { format: "avif", to: 3 }, inputs: [film] },
    {
      title: "APNG with transparency",
      params: { format: "apng", to: 3 },
      inputs: [
        media({
          container: "mov",
          video: video({ codec: "prores", pixelFormat: "yuva444p12le", bitDepth: 12, alpha: true }),
        }),
      ],
    },
  ],
  cutout: [
    { title: "transparent, for editing", params: { ...green, format: "mov" }, inputs: [film] },
    {
      title: "on a picture, of PAL",
      params: { ...green, output: { kind: "image" } },
      inputs: [interlaced, specimens.image],
    },
    { title: "a sticker", params: { ...green, format: "webp" }, inputs: [film] },
  ],
  check: [
    {
      title: "keyframes of a film with two sounds",
      params: { decode: "keyframes" },
      inputs: [surround],
    },
    {
      title: "sound alone, and all that is off",
      params: { black: "off", frozen: "off", silent: "off", clipped: "off", phase: "off" },
      inputs: [specimens.sound],
    },
    { title: "all that is on", params: { levels: {}, loudness: {} }, inputs: [phone] },
  ],
  measure: [
    {
      title: "HDR by a smaller SDR film, a part by order and by SSIM, the difference shown",
      params: {
        ...{ metric: "ssim", frames: "order", offset: -2, from: 5, seconds: 20, series: "json" },
        worst: { frames: 1, show: "difference", format: "jpeg" },
      },
      inputs: [hdr, media({ video: video({ width: 1280, height: 720 }) })],
    },
    {
      title: "interlaced PAL by its progressive encode, in its size",
      params: { size: "second", scaler: "lanczos", vmaf: { model: "phone", everyFrames: 5 } },
      inputs: [interlaced, media({ video: video({ width: 1024, height: 576 }) })],
    },
    { title: "other shapes", params: {}, inputs: [film, phone] },
  ],
  ladder: [
    {
      title: "HDR in HEVC, and DASH alone",
      params: { codec: "hevc", format: "dash" },
      inputs: [hdr],
    },
    {
      title: "HDR made SDR, encrypted",
      params: { encryption: "aes-128", rungs: [{ height: 720, bitRate: 3_000_000 }] },
      inputs: [hdr],
    },
    { title: "interlaced PAL", params: {}, inputs: [interlaced] },
    { title: "a phone's film", params: { speed: "fast" }, inputs: [phone] },
    {
      title: "AV1, languages, levelled",
      params: { codec: "av1", audio: { languages: ["de", "en"], channels: 6, loudness: -16 } },
      inputs: [surround],
    },
    { title: "sound alone", params: {}, inputs: [specimens.sound] },
  ],
  enhance: [
    { title: "held still", params: { stabilise: {}, denoise: "strong" }, inputs: [film] },
    { title: "twice the frames", params: { frameRate: 60, codec: "hevc" }, inputs: [film] },
    { title: "interlaced PAL", params: {}, inputs: [interlaced] },
  ],
};

/** Every case by operation; the example first. @throws Error that says what to add where */
export function planCases(): [operation: string, each: PlanCase][] {
  return operations.flatMap((operation) => {
    const { name, example } = operation;
    const given = exampleOf(operation);
    if (given === null) {
      throw new Error(
        `The example of ${name} suits no files of tests/operations/example-inputs.ts: add a row of kinds there.`,
      );
    }
    const more = variants[name];
    if (more === undefined) {
      throw new Error(
        `tests/operations/plan-cases.ts has no variants of ${name}: add them, or an empty list.`,
      );
    }
    const shown: PlanCase = {
      title: "the example",
      params: example,
      inputs: given.inputs.map((kind) => specimens[kind]),
    };
    return [shown, ...more].map((each): [string, PlanCase] => [name, each]);
  });
}
