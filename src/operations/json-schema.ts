/** The JSON Schema of an operation's parameters: the one description that forms, help and API share. */
import { z } from "zod";
import type { When } from "./conditions.ts";

/** The part of JSON Schema that our parameters use, with our own additions from `.meta`. */
export interface JsonSchema {
  /** Several only for what may also be null. */
  type?: string | string[];
  title?: string;
  description?: string;
  /** Ours: what a number counts, for example "s" or "bit/s". */
  unit?: string;
  /** Ours: what people call the choices of an enum. */
  labels?: Record<string, string>;
  /** Ours: an optional object that a form starts with switched on. */
  startsOn?: boolean;
  /** Ours: for those who know; forms fold it away. */
  advanced?: boolean;
  /** Ours: all must hold for the field to count. */
  when?: When[];
  default?: unknown;
  const?: unknown;
  enum?: (string | number | boolean | null)[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  items?: JsonSchema | false;
  prefixItems?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
}

const made = new WeakMap<z.ZodType, JsonSchema>();

/** What a caller may send (defaults are optional), as JSON Schema 2020-12. The same object every time. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const known = made.get(schema);
  if (known !== undefined) return known;
  const json = z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
  made.set(schema, json);
  return json;
}

/** The kind of value, null aside: "object", "array", "number" …; undefined for unions. */
export function typeOf(node: JsonSchema): string | undefined {
  return Array.isArray(node.type) ? node.type.find((type) => type !== "null") : node.type;
}

/** The shapes that a value may have: one, unless it is a union. Unit and labels of a union are its shapes' too. */
export function shapesOf(node: JsonSchema): JsonSchema[] {
  const shapes = node.anyOf ?? node.oneOf;
  if (shapes === undefined) return [node];
  const { unit, labels } = node;
  const shared = { ...(unit === undefined ? {} : { unit }), ...(labels && { labels }) };
  return shapes.flatMap((shape) => shapesOf({ ...shared, ...shape }));
}

/** The words of a constant or an enum; null for what is neither. */
export function wordsOf(node: JsonSchema): (string | number | boolean | null)[] | null {
  if (node.const !== undefined) return [node.const as string | number | boolean | null];
  return node.enum ?? null;
}

/**
 * The property whose constant tells the shapes of a union of objects apart, as `type` in
 * `{type: "image", …} | {type: "text", …}`; null for every other node.
 */
export function discriminatorOf(node: JsonSchema): string | null {
  const shapes = shapesOf(node);
  if (shapes.length < 2 || shapes.some(({ properties }) => properties === undefined)) return null;
  const tells = (key: string) =>
    shapes.every(
      ({ properties, required }) =>
        required?.includes(key) && properties?.[key] && wordsOf(properties[key]) !== null,
    );
  return Object.keys(shapes[0]?.properties ?? {}).find(tells) ?? null;
}

/** What one shape says of the value under a key or a position; null for nothing. */
function childOfShape(shape: JsonSchema, key: string): JsonSchema | null {
  const { properties, prefixItems, items, additionalProperties } = shape;
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key] ?? null;
  if (prefixItems !== undefined && /^\d+$/.test(key)) return prefixItems[Number(key)] ?? null;
  if (items) return items;
  return typeof additionalProperties === "object" ? additionalProperties : null;
}

/** The schema without what people read, for comparing. */
function withoutWords(node: JsonSchema): string {
  const words = new Set(["title", "description"]);
  return JSON.stringify(node, (key, value: unknown) =>
    words.has(key) && typeof value === "string" ? undefined : value,
  );
}

/** What the shapes together say of the value under a key or a position; null for nothing. */
export function childOf(shapes: readonly JsonSchema[], key: string): JsonSchema | null {
  const found = shapes.map((shape) => childOfShape(shape, key)).filter((child) => child !== null);
  const [first] = found;
  if (first === undefined) return null;
  const different = new Map(found.map((child) => [JSON.stringify(child), child]));
  if (different.size === 1) return first;
  const { default: _own, ...shape } = first;
  const plain = found.map((child) => withoutWords({ ...child, default: undefined }));
  // Where only words and the default differ, each shape fills in its own.
  if (new Set(plain).size === 1) return shape;
  const words = found.map(wordsOf);
  if (words.every((each) => each !== null)) {
    const { const: _one, enum: _some, ...rest } = first;
    return { ...rest, enum: [...new Set(words.flat())] };
  }
  const { title, description, unit, labels } = first;
  const about = { title, description, unit, labels };
  const known = Object.entries(about).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(known), anyOf: [...different.values()] };
}

/** The part of the schema that describes the value at a path; null where there is none. */
export function nodeAt(root: JsonSchema, path: readonly string[]): JsonSchema | null {
  let node: JsonSchema | null = root;
  for (const key of path) {
    if (node === null) return null;
    node = childOf(shapesOf(node), key);
  }
  return node;
}

/** A text whose pattern takes "#4b56d2" and no other spelling of it. */
export function isColour({ type, pattern }: JsonSchema): boolean {
  if (type !== "string" || pattern === undefined) return false;
  const takes = new RegExp(pattern, "u");
  return takes.test("#4b56d2") && !takes.test("4b56d2") && !takes.test("blue");
}
