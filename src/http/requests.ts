/** One line in the log for each request that was slow or refused. */
import type { Log } from "../log.ts";
import type { Visit } from "./visit.ts";

/**
 * Logs a finished request: its path without the query, because queries can carry signatures. The time is
 * until the answer's head was ready; a body that streams afterwards is not counted.
 * @param slowMs from which on it is a warning; 0 for never
 */
export function logRequest(
  log: Log,
  visit: Visit,
  status: number,
  durationMs: number,
  slowMs: number,
): void {
  const slow = slowMs > 0 && durationMs >= slowMs;
  if (status < 400 && !slow) return;
  const line = {
    request: visit.id,
    method: visit.method,
    path: visit.path.slice(0, 200),
    status,
    durationMs: Math.round(durationMs),
    peer: visit.peer(),
    user: visit.user?.id ?? null,
  };
  // What is not there now, a part that is not ready among it, is known where it fails: askers come every few seconds.
  if (status === 503) log.warn(line, "request put off");
  else if (status >= 500) log.error(line, "request failed");
  else if (status >= 400) log.info(line, "request refused");
  // A file takes as long as the line of its sender makes it.
  else if (visit.takesFile) log.info(line, "request was long");
  else log.warn(line, "request was slow");
}

/** An id of the sender's making: what it says goes into the log as it is. */
const saneId = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/;

/** The sender's own id of a request, where it has a sane one: then its log and ours name the same. */
export function sentRequestId(request: Request): string | null {
  const id = request.headers.get("x-request-id");
  return id !== null && saneId.test(id) ? id : null;
}
