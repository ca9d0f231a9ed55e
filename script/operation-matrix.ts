/**
 * docs/operations/matrix.md: what every operation does with every kind of source.
 *   bun script/operation-matrix.ts           writes the page from what is known
 *   bun script/operation-matrix.ts --ask [COLUMN]
 *                                            asks every operation anew what it says of every source (a few minutes)
 * That what is said is what comes out is the tests' to hold: `tests/operations/matrix/`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { matrixCases } from "../tests/operations/matrix/cases.ts";
import type { MatrixCase } from "../tests/operations/matrix/expectations.ts";
import { knownFaults } from "../tests/operations/matrix/faults.ts";
import type { Source } from "../tests/operations/matrix/recipes.ts";
import { allCells, Ground, type Outcome } from "../tests/operations/matrix/run.ts";
import { sources } from "../tests/operations/matrix/sources.ts";

const root = resolve(import.meta.dir, "..");
export const pagePath = join(root, "docs/operations/matrix.md");
export const outcomesPath = join(root, "tests/operations/matrix/outcomes.json");

/** By case, and then by source. */
export type Outcomes = Record<string, Record<string, Outcome>>;

export async function readOutcomes(): Promise<Outcomes> {
  return (await Bun.file(outcomesPath).json()) as Outcomes;
}

const intro = `# What operations do with what sources

Made by \`bun script/operation-matrix.ts\`. Each row is a source that trips video tools up, made by ffmpeg for the
test; each column is an operation with one set of parameters. Every cell is carried out by the same code as a job
and its result is looked at and listened to by ffmpeg alone: marks at the edges are where they belong and in their
colours, also the outermost line of pixels; the shape as shown is right; flash and beep are within 40 ms; frames keep their
distances; bit depth and HDR are kept, or made SDR on purpose; tracks keep their number, order, language, channels
and pitch; what was interlaced is not any more.

\`script/test\` carries out one source of every column; \`script/test --full\` carries out all of them.

- yes: it is done, and all of that holds; with numbers, the job says what the notes of these numbers say.
- refused: with the sentence of that number, before anything begins.
- **not yet**: it is done, and what the note says does not hold yet.
`;

/** The page as it should be. */
export function matrixPage(outcomes: Outcomes): string {
  const texts: string[] = [];
  const numberOf = (text: string): number => {
    if (!texts.includes(text)) texts.push(text);
    return texts.indexOf(text) + 1;
  };
  const cell = (each: MatrixCase, source: Source): string => {
    const fault = knownFaults[`${each.name} × ${source.name}`];
    if (fault !== undefined) return `**not yet** (${numberOf(fault)})`;
    const outcome = outcomes[each.name]?.[source.name];
    if (outcome === undefined) return "?";
    const notes = outcome.notes.map(numberOf);
    if (outcome.refused !== null) return `refused (${numberOf(outcome.refused)})`;
    return ["yes", ...(notes.length > 0 ? [`(${notes.join(", ")})`] : [])].join(" ");
  };
  const groups = Map.groupBy(matrixCases, ({ operation }) => operation);
  const tables = [...groups].map(([operation, cases]) => {
    const head = ["source", ...cases.map(({ title }) => title)];
    const rows = sources.map((source) => [
      source.title,
      ...cases.map((each) => cell(each, source)),
    ]);
    return `\n## ${operation}\n\n${table([head, ...rows])}`;
  });
  const notes = texts.map((text, index) => `${index + 1}. ${text}\n`).join("");
  return `${intro}${tables.join("")}\n## Notes\n\n${notes}`;
}

function table(rows: string[][]): string {
  const line = (row: string[]) =>
    `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  const [head = []] = rows;
  return rows
    .map(line)
    .toSpliced(1, 0, line(head.map(() => "---")))
    .join("");
}

/** @param column the name of a case; absent: all of them */
async function ask(column: string | undefined): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "matrix-"));
  try {
    const ground = new Ground(folder);
    const outcomes: Outcomes = column === undefined ? {} : await readOutcomes();
    for (const [each, source] of allCells()) {
      if (column !== undefined && each.name !== column) continue;
      const outcome = await ground.outcome(each, source);
      outcomes[each.name] = { ...outcomes[each.name], [source.name]: outcome };
    }
    await Bun.write(outcomesPath, `${JSON.stringify(outcomes, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const [what, column] = process.argv.slice(2);
  if (what === "--ask") await ask(column);
  await Bun.write(pagePath, matrixPage(await readOutcomes()));
}
