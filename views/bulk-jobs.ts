/** What is done to many jobs: the bar, the question with what will happen, and what came of it. */
import type { BulkOutcome, Survey } from "../src/jobs/bulk.ts";
import { BULK_MAX, type BulkVerb, bulkVerbs, type JobState } from "../src/jobs/job.ts";
import { button } from "./components/button.ts";
import { notice } from "./components/notice.ts";
import { segments } from "./components/tabs.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { jobsAddress, type ShownJobs } from "./job-filters.ts";
import { texts } from "./texts/texts.ts";

const words = texts.jobsAtOnce;

/** Where the question comes. */
export function bulkPlace(): Html {
  return html`<div id="bulk-place"></div>`;
}

/** What can be done to all that the list shows; jobs.js shows instead what can be done to those that are chosen. */
export function bulkBar(shown: ShownJobs, count: number): Html {
  const may = (verb: BulkVerb) =>
    count > 0 && (shown.state === null || bulkVerbs[verb].some((state) => state === shown.state));
  return html`<div class="bulk-bar" id="bulk-bar" role="group" aria-label="${words.ofFilter}" data-chosen-one="${words.chosen(1)}">
<label class="job-choice" hidden="${count === 0}"><input type="checkbox" id="choose-all" aria-label="${texts.jobList.chooseAll}" autocomplete="off"></label>
<p class="bulk-count" id="bulk-count" role="status" hidden></p>
<div class="bulk-all">${may("cancel") ? allButton("cancel", shown) : null}${may("retry") ? allButton("retry", shown) : null}</div>
<div class="bulk-chosen" hidden>${chosenButton("cancel")}${chosenButton("retry")}${button({ label: words.chooseNone, kind: "quiet", command: "choose-none" })}</div>
</div>`;
}

const faces = {
  cancel: { all: words.cancelAll, chosen: words.cancelChosen, icon: "close" },
  retry: { all: words.retryAll, chosen: words.retryChosen, icon: "retry" },
} as const;

function allButton(verb: BulkVerb, shown: ShownJobs): Html {
  const address = jobsAddress(`/ui/jobs/bulk/${verb}`, shown);
  return html`<button type="button" class="button quiet" id="jobs-${verb}" hx-get="${address}" hx-target="#bulk-place" hx-swap="innerHTML" hx-disable="this">${icon(faces[verb].icon)}<span>${faces[verb].all}</span></button>`;
}

function chosenButton(verb: BulkVerb): Html {
  return html`<button type="button" class="button" id="chosen-${verb}" hx-get="/ui/jobs/bulk/${verb}" hx-include="#job-rows input:checked" hx-target="#bulk-place" hx-swap="innerHTML" hx-disable="this">${icon(faces[verb].icon)}<span>${faces[verb].chosen}</span></button>`;
}

/** Which jobs it is about: those that were chosen, or all that a list shows. */
export type BulkSubject = { ids: readonly string[] } | { shown: ShownJobs };

/** `GET /ui/jobs/bulk/VERB`: asks before, with what will happen now. */
export function bulkQuestion(verb: BulkVerb, subject: BulkSubject, survey: Survey): Html {
  const count = countIn(survey, bulkVerbs[verb]);
  const told = words[verb];
  const sentences = sentencesOf(verb, survey, count);
  const address =
    "ids" in subject
      ? `/ui/jobs/bulk/${verb}`
      : jobsAddress(`/ui/jobs/bulk/${verb}`, subject.shown);
  const ids = "ids" in subject ? subject.ids : [];
  const yes = html`<button type="submit" class="${verb === "cancel" ? "button danger" : "button primary"}" id="bulk-yes">${told.yes(count)}</button>`;
  return html`<dialog class="dialog" id="bulk-question" aria-labelledby="bulk-title" data-open>
<form hx-post="${address}" hx-target="#notices" hx-swap="beforeend" hx-disable="find #bulk-yes" hx-status:4xx="target:#bulk-answer swap:innerHTML" hx-status:5xx="target:#bulk-answer swap:innerHTML">
${ids.map((id) => html`<input type="hidden" name="id" value="${id}">`)}
<h2 id="bulk-title">${count === 0 ? told.none : told.title(count)}</h2>
<ul class="bulk-effects">${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>
${verb === "retry" && count > 0 ? whereField() : null}
<div id="bulk-answer" aria-live="assertive"></div>
<div class="dialog-actions"><button type="button" class="button" data-command="close-dialog" id="bulk-no">${count === 0 ? words.close : words.keep}</button>${count === 0 ? null : yes}</div>
</form></dialog>`;
}

function countIn({ states }: Survey, fitting: readonly JobState[]): number {
  return fitting.reduce((sum, state) => sum + (states[state] ?? 0), 0);
}

/** One for each thing that will happen, and for what stays as it is. */
function sentencesOf(verb: BulkVerb, survey: Survey, count: number): string[] {
  const { states, more } = survey;
  const told = (number: number, sentence: (number: number) => string) =>
    number === 0 ? [] : [sentence(number)];
  const all = Object.values(states).reduce((sum, number) => sum + number, 0);
  const unfit = told(all - count, words[verb].unfit);
  const rest = more ? [words.more(BULK_MAX)] : [];
  if (verb === "retry") {
    const { failed, cancelled, line } = words.retry;
    const which = [...told(states.failed ?? 0, failed), ...told(states.cancelled ?? 0, cancelled)];
    return [...which, ...(count === 0 ? [] : [line]), ...unfit, ...rest];
  }
  const { running, waiting, after } = words.cancel;
  const waits = (states.queued ?? 0) + (states.waiting ?? 0);
  const which = [...told(states.running ?? 0, running), ...told(waits, waiting)];
  return [...which, ...(count === 0 ? [] : [after]), ...unfit, ...rest];
}

function whereField(): Html {
  const choices = [
    { value: "", label: words.retry.anywhere },
    { value: "cpu", label: words.retry.onCpu },
  ];
  return html`<div class="bulk-where">${segments({ legend: words.retry.where, name: "device", value: "", choices })}</div>`;
}

/** Reasons that are told of those that were left; the others are counted. */
const REASONS_TOLD = 3;

/** `POST /ui/jobs/bulk/VERB`: what came of it, at the edge of the page. */
export function bulkResult(verb: BulkVerb, { changed, skipped, more }: BulkOutcome): Html {
  const reasons = [...Map.groupBy(skipped, ({ detail }) => detail)].toSorted(
    ([, a], [, b]) => b.length - a.length,
  );
  const told = reasons.slice(0, REASONS_TOLD).map(([why, { length }]) => words.left(length, why));
  const rest = reasons.slice(REASONS_TOLD).reduce((sum, [, { length }]) => sum + length, 0);
  const lines = [
    ...told,
    ...(rest > 0 ? [words.leftElse(rest)] : []),
    ...(more ? [words.moreLeft] : []),
  ];
  const title = changed.length === 0 ? words.nothing : words[verb].done(changed.length);
  const list = html`<ul class="bulk-left" hx-ignore>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
  return notice({
    tone: changed.length === 0 ? "warn" : skipped.length > 0 ? "plain" : "good",
    title,
    more: lines.length === 0 ? null : list,
  });
}
