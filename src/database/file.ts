import { closeSync, openSync } from "node:fs";

/**
 * Makes an empty file that only this user may read, if there is none. An existing database must never be
 * opened and closed outside SQLite: the close would drop the locks that this process holds on it.
 */
export function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  }
}
