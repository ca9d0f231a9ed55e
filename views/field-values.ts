/** What stands in the fields of a form at first, and which of them count then. */
import { type FieldCondition, holds } from "../src/operations/conditions.ts";
import type { ParameterField } from "../src/operations/parameters.ts";

/** What the fields are filled in with: parameters, or null for the schema's own defaults. */
export type Filling = Record<string, unknown> | null;

/** What stands in the field: what was filled in, or else the default. */
export function shownValue(field: ParameterField, filling: Filling): unknown {
  const given = valueAt(filling, field.path.split("."));
  if (isSwitch(field) && filling !== null) return given !== undefined;
  if (given !== undefined || field.default === null) return given;
  return field.kind === "list" ? JSON.parse(String(field.default)) : field.default;
}

export function valueAt(filling: unknown, path: readonly string[]): unknown {
  return path.reduce((at: unknown, key) => {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    return (at as Record<string, unknown>)[key];
  }, filling);
}

/** The first field of an optional object, that says whether there is one. */
export function isSwitch(field: ParameterField): boolean {
  return field.kind === "boolean" && field.path === field.groupPath;
}

/** The word in a choice: a list or an object stands for the choice that none of the words is. */
export function chosenWord(value: unknown): string {
  if (value === undefined || value === null || Array.isArray(value)) return "";
  return typeof value === "object" ? "true" : String(value);
}

/** Fields that follow from fields with conditions: more rounds than any form has levels, as in forms.js. */
const ROUNDS_MAX = 8;

/**
 * Whether conditions hold before anybody has touched the form, by what its fields are filled in with, so that a page
 * need not move when forms.js comes. Of fields in rows nothing is said: they hold.
 */
export function holdingAtFirst(
  fields: readonly ParameterField[],
  filling: Filling,
): (conditions: readonly FieldCondition[]) => boolean {
  const known = new Map(fields.map((field) => [field.path, firstValue(field, filling)]));
  const hidden = new Set<string>();
  const standing = (path: string) => (hidden.has(path) ? "" : (known.get(path) ?? null));
  const hold = (conditions: readonly FieldCondition[]) =>
    conditions.every((condition) => {
      const value = standing(condition.path);
      return value === null || holds(condition, value);
    });
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = hidden.size;
    for (const { path, when } of fields) {
      if (hold(when)) hidden.delete(path);
      else hidden.add(path);
    }
    if (hidden.size === before) break;
  }
  return hold;
}

function firstValue(field: ParameterField, filling: Filling): string {
  const value = shownValue(field, filling);
  if (isSwitch(field)) return value === true ? "true" : "";
  const word = chosenWord(value);
  if (field.kind === "select" && word === "" && field.required)
    return field.options[0]?.value ?? "";
  return word;
}
