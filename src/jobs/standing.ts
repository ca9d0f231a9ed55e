/** What a job that does not run waits for, from what is known of it. Pure. */
import type { JobState, WaitsFor } from "./job.ts";

export interface Standing {
  state: Extract<JobState, "queued" | "waiting">;
  waitsFor: WaitsFor | null;
  /** For a person; null when it waits for its turn alone. */
  reason: string | null;
}

/** What holds a job up besides devices and room, which are found out when its turn comes. */
export interface Holds {
  /** Jobs before it that have not succeeded yet, and what one of them is called. */
  predecessorsLeft: number;
  predecessorTitle: string | null;
  /** Who paused it; "" for somebody unknown, null when it is not paused. */
  pausedBy: string | null;
  /** ISO 8601 UTC; null for at once. */
  notBefore: string | null;
}

export function standingOf(holds: Holds, now: string): Standing {
  const { predecessorsLeft, pausedBy, notBefore } = holds;
  if (predecessorsLeft > 0) {
    return { state: "waiting", waitsFor: "jobs", reason: predecessorSentence(holds) };
  }
  if (pausedBy !== null) {
    const by = pausedBy === "" ? "" : ` by ${pausedBy}`;
    return {
      state: "waiting",
      waitsFor: "person",
      reason: `Paused${by} before it began. Resume it to let it start.`,
    };
  }
  if (notBefore !== null && notBefore > now) {
    return {
      state: "queued",
      waitsFor: "time",
      reason: `It is to start not before ${spokenTime(notBefore)}.`,
    };
  }
  return { state: "queued", waitsFor: null, reason: null };
}

function predecessorSentence({ predecessorsLeft, predecessorTitle }: Holds): string {
  if (predecessorsLeft > 1) return `${predecessorsLeft} jobs have to be done before it.`;
  return predecessorTitle === null
    ? "Another job has to be done before it."
    : `“${predecessorTitle}” has to be done before it.`;
}

/** "2026-01-31 22:00 UTC" */
export function spokenTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}
