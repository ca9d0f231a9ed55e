/** Conditional fields of every operation: they name what there is, and what a form hides is never needed. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../trouble.ts";
import { type FieldCondition, holds } from "./conditions.ts";
import { operations, parseParams } from "./index.ts";
import type { Operation } from "./operation.ts";
import { paramsFromTexts } from "./parameter-texts.ts";
import { allFields } from "./parameter-words.ts";
import { type ParameterField, parameterFields } from "./parameters.ts";

/** What a form's fields hold, by path. */
type Filled = Map<string, string>;

/** The fields of a form in which every list has one row; a list that is hidden hides its rows. */
function withRows(fields: readonly ParameterField[]): ParameterField[] {
  const inside = (field: ParameterField, row: ParameterField) => {
    const each = numbered(row);
    return { ...each, when: [...field.when, ...each.when] };
  };
  return fields.flatMap((field) => [
    field,
    ...withRows(field.row.map((row) => inside(field, row))),
  ]);
}

/** Row 0 instead of any. */
function numbered(field: ParameterField): ParameterField {
  const first = (path: string) => path.replace("+", "0");
  return {
    ...field,
    path: first(field.path),
    groupPath: first(field.groupPath),
    when: field.when.map((each) => ({ ...each, path: first(each.path) })),
    row: field.row.map(numbered),
  };
}

const isSwitch = (field: ParameterField) =>
  field.kind === "boolean" && field.path === field.groupPath;

/** As forms.js decides it: what is hidden counts as empty, and so on until nothing changes. */
function visible(fields: readonly ParameterField[], filled: Filled): Set<string> {
  const hidden = new Set<ParameterField>();
  const standsAt = (path: string) => {
    const named = fields.filter((field) => field.path === path && field.kind !== "list");
    return named.some((field) => !hidden.has(field)) ? (filled.get(path) ?? "") : "";
  };
  for (let round = 0; round < 8; round += 1) {
    const before = hidden.size;
    for (const field of fields) {
      const shown = field.when.every((each: FieldCondition) => holds(each, standsAt(each.path)));
      const inSwitchedOff = fields.some(
        (other) =>
          isSwitch(other) && field.path.startsWith(`${other.path}.`) && standsAt(other.path) === "",
      );
      if (shown && !inSwitchedOff) hidden.delete(field);
      else hidden.add(field);
    }
    if (hidden.size === before && round > 1) break;
  }
  return new Set(fields.filter((field) => !hidden.has(field)).map(({ path }) => path));
}

/** Values that decide about others: all choices, or something and nothing. */
function choicesOf(field: ParameterField): string[] {
  if (field.kind === "select") return field.options.map(({ value }) => value);
  if (isSwitch(field)) return ["", "true"];
  if (field.kind === "boolean") return ["false", "true"];
  return ["", sampleOf(field)];
}

/** Something that the field takes. */
function sampleOf(field: ParameterField): string {
  if (field.kind === "select") return String(field.default ?? field.options[0]?.value ?? "");
  if (field.kind === "colour") return "#102030";
  if (field.kind === "boolean") return String(field.default ?? false);
  if (field.path.endsWith(".to") || field.path === "to") return "5";
  if (field.path === "video.target.score") return "0.9";
  if (field.default !== null) return String(field.default);
  return field.min === null ? "eng" : String(field.min);
}

function deciding(fields: readonly ParameterField[]): ParameterField[] {
  const paths = new Set(fields.flatMap(({ when }) => when.map(({ path }) => path)));
  const switches = fields.filter(isSwitch).map(({ path }) => path);
  return fields.filter(
    ({ path, kind }) => kind !== "list" && (paths.has(path) || switches.includes(path)),
  );
}

/** What the form sends: every visible field that must be filled in, and those that the case has chosen. */
function sent(fields: readonly ParameterField[], chosen: Filled): [string, string][] {
  const shown = visible(fields, chosen);
  return fields
    .filter(({ path, kind }) => shown.has(path) && kind !== "list")
    .map((field): [string, string] => {
      const value = chosen.get(field.path) ?? (field.required ? sampleOf(field) : "");
      return [field.path, isSwitch(field) && value === "" ? "false" : value];
    });
}

function faultsOf(operation: Operation, texts: [string, string][]): string[] {
  try {
    parseParams(operation, paramsFromTexts(operation, texts));
    return [];
  } catch (trouble) {
    if (!(trouble instanceof Refusal)) throw trouble;
    return trouble.errors.map(({ path }) => path);
  }
}

for (const operation of operations) {
  describe(operation.name, () => {
    const all = withRows(parameterFields(operation));

    test("conditions look at fields that there are, and at values that these can have", () => {
      const fields = allFields(parameterFields(operation));
      for (const field of fields) {
        for (const { path, values } of field.when) {
          const named = fields.filter((other) => other.path === path && other.kind !== "list");
          expect({ of: field.path, path, found: named.length }).toEqual({
            ...{ of: field.path, path, found: 1 },
          });
          const possible = [...named.flatMap(choicesOf), "", ...named.map(({ min }) => `${min}`)];
          for (const value of values) expect(possible).toContain(value);
        }
      }
    });

    test("whatever is chosen, a field that is hidden is not needed, and one that is shown may stay empty", () => {
      const decide = deciding(all);
      const cases = fc.record(
        Object.fromEntries(
          decide.map((field) => [field.path, fc.constantFrom(...choicesOf(field))]),
        ),
      );
      fc.assert(
        fc.property(cases, (chosen) => {
          const texts = sent(all, new Map(Object.entries(chosen)));
          // Two choices may not fit together; then one of them that is shown is told.
          const told = new Set(texts.filter(([path]) => chosen[path]).map(([path]) => path));
          const faults = faultsOf(operation, texts).filter((path) => !told.has(path));
          expect({ chosen, faults }).toEqual({ chosen, faults: [] });
        }),
        { numRuns: 600, seed: 7 },
      );
    });
  });
}
