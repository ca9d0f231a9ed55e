/** Another text when the file is another one: for what was found out of it, which need not be found out again. */
import { statSync } from "node:fs";

export function fileKey(path: string): string {
  const { size, mtimeMs, ino } = statSync(path);
  return [path, size, mtimeMs, ino].join(":");
}
