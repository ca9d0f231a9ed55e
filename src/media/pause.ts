/**
 * Stops the work of jobs where it stands and lets it go on: SIGSTOP and SIGCONT to the process groups of
 * ffmpeg. A stopped run keeps its memory, also that of a GPU.
 */

import { signalGroup } from "./process-group.ts";

let paused = false;

/** Process groups that may be stopped. */
const groups = new Set<number>();

export function runsArePaused(): boolean {
  return paused;
}

export function pauseRuns(): void {
  paused = true;
  for (const group of groups) signalGroup(group, "SIGSTOP");
}

export function continueRuns(): void {
  paused = false;
  for (const group of groups) signalGroup(group, "SIGCONT");
}

/** A run that begins; one that begins while all are paused stops at once. Returns what ends it. */
export function enrol(group: number): () => void {
  groups.add(group);
  if (paused) signalGroup(group, "SIGSTOP");
  return () => groups.delete(group);
}
