/** What a person can do with one job, as buttons: in a row of a list, and on the job's own page. */
import type { Job } from "../src/jobs/job.ts";
import { type Html, html } from "./html.ts";
import { type IconName, icon } from "./icons.ts";
import {
  type JobEntry,
  mayCancel,
  mayPause,
  mayResume,
  mayRetry,
  triedOnGpu,
} from "./job-words.ts";
import { texts } from "./texts/texts.ts";

const words = texts.jobList;

/** Small ones stand in rows and show only their drawing. */
export type ButtonSize = "small" | "normal";

/** The answer is 204, and the lists then fetch themselves; a refusal says what happened meanwhile. */
export function jobButtons(entry: JobEntry, size: ButtonSize): Html {
  const { job } = entry;
  if (mayCancel(job)) return html`${pauseButton(entry, size)}${cancelButton(entry, size)}`;
  if (!mayRetry(job)) return html``;
  const onCpu = triedOnGpu(job) && size === "normal";
  return html`${action(entry, size, { verb: "retry", label: words.retry, icon: "retry" })}${onCpu ? action(entry, size, { verb: "retry-on-cpu", label: words.retryOnCpu, icon: "system" }) : null}`;
}

interface Action {
  /** As the address has it. */
  verb: string;
  label: string;
  icon: IconName;
}

function pauseButton(entry: JobEntry, size: ButtonSize): Html | null {
  const { job } = entry;
  if (mayResume(job)) {
    return action(entry, size, { verb: "resume", label: words.resume, icon: "play" });
  }
  if (!mayPause(job)) return null;
  return action(entry, size, { verb: "pause", label: words.pause, icon: "pause" });
}

function action({ job, operationTitle }: JobEntry, size: ButtonSize, given: Action): Html {
  const small = size === "small";
  const { verb, label, icon: drawing } = given;
  return html`<button type="button" class="${small ? "icon-button" : "button"}" id="${verb}-${size}-${job.id}" hx-post="/ui/jobs/${job.id}/${verb}" hx-swap="none" hx-disable="this" aria-label="${small ? words.ofJob(label, operationTitle) : null}" title="${small ? label : null}">${icon(drawing)}${small ? null : html`<span>${label}</span>`}</button>`;
}

/** Asks before: what was done so far is lost, or the job's place in the line. */
function cancelButton({ job, operationTitle }: JobEntry, size: ButtonSize): Html {
  const small = size === "small";
  return html`<button type="button" class="${small ? "icon-button" : "button"}" id="cancel-${size}-${job.id}" hx-post="/ui/jobs/${job.id}/cancel" hx-swap="none" hx-disable="this" hx-confirm="?" data-confirm-title="${words.ask.title}" data-confirm-text="${cancelText(job)}" data-confirm-yes="${words.ask.yes}" aria-label="${small ? words.ofJob(words.cancel, operationTitle) : null}" title="${small ? words.cancel : null}">${icon("close")}${small ? null : html`<span>${words.cancel}</span>`}</button>`;
}

function cancelText({ state }: Job): string {
  return state === "running" ? words.ask.running : words.ask.waiting;
}
