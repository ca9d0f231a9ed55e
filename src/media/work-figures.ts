/**
 * What a box learned of its own work, and how it corrects the first guesses: for each kind of work a running
 * average of how many times as long, or as large, it really was. Kinds are made of closed words and the model
 * of the device: nothing of users or of their files. Pure.
 */
import type { StepWork } from "./description.ts";
import { asEncoded, contentOf, expectedBytes } from "./expected-bytes.ts";
import { expectedEncoder, expectedWorkSeconds, type WorkPlace } from "./expected-work.ts";
import type { MediaInfo } from "./media.ts";
import { pixelsOf } from "./moving.ts";
import { filterCosts } from "./work-costs.ts";
import { type Workload, workloadsOf } from "./workload.ts";

/** The logarithm of actual ÷ guessed, over steps of one kind. */
export interface Figure {
  count: number;
  mean: number;
  variance: number;
}

export const figureMeasures = ["seconds", "bytes"] as const;
export type FigureMeasure = (typeof figureMeasures)[number];

/** Looks a figure up; null where nothing is known of the kind. */
export type Figures = (measure: FigureMeasure, kind: string) => Figure | null;

export const noFigures: Figures = () => null;

/** A step and where it runs, or ran. */
export interface PlacedWork {
  work: StepWork;
  /** Of the job's assets by position. */
  media: readonly MediaInfo[];
  place: WorkPlace;
  /** "cpu", or the model of the GPU: "NVIDIA L4". */
  device: string;
}

/** What is expected of one quantity. */
export interface Prediction {
  likely: number;
  /** Four times in five it lies between these. */
  low: number;
  high: number;
  /** Finished steps of the very kind that stand behind it. */
  learnedFrom: number;
  /** Where there are none: those of the nearest kind that is known; 0: it is a guess. */
  relatives: number;
}

/** Steps that weigh on an average: a box that changes is believed again after some dozen jobs. */
const memory = 30;

/** A step that took fifty times as long, or a fiftieth, is told of as that, and not as more. */
const farthest = Math.log(50);

/** Of a first guess: twice as much, or half, is no surprise. */
const guessVariance = Math.log(2.2) ** 2;
/** Where a bit rate says it. */
const givenVariance = Math.log(1.08) ** 2;
/** A kind of which only its relatives are known. */
const relativeVariance = Math.log(1.4) ** 2;
/** The same work never takes exactly the same. */
const leastVariance = 0.05 ** 2;
/** How many steps the guess is worth. */
const guessWeight = 0.5;
/** 80 % of a normal distribution. */
const sigmas = 1.28;

/** The average with one more step in it. */
export function learned(figure: Figure | null, actual: number, guessed: number): Figure {
  const { count, mean, variance } = figure ?? { count: 0, mean: 0, variance: 0 };
  const ratio = Math.log(Math.max(actual, 1e-9) / Math.max(guessed, 1e-9));
  const seen = Math.min(farthest, Math.max(-farthest, ratio));
  const weight = 1 / Math.min(count + 1, memory);
  const away = seen - mean;
  return {
    count: count + 1,
    mean: mean + weight * away,
    variance: (1 - weight) * (variance + weight * away * away),
  };
}

export function predictSeconds(placed: PlacedWork, figures: Figures): Prediction {
  return predicted(placed, "seconds", guessVariance, figures);
}

export function predictBytes(placed: PlacedWork, figures: Figures): Prediction {
  const { work, media } = placed;
  // A join copies, but nobody knows how much before its parts are encoded.
  const depends = workloadsOf(asEncoded(work), media).some(dependsOnContent);
  return predicted(placed, "bytes", depends ? guessVariance : givenVariance, figures);
}

/** Copies and bit rates that are asked for tell their bytes; quality alone does not. */
function dependsOnContent({ encodes, images }: Workload): boolean {
  return images.length > 0 || encodes.some(({ encode }) => "quality" in encode.rate);
}

function predicted(
  placed: PlacedWork,
  measure: FigureMeasure,
  variance: number,
  figures: Figures,
): Prediction {
  const guessed = guessOf(placed, measure);
  if (guessed === 0) return noPrediction;
  return corrected({ guessed, variance }, measure, kindsOf(placed, measure), figures);
}

/** Of what is not made. */
export const noPrediction: Prediction = {
  likely: 0,
  low: 0,
  high: 0,
  learnedFrom: 0,
  relatives: 0,
};

/** The guess that figures are ratios to; 0 where there is nothing to tell. */
export function guessOf({ work, media, place }: PlacedWork, measure: FigureMeasure): number {
  return measure === "seconds"
    ? expectedWorkSeconds(work, media, place)
    : expectedBytes(work, media, place.encode);
}

/** From the widest kind to the narrowest each moves what the wider ones say, the more the more it has seen. */
function corrected(
  { guessed, variance: ofGuess }: { guessed: number; variance: number },
  measure: FigureMeasure,
  kinds: readonly string[],
  figures: Figures,
): Prediction {
  let mean = 0;
  let variance = ofGuess;
  let learnedFrom = 0;
  let relatives = 0;
  for (const [index, kind] of kinds.entries()) {
    const figure = figures(measure, kind);
    learnedFrom = figure?.count ?? 0;
    // The widest kind is all that a device ever did: no relatives.
    if (index > 0) relatives = figure?.count ?? relatives;
    if (figure === null) {
      variance = Math.min(ofGuess, variance + relativeVariance);
      continue;
    }
    const count = Math.min(figure.count, memory);
    mean = (count * figure.mean + guessWeight * mean) / (count + guessWeight);
    const seen = count * Math.max(figure.variance, leastVariance);
    variance = (seen + guessWeight * ofGuess) / (count + guessWeight);
  }
  const spread = Math.exp(sigmas * Math.sqrt(variance));
  const likely = guessed * Math.exp(mean);
  return { likely, low: likely / spread, high: likely * spread, learnedFrom, relatives };
}

/** Kinds that a step counts for, from the widest to the narrowest. */
export function kindsOf(placed: PlacedWork, measure: FigureMeasure): string[] {
  const [load] = workloadsOf(placed.work, placed.media);
  if (load === undefined) return [];
  const words = measure === "seconds" ? secondsWords(placed, load) : bytesWords(placed, load);
  return words.map((_, index) => words.slice(0, index + 1).join(" · "));
}

function secondsWords(placed: PlacedWork, load: Workload): string[] {
  const { device, place, work, media } = placed;
  const main = mainWork(load, place);
  const ways = `${place.decode}+${place.filters}`;
  return [
    device,
    main.word,
    `${work.kind} ${main.setting} ${ways}`,
    `${sizeClass(main.pixels)} ${heaviest(load, place)}`,
    extentClass(expectedWorkSeconds(work, media, place)),
  ];
}

function bytesWords({ place, media }: PlacedWork, load: Workload): string[] {
  const main = mainWork(load, place);
  const [first] = media;
  const content = contentOf(first?.video ?? null, first ?? null);
  // By half octaves: the same film is always in the same class.
  return [
    main.word,
    main.rate,
    `${sizeClass(main.pixels)} content ${Math.round(2 * Math.log2(content))}`,
  ];
}

interface MainWork {
  /** Who makes what the step is about. */
  word: string;
  /** Speed. */
  setting: string;
  /** Quality by tens, or that a bit rate was asked for. */
  rate: string;
  /** Of one frame. */
  pixels: number;
}

/** The largest picture that is made; without one the sound, and without that what is read. */
function mainWork(load: Workload, place: WorkPlace): MainWork {
  const [encoded] = load.encodes.toSorted((a, b) => pixelsOf(b.picture) - pixelsOf(a.picture));
  if (encoded !== undefined) {
    const { encode, picture } = encoded;
    const several = load.encodes.length > 1 ? ` and ${load.encodes.length - 1} more` : "";
    const rate = "quality" in encode.rate ? qualityClass(encode.rate.quality) : "bit rate";
    return {
      word: `${expectedEncoder(encode, place.encode)}${several}`,
      setting: `${encode.speed} ${encode.pixelFormat.includes("10") ? "10" : "8"} bits`,
      rate,
      pixels: picture.width * picture.height,
    };
  }
  const [image] = load.images;
  if (image !== undefined) {
    const { encode, picture } = image;
    const format = encode.kind === "image" ? encode.codec : encode.format;
    const pixels = picture.width * picture.height;
    return {
      word: `${encode.kind} ${format}`,
      setting: "",
      rate: qualityClass(encode.quality),
      pixels,
    };
  }
  const [sound] = load.sounds;
  if (sound !== undefined) return plain(`sound ${sound.encode.codec}`);
  if (load.copiedBytes > 0) return plain("copy");
  return plain(load.decodes.length > 0 ? "look" : "listen");
}

function plain(word: string): MainWork {
  return { word, setting: "", rate: "", pixels: 0 };
}

function qualityClass(quality: number): string {
  return `quality ${Math.round(quality / 10) * 10}`;
}

/** By the lines of a 16:9 picture of as many pixels. */
function sizeClass(pixels: number): string {
  if (pixels === 0) return "no picture";
  const lines = Math.sqrt((pixels * 9) / 16);
  const least = [360, 540, 720, 1080, 1440, 2160].find((limit) => lines <= limit * 1.1);
  return least === undefined ? "beyond 2160" : `up to ${least}`;
}

/** The filter that costs most, where it costs more than scaling does. */
function heaviest({ filters }: Workload, { filters: on }: WorkPlace): string {
  if (on === "cuda") return "plain";
  const plainCost = 3;
  const heavy = filters
    .filter(({ filter }) => (filterCosts[filter] ?? 0) > plainCost)
    .toSorted(
      (a, b) => (filterCosts[b.filter] ?? 0) * b.pixels - (filterCosts[a.filter] ?? 0) * a.pixels,
    );
  return heavy[0]?.filter ?? "plain";
}

/** Starting processes and proving outputs is most of a short step, and nothing of a long one. */
function extentClass(seconds: number): string {
  if (seconds < 1.5) return "moments";
  if (seconds < 10) return "seconds";
  return seconds < 120 ? "a minute" : "long";
}
