/** What of a job stands in lists of names and values: its order, what was asked for, its attempts, its history. */
import type { HistoryEntry } from "../src/jobs/event-log.ts";
import type { Job, JobAttempt } from "../src/jobs/job.ts";
import { type Hole, type Html, html } from "./html.ts";
import { deviceTitle, type JobEntry } from "./job-words.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.job;

/** What decides about when it starts, and by whom it was asked for. */
export function standing(entry: JobEntry): Html | null {
  const { job, place, asker } = entry;
  const { after, batch, notBefore, finishedAt, priority, onlyOn = null } = job;
  const rows: (readonly [string, Hole] | null)[] = [
    asker ? [words.askedBy, html`<span hx-ignore>${asker}</span>`] : null,
    place ? [words.inLine, texts.jobList.line(place.place, place.others)] : null,
    onlyOn === null ? null : [words.onlyOn, words.onlyOnValue],
    priority === 0 ? null : [words.priority, priority],
    after.length === 0 ? null : [words.after, afterLinks(after)],
    notBefore === null || finishedAt !== null ? null : [words.notBefore, timeText(notBefore)],
    batch === null
      ? null
      : [words.batch, html`<a href="/jobs?batch=${batch}">${words.batchLink}</a>`],
    ...Object.entries(job.labels).map(([name, value]) => [name, labelLink(name, value)] as const),
  ];
  const told = rows.filter((row) => row !== null);
  if (told.length === 0) return null;
  return html`<section class="facts asked" id="job-standing"><h3>${words.order}</h3><dl>${told.map(
    ([name, value]) => html`<div><dt hx-ignore>${name}</dt><dd>${value}</dd></div>`,
  )}</dl></section>`;
}

function afterLinks(after: readonly string[]): Html {
  return html`${after.map((id, at) => html`${at === 0 ? null : ", "}<a href="/jobs/${id}">${words.afterJob(at + 1)}</a>`)}`;
}

function labelLink(name: string, value: string): Html {
  const address = `/jobs?${new URLSearchParams({ label: `${name}:${value}` }).toString()}`;
  return html`<a href="${address}" hx-ignore>${value}</a>`;
}

/** Parameters as `video.codec: h264`, the way the API and the command line name them. */
export function parameters(params: Record<string, unknown>): Html | null {
  const rows = flatten(params, "");
  if (rows.length === 0) return null;
  return html`<section class="facts asked"><h3>${words.params}</h3><dl>${rows.map(
    ([path, value]) => html`<div><dt><code>${path}</code></dt><dd hx-ignore>${value}</dd></div>`,
  )}</dl></section>`;
}

function flatten(value: unknown, path: string): [string, string][] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return [[path, JSON.stringify(value)]];
  if (typeof value !== "object") return [[path, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flatten(inner, path === "" ? key : `${path}.${key}`),
  );
}

export function attempts({ attempts: list }: Job): Html | null {
  if (list.length === 0) return null;
  return html`<section class="facts"><h3>${list.length === 1 ? words.attempt : words.attempts}</h3><ol class="attempts">${list.map(
    (attempt) =>
      html`<li><span>${timeText(attempt.startedAt)}</span><span>${deviceTitle(attempt.device)}</span><span class="${attempt.outcome === "failed" ? "bad-text" : null}">${words.outcomes[attempt.outcome]}</span>${attemptWords(attempt, list.length)}</li>`,
  )}</ol></section>`;
}

/** What of earlier attempts it used, and why it failed or what ran; the only attempt has its proof in the steps. */
function attemptWords({ error, proof, notes = [] }: JobAttempt, count: number): Html | null {
  const end = error?.message ?? (count > 1 ? proof?.sentence : undefined);
  const told = [...notes, ...(end === undefined ? [] : [end])];
  return told.length === 0 ? null : html`<span class="muted" hx-ignore>${told.join(" ")}</span>`;
}

/** Who did what, when and why. */
export function history(entries: readonly HistoryEntry[]): Html | null {
  if (entries.length === 0) return null;
  return html`<section class="block" id="job-history" aria-labelledby="history-title"><h2 id="history-title">${words.history}</h2><ol class="attempts">${entries.map(
    ({ at, what, who, sentence }) =>
      html`<li><span>${timeText(at)}</span><span>${words.happenings[what] ?? what}</span><span hx-ignore>${who === "" ? words.kinomill : who}</span>${sentence === "" ? null : html`<span class="muted" hx-ignore>${sentence}</span>`}</li>`,
  )}</ol></section>`;
}
