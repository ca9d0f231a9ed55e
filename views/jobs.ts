/** The list of jobs: the page, and the part of it that fetches itself. */
import type { Census } from "../src/jobs/census.ts";
import { bulkBar, bulkPlace } from "./bulk-jobs.ts";
import { button } from "./components/button.ts";
import { emptyState } from "./components/empty.ts";
import { type Html, html } from "./html.ts";
import {
  allJobs,
  type FilterChoices,
  filterForm,
  isFiltered,
  jobsAddress,
  type ShownJobs,
  stateTabs,
} from "./job-filters.ts";
import { choosableRow } from "./job-row.ts";
import { type JobEntry, stateTitle } from "./job-words.ts";
import { page, type Viewer } from "./layout.ts";
import { liveConnection } from "./live.ts";
import { texts } from "./texts/texts.ts";
import { workMenu } from "./work.ts";

export { jobRow } from "./job-row.ts";

const words = texts.jobList;

export interface JobsView {
  shown: ShownJobs;
  census: Census;
  entries: readonly JobEntry[];
  /** Id of the job after which this page begins; null for the first. */
  after: string | null;
  /** `after` of the next page; null at the end. */
  next: string | null;
}

/** `GET /jobs` */
export function jobsPage(viewer: Viewer, view: JobsView, choices: FilterChoices): Html {
  const body = html`<div class="page-head">
<h1>${words.title}</h1>
${workMenu(viewer, viewer.work)}
${filterForm(view.shown, choices)}
</div>
${jobsList(view)}
${bulkPlace()}
${liveConnection("/ui/events")}`;
  const { title } = words;
  const files = { scripts: ["jobs.js"], styles: ["jobs.css"] };
  return page({ title, viewer, active: "jobs", body, keys: listKeys, ...files });
}

/** What jobs.js does. */
const listKeys = [
  { keys: "j", does: words.keyDown },
  { keys: "k", does: words.keyUp },
  { keys: "x", does: words.keyChoose },
  { keys: "Shift+x", does: words.keyRange },
  { keys: "Enter", does: words.keyOpen },
  { keys: "Esc", does: words.keyNone },
];

/**
 * `GET /ui/jobs`. jobs.js has it fetched when a job comes or moves, and single rows when something about a job
 * changes; slowly besides, should the stream be broken.
 */
export function jobsList(view: JobsView): Html {
  const { shown, census, entries, after } = view;
  const content = entries.length === 0 ? noJobs(view) : rows(view);
  return html`<div id="jobs" hx-get="${jobsAddress("/ui/jobs", shown, after)}" hx-trigger="refresh, every 60s" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">
<div class="job-tabs">${stateTabs(shown, census)}${bulkBar(shown, entries.length)}</div>
${content}
</div>`;
}

function rows(view: JobsView): Html {
  return html`<ul class="rows" id="job-rows">${view.entries.map(choosableRow)}</ul>
${pages(view)}`;
}

function pages({ shown, after, next }: JobsView): Html | null {
  if (after === null && next === null) return null;
  return html`<nav class="pages" aria-label="${words.pages}">${after === null ? html`<span></span>` : button({ label: words.newest, icon: "back", href: jobsAddress("/jobs", shown) })}${next === null ? null : button({ label: words.older, icon: "arrow", href: jobsAddress("/jobs", shown, next) })}</nav>`;
}

function noJobs({ shown, after, next }: JobsView): Html {
  if (next !== null) {
    const href = jobsAddress("/jobs", shown, next);
    const action = button({ label: words.older, icon: "arrow", href });
    return emptyState({ icon: "jobs", title: words.none.soFar, text: words.none.further, action });
  }
  const all = button({ label: words.none.showAll, href: "/jobs" });
  if (after !== null) {
    const href = jobsAddress("/jobs", shown);
    const action = button({ label: words.newest, href });
    return emptyState({ icon: "jobs", title: words.none.pageOver, action });
  }
  if (isFiltered(shown)) {
    const { filtered: title, filteredText: text } = words.none;
    const href = jobsAddress("/jobs", { ...allJobs, state: shown.state });
    return emptyState({ icon: "jobs", title, text, action: button({ label: words.clear, href }) });
  }
  if (shown.state !== null) {
    const title = words.none.inState(stateTitle(shown.state));
    return emptyState({ icon: "jobs", title, action: all });
  }
  return emptyState({
    ...{ icon: "jobs", title: words.none.atAll, text: words.none.text },
    action: button({ label: words.none.toLibrary, kind: "primary", href: "/" }),
  });
}

/** `GET /ui/jobs/rows?id=`: rows of a list, each in its place. */
export function jobRows(entries: readonly JobEntry[]): Html {
  return html`${entries.map(
    (entry) =>
      html`<hx-partial hx-target="#job-${entry.job.id}" hx-swap="outerMorph">${choosableRow(entry)}</hx-partial>`,
  )}`;
}
