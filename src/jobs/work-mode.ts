/** Whether the box works: a person's switch, which survives a restart. */
import type { Database } from "bun:sqlite";
import { type Clock, isoTime } from "../clock.ts";

/**
 * `running`: jobs start as places are free. `draining`: nothing new starts, what runs ends. `paused`:
 * nothing new starts, and what runs stops where it stands.
 */
export const workModes = ["running", "paused", "draining"] as const;
export type WorkMode = (typeof workModes)[number];

export interface WorkState {
  mode: WorkMode;
  /** Since when, ISO 8601; null while nobody has switched it. */
  since: string | null;
}

export class WorkSwitch {
  private readonly database: Database;
  private readonly clock: Clock;
  private readonly listeners = new Set<(state: WorkState) => void>();
  /** As the database has it: every page asks, and the holder of the data folder alone writes it. */
  private known: WorkState;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
    this.known = this.read();
  }

  state(): WorkState {
    return this.known;
  }

  private read(): WorkState {
    const row = this.database
      .query<{ mode: WorkMode; changed_at: string }, []>(
        "SELECT mode, changed_at FROM work_mode WHERE id = 1",
      )
      .get();
    return row === null
      ? { mode: "running", since: null }
      : { mode: row.mode, since: row.changed_at };
  }

  /** Setting what it is already changes nothing, also not since when. */
  set(mode: WorkMode): WorkState {
    if (this.known.mode === mode) return this.known;
    this.database
      .query(
        `INSERT INTO work_mode (id, mode, changed_at) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET mode = excluded.mode, changed_at = excluded.changed_at`,
      )
      .run(mode, isoTime(this.clock.nowMs()));
    const state = this.read();
    this.known = state;
    for (const listener of [...this.listeners]) listener(state);
    return state;
  }

  /** Called at once with what it is, and after every change. Returns what ends it. */
  follow(listener: (state: WorkState) => void): () => void {
    this.listeners.add(listener);
    listener(this.known);
    return () => this.listeners.delete(listener);
  }
}

/** What a job that waits because of it shows; null when nothing holds it up. */
export function whyNothingStarts(mode: WorkMode): string | null {
  switch (mode) {
    case "running":
      return null;
    case "paused":
      return "All work is paused. Continue it on the System page.";
    case "draining":
      return "This machine is being drained: what runs is finished, and nothing new starts. Continue it on the System page.";
  }
}
