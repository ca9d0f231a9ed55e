/** One line in the log for each request that was slow or refused. */
import type { Log } from "../log.ts";
import type { Visit } from "./visit.ts";

/** People notice an answer that takes longer; reads of the API stay ten times below. */
const SLOW_MS = 200;

/**
 * Logs a finished request: its path without the query, because queries can carry signatures. The time is
 * until the answer's head was ready; a body that streams afterwards is not counted.
 */
export function logRequest(log: Log, visit: Visit, status: number, durationMs: number): void {
  if (status < 400 && durationMs < SLOW_MS) return;
  const line = {
    request: visit.id,
    method: visit.method,
    path: visit.path.slice(0, 200),
    status,
    durationMs: Math.round(durationMs),
    peer: visit.peer(),
    user: visit.user?.id ?? null,
  };
  if (status >= 500) log.error(line, "request failed");
  else if (status >= 400) log.info(line, "request refused");
  else log.info(line, "request was slow");
}
