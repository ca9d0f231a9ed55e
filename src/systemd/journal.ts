/** Whether what this process prints goes to systemd's journal. */
import { fstatSync } from "node:fs";

/**
 * @param stream the variable `JOURNAL_STREAM`: device and inode of what the journal reads. A process that redirects its
 * output inherits the variable, but not the stream.
 */
export function printsToJournal(stream: string | undefined, descriptor = 1): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  return stream === `${dev}:${ino}`;
}
