/** The end of the log as a stream: what fits a filter, in bunches, so that a flood of lines is no flood of messages. */
import { fits, type LogFilter, type LogRecord, type LogRing } from "../log-ring.ts";
import type { Send } from "./stream.ts";

/** As often as a person sees a list move. */
const TELL_EVERY_MS = 250;

/** More at once than anybody reads; the rest is counted. */
const TOLD_AT_ONCE_MAX = 200;

/** What was missed while the connection was gone; the rest is read by the list. */
const MISSED_MAX = 500;

/**
 * Sends a `record` for every further line that fits, at most some hundreds a second, and `skipped` with the number of
 * those that came faster.
 * @param after id of a line: what came since is told first
 * @returns what ends it
 */
export function followLog(
  ring: Pick<LogRing, "since" | "follow">,
  filter: LogFilter,
  after: string | null,
  send: Send,
): () => void {
  let waiting: LogRecord[] = [];
  let skipped = 0;
  let timer: Timer | undefined;
  const tell = () => {
    timer = undefined;
    const records = waiting;
    waiting = [];
    if (skipped > 0) send({ event: "skipped", data: JSON.stringify({ count: skipped }) });
    skipped = 0;
    for (const record of records) sendRecord(send, record);
  };
  if (after !== null) {
    for (const record of ring.since(filter, after, MISSED_MAX)) sendRecord(send, record);
  }
  const unfollow = ring.follow((record) => {
    if (!fits(record, filter)) return;
    waiting.push(record);
    if (waiting.length > TOLD_AT_ONCE_MAX) {
      waiting.shift();
      skipped += 1;
    }
    timer ??= setTimeout(tell, TELL_EVERY_MS);
  });
  return () => {
    clearTimeout(timer);
    unfollow();
  };
}

function sendRecord(send: Send, record: LogRecord): void {
  send({ event: "record", id: record.id, data: JSON.stringify(record) });
}
