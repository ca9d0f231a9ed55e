/** How alike two pictures are, frame by frame of the first. Times in seconds from its first frame. */
import { Failure } from "../../trouble.ts";
import { Column } from "../column.ts";
import type { Facts, Reader, RunTexts } from "../readings.ts";
import { type Note, NoteLines } from "./note-lines.ts";
import { finite, lowestOfEach, meanOf, type Spread, spreadOf } from "./pooling.ts";
import { seriesFile, seriesLines } from "./series.ts";
import { vmafValues } from "./vmaf-log.ts";

export interface WorstFrame {
  seconds: number;
  /** Just before the two frames that were held against each other, in their files. */
  referenceSeekSeconds: number;
  secondSeekSeconds: number;
  ssim: number;
  psnrDb: number | null;
  vmaf: number | null;
}

/** PSNR is null where nothing differs; it would be infinite. VMAF is null where it was not measured. */
export interface Comparison {
  frames: number;
  /** From the start to the end of the last frame that was compared. */
  comparedSeconds: number;
  /** Mean of the frames, over all planes; and of the luma alone. */
  ssim: number;
  ssimLuma: number;
  /** Of the mean error of all frames, over all planes; and of the luma alone. */
  psnrDb: number | null;
  psnrLumaDb: number | null;
  /** Mean of the frames. */
  vmaf: number | null;
  spread: { ssim: Spread; psnrDb: Spread; vmaf: Spread | null };
  /** As many as were asked for, the worst first; the last again where there are fewer frames. */
  worst: WorstFrame[];
  /** For a drawing: the lowest of so many frames each. All of them are in the series. */
  outline: {
    framesPerPoint: number;
    seconds: number[];
    ssim: (number | null)[];
    psnrDb: (number | null)[];
    vmaf: (number | null)[] | null;
  };
  /** False when there were more frames than are kept; what comes after them is in no figure. */
  complete: boolean;
}

/** Figures of all frames that were compared. Not a number where one was not measured. */
export interface FrameFigures {
  seconds: Float64Array;
  ssim: Float64Array;
  ssimLuma: Float64Array;
  /** Infinite where nothing differs. */
  psnrDb: Float64Array;
  psnrLumaDb: Float64Array;
  vmaf: Float64Array | null;
}

/** What the second is ahead, so that rounded times meet their own frames: half of a frame at 240 a second. */
export const aheadSeconds = 0.002;

/** The clock of the notes. */
const ticksPerSecond = 1_000_000;

/** Worst frames lie apart by so much, where there are enough of them: neighbours look the same. */
const apartSeconds = 1;

/** Nine hours at 60 a second, in 120 MB. */
const maxFrames = 2_000_000;

/** More points than a screen has columns. */
const outlinePoints = 2000;

/**
 * Reads the notes of `comparisonGraph`. `facts`: `peak`, the largest value of a sample; `worst`, how many
 * frames to point out; `byPsnr`, 1 when these are the worst by PSNR and not by VMAF or else SSIM; `byOrder`,
 * 1 when frames met by their numbers; `referenceFrom` and `secondFrom`, seconds at which the two were begun;
 * `series`, 1 for CSV and 2 for JSON.
 */
export class ComparisonReader implements Reader {
  private readonly facts: Facts;
  private readonly columns: Record<string, Column> = Object.fromEntries(
    ["reference", "second", "ticks", "ssim", "ssimy", "mse", "msey"].map((name) => [
      name,
      new Column(),
    ]),
  );
  /** When the picture of either changed its size or format. */
  private changedSeconds: number | null = null;
  private complete = true;
  private readonly notes = new NoteLines({ take: (note) => this.take(note) });

  constructor(facts: Facts) {
    this.facts = facts;
  }

  see(line: string): boolean {
    return this.notes.see(line);
  }

  async finish({ lines, write }: RunTexts): Promise<Comparison> {
    this.notes.finish();
    if (this.changedSeconds !== null) throw formatChanged(this.changedSeconds);
    const figures = await this.figures(lines("vmaf.csv"));
    const { series = 0 } = this.facts;
    if (series !== 0) {
      const kind = series === 1 ? "csv" : "json";
      await write(seriesFile(kind), seriesLines(figures, kind));
    }
    return this.comparison(figures);
  }

  private take({ name, tick, first, marks }: Note): void {
    if (tick === null) return;
    const column = this.columns[name];
    if (column === undefined) return;
    if (column.length >= maxFrames) {
      this.complete = false;
      return;
    }
    if (name === "reference" || name === "second") {
      if (first && column.length > 0) this.changedSeconds ??= tick / ticksPerSecond;
      column.push(tick / ticksPerSecond);
      return;
    }
    if (name === "ssim") this.column("ticks").push(tick);
    const [value] = marks.values();
    column.push(Number(value));
  }

  private column(name: string): Column {
    return this.columns[name] ?? new Column();
  }

  private async figures(vmafLines: AsyncIterable<string>): Promise<FrameFigures> {
    const count = this.comparedFrames();
    if (count === 0) throw nothingCompared();
    const of = (name: string) => this.column(name).values().slice(0, count);
    const psnr = (error: number) => 10 * Math.log10((this.facts["peak"] ?? 255) ** 2 / error);
    const reference = of("reference");
    const [start = 0] = reference;
    return {
      seconds: this.byOrder() ? reference.map((time) => time - start) : of("ticks").map(toSeconds),
      ...{ ssim: of("ssim"), ssimLuma: of("ssimy") },
      ...{ psnrDb: of("mse").map(psnr), psnrLumaDb: of("msey").map(psnr) },
      vmaf: await vmafScores(vmafLines, count),
    };
  }

  private byOrder(): boolean {
    return this.facts["byOrder"] === 1;
  }

  /** The last picture of the second stays when it has ended: what is held against that does not count. */
  private comparedFrames(): number {
    const second = this.column("second").values();
    const most = Math.min(...["ssim", "mse"].map((name) => this.column(name).length));
    if (this.byOrder()) return Math.min(most, second.length);
    const ends = (endOf(second) - (second[0] ?? 0)) * ticksPerSecond;
    const ticks = this.column("ticks").values().subarray(0, most);
    let count = most;
    while (count > 0 && (ticks[count - 1] ?? 0) >= ends) count -= 1;
    return count;
  }

  private comparison(figures: FrameFigures): Comparison {
    const { seconds, ssim, psnrDb, vmaf } = figures;
    const framesPerPoint = Math.ceil(seconds.length / outlinePoints);
    const second = this.column("second").values();
    const secondSeconds = endOf(second) - (second[0] ?? 0);
    return {
      frames: seconds.length,
      comparedSeconds: this.byOrder() ? endOf(seconds) : Math.min(endOf(seconds), secondSeconds),
      ...{ ssim: meanOf(ssim), ssimLuma: meanOf(figures.ssimLuma) },
      psnrDb: this.meanPsnr("mse", seconds.length),
      psnrLumaDb: this.meanPsnr("msey", seconds.length),
      vmaf: vmaf && meanOf(vmaf),
      spread: { ssim: spreadOf(ssim), psnrDb: spreadOf(psnrDb), vmaf: vmaf && spreadOf(vmaf) },
      worst: this.worst(figures),
      outline: {
        framesPerPoint,
        seconds: [...seconds].filter((_, at) => at % framesPerPoint === 0),
        ssim: lowestOfEach(ssim, framesPerPoint),
        psnrDb: lowestOfEach(psnrDb, framesPerPoint),
        vmaf: vmaf && lowestOfEach(vmaf, framesPerPoint),
      },
      complete: this.complete,
    };
  }

  /** As ffmpeg's own average: of the error, not of the decibels. */
  private meanPsnr(name: "mse" | "msey", count: number): number | null {
    const error = meanOf(this.column(name).values().subarray(0, count));
    return error === 0 ? null : 10 * Math.log10((this.facts["peak"] ?? 255) ** 2 / error);
  }

  private worst(figures: FrameFigures): WorstFrame[] {
    const { seconds, ssim, psnrDb, vmaf } = figures;
    const { worst: count = 0, byPsnr = 0, referenceFrom = 0, secondFrom = 0 } = this.facts;
    const goodness = byPsnr === 1 ? psnrDb : (vmaf ?? ssim);
    const second = this.column("second").values();
    const meets = (at: number) =>
      this.byOrder() ? at : lastUntil(second, (second[0] ?? 0) + (seconds[at] ?? 0) + aheadSeconds);
    return worstFrames(goodness, seconds, count).map((at) => ({
      seconds: seconds[at] ?? 0,
      ...{ ssim: ssim[at] ?? 0, psnrDb: finite(psnrDb[at]), vmaf: finite(vmaf?.[at]) },
      referenceSeekSeconds: referenceFrom + justBefore(this.column("reference").values(), at),
      secondSeekSeconds: secondFrom + justBefore(second, meets(at)),
    }));
  }
}

/** Greedy: the worst first, then the worst that is not beside one of them, then any. */
function worstFrames(goodness: Float64Array, seconds: Float64Array, count: number): number[] {
  const picked: number[] = [];
  const near = (at: number, least: number) =>
    picked.some((other) => Math.abs((seconds[other] ?? 0) - (seconds[at] ?? 0)) < least);
  for (const least of [apartSeconds, 0]) {
    while (picked.length < count) {
      let worst: number | null = null;
      for (let at = 0; at < goodness.length; at += 1) {
        const better = !((goodness[at] ?? 0) < (goodness[worst ?? -1] ?? Number.POSITIVE_INFINITY));
        if ((worst !== null && better) || Number.isNaN(goodness[at])) continue;
        if (!picked.includes(at) && !near(at, least)) worst = at;
      }
      if (worst === null) break;
      picked.push(worst);
    }
  }
  const last = picked.at(-1);
  while (picked.length < count && last !== undefined) picked.push(last);
  return picked.toSorted((a, b) => (goodness[a] ?? 0) - (goodness[b] ?? 0));
}

/** Null when libvmaf did not run; not a number where it left frames out. */
async function vmafScores(
  lines: AsyncIterable<string>,
  count: number,
): Promise<Float64Array | null> {
  const scores = new Float64Array(count).fill(Number.NaN);
  let found = false;
  for await (const { frame, score } of vmafValues(lines)) {
    found = true;
    if (frame < count) scores[frame] = score;
  }
  return found ? scores : null;
}

function toSeconds(ticks: number): number {
  return ticks / ticksPerSecond;
}

/** The last of ascending times that is not after another. */
function lastUntil(times: Float64Array, seconds: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= seconds) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Half way to the frame before: a seek there finds the frame. */
function justBefore(times: Float64Array, at: number): number {
  if (at <= 0) return 0;
  return Math.max(0, ((times[at] ?? 0) + (times[at - 1] ?? 0)) / 2);
}

/** The last frame is taken to last as long as the one before it. */
function endOf(times: Float64Array): number {
  const [last = 0, previous = last] = [times.at(-1), times.at(-2)];
  return last + (last - previous || 1);
}

/** The graph begins anew for both then, so it cannot be told which of them it was. */
function formatChanged(seconds: number): Failure {
  return new Failure(
    "media_unsupported",
    `One of the two changes the size or the format of its picture after about ${seconds.toFixed(1)} s.`,
    { hint: "Transcode it first, which gives it one size, and measure the result." },
  );
}

function nothingCompared(): Failure {
  return new Failure("media_undecodable", "Not one frame of the two could be compared.", {
    hint: "Check that both files play on your own machine, and that the offset lies within them.",
  });
}
