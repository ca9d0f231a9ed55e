/** Facts of a line of the log that say nothing of people and their files. */
export const openFacts: ReadonlySet<string> = new Set(
  "level time service part msg request method status durationMs job asset import upload device operation code fence attempt step err signal version commit trouble reason remedy bytes objects count from to kind setting backup".split(
    " ",
  ),
);
