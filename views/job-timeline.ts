/** The time line as bars, which readers of the screen have as a table. */
import type { HistoryEntry } from "../src/jobs/event-log.ts";
import type { Job } from "../src/jobs/job.ts";
import { table } from "./components/table.ts";
import { type Html, html } from "./html.ts";
import { deviceTitle } from "./job-words.ts";
import { spanText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";
import { type Bar, barKinds, type Lane, type Timeline, timelineOf } from "./timeline.ts";
import { clockText } from "./times.ts";

const words = texts.timeline;

/** Lanes that are drawn, and rows of the table: a ladder of a long film has hundreds. */
const LANES_MAX = 24;
const ROWS_MAX = 200;

/** Width of the drawing, in its own units; it is stretched to its place. */
const WIDTH = 1000;

/** Less would not be seen. */
const BAR_WIDTH_MIN = 3;

export function jobTimeline(job: Job, history: readonly HistoryEntry[], nowMs: number): Html {
  const line = timelineOf(job, history, nowMs);
  const shown = line.lanes.slice(0, LANES_MAX);
  const hidden = line.lanes.length - shown.length;
  return html`<section class="block job-timeline" id="job-timeline" aria-labelledby="timeline-title">
<h2 id="timeline-title">${words.title}</h2>
<div class="lanes" aria-hidden="true">${shown.map((lane) => laneRow(lane, line))}
<p class="lane-ends"><span>${clockText(iso(line.fromMs))}</span><span>${clockText(iso(line.toMs))}</span></p></div>
${legend(shown)}
${line.shortened || hidden > 0 ? html`<p class="muted lane-note">${line.shortened ? words.shortened : null} ${hidden > 0 ? words.more(hidden) : null}</p>` : null}
<details id="timeline-table"><summary>${words.asTable}</summary>${asTable(line)}</details>
</section>`;
}

/** What the colours say, of those that are there. */
function legend(lanes: readonly Lane[]): Html {
  const there = new Set(lanes.flatMap(({ bars }) => bars.map(({ kind }) => kind)));
  return html`<ul class="lane-legend" aria-hidden="true">${barKinds
    .filter((kind) => there.has(kind))
    .map(
      (kind) =>
        html`<li><svg viewBox="0 0 12 12" aria-hidden="true" focusable="false"><rect class="bar ${kind}" width="12" height="12" rx="3"></rect></svg>${words.kinds[kind]}</li>`,
    )}</ul>`;
}

function laneRow(lane: Lane, line: Timeline): Html {
  const { bars } = lane;
  return html`<div class="lane"><span class="lane-title" hx-ignore>${laneTitle(lane)}</span>
<svg class="lane-bars" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true" focusable="false">${bars.map((bar) => barShape(bar, lane, line))}</svg>
<span class="lane-span">${spanText(workedMs(bars) / 1000)}</span></div>`;
}

function laneTitle({ title, device, bars }: Lane): string {
  if (title === null) return words.whole;
  if (title === "") return words.publication;
  if (device !== null) return words.parts(title, deviceTitle(device));
  const own = bars[0]?.device;
  return own === null || own === undefined ? title : words.parts(title, deviceTitle(own));
}

function workedMs(bars: readonly Bar[]): number {
  const worked = bars.filter(({ kind }) => kind !== "waited" && kind !== "paused");
  return (worked.length > 0 ? worked : bars).reduce((sum, bar) => sum + bar.toMs - bar.fromMs, 0);
}

function barShape(bar: Bar, lane: Lane, line: Timeline): Html {
  const from = line.placeOf(bar.fromMs) * WIDTH;
  const width = Math.max(BAR_WIDTH_MIN, line.placeOf(bar.toMs) * WIDTH - from - 1);
  const x = Math.min(from, WIDTH - BAR_WIDTH_MIN);
  return html`<rect class="bar ${bar.kind}" x="${x.toFixed(1)}" y="2" width="${width.toFixed(1)}" height="16"><title hx-ignore>${barWords(bar, lane)}</title></rect>`;
}

function barWords(bar: Bar, lane: Lane): string {
  const what = bar.part === null ? laneTitle(lane) : words.part(bar.part);
  const span = spanText((bar.toMs - bar.fromMs) / 1000);
  return [`${what}: ${words.kinds[bar.kind]}, ${span}.`, bar.sentence].join(" ").trim();
}

function asTable(line: Timeline): Html {
  const all = line.lanes.flatMap((lane) => lane.bars.map((bar) => ({ lane, bar })));
  const rows = all.slice(0, ROWS_MAX);
  const columns = [
    { title: words.what },
    { title: words.where },
    { title: words.from },
    { title: words.span, numeric: true },
    { title: words.how },
  ];
  return html`${table({
    caption: words.caption,
    columns,
    rows: rows.map(({ lane, bar }) => ({
      cells: [
        html`<span hx-ignore>${stepWords(bar, lane)}</span>`,
        bar.device === null ? "–" : deviceTitle(bar.device),
        clockText(iso(bar.fromMs)),
        spanText((bar.toMs - bar.fromMs) / 1000),
        words.kinds[bar.kind],
      ],
    })),
  })}${all.length > rows.length ? html`<p class="muted">${words.cut(rows.length)}</p>` : null}`;
}

function stepWords(bar: Bar, { title }: Lane): string {
  if (title === null) return words.whole;
  if (title === "") return words.publication;
  return bar.part === null ? title : `${title}: ${words.part(bar.part)}`;
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
