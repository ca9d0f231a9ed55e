/** What a job's states and reasons are called on the page. */
import type { Asset } from "../src/assets/asset.ts";
import type { HistoryEntry } from "../src/jobs/event-log.ts";
import type { Job, JobState } from "../src/jobs/job.ts";
import type { PlaceInLine } from "../src/jobs/line.ts";
import { badge, type Tone } from "./components/badge.ts";
import type { Html } from "./html.ts";
import type { IconName } from "./icons.ts";
import { texts } from "./texts/texts.ts";

const words = texts.jobList;

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
  /** Where in the line it stands; absent or null when it does not wait for its turn alone. */
  place?: PlaceInLine | null;
  /** Who asked: "ann (token ci)"; absent or null when that is not kept any more. */
  asker?: string | null;
}

const looks: Record<JobState, { icon: IconName; tone: Tone }> = {
  queued: { icon: "clock", tone: "plain" },
  waiting: { icon: "clock", tone: "plain" },
  running: { icon: "device", tone: "accent" },
  succeeded: { icon: "check", tone: "good" },
  failed: { icon: "warning", tone: "bad" },
  cancelled: { icon: "stop", tone: "plain" },
};

export function stateTitle(state: JobState): string {
  return words.states[state];
}

/** Word and drawing, so that the colour is never the only sign. */
export function stateBadge({ state, pausedAt }: Pick<Job, "state" | "pausedAt">): Html {
  if (pausedAt !== null) return badge({ tone: "warn", icon: "pause", label: words.paused });
  return badge({ ...looks[state], label: words.states[state] });
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
  const name = first.name ?? words.deletedFile;
  return entry.inputs.length > 1 ? words.andMore(name, entry.inputs.length - 1) : name;
}

/** Seconds between start and end; null while it has not ended or never began. */
export function runSeconds({ job }: Pick<JobEntry, "job">): number | null {
  if (job.startedAt === null || job.finishedAt === null) return null;
  return (Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1000;
}

/** Whether a retry on the CPU is worth offering: a GPU had a part in it, or would have. */
export function triedOnGpu({ attempts, steps }: Job): boolean {
  return [...attempts, ...steps].some(({ device }) => device?.startsWith("gpu") === true);
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
