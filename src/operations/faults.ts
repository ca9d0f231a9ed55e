/** What is wrong with parameters, field by field, in words for a person. */
import type { z } from "zod";
import type { FieldFault } from "../trouble.ts";
import {
  discriminatorOf,
  isColour,
  type JsonSchema,
  jsonSchemaOf,
  nodeAt,
  shapesOf,
  typeOf,
  wordsOf,
} from "./json-schema.ts";

/** A fault list is read by a person; past this many it is noise. */
const maxFaults = 50;

/** Every fault that the schema found in the value, in the schema's order. */
export function faultsOf(error: z.ZodError, value: unknown, schema: z.ZodType): FieldFault[] {
  const root = jsonSchemaOf(schema);
  const faults = error.issues.flatMap(meantIssues).flatMap((issue) => {
    const path = issue.path.map(String);
    const node = nodeAt(root, path);
    if (issue.code === "unrecognized_keys") return unknownKeys(issue, value, node);
    return [{ path: path.join("."), message: sentence(issue, node, valueAt(value, issue.path)) }];
  });
  return faults.slice(0, maxFaults);
}

/**
 * Of a union the faults of the shape that was meant: the one that takes this kind of value, and of several
 * such the one with the fewest faults. The issue itself when no shape takes this kind of value.
 */
function meantIssues(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const inside = issue.errors.filter((issues) =>
    issues.every(({ path, code }) => path.length > 0 || code === "unrecognized_keys"),
  );
  const [meant] = inside.toSorted((a, b) => a.length - b.length);
  if (meant === undefined) return [issue];
  return meant.flatMap((each) => meantIssues({ ...each, path: [...issue.path, ...each.path] }));
}

/** A key of the asker's is repeated this far; the rest of a longer one says nothing more. */
const maxKeyLength = 60;

function unknownKeys(
  issue: z.core.$ZodIssueUnrecognizedKeys,
  value: unknown,
  node: JsonSchema | null,
): FieldFault[] {
  const path = issue.path.map(String);
  const given = valueAt(value, issue.path);
  const shapes = node === null ? [] : shapesFitting(node, given);
  const known = [...new Set(shapes.flatMap((shape) => Object.keys(shape.properties ?? {})))];
  return issue.keys.slice(0, maxFaults).map((key) => ({
    path: [...path, key.slice(0, maxKeyLength)].join("."),
    message: `is not a parameter; there are: ${known.join(", ")}`,
  }));
}

/** The shapes of a union of objects whose constants the value has. */
function shapesFitting(node: JsonSchema, given: unknown): JsonSchema[] {
  const shapes = shapesOf(node);
  const key = discriminatorOf(node);
  if (key === null) return shapes;
  const word = valueAt(given, [key]);
  return shapes.filter(({ properties }) =>
    wordsOf(properties?.[key] ?? {})?.some((each) => each === word),
  );
}

function sentence(issue: z.core.$ZodIssue, node: JsonSchema | null, given: unknown): string {
  switch (issue.code) {
    case "custom":
      return issue.message;
    default: {
      const allowed = node === null ? issue.message : allowedWords(node);
      return given === undefined ? `is missing: ${allowed}` : `is ${shown(given)}: ${allowed}`;
    }
  }
}

/** What a field takes: "must be a whole number from 0 to 100". */
export function allowedWords(node: JsonSchema): string {
  return `must be ${kindWords(node)}`;
}

function kindWords(node: JsonSchema): string {
  const shapes = shapesOf(node);
  if (shapes.length > 1) return [...new Set(shapes.map(kindWords))].join(", or ");
  if (node.const !== undefined) return shown(node.const);
  if (node.enum !== undefined) {
    return node.enum.length === 1 ? shown(node.enum[0]) : `one of ${node.enum.join(", ")}`;
  }
  switch (typeOf(node)) {
    case "integer":
    case "number": {
      const word = typeOf(node) === "integer" ? "a whole number" : "a number";
      const unit = node.unit === undefined ? "" : ` ${node.unit}`;
      const { minimum: min, maximum: max } = node;
      if (min !== undefined && max !== undefined) return `${word} from ${min} to ${max}${unit}`;
      if (min !== undefined) return `${word} of at least ${min}${unit}`;
      return max === undefined ? `${word}${unit}` : `${word} of at most ${max}${unit}`;
    }
    case "boolean":
      return "true or false";
    case "string":
      return isColour(node) ? "a colour such as #4b56d2" : "a text";
    case "array":
      return "a list";
    default:
      return "an object with named parameters";
  }
}

/** A value as given, quoted and short: it came from outside. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}
