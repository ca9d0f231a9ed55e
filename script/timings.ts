/** How long each file of tests took, for a run in which the slowest begin first. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What `bun test --update-timings` writes. */
interface Timings {
  version: 1;
  /** Milliseconds by path from the checkout. */
  files: Record<string, number>;
}

/** Of a file that is not in the list yet: Bun would begin with all of those, and the slowest it knows came last. */
const UNKNOWN_MS = 3_000;

/** Paths of all files of tests in these folders, from the checkout. */
export function filesOfTests(root: string, folders: readonly string[]): string[] {
  return folders.flatMap((folder) => [
    ...new Bun.Glob(join(folder, "**/*.test.ts")).scanSync({ cwd: root }),
  ]);
}

/**
 * Writes timings of every file of tests in these folders.
 * @param known path of the list in the checkout
 */
export async function completeTimings(
  root: string,
  known: string,
  folders: readonly string[],
  to: string,
): Promise<void> {
  const { version, files } = JSON.parse(await readFile(join(root, known), "utf8")) as Timings;
  const found = filesOfTests(root, folders);
  const complete = Object.fromEntries(found.map((path) => [path, files[path] ?? UNKNOWN_MS]));
  await writeFile(to, JSON.stringify({ version, files: complete } satisfies Timings));
}
