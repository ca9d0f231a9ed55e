/** What the form of an operation sends: files, parameters as texts, and fields of its own. */

/** Fields of the form that are no parameters. */
const formFields: ReadonlySet<string> = new Set([
  ...["operation", "input", "inputs", "input-search"],
  ...["preset", "preset-name", "preset-version"],
]);

/** Forms send a line's end as two characters; parameters have one. */
export function parameterTexts(form: URLSearchParams): [path: string, text: string][] {
  return [...form]
    .filter(([name]) => !formFields.has(name))
    .map(([name, text]) => [name, text.replaceAll("\r\n", "\n")]);
}

/** Ids of the files of the list, and of those that were typed in where there are no scripts. */
export function inputsOf(form: URLSearchParams): string[] {
  const typed = (form.get("inputs") ?? "").split(/[\s,]+/).filter((id) => id !== "");
  return [...form.getAll("input"), ...typed];
}
