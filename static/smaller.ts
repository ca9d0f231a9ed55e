/** A macro: it runs when Kinomill is built, and what it gives stands in the executable. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A script of ours as browsers get it: without comments and indentation, a quarter of what is sent. Names stay, so that
 * what pages tell of their faults can be read.
 * @param file below `static/`
 */
export function smaller(file: string): string {
  const script = readFileSync(join(import.meta.dir, file), "utf8");
  return new Bun.Transpiler({
    ...{ loader: "js", target: "browser", minifyWhitespace: true },
  }).transformSync(script);
}
