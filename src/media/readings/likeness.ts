/** How alike two pictures are over several windows of them: one score of one kind. */
import { Failure } from "../../trouble.ts";
import type { Facts, Reader, RunTexts } from "../readings.ts";
import { type TargetMetric, targetMetrics } from "../target-search.ts";
import { NoteLines } from "./note-lines.ts";
import { vmafValues } from "./vmaf-log.ts";

export interface Likeness {
  metric: TargetMetric;
  /** Mean over the frames; of PSNR that of the mean error, and null where nothing differs. */
  score: number | null;
  frames: number;
}

/**
 * Reads the notes of `likenessGraph`. `facts`: `windows`, how many; `metric`, its place among `targetMetrics`;
 * `peak`, the largest value of a sample.
 */
export class LikenessReader implements Reader {
  private readonly facts: Facts;
  private sum = 0;
  private frames = 0;
  private readonly notes = new NoteLines({
    mark: (name, _, value) => {
      if (name.startsWith("likeness")) this.add(Number(value));
    },
  });

  constructor(facts: Facts) {
    this.facts = facts;
  }

  see(line: string): boolean {
    return this.notes.see(line);
  }

  async finish({ lines }: Pick<RunTexts, "lines">): Promise<Likeness> {
    const { windows = 1, metric: place = 0, peak = 255 } = this.facts;
    const metric = targetMetrics[place] ?? "ssim";
    for (let window = 1; metric === "vmaf" && window <= windows; window += 1) {
      for await (const { score } of vmafValues(lines(`vmaf-${window}.csv`))) this.add(score);
    }
    if (this.frames === 0) throw nothingCompared();
    const mean = this.sum / this.frames;
    return { metric, score: metric === "psnr" ? psnrOf(mean, peak) : mean, frames: this.frames };
  }

  /** Frames that met none of the other film have no value, and are left out. */
  private add(value: number): void {
    if (!Number.isFinite(value)) return;
    this.sum += value;
    this.frames += 1;
  }
}

function psnrOf(meanError: number, peak: number): number | null {
  return meanError === 0 ? null : 10 * Math.log10(peak ** 2 / meanError);
}

function nothingCompared(): Failure {
  return new Failure("media_undecodable", "Not one frame of the samples could be compared.", {
    hint: "Check that the source plays to its end on your own machine, then retry the job.",
  });
}
