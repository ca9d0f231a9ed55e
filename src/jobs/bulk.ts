/** Many jobs of one person at once: which ones, and what became of each. */
import type { Database } from "bun:sqlite";
import { Refusal } from "../trouble.ts";
import { findRows, type JobFilter } from "./finding.ts";
import { BULK_MAX, type JobState } from "./job.ts";

/** By their ids, or all that a list with this filter would show. */
export type Selection =
  | { ids: readonly string[] }
  | { filter: Omit<JobFilter, "ownerId" | "limit" | "after"> };

export interface BulkOutcome {
  /** Ids of the jobs that were changed. */
  changed: string[];
  /** The others, each with the reason. */
  skipped: { id: string; code: string; detail: string }[];
  /** True when the filter fits more jobs than one call takes: call again. */
  more: boolean;
}

/** @param states those in which the change makes sense: a filter takes no others */
export function selectedIds(
  database: Database,
  ownerId: string,
  selection: Selection,
  states: readonly JobState[],
): { ids: string[]; more: boolean } {
  if ("ids" in selection) return { ids: [...new Set(selection.ids)], more: false };
  const { filter } = selection;
  const asked = filter.states ?? [];
  const wanted = asked.length === 0 ? states : states.filter((state) => asked.includes(state));
  if (wanted.length === 0) return { ids: [], more: false };
  const page = { ...filter, states: wanted, ownerId, limit: BULK_MAX };
  const ids: string[] = [];
  let after: string | null = null;
  // A page may be short because so much was looked at: what can be found in this call is found.
  do {
    const found = findRows(database, { ...page, after, limit: BULK_MAX - ids.length });
    ids.push(...found.rows.map(({ id }) => id));
    after = found.next;
  } while (after !== null && ids.length < BULK_MAX);
  return { ids, more: after !== null };
}

/** What a change of many would be about. */
export interface Survey {
  /** Jobs that are named, or that the filter fits, by their states; those that there are not are not among them. */
  states: Partial<Record<JobState, number>>;
  /** Asked for by a filter that fits more than one call takes. */
  more: boolean;
}

/** @param states those in which the change makes sense: a filter takes no others */
export function surveyOf(
  database: Database,
  ownerId: string,
  selection: Selection,
  states: readonly JobState[],
): Survey {
  const { ids, more } = selectedIds(database, ownerId, selection, states);
  const rows = database
    .query<{ state: JobState; count: number }, [string, string]>(
      // The plus: by their ids, not through all that the person ever asked for.
      `SELECT state, count(*) AS count FROM job
       WHERE id IN (SELECT value FROM json_each(?1)) AND +owner_id = ?2 GROUP BY state`,
    )
    .all(JSON.stringify(ids), ownerId);
  return { states: Object.fromEntries(rows.map(({ state, count }) => [state, count])), more };
}

/** Changes one after another; what one refuses leaves the others alone. */
export function changeEach(
  ids: readonly string[],
  change: (id: string) => void,
): Omit<BulkOutcome, "more"> {
  const changed: string[] = [];
  const skipped: BulkOutcome["skipped"] = [];
  for (const id of ids) {
    try {
      change(id);
      changed.push(id);
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      skipped.push({ id, code: cause.code, detail: cause.message });
    }
  }
  return { changed, skipped };
}
