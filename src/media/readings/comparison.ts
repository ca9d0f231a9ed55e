/** How alike two pictures are, frame by frame of the first. Times in seconds from the first frame. */
import { Failure } from "../../trouble.ts";
import type { RunTexts } from "../readings.ts";
import { notesOf } from "./notes.ts";

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
  ssim: number;
  psnrDb: number | null;
  vmaf: number | null;
  /** As many as were asked for, the worst first; the last again where there are fewer frames. */
  worst: WorstFrame[];
  series: {
    seconds: number[];
    ssim: number[];
    psnrDb: (number | null)[];
    vmaf: number[] | null;
  };
}

/** What the second is ahead, so that rounded times meet their own frames: half of a frame at 240 a second. */
export const aheadSeconds = 0.002;

/** The clock of both texts. */
const ticksPerSecond = 1_000_000;

/** Worst frames lie apart by so much, where there are enough of them: neighbours look the same. */
const apartSeconds = 1;

interface Compared {
  seconds: number;
  ssim: number;
  /** Mean squared error over all planes. */
  error: number;
  psnrDb: number | null;
  vmaf: number | null;
}

/**
 * `facts`: `peak`, the largest value of a sample; `worst`, how many frames to point out; `byPsnr`, 1 when
 * these are the worst by PSNR and not by VMAF or else SSIM.
 */
export async function readComparison({ text, facts }: RunTexts): Promise<Comparison> {
  const scores = vmafScores(await text("vmaf.json"));
  const all = [...notesOf((await text("frames.txt")) ?? "")].map(({ tick, marks }, at) => ({
    seconds: tick / ticksPerSecond,
    ssim: Number(marks.get("ssim.All")),
    error: Number(marks.get("psnr.mse_avg")),
    psnrDb: finite(Number(marks.get("psnr.psnr_avg"))),
    vmaf: scores?.[at] ?? null,
  }));
  const [referenceStart = 0] = timesIn(await text("reference.txt"));
  const second = timesIn(await text("second.txt"));
  const [secondStart = 0] = second;
  const ends = endOf(second) - secondStart;
  const frames = all.filter(({ seconds, ssim }) => seconds < ends && Number.isFinite(ssim));
  if (frames.length === 0) throw nothingCompared();
  const error = meanOf(frames.map((frame) => frame.error));
  const measured = scores !== null && frames.every(({ vmaf }) => vmaf !== null);
  return {
    frames: frames.length,
    comparedSeconds: Math.min(endOf(frames.map(({ seconds }) => seconds)), ends),
    ssim: meanOf(frames.map(({ ssim }) => ssim)),
    psnrDb: error === 0 ? null : 10 * Math.log10((facts["peak"] ?? 255) ** 2 / error),
    vmaf: measured ? meanOf(frames.map(({ vmaf }) => vmaf ?? 0)) : null,
    worst: worstOf(frames, { referenceStart, second }, facts),
    series: {
      seconds: frames.map(({ seconds }) => seconds),
      ssim: frames.map(({ ssim }) => ssim),
      psnrDb: frames.map(({ psnrDb }) => psnrDb),
      vmaf: measured ? frames.map(({ vmaf }) => vmaf ?? 0) : null,
    },
  };
}

/** Seconds from the start of the file. */
function timesIn(text: string | null): number[] {
  return [...notesOf(text ?? "")].map(({ tick }) => tick / ticksPerSecond);
}

/** Each frame's score as libvmaf writes it. */
function vmafScores(json: string | null): number[] | null {
  if (json === null) return null;
  const log = JSON.parse(json) as { frames?: { metrics?: { vmaf?: number } }[] };
  const scores = (log.frames ?? []).map(({ metrics }) => metrics?.vmaf ?? Number.NaN);
  return scores.length > 0 && scores.every(Number.isFinite) ? scores : null;
}

/** Greedy: the worst first, then the worst that is not beside one of them, then any. */
function worstOf(
  frames: Compared[],
  { referenceStart, second }: { referenceStart: number; second: number[] },
  { worst: count = 0, byPsnr = 0 }: RunTexts["facts"],
): WorstFrame[] {
  const [secondStart = 0] = second;
  const goodness = byPsnr === 1 ? ({ error }: Compared) => -error : bySight;
  const byBadness = (a: Compared, b: Compared) => goodness(a) - goodness(b);
  const ranked = frames.toSorted(byBadness);
  const picked: Compared[] = [];
  for (const least of [apartSeconds, 0]) {
    for (const frame of ranked) {
      if (picked.length >= count) break;
      const near = picked.some(({ seconds }) => Math.abs(seconds - frame.seconds) < least);
      if (!near && !picked.includes(frame)) picked.push(frame);
    }
  }
  const last = picked.at(-1);
  while (picked.length < count && last !== undefined) picked.push(last);
  const times = frames.map(({ seconds }) => seconds);
  return picked.toSorted(byBadness).map(({ seconds, ssim, psnrDb, vmaf }) => ({
    ...{ seconds, ssim, psnrDb, vmaf },
    referenceSeekSeconds: before(times, seconds, referenceStart),
    secondSeekSeconds: before(second, secondStart + seconds + aheadSeconds, 0),
  }));
}

function bySight({ vmaf, ssim }: Compared): number {
  return vmaf ?? ssim;
}

/**
 * Half way between the last frame at or before a time and the one before that: a seek there finds it.
 * @param start seconds of the file at which `times` begin to count
 */
function before(times: number[], seconds: number, start: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= seconds) low = middle + 1;
    else high = middle;
  }
  const shown = times[low - 1];
  const previous = times[low - 2];
  if (shown === undefined || previous === undefined) return 0;
  return Math.max(0, start + (shown + previous) / 2);
}

/** The last frame is taken to last as long as the one before it. */
function endOf(times: number[]): number {
  const [last = 0, previous = last] = [times.at(-1), times.at(-2)];
  return last + (last - previous || 1);
}

function meanOf(values: number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function nothingCompared(): Failure {
  return new Failure("media_undecodable", "Not one frame of the two could be compared.", {
    hint: "Check that both files play on your own machine.",
  });
}
