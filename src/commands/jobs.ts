/** `kinomill jobs …`: looks after the jobs of a server that runs, here or elsewhere, through its API. */
import type { Job } from "../jobs/job.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import { ask, type ServerOptions } from "./server-call.ts";

export interface JobsOptions extends ServerOptions {
  json?: boolean;
}

export interface ListOptions extends JobsOptions {
  state?: string;
  operation?: string;
  device?: string;
  label: string[];
  query?: string;
  limit: string;
}

export interface ChangeOptions extends ListOptions {
  /** Instead of ids: all jobs that fit the filter. */
  all?: boolean;
}

export interface RetryOptions extends ChangeOptions {
  /** The device that they are to run on. */
  on?: string;
}

/** What of a job the command line shows. */
type ShownJob = Pick<Job, "id" | "title" | "state" | "priority" | "waitReason" | "pausedAt"> &
  Pick<Job, "progressPercent" | "error"> & {
    history?: { at: string; what: string; who: string; sentence: string }[];
  };

interface BulkAnswer {
  changed: string[];
  skipped: { id: string; detail: string }[];
  more: boolean;
}

export async function listJobs(options: ListOptions): Promise<number> {
  const query = new URLSearchParams([["limit", options.limit], ...filterPairs(options)]);
  const page = await ask<{ items: ShownJob[]; next: string | null }>(
    options,
    "GET",
    `/jobs?${query}`,
  );
  if (options.json) console.log(JSON.stringify(page, null, 2));
  else {
    for (const job of page.items) console.log(jobLine(job));
    if (page.next !== null) console.log(`(there are more: --limit, or a narrower filter)`);
  }
  return exitCodes.done;
}

export async function showJob(id: string, options: JobsOptions): Promise<number> {
  const job = await ask<ShownJob>(options, "GET", `/jobs/${encodeURIComponent(id)}`);
  if (options.json) {
    console.log(JSON.stringify(job, null, 2));
    return exitCodes.done;
  }
  console.log(jobLine(job));
  for (const { at, what, who, sentence } of job.history ?? []) {
    console.log(
      `  ${at}  ${what.padEnd(14)}${who === "" ? "Kinomill" : who}  ${sentence}`.trimEnd(),
    );
  }
  if (job.error !== null) console.log(`${job.error.message} ${job.error.hint}`.trim());
  return exitCodes.done;
}

/** Pause or resume. */
export function moveJob(verb: "pause" | "resume") {
  return async (id: string, options: JobsOptions): Promise<number> => {
    const path = `/jobs/${encodeURIComponent(id)}/${verb}`;
    const job = await ask<ShownJob>(options, "POST", path, {});
    console.log(options.json ? JSON.stringify(job, null, 2) : jobLine(job));
    return exitCodes.done;
  };
}

/** Cancel or retry: those named, or all that fit the filter. */
export function changeJobs(verb: "cancel" | "retry") {
  return async (ids: string[], options: RetryOptions): Promise<number> => {
    if (ids.length > 0 === (options.all === true)) {
      const sentence = `Name the jobs to ${verb}, or say --all with a filter.`;
      throw new Refusal(400, "bad_usage", sentence);
    }
    const selection = options.all ? { filter: filterObject(options) } : { ids };
    const place = options.on === undefined ? {} : { device: options.on };
    const wish = { ...selection, ...place };
    const done = await ask<BulkAnswer>(options, "POST", `/jobs/bulk/${verb}`, wish);
    if (options.json) console.log(JSON.stringify(done, null, 2));
    else {
      for (const id of done.changed) console.log(id);
      for (const { id, detail } of done.skipped) console.error(`kinomill: ${id}: ${detail}`);
      if (done.more) console.error("kinomill: there are more: run this again");
    }
    return done.skipped.length === 0 ? exitCodes.done : exitCodes.failed;
  };
}

function jobLine({ id, state, pausedAt, title, priority, ...job }: ShownJob): string {
  const shown = pausedAt === null ? state : "paused";
  const percent = state === "running" ? ` ${job.progressPercent.toFixed(0)} %` : "";
  const order = priority === 0 ? "" : ` (priority ${priority})`;
  const why = job.waitReason ?? job.error?.message ?? "";
  return `${id}  ${`${shown}${percent}`.padEnd(12)}${title}${order}${why === "" ? "" : `: ${why}`}`;
}

function filterPairs({ state, operation, device, label, query }: ListOptions): [string, string][] {
  const pairs: [string, string | undefined][] = [
    ["state", state],
    ["operation", operation],
    ["device", device],
    ["q", query],
    ...label.map((text): [string, string] => ["label", text]),
  ];
  return pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
}

function filterObject({ state, operation, device, label, query: q }: ListOptions): object {
  return { state, operation, device, q, ...(label.length > 0 ? { label } : {}) };
}
