/** What a job's states and reasons are called on the page. */
import type { Asset } from "../src/assets/asset.ts";
import type { HistoryEntry } from "../src/jobs/event-log.ts";
import type { Job, JobState } from "../src/jobs/job.ts";
import { type Html, html } from "./html.ts";
import { type IconName, icon } from "./icons.ts";

/** As much of an input asset as a list needs; `name` is null when the asset was deleted. */
export interface NamedAsset {
  id: string;
  name: string | null;
  kind: Asset["kind"];
  thumbnail: Asset["thumbnail"];
}

/** A job together with the words around it that the views need. */
export interface JobEntry {
  job: Job;
  /** "Transcode" */
  operationTitle: string;
  /** In the order of `job.inputs`. */
  inputs: readonly NamedAsset[];
  /** In the order of `job.outputs`; may be empty in lists. */
  outputs: readonly Asset[];
  /** What happened to it, the oldest first; absent in lists. */
  history?: readonly HistoryEntry[];
}

const states: Record<JobState, { title: string; icon: IconName }> = {
  queued: { title: "Queued", icon: "clock" },
  waiting: { title: "Waiting", icon: "clock" },
  running: { title: "Running", icon: "device" },
  succeeded: { title: "Done", icon: "check" },
  failed: { title: "Failed", icon: "warning" },
  cancelled: { title: "Cancelled", icon: "stop" },
};

export function stateTitle(state: JobState): string {
  return states[state].title;
}

/** Word and drawing, so that the colour is never the only sign. */
export function stateBadge({ state, pausedAt }: Pick<Job, "state" | "pausedAt">): Html {
  if (pausedAt !== null) {
    return html`<span class="state waiting">${icon("pause")}Paused</span>`;
  }
  return html`<span class="state ${state}">${icon(states[state].icon)}${states[state].title}</span>`;
}

/** "cpu" → "CPU", "gpu:0" → "GPU 0". */
export function deviceTitle(device: string): string {
  const [kind, number] = device.split(":");
  return `${(kind ?? "").toUpperCase()}${number === undefined ? "" : ` ${number}`}`;
}

/** What a job that has not begun waits for, a plain sentence; null when it does not wait, or is not told. */
export function waitReason({ waitReason: reason }: Job): string | null {
  return reason;
}

/** Whether a GPU failed and the CPU took over. */
export function fellBack({ device, attempts }: Job): boolean {
  return (
    device === "cpu" &&
    attempts.some(({ device: tried, outcome }) => tried.startsWith("gpu") && outcome === "failed")
  );
}

export function inputTitle(entry: JobEntry): string {
  const [first] = entry.inputs;
  if (first === undefined) return entry.operationTitle;
  const more = entry.inputs.length > 1 ? ` and ${entry.inputs.length - 1} more` : "";
  return `${first.name ?? "a deleted file"}${more}`;
}

/** Moves that a person may ask for in this state. */
export function mayCancel(job: Job): boolean {
  return job.state === "queued" || job.state === "waiting" || job.state === "running";
}

export function mayPause(job: Job): boolean {
  return mayCancel(job) && job.pausedAt === null;
}

export function mayResume(job: Job): boolean {
  return job.pausedAt !== null;
}

export function mayRetry(job: Job): boolean {
  return job.state === "failed" || job.state === "cancelled";
}
