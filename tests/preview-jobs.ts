/** The room of the jobs with sample data: what its fragments answer, and a long job that had everything happen to it. */
import type { HistoryEntry } from "../src/jobs/event-log.ts";
import type { Job, JobStep } from "../src/jobs/job.ts";
import { bulkQuestion, bulkResult } from "../views/bulk-jobs.ts";
import type { Html } from "../views/html.ts";
import { type JobView, jobPanel, reportInside } from "../views/job.ts";
import { allJobs, type FilterChoices } from "../views/job-filters.ts";
import type { JobEntry } from "../views/job-words.ts";
import { type JobsView, jobRows } from "../views/jobs.ts";

export const jobChoices: FilterChoices = {
  operations: [
    { name: "transcode", title: "Transcode" },
    { name: "thumbnails", title: "Thumbnails" },
  ],
  devices: ["cpu", "gpu:0"],
};

export function jobsOf(entries: readonly JobEntry[]): JobsView {
  const counts = { queued: 1, waiting: 0, running: 1, succeeded: 12_345, failed: 1, cancelled: 1 };
  const census = entries.length === 0 ? { ...counts, queued: 0, running: 0, succeeded: 0 } : counts;
  return { shown: allJobs, census, entries, after: null, next: null };
}

/** As if it were looked at now. */
export function viewOf(entry: JobEntry): JobView {
  return { ...entry, nowMs: Date.now() };
}

/** Fragments of jobs besides the list; null for others. */
export function jobFragment(url: URL, method: string, entries: readonly JobEntry[]): Html | null {
  const ids = url.searchParams.getAll("id");
  const [, , kind, id = "", verb = ""] = url.pathname.split("/");
  if (kind !== "jobs") return null;
  if (id === "rows") return jobRows(entries.filter(({ job }) => ids.includes(job.id)));
  if (id === "bulk" && (verb === "cancel" || verb === "retry")) {
    const changed = { changed: ["jb_1", "jb_2"], skipped: [], more: false };
    if (method === "POST") return bulkResult(verb, changed);
    const subject = ids.length > 0 ? { ids } : { shown: allJobs };
    const states = { running: 1, queued: 3, failed: 2, succeeded: 1 };
    return bulkQuestion(verb, subject, { states, more: false });
  }
  const entry = entries.find(({ job }) => job.id === id);
  if (entry === undefined || method !== "GET") return null;
  return verb === "report" ? reportInside("Kinomill\n  version 0.1.0") : jobPanel(viewOf(entry));
}

/** Minutes ago. */
type Ago = (minutes: number) => string;

/** A long encode in parts on two GPUs of which one failed, after a wait and a pause. */
export function eventfulJob(like: JobEntry, ago: Ago, hostile: string): JobEntry {
  const step = (change: Partial<JobStep> & { name: string }): JobStep => ({
    ...{ title: "Encode H.264 at 1080p", state: "done", encoder: "h264_nvenc", checks: [] },
    ...{ deviceReason: null, device: "gpu:0", proof: null, attempts: 1 },
    ...change,
  });
  const parts = Array.from({ length: 9 }, (_, number) =>
    step({
      name: `transcode-part-${number + 1}`,
      title: `Encode H.264 at 1080p: part ${number + 1} of 9`,
      device: `gpu:${number % 2}`,
      startedAt: ago(30 - Math.floor(number / 2) * 4),
      finishedAt: ago(26.5 - Math.floor(number / 2) * 4),
    }),
  );
  const steps = [
    step({
      ...{ name: "transcode-seams", title: "Look where to cut", device: "cpu", encoder: null },
      ...{ startedAt: ago(32), finishedAt: ago(30.2) },
    }),
    ...parts,
    step({
      ...{ name: "transcode", title: "Join the parts", device: "cpu", encoder: null },
      ...{ startedAt: ago(10), finishedAt: ago(9) },
    }),
  ];
  const at = (minutes: number, what: string, state: Job["state"], more = {}): HistoryEntry => ({
    ...{ at: ago(minutes), what, state, who: "", sentence: "" },
    ...more,
  });
  const job: Job = {
    ...like.job,
    ...{
      id: `jb_${"7".padStart(32, "0")}`,
      steps,
      device: "gpu:0",
      labels: { ticket: "42", note: hostile },
    },
    deviceReason: "H.264 with h264_nvenc on NVIDIA L4.",
    attempts: [
      {
        ...{ fence: 1, startedAt: ago(32), finishedAt: ago(22), outcome: "failed" },
        ...{ device: "gpu:1", error: null },
      },
      {
        ...{ fence: 2, startedAt: ago(22), finishedAt: ago(8.5), outcome: "succeeded" },
        ...{ device: "gpu:0", error: null },
      },
    ],
    ...{ createdAt: ago(300), startedAt: ago(32), finishedAt: ago(8.5) },
  };
  const history = [
    at(300, "submit", "queued", { who: "ann (token ci)" }),
    at(32, "claim", "running", { sentence: "On gpu:1." }),
    at(24, "pause", "running", { who: "ann" }),
    at(23, "resume", "running", { who: "ann" }),
    at(22, "try elsewhere", "running", { sentence: `NVIDIA L4: ${hostile}` }),
    at(8.5, "succeed", "succeeded"),
  ];
  return { ...like, job, history, asker: "ann (token ci)" };
}
