/** What a plan is expected to take on this box: each step where it would run, and all of them. Pure. */

import type { StepWork } from "../media/description.ts";
import type { Device } from "../media/devices.ts";
import type { WorkPlace } from "../media/expected-work.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Placement } from "../media/placement.ts";
import {
  type Figures,
  noPrediction,
  type PlacedWork,
  type Prediction,
  predictBytes,
  predictSeconds,
} from "../media/work-figures.ts";
import type { Plan } from "../operations/operation.ts";
import type { History, Preview } from "../runners/places.ts";
import { encodedFor } from "./plan-bytes.ts";
import { elapsedSeconds } from "./plan-time.ts";

/** Four times in five what comes lies in here. */
export interface Range {
  low: number;
  high: number;
}

/** Time and size as the API, the page and the command line tell them. */
export interface Predicted {
  /** From the start to the end, without waiting for others. */
  predictedSeconds: number;
  predictedSecondsRange: Range;
  /** Of all outputs. */
  predictedBytes: number;
  predictedBytesRange: Range;
  /** What it rests on, a clause: "from 14 jobs like it on this box". */
  basis: string;
}

export interface StepPrediction extends Predicted {
  name: string;
  title: string;
  /** Where it would run if all were free. */
  device: string;
  deviceReason: string;
}

/** What is known of the box besides its devices. */
export interface Surroundings {
  cores: number;
  verify: "quick" | "full";
  figures: Figures;
  /** Where a step would run if all were free. */
  preview(work: StepWork, history?: History): Preview;
}

export interface PlanPrediction {
  steps: StepPrediction[];
  total: Predicted;
}

export const firstGuess = "a first guess; it learns from finished jobs";

/** @param media of the job's assets by position */
export function predictPlan(
  plan: Plan,
  media: readonly MediaInfo[],
  { preview, figures, ...box }: Surroundings,
): PlanPrediction {
  const placedOf = (work: StepWork, { placement, device }: Preview): PlacedWork => {
    return { work, media, place: placeOf(placement, box), device: modelOf(device) };
  };
  const steps = plan.steps.map((step) => {
    const { name, title, needs, work, outputs } = step;
    const previewed = preview(work);
    const { device, reason, atOnce } = previewed;
    const seconds = predictSeconds(placedOf(work, previewed), figures);
    const written = outputs.length === 0 ? [] : encodedFor(step, plan);
    const bytes = sumOf(
      written.map((each) => predictBytes(placedOf(each, preview(each)), figures)),
    );
    const told = { name, title, device: device.id, deviceReason: reason };
    // A box with several GPUs has them as one place, on which so many run at once.
    const timed = { name, needs, seconds: seconds.likely, place: device.kind, atOnce };
    return { seconds, bytes, told, timed };
  });
  return {
    steps: steps.map(({ seconds, bytes, told }) => ({ ...told, ...inWords(seconds, bytes) })),
    total: inWords(
      sideBySide(
        sumOf(steps.map(({ seconds }) => seconds)),
        elapsedSeconds(steps.map(({ timed }) => timed)),
      ),
      sumOf(steps.map(({ bytes }) => bytes)),
    ),
  };
}

/** As figures know it: the CPU, or the model of a GPU. */
export function modelOf({ kind, title }: Device): string {
  return kind === "cpu" ? "cpu" : title;
}

export function placeOf(
  { encode, decode, filters }: Placement,
  box: Pick<Surroundings, "cores" | "verify">,
): WorkPlace {
  const { cores, verify } = box;
  return {
    cores,
    verify,
    encode: encode ?? "cpu",
    decode: decode ?? "cpu",
    filters: filters ?? "cpu",
  };
}

/** Of steps that partly run at the same time: less than their sum, and as uncertain. */
function sideBySide(sum: Prediction, elapsed: number): Prediction {
  const share = sum.likely === 0 ? 1 : elapsed / sum.likely;
  return { ...sum, likely: elapsed, low: sum.low * share, high: sum.high * share };
}

/** What stands behind the largest stands behind the whole. */
function sumOf(all: readonly Prediction[]): Prediction {
  const sum = (of: (one: Prediction) => number) => all.reduce((total, one) => total + of(one), 0);
  const [largest = noPrediction] = all.toSorted((a, b) => b.likely - a.likely);
  return {
    likely: sum(({ likely }) => likely),
    low: sum(({ low }) => low),
    high: sum(({ high }) => high),
    learnedFrom: largest.learnedFrom,
    relatives: largest.relatives,
  };
}

function inWords(seconds: Prediction, bytes: Prediction): Predicted {
  return {
    predictedSeconds: rounded(seconds.likely),
    predictedSecondsRange: { low: rounded(seconds.low), high: rounded(seconds.high) },
    predictedBytes: Math.round(bytes.likely),
    predictedBytesRange: { low: Math.round(bytes.low), high: Math.round(bytes.high) },
    basis: basisOf(seconds, bytes),
  };
}

function basisOf(seconds: Prediction, bytes: Prediction): string {
  const [time, size] = [learnedWords(seconds), learnedWords(bytes)];
  if (bytes.likely === 0 || time === size) return time ?? size ?? firstGuess;
  const both = [
    time === null ? "the time is a first guess" : `the time ${time}`,
    size === null ? "the size is a first guess" : `the size ${size}`,
  ];
  return both.join(", ");
}

/** Null for a guess. */
function learnedWords({ learnedFrom, relatives }: Prediction): string | null {
  const jobs = (count: number) => `${count} ${count === 1 ? "job" : "jobs"}`;
  if (learnedFrom > 0) return `from ${jobs(learnedFrom)} like it on this box`;
  return relatives > 0 ? `from ${jobs(relatives)} somewhat like it on this box` : null;
}

/** To a tenth: nobody knows it better. */
function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
