/** What a benchmark tells: figures, each next to what it is compared with and what is asked of it. */

export interface Figure {
  what: string;
  /** The measured value in words: "38.2 MB". */
  ours: string;
  /** The same of what it is compared with, and what that is; null when the target is absolute. */
  other: string | null;
  /** Ours ÷ other, or the value itself where the target is absolute. */
  value: number;
  /** The target, held against `value`; null for a figure that is only told. */
  target: { atMost: number } | { atLeast: number } | null;
}

/** How much to measure: `quick` proves that the programs work, its figures are rough. */
export interface Extent {
  quick: boolean;
  /** One pair of what takes long, over 20 s of film: better than quick, and done within the hour. */
  once: boolean;
  /** Seconds of film instead of the usual; null: as the others say. */
  seconds: number | null;
}

/** Pairs to run, and seconds of film that are worked on, where nothing else is asked. */
export function extentOf(
  { quick, once, seconds: asked }: Extent,
  usual: { rounds: number; seconds: number },
): { rounds: number; seconds: number } {
  const [rounds, seconds] = quick
    ? [1, 4]
    : once
      ? [1, Math.min(20, usual.seconds)]
      : [usual.rounds, usual.seconds];
  return { rounds, seconds: asked ?? seconds };
}

export type Benchmark = (extent: Extent) => Promise<Figure[]>;

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)] ?? NaN;
}

/** True, false, or null when nothing is asked. */
export function reached({ value, target }: Figure): boolean | null {
  if (target === null) return null;
  return "atMost" in target ? value <= target.atMost : value >= target.atLeast;
}

export function table(figures: Figure[]): string {
  const rows = figures.map((figure) => {
    const { what, ours, other, value, target } = figure;
    const asked =
      target === null ? "" : "atMost" in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`;
    const verdict = { true: "yes", false: "**no**", null: "" }[String(reached(figure))] ?? "";
    const ratio = other === null ? "" : value.toPrecision(3);
    return `| ${[what, ours, other ?? "", ratio, asked, verdict].join(" | ")} |`;
  });
  return [
    "| what | Kinomill | compared with | ratio | target | reached |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
export const milliseconds = (ms: number) => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
export const microseconds = (us: number) => `${us.toFixed(1)} µs`;
