/** Parameters as they were asked for, in the words of the form: "Video codec: H.264", "Quality: 65". Pure. */
import type { Operation } from "./operation.ts";
import { textsFromParams } from "./parameter-texts.ts";
import { allFields } from "./parameter-words.ts";
import { type ParameterField, parameterFields } from "./parameters.ts";

/** Longer lists stand on the job's own page. */
const SPOKEN_MAX = 12;
/** A text of a caption or a list in JSON says no more than its beginning. */
const VALUE_MAX = 60;

/** What was asked for, without what the schema puts in by itself. */
export function spokenParams(
  operation: Operation,
  params: Readonly<Record<string, unknown>>,
): string[] {
  const fields = new Map(
    allFields(parameterFields(operation)).map((field) => [field.path, field] as const),
  );
  const spoken = textsFromParams(operation, params).flatMap(([path, text]) => {
    const field = fields.get(path.replaceAll(/\.\d+(?=\.|$)/g, ".+"));
    if (field === undefined) return [`${path}: ${short(text)}`];
    return String(field.default ?? "") === text ? [] : [sentenceOf(field, text)];
  });
  const more = spoken.length - SPOKEN_MAX;
  return more > 0 ? [...spoken.slice(0, SPOKEN_MAX), `and ${more} more`] : spoken;
}

function sentenceOf({ label, unit, options, kind }: ParameterField, text: string): string {
  if (kind === "boolean") return text === "true" ? label : `${label}: no`;
  const chosen = options.find(({ value }) => value === text);
  const said = chosen?.label ?? short(text);
  return `${label}: ${said}${unit === null || chosen !== undefined ? "" : ` ${unit}`}`;
}

function short(text: string): string {
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
}
