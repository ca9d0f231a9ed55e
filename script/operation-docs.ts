/**
 * Writes docs/operations/ from the schemas of the operations, one page for each:
 *   bun script/operation-docs.ts
 */
import { readdir, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { operations } from "../src/operations/index.ts";
import type { Operation, Plan } from "../src/operations/operation.ts";
import {
  allFields,
  commandLine,
  conditionWords,
  defaultWords,
  inputWords,
  pathWords,
  typeWords,
} from "../src/operations/parameter-words.ts";
import { parameterFields } from "../src/operations/parameters.ts";
import { exampleOf, names } from "../tests/operations/example-plan.ts";
import { scenes } from "./still-scenes.ts";

export const docsFolder = join(resolve(import.meta.dir, ".."), "docs/operations");

/** Pages that people write; the others are made here. */
const byHand = new Set(["matrix.md", "proofs.md"]);

/** Every page by its name, as it should be. */
export function operationPages(): Map<string, string> {
  const pages = operations.map((operation): [string, string] => [
    `${operation.name}.md`,
    operationPage(operation),
  ]);
  return new Map([["README.md", indexPage()], ...pages]);
}

const source =
  "This page is made by `bun script/operation-docs.ts` from the schema that the program itself uses.";

function indexPage(): string {
  const rows = operations.map((operation) => [
    `[${operation.name}](${operation.name}.md)`,
    operation.description,
    inputWords(operation),
  ]);
  return `# Operations

What Kinomill can do. ${source}

${table(["operation", "what it does", "works on"], rows)}
[What each does with unusual sources](matrix.md): turned, interlaced, HDR, uneven, odd, silent and thirty more, each tried.

The same list with JSON Schemas is at \`GET /api/v1/operations\`; \`kinomill operations NAME\` prints one in a terminal.

On the command line a parameter is \`-p key=value\`: \`-p video.codec=hevc\`. Where a page says \`N\`, there stands the
place in a list, from 0: \`-p ranges.0.from=1:30\`. Seconds may be written as \`1:30\`, bit rates as \`5M\`. All parameters as
JSON in a file are \`--params FILE.json\`; those of \`-p\` go over them. Unknown parameters are refused, and every fault
names its field.
`;
}

function operationPage(operation: Operation): string {
  const example = exampleOf(operation);
  const outputs = (example?.plan.steps ?? []).flatMap((step) => step.outputs);
  const files = example?.files ?? [names.film];
  const ending = outputs[0]?.name.split(".").at(-1);
  const output = outputs.length === 1 && ending !== undefined ? `result.${ending}` : "results";
  const line = commandLine(operation, files, output);
  const json = JSON.stringify(operation.example, null, 2);
  const file = line.endsWith("params.json") ? ", with the JSON above in `params.json`" : "";
  return `# ${operation.title} (\`${operation.name}\`)

${operation.description}
${stillOf(operation)}
Works on ${inputWords(operation)}. ${source}

## Parameters

${table(["parameter", "takes", "default", "what it does"], parameterRows(operation))}
## Example

\`\`\`json
${json}
\`\`\`

On the command line${file}:

\`\`\`sh
${line}
\`\`\`

Over HTTP, after the ${files.length === 1 ? "file was" : "files were"} stored ([how](../api.md)):

\`\`\`sh
${curlLine(operation, files.length)}
\`\`\`
${outputSection(outputs)}`;
}

/** What it looks like; pages of operations without a picture have none. */
function stillOf({ name }: Operation): string {
  const scene = scenes[name];
  if (scene === undefined) return "";
  return `
![${scene.caption}](../screenshots/operations/${name}.jpg)

${scene.caption} (Big Buck Bunny, © 2008 Blender Foundation, CC BY 3.0.)
`;
}

function parameterRows(operation: Operation): string[][] {
  return allFields(parameterFields(operation)).map((field) => [
    `\`${pathWords(field)}\``,
    typeWords(field),
    defaultWords(field).replaceAll("\n", " "),
    `${field.description}${conditionWords(field)}`.replaceAll("\n", " "),
  ]);
}

function curlLine(operation: Operation, count: number): string {
  const ids = Array.from({ length: count }, (_, index) =>
    index === 0 ? "ASSET" : `ASSET${index + 1}`,
  );
  const body = { operation: operation.name, inputs: ids, params: operation.example };
  const json = JSON.stringify(body).replaceAll("'", String.raw`'\''`);
  return `curl -sS --fail-with-body -H "Authorization: Bearer $KINOMILL_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '${json}' \\
  "$KINOMILL_URL/api/v1/jobs"`;
}

function outputSection(outputs: Plan["steps"][number]["outputs"]): string {
  if (outputs.length === 0) return "";
  const rows = outputs.map(({ role, name, mimeType }) => [`\`${role}\``, name, mimeType]);
  return `
## What the example makes

${table(["role", "file", "type"], rows)}`;
}

/** With its columns in line, as a person would write it. */
function table(head: string[], rows: string[][]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const line = (row: string[]) => `| ${row.join(" | ")} |\n`;
  return cells
    .map(line)
    .toSpliced(1, 0, line(head.map(() => "---")))
    .join("");
}

/** Writes every page, and takes away those of operations that are gone. */
async function write(): Promise<void> {
  const pages = operationPages();
  for (const [name, text] of pages) await Bun.write(join(docsFolder, name), text);
  const found = await readdir(docsFolder);
  const stale = found.filter((name) => name.endsWith(".md") && !pages.has(name));
  for (const name of stale.filter((each) => !byHand.has(each)))
    await unlink(join(docsFolder, name));
}

if (import.meta.main) await write();
