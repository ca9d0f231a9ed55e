/** The last minutes of a GPU as a small drawing: encoders and decoders from nothing to full. */
import type { GpuSample } from "../src/media/gpu-samples.ts";
import { type Html, html } from "./html.ts";

/** The drawing's own units; the page stretches it. */
const WIDTH = 240;
const HEIGHT = 36;

/** Half of the line at the top and at the bottom, so that it is not cut off. */
const EDGE = 1;

/** Samples further apart than this have nothing between them: nobody looked. */
const GAP_MS = 12_000;

type Figure = "encoderPercent" | "decoderPercent";

interface Point {
  atMs: number;
  percent: number;
}

/**
 * The right edge is the newest sample, the left one `spanMs` before. Readers of the screen have the
 * figures beside it.
 * @param samples the oldest first
 */
export function loadGraph(samples: readonly GpuSample[], spanMs: number): Html {
  const endMs = samples.at(-1)?.atMs ?? 0;
  const encoder = runs(samples, "encoderPercent");
  const decoder = runs(samples, "decoderPercent");
  const draw = (run: readonly Point[]) => line(run, endMs, spanMs);
  return html`<svg class="load-graph" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true" focusable="false"><path class="graph-floor" d="M0 ${HEIGHT - EDGE}H${WIDTH}"/><path class="graph-area" d="${encoder.map((run) => area(run, draw(run), endMs, spanMs)).join("")}"/><path class="graph-decoder" d="${decoder.map(draw).join("")}"/><path class="graph-encoder" d="${encoder.map(draw).join("")}"/></svg>`;
}

/** What lies together in time and has a figure. */
function runs(samples: readonly GpuSample[], figure: Figure): Point[][] {
  const found: Point[][] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const sample of samples) {
    const percent = sample[figure];
    if (percent === null) continue;
    const point = { atMs: sample.atMs, percent };
    if (point.atMs - lastMs > GAP_MS) found.push([point]);
    else found.at(-1)?.push(point);
    lastMs = point.atMs;
  }
  return found;
}

function line(run: readonly Point[], endMs: number, spanMs: number): string {
  const places = run.map((point) => `${acrossOf(point, endMs, spanMs)} ${downOf(point)}`);
  // A line to itself is a dot: the ends are round.
  return `M${places.join("L")}${places.length === 1 ? "h0" : ""}`;
}

function area(run: readonly Point[], drawn: string, endMs: number, spanMs: number): string {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined || run.length === 1) return "";
  const floor = `L${acrossOf(last, endMs, spanMs)} ${HEIGHT}L${acrossOf(first, endMs, spanMs)} ${HEIGHT}Z`;
  return `${drawn}${floor}`;
}

function acrossOf({ atMs }: Point, endMs: number, spanMs: number): number {
  const across = WIDTH * (1 - (endMs - atMs) / spanMs);
  return tenths(Math.min(WIDTH, Math.max(0, across)));
}

function downOf({ percent }: Point): number {
  const full = Math.min(100, Math.max(0, percent)) / 100;
  return tenths(EDGE + (HEIGHT - 2 * EDGE) * (1 - full));
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
