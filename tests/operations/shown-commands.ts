/** The command lines that the documents show, as a reader copies them. */
import { resolve } from "node:path";

export const root = resolve(import.meta.dir, "../..");

export interface ShownCommand {
  /** "docs/operations/clip.md:56" */
  place: string;
  /** One command of a shell, from `kinomill` on; what stands before that word is left out. */
  command: string;
  /** The JSON that stands before it on the same page; null when there is none. */
  json: string | null;
}

const documents = ["README.md", "CHANGELOG.md", ...new Bun.Glob("docs/**/*.md").scanSync(root)];

/** Every `kinomill` in a fenced block of any document, in their order. */
export async function shownCommands(): Promise<ShownCommand[]> {
  const all = documents.toSorted().map(async (document) => {
    const text = await Bun.file(resolve(root, document)).text();
    return commandsIn(document, text);
  });
  return (await Promise.all(all)).flat();
}

export function commandsIn(document: string, text: string): ShownCommand[] {
  const found: ShownCommand[] = [];
  let fence: string | null = null;
  let json: string | null = null;
  let block: string[] = [];
  let whole = "";
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("```")) {
      if (fence === "json") json = block.join("\n");
      fence = fence === null ? line.slice(3).trim() : null;
      block = [];
      continue;
    }
    if (fence === null) continue;
    block.push(line);
    whole += line.endsWith("\\") ? `${line.slice(0, -1)} ` : line;
    if (line.endsWith("\\")) continue;
    const command = /^(?:\$ )?(?:\S*\/)?(kinomill\s.*)$/.exec(whole)?.[1];
    if (command !== undefined) found.push({ place: `${document}:${index + 1}`, command, json });
    whole = "";
  }
  return found;
}
