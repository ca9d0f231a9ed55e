/** One job: live progress, steps with their proofs, attempts, the result or the failure. */
import type { Asset } from "../src/assets/asset.ts";
import type { HistoryEntry } from "../src/jobs/event-log.ts";
import type { Job, JobAttempt } from "../src/jobs/job.ts";
import type { FailureReport } from "../src/trouble.ts";
import { predictedWords } from "./estimate.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { isProof, isReport, steps } from "./job-steps.ts";
import { deviceTitle, fellBack, type JobEntry, stateBadge, waitReason } from "./job-words.ts";
import { jobButtons, runSeconds } from "./jobs.ts";
import { page, type Viewer } from "./layout.ts";
import { thumbnailPicture } from "./library.ts";
import { jobProgress, liveConnection } from "./live.ts";
import { codecTitle, resolutionTitle } from "./media-words.ts";
import { player } from "./player.ts";
import { durationText, sizeText, spanText } from "./quantities.ts";
import { timeText } from "./times.ts";

/** `GET /jobs/ID` */
export function jobPage(viewer: Viewer, entry: JobEntry): Html {
  const { job } = entry;
  const body = html`<div class="page-head asset-head">
<a class="icon-button" href="/jobs" aria-label="Back to the jobs">${icon("back")}</a>
<div class="head-text"><h1>${entry.operationTitle}</h1><p class="muted inputs">${inputLinks(entry)}</p></div>
</div>
${jobPanel(entry)}
${liveConnection(`/ui/events?job=${job.id}`)}`;
  return page({ title: job.title, viewer, active: "jobs", body });
}

function inputLinks(entry: JobEntry): Html {
  return html`${entry.inputs.map((input, position) => {
    const comma = position === 0 ? "of " : ", ";
    return input.name === null
      ? html`${comma}a deleted file`
      : html`${comma}<a href="/assets/${input.id}" hx-ignore>${input.name}</a>`;
  })}`;
}

/** `GET /ui/jobs/ID`: everything of the job that changes. Polls only while there is something to come. */
export function jobPanel(entry: JobEntry): Html {
  const { job } = entry;
  const ended = job.finishedAt !== null;
  const trigger = ended
    ? html`<div id="job-panel" class="job-panel" data-state="${job.state}" hx-get="/ui/jobs/${job.id}" hx-trigger="job from:body throttle:500ms" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${panelInside(entry)}</div>`
    : html`<div id="job-panel" class="job-panel" data-state="${job.state}" hx-get="/ui/jobs/${job.id}" hx-trigger="job from:body throttle:500ms, every 10s" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${panelInside(entry)}</div>`;
  return trigger;
}

function panelInside(entry: JobEntry): Html {
  const { job } = entry;
  return html`<section class="job-status" aria-label="State">
<div class="job-status-line" role="status">${stateBadge(job)}<span class="muted">${stateSentence(entry)}</span></div>
<div class="job-status-actions">${jobButtons(entry, "normal")}</div>
${job.state === "running" ? jobProgress(job, "large") : null}
${deviceLine(job)}
${expectation(entry)}
</section>
${fallback(job)}
${job.error === null ? null : failure(job.error)}
${job.notes.length === 0 ? null : html`<ul class="notes" id="job-notes" hx-ignore>${job.notes.map((note) => html`<li>${icon("info")}<span>${note}</span></li>`)}</ul>`}
${reportSentences(job)}
${entry.outputs.length === 0 ? null : results(job.id, entry.outputs)}
<div class="job-columns">
${steps(job)}
<div>${standing(job)}${parameters(job.params)}${attempts(job.attempts)}</div>
</div>
${history(entry.history ?? [])}`;
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
    return html`<p class="muted expectation">Expected: ${expected}; ${predicted.basis}.</p>`;
  }
  const made = outputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const size = outputs.length === 0 ? "" : ` and made ${sizeText(made)}`;
  return html`<p class="muted expectation">Took ${spanText(spent)}${size}. Expected: ${expected}; ${predicted.basis}.</p>`;
}

/** Where it runs and why there, or what it waits for. */
function deviceLine(job: Job): Html | null {
  const waits = waitReason(job);
  if (waits !== null) {
    return html`<p class="device">${icon("clock")}<span><strong>Waits:</strong> <span hx-ignore>${waits}</span></span></p>`;
  }
  // A fall back to the CPU has a place of its own.
  if (fellBack(job) && job.deviceReason !== null) return null;
  if (job.device === null && job.deviceReason === null) return null;
  return html`<p class="device">${icon("device")}<span><strong>${job.device === null ? "Device" : deviceTitle(job.device)}</strong> <span hx-ignore>${job.deviceReason}</span></span></p>`;
}

/** Nothing is wrong with the job: it took longer, and somebody may want to look at the GPU. */
function fallback(job: Job): Html | null {
  if (!fellBack(job) || job.deviceReason === null) return null;
  const verb = job.finishedAt === null ? "runs" : "ran";
  return html`<section class="callout" id="job-fallback" aria-label="Why it ${verb} on the CPU">
${icon("info")}<div><p class="notice-title">It ${verb} on the CPU instead of a GPU</p><p hx-ignore>${job.deviceReason}</p></div>
</section>`;
}

function stateSentence(entry: JobEntry): Html {
  const { job } = entry;
  if (waitReason(job) !== null) return html`Asked for ${timeText(job.createdAt)}.`;
  if (job.state === "queued")
    return html`It starts as soon as a device is free. Asked for ${timeText(job.createdAt)}.`;
  if (job.state === "waiting") return html`It waits for other jobs or for a device that can do it.`;
  if (job.state === "running" && job.pausedAt !== null)
    return html`It stands still since ${timeText(job.pausedAt)}. Its place is lent to other jobs; it keeps its memory.`;
  if (job.state === "running") return html`Started ${timeText(job.startedAt ?? job.createdAt)}.`;
  const spent = runSeconds(entry);
  const took = spent === null ? null : html` after ${spanText(spent)}`;
  return html`Ended ${timeText(job.finishedAt ?? job.createdAt)}${took}.`;
}

function failure(error: FailureReport): Html {
  return html`<section class="callout bad failure" id="job-failure" aria-label="Why it failed">
${icon("warning")}
<div><p class="notice-title" hx-ignore>${error.message}</p>
${error.hint === "" ? null : html`<p hx-ignore>${error.hint}</p>`}
${error.log === "" ? null : html`<details id="job-log" hx-morph-skip><summary>What ffmpeg said last</summary><pre hx-ignore tabindex="0">${error.log}</pre></details>`}
<p class="muted">Code <code>${error.code}</code></p></div>
</section>`;
}

function results(jobId: string, outputs: readonly Asset[]): Html {
  const [main, ...others] = outputs;
  if (main === undefined) return html``;
  return html`<section class="block results" id="job-results" aria-labelledby="results-title">
<h2 id="results-title">Result</h2>
${player(main, "result")}
<ul class="rows outputs">${[main, ...others].map(outputRow)}</ul>
${others.length === 0 ? null : html`<p class="results-all"><a class="button" href="/api/v1/assets/zip?job=${jobId}" download>${icon("download")}Download all as zip</a></p>`}
</section>`;
}

function outputRow(asset: Asset): Html {
  const video = asset.media?.video ?? null;
  const seconds = asset.media?.durationSeconds ?? null;
  return html`<li class="row" id="output-${asset.id}">
<a class="row-thumbnail" href="/assets/${asset.id}" tabindex="-1" aria-hidden="true">${thumbnailPicture(asset)}</a>
<div class="row-main"><p class="row-title"><a href="/assets/${asset.id}" hx-ignore><span class="row-name">${asset.name}</span></a></p>
<p class="row-facts">${video === null ? null : html`<span>${codecTitle(video.codec)}</span><span>${resolutionTitle(video)}</span>`}${seconds === null ? null : html`<span>${durationText(seconds)}</span>`}<span>${sizeText(asset.sizeBytes)}</span></p></div>
<div class="row-end"><a class="button" href="/api/v1/assets/${asset.id}/content?download=1" download="${asset.name}" aria-label="Download ${asset.name}">${icon("download")}Download</a></div>
</li>`;
}

/** What a report comes to, for jobs that make one: faults are no proofs, so they stand by themselves. */
function reportSentences({ steps: all }: Job): Html | null {
  const told = all
    .filter(isReport)
    .flatMap(({ checks }) => checks.filter((each) => !isProof(each)));
  if (told.length === 0) return null;
  return html`<ul class="notes" id="job-report" aria-label="What was found" hx-ignore>${told.map((each) => html`<li>${icon("info")}<span>${each}</span></li>`)}</ul>`;
}

/** What decides about when it starts, where that is not as usual. */
function standing({ priority, after, notBefore, labels, finishedAt }: Job): Html | null {
  const rows = [
    priority === 0 ? null : (["Priority", html`${priority}`] as const),
    after.length === 0
      ? null
      : ([
          "After",
          html`${after.map((id, place) => html`${place === 0 ? null : ", "}<a href="/jobs/${id}">job ${place + 1}</a>`)}`,
        ] as const),
    notBefore === null || finishedAt !== null
      ? null
      : (["Not before", timeText(notBefore)] as const),
    ...Object.entries(labels).map(
      ([name, value]) => [name, html`<span hx-ignore>${value}</span>`] as const,
    ),
  ].filter((row) => row !== null);
  if (rows.length === 0) return null;
  return html`<section class="facts asked" id="job-standing"><h3>Order and labels</h3><dl>${rows.map(
    ([name, value]) => html`<div><dt hx-ignore>${name}</dt><dd>${value}</dd></div>`,
  )}</dl></section>`;
}

const happenings: Record<string, string> = {
  submit: "asked for",
  claim: "started",
  hold: "put aside",
  unhold: "back in the queue",
  pause: "paused",
  resume: "resumed",
  precede: "the job before it ended",
  wake: "its time has come",
  succeed: "done",
  fail: "failed",
  postpone: "failed, another run follows",
  "make room": "the disk was full",
  "try elsewhere": "its device failed, goes on elsewhere",
  release: "put back, the server was stopped",
  recover: "put back after a crash",
  cancel: "cancelled",
  retry: "queued again",
  priority: "other priority",
  after: "waits for other jobs",
  "not before": "other time",
  labels: "other labels",
};

/** Who did what, when and why. */
function history(entries: readonly HistoryEntry[]): Html | null {
  if (entries.length === 0) return null;
  return html`<section class="block" id="job-history" aria-labelledby="history-title"><h2 id="history-title">History</h2><ol class="attempts">${entries.map(
    ({ at, what, who, sentence }) =>
      html`<li><span>${timeText(at)}</span><span>${happenings[what] ?? what}</span><span hx-ignore>${who === "" ? "Kinomill" : who}</span>${sentence === "" ? null : html`<span class="muted" hx-ignore>${sentence}</span>`}</li>`,
  )}</ol></section>`;
}

/** Parameters as `video.codec: h264`, the way the API and the command line name them. */
function parameters(params: Record<string, unknown>): Html | null {
  const rows = flatten(params, "");
  if (rows.length === 0) return null;
  return html`<section class="facts asked"><h3>Asked for</h3><dl>${rows.map(
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

const outcomeTitles: Record<JobAttempt["outcome"], string> = {
  running: "running",
  succeeded: "done",
  failed: "failed",
  cancelled: "cancelled",
  interrupted: "interrupted by a restart",
};

function attempts(list: readonly JobAttempt[]): Html | null {
  if (list.length === 0) return null;
  return html`<section class="facts"><h3>${list.length === 1 ? "Attempt" : "Attempts"}</h3><ol class="attempts">${list.map(
    (attempt) =>
      html`<li><span>${timeText(attempt.startedAt)}</span><span>${deviceTitle(attempt.device)}</span><span class="${attempt.outcome === "failed" ? "bad-text" : null}">${outcomeTitles[attempt.outcome]}</span>${attemptWords(attempt, list.length)}</li>`,
  )}</ol></section>`;
}

/** What of earlier attempts it used, and why it failed or what ran; the only attempt has its proof in the steps. */
function attemptWords({ error, proof, notes = [] }: JobAttempt, count: number): Html | null {
  const end = error?.message ?? (count > 1 ? proof?.sentence : undefined);
  const words = [...notes, ...(end === undefined ? [] : [end])];
  return words.length === 0 ? null : html`<span class="muted" hx-ignore>${words.join(" ")}</span>`;
}
