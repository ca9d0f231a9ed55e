/**
 * Parameters as texts under paths, both ways: `video.codec=h264` on the command line, `ranges.0.from` in a
 * form. The schema says how a text is read, so that a new parameter is understood everywhere by itself.
 */
import { Refusal } from "../trouble.ts";
import {
  childOf,
  type JsonSchema,
  jsonSchemaOf,
  shapesOf,
  typeOf,
  wordsOf,
} from "./json-schema.ts";
import type { Operation } from "./operation.ts";
import { readJson, readNumber, truth } from "./spoken.ts";

/** A list of some thousand keyframes has fewer; the rest is an attack or a slip. */
const maxTexts = 20_000;
/** A list as JSON is the longest text that a person pastes. */
const maxTextLength = 500_000;

/** What was given under one path: a text of its own, texts under longer paths, or both. */
interface Given {
  path: string;
  text: string | null;
  inner: Map<string, Given>;
}

/**
 * Parameters from texts, for `parseParams`. The schema says how a text is read: numbers (also "1:30" for
 * seconds and "5M" for bit/s), true/false, lists with commas or as JSON. Numbers in a path give the order of
 * a list; gaps close. An empty text is not given; of two texts for one path the last counts. What cannot
 * be read stays a text, so that `parseParams` says what is wrong with it.
 * @throws Refusal 422 `invalid_params` for too many texts, for paths that cannot stand together, and for JSON
 * that is none.
 */
export function paramsFromTexts(
  operation: Operation,
  texts: Iterable<readonly [path: string, text: string]>,
): Record<string, unknown> {
  const root: Given = { path: "", text: null, inner: new Map() };
  let count = 0;
  for (const [path, text] of texts) {
    count += 1;
    if (count > maxTexts || text.length > maxTextLength) {
      throw fault(path.slice(0, 100), "is one parameter too many, or too long");
    }
    note(root, path, text);
  }
  const params = readInner(root, jsonSchemaOf(operation.schema), {});
  return params as Record<string, unknown>;
}

function note(root: Given, path: string, text: string): void {
  let at = root;
  for (const key of path.split(".")) {
    if (key === "" || key === "__proto__") throw fault(path, "is not the name of a parameter");
    let next = at.inner.get(key);
    if (next === undefined) {
      next = { path: at.path === "" ? key : `${at.path}.${key}`, text: null, inner: new Map() };
      at.inner.set(key, next);
    }
    at = next;
  }
  at.text = text.trim() === "" ? null : text;
}

function fault(path: string, message: string): Refusal {
  return new Refusal(422, "invalid_params", `The parameter ${path} ${message}.`, {
    errors: [{ path, message }],
  });
}

/** The value, or undefined when nothing was given or a switch says no. */
function readGiven(given: Given, node: JsonSchema | null): unknown {
  const { text, inner } = given;
  if (text === null) return readInner(given, node, undefined);
  const shapes = node === null ? [] : shapesOf(node);
  // A list is no switch: "0" is a list with one number.
  const isSwitch = shapes.length > 0 && shapes.every((shape) => typeOf(shape) === "object");
  if (isSwitch && truth(text) === false) return undefined;
  if (inner.size === 0) return readText(text, node, given.path);
  const structured = shapes.some(isStructured);
  const on = structured ? truth(text) : null;
  const base = on === true ? undefined : readJson(text);
  if (on === true || (structured && isObject(base))) return readInner(given, node, base);
  const filled = readInner(given, node, undefined);
  if (filled === undefined) return readText(text, node, given.path);
  const [first] = inner.values();
  throw fault(
    first?.path ?? given.path,
    "is given twice, once as a value and once with parameters of its own",
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isStructured(shape: JsonSchema): boolean {
  return ["object", "array"].includes(typeOf(shape) ?? "");
}

/** An object or a list of what stands under longer paths. Undefined when nothing was given under any. */
function readInner(given: Given, node: JsonSchema | null, base: unknown): unknown {
  const shapes = node === null ? [] : shapesFor(node, given.inner);
  const children = [...given.inner]
    .map(([key, child]) => ({ key, value: readGiven(child, childOf(shapes, key)) }))
    .filter(({ value }) => value !== undefined);
  const numbered = children.length > 0 && children.every(({ key }) => /^\d{1,9}$/.test(key));
  if (numbered && shapes.some((shape) => typeOf(shape) === "array")) {
    return children.toSorted((a, b) => Number(a.key) - Number(b.key)).map(({ value }) => value);
  }
  const isSwitch = given.text !== null;
  if (children.length === 0 && base === undefined && !isSwitch) return undefined;
  const result: Record<string, unknown> = isObject(base) ? { ...base } : {};
  for (const { key, value } of children) result[key] = value;
  return result;
}

/** The shapes of a union that fit the constants among the texts: `type=image` leaves the image. */
function shapesFor(node: JsonSchema, inner: Map<string, Given>): JsonSchema[] {
  const shapes = shapesOf(node);
  const fits = ({ properties }: JsonSchema) =>
    Object.entries(properties ?? {}).every(([key, child]) => {
      const text = inner.get(key)?.text?.trim();
      const words = wordsOf(child);
      return text === undefined || words === null || words.some((word) => String(word) === text);
    });
  const fitting = shapes.filter(fits);
  return fitting.length > 0 ? fitting : shapes;
}

function readText(text: string, node: JsonSchema | null, path: string): unknown {
  if (node === null) return text;
  const shapes = shapesOf(node).toSorted((a, b) => eagerness(a) - eagerness(b));
  for (const shape of shapes) {
    const value = readAs(text, shape);
    if (value !== undefined) return value;
  }
  if (/^\s*[[{]/.test(text) && shapes.every(isStructured)) throw fault(path, "is not valid JSON");
  return shapes.some((shape) => typeOf(shape) === "string" && wordsOf(shape) === null)
    ? text
    : text.trim();
}

/** Words are tried first, and numbers before true and false, which 1 and 0 mean as well. */
function eagerness(shape: JsonSchema): number {
  if (wordsOf(shape) !== null) return 0;
  return ["number", "integer", "boolean", "array", "object"].indexOf(typeOf(shape) ?? "") + 1 || 9;
}

/** The text as a value of this shape; undefined when it is none. */
function readAs(text: string, shape: JsonSchema): unknown {
  const trimmed = text.trim();
  if (trimmed === "null" && Array.isArray(shape.type)) return null;
  const words = wordsOf(shape);
  if (words !== null) return words.find((word) => String(word) === trimmed);
  switch (typeOf(shape)) {
    case "integer":
    case "number":
      return readNumber(trimmed, shape.unit) ?? undefined;
    case "boolean":
      return truth(trimmed) ?? undefined;
    case "array":
      return readList(trimmed, shape);
    case "object":
      return truth(trimmed) === true ? {} : (readJson(trimmed) ?? undefined);
    default:
      return undefined;
  }
}

function readList(text: string, shape: JsonSchema): unknown {
  if (/^[[{]/.test(text)) return readJson(text) ?? undefined;
  const items = shape.items || null;
  return text.split(",").map((item, index) => readText(item.trim(), items, `${index}`));
}

/** Parameters with others over them: objects are joined field by field, lists and values replaced. */
export function laidOver(
  base: Record<string, unknown>,
  over: Record<string, unknown>,
): Record<string, unknown> {
  const joined = Object.entries(over).map(([key, value]) => {
    const under = Object.hasOwn(base, key) ? base[key] : undefined;
    return [key, isObject(value) && isObject(under) ? laidOver(under, value) : value] as const;
  });
  return { ...base, ...Object.fromEntries(joined) };
}

/**
 * The texts that `paramsFromTexts` reads as these parameters: for filling forms in and for command lines. Texts
 * that are blank cannot be told from ones that were not given, and are left out.
 */
export function textsFromParams(
  operation: Operation,
  params: Record<string, unknown>,
): [path: string, text: string][] {
  const root = jsonSchemaOf(operation.schema);
  return Object.entries(params).flatMap(([key, value]) =>
    textsOf(value, childOf(shapesOf(root), key), key),
  );
}

function textsOf(value: unknown, node: JsonSchema | null, path: string): [string, string][] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return listTexts(value, node, path);
  if (!isObject(value)) return [[path, String(value)]];
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  if (entries.length === 0) return [[path, "true"]];
  const shapes = node === null ? [] : shapesOf(node);
  const plain = entries.every(([key]) => /^[^.\s=]+$/.test(key) && childOf(shapes, key) !== null);
  if (!plain) return [[path, JSON.stringify(value)]];
  return entries.flatMap(([key, inner]) => textsOf(inner, childOf(shapes, key), `${path}.${key}`));
}

function listTexts(list: unknown[], node: JsonSchema | null, path: string): [string, string][] {
  if (list.length > 0 && list.every(isObject)) {
    const items = node === null ? null : childOf(shapesOf(node), "0");
    return list.flatMap((row, index) => textsOf(row, items, `${path}.${index}`));
  }
  return [[path, spokenList(list)]];
}

/** A list of plain values as a person writes it, with commas; as JSON where commas could be misread. */
export function spokenList(list: readonly unknown[]): string {
  const safe = list.every((item) => typeof item !== "object" && !/[,\s[{]|^$/.test(String(item)));
  return safe && list.length > 0 ? list.map(String).join(", ") : JSON.stringify(list);
}
