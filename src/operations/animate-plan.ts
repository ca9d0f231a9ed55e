/** How `animate` makes its picture: the piece of the source, the tries for a size, the filter graph. Pure. */
import type { RenderDescription } from "../media/description.ts";
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import type { AnimateParams } from "./animate.ts";
import {
  bt709,
  type Frame,
  fitInto,
  inputPicture,
  isFullRange,
  isRgb,
  keptColor,
  rateNumber,
  rateText,
  toSdr,
} from "./picture.ts";
import { pictureFrom } from "./preroll.ts";
import { cutOf } from "./transcode.ts";

/** What is made into an animation. */
export interface Piece {
  video: VideoStream;
  container: string;
  from: number;
  /** Null when the source does not say how long it is. */
  seconds: number | null;
  /** It can be transparent, in a way that ffmpeg reads. */
  alpha: boolean;
  /** The rate asked for, brought within what source and format have. */
  frameRate: number;
  notes: string[];
}

/** Browsers slow a GIF down to ten frames a second when it asks for more than this. */
const maxGifRate = 50;
/** Where a source does not say its rate. */
const assumedRate = 25;

/** @throws Refusal 422 `unsuitable_input` for what has no moving picture in the time asked for */
export function piece(params: AnimateParams, media: MediaInfo): Piece {
  const { video } = media;
  if (video === null || media.kind !== "video") {
    const what = video === null ? "sound alone" : "a still picture";
    throw unsuitable(`The source is ${what}, and there is nothing to animate. Choose a video.`);
  }
  const cut = cutOf(params, media);
  const sourceRate = rateNumber(video.frameRate) ?? assumedRate;
  const most = Math.min(sourceRate, params.format === "gif" ? maxGifRate : sourceRate);
  const frameRate = Math.min(params.frameRate, most);
  // ffmpeg reads the transparency of AVIF as a film of its own.
  const hidden = video.alpha && media.container === "avif";
  return {
    ...{ video, container: media.container, from: cut.from, seconds: cut.seconds, frameRate },
    alpha: video.alpha && !hidden && video.hdr === null,
    notes: [
      ...(frameRate < params.frameRate
        ? [`${rateWords(frameRate)} frames per second: ${whyFewer(params, sourceRate)}.`]
        : []),
      ...(hidden
        ? ["The transparency of an AVIF cannot be read: what lies under it is shown."]
        : []),
    ],
  };
}

function whyFewer({ format }: AnimateParams, sourceRate: number): string {
  return format === "gif" && sourceRate > maxGifRate
    ? "browsers show a GIF no faster"
    : "the source has no more";
}

/** One way to make it. */
export interface Look {
  frame: Frame;
  frameRate: number;
  quality: number;
  /** Levels of quality show in GIF as colours, and not at all in APNG. */
  qualityTitle: string | null;
}

/**
 * Shares of width and frame rate, and what is taken off the quality: best first, each about two thirds of the
 * one before. Quality goes first, then frames, for size is what is seen most.
 */
const rungs: readonly (readonly [size: number, rate: number, less: number])[] = [
  ...([
    [1, 1, 0],
    [1, 1, 20],
    [1, 2 / 3, 25],
    [0.8, 2 / 3, 30],
  ] as const),
  ...([
    [0.65, 2 / 3, 35],
    [0.5, 0.5, 40],
    [0.35, 0.5, 45],
    [0.25, 1 / 3, 55],
  ] as const),
];

/** No try goes below: what is smaller shows nothing. */
const least = { quality: 10, frameRate: 4, width: 64 };

/** The ways to try, best first; one alone without a size to fit. */
export function candidatesOf(params: AnimateParams, { video, frameRate, seconds }: Piece): Look[] {
  const whole = Math.min(params.width, video.displayWidth);
  const look = ([size, rate, less]: (typeof rungs)[number]): Look => {
    const shrunk = Math.max(Math.min(whole, least.width), Math.round(whole * size));
    const { frame } = fitInto(video, { maxWidth: shrunk, fit: "inside" });
    const fewer = Math.max(Math.min(frameRate, least.frameRate), frameRate * rate);
    const quality = Math.max(Math.min(params.quality, least.quality), params.quality - less);
    const title = qualityTitle(params.format, quality);
    return { frame, frameRate: fewer, quality, qualityTitle: title };
  };
  const looks = (params.maxBytes === undefined ? rungs.slice(0, 1) : rungs).map(look);
  const [best] = looks;
  if (best !== undefined) refuseTooMuch(params, best, seconds);
  const seen = new Set<string>();
  return looks.filter((one) => {
    const title = lookTitle(one);
    return seen.has(title) ? false : seen.add(title);
  });
}

function qualityTitle(format: AnimateParams["format"], quality: number): string | null {
  if (format === "apng") return null;
  return format === "gif" ? `${colorsOf(quality)} colours` : `quality ${quality}`;
}

export function lookTitle({ frame, frameRate, qualityTitle: quality }: Look): string {
  const rate = `${rateWords(frameRate)} frames per second`;
  return [`${frame.width}×${frame.height}`, rate, ...(quality === null ? [] : [quality])].join(
    ", ",
  );
}

function rateWords(rate: number): string {
  return String(Math.round(rate * 100) / 100);
}

/** All 256 from 75 on, half as many for each 25 below. */
function colorsOf(quality: number): number {
  return Math.min(256, Math.round(2 ** (5 + quality / 25)));
}

/** From this quality on a GIF is dithered for the eye; below for the size. */
const diffusionFrom = 60;

/** The frames of a GIF wait in memory for its palette, four bytes a pixel. */
const maxWaitingBytes = 1024 ** 3;
const bytesPerPixel = 4;

function refuseTooMuch(params: AnimateParams, look: Look, seconds: number | null): void {
  if (params.format !== "gif") return;
  const perSecond = look.frame.width * look.frame.height * bytesPerPixel * look.frameRate;
  const most = maxWaitingBytes / perSecond;
  if (seconds !== null && seconds <= most) return;
  const says =
    seconds === null ? "The source does not say how long it is" : "This is too much for a GIF";
  throw unsuitable(
    `${says}: of ${lookTitle(look)} it can hold ${Math.floor(most)} s. Set from and to for a shorter piece, take a smaller width, or choose webp.`,
  );
}

function unsuitable(message: string): Refusal {
  return new Refusal(422, "unsuitable_input", message);
}

/** What ffmpeg is to do for one look. */
export function describeAnimation(
  params: AnimateParams,
  source: Piece,
  look: Look,
  file: string,
): RenderDescription {
  const { video, from, seconds, alpha } = source;
  const { format, loop: plays } = params;
  const { quality } = look;
  const grey = alpha && format === "avif";
  return {
    inputs: [
      {
        from: { asset: 0 },
        ...pictureFrom(from, seconds, source).times,
        ...(alpha ? { keepAlpha: true } : {}),
        picture: inputPicture(video),
      },
    ],
    graph: graphOf(params, source, look),
    outputs: [
      {
        ...{ file, container: format, audio: [], subtitles: [], metadataFrom: null },
        video: {
          ...{ kind: "animation", source: { pad: "picture" }, format, quality, plays },
          color: video.hdr === null ? keptColor(video) : bt709,
          ...(grey ? { alpha: { pad: "alpha" } } : {}),
        },
        limitSeconds: seconds,
      },
    ],
    expectedSeconds: seconds,
  };
}

function graphOf({ format }: AnimateParams, source: Piece, look: Look): FilterChain[] {
  const { video, alpha } = source;
  const from = { input: 0, stream: video.index };
  const filters = commonFilters(source, look, format === "avif");
  const last = (pixelFormat: string): VideoFilter => ({
    filter: "format",
    pixelFormats: [pixelFormat],
  });
  switch (format) {
    case "webp":
      // It makes its own YUV of RGB, and takes no colour out of what is transparent.
      return [{ from, filters: [...filters, last("bgra")], to: "picture" }];
    case "apng":
      return [{ from, filters: [...filters, last(alpha ? "rgba" : "rgb24")], to: "picture" }];
    case "gif":
      return [
        {
          from,
          filters: [...filters, last("rgba"), { filter: "split", count: 2 }],
          to: ["frames", "sample"],
        },
        {
          from: { pad: "sample" },
          filters: [{ filter: "palette", colors: colorsOf(look.quality) }],
          to: "palette",
        },
        {
          from: [{ pad: "frames" }, { pad: "palette" }],
          filters: [
            {
              filter: "usePalette",
              dither: look.quality >= diffusionFrom ? "diffusion" : "ordered",
            },
          ],
          to: "picture",
        },
      ];
    case "avif":
      if (!alpha) return [{ from, filters: [...filters, last("yuv420p")], to: "picture" }];
      return [
        {
          from,
          filters: [...filters, last("yuva420p"), { filter: "split", count: 2 }],
          to: ["seen", "through"],
        },
        { from: { pad: "seen" }, filters: [last("yuv420p")], to: "picture" },
        { from: { pad: "through" }, filters: [{ filter: "alphaOnly" }], to: "alpha" },
      ];
  }
}

/** Rate, size and colours; what comes out is upright, in square pixels and SDR. */
function commonFilters(source: Piece, look: Look, yuv: boolean): VideoFilter[] {
  const { video } = source;
  const fitted = fitInto(video, { maxWidth: look.frame.width, fit: "inside" }).filters;
  // Levels are changed for AVIF alone: the others become RGB, which has one kind.
  const sized = yuv ? fitted : fitted.map(sizeAlone);
  const filters: VideoFilter[] = [
    ...(video.interlaced ? [{ filter: "deinterlace", frames: "flagged" } as const] : []),
    ...pictureFrom(source.from, source.seconds, source).trim,
    { filter: "fps", rate: rateText(look.frameRate), startSeconds: 0 },
  ];
  // Said before the scaler, which makes RGB by it.
  if (!isRgb(video.pixelFormat) && video.hdr === null) {
    const range = isFullRange(video) ? "pc" : "tv";
    filters.push({ filter: "tag", color: { ...keptColor(video), range } });
  }
  filters.push(...sized);
  if (video.hdr !== null) filters.push(toSdr(video));
  filters.push({ filter: "setsar", ratio: "1" });
  return filters;
}

function sizeAlone(filter: VideoFilter): VideoFilter {
  if (filter.filter !== "scale") return filter;
  const { width, height } = filter;
  return { filter: "scale", width, height };
}
