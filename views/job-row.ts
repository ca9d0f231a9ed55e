/** One job in a list. A row keeps its height whatever happens to the job: nothing below it moves. */
import type { Job } from "../src/jobs/job.ts";
import { tag } from "./components/badge.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { jobButtons } from "./job-actions.ts";
import {
  deviceTitle,
  fellBack,
  inputTitle,
  type JobEntry,
  runSeconds,
  stateBadge,
  waitReason,
} from "./job-words.ts";
import { thumbnailPicture } from "./library.ts";
import { jobProgress } from "./live.ts";
import { spanText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.jobList;

/** A row that can be chosen for what is done to many. */
export function choosableRow(entry: JobEntry): Html {
  return rowOf(entry, choice(entry));
}

export function jobRow(entry: JobEntry): Html {
  return rowOf(entry, null);
}

function rowOf(entry: JobEntry, before: Html | null): Html {
  const { job } = entry;
  const [first] = entry.inputs;
  return html`<li class="row job-row" id="job-${job.id}" data-state="${job.state}" data-job="${job.id}">
${before}
<a class="row-thumbnail" href="/jobs/${job.id}" tabindex="-1" aria-hidden="true">${first === undefined ? icon("file") : thumbnailPicture(first)}</a>
<div class="row-main">
<p class="row-title"><a href="/jobs/${job.id}" id="open-${job.id}" hx-ignore><span class="row-name">${inputTitle(entry)}</span></a></p>
<p class="row-facts"><span class="operation">${entry.operationTitle}</span>${deviceFact(job)}${priorityFact(job)}${tokenFact(entry)}${timeText(job.finishedAt ?? job.startedAt ?? job.createdAt)}${labelFacts(job)}</p>
<p class="job-why${job.state === "failed" ? " bad-text" : ""}" hx-ignore>${whyText(entry)}</p>
</div>
<div class="job-now">${job.state === "running" && job.pausedAt === null ? jobProgress(job, "row") : stateBadge(job)}</div>
<div class="row-end">${jobButtons(entry, "small")}</div>
</li>`;
}

function choice(entry: JobEntry): Html {
  const { id } = entry.job;
  return html`<label class="job-choice" hx-ignore><input type="checkbox" name="id" value="${id}" id="choose-${id}" aria-label="${words.choose(inputTitle(entry))}" autocomplete="off"></label>`;
}

/** Where it runs or ran; the sentence beside says why there. */
function deviceFact({ device, deviceReason, startedAt }: Job): Html | null {
  if (device === null || startedAt === null) return null;
  return html`<span class="device-badge" title="${deviceReason}">${icon(device === "cpu" ? "system" : "device")}${deviceTitle(device)}</span>`;
}

/** Only where it matters: while the job waits, and is not like the others. */
function priorityFact({ priority, finishedAt }: Job): Html | null {
  if (priority === 0 || finishedAt !== null) return null;
  return html`<span>${words.priority(priority)}</span>`;
}

/** The jobs of a list are one person's: what is worth telling is the program that asked for them. */
function tokenFact({ asker }: JobEntry): Html | null {
  const token = /\(token (.*)\)$/.exec(asker ?? "")?.[1];
  return token === undefined
    ? null
    : html`<span class="row-token" hx-ignore>${words.byToken(token)}</span>`;
}

/** Labels that a row has room for. */
const LABELS_SHOWN = 3;

function labelFacts({ labels }: Job): Html[] {
  return Object.entries(labels)
    .slice(0, LABELS_SHOWN)
    .map(([name, value]) => {
      const label = `${name}:${value}`;
      const address = `/jobs?${new URLSearchParams({ label }).toString()}`;
      return html`<a class="label-link" href="${address}" title="${words.withLabel(label)}" hx-ignore>${tag(label)}</a>`;
    });
}

/** One sentence: why it waits, why it runs where it runs, why it failed, what it took. */
function whyText(entry: JobEntry): string {
  const { job, place } = entry;
  if (job.state === "running") {
    if (job.pausedAt !== null) return words.standsStill;
    return job.deviceReason ?? words.starting;
  }
  if (job.state === "failed") return job.error?.message ?? "";
  const spent = runSeconds(entry);
  if (job.state === "succeeded") return tookText(job, spent);
  if (job.state === "cancelled") {
    return spent === null ? words.cancelledBefore : words.cancelledAfter(spanText(spent));
  }
  const line = place ? words.line(place.place, place.others) : null;
  return [line, waitReason(job)].filter((each) => each !== null).join(" ") || words.soon;
}

function tookText(job: Job, spent: number | null): string {
  if (spent === null) return "";
  const where = fellBack(job) ? ` ${words.fellBack}` : "";
  return `${words.took(spanText(spent))}${where}.`;
}
