/** What a list of jobs shows: its filters, as an address, as tabs and as a form. */
import type { Census } from "../src/jobs/census.ts";
import { COUNTED_MAX, type JobState, jobStates } from "../src/jobs/job.ts";
import { button } from "./components/button.ts";
import { tabs } from "./components/tabs.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { deviceTitle, stateTitle } from "./job-words.ts";
import { texts } from "./texts/texts.ts";

const words = texts.jobList;

export interface ShownJobs {
  /** Only jobs in this state; null for all. */
  state: JobState | null;
  /** Part of the title or of a label; "" for all. */
  query: string;
  /** Name of an operation; null for all. */
  operation: string | null;
  /** Id of a device; null for all. */
  device: string | null;
  /** All of these, as `name:value`. */
  labels: readonly string[];
  /** The call that they came with; null for all. */
  batch: string | null;
}

export const allJobs: ShownJobs = {
  ...{ state: null, query: "", operation: null, device: null },
  ...{ labels: [], batch: null },
};

/** What can be chosen from. */
export interface FilterChoices {
  operations: readonly { name: string; title: string }[];
  /** Ids of the devices of this box. */
  devices: readonly string[];
}

/** @param after id of the job after which the page begins; null for the first */
export function jobsAddress(path: string, shown: ShownJobs, after: string | null = null): string {
  const search = parametersOf(shown);
  if (after !== null) search.set("after", after);
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}

export function parametersOf(shown: ShownJobs): URLSearchParams {
  const { state, query, operation, device, labels, batch } = shown;
  const search = new URLSearchParams();
  const add = (name: string, value: string | null) => {
    if (value !== null && value !== "") search.append(name, value);
  };
  add("state", state);
  add("q", query);
  add("operation", operation);
  add("device", device);
  for (const label of labels) add("label", label);
  add("batch", batch);
  return search;
}

/** Whether something besides the state is filtered by. */
export function isFiltered(shown: ShownJobs): boolean {
  return parametersOf({ ...shown, state: null }).size > 0;
}

/** The counts are of all jobs of the person, so that they do not jump while somebody types. */
export function stateTabs(shown: ShownJobs, census: Census): Html {
  const tab = (state: JobState | null, title: string, count: number | null) => ({
    title,
    href: jobsAddress("/jobs", { ...shown, state }),
    current: shown.state === state,
    count: countText(count),
  });
  const byState = jobStates.map((state) => tab(state, stateTitle(state), census[state]));
  return tabs(words.byState, [tab(null, words.all, null), ...byState], "segments");
}

function countText(count: number | null): string | null {
  if (count === null || count === 0) return null;
  return count > COUNTED_MAX ? words.manyCount(COUNTED_MAX) : count.toLocaleString("en");
}

/** Filters while somebody types; without JavaScript it is a plain form. */
export function filterForm(shown: ShownJobs, choices: FilterChoices): Html {
  const { state, query, operation, device, labels, batch } = shown;
  return html`<form class="job-filters" method="get" action="/jobs" role="search" hx-get="/ui/jobs" hx-target="#jobs" hx-swap="outerMorph" hx-trigger="input changed delay:250ms from:find [type=search], change, submit" hx-sync="#jobs:replace" data-address="/jobs" aria-label="${words.filters}">
<input type="hidden" name="state" value="${state ?? ""}">
<label class="search-field">${icon("search")}<span class="sr-only">${words.search}</span><input type="search" name="q" value="${query}" placeholder="${words.search}" maxlength="200" autocomplete="off" data-shortcut="/"></label>
${choiceOf(
  { name: "operation", label: words.operation, any: words.anyOperation, value: operation },
  choices.operations.map(({ name, title }) => ({ value: name, title })),
)}
${choiceOf({ name: "device", label: words.device, any: words.anyDevice, value: device }, devicesOf(choices, device))}
${labels.map((label) => labelFilter(shown, label))}
${batch === null ? null : html`<span class="label-filter"><input type="hidden" name="batch" value="${batch}">${words.batch}<a class="icon-button" href="${jobsAddress("/jobs", { ...shown, batch: null })}" aria-label="${words.withoutBatch}">${icon("close")}</a></span>`}
<noscript>${button({ label: words.apply, submit: true })}</noscript>
</form>`;
}

/** A device that is gone can still be filtered by. */
function devicesOf({ devices }: FilterChoices, chosen: string | null) {
  const ids = chosen === null || devices.includes(chosen) ? devices : [...devices, chosen];
  return ids.map((id) => ({ value: id, title: deviceTitle(id) }));
}

function choiceOf(
  given: { name: string; label: string; any: string; value: string | null },
  list: readonly { value: string; title: string }[],
): Html {
  const { name, label, any, value } = given;
  return html`<span class="select"><select name="${name}" aria-label="${label}" autocomplete="off"><option value="">${any}</option>${list.map(
    (each) =>
      html`<option value="${each.value}" selected="${each.value === value}">${each.title}</option>`,
  )}</select>${icon("chevron")}</span>`;
}

function labelFilter(shown: ShownJobs, label: string): Html {
  const labels = shown.labels.filter((each) => each !== label);
  return html`<span class="label-filter" hx-ignore><input type="hidden" name="label" value="${label}">${label}<a class="icon-button" href="${jobsAddress("/jobs", { ...shown, labels })}" aria-label="${words.withoutLabel(label)}">${icon("close")}</a></span>`;
}
