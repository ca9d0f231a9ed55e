/** What a parameter takes, in words: for the command line's help and the documentation. */

import type { FieldCondition } from "./conditions.ts";
import type { Operation } from "./operation.ts";
import { textsFromParams } from "./parameter-texts.ts";
import type { ParameterField } from "./parameters.ts";

/** Every parameter, those of rows after their list, `N` standing for a row's number. */
export function allFields(fields: readonly ParameterField[]): ParameterField[] {
  return fields.flatMap((field) => [field, ...allFields(field.row)]);
}

/** `ranges.N.from` */
export function pathWords(field: Pick<ParameterField, "path">): string {
  return field.path.replaceAll("+", "N");
}

/** "whole number, 0 to 100 px", "mp4, mkv, webm or mov", "list of 1 to 20 rows". */
export function typeWords(field: ParameterField): string {
  const words = field.options.map(({ value }) => value).filter((value) => value !== "");
  switch (field.kind) {
    case "select":
      return oneOf(words.map((word) => (word === "true" ? "parameters of its own" : word)));
    case "boolean":
      return "true or false";
    case "list":
      return `list of ${field.rows.min} to ${field.rows.max}`;
    case "words":
      return "list, with commas";
    case "json":
      return "JSON";
    case "colour":
      return "colour such as #4b56d2";
    case "longtext":
      return "text";
    default:
      return oneOf([...numberWords(field), ...words, ...(field.freeText ? ["text"] : [])]);
  }
}

function oneOf(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function numberWords(field: ParameterField): string[] {
  const { min, max, step } = field;
  if (field.kind !== "number" && min === null && max === null) return [];
  const unit = field.unit === null ? "" : ` ${field.unit}`;
  const what = step === 1 ? "whole number" : "number";
  return [min === null || max === null ? `${what}${unit}` : `${what}, ${min} to ${max}${unit}`];
}

/** "needed", the default, or "–". */
export function defaultWords(field: ParameterField): string {
  if (field.required) return "needed";
  if (field.default === null || field.kind === "boolean") return "–";
  // Instead of a word the fields that follow, with their defaults.
  return field.kind === "select" && field.default === "true" ? "as below" : String(field.default);
}

/** "Only when items.N.kind is image or text, and with maxWidth." or nothing. */
export function conditionWords(field: ParameterField): string {
  const said = field.when
    // A word instead of a list or an object is told by what the parameter takes.
    .filter(({ path }) => path !== field.path && !field.path.startsWith(`${path}.`))
    .map(conditionSaid);
  return said.length === 0 ? "" : ` Only ${said.join(", and ")}.`;
}

function conditionSaid({ path, values, not = false }: FieldCondition): string {
  const name = pathWords({ path });
  const words = values.filter((value) => value !== "");
  if (words.length === 0) return `${not ? "with" : "without"} ${name}`;
  if (words.join() === "true") return `with ${name} of its own`;
  return `when ${name} is ${not ? "not " : ""}${oneOf(words)}`;
}

/** "one file", "2 to 64 files, in order" */
export function inputWords({ inputs: { min, max } }: Operation): string {
  if (max === 1) return "one file";
  return `${min === max ? min : `${min} to ${max}`} files, in order`;
}

/** More parameters than this are easier to read in a file. */
const maxOnLine = 8;

/** A line for a shell that runs the operation's example. */
export function commandLine(operation: Operation, inputs: string[], output: string): string {
  const texts = textsFromParams(operation, operation.example as Record<string, unknown>);
  const start = `kinomill run ${operation.name} ${inputs.join(" ")} -o ${output}`;
  if (texts.length > maxOnLine || texts.some(([, text]) => text.includes("\n"))) {
    return `${start} --params params.json`;
  }
  const params = texts.map(([path, text]) => ` \\\n  -p ${shellWord(`${path}=${text}`)}`);
  return `${start}${params.join("")}`;
}

/** Any text as one word of a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w.,:/=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
