/** Lists of jobs as the page and its fragments show them, read from the address. */
import type { BulkSubject } from "../../views/bulk-jobs.ts";
import type { FilterChoices, ShownJobs } from "../../views/job-filters.ts";
import type { JobEntry } from "../../views/job-words.ts";
import type { JobsView } from "../../views/jobs.ts";
import type { Selection } from "../jobs/bulk.ts";
import type { JobFilter, JobPage } from "../jobs/finding.ts";
import { BULK_MAX, type Job, jobStates } from "../jobs/job.ts";
import { findJob, jobEntry } from "./entries.ts";
import { filterOf } from "./job-filter.ts";
import type { Parts } from "./parts.ts";

/** Jobs on one page: three screens, and some 90 kB for a phone on a slow network. */
const ROWS = 30;

/** Longest text that a search takes, as the field on the page has it. */
const SEARCH_MAX = 200;

/** As many labels as one job can have. */
const LABELS_MAX = 16;

/** Wrong values in the address of a page are ignored, not refused: a person may have typed them. */
export function shownJobs(parts: Pick<Parts, "operations">, url: string): ShownJobs {
  const { searchParams: search } = new URL(url);
  const names = parts.operations.map(({ name }) => name);
  const labels = search.getAll("label").filter((label) => /^[^:]{1,64}:[\s\S]{0,256}$/.test(label));
  return {
    state: oneOf(jobStates, search.get("state")),
    query: (search.get("q") ?? "").slice(0, SEARCH_MAX),
    operation: oneOf(names, search.get("operation")),
    device: fitting(/^(cpu|gpu:\d{1,3})$/, search.get("device")),
    labels: [...new Set(labels)].slice(0, LABELS_MAX),
    batch: fitting(/^jb_\w{1,61}$/, search.get("batch")),
  };
}

function oneOf<T extends string>(all: readonly T[], text: string | null): T | null {
  return all.find((value) => value === text) ?? null;
}

function fitting(form: RegExp, text: string | null): string | null {
  return text !== null && form.test(text) ? text : null;
}

/** The same filter as a program would ask for. */
function filterFor(shown: ShownJobs) {
  const { state, query, operation, device, labels, batch } = shown;
  return filterOf({
    state: state ?? undefined,
    q: query === "" ? undefined : query,
    operation: operation ?? undefined,
    device: device ?? undefined,
    label: [...labels],
    batch: batch ?? undefined,
  });
}

export function jobsView(parts: Parts, ownerId: string, url: string): JobsView {
  const shown = shownJobs(parts, url);
  const after = fitting(/^jb_\w{1,61}$/, new URL(url).searchParams.get("after"));
  const page = pageOf(parts, { ...filterFor(shown), ownerId }, after);
  const entries = jobEntries(parts, ownerId, page.items);
  return { shown, census: parts.jobs.census(ownerId), entries, after, next: page.next };
}

/** Times that a page that is not full looks further: each some milliseconds for thousands of jobs. */
const LOOKS_MAX = 5;

/** Jobs that a filter leaves out may be so many that one look finds too few of the others. */
function pageOf(
  parts: Pick<Parts, "jobs">,
  filter: Omit<JobFilter, "limit" | "after">,
  after: string | null,
): JobPage {
  const items: Job[] = [];
  let next = after;
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const page = parts.jobs.list({ ...filter, limit: ROWS - items.length, after: next });
    items.push(...page.items);
    next = page.next;
    if (next === null || items.length >= ROWS) break;
  }
  return { items, next };
}

/** With what a list tells besides: places in the line, and who asked. */
export function jobEntries(parts: Parts, ownerId: string, jobs: readonly Job[]): JobEntry[] {
  const { places, askers } = parts.jobs.outlook(jobs.map(({ id }) => id));
  return jobs.map((job) => ({
    ...jobEntry(parts, ownerId, job),
    place: places.get(job.id) ?? null,
    asker: askers.get(job.id) ?? null,
  }));
}

/** The rows that are asked for by their ids, of those that there are. */
export function namedRows(parts: Parts, ownerId: string, url: string): JobEntry[] {
  const ids = [...new Set(new URL(url).searchParams.getAll("id"))].slice(0, ROWS);
  const jobs = ids.flatMap((id) => findJob(parts, ownerId, id) ?? []);
  return jobEntries(parts, ownerId, jobs);
}

/** What can be filtered by on this box. */
export function filterChoices(parts: Pick<Parts, "operations" | "devices">): FilterChoices {
  return {
    operations: parts.operations.map(({ name, title }) => ({ name, title })),
    devices: parts.devices().map(({ id }) => id),
  };
}

/** Which jobs a change of many is about: those that were chosen, or all that the list of this address shows. */
export function subjectOf(parts: Parts, url: string, chosen: readonly string[]): BulkSubject {
  if (chosen.length > 0) return { ids: chosen.slice(0, BULK_MAX) };
  return { shown: shownJobs(parts, url) };
}

export function selectionOf(subject: BulkSubject): Selection {
  return "ids" in subject ? subject : { filter: filterFor(subject.shown) };
}

/** The latest jobs that read or made an asset. */
export function assetJobEntries(parts: Parts, ownerId: string, assetId: string): JobEntry[] {
  const filter = { ownerId, limit: ROWS, after: null, assetId };
  return jobEntries(parts, ownerId, parts.jobs.list(filter).items);
}
