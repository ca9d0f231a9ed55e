/** The addresses of pages, read from the source of those who answer them: a new page is in the tests or they say so. */
import { readFileSync } from "node:fs";
import { Glob } from "bun";

/** Not pages: what programs ask for, parts of pages, files. */
const others = /^\/(api|ui|static|health|storage|metrics|favicon)(\/|\.|$)/;

/** Paths of GET routes that are whole pages, with their parameters: `/assets/:id`. */
export function pageRoutes(): string[] {
  const found = new Set<string>();
  for (const path of new Glob("src/http/**/*.ts").scanSync(".")) {
    if (path.endsWith(".test.ts")) continue;
    const text = readFileSync(path, "utf8");
    const here = /const HERE = ("[^"]+");/.exec(text)?.[1] ?? '""';
    const named = text.replaceAll(/"GET",\s*HERE\b/g, `"GET", ${here}`);
    for (const [, route = ""] of named.matchAll(/(?:\bpage\(|"GET",)\s*"(\/[^"]*)"/g)) {
      if (!others.test(route)) found.add(route);
    }
  }
  return [...found].sort();
}
