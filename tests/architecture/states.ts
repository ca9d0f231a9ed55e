/** Where the states of a job stand besides the code: the database's CHECK and the diagram in `docs/`. */

export interface Move {
  from: string;
  to: string;
  by: string;
}

/** The words that the CHECK of a column accepts in the last definition of a table; [] when there is none. */
export function checkedWords(sql: string, table: string, column: string): string[] {
  const definitions = sql.matchAll(
    new RegExp(`CREATE TABLE ${table}(?:_new)? \\(([\\s\\S]*?)\\n\\)`, "g"),
  );
  return wordsIn(Array.from(definitions).at(-1)?.[1] ?? "", column);
}

/** The same of one definition: of `column IN ('a', 'b')` or `column = 'a' OR column = 'b'`. */
export function wordsIn(definition: string, column: string): string[] {
  const check = new RegExp(
    `CHECK \\((${column} IN \\([^)]*\\)|(?:${column} = '\\w+'(?:\\s+OR\\s+)?)+)\\)`,
  ).exec(definition)?.[1];
  return Array.from((check ?? "").matchAll(/'([^']*)'/g), ([, word = ""]) => word);
}

/** States and moves of one of the Mermaid state diagrams of a Markdown text: of the first, or of that number. */
export function diagram(markdown: string, number = 1): { states: string[]; moves: Move[] } {
  const all = markdown.matchAll(/```mermaid\nstateDiagram-v2\n([\s\S]*?)```/g);
  const text = Array.from(all, ([, body = ""]) => body)[number - 1] ?? "";
  const moves: Move[] = [];
  const states = new Set<string>();
  for (const line of text.split("\n")) {
    const arrow = /^\s*(\w+|\[\*\]) --> (\w+|\[\*\])(?: : (.+))?$/.exec(line);
    const alone = /^\s*(?:state )?(\w+)(?: : .*)?$/.exec(line)?.[1];
    const [, from = "", to = "", words = ""] = arrow ?? [];
    for (const state of [from, to, alone ?? ""]) {
      if (state !== "" && state !== "[*]") states.add(state);
    }
    if (arrow === null || from === "[*]" || to === "[*]") continue;
    moves.push(...words.split(", ").map((by) => ({ from, to, by })));
  }
  return { states: [...states], moves };
}
