/** What of a job can be changed after it was asked for. */

import { cycle } from "./arrangement.ts";
import type { Asker } from "./asks.ts";
import { cycleThrough } from "./predecessors.ts";
import type { Queue } from "./queue.ts";
import { type Submission, utcTime } from "./submission.ts";

/** Fields that are absent stay as they are. */
export interface JobChange {
  priority?: number | undefined;
  labels?: Record<string, string> | undefined;
  after?: readonly string[] | undefined;
  /** ISO 8601; null for at once. */
  notBefore?: string | null | undefined;
}

/**
 * Call it inside a transaction, which it does not roll back itself.
 * @returns false when something of it cannot be changed in the state that the job has
 * @throws Refusal 422 `invalid` or `cycle`, 409 `predecessor_ended`
 */
export function applyChange(
  { asks, ledger }: Queue,
  submission: Pick<Submission, "refuseUselessAfter">,
  { asker, id }: { asker: Asker; id: string },
  { priority, labels, after, notBefore }: JobChange,
): boolean {
  if (after !== undefined) {
    submission.refuseUselessAfter(asker.id, after);
    for (const before of after) {
      const way = cycleThrough(ledger, id, before);
      if (way !== null) throw cycle(way);
    }
  }
  return (
    (labels === undefined || asks.setLabels(asker, id, labels)) &&
    (priority === undefined || asks.setPriority(asker, id, priority)) &&
    (after === undefined || asks.setAfter(asker, id, [...new Set(after)])) &&
    (notBefore === undefined || asks.setNotBefore(asker, id, utcTime(notBefore)))
  );
}
