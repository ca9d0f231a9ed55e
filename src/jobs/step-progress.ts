/** Progress of a whole plan from that of its steps, each weighed by the work that it is expected to be. */
import { descriptionOf, type RenderDescription } from "../media/description.ts";
import type { Progress } from "../media/progress.ts";
import type { Step } from "../operations/operation.ts";

/** A second of output that is encoded, as the unit of weight. */
const ENCODED = 1;
/** Decoded and looked at, with nothing encoded: about a third of an encode on the CPU. */
const LOOKED_AT = 0.3;
/** Packets that are copied, or sound alone. */
const COPIED = 0.03;
/** A text, a still, or work of unknown length: it counts, so that the bar moves when it is done. */
const LEAST_WEIGHT = 0.5;

/** Seconds of encoding that a step is worth, where nobody knows better. */
export function weightOf({ work }: Step): number {
  const description = descriptionOf(work);
  if (description === null) return LEAST_WEIGHT;
  return Math.max(LEAST_WEIGHT, (description.expectedSeconds ?? 0) * costOf(description));
}

function costOf({ outputs }: RenderDescription): number {
  const costs = outputs.map(({ video }) => {
    if (video === null || video.kind === "copy") return COPIED;
    return video.kind === "look" || video.kind === "image" ? LOOKED_AT : ENCODED;
  });
  return costs.reduce((sum, each) => sum + each, 0);
}

/** What is expected to take no time at all has its moment on the bar too. */
const LEAST_SECONDS = 0.1;

/** Less of the whole than this says nothing about how long the rest takes. */
const LEAST_SHARE = 0.01;

/** Below 100 until the job is published. */
const HIGHEST_PERCENT = 99.9;

export class WholeProgress {
  private readonly steps: readonly Step[];
  private readonly expected: () => ReadonlyMap<string, number> | null;
  private scale: { weights: ReadonlyMap<string, number>; total: number } | null = null;
  /** Share of each step that is done, 0–1. */
  private readonly shares = new Map<string, number>();
  /** The last word of each step that runs. */
  private readonly running = new Map<string, Progress>();
  /** What was done when this run began to work, and when that was. */
  private start: { atMs: number; share: number } | null = null;

  /**
   * @param expected seconds that each step is expected to take, by name; null: by its description. Asked for when something
   * is to be told for the first time
   */
  constructor(steps: readonly Step[], expected: () => ReadonlyMap<string, number> | null) {
    this.steps = steps;
    this.expected = expected;
  }

  /** What each step weighs, and all of them. */
  private weighed(): { weights: ReadonlyMap<string, number>; total: number } {
    if (this.scale !== null) return this.scale;
    const expected = this.expected();
    const weights = new Map(
      this.steps.map((step) => {
        const seconds = expected?.get(step.name);
        const weight = seconds === undefined ? weightOf(step) : Math.max(LEAST_SECONDS, seconds);
        return [step.name, weight];
      }),
    );
    this.scale = { weights, total: [...weights.values()].reduce((sum, each) => sum + each, 0) };
    return this.scale;
  }

  /** It is done, now or by an earlier run. */
  done(name: string): void {
    this.running.delete(name);
    this.shares.set(name, 1);
  }

  /** It begins anew, or does not go on. */
  reset(name: string): void {
    this.running.delete(name);
    this.shares.delete(name);
  }

  see(name: string, progress: Progress, nowMs: number): void {
    this.start ??= { atMs: nowMs, share: this.share() };
    this.running.set(name, progress);
    this.shares.set(name, (progress.percent ?? 0) / 100);
  }

  /** What the last word of a running step was; null when it has not said one. */
  etaOf(name: string): number | null {
    return this.running.get(name)?.etaSeconds ?? null;
  }

  /** Of the whole; speed and frames per second are those of all steps that run, together. */
  whole(nowMs: number): Progress {
    const running = [...this.running.values()];
    const [only] = running.length === 1 ? running : [];
    const share = this.share();
    return {
      percent: Math.min(HIGHEST_PERCENT, 100 * share),
      frame: only?.frame ?? null,
      fps: sum(running.map(({ fps }) => fps)),
      outputSeconds: only?.outputSeconds ?? null,
      speed: sum(running.map(({ speed }) => speed)),
      etaSeconds: this.eta(share, nowMs),
      sizeBytes: only?.sizeBytes ?? null,
    };
  }

  private share(): number {
    const { weights, total } = this.weighed();
    let done = 0;
    for (const [name, share] of this.shares) done += share * (weights.get(name) ?? 0);
    return done / total;
  }

  /** The step's own word when it is the last one; otherwise by how fast this run came as far as it is. */
  private eta(share: number, nowMs: number): number | null {
    const undone = this.steps.map(({ name }) => name).filter((name) => this.shares.get(name) !== 1);
    const [last] = undone;
    if (undone.length === 1 && last !== undefined) return this.etaOf(last);
    if (this.start === null || share - this.start.share < LEAST_SHARE) return null;
    const perMs = (share - this.start.share) / (nowMs - this.start.atMs);
    return perMs > 0 ? (1 - share) / perMs / 1000 : null;
  }
}

/** Null when nobody knows. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, each) => total + each, 0);
}
