/** One job: live progress, its time line, steps with their proofs, the result or the failure. */
import type { Asset } from "../src/assets/asset.ts";
import type { Job } from "../src/jobs/job.ts";
import type { FailureReport } from "../src/trouble.ts";
import { button } from "./components/button.ts";
import { predictedWords } from "./estimate.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { jobButtons } from "./job-actions.ts";
import { attempts, history, parameters, standing } from "./job-facts.ts";
import { copyable, isProof, isReport, steps } from "./job-steps.ts";
import { jobTimeline } from "./job-timeline.ts";
import {
  deviceTitle,
  fellBack,
  type JobEntry,
  runSeconds,
  stateBadge,
  waitReason,
} from "./job-words.ts";
import { page, type Viewer } from "./layout.ts";
import { thumbnailPicture } from "./library.ts";
import { jobProgress, liveConnection } from "./live.ts";
import { codecTitle, resolutionTitle } from "./media-words.ts";
import { player, scriptsOfPlayer } from "./player.ts";
import { durationText, sizeText, spanText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.job;

/** What the page of a job shows. */
export interface JobView extends JobEntry {
  /** Where what has not ended is drawn to. */
  nowMs: number;
}

/** `GET /jobs/ID` */
export function jobPage(viewer: Viewer, view: JobView): Html {
  const { job } = view;
  const body = html`<div class="page-head asset-head">
<a class="icon-button" href="/jobs" aria-label="${words.back}">${icon("back")}</a>
<div class="head-text"><h1>${view.operationTitle}</h1><p class="muted inputs">${inputLinks(view)}</p></div>
</div>
${jobPanel(view)}
${liveConnection(`/ui/events?job=${job.id}`)}`;
  // What it makes may come while the page is open.
  const scripts = ["jobs.js", ...scriptsOfPlayer({ ladders: job.operation === "ladder" })];
  const files = { scripts, styles: ["jobs.css", "player.css"] };
  return page({ title: job.title, viewer, active: "jobs", body, ...files });
}

function inputLinks(entry: JobEntry): Html {
  return html`${entry.inputs.map((input, position) => {
    const comma = position === 0 ? words.of : ", ";
    return input.name === null
      ? html`${comma}${words.deletedFile}`
      : html`${comma}<a href="/assets/${input.id}" hx-ignore>${input.name}</a>`;
  })}`;
}

/** `GET /ui/jobs/ID`: everything of the job that changes. Asks by itself only while there is something to come. */
export function jobPanel(view: JobView): Html {
  const { job } = view;
  if (job.finishedAt !== null) {
    return html`<div id="job-panel" class="job-panel" data-state="${job.state}" hx-get="/ui/jobs/${job.id}" hx-trigger="job from:body throttle:500ms" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${panelInside(view)}</div>`;
  }
  return html`<div id="job-panel" class="job-panel" data-state="${job.state}" hx-get="/ui/jobs/${job.id}" hx-trigger="job from:body throttle:500ms, every 30s" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${panelInside(view)}</div>`;
}

function panelInside(view: JobView): Html {
  const { job } = view;
  return html`<section class="job-status" aria-label="${words.state}">
<div class="job-status-line" role="status">${stateBadge(job)}<span class="muted">${stateSentence(view)}</span></div>
<div class="job-status-actions" hx-status:4xx:inherited="target:#job-answer swap:innerHTML" hx-status:5xx:inherited="target:#job-answer swap:innerHTML">${jobButtons(view, "normal")}</div>
<div id="job-answer" class="job-answer" hx-morph-skip></div>
${job.state === "running" ? jobProgress(job, "large") : null}
${deviceLine(view)}
${expectation(view)}
${priorityForm(job)}
</section>
${fallback(job)}
${job.error === null ? null : failure(job.error)}
${job.notes.length === 0 ? null : html`<ul class="notes" id="job-notes" hx-ignore>${job.notes.map((note) => html`<li>${icon("info")}<span>${note}</span></li>`)}</ul>`}
${reportSentences(job)}
${view.outputs.length === 0 ? null : results(job.id, view.outputs)}
${jobTimeline(job, view.history ?? [], view.nowMs)}
<div class="job-columns">
${steps(job)}
<div>${standing(view)}${parameters(job.params)}${attempts(job)}</div>
</div>
${history(view.history ?? [])}
${helpReport(view)}`;
}

/** As long as it waits, it can go before or behind others. */
function priorityForm({ id, state, priority }: Job): Html | null {
  if (state !== "queued" && state !== "waiting") return null;
  const usual = [
    [50, words.urgent],
    [0, words.usual],
    [-50, words.unhurried],
  ] as const;
  return html`<form class="job-priority" id="job-priority" hx-post="/ui/jobs/${id}/priority" hx-swap="none" hx-disable="find button" hx-status:4xx="target:#job-answer swap:innerHTML" hx-status:5xx="target:#job-answer swap:innerHTML">
<label for="priority-field">${words.priority}</label>
<input type="number" id="priority-field" name="priority" value="${priority}" min="-100" max="100" step="1" required list="priority-usual" aria-describedby="priority-hint">
<datalist id="priority-usual">${usual.map(([points, title]) => html`<option value="${points}" label="${title}"></option>`)}</datalist>
${button({ label: words.setPriority, submit: true })}
<span class="muted" id="priority-hint">${words.priorityHint}</span>
</form>`;
}

/** Asked for when it is opened. */
function helpReport({ job }: JobView): Html {
  return html`<details class="report" id="help-report" hx-get="/ui/jobs/${job.id}/report" hx-trigger="toggle once" hx-target="find .report-inside" hx-swap="innerHTML" hx-morph-skip><summary>${icon("file")}${words.report}</summary><p class="muted">${words.reportText}</p><div class="report-inside" aria-live="polite"></div></details>`;
}

/** `GET /ui/jobs/ID/report` */
export function reportInside(report: string): Html {
  return copyable("report-text", report);
}

/** While it runs what is expected of it; afterwards that beside what it really took and made. */
function expectation(entry: JobEntry): Html | null {
  const { job, outputs } = entry;
  const { predicted = null } = job;
  if (predicted === null || job.state === "queued" || job.state === "waiting") return null;
  const { seconds, bytes } = predictedWords(predicted);
  const expected = bytes === null ? seconds : `${seconds}, ${bytes}`;
  const spent = runSeconds(entry);
  if (job.state !== "succeeded" || spent === null) {
    return html`<p class="muted expectation">${words.expected(expected, predicted.basis)}</p>`;
  }
  const made = outputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const size = outputs.length === 0 ? "" : words.made(sizeText(made));
  return html`<p class="muted expectation">${words.took(spanText(spent), size)}${words.expected(expected, predicted.basis)}</p>`;
}

/** Where it runs and why there, or what it waits for. */
function deviceLine({ job, place }: JobEntry): Html | null {
  const line = place ? texts.jobList.line(place.place, place.others) : null;
  const told = [line, waitReason(job)].filter((each) => each !== null);
  if (told.length > 0) {
    return html`<p class="device">${icon("clock")}<span><strong>${words.waits}</strong> <span hx-ignore>${told.join(" ")}</span></span></p>`;
  }
  // A fall back to the CPU has a place of its own.
  if (fellBack(job) && job.deviceReason !== null) return null;
  if (job.device === null && job.deviceReason === null) return null;
  return html`<p class="device">${icon("device")}<span><strong>${job.device === null ? words.device : deviceTitle(job.device)}</strong> <span hx-ignore>${job.deviceReason}</span></span></p>`;
}

/** Nothing is wrong with the job: it took longer, and somebody may want to look at the GPU. */
function fallback(job: Job): Html | null {
  if (!fellBack(job) || job.deviceReason === null) return null;
  const ended = job.finishedAt !== null;
  return html`<section class="callout" id="job-fallback" aria-label="${words.whyCpu(ended)}">
${icon("info")}<div><p class="notice-title">${words.fellBack(ended)}</p><p hx-ignore>${job.deviceReason}</p></div>
</section>`;
}

function stateSentence(entry: JobEntry): Html {
  const { job } = entry;
  const asked = html`${words.askedFor} ${timeText(job.createdAt)}.`;
  if (waitReason(job) !== null) return asked;
  if (job.state === "queued") return html`${texts.jobList.soon} ${asked}`;
  if (job.state === "waiting") return html`${words.waitsUntold}`;
  if (job.state === "running" && job.pausedAt !== null)
    return html`${words.stillSince} ${timeText(job.pausedAt)}. ${words.still}`;
  if (job.state === "running")
    return html`${words.started} ${timeText(job.startedAt ?? job.createdAt)}.`;
  const spent = runSeconds(entry);
  const took = spent === null ? null : words.endedAfter(spanText(spent));
  return html`${words.ended} ${timeText(job.finishedAt ?? job.createdAt)}${took}.`;
}

function failure(error: FailureReport): Html {
  return html`<section class="callout bad failure" id="job-failure" aria-label="${words.failure}">
${icon("warning")}
<div><p class="notice-title" hx-ignore>${error.message}</p>
${error.hint === "" ? null : html`<p hx-ignore>${error.hint}</p>`}
${error.log === "" ? null : html`<details id="job-log"><summary>${words.log}</summary>${copyable("job-log-text", error.log)}</details>`}
<p class="failure-end"><button type="button" class="button" data-copy-report>${icon("copy")}<span>${words.copyReport}</span></button><span class="muted">${words.code} <code>${error.code}</code></span></p></div>
</section>`;
}

function results(jobId: string, outputs: readonly Asset[]): Html {
  const [main, ...others] = outputs;
  if (main === undefined) return html``;
  return html`<section class="block results" id="job-results" aria-labelledby="results-title">
<h2 id="results-title">${words.result}</h2>
${player(main, { place: "result" })}
<ul class="rows outputs">${[main, ...others].map(outputRow)}</ul>
${others.length === 0 ? null : html`<p class="results-all"><a class="button" href="/api/v1/assets/zip?job=${jobId}" download>${icon("download")}${words.downloadAll}</a></p>`}
</section>`;
}

function outputRow(asset: Asset): Html {
  const video = asset.media?.video ?? null;
  const seconds = asset.media?.durationSeconds ?? null;
  return html`<li class="row" id="output-${asset.id}">
<a class="row-thumbnail" href="/assets/${asset.id}" tabindex="-1" aria-hidden="true">${thumbnailPicture(asset)}</a>
<div class="row-main"><p class="row-title"><a href="/assets/${asset.id}" hx-ignore><span class="row-name">${asset.name}</span></a></p>
<p class="row-facts">${video === null ? null : html`<span>${codecTitle(video.codec)}</span><span>${resolutionTitle(video)}</span>`}${seconds === null ? null : html`<span>${durationText(seconds)}</span>`}<span>${sizeText(asset.sizeBytes)}</span></p></div>
<div class="row-end"><a class="button" href="/api/v1/assets/${asset.id}/content?download=1" download="${asset.name}" aria-label="${words.downloadFile(asset.name)}">${icon("download")}${words.download}</a></div>
</li>`;
}

/** What a report comes to, for jobs that make one: faults are no proofs, so they stand by themselves. */
function reportSentences({ steps: all }: Job): Html | null {
  const told = all
    .filter(isReport)
    .flatMap(({ checks }) => checks.filter((each) => !isProof(each)));
  if (told.length === 0) return null;
  return html`<ul class="notes" id="job-report" aria-label="${words.found}" hx-ignore>${told.map((each) => html`<li>${icon("info")}<span>${each}</span></li>`)}</ul>`;
}
