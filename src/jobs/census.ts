/** How many jobs of one person are in each state, as the tabs of a list show it. */
import type { Database } from "bun:sqlite";
import { jobsIn } from "./by-state.ts";
import { COUNTED_MAX, type JobState, jobStates } from "./job.ts";

/** `COUNTED_MAX + 1` stands for more; null where it was not counted. */
export type Census = Record<JobState, number | null>;

/**
 * Reads indexes alone. What succeeded has none of its own and is what is left of all jobs, unless some other state
 * was not counted to its end.
 */
export function censusOf(database: Database, ownerId: string): Census {
  const others = jobStates.filter((state) => state !== "succeeded");
  const counts = others.map((state): [JobState, number] => [
    state,
    countOf(database, jobsIn([state], "seq", "owner_id = ?1"), ownerId, COUNTED_MAX + 1),
  ]);
  const sum = counts.reduce((total, [, count]) => total + count, 0);
  const whole = counts.every(([, count]) => count <= COUNTED_MAX);
  const all = whole
    ? countOf(database, "job WHERE owner_id = ?1", ownerId, sum + COUNTED_MAX + 1)
    : sum;
  const succeeded = whole ? all - sum : null;
  return { ...(Object.fromEntries(counts) as Record<JobState, number>), succeeded };
}

function countOf(database: Database, from: string, ownerId: string, limit: number): number {
  const row = database
    .query<{ count: number }, [string, number]>(
      `SELECT count(*) AS count FROM (SELECT 1 FROM ${from} LIMIT ?2)`,
    )
    .get(ownerId, limit);
  return row?.count ?? 0;
}
