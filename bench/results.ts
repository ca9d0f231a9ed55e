/** `bench/RESULTS.md`: a section for each benchmark, as it was last measured. */

/** Sections by their names, in their order; what stands before the first is left out. */
export function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^## /m).slice(1);
  return new Map(
    parts.map((part) => {
      const [name = "", ...rest] = part.split("\n");
      return [name.trim(), rest.join("\n").trim()];
    }),
  );
}

/** The page with new sections in place of those of the same names. */
export function withSections(
  text: string,
  fresh: ReadonlyMap<string, string>,
  machine: string,
): string {
  const all = new Map([...sectionsOf(text), ...fresh]);
  const sections = [...all].map(([name, body]) => `\n## ${name}\n\n${body}\n`);
  return `# Figures

Made by \`script/bench --write [NAME …]\` on ${machine}.
Ratios are ours ÷ the other's, medians of pairs in turn on the same machine. They travel better than the figures: another
machine has other milliseconds. Of one pair each are those that were made with \`--once\`.
${sections.join("")}`;
}
