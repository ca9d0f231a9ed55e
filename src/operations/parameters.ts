/**
 * Parameters as flat texts: `video.codec=h264` on the command line, fields of a form on the page. Both
 * are made from the JSON Schema of the operation, so a new parameter shows up everywhere by itself.
 */
import { Refusal } from "../trouble.ts";
import { type JsonSchema, jsonSchemaOf, nodeAt } from "./json-schema.ts";
import type { Operation } from "./operation.ts";

/** One parameter as a form or a help page shows it. */
export interface ParameterField {
  /** Dotted path in the parameters: `video.codec`. */
  path: string;
  label: string;
  kind: "select" | "number" | "text" | "boolean";
  /** For a select: what may be chosen; otherwise empty. */
  options: { value: string; label: string }[];
  min: number | null;
  max: number | null;
  /** 1 for whole numbers; null for any. */
  step: number | null;
  /** What a number counts: "s", "bit/s", "px", "fps"; null for none. */
  unit: string | null;
  /** What the schema puts in; null when the field may stay empty. */
  default: string | number | boolean | null;
  description: string;
  /** Title of the object that the field stands in: "Video"; "" for the outermost. */
  group: string;
}

/** More texts than any operation has fields, and longer than any value: the rest is an attack or a slip. */
const maxTexts = 500;
const maxTextLength = 20_000;

/** The JSON Schema of what a caller may send. */
export function operationJsonSchema(operation: Operation): JsonSchema {
  return jsonSchemaOf(operation.schema);
}

/**
 * The parameters as a flat list, in the schema's order. An optional object becomes a switch (kind
 * `boolean`, its path the object's) followed by its fields.
 */
export function parameterFields(operation: Operation): ParameterField[] {
  return fieldsOf(jsonSchemaOf(operation.schema), [], "");
}

function fieldsOf(node: JsonSchema, path: string[], group: string): ParameterField[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const childPath = [...path, key];
    if (child.properties === undefined) return [leafField(child, childPath, group)];
    const title = child.title ?? capitalised(key);
    const inner = fieldsOf(child, childPath, title);
    return child.default === undefined ? [switchField(child, childPath, title), ...inner] : inner;
  });
}

function switchField(node: JsonSchema, path: string[], title: string): ParameterField {
  const base = leafField({ ...node, type: "boolean" }, path, title);
  return { ...base, default: node.startsOn ?? false };
}

function leafField(node: JsonSchema, path: string[], group: string): ParameterField {
  const whole = node.type === "integer";
  return {
    path: path.join("."),
    label: node.title ?? capitalised(path.at(-1) ?? ""),
    kind: kindOf(node),
    options: (node.enum ?? []).map((value) => ({
      value: String(value),
      label: node.labels?.[String(value)] ?? String(value),
    })),
    min: node.minimum ?? null,
    max: node.maximum ?? null,
    step: whole ? 1 : null,
    unit: node.unit ?? null,
    default: plainDefault(node.default),
    description: node.description ?? "",
    group,
  };
}

function kindOf(node: JsonSchema): ParameterField["kind"] {
  if (node.enum !== undefined) return "select";
  if (node.type === "integer" || node.type === "number") return "number";
  return node.type === "boolean" ? "boolean" : "text";
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

/**
 * Parameters from texts, for `parseParams`. The schema says how a text is read: numbers (also "1:30" for
 * seconds and "5M" for bit/s), true/false, lists with commas or as JSON. An empty text is not given; of
 * two texts for one path the last counts. What cannot be read stays a text, so that `parseParams` says
 * what is wrong with it.
 * @throws Refusal 422 `invalid_params` for too many texts, or for paths that cannot stand together.
 */
export function paramsFromTexts(
  operation: Operation,
  texts: Iterable<readonly [path: string, text: string]>,
): Record<string, unknown> {
  const root = jsonSchemaOf(operation.schema);
  const last = lastTexts(texts);
  const off = [...last].filter(([path, text]) => isSwitchedOff(nodeAt(root, keysOf(path)), text));
  const result: Record<string, unknown> = {};
  for (const [path, text] of last) {
    if (off.some(([prefix]) => path === prefix || path.startsWith(`${prefix}.`))) continue;
    const keys = keysOf(path);
    place(result, keys, readText(text, nodeAt(root, keys)), path);
  }
  return result;
}

function lastTexts(texts: Iterable<readonly [string, string]>): Map<string, string> {
  const last = new Map<string, string>();
  for (const [path, text] of texts) {
    // Taken out first, so that a repeated path also moves to the end.
    last.delete(path);
    if (text.trim() !== "") last.set(path, text);
    if (last.size > maxTexts || text.length > maxTextLength) {
      throw fault(path.slice(0, 100), "is one parameter too many, or too long");
    }
  }
  // Shorter paths first: a switch makes its object before the fields fill it.
  return new Map([...last].toSorted(([a], [b]) => keysOf(a).length - keysOf(b).length));
}

function keysOf(path: string): string[] {
  return path.split(".");
}

/** An optional object whose switch says no: all that is inside is not given. */
function isSwitchedOff(node: JsonSchema | null, text: string): boolean {
  return node?.properties !== undefined && truth(text) === false;
}

function place(target: Record<string, unknown>, keys: string[], value: unknown, path: string) {
  let at = target;
  for (const [index, key] of keys.entries()) {
    if (key === "" || key === "__proto__") throw fault(path, "is not the name of a parameter");
    if (index === keys.length - 1) {
      at[key] = value;
      return;
    }
    const next = Object.hasOwn(at, key) ? at[key] : {};
    if (typeof next !== "object" || next === null || Array.isArray(next)) {
      throw fault(path, "is given twice, once as a value and once with parameters of its own");
    }
    at[key] = next;
    at = next as Record<string, unknown>;
  }
}

function fault(path: string, message: string): Refusal {
  return new Refusal(422, "invalid_params", `The parameter ${path} ${message}.`, {
    errors: [{ path, message }],
  });
}

function readText(text: string, node: JsonSchema | null): unknown {
  const trimmed = text.trim();
  if (node === null) return text;
  if (node.anyOf !== undefined) return readAny(trimmed, node.anyOf);
  if (node.const !== undefined) return String(node.const) === trimmed ? node.const : trimmed;
  if (node.enum !== undefined) {
    return node.enum.find((value) => String(value) === trimmed) ?? trimmed;
  }
  switch (node.type) {
    case "integer":
    case "number":
      return readNumber(trimmed, node.unit) ?? trimmed;
    case "boolean":
      return truth(trimmed) ?? trimmed;
    case "array":
      return readList(trimmed, node.items ?? null);
    case "object":
      // A switch that says yes makes the object with its defaults.
      return truth(trimmed) === true ? {} : (readJson(trimmed) ?? trimmed);
    default:
      return text;
  }
}

/** The first reading that is more than the text itself. */
function readAny(text: string, choices: JsonSchema[]): unknown {
  for (const choice of choices) {
    const value = readText(text, choice);
    if (typeof value !== "string") return value;
  }
  return text;
}

function readNumber(text: string, unit: string | undefined): number | null {
  if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) return Number(text);
  if (unit === "s") return readClock(text);
  if (unit === "bit/s") return readBits(text);
  return null;
}

/** "1:30.5" and "1:02:03" in seconds. */
function readClock(text: string): number | null {
  const match = /^(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)$/.exec(text);
  if (match === null) return null;
  const [, hours = "0", minutes = "0", seconds = "0"] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** "5M" and "128k" in bits per second. */
function readBits(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kM])(?:bit\/s|bps)?$/.exec(text);
  if (match === null) return null;
  return Math.round(Number(match[1]) * (match[2] === "k" ? 1_000 : 1_000_000));
}

function truth(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (["true", "yes", "on", "1"].includes(word)) return true;
  return ["false", "no", "off", "0"].includes(word) ? false : null;
}

function readList(text: string, items: JsonSchema | null): unknown {
  if (text.startsWith("[")) return readJson(text) ?? text;
  return text.split(",").map((item) => readText(item, items));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
