/**
 * What the test files of one run have in common: `script/test` gives all of them one folder, and a file that is run
 * by itself has its own.
 */
import { existsSync, linkSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const given = process.env["SHARED_TMPDIR"];
export const sharedFolder = given ?? mkdtempSync(join(tmpdir(), "clips-"));

/**
 * Path of a file that `make` writes unless another test file has made it in this run: the name says all that is in
 * it, and nobody writes to it afterwards.
 */
export function sharedFile(name: string, make: (path: string) => void): string {
  const path = join(sharedFolder, name);
  if (existsSync(path)) return path;
  const aside = mkdtempSync(join(sharedFolder, "making-"));
  make(join(aside, name));
  try {
    // Whole, and the first one stays when two make it at once: somebody may be reading it, as that very file.
    linkSync(join(aside, name), path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  }
  rmSync(aside, { recursive: true });
  return path;
}
