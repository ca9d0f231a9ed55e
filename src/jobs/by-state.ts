/**
 * Where the jobs are found that have not ended, and those that ended otherwise than they should: each state in the
 * words of its partial indexes (migration 26). Those that succeeded pile up and have none.
 */
import type { JobState } from "./job.ts";

/** Jobs that wait for their turn and nothing else: the words of `job_next`. */
export const inLine = "state = 'queued' AND wait_for IS NULL";

const withIndex: Record<Exclude<JobState, "succeeded">, readonly string[]> = {
  // Without the need no condition behind it could use `job_next`.
  queued: [
    `need = 'cpu' AND ${inLine}`,
    `need = 'gpu' AND ${inLine}`,
    "wait_for IN ('time', 'retry')",
  ],
  waiting: ["wait_for IN ('jobs', 'person', 'device', 'space')"],
  running: ["state = 'running'"],
  failed: ["state = 'failed'"],
  cancelled: ["state = 'cancelled'"],
};

export type IndexedState = keyof typeof withIndex;

/** Conditions of which each job in one of these states meets exactly one. Each of them is read from an index. */
export function conditionsOfStates(states: readonly IndexedState[]): string[] {
  const conditions = states.flatMap((state) => withIndex[state]);
  // Together they are all that waits for something: one look instead of two.
  if (!states.includes("queued") || !states.includes("waiting")) return conditions;
  return [...conditions.filter((each) => !each.startsWith("wait_for")), "wait_for IS NOT NULL"];
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
  const parts = conditionsOfStates(states).map(
    (each) => `SELECT ${columns} FROM job WHERE ${each} AND ${condition}`,
  );
  return `(${parts.join(" UNION ALL ")})`;
}
