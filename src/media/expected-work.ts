/**
 * How long a step should take: the first guess, from what the work costs the processor and how many of its
 * cores there are. What a box learned of itself corrects it (`work-figures.ts`). Pure.
 */
import type { StepWork, VideoEncode } from "./description.ts";
import type { PictureEncoder } from "./encoders.ts";
import { isGpuCodec } from "./gpu-skill.ts";
import type { MediaInfo } from "./media.ts";
import { pixelsOf } from "./moving.ts";
import { type NvencEncoder, qualityAnchors } from "./quality.ts";
import {
  decodeCosts,
  encodeCost,
  filterCosts,
  imageCosts,
  loudnessCost,
  nvdecCost,
  nvencCost,
  soundDecodeCost,
  soundEncodeCost,
  usualDecodeCost,
} from "./work-costs.ts";
import { type Workload, workloadsOf } from "./workload.ts";

/** What decides how fast work goes, as plain data. */
export interface WorkPlace {
  /** Of the machine, for what the CPU does; at least 1. */
  cores: number;
  /** Who encodes the picture, decodes it and filters it. */
  encode: "nvenc" | "cpu";
  decode: "nvdec" | "cpu";
  filters: "cuda" | "cpu";
  /** How outputs are proven. */
  verify: "quick" | "full";
}

/** All on a processor with so many cores, proven in places. */
export function onCpu(cores: number): WorkPlace {
  return { cores, encode: "cpu", decode: "cpu", filters: "cpu", verify: "quick" };
}

/** To start ffmpeg in its fence, read the head of the file, and prove what came out: processes, mostly. */
const startSeconds = 0.5;

/** Cores beyond this help one run no further: frames wait for each other. */
const coresMost = 16;
/** How much of the cores a run really keeps busy. */
const coresShare = 0.85;

/** Reading, writing and moving the index to the front: the disk and the page cache rather than the processor. */
const copyMillisecondsPerMegabyte = 4;

/** Quick proofs decode three windows of two seconds. */
const provenSeconds = 6;

/**
 * Seconds of the clock, alone on the box.
 * @param media of the job's assets by position
 */
export function expectedWorkSeconds(
  work: StepWork,
  media: readonly MediaInfo[],
  place: WorkPlace,
): number {
  return workloadsOf(work, media).reduce((sum, load) => sum + loadSeconds(load, place), 0);
}

/** The same for one run of ffmpeg. */
export function loadSeconds(load: Workload, place: WorkPlace): number {
  const cores = Math.max(1, Math.min(place.cores, coresMost, load.threads) * coresShare);
  const onProcessor = (processorMs(load, place) + proofMs(load, place)) / cores;
  const copying = (load.copiedBytes / 1e6) * copyMillisecondsPerMegabyte;
  // The card's engines work beside each other and beside the processor: the slowest sets the pace.
  const pace = Math.max(onProcessor, cardMs(load, place));
  return startSeconds + (pace + copying) / 1000;
}

function processorMs(load: Workload, place: WorkPlace): number {
  const decoding = sum(load.decodes, ({ codec, pixels }) => decodeMs(codec, pixels));
  const filtering = sum(load.filters, ({ filter, pixels }) =>
    mega(pixels, filterCosts[filter] ?? 0),
  );
  const encoding = sum(load.encodes, ({ encode, picture }) =>
    mega(pixelsOf(picture), encodeCostOf(encode)),
  );
  const images = sum(load.images, ({ encode, picture }) => {
    const cost = imageCosts[encode.kind === "image" ? encode.codec : encode.format];
    return mega(pixelsOf(picture), cost);
  });
  const sound = sum(load.sounds, ({ encode, seconds }) => {
    const cost = soundEncodeCost[encode.codec] + soundDecodeCost;
    return (seconds * cost * encode.channels) / 2;
  });
  return (
    (place.decode === "cpu" ? decoding : 0) +
    (place.filters === "cpu" ? filtering : 0) +
    (place.encode === "cpu" ? encoding : 0) +
    images +
    sound +
    load.loudnessSeconds * loudnessCost
  );
}

function cardMs(load: Workload, place: WorkPlace): number {
  const decoding = sum(load.decodes, ({ pixels }) => mega(pixels, nvdecCost));
  const encoding = sum(load.encodes, ({ encode, picture }) =>
    mega(pixelsOf(picture), nvencCostOf(encode)),
  );
  return Math.max(place.decode === "nvdec" ? decoding : 0, place.encode === "nvenc" ? encoding : 0);
}

function proofMs(load: Workload, { verify }: WorkPlace): number {
  return sum(load.encodes, ({ encode, picture }) => {
    const seconds = verify === "full" ? picture.seconds : Math.min(picture.seconds, provenSeconds);
    return decodeMs(encode.codec, pixelsOf({ ...picture, seconds }));
  });
}

function decodeMs(codec: string, pixels: number): number {
  return mega(pixels, decodeCosts[codec] ?? usualDecodeCost);
}

const cpuEncoders: Record<VideoEncode["codec"], PictureEncoder> = {
  h264: "libx264",
  hevc: "libx265",
  av1: "libsvtav1",
  vp9: "libvpx-vp9",
  prores: "prores_ks",
};

/** The encoder that is expected for a codec: which one it is in the end says the ffmpeg of the box. */
export function expectedEncoder({ codec }: VideoEncode, on: "nvenc" | "cpu") {
  if (on === "nvenc" && isGpuCodec(codec)) return `${codec}_nvenc` satisfies NvencEncoder;
  return cpuEncoders[codec];
}

/** More bits take longer to code: measured with x264, a third more or less at the ends of the scale. */
function encodeCostOf({ codec, speed, rate, pixelFormat }: VideoEncode): number {
  const middle = 65;
  const most = qualityAnchors.at(-1) ?? 100;
  const slope = "quality" in rate ? (0.5 * (rate.quality - middle)) / most : 0;
  const deep = pixelFormat.includes("10") && codec !== "prores" ? 1.5 : 1;
  return encodeCost[cpuEncoders[codec]][speed] * (1 + slope) * deep;
}

function nvencCostOf({ codec, speed }: VideoEncode): number {
  return isGpuCodec(codec) ? nvencCost[`${codec}_nvenc`][speed] : 0;
}

function mega(pixels: number, cost: number): number {
  return (pixels / 1e6) * cost;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
