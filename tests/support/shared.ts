/**
 * What the test files of one run have in common: `script/test` gives all of them one folder, and a file that is run
 * by itself has its own.
 */
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const given = process.env["KINOMILL_TEST_SHARED"];
export const sharedFolder = given ?? mkdtempSync(join(tmpdir(), "clips-"));

/**
 * Path of a file that `make` writes unless another test file has made it in this run: the name says all that is in
 * it, and nobody writes to it afterwards.
 */
export function sharedFile(name: string, make: (path: string) => void): string {
  const path = join(sharedFolder, name);
  if (existsSync(path)) return path;
  // Two may make it at once; each finds it whole.
  const aside = mkdtempSync(join(sharedFolder, "making-"));
  make(join(aside, name));
  renameSync(join(aside, name), path);
  rmSync(aside, { recursive: true });
  return path;
}
