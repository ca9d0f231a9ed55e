/** What is wrong with parameters, field by field, in words for a person. */
import type { z } from "zod";
import type { FieldFault } from "../trouble.ts";
import { type JsonSchema, jsonSchemaOf, nodeAt } from "./json-schema.ts";

/** A fault list is read by a person; past this many it is noise. */
const maxFaults = 50;

/** Every fault that the schema found in the value, in the schema's order. */
export function faultsOf(error: z.ZodError, value: unknown, schema: z.ZodType): FieldFault[] {
  const root = jsonSchemaOf(schema);
  const faults = error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    const node = nodeAt(root, path);
    if (issue.code === "unrecognized_keys") return unknownKeys(issue.keys, path, node);
    return [{ path: path.join("."), message: sentence(issue, node, valueAt(value, issue.path)) }];
  });
  return faults.slice(0, maxFaults);
}

/** A key of the asker's is repeated this far; the rest of a longer one says nothing more. */
const maxKeyLength = 60;

function unknownKeys(keys: string[], path: string[], node: JsonSchema | null): FieldFault[] {
  const known = Object.keys(node?.properties ?? {}).join(", ");
  return keys.slice(0, maxFaults).map((key) => ({
    path: [...path, key.slice(0, maxKeyLength)].join("."),
    message: `is not a parameter; there are: ${known}`,
  }));
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
  if (node.anyOf !== undefined) return node.anyOf.map(kindWords).join(", or ");
  if (node.const !== undefined) return shown(node.const);
  if (node.enum !== undefined) {
    return node.enum.length === 1 ? shown(node.enum[0]) : `one of ${node.enum.join(", ")}`;
  }
  switch (node.type) {
    case "integer":
    case "number": {
      const word = node.type === "integer" ? "a whole number" : "a number";
      const unit = node.unit === undefined ? "" : ` ${node.unit}`;
      const { minimum: min, maximum: max } = node;
      if (min !== undefined && max !== undefined) return `${word} from ${min} to ${max}${unit}`;
      if (min !== undefined) return `${word} of at least ${min}${unit}`;
      return max === undefined ? `${word}${unit}` : `${word} of at most ${max}${unit}`;
    }
    case "boolean":
      return "true or false";
    case "string":
      return "a text";
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
