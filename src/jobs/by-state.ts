/**
 * Where the jobs are found that have not ended, and those that ended otherwise than they should: each state in the
 * words of its partial indexes (migration 26). Those that succeeded pile up and have none. The indexes are named,
 * because SQLite, which does not know how few jobs they hold, likes the index of all jobs of the owner as much.
 */
import type { JobState } from "./job.ts";

/** Jobs that wait for their turn and nothing else: the words of `job_next`. */
export const inLine = "state = 'queued' AND wait_for IS NULL";

/** One look into one index. */
export interface Look {
  /** For FROM: the table with its index. */
  from: string;
  where: string;
  /** Of one owner it gives the jobs by their numbers. */
  bySeq: boolean;
}

const look = (index: string, where: string, bySeq: boolean): Look => ({
  from: `job INDEXED BY ${index}`,
  ...{ where, bySeq },
});
const held = (where: string) => look("job_held", where, false);

const withIndex: Record<Exclude<JobState, "succeeded">, readonly Look[]> = {
  // Without the need no condition behind it could use the index.
  queued: [
    look("job_next", `need = 'cpu' AND ${inLine}`, false),
    look("job_next", `need = 'gpu' AND ${inLine}`, false),
    held("wait_for IN ('time', 'retry')"),
  ],
  waiting: [held("wait_for IN ('jobs', 'person', 'device', 'space')")],
  running: [look("job_running", "state = 'running'", true)],
  failed: [look("job_unsuccessful", "state = 'failed'", true)],
  cancelled: [look("job_unsuccessful", "state = 'cancelled'", true)],
};

export type IndexedState = keyof typeof withIndex;

/** Looks of which each job in one of these states is found by exactly one. */
export function looksFor(states: readonly IndexedState[]): Look[] {
  const looks = states.flatMap((state) => withIndex[state]);
  // Together they are all that waits for something: one look instead of two.
  if (!states.includes("queued") || !states.includes("waiting")) return looks;
  return [...looks.filter(({ from }) => from !== held("").from), held("wait_for IS NOT NULL")];
}

/**
 * The jobs in these states as a table for FROM.
 * @param columns what is read of each
 * @param condition on each besides
 */
export function jobsIn(
  states: readonly IndexedState[],
  columns: string,
  condition = "TRUE",
): string {
  const parts = looksFor(states).map(
    ({ from, where }) => `SELECT ${columns} FROM ${from} WHERE ${where} AND ${condition}`,
  );
  return `(${parts.join(" UNION ALL ")})`;
}
