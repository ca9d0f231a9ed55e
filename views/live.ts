/** What the event stream sends to pages. No message carries htmx behaviour, so none needs a nonce. */
import type { Job } from "../src/jobs/job.ts";
import { type Html, html } from "./html.ts";
import { spanText, speedText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";

const words = texts.live;

/** How the progress is shown: in a row of a list, or large on the job's own page. */
export type ProgressSize = "row" | "large";

/** The part of a job that changes many times a second, alone in its element with a stable id. */
export function jobProgress(job: Job, size: ProgressSize): Html {
  const id = size === "row" ? `progress-${job.id}` : `progress-large-${job.id}`;
  return html`<div class="progress in-${size}" id="${id}">${progressInside(job)}</div>`;
}

function progressInside(job: Job): Html {
  const percent = Math.min(100, Math.max(0, job.progressPercent));
  const shown = percent.toFixed(percent < 10 && percent > 0 ? 1 : 0);
  return html`<progress max="100" value="${percent.toFixed(1)}" aria-label="${words.progress}">${shown} %</progress>
<span class="progress-facts"><span class="percent">${shown} %</span>${job.speed === null ? null : html`<span>${words.speed(speedText(job.speed))}</span>`}${job.etaSeconds === null ? null : html`<span>${words.left(spanText(job.etaSeconds))}</span>`}</span>`;
}

/** The unnamed message of a progress event: both places where the job may be shown. */
export function jobProgressMessage(job: Job): string {
  const inside = progressInside(job);
  return html`<hx-partial hx-target="#progress-${job.id}" hx-swap="innerMorph">${inside}</hx-partial><hx-partial hx-target="#progress-large-${job.id}" hx-swap="innerMorph">${inside}</hx-partial>`.message();
}

export interface SseMessage {
  /** Without a name the data is HTML that htmx swaps; with one it becomes an event on the page. */
  event?: string;
  data: string;
  id?: string;
}

/** A message in wire form. Line breaks in the data become further data lines. */
export function sseMessage(message: SseMessage): string {
  const oneLine = (text: string) => text.replace(/[\r\n\0]/g, " ");
  const lines = message.data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`);
  if (message.id !== undefined) lines.unshift(`id: ${oneLine(message.id)}`);
  if (message.event !== undefined) lines.unshift(`event: ${oneLine(message.event)}`);
  return `${lines.join("\n")}\n\n`;
}

/** The element that listens. `every` tries again when the first connect failed; hx-sse does not. */
export function liveConnection(address: string): Html {
  return html`<div id="live" hidden hx-sse:connect="${address}" hx-swap="none" hx-trigger="load, every 20s" hx-sync="this:drop" hx-status:4xx="swap:none" hx-status:5xx="swap:none"></div>`;
}
