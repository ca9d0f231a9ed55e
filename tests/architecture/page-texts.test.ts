/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are code that is read. */
import { describe, expect, test } from "bun:test";
import { literalsOf } from "./code-reader.ts";
import { inEnglish, literalTexts } from "./page-texts.ts";
import { readTree } from "./tree.ts";

const found = literalTexts(await readTree());

describe("texts of pages", () => {
  test("stand in views/texts, not in views and scripts", () => {
    expect(found.filter(({ path }) => !inEnglish.has(path))).toEqual([]);
  });

  test("a file whose texts have moved leaves the list of those that have not", () => {
    const holding = new Set(found.map(({ path }) => path));
    expect([...inEnglish].filter((path) => !holding.has(path))).toEqual([]);
  });

  const faultsIn = (path: string, text: string) => literalTexts([{ path, text }])[0]?.faults ?? [];
  const view = (markup: string) => faultsIn("views/a.ts", `html\`${markup}\``);

  test("one is found between tags, in a hole, in what is read out, in a string and in a script", () => {
    expect(view("<p>Hello</p>")).toEqual(["1: Hello"]);
    expect(view("<p>${count} files</p>")).toEqual(["1: files"]);
    expect(view('<a aria-label="Close">${icon("x")}</a>')).toEqual(["1: Close"]);
    expect(view('<input placeholder="Type ${kind}">')).toEqual(["1: Type"]);
    expect(view("<p>${on ? html`<b>Running</b>` : null}</p>")).toEqual(["1: Running"]);
    expect(faultsIn("views/a.ts", '\nconst title = "Nothing matches";')).toEqual([
      "2: Nothing matches",
    ]);
    expect(faultsIn("static/a.js", 'note.textContent = "Try again.";')).toEqual(["1: Try again."]);
  });

  test("names, code, marks, comments and what only programmers read are none", () => {
    expect(
      view("<p>Kinomill</p><code>kinomill doctor</code><kbd>esc</kbd> · ${words.title}"),
    ).toEqual([]);
    expect(
      view('<div class="Card big" id="Some thing" hx-trigger="load, every 20s"></div>'),
    ).toEqual([]);
    expect(faultsIn("views/a.ts", 'throw new Error("Nothing matches here.");')).toEqual([]);
    expect(faultsIn("views/a.ts", "// Nothing matches here.\n/* Nor here. */")).toEqual([]);
    expect(faultsIn("views/texts/en/a.ts", 'const title = "Nothing matches";')).toEqual([]);
  });

  test("the reader of code knows where a template ends", () => {
    const code = 'const a = /[`"]/.test(b) ? html`<p>${c ? `in ${d}` : "e"}</p>` : \'f\'; // `no';
    expect(literalsOf(code).map(({ text }) => text)).toEqual(["in \0", "e", "<p>\0</p>", "f"]);
  });
});
