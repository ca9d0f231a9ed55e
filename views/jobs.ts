/** The list of jobs: the page and its rows. */
import { type Job, type JobState, jobStates } from "../src/jobs/job.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import {
  deviceTitle,
  fellBack,
  inputTitle,
  type JobEntry,
  mayCancel,
  mayPause,
  mayResume,
  mayRetry,
  stateBadge,
  stateTitle,
  waitReason,
} from "./job-words.ts";
import { page, type Viewer } from "./layout.ts";
import { thumbnailPicture } from "./library.ts";
import { jobProgress, liveConnection } from "./live.ts";
import { spanText } from "./quantities.ts";
import { timeText } from "./times.ts";

export interface JobsView {
  /** Only jobs in this state; null for all. */
  state: JobState | null;
  /** Part of the title or of a label; "" for all. */
  query: string;
  entries: readonly JobEntry[];
  /** `after` of the next page; null at the end. */
  next: string | null;
}

/** `GET /jobs` */
export function jobsPage(viewer: Viewer, view: JobsView): Html {
  const tab = (state: JobState | null, title: string) =>
    html`<a href="${address("/jobs", { ...view, state }, null)}" aria-current="${state === view.state ? "true" : null}">${title}</a>`;
  const body = html`<div class="page-head">
<h1>Jobs</h1>
<nav class="segments" aria-label="Filter by state">${tab(null, "All")}${jobStates.map((state) => tab(state, stateTitle(state)))}</nav>
<form method="get" action="/jobs" role="search">${view.state === null ? null : html`<input type="hidden" name="state" value="${view.state}">`}<label class="search-field">${icon("search")}<span class="sr-only">Search by name or label</span><input type="search" name="q" value="${view.query}" placeholder="Search by name or label" maxlength="200" autocomplete="off" data-shortcut="/"></label></form>
</div>
${jobsList(view)}
${liveConnection("/ui/events")}`;
  return page({ title: "Jobs", viewer, active: "jobs", body });
}

type Shown = Pick<JobsView, "state" | "query">;

function address(path: string, { state, query }: Shown, after: string | null): string {
  const parameters = new URLSearchParams();
  if (state !== null) parameters.set("state", state);
  if (query !== "") parameters.set("q", query);
  if (after !== null) parameters.set("after", after);
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
}

const listAddress = (view: JobsView, after: string | null) => address("/ui/jobs", view, after);

/** One button for all jobs of a list, where all of them can be cancelled or tried again. */
function bulkButton(view: JobsView): Html | null {
  if (view.state === null || view.entries.length === 0) return null;
  const jobs = `all jobs that are ${stateTitle(view.state).toLowerCase()}${view.query === "" ? "" : " and have the searched words"}`;
  if (view.state === "failed" || view.state === "cancelled") {
    return html`<div class="bulk"><button type="button" class="button" id="jobs-retry" hx-post="${address("/ui/jobs/bulk/retry", view, null)}" hx-swap="none" hx-disable="this" hx-confirm="Try all of them again?" data-confirm-title="Try all of them again?" data-confirm-text="${`This queues ${jobs}, up to a thousand at once.`}" data-confirm-yes="Try again">${icon("retry")}Try all again</button></div>`;
  }
  if (view.state === "succeeded") return null;
  return html`<div class="bulk"><button type="button" class="button quiet danger-text" id="jobs-cancel" hx-post="${address("/ui/jobs/bulk/cancel", view, null)}" hx-swap="none" hx-disable="this" hx-confirm="Cancel all of them?" data-confirm-title="Cancel all of them?" data-confirm-text="${`This cancels ${jobs}, up to a thousand at once. What they have done so far is lost.`}" data-confirm-yes="Cancel the jobs">${icon("close")}Cancel all</button></div>`;
}

/** `GET /ui/jobs` without `after`. Fetches itself on every `job` event and slowly besides. */
export function jobsList(view: JobsView): Html {
  const content =
    view.entries.length === 0
      ? noJobs(view)
      : html`${bulkButton(view)}<ul class="rows" id="job-rows">${jobsMore(view)}</ul>`;
  return html`<div id="jobs" hx-get="${listAddress(view, null)}" hx-trigger="job from:body throttle:1s, every 15s" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none" data-rows="#job-rows">${content}</div>`;
}

/** `GET /ui/jobs?after=`: further rows and, if there are more, the button for them. */
export function jobsMore(view: JobsView): Html {
  const more =
    view.next === null
      ? null
      : html`<li class="more" id="jobs-more"><button type="button" class="button" hx-get="${listAddress(view, view.next)}" hx-target="#jobs-more" hx-swap="outerHTML" hx-sync="this:drop">Show more</button></li>`;
  return html`${view.entries.map(jobRow)}${more}`;
}

/** One row. Its id is stable, and its progress is an element of its own (`live.ts`). */
export function jobRow(entry: JobEntry): Html {
  const { job } = entry;
  const [first] = entry.inputs;
  return html`<li class="row job-row" id="job-${job.id}" data-state="${job.state}">
<a class="row-thumbnail" href="/jobs/${job.id}" tabindex="-1" aria-hidden="true">${first === undefined ? icon("file") : thumbnailPicture(first)}</a>
<div class="row-main">
<p class="row-title"><a href="/jobs/${job.id}" hx-ignore><span class="row-name">${inputTitle(entry)}</span></a></p>
<p class="row-facts"><span class="operation">${entry.operationTitle}</span>${priorityFact(job)}${rowFacts(entry)}</p>
${job.state === "running" ? jobProgress(job, "row") : null}
</div>
<div class="row-end">${stateBadge(job)}${jobButtons(entry, "small")}</div>
</li>`;
}

/** Only where it matters: while the job waits, and is not like the others. */
function priorityFact({ priority, finishedAt }: Job): Html | null {
  if (priority === 0 || finishedAt !== null) return null;
  return html`<span>priority ${priority}</span>`;
}

function rowFacts(entry: JobEntry): Html {
  const { job } = entry;
  if (job.state === "running" && job.pausedAt !== null) {
    return html`<span>Stands still since ${timeText(job.pausedAt)}, and keeps its memory</span>`;
  }
  if (job.state === "failed" && job.error !== null) {
    return html`<span class="bad-text" hx-ignore>${job.error.message}</span>`;
  }
  const waits = waitReason(job);
  if (waits !== null) return html`<span hx-ignore>Waits: ${waits}</span>`;
  if (job.state === "running" && job.device !== null) {
    return html`<span>${deviceTitle(job.device)}</span>${job.deviceReason === null ? null : html`<span hx-ignore>${job.deviceReason}</span>`}`;
  }
  const spent = job.state === "succeeded" ? runSeconds(entry) : null;
  return html`${spent === null ? null : html`<span>took ${spanText(spent)}</span>`}${spent !== null && fellBack(job) ? html`<span>on the CPU instead of a GPU</span>` : null}${timeText(job.finishedAt ?? job.createdAt)}`;
}

/** Seconds between start and end; null while it has not ended or never began. */
export function runSeconds({ job }: JobEntry): number | null {
  if (job.startedAt === null || job.finishedAt === null) return null;
  return (Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1000;
}

/** Cancel or retry, whichever makes sense now. The answer is 204; the lists then fetch themselves. */
export function jobButtons({ job, operationTitle }: JobEntry, size: "small" | "normal"): Html {
  const small = size === "small";
  const style = small ? "icon-button" : "button";
  const label = (verb: string) => (small ? `${verb}: ${operationTitle}` : null);
  if (mayCancel(job)) {
    return html`${pauseButton(job, { size, style, label })}<button type="button" class="${style}" id="cancel-${size}-${job.id}" hx-post="/ui/jobs/${job.id}/cancel" hx-swap="none" hx-disable="this" aria-label="${label("Cancel")}" title="${small ? "Cancel" : null}">${icon("close")}${small ? null : "Cancel"}</button>`;
  }
  if (mayRetry(job)) {
    return html`<button type="button" class="${style}" id="retry-${size}-${job.id}" hx-post="/ui/jobs/${job.id}/retry" hx-swap="none" hx-disable="this" aria-label="${label("Try again")}" title="${small ? "Try again" : null}">${icon("retry")}${small ? null : "Try again"}</button>`;
  }
  return html``;
}

/** What stands there follows what can be done: pause, or resume. */
function pauseButton(
  job: Job,
  {
    size,
    style,
    label,
  }: { size: "small" | "normal"; style: string; label: (verb: string) => string | null },
): Html | null {
  const small = size === "small";
  if (mayResume(job)) {
    return html`<button type="button" class="${style}" id="resume-${size}-${job.id}" hx-post="/ui/jobs/${job.id}/resume" hx-swap="none" hx-disable="this" aria-label="${label("Resume")}" title="${small ? "Resume" : null}">${icon("play")}${small ? null : "Resume"}</button>`;
  }
  if (!mayPause(job)) return null;
  return html`<button type="button" class="${style}" id="pause-${size}-${job.id}" hx-post="/ui/jobs/${job.id}/pause" hx-swap="none" hx-disable="this" aria-label="${label("Pause")}" title="${small ? "Pause" : null}">${icon("pause")}${small ? null : "Pause"}</button>`;
}

function noJobs({ state, query }: Shown): Html {
  if (query !== "") {
    return html`<div class="empty">${icon("jobs")}<h2>No job has that in its name or its labels</h2><p><a class="button" href="/jobs">Show all jobs</a></p></div>`;
  }
  if (state !== null) {
    return html`<div class="empty">${icon("jobs")}<h2>No job is ${stateTitle(state).toLowerCase()}</h2><p><a class="button" href="/jobs">Show all jobs</a></p></div>`;
  }
  return html`<div class="empty">${icon("jobs")}<h2>No jobs yet</h2>
<p>Open a file in the library and choose what to make from it. The job then shows here, live.</p>
<p><a class="button primary" href="/">To the library</a></p></div>`;
}
