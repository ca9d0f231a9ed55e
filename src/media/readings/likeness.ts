/** How alike two pictures are over several windows of them: one score of one kind. */
import { Failure } from "../../trouble.ts";
import type { RunTexts } from "../readings.ts";
import { type TargetMetric, targetMetrics } from "../target-search.ts";
import { notesOf } from "./notes.ts";

export interface Likeness {
  metric: TargetMetric;
  /** Mean over the frames; of PSNR that of the mean error, and null where nothing differs. */
  score: number | null;
  frames: number;
}

/**
 * `facts`: `windows`, how many; `metric`, its place among `targetMetrics`; `peak`, the largest value of a
 * sample. The texts are `frames-N.txt` and `vmaf-N.json`, N from 1.
 */
export async function readLikeness({ text, facts }: RunTexts): Promise<Likeness> {
  const { windows = 1, metric: place = 0, peak = 255 } = facts;
  const metric = targetMetrics[place] ?? "ssim";
  const values: number[] = [];
  for (let window = 1; window <= windows; window += 1) {
    const found =
      metric === "vmaf"
        ? vmafValues((await text(`vmaf-${window}.json`)) ?? "{}")
        : noteValues(metric, (await text(`frames-${window}.txt`)) ?? "");
    values.push(...found);
  }
  if (values.length === 0) throw nothingCompared();
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { metric, score: metric === "psnr" ? psnrOf(mean, peak) : mean, frames: values.length };
}

/** Frames that met none of the other film have no value, and are left out. */
function noteValues(metric: "ssim" | "psnr", text: string): number[] {
  const key = { ssim: "ssim.All", psnr: "psnr.mse_avg" }[metric];
  return [...notesOf(text)].map(({ marks }) => Number(marks.get(key))).filter(Number.isFinite);
}

/** Each frame's score as libvmaf writes it. */
function vmafValues(json: string): number[] {
  const log = JSON.parse(json) as { frames?: { metrics?: { vmaf?: number } }[] };
  return (log.frames ?? []).map(({ metrics }) => Number(metrics?.vmaf)).filter(Number.isFinite);
}

function psnrOf(meanError: number, peak: number): number | null {
  return meanError === 0 ? null : 10 * Math.log10(peak ** 2 / meanError);
}

function nothingCompared(): Failure {
  return new Failure("media_undecodable", "Not one frame of the samples could be compared.", {
    hint: "Check that the source plays to its end on your own machine, then retry the job.",
  });
}
