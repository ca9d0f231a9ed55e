/** Which rungs a ladder has: sizes, rates, names, and how many bits each may take. Pure. */
import type { RateControl, VideoCodec } from "../media/description.ts";
import type { VideoStream } from "../media/media.ts";
import { type FieldFault, Refusal } from "../trouble.ts";
import { type LadderTiming, numberOfRate, timingOf } from "./ladder-rate.ts";
import type { LadderParams, RungWish } from "./ladder-schema.ts";
import { type Fitting, type Frame, fitInto, shownFrame } from "./picture.ts";

export interface Rung {
  /** "720p", as people and playlists call it. */
  label: string;
  frame: Frame;
  /** What brings the source to that size. */
  fitting: Fitting;
  /** Keeps every so-many-th frame of the source. */
  divisor: number;
  rate: RateControl;
}

export interface Rungs {
  /** The largest first. */
  rungs: Rung[];
  timing: LadderTiming;
}

/** Lines of the usual sizes, and their width at 16:9. */
const usualLines = [2160, 1440, 1080, 720, 480, 360, 240];

/** A rung of more than this share of the pixels of the one above it would bring nothing that is seen. */
const worthShare = 0.7;

/** Sizes with fewer lines get every second frame of fast sources, when nobody says otherwise. */
const slowBelowLines = 480;
const usualRateLimit = 60;
const slowRateLimit = 30;

/** @throws Refusal 422 `unsuitable_input` that names the field of a rung above the source */
export function rungsOf(params: LadderParams, video: VideoStream): Rungs {
  const wishes = params.rungs === "auto" ? usualWishes(video) : listedWishes(params.rungs, video);
  const sized = wishes.toSorted((a, b) => area(b.fitting.frame) - area(a.fitting.frame));
  const limits = sized.map(({ wish, fitting }) => wish.frameRate ?? rateLimit(fitting.frame));
  const timing = timingOf(video, limits, params.segmentSeconds);
  const rungs = sized.map(({ wish, fitting }, index) => {
    const divisor = timing.divisors[index] ?? 1;
    const perSecond = numberOfRate(timing.rate) / divisor;
    return {
      label: wish.name ?? `${lines(fitting.frame)}p`,
      ...{ frame: fitting.frame, fitting, divisor },
      rate: rateOf(wish, params, { frame: fitting.frame, perSecond }),
    };
  });
  return { rungs: withOwnLabels(rungs), timing };
}

interface SizedWish {
  wish: Partial<RungWish>;
  fitting: Fitting;
}

function usualWishes(video: VideoStream): SizedWish[] {
  const found: SizedWish[] = [];
  for (const height of usualLines) {
    const fitting = fitInto(video, boxOf(video, height, 2 * Math.round((height * 8) / 9)));
    const above = found.at(-1)?.fitting.frame;
    if (above !== undefined && area(fitting.frame) > area(above) * worthShare) continue;
    found.push({ wish: {}, fitting });
  }
  return found;
}

function listedWishes(list: readonly RungWish[], video: VideoStream): SizedWish[] {
  const most = lines(shownFrame(video));
  const faults: FieldFault[] = list.flatMap(({ height }, index) =>
    height <= most
      ? []
      : [{ path: `rungs.${index}.height`, message: `is ${height}, and the source has ${most}` }],
  );
  if (faults.length > 0) {
    throw new Refusal(
      422,
      "unsuitable_input",
      `The source has ${most} lines, and pictures are never made larger: ${faults.map(({ path, message }) => `${path} ${message}`).join("; ")}. Take those rungs out, or set rungs to auto.`,
      { errors: faults },
    );
  }
  return list.map((wish) => ({
    wish,
    fitting: fitInto(video, boxOf(video, wish.height, Number.POSITIVE_INFINITY)),
  }));
}

/** So many lines at most; of an upright picture they stand side by side. */
function boxOf(video: VideoStream, height: number, width: number) {
  const { width: shown, height: tall } = shownFrame(video);
  const box =
    shown >= tall ? { maxWidth: width, maxHeight: height } : { maxWidth: height, maxHeight: width };
  return { ...box, fit: "inside" as const };
}

function lines({ width, height }: Frame): number {
  return Math.min(width, height);
}

function area({ width, height }: Frame): number {
  return width * height;
}

function rateLimit(frame: Frame): number {
  return lines(frame) < slowBelowLines ? slowRateLimit : usualRateLimit;
}

function rateOf(
  wish: Partial<RungWish>,
  params: LadderParams,
  about: { frame: Frame; perSecond: number },
): RateControl {
  if (wish.bitRate !== undefined) return { bitRate: wish.bitRate };
  const maxBitRate = wish.maxBitRate ?? usualMaxBitRate(params.codec, about);
  return { quality: wish.quality ?? params.quality, maxBitRate };
}

/**
 * What hard scenes may take: 20 Mbit/s of H.264 for 2160 lines at 30 frames per second and less for less, by
 * the power of 0.8 of the pixels. That is 6.6 for 1080, 3.4 for 720 and 1.1 for 360 lines, between the
 * highest rates of Apple's authoring specification and what services publish.
 */
const most2160 = 20_000_000;
const pixelPower = 0.8;
/** Twice the frames need less than twice the bits. */
const framePower = 0.5;
const codecShare: Record<LadderParams["codec"], number> = { h264: 1, hevc: 0.65, av1: 0.55 };

function usualMaxBitRate(
  codec: Extract<VideoCodec, LadderParams["codec"]>,
  { frame, perSecond }: { frame: Frame; perSecond: number },
): number {
  const pixels = (area(frame) / (3840 * 2160)) ** pixelPower;
  const frames = Math.max(1, perSecond / 30) ** framePower;
  const bits = most2160 * pixels * frames * codecShare[codec];
  return Math.max(100_000, Math.round(bits / 10_000) * 10_000);
}

/** Two rungs of one size differ in their bits: the second becomes "720p-2". */
function withOwnLabels(rungs: readonly Rung[]): Rung[] {
  const taken = new Set<string>();
  return rungs.map((rung) => {
    let label = rung.label;
    for (let number = 2; taken.has(slugOf(label)); number += 1) label = `${rung.label}-${number}`;
    taken.add(slugOf(label));
    return { ...rung, label };
  });
}

/** "Match 720p" → "match-720p": what every web server and file system takes; "" when nothing is left. */
export function slugOf(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
}
