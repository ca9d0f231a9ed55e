/** What people read on pages stands in `views/texts/`, ready for another language: views and scripts hold none of it. */
import { type Literal, literalsOf } from "./code-reader.ts";
import type { SourceFile } from "./tree.ts";

/**
 * Files whose texts stay in them: a report is for whoever helps, in the language of the log and the API whatever the pages
 * speak. A file that holds no text must not be here.
 */
export const inEnglish: ReadonlySet<string> = new Set(["views/job-report.ts"]);

const isView = ({ path }: SourceFile) =>
  /^views\/.*\.ts$/.test(path) && !/^views\/texts\/|\.test\.ts$/.test(path);
const isScript = ({ path }: SourceFile) => /^static\/[^/]*(\/[^/]+)?\.js$/.test(path);

/** Every text that a person would read, with its place. */
export function literalTexts(files: readonly SourceFile[]): { path: string; faults: string[] }[] {
  return files.flatMap((file) => {
    if (!isView(file) && !isScript(file)) return [];
    const faults = literalsOf(file.text).flatMap((literal) =>
      textsOf(literal).map((text) => `${literal.line}: ${text}`),
    );
    return faults.length === 0 ? [] : [{ path: file.path, faults }];
  });
}

function textsOf(literal: Literal): string[] {
  if (literal.tag === "html" || literal.tag === "raw") return markupTexts(literal.text);
  if (/\b(Error|assert|Refusal)\(|\b(throw|import|from)\b/.test(literal.before)) return [];
  // Words in a row that begin like a sentence; one word alone may be a name of something.
  return /(^|[^\w.])[A-Z][a-z]+ ([a-z]+|\0)|[a-z]{2,}[.!?]( |$)[A-Z]?/.test(literal.text) &&
    !/^[\w-]+(\.[\w-]+)+$/.test(literal.text)
    ? [literal.text]
    : [];
}

const spokenAttribute = /\s(?:aria-label|placeholder|title|alt|label|data-confirm-\w+)="([^"]*)"/g;
/** What is no language: the name of the product, code, and marks between values. */
const unspoken = /<code>.*?<\/code>|<kbd[^>]*>.*?<\/kbd>|<!--.*?-->|&\w+;|&#\d+;|\bKinomill\b/gs;

function markupTexts(markup: string): string[] {
  const spoken = [...markup.matchAll(spokenAttribute)].map(([, value = ""]) => value);
  const between = markup
    .replace(unspoken, " ")
    .replace(/<\/?[a-zA-Z!][^<>]*>/g, "\n")
    .split(/\n|\0/);
  return [...spoken.flatMap((value) => value.split("\0")), ...between]
    .map((text) => text.trim())
    .filter((text) => /\p{L}{2,}/u.test(text) && !/^(https?:\/\/\S+|\w+_…)$/.test(text));
}
