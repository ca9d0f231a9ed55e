/** Graphs of the last minutes: places that `graphs.js` fills, and the same figures as a table for whoever asks. */
import { type Html, html } from "./html.ts";
import { texts } from "./texts/texts.ts";

const words = texts.system;

/** How a figure is said. */
export type Unit = "percent" | "bytes" | "celsius" | "watts" | "milliseconds" | "count" | "seconds";

export interface GraphLine {
  /** Name of the figure in the samples. */
  figure: string;
  label: string;
  unit: Unit;
}

export interface Graph {
  title: string;
  /** UUID of a GPU, or "machine". */
  source: string;
  /** Lines of another unit than the first have their own axis on the right. */
  lines: readonly GraphLine[];
  /** Upper end of the left axis: a number, or the figure that says it; absent: what the lines need. */
  top?: number | string;
}

/** Seconds that graphs can show. */
export const graphRanges = ["300", "3600"] as const;
export type GraphRange = (typeof graphRanges)[number];

/** The place of a graph. It keeps its size, whatever is drawn there. */
export function graph({ title, source, lines, top }: Graph): Html {
  const told = JSON.stringify({ source, lines, top });
  return html`<figure class="graph" data-graph="${told}" hx-morph-skip id="${graphId(source, title)}"><figcaption><span class="graph-title">${title}</span><span class="graph-keys">${lines.map(
    ({ label }, place) =>
      html`<span class="graph-key" data-line="${place + 1}">${label} <b data-value>–</b></span>`,
  )}</span></figcaption><div class="graph-body" aria-hidden="true"><p class="graph-empty">${words.noSamples}</p></div></figure>`;
}

function graphId(source: string, title: string): string {
  return `graph-${source}-${title}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

/** What the graphs of a source show, as a table that comes when somebody opens it. */
export function graphTable(source: string): Html {
  return html`<details class="graph-table"><summary>${words.asTable}</summary>
<div hx-get="/ui/system/load-table?source=${source}" hx-include="#graph-range" hx-trigger="toggle from:'closest details'" hx-swap="innerHTML" hx-status:4xx="swap:none" hx-status:5xx="swap:none"></div></details>`;
}

/** For all graphs of the page. `graphs.js` keeps the choice in the address. */
export function rangeChoice(chosen: GraphRange): Html {
  return html`<form id="graph-range" class="graph-range" method="get" action="/system"><fieldset class="segments"><legend class="sr-only">${words.graphRange}</legend>${graphRanges.map(
    (range) =>
      html`<label><input type="radio" name="range" value="${range}" checked="${range === chosen}"><span>${words.ranges[range]}</span></label>`,
  )}</fieldset></form>`;
}
