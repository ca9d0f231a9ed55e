/** A step that looks for the quality that reaches a score, on samples of the film. */
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RenderDescription, StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { LikenessReader } from "../media/readings/likeness.ts";
import {
  nextQuality,
  scoreWords,
  type TargetMetric,
  type TargetTry,
  targetMetrics,
  triesMax,
} from "../media/target-search.ts";
import { assert, Failure } from "../trouble.ts";
import { textsOf } from "./analyse.ts";
import { type CarriedOut, type LocalConfig, runDescription } from "./described-run.ts";
import { plainName, writeDurably } from "./job-files.ts";
import type { AttemptRequest } from "./runner.ts";

type TargetWork = Extract<StepWork, { kind: "target" }>;

interface MeasuredTry extends TargetTry {
  /** Of the candidate, and of the clock while it was made. */
  bytes: number;
  seconds: number;
}

/** What a later step reads of it. */
export interface FoundQuality {
  quality: number;
  metric: TargetMetric;
  asked: number;
  /** On the samples. */
  reached: number;
  sampleSeconds: number;
  /** Of the whole file, and of making it; null where the film does not say how long it is. */
  expectedBytes: number | null;
  expectedSeconds: number | null;
  tries: { quality: number; score: number; bytes: number }[];
}

interface Local {
  toolchain: Toolchain;
  config: LocalConfig;
}

/** @throws Failure as runs do, and `output_rejected` when nothing reaches the score */
export async function target(
  local: Local,
  request: AttemptRequest,
  work: TargetWork,
  folder: string,
): Promise<CarriedOut | null> {
  assert(plainName.test(work.file) && plainName.test(work.candidate), "its files have plain names");
  const tries: MeasuredTry[] = [];
  let told: CarriedOut | null = null;
  for (;;) {
    const next = nextQuality(tries, work.target);
    if (next.kind === "unreachable") throw unreachable(work, tries, next.best.score);
    if (next.kind === "found") {
      assert(told !== null, "what was found was tried");
      const found = foundOf(work, tries, next.quality);
      await writeDurably(join(folder, work.file), `${JSON.stringify(found, null, 2)}\n`);
      return { ...told, checks: sentencesOf(work, found) };
    }
    const part = inPart(request, tries.length);
    const made = await tryOne(local, part, work, { quality: next.quality, folder });
    if (made === null) return null;
    tries.push(made.tried);
    told = made.told;
  }
}

async function tryOne(
  local: Local,
  request: AttemptRequest,
  work: TargetWork,
  { quality, folder }: { quality: number; folder: string },
): Promise<{ tried: MeasuredTry; told: CarriedOut } | null> {
  const startedMs = performance.now();
  const description = atQuality(work.description, quality);
  const made = await runDescription(local, request, { description, folder });
  if (made === null) return null;
  const seconds = (performance.now() - startedMs) / 1000;
  const { size: bytes } = await stat(join(folder, work.candidate));
  const { metric } = work.target;
  const about = { windows: 1, metric: targetMetrics.indexOf(metric), peak: work.peak };
  const reader = new LikenessReader(about);
  const compared = await runDescription(local, request, {
    ...{ description: work.compare, folder, talks: true },
    onLine: (line) => reader.see(line),
  });
  if (compared === null) return null;
  const { score } = await reader.finish(textsOf(folder));
  await rm(join(folder, work.candidate));
  const { stderr: _, ...told } = made;
  return { tried: { quality, score: score ?? samePictures(metric), bytes, seconds }, told };
}

/** Pictures without a difference have no end of decibels. */
function samePictures(metric: TargetMetric): number {
  return metric === "psnr" ? 100 : 1;
}

function atQuality(description: RenderDescription, quality: number): RenderDescription {
  const outputs = description.outputs.map((output) => {
    const { video } = output;
    return video?.kind === "encode"
      ? { ...output, video: { ...video, rate: { quality } } }
      : output;
  });
  return { ...description, outputs };
}

function foundOf(work: TargetWork, tries: readonly MeasuredTry[], quality: number): FoundQuality {
  const found = tries.find((each) => each.quality === quality);
  assert(found !== undefined, "what was found was tried");
  const { sampleSeconds, wholeSeconds, otherBytes, target: wish } = work;
  const times = wholeSeconds === null ? null : wholeSeconds / sampleSeconds;
  return {
    ...{ quality, metric: wish.metric, asked: wish.score, reached: found.score, sampleSeconds },
    expectedBytes: times === null ? null : Math.round(found.bytes * times + otherBytes),
    expectedSeconds: times === null ? null : Math.round(found.seconds * times * 10) / 10,
    tries: tries.map(({ seconds: _, ...each }) => each),
  };
}

function sentencesOf(work: TargetWork, found: FoundQuality): string[] {
  const { metric, score: asked } = work.target;
  const { quality, reached, expectedBytes, expectedSeconds, sampleSeconds } = found;
  const tried = found.tries.map(
    (each, index) =>
      `Try ${index + 1}: quality ${each.quality}: ${scoreWords(metric, each.score)}, ${Math.round((each.bytes * 8) / sampleSeconds / 1000)} kbit/s`,
  );
  const expected =
    expectedBytes === null || expectedSeconds === null
      ? []
      : [
          `Expected of the whole: about ${bytesText(expectedBytes)} in about ${timeText(expectedSeconds)}`,
        ];
  const found1 = `Quality ${quality} reaches ${scoreWords(metric, reached)} on ${Math.round(sampleSeconds)} s of samples; ${scoreWords(metric, asked)} was asked for`;
  return [...tried, found1, ...expected];
}

function unreachable(work: TargetWork, tries: readonly MeasuredTry[], best: number): Failure {
  const { metric, score } = work.target;
  return new Failure(
    "output_rejected",
    `${scoreWords(metric, score)} cannot be reached: at the highest quality the samples have ${scoreWords(metric, best)}.`,
    {
      hint: "Ask for a lower score, take another codec, or say a quality instead of a target.",
      log: tries
        .map((each) => `quality ${each.quality}: ${scoreWords(metric, each.score)}`)
        .join("\n"),
    },
  );
}

/** The request with its progress as that of one try among as many as there may be. */
function inPart(request: AttemptRequest, before: number): AttemptRequest {
  const onProgress: AttemptRequest["onProgress"] = (progress) =>
    request.onProgress({
      ...progress,
      percent: ((before + (progress.percent ?? 0) / 100) * 100) / triesMax,
    });
  return { ...request, onProgress };
}

function bytesText(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(seconds / 3600).toFixed(1)} h`;
}
