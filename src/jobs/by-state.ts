/**
 * Where the jobs are found that have not ended, and those that ended otherwise than they should: each state in the
 * words of its partial indexes (migrations 26 and 28). Those that succeeded pile up and have none. The indexes are named,
 * because SQLite, which does not know how few jobs they hold, likes the index of all jobs of the owner as much.
 */
import type { JobState } from "./job.ts";

/** Jobs that wait for their turn and nothing else, in words that `job_line` has too; with them stand those that run. */
export const inLine = "wait_for IS NULL AND state = 'queued'";

const running = "wait_for IS NULL AND state = 'running'";

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

/** Without the need no condition behind it could use the index. */
const line = (where: string) =>
  (["cpu", "gpu"] as const).map((need) => look("job_line", `need = '${need}' AND ${where}`, false));

const withIndex: Record<Exclude<JobState, "succeeded">, readonly Look[]> = {
  queued: [...line(inLine), held("wait_for IN ('time', 'retry')")],
  waiting: [held("wait_for IN ('jobs', 'person', 'device', 'space')")],
  running: line(running),
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
