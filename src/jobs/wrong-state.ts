/** What somebody is told whose wish does not fit the state that the job has by now, and what to do instead. */
import { Refusal } from "../trouble.ts";
import type { Job } from "./job.ts";

export type Wish = "cancel" | "retry" | "pause" | "resume" | "change";

/** @param job as it is now; another browser or the job itself may have been quicker */
export function wrongState(wish: Wish, job: Pick<Job, "state" | "pausedAt">): Refusal {
  return new Refusal(409, "wrong_state", sentences[wish](job), {
    errors: [{ path: "state", message: job.state }],
  });
}

type Told = Pick<Job, "state" | "pausedAt">;

const sentences: Record<Wish, (job: Told) => string> = {
  cancel: ({ state }) => {
    switch (state) {
      case "succeeded":
        return "The job is done already, so nothing was cancelled. Delete its results if they are not wanted.";
      case "failed":
        return "The job has failed already, so there is nothing to cancel.";
      case "cancelled":
        return "The job was cancelled already.";
      default:
        return "The job moved on in this moment. Look at it again, then cancel it if it is still to be cancelled.";
    }
  },
  retry: ({ state }) => {
    switch (state) {
      case "succeeded":
        return "The job is done already, so there is nothing to retry. Start a new job to make it again.";
      case "running":
        return "The job is running, so there is nothing to retry. Cancel it first to begin it anew.";
      case "queued":
      case "waiting":
        return "The job is in the queue already and starts by itself.";
      default:
        return "The job moved on in this moment. Look at it again.";
    }
  },
  pause: ({ state, pausedAt }) =>
    pausedAt === null
      ? `The job is ${state} already, so there is nothing to pause.`
      : "The job is paused already. Resume it to let it go on.",
  resume: ({ state, pausedAt }) =>
    pausedAt === null
      ? `The job is ${state} and not paused, so there is nothing to resume.`
      : "The job moved on in this moment. Look at it again.",
  change: ({ state }) =>
    state === "running"
      ? "The job is running: only its labels can still be changed. Cancel and retry it to begin it in another way."
      : `The job is ${state}: only its labels can still be changed.`,
};
