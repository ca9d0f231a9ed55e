/** Progress for a person on a terminal: one line that is drawn again, on standard error. */
import { durationText, speedText } from "../../views/quantities.ts";
import type { Progress } from "../media/progress.ts";

/** Wide enough to see it move, narrow enough for a split terminal. */
const BAR_COLUMNS = 28;
/** Faster than this a person sees no difference. */
const REDRAW_MS = 100;

export interface ProgressLine {
  show(step: string, progress: Progress): void;
  /** Takes the line away, so that other words can be printed. */
  clear(): void;
}

/** Draws on a terminal; elsewhere it stays silent, because a log wants no bars. */
export function openProgressLine(out: NodeJS.WriteStream): ProgressLine {
  let drawnAtMs = 0;
  let drawn = false;
  return {
    show: (step, progress) => {
      const now = performance.now();
      if (!out.isTTY || now - drawnAtMs < REDRAW_MS) return;
      drawnAtMs = now;
      drawn = true;
      // A terminal that does not know its width says 0.
      out.write(`\r\u001b[2K${progressText(step, progress, out.columns || 80)}`);
    },
    clear: () => {
      if (drawn) out.write("\r\u001b[2K");
      drawn = false;
    },
  };
}

/** The line's text, cut to the terminal's width so that it never wraps. */
export function progressText(step: string, progress: Progress, columns: number): string {
  const percent = progress.percent ?? 0;
  const full = Math.round((percent / 100) * BAR_COLUMNS);
  const bar = `[${"=".repeat(full)}${" ".repeat(BAR_COLUMNS - full)}]`;
  const parts = [
    bar,
    progress.percent === null ? "" : `${percent.toFixed(1).padStart(5)} %`,
    progress.speed === null ? "" : speedText(progress.speed),
    progress.etaSeconds === null ? "" : `ETA ${durationText(progress.etaSeconds)}`,
    step,
  ];
  return parts
    .filter((part) => part !== "")
    .join("  ")
    .slice(0, Math.max(20, columns - 1));
}
