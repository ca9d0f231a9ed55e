/**
 * Parameters as a form or a help page shows them. Made from the JSON Schema of the operation, so a new
 * parameter shows up everywhere by itself. How texts become parameters is in `parameter-texts.ts`.
 */
import { conditionAt, type FieldCondition } from "./conditions.ts";
import {
  childOf,
  discriminatorOf,
  isColour,
  type JsonSchema,
  jsonSchemaOf,
  shapesOf,
  typeOf,
  wordsOf,
} from "./json-schema.ts";
import type { Operation } from "./operation.ts";

/**
 * `text` takes one line, `words` a list of short values with commas, `longtext` several lines; `list` has
 * rows of fields, which are its `row`; `json` is what is too deep for fields of its own.
 */
export type FieldKind =
  | ("select" | "number" | "text" | "boolean" | "colour")
  | ("longtext" | "words" | "list" | "json");

/** One parameter as a form or a help page shows it. */
export interface ParameterField {
  /** Dotted path in the parameters: `video.codec`. In a row of a list a `+` stands for the row's number. */
  path: string;
  label: string;
  kind: FieldKind;
  /** For a select: what may be chosen; for a text: words that it takes besides ("best"); otherwise empty. */
  options: { value: string; label: string }[];
  min: number | null;
  max: number | null;
  /** Takes any text, beside numbers and words where it has such. */
  freeText: boolean;
  /** 1 for whole numbers; null for any. */
  step: number | null;
  /** What a number counts: "s", "bit/s", "px", "fps"; null for none. */
  unit: string | null;
  /** What the schema puts in; null when the field may stay empty. Lists and objects are JSON. */
  default: string | number | boolean | null;
  /** Without it the parameters are refused. */
  required: boolean;
  description: string;
  /** Title of the object that the field stands in: "Video"; "" for the outermost. */
  group: string;
  /** Path of that object, `LIST.+` directly in a row; "" for the outermost. */
  groupPath: string;
  /** All of them must hold for the field to count. */
  when: FieldCondition[];
  /** For those who know: a form folds it away. */
  advanced: boolean;
  /** Of a list: the fields of one row, with `PATH.+` before theirs; otherwise empty. */
  row: ParameterField[];
  /** Of a list: the fewest and the most rows. */
  rows: { min: number; max: number };
  /** Of `json`: a value that works, as JSON; null when none is known. */
  example: string | null;
}

/** The JSON Schema of what a caller may send. */
export function operationJsonSchema(operation: Operation): JsonSchema {
  return jsonSchemaOf(operation.schema);
}

/**
 * The parameters as a list, in the schema's order. An optional object becomes a switch (kind `boolean`, its
 * path the object's) followed by its fields; a list of objects has the fields of a row inside.
 */
export function parameterFields(operation: Operation): ParameterField[] {
  return fieldsOf(jsonSchemaOf(operation.schema), {
    ...{ path: [], group: "", groupPath: "", when: [], lists: 0 },
    example: operation.example,
  });
}

/** Lists inside lists that a form still shows as rows; below it takes JSON. */
const maxListDepth = 2;
/** Rows of a list whose schema names no limit. */
const maxRows = 1000;
/** A text that may be longer gets several lines. */
const longTextLength = 250;

interface Place {
  path: string[];
  group: string;
  groupPath: string;
  when: FieldCondition[];
  /** How many lists this stands in. */
  lists: number;
  /** What the operation's example has here. */
  example: unknown;
}

function fieldsOf(node: JsonSchema, place: Place): ParameterField[] {
  const key = discriminatorOf(node);
  if (key !== null) return variantFields(node, key, place);
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    fieldsAt(child, name, node.required?.includes(name) ?? false, place),
  );
}

/** The fields of objects that a constant tells apart: those of each are shown for its constant alone. */
function variantFields(node: JsonSchema, key: string, place: Place): ParameterField[] {
  const shapes = shapesOf(node);
  const path = [...place.path, key].join(".");
  const names = [...new Set(shapes.flatMap(({ properties }) => Object.keys(properties ?? {})))];
  const constantsOf = (shape: JsonSchema) =>
    (wordsOf(shape.properties?.[key] ?? {}) ?? []).map((word) => String(word));
  return names.flatMap((name) => {
    if (name === key) return [discriminatorField(shapes, key, constantsOf, place)];
    const having = shapes.filter(({ properties }) => properties?.[name] !== undefined);
    const child = childOf(having, name) ?? {};
    const values = having.flatMap(constantsOf);
    const when = having.length === shapes.length ? place.when : [...place.when, { path, values }];
    const required = having.every((shape) => shape.required?.includes(name));
    return fieldsAt(child, name, required, { ...place, when });
  });
}

function discriminatorField(
  shapes: JsonSchema[],
  key: string,
  constantsOf: (shape: JsonSchema) => string[],
  place: Place,
): ParameterField {
  const node = childOf(shapes, key) ?? {};
  const options = shapes.flatMap((shape) =>
    constantsOf(shape).map((value) => ({
      value,
      label: node.labels?.[value] ?? shape.title ?? capitalised(value),
    })),
  );
  const about = { description: "The other fields follow from it.", ...node };
  return { ...leafField(about, key, true, place), kind: "select", options };
}

function fieldsAt(
  node: JsonSchema,
  name: string,
  required: boolean,
  outer: Place,
): ParameterField[] {
  const conditions = (node.when ?? []).map((when) => conditionAt(when, outer.path));
  const place = { ...outer, when: [...outer.when, ...conditions] };
  const path = [...place.path, name];
  const title = node.title ?? capitalised(name);
  const example = exampleOf(place.example, name);
  const shapes = shapesOf(node);
  if (node.properties !== undefined || discriminatorOf(node) !== null) {
    const inside = { ...place, path, group: title, groupPath: path.join(".") };
    const inner = fieldsOf(node, { ...inside, example });
    const optional = node.default === undefined && !required;
    return optional ? [switchField(node, inside), ...inner] : inner;
  }
  const structured = shapes.filter((shape) => isStructured(shape) && !isWordList(shape));
  const [only, ...others] = structured;
  if (only === undefined) return [leafField(node, name, required, place)];
  const words = shapes.filter((shape) => shape !== only);
  const split = others.length === 0 && words.every((shape) => wordsOf(shape) !== null);
  if (!split) return [jsonField(node, name, required, place)];
  if (words.length === 0) return [structuredField(node, name, required, place)];
  return alternativeFields(node, only, words, { ...place, path });
}

/**
 * Words instead of a list or an object: a choice, and what is filled in when none of the words is chosen. For a
 * list the choice then says nothing; for an object it says yes, as a switch does.
 */
function alternativeFields(
  node: JsonSchema,
  only: JsonSchema,
  words: JsonSchema[],
  place: Place,
): ParameterField[] {
  const name = place.path.at(-1) ?? "";
  const outer = { ...place, path: place.path.slice(0, -1) };
  const rows = isRows(only, outer);
  if (!rows && only.properties === undefined) return [jsonField(node, name, false, outer)];
  const value = rows ? "" : "true";
  const base = leafField({ ...node, anyOf: words }, name, false, outer);
  const label = only.title ?? (rows ? "As listed here" : "As set here");
  const choice: ParameterField = {
    ...{ ...base, kind: "select" },
    options: [...optionsOf(words, node), { value, label }],
    default: typeof node.default === "object" && node.default !== null ? value : base.default,
  };
  const when = [...place.when, { path: choice.path, values: [value] }];
  if (!rows) return [choice, ...fieldsOf(only, { ...place, when })];
  const title = node.title ?? capitalised(name);
  const about = { title, description: "Counts while the choice before it says so." };
  return [choice, structuredField({ ...about, ...only }, name, false, { ...outer, when })];
}

function isStructured(shape: JsonSchema): boolean {
  return ["object", "array"].includes(typeOf(shape) ?? "");
}

/** A list of numbers, words or short texts: one field with commas. */
function isWordList(shape: JsonSchema): boolean {
  if (typeOf(shape) !== "array" || !shape.items) return false;
  return shapesOf(shape.items).every(
    (item) => !isStructured(item) && (item.maxLength ?? 0) <= longTextLength,
  );
}

/** A list of objects that is not too deep for rows of fields. */
function isRows(node: JsonSchema, place: Place): boolean {
  if (typeOf(node) !== "array" || !node.items || place.lists >= maxListDepth) return false;
  return node.items.properties !== undefined || discriminatorOf(node.items) !== null;
}

function structuredField(
  node: JsonSchema,
  name: string,
  required: boolean,
  place: Place,
): ParameterField {
  const [shape = node] = shapesOf(node);
  if (!isRows(shape, place) || !shape.items) return jsonField(node, name, required, place);
  const path = [...place.path, name, "+"];
  const example = exampleOf(exampleOf(place.example, name), "0");
  const inRow = { path, group: "", groupPath: path.join("."), when: [], lists: place.lists + 1 };
  const row = fieldsOf(shape.items, { ...inRow, example });
  return {
    ...leafField(node, name, required, place),
    kind: "list",
    row,
    rows: { min: shape.minItems ?? 0, max: Math.min(shape.maxItems ?? maxRows, maxRows) },
  };
}

function jsonField(
  node: JsonSchema,
  name: string,
  required: boolean,
  place: Place,
): ParameterField {
  const example = exampleOf(place.example, name) ?? node.default;
  return {
    ...leafField(node, name, required, place),
    kind: "json",
    example: example === undefined ? null : JSON.stringify(example),
  };
}

function exampleOf(example: unknown, key: string): unknown {
  if (typeof example !== "object" || example === null) return undefined;
  return (example as Record<string, unknown>)[key];
}

function switchField(node: JsonSchema, place: Place): ParameterField {
  const name = place.path.at(-1) ?? "";
  const outer = { ...place, path: place.path.slice(0, -1) };
  const { anyOf: _any, oneOf: _one, ...about } = node;
  const base = leafField({ ...about, type: "boolean" }, name, false, outer);
  return { ...base, default: node.startsOn ?? false };
}

function leafField(
  node: JsonSchema,
  name: string,
  required: boolean,
  place: Place,
): ParameterField {
  const shapes = shapesOf(node);
  const number = shapes.find((shape) => isNumber(shape) && wordsOf(shape) === null);
  return {
    path: [...place.path, name].join("."),
    label: node.title ?? capitalised(name),
    kind: kindOf(shapes),
    options: optionsOf(shapes, node),
    freeText: shapes.some((shape) => typeOf(shape) === "string" && wordsOf(shape) === null),
    min: number?.minimum ?? null,
    max: number?.maximum ?? null,
    step: number !== undefined && typeOf(number) === "integer" ? 1 : null,
    unit: node.unit ?? shapes.find(({ unit }) => unit !== undefined)?.unit ?? null,
    default: plainDefault(node.default),
    required: required && node.default === undefined,
    description: node.description ?? "",
    group: place.group,
    groupPath: place.groupPath,
    when: place.when,
    advanced: node.advanced ?? false,
    row: [],
    rows: { min: 0, max: 0 },
    example: null,
  };
}

function isNumber(shape: JsonSchema): boolean {
  return ["integer", "number"].includes(typeOf(shape) ?? "");
}

function optionsOf(shapes: JsonSchema[], node: JsonSchema): ParameterField["options"] {
  const labels = { ...shapes[0]?.labels, ...node.labels };
  return shapes
    .flatMap((shape) => wordsOf(shape) ?? [])
    .map((word) => String(word))
    .map((value) => ({ value, label: labels[value] ?? capitalised(value.replaceAll("-", " ")) }));
}

function kindOf(shapes: JsonSchema[]): ParameterField["kind"] {
  const open = shapes.filter((shape) => wordsOf(shape) === null);
  const [first] = open;
  if (first === undefined) return "select";
  if (shapes.length > 1) return "text";
  if (isNumber(first)) return "number";
  if (typeOf(first) === "boolean") return "boolean";
  if (typeOf(first) === "array") return "words";
  if (isColour(first)) return "colour";
  return (first.maxLength ?? 0) > longTextLength ? "longtext" : "text";
}

function plainDefault(value: unknown): ParameterField["default"] {
  if (value === undefined || value === null) return null;
  if (typeof value === "object") return JSON.stringify(value);
  return value as string | number | boolean;
}

function capitalised(key: string): string {
  const words = key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
