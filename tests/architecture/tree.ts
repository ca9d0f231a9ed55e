/** The files of the checkout, as the rules see them. */
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dir, "../..");

export interface SourceFile {
  /** Relative to the checkout: `src/jobs/queue.ts`. */
  path: string;
  text: string;
}

/** Every file that git tracks or would track, without pictures and vendored code. */
export async function readTree(): Promise<SourceFile[]> {
  const argv = [
    "git",
    "-c",
    `safe.directory=${root}`,
    "ls-files",
    "-z",
    "-co",
    "--exclude-standard",
  ];
  const listing = Bun.spawnSync(argv, { cwd: root });
  if (!listing.success) throw new Error(`git ls-files failed: ${listing.stderr.toString()}`);
  const paths = listing.stdout
    .toString()
    .split("\0")
    .filter((path) => path !== "" && !/^static\/vendor\/|\.(png|jpg|webp|ico|woff2)$/.test(path));
  const files = await Promise.all(
    paths.map(async (path) => {
      const file = Bun.file(join(root, path));
      return (await file.exists()) ? [{ path, text: await file.text() }] : [];
    }),
  );
  return files.flat();
}

export const isTest = (path: string) => /\.test\.ts$/.test(path) || path.startsWith("tests/");

/** The product itself: what is compiled into the executable. */
export const isProduct = ({ path }: SourceFile) =>
  /^(src|views)\/.*\.ts$/.test(path) && !isTest(path) && !path.endsWith(".d.ts");
