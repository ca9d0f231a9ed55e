/**
 * Stops the work of jobs where it stands and lets it go on: SIGSTOP and SIGCONT to the process groups of
 * ffmpeg. All work can be stopped, and that of one job. A stopped run keeps its memory, also that of a GPU.
 */

import { signalGroup } from "./process-group.ts";

let allPaused = false;

/** Process groups that may be stopped, each with the switch of its job where it has one. */
const groups = new Map<number, Rest | null>();

/** The switch of one job: its runs stand still while it is paused, those that begin meanwhile too. */
export class Rest {
  private isPaused = false;
  private readonly listeners = new Set<(paused: boolean) => void>();

  get paused(): boolean {
    return this.isPaused;
  }

  set(paused: boolean): void {
    if (this.isPaused === paused) return;
    this.isPaused = paused;
    for (const [group, rest] of groups) {
      if (rest !== this || allPaused) continue;
      signalGroup(group, paused ? "SIGSTOP" : "SIGCONT");
    }
    for (const listener of [...this.listeners]) listener(paused);
  }

  /** Called at every change. Returns what ends it. */
  follow(listener: (paused: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Whether a run stands still on purpose. */
export function rests(group: number): boolean {
  return allPaused || (groups.get(group)?.paused ?? false);
}

export function pauseRuns(): void {
  allPaused = true;
  for (const group of groups.keys()) signalGroup(group, "SIGSTOP");
}

export function continueRuns(): void {
  allPaused = false;
  for (const [group, rest] of groups) {
    if (rest === null || !rest.paused) signalGroup(group, "SIGCONT");
  }
}

/**
 * A run that begins; one that begins while all are paused, or its job is, stops at once.
 * @param rest the switch of its job; null when it has none
 * @returns what ends it
 */
export function enrol(group: number, rest: Rest | null): () => void {
  groups.set(group, rest);
  if (rests(group)) signalGroup(group, "SIGSTOP");
  return () => groups.delete(group);
}
